//! What Criterion has measured.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command::target;

/// Where Criterion puts what it estimates of a bench, such as `start/many`.
fn estimates(bench: &str) -> PathBuf {
    target().join("criterion").join(bench).join("new/estimates.json")
}

/// Forgets what was measured before, so that it isn't taken for what a bench that is gone has measured now.
pub fn forget(bench: &str) {
    let _ = fs::remove_file(estimates(bench));
}

/// The median of a bench, in nanoseconds.
pub fn median(bench: &str) -> Result<f64> {
    let path = estimates(bench);
    let text = fs::read_to_string(&path).with_context(|| format!("nothing was measured of {bench}"))?;
    median_in(&text).with_context(|| format!("{} has no median", path.display()))
}

fn median_in(estimates: &str) -> Option<f64> {
    let (_, median) = estimates.split_once("\"median\":")?;
    let (_, value) = median.split_once("\"point_estimate\":")?;
    value.split([',', '}']).next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::median_in;

    #[test]
    fn the_median_is_found() {
        let estimate =
            r#"{"confidence_interval":{"confidence_level":0.95},"point_estimate":1.5e3,"standard_error":2.0}"#;
        let text = format!(r#"{{"mean":{{"point_estimate":7.0}},"median":{estimate},"slope":null}}"#);
        assert_eq!(median_in(&text), Some(1_500.0));
        assert_eq!(median_in("{}"), None);
    }
}
