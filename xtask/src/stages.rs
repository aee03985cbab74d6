//! Runs stages. Prints one line for each, and its output only if it fails.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::command::{Output, target};

/// A part of `cargo xtask test`.
pub struct Stage<C> {
    pub name: &'static str,
    /// Stages that must run before this one, even if only this one is named.
    pub needs: &'static [&'static str],
    /// Whether the stages after this one run at the same time, because it would leave cores idle. No stage may need it.
    pub beside: bool,
    pub run: fn(&C, &Output) -> Result<()>,
}

/// Returns the stages of `all` that `asked` names and those they need, in order. If `asked` is empty, returns all.
pub fn chosen<'a, C>(all: &'a [Stage<C>], asked: &[String]) -> Vec<&'a Stage<C>> {
    let mut wanted: Vec<&str> = asked.iter().map(String::as_str).collect();
    // A stage needs only stages before it in the list, so one pass from the end finds all.
    for stage in all.iter().rev() {
        if wanted.contains(&stage.name) {
            wanted.extend(stage.needs);
        }
    }
    let is_wanted = |stage: &&Stage<C>| asked.is_empty() || wanted.contains(&stage.name);
    all.iter().filter(is_wanted).collect()
}

/// Returns the folder for the output of stages and programs, and creates it.
pub fn logs() -> Result<PathBuf> {
    let logs = target().join("xtask/logs");
    fs::create_dir_all(&logs).with_context(|| format!("can't create {}", logs.display()))?;
    Ok(logs)
}

/// The end of a stage.
struct Ended<'a, C> {
    stage: &'a Stage<C>,
    result: Result<()>,
    log: PathBuf,
    seconds: f64,
}

/// Runs the stages, and prints a summary. Begins no more of them once one has failed. Their output goes to files in `logs`.
pub fn run<C: Sync>(stages: &[&Stage<C>], context: &C, logs: &Path) -> Result<ExitCode> {
    let begin = Instant::now();
    let has_failed = AtomicBool::new(false);
    let end = |stage| {
        let ended = end(stage, context, logs);
        has_failed.fetch_or(ended.result.is_err(), SeqCst);
        ended
    };
    let (passed, failed) = thread::scope(|scope| -> Result<(usize, usize)> {
        let mut beside = vec![];
        let (mut passed, mut failed) = (0, 0);
        for (index, &stage) in stages.iter().enumerate() {
            if has_failed.load(SeqCst) {
                break;
            }
            if stage.beside && stages[index + 1..].iter().any(|later| !later.beside) {
                beside.push((stage.name, scope.spawn(move || end(stage))));
                continue;
            }
            print!("{:<12}", stage.name);
            std::io::stdout().flush()?;
            *if report(&end(stage)) { &mut passed } else { &mut failed } += 1;
        }
        for (name, stage) in beside {
            print!("{name:<12}");
            std::io::stdout().flush()?;
            let ended = stage.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            *if report(&ended) { &mut passed } else { &mut failed } += 1;
        }
        Ok((passed, failed))
    })?;
    if failed == 0 {
        println!("\nTotal: {:.1} s.", begin.elapsed().as_secs_f64());
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a stage to its end.
fn end<'a, C>(stage: &'a Stage<C>, context: &C, logs: &Path) -> Ended<'a, C> {
    let log = logs.join(format!("{}.log", stage.name));
    let start = Instant::now();
    let result = File::create(&log)
        .with_context(|| format!("can't create {}", log.display()))
        .and_then(|file| (stage.run)(context, &Output::Log(file)));
    Ended { stage, result, log, seconds: start.elapsed().as_secs_f64() }
}

/// Prints the end of a stage, with its output if it has failed. Returns whether it has passed.
fn report<C>(Ended { stage, result, log, seconds }: &Ended<'_, C>) -> bool {
    let Err(error) = result else {
        println!("ok     {seconds:6.1} s");
        return true;
    };
    println!("FAILED {seconds:6.1} s\n");
    println!("{}", fs::read_to_string(log).unwrap_or_default());
    println!("{error:#}");
    println!("\nThe output above is also in {}.", log.display());
    println!("Try again with: cargo xtask test {}\n", stage.name);
    false
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    type Channel = (mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>);

    fn stage(name: &'static str, needs: &'static [&'static str]) -> Stage<()> {
        Stage { name, needs, beside: false, run: |(), _| Ok(()) }
    }

    fn names(asked: &[&str]) -> Vec<&'static str> {
        let all = [stage("npm", &[]), stage("lint", &["npm"]), stage("build", &["npm"]), stage("e2e", &["build"])];
        let asked: Vec<_> = asked.iter().map(ToString::to_string).collect();
        chosen(&all, &asked).iter().map(|stage| stage.name).collect()
    }

    #[test]
    fn all_stages_run_if_none_are_named() {
        assert_eq!(names(&[]), ["npm", "lint", "build", "e2e"]);
    }

    #[test]
    fn a_named_stage_runs_the_stages_it_needs() {
        assert_eq!(names(&["e2e"]), ["npm", "build", "e2e"]);
        assert_eq!(names(&["lint"]), ["npm", "lint"]);
    }

    #[test]
    fn a_stage_beside_the_others_ends_after_one_that_it_waits_for() {
        let logs = tempfile::tempdir().unwrap();
        let (sender, receiver) = mpsc::channel();
        let all: [Stage<Channel>; 2] = [
            Stage {
                name: "test-of-waiting",
                needs: &[],
                beside: true,
                run: |(_, receiver), _| Ok(receiver.lock().unwrap().recv()?),
            },
            Stage { name: "test-of-sending", needs: &[], beside: false, run: |(sender, _), _| Ok(sender.send(())?) },
        ];
        let code = run(&chosen(&all, &[]), &(sender, Mutex::new(receiver)), logs.path()).unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    }

    #[test]
    fn a_failed_stage_beside_the_others_fails_the_run() {
        let logs = tempfile::tempdir().unwrap();
        let all = [
            Stage { name: "test-of-failing", needs: &[], beside: true, run: |(), _| anyhow::bail!("it fails") },
            stage("test-of-passing", &[]),
        ];
        let code = run(&chosen(&all, &[]), &(), logs.path()).unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
    }
}
