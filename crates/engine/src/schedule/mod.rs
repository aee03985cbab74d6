pub(crate) mod driver;
pub(crate) mod entry;
pub(crate) mod schedules;
pub(crate) mod snapshot;
pub(crate) mod timetable;
pub(crate) mod when;
