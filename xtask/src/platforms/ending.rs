//! How a program ended that `timeout` has run.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Result, ensure};

/// What `timeout` returns when it has ended the program.
const ENDED: i32 = 124;
/// What it returns when it has killed the program, and also when somebody else has.
const KILLED: i32 = 137;

/// Fails unless the program succeeded. `took` is how long it ran; a program may return the codes of `timeout` itself.
pub fn check(status: ExitStatus, took: Duration, limit: Duration) -> Result<()> {
    let has_run_out = took >= limit && matches!(status.code(), Some(ENDED | KILLED));
    ensure!(!has_run_out, "it did not end within {} minutes", limit.as_secs() / 60);
    ensure!(
        status.code() != Some(KILLED),
        "it was killed after {} seconds, before its time was over: perhaps the memory did not suffice, which `dmesg` says",
        took.as_secs()
    );
    ensure!(status.success(), "it failed ({status})");
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30 * 60);

    fn error(raw: i32, took: Duration) -> String {
        check(ExitStatus::from_raw(raw), took, LIMIT).unwrap_err().to_string()
    }

    #[test]
    fn a_program_is_late_only_if_its_time_is_over() {
        let early = LIMIT.checked_sub(Duration::from_millis(1)).unwrap();
        for took in [LIMIT, LIMIT + Duration::from_secs(10)] {
            for code in [ENDED, KILLED] {
                assert_eq!(error(code << 8, took), "it did not end within 30 minutes");
            }
        }
        assert_eq!(error(ENDED << 8, early), "it failed (exit status: 124)");
        let killed = error(KILLED << 8, early);
        assert!(killed.contains("was killed after 1799 seconds") && killed.contains("memory"), "{killed}");
    }

    #[test]
    fn other_failures_are_told_as_they_are() {
        for took in [Duration::ZERO, LIMIT] {
            assert!(check(ExitStatus::from_raw(0), took, LIMIT).is_ok());
            assert_eq!(error(101 << 8, took), "it failed (exit status: 101)");
            assert_eq!(error(9, took), "it failed (signal: 9 (SIGKILL))");
        }
    }
}
