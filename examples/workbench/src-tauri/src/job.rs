//! `job`: ends in the way that its input names, so that every way to end can be seen.

use std::{future, thread, time::Duration};

use serde::{Deserialize, Serialize};
use tauri_plugin_tasks::{TaskContext, Unit};

/// The duration of one tick.
const TICK: Duration = Duration::from_millis(100);
/// A day. A higher number is probably a typing error.
const MAX_SECONDS: f64 = 86_400.0;

/// What a job does.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct JobInput {
    /// How it ends.
    pub outcome: JobOutcome,
    /// How long it works if nobody cancels it.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub seconds: f64,
}

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(rename_all = "camelCase")]
pub enum JobOutcome {
    /// Counts to the end.
    Succeed,
    /// Returns a typed error halfway.
    Fail,
    /// Panics halfway.
    Panic,
    /// Waits forever and reports nothing: only a cancel ends it.
    Hang,
    /// Blocks its thread and never checks its token: a cancel can't end it early.
    Stubborn,
    /// Holds the thread of its handler and reaches no await: a cancel can't end it early, and other handlers wait for a
    /// thread.
    Hold,
}

/// What a job did.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct JobReport {
    /// How many ticks it counted.
    pub ticks: u32,
}

/// Why a job failed.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
pub enum JobError {
    /// The input told it to.
    AsTold {
        /// The last tick it counted.
        at: u32,
        /// How many there were to count.
        of: u32,
    },
    /// The seconds are not between zero and a day.
    Seconds,
}

/// Counts ticks and ends as the input says.
///
/// # Panics
///
/// If it is told to.
pub async fn job(ctx: TaskContext, input: JobInput) -> Result<JobReport, JobError> {
    let ticks = ticks(input.seconds)?;
    let middle = ticks.div_ceil(2);
    if input.outcome != JobOutcome::Hang {
        ctx.progress().unit(Unit::Items).total(u64::from(ticks));
    }
    match input.outcome {
        JobOutcome::Succeed => {
            count(&ctx, ticks).await;
            Ok(JobReport { ticks })
        }
        JobOutcome::Fail => {
            count(&ctx, middle).await;
            Err(JobError::AsTold { at: middle, of: ticks })
        }
        JobOutcome::Panic => {
            count(&ctx, middle).await;
            panic!("told to, at tick {middle} of {ticks}");
        }
        JobOutcome::Hang => future::pending().await,
        JobOutcome::Stubborn => {
            let thread = ctx.clone();
            // A bad example: code on a blocking thread can't be dropped, so it should check its token.
            ctx.spawn_blocking(move |_ignored_token| {
                for _ in 0..ticks {
                    thread::sleep(TICK);
                    thread.progress().inc(1);
                }
            })
            .await;
            Ok(JobReport { ticks })
        }
        JobOutcome::Hold => {
            // A bad example: what blocks belongs on a blocking thread, or other handlers can't run.
            for _ in 0..ticks {
                thread::sleep(TICK);
                ctx.progress().inc(1);
            }
            Ok(JobReport { ticks })
        }
    }
}

/// Counts ticks. A cancel drops this future at its await, so no other code is needed to cancel a job.
async fn count(ctx: &TaskContext, ticks: u32) {
    let mut clock = tokio::time::interval(TICK);
    clock.tick().await; // the first one is immediate
    for _ in 0..ticks {
        clock.tick().await;
        ctx.progress().inc(1);
    }
}

/// Returns the number of ticks: at least one, so that there is always something to see.
fn ticks(seconds: f64) -> Result<u32, JobError> {
    if !(0.0..=MAX_SECONDS).contains(&seconds) {
        return Err(JobError::Seconds); // NaN, too: no range contains it
    }
    let ticks = Duration::from_secs_f64(seconds).as_millis() / TICK.as_millis();
    Ok(u32::try_from(ticks).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::{JobError, ticks};

    #[test]
    fn a_job_counts_ten_ticks_a_second_and_at_least_one() {
        assert_eq!(ticks(2.0), Ok(20));
        assert_eq!(ticks(0.25), Ok(2));
        assert_eq!(ticks(0.0), Ok(1));
    }

    #[test]
    fn seconds_out_of_range_are_an_error() {
        for seconds in [-1.0, f64::NAN, f64::INFINITY, 86_401.0] {
            assert_eq!(ticks(seconds), Err(JobError::Seconds));
        }
    }
}
