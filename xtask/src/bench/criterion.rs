//! The results of Criterion's benches.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command::target;

/// Returns the path of Criterion's estimates for a bench such as `start/many-task`.
fn estimates(bench: &str) -> PathBuf {
    target().join("criterion").join(bench).join("new/estimates.json")
}

/// Removes the result of an earlier run, or it would pass for a new one if the bench no longer exists.
pub fn forget(bench: &str) {
    let _ = fs::remove_file(estimates(bench));
}

/// Returns the median of a bench in nanoseconds.
pub fn median(bench: &str) -> Result<f64> {
    let path = estimates(bench);
    let text = fs::read_to_string(&path).with_context(|| format!("the bench {bench} has no result"))?;
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
