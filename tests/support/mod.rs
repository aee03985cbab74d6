#![allow(dead_code)] // Each test file uses only some of this.

pub mod calls;
pub mod kinds;
pub mod recorded;
