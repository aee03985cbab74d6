use std::time::Duration;

/// How long one call of `outcome` or `read` waits at most.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(25);
