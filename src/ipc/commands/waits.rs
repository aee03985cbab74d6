use std::time::Duration;

/// The longest that one call of `outcome` or `read` waits.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(25);
