//! Starts runs of registered kinds at an interval or by the clock.
//!
//! [`timetable`] decides when a run is due, only from the times that are passed in. [`named_schedule`] holds one
//! schedule and its runs, and [`schedules`] holds all of them. [`driver`] watches the clocks and starts the runs that
//! are due. [`local_zone`] says whether the local time can be told. Nothing is started or logged under the lock of
//! [`schedules`], because both may call the app's code, which may ask for the schedules.

pub(crate) mod driver;
mod local_zone;
pub(crate) mod named_schedule;
pub(crate) mod schedules;
pub(crate) mod snapshot;
pub(crate) mod timetable;
pub(crate) mod when;
