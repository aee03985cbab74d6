//! Tests of what users see of the engine, with registered kinds and in paused time.

pub(crate) mod at_once;
mod batch;
mod blocked_emit;
mod blocking_work;
mod cancel;
mod clocks;
mod emit;
mod estimate;
mod exit;
mod hidden;
mod idle_reader;
mod items;
mod keys;
mod leftovers;
mod lending;
mod limits;
mod log;
mod looking;
mod model;
mod observe;
mod order;
mod owners;
mod patience;
mod quotas;
mod restart;
mod retry;
mod runtimes;
mod schedule;
mod secret_input;
mod shares;
mod signs_of_life;
mod time;

use crate::test::manager;
