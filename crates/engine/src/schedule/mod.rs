//! Runs of registered kinds at an interval or by the clock.
//!
//! [`timetable`] decides when a run is due; it knows nothing but the times that it is told. [`entry`] keeps one schedule and its
//! runs, [`schedules`] all of them, and [`driver`] looks at the clock and starts what is due. Nothing is started and nothing
//! logged under the lock of [`schedules`]: the app's own code may ask for its schedules then.

pub(crate) mod driver;
pub(crate) mod entry;
pub(crate) mod schedules;
pub(crate) mod snapshot;
pub(crate) mod timetable;
pub(crate) mod when;
