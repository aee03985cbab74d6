//! The latency of single items, compared with single messages on a channel.

use anyhow::Result;

use super::measured::Measured;
use crate::bench::figure::{Figure, Goal};

const MICROSECONDS_IN_MS: f64 = 1e3;

pub fn figures(measured: &Measured) -> Result<Vec<Figure>> {
    let ms = |name: &str, percent| Ok::<_, anyhow::Error>(measured.percentile(name, percent)? / MICROSECONDS_IN_MS);
    let slow = ms("items10", 99)? / ms("channel10", 99)?;
    let fast = ms("items1000", 99)? / ms("channel1000", 99)?;
    Ok(vec![
        Figure::new("latency that 99 of 100 items keep to, over Channel::send", slow.max(fast), "x")
            .named("latency_p99_vs_channel", Some(Goal::AtMost(2.0))),
        Figure::new("- at 10 a second", slow, "x"),
        Figure::new("- at 10 a second: 99 of 100 items", ms("items10", 99)?, "ms"),
        Figure::new("- at 10 a second: 99 of 100 messages", ms("channel10", 99)?, "ms"),
        Figure::new("- at 10 a second: half of the items", ms("items10", 50)?, "ms"),
        Figure::new("- at 10 a second: half of the messages", ms("channel10", 50)?, "ms"),
        Figure::new("- at 1,000 a second", fast, "x"),
        Figure::new("- at 1,000 a second: 99 of 100 items", ms("items1000", 99)?, "ms"),
        Figure::new("- at 1,000 a second: 99 of 100 messages", ms("channel1000", 99)?, "ms"),
        Figure::new("- at 1,000 a second: half of the items", ms("items1000", 50)?, "ms"),
        Figure::new("- at 1,000 a second: half of the messages", ms("channel1000", 50)?, "ms"),
    ])
}
