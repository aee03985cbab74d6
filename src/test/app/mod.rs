//! An app on Tauri's mock runtime: its pages, schedules and exit.

#![allow(clippy::missing_panics_doc)] // The text of each says when it fails the test.

mod acl;
mod client;
mod document;
mod exit;
mod invoke;
mod items;
mod message;
mod open;
mod page;
mod page_error;
mod patience;
mod pushed;
mod running;
mod schedule;
mod session;
mod shares;
mod test_app;

pub use self::{
    exit::{ExitReport, TaskAtExit},
    message::TestMessage,
    open::TestPageBuilder,
    page::TestPage,
    page_error::PageError,
    patience::until,
    schedule::TestSchedule,
    session::TestSession,
    test_app::{TestApp, TestAppBuilder, app},
};
