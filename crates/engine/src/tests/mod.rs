//! Tests of what users see of the engine, with registered kinds and in paused time.

mod batch;
mod blocked_emit;
mod blocking_work;
mod cancel;
mod emit;
mod exit;
mod items;
mod keys;
mod limits;
mod model;
mod observe;
mod order;
mod owners;
mod restart;
mod retry;
mod runtimes;
mod schedule;
mod time;

use crate::test::manager;
