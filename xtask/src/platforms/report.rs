//! What was seen of each platform: a line for each step when it ends, and a table.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::time::Instant;

use anyhow::{Context, Result};

use super::platform::Platform;
use crate::command::Output;
use crate::stages;

/// The rows of the table.
#[derive(Default)]
pub struct Report(Vec<Row>);

struct Row {
    platform: Platform,
    seen: Vec<String>,
    has_failed: bool,
    seconds: f64,
}

impl Report {
    /// Runs a step, whose output goes to a file, unless a step of the platform has failed. `run` returns what was seen. Shows how the
    /// step ended, and its output if it failed. Fails only if the file or the terminal can't be written to.
    pub fn step(&mut self, platform: Platform, name: &str, run: impl FnOnce(&Output) -> Result<String>) -> Result<()> {
        if self.row(platform).has_failed {
            return Ok(());
        }
        print!("{:<9}{name:<11}", platform.name());
        std::io::stdout().flush()?;
        let log = stages::logs()?.join(format!("platforms-{}-{name}.log", platform.target()));
        let file = File::create(&log).with_context(|| format!("can't create {}", log.display()))?;
        let begin = Instant::now();
        let result = run(&Output::Log(file));
        let seconds = begin.elapsed().as_secs_f64();
        match &result {
            Ok(seen) => println!("ok     {seconds:6.1} s  {seen}"),
            Err(error) => {
                println!("FAILED {seconds:6.1} s\n\n{}", fs::read_to_string(&log).unwrap_or_default());
                println!("{error:#}\n\nThe output above is also in {}.\n", log.display());
            }
        }
        self.add(platform, name, seconds, result);
        Ok(())
    }

    fn add(&mut self, platform: Platform, name: &str, seconds: f64, result: Result<String>) {
        let row = self.row(platform);
        row.seconds += seconds;
        row.has_failed |= result.is_err();
        row.seen.push(result.unwrap_or_else(|_| format!("FAILED: {name}")));
    }

    fn row(&mut self, platform: Platform) -> &mut Row {
        let index = self.0.iter().position(|row| row.platform == platform).unwrap_or(self.0.len());
        if index == self.0.len() {
            self.0.push(Row { platform, seen: vec![], has_failed: false, seconds: 0.0 });
        }
        &mut self.0[index]
    }

    pub fn has_failed(&self) -> bool {
        self.0.iter().any(|row| row.has_failed)
    }

    /// Returns the table.
    pub fn table(&self) -> String {
        let mut text = format!("{:<9}{:<24}{:>6}  seen\n", "platform", "target", "time");
        for Row { platform, seen, seconds, .. } in &self.0 {
            // Writing to a string can't fail.
            let _ =
                writeln!(text, "{:<9}{:<24}{seconds:>4.0} s  {}", platform.name(), platform.target(), seen.join("; "));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn the_table_says_what_was_seen_of_each_platform_and_what_failed() {
        let mut report = Report::default();
        report.add(Platform::Windows, "libraries", 61.0, Ok("the libraries compile".to_owned()));
        report.add(Platform::Windows, "tests", 90.0, Ok("7 tests pass".to_owned()));
        assert!(!report.has_failed());
        report.add(Platform::Ios, "libraries", 3.0, Err(anyhow!("it failed")));
        assert!(report.has_failed());
        let expected = "\
platform target                    time  seen
Windows  x86_64-pc-windows-gnu    151 s  the libraries compile; 7 tests pass
iOS      aarch64-apple-ios          3 s  FAILED: libraries
";
        assert_eq!(report.table(), expected);
    }

    #[test]
    fn nothing_is_done_for_a_platform_after_a_failure() {
        let mut report = Report::default();
        report.add(Platform::Ios, "libraries", 3.0, Err(anyhow!("it failed")));
        report.step(Platform::Ios, "everything", |_| panic!("it was run")).unwrap();
    }
}
