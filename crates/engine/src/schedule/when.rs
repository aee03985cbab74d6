//! When a schedule runs, as the app describes it.

use std::{fmt, time::Duration};

use chrono::{DateTime, TimeZone};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

use crate::{
    error::{Error, refusal::Refusal},
    policy::backoff::Backoff,
};

/// The shortest interval.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest name, in bytes. The name and its prefix must fit in a tag.
const NAME_LIMIT: usize = 200;

/// When to run a kind repeatedly: at an interval, or whenever the local time matches a cron expression.
///
/// Pass it to `Builder::schedule` or [`TaskManager::schedule`](crate::TaskManager::schedule). It applies while the app
/// runs: runs that were due while the app was closed are not made up for.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::{Backoff, Error, Missed, Schedule};
///
/// # fn main() -> Result<(), Error> {
/// // Ten minutes after the end of each run, or up to two minutes later; the first run right away.
/// let sync = Schedule::every(Duration::from_secs(600)).from_end().at_once().jitter(Duration::from_secs(120));
///
/// // At three in the morning, or when the machine wakes later.
/// let clean = Schedule::cron("0 3 * * *")?.missed(Missed::Once);
///
/// // Every five minutes, and after failures no sooner than in 10, 20, 40 and at most 60.
/// let backoff = Backoff::exponential().first_delay(Duration::from_secs(600)).max_delay(Duration::from_secs(3_600));
/// let poll = Schedule::every(Duration::from_secs(300)).back_off(backoff);
/// # let _ = (sync, clean, poll);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a schedule does nothing until it is passed to the builder or the manager"]
pub struct Schedule {
    pub(super) when: When,
    pub(super) from_end: bool,
    pub(super) at_once: bool,
    pub(super) jitter: Duration,
    pub(super) overlap: bool,
    pub(super) missed: Missed,
    pub(super) back_off: Option<Backoff>,
}

#[derive(Clone)]
pub(super) enum When {
    Every(Duration),
    Cron { expression: String, cron: Box<Cron> },
}

/// What happens to runs that were missed. A run is missed if its time passed more than a minute ago, while the machine
/// slept or when its clock was set. A run that is late for another reason, such as an
/// [`ExitGuard`](crate::ExitGuard) or a busy app, is not missed: it starts as soon as it can.
///
/// A runtime that is held up for about two minutes or longer counts as a sleep on Windows, where the two can't be told
/// apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missed {
    /// They are left out. The next run comes a whole interval later, or at the next match of the cron expression.
    #[default]
    Skip,
    /// One run makes up for all of them. It starts at once.
    Once,
}

impl Schedule {
    /// Runs every `interval`, counted from the start of one run to the start of the next. The first run comes after one
    /// interval. The time in which the machine sleeps counts, and setting the clock changes nothing.
    ///
    /// The interval must be at least a second. A shorter one is refused with
    /// [`ErrorKind::InvalidOptions`](crate::ErrorKind::InvalidOptions) when the schedule is added.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use std::time::Duration;
    /// use tauri_plugin_tasks::Schedule;
    ///
    /// let hourly = Schedule::every(Duration::from_secs(60 * 60));
    /// # let _ = hourly;
    /// ```
    pub fn every(interval: Duration) -> Self {
        Self::new(When::Every(interval))
    }

    /// Runs whenever the local time matches a cron expression. The expression has five fields (minute, hour, day of the
    /// month, month, day of the week), or six with the second before them. As usual with cron, if neither of the two
    /// day fields is `*`, a day matches when either of them does.
    ///
    /// If the clock is set or the time zone changes, the new time applies. If the time zone can't be read, UTC applies, and
    /// a warning in the log says so. An expression with a single hour and minute runs once a day, even
    /// when the clocks change. If they skip its time, it runs at the first moment after the gap. If they show it twice,
    /// it runs the first time. If the hour or the minute is a list, a range or a step, a skipped time is left out, and
    /// a time that is shown twice runs twice.
    ///
    /// Fails with [`ErrorKind::InvalidOptions`](crate::ErrorKind::InvalidOptions) when the expression can't be parsed,
    /// or no day ever matches it.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Error, Schedule};
    ///
    /// # fn main() -> Result<(), Error> {
    /// let nightly = Schedule::cron("0 3 * * *")?;
    /// let on_workdays = Schedule::cron("*/15 8-17 * * MON-FRI")?;
    /// assert!(Schedule::cron("0 3 30 2 *").is_err(), "there is no 30th of February");
    /// # let _ = (nightly, on_workdays);
    /// # Ok(())
    /// # }
    /// ```
    pub fn cron(expression: &str) -> Result<Self, Error> {
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser.parse(expression).map_err(|problem| Error::invalid_cron(expression, &problem.to_string()))?;
        let when = When::Cron { expression: expression.trim().to_owned(), cron: Box::new(cron) };
        if when.after(0, &chrono::Utc).is_none() {
            return Err(Error::invalid_cron(expression, "no day ever matches it"));
        }
        Ok(Self::new(when))
    }

    fn new(when: When) -> Self {
        Self {
            when,
            from_end: false,
            at_once: false,
            jitter: Duration::ZERO,
            overlap: false,
            missed: Missed::Skip,
            back_off: None,
        }
    }

    /// Counts the interval from the end of a run to the start of the next. Has no effect on a cron expression.
    pub fn from_end(mut self) -> Self {
        self.from_end = true;
        self
    }

    /// Starts the first run at once, without jitter. The interval or the cron expression applies to the others.
    pub fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }

    /// Delays each run by up to `jitter`, drawn evenly, so that a thousand machines don't all ask one server in the
    /// same second. With a cron expression, the jitter should be shorter than the time between two matches; otherwise
    /// some matches are left out.
    pub fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Lets a run start while an earlier one has not ended. By default such a run is left out, and counted in
    /// [`ScheduleSnapshot::skipped`](crate::ScheduleSnapshot::skipped).
    pub fn overlap(mut self) -> Self {
        self.overlap = true;
        self
    }

    /// Sets what happens to runs that are missed while the machine sleeps or when its clock is set. [`Missed::Skip`] by
    /// default.
    pub fn missed(mut self, missed: Missed) -> Self {
        self.missed = missed;
        self
    }

    /// Delays the next run after failures in a row: it starts no earlier than the backoff's delay after the end of the
    /// last run. A delay shorter than the interval changes nothing, and the longest delay is a minute unless
    /// [`Backoff::max_delay`] says otherwise. The time in which the machine sleeps counts. A run that completes
    /// resets the count of failures. With a cron expression, the next run is the first match after the delay.
    ///
    /// A failure never ends the schedule. To retry within one run, give the kind `Task::retry`.
    pub fn back_off(mut self, backoff: Backoff) -> Self {
        self.back_off = Some(backoff);
        self
    }

    /// Checks the name, the interval and the backoff.
    pub(crate) fn check(&self, name: &str) -> Result<(), Error> {
        if name.is_empty() || name.len() > NAME_LIMIT {
            return Err(Refusal::ScheduleName { limit: NAME_LIMIT, size: name.len() }.into());
        }
        if let Some(problem) = self.back_off.as_ref().and_then(Backoff::mistake) {
            return Err(Refusal::InvalidOptions { path: "back_off".into(), problem }.into());
        }
        match self.when {
            When::Every(interval) if interval < SHORTEST => {
                Err(Refusal::ShortInterval { schedule: name.to_owned(), interval, shortest: SHORTEST }.into())
            }
            _ => Ok(()),
        }
    }
}

impl When {
    /// Returns the first time after `after` that the cron expression matches, in milliseconds since 1970. An interval
    /// has none.
    pub(super) fn after(&self, after: u64, zone: &impl TimeZone) -> Option<u64> {
        let Self::Cron { cron, .. } = self else { return None };
        let after: DateTime<_> = zone.timestamp_millis_opt(i64::try_from(after).ok()?).single()?;
        let next = cron.find_next_occurrence(&after, false).ok()?;
        u64::try_from(next.timestamp_millis()).ok()
    }
}

impl fmt::Debug for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(interval) => f.debug_tuple("Every").field(interval).finish(),
            Self::Cron { expression, .. } => f.debug_tuple("Cron").field(expression).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn the_error_for_an_invalid_cron_expression_quotes_it() {
        for wrong in ["", "0 3 * *", "61 * * * *", "0 0 3 * * * 2030", "at three", "0 0 30 2 *", "0/10 * * * *"] {
            let error = Schedule::cron(wrong).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidOptions, "{wrong}");
            assert!(error.message.contains(&format!("\"{wrong}\"")), "{error}");
        }
        for right in ["0 3 * * *", "*/10 * * * * *", "0 0 29 2 *", "30 2 * * SUN", " @daily "] {
            assert!(Schedule::cron(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn a_backoff_that_shrinks_is_refused() {
        let hourly =
            |factor| Schedule::every(Duration::from_secs(3_600)).back_off(Backoff::exponential().factor(factor));
        assert!(hourly(1.0).check("a").is_ok());
        let error = hourly(0.5).check("a").unwrap_err();
        assert!(error.kind == ErrorKind::InvalidOptions && error.message.contains("factor"), "{error}");
    }

    #[test]
    fn names_and_intervals_are_bounded() {
        let hourly = Schedule::every(Duration::from_secs(3_600));
        for name in ["", &"x".repeat(201)] {
            assert_eq!(hourly.check(name).unwrap_err().kind, ErrorKind::InvalidOptions);
        }
        assert!(hourly.check(&"x".repeat(200)).is_ok());
        for short in [Duration::ZERO, Duration::from_millis(999)] {
            let error = Schedule::every(short).check("sync").unwrap_err();
            assert!(error.message.contains("\"sync\"") && error.message.contains("1s"), "{error}");
        }
        assert!(Schedule::every(SHORTEST).check("sync").is_ok());
    }
}
