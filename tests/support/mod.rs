#![allow(dead_code)] // Each test file uses its part.

pub mod app;
