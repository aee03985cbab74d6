//! An example app as a plain process, to test how it ends. A driver would end it in its own way.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use display::Display;
use rustix::process::{Pid, Signal, kill_process};

use crate::app::binary;
use crate::{environment, eventually};

const WEB_PROCESS: &str = "WebKitWebProcess";

/// A running app that records what happens as files in its folder.
pub struct Process {
    program: String,
    child: Child,
    _display: Display,
    folder: tempfile::TempDir,
    waited: bool,
}

impl Process {
    /// Starts `program` with `first`, a fresh folder and `more` as its arguments.
    pub fn start(program: &str, first: &str, more: &[&str]) -> Result<Self> {
        let folder = tempfile::TempDir::new()?;
        let display = Display::start(&folder.path().join("xvfb.log"))?;
        let mut command = Command::new(binary(program)?);
        let child = environment::set(display.show(&mut command))
            .arg(first)
            .arg(folder.path())
            .args(more)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("{program} can't be started"))?;
        Ok(Self { program: program.to_owned(), child, _display: display, folder, waited: false })
    }

    pub fn has(&self, file: &str) -> bool {
        self.folder.path().join(file).exists()
    }

    /// Creates a file that the app waits for.
    pub fn tell(&self, file: &str) -> Result<()> {
        Ok(fs::write(self.folder.path().join(file), "")?)
    }

    pub fn read(&self, file: &str) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join(file))?)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until the app has written this file.
    pub async fn writes(&self, file: &str) -> Result<()> {
        eventually(&format!("a file {file:?}"), async || Ok(self.has(file).then_some(()))).await
    }

    /// Waits until the app and its WebKit processes have ended. Returns the app's exit code, or 128 plus the number of the signal that
    /// ended it, and how long the app itself took to end from now.
    pub async fn ends(&mut self) -> Result<(i32, Duration)> {
        let begin = Instant::now();
        // WebKit may still start processes while the app is ending.
        let mut pages = BTreeSet::new();
        let status: ExitStatus = eventually("the end of the process", async || {
            pages.extend(self.webkit_processes());
            Ok(self.child.try_wait()?)
        })
        .await?;
        self.waited = true;
        let took = begin.elapsed();
        eventually("the end of its WebKit processes", async || {
            Ok((!pages.iter().any(|pid| runs_program(*pid, "WebKit"))).then_some(()))
        })
        .await?;
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        Ok((code.context("the process has neither an exit code nor a signal")?, took))
    }

    fn webkit_processes(&self) -> Vec<u32> {
        descendants(self.child.id()).into_iter().filter(|pid| runs_program(*pid, "WebKit")).collect()
    }

    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(self.pid()?, signal)?)
    }

    /// Waits until the restarted app, which writes its process id to `file`, has ended too.
    pub async fn successor_ends(&self, file: &str) -> Result<()> {
        self.writes(file).await?;
        let successor = self.read(file)?;
        let pid: u32 = successor.parse().with_context(|| format!("{successor:?} is not a process id"))?;
        eventually(&format!("the end of process {pid}, the restarted app"), async || {
            Ok((!runs_program(pid, &self.program)).then_some(()))
        })
        .await
    }

    /// Sends a signal to the web processes of the app's pages. SIGKILL is like a crash, and SIGSTOP like a system that suspends them.
    pub fn signal_page(&self, signal: Signal) -> Result<()> {
        let pages = self.web_processes();
        ensure!(!pages.is_empty(), "the app has no {WEB_PROCESS}");
        for pid in pages {
            kill_process(Pid::from_raw(pid.cast_signed()).context("the web process has no valid id")?, signal)?;
        }
        Ok(())
    }

    /// Returns the id and the state of each web process of the app's pages, to tell what was seen if a test fails. The state is the
    /// letter of proc(5): `T` is stopped.
    pub fn web_process_states(&self) -> Vec<(u32, Option<char>)> {
        let state = |pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            stat.rsplit(") ").next()?.chars().next()
        };
        self.web_processes().into_iter().map(|pid| (pid, state(pid))).collect()
    }

    fn web_processes(&self) -> Vec<u32> {
        self.webkit_processes().into_iter().filter(|pid| runs_program(*pid, WEB_PROCESS)).collect()
    }

    fn pid(&self) -> Result<Pid> {
        Pid::from_raw(self.child.id().cast_signed()).context("the app has no valid process id")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.waited {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Returns whether the command line of process `pid` has a path with a part that begins with `name`. A process that has ended has no
/// command line, even while it is a zombie.
fn runs_program(pid: u32, name: &str) -> bool {
    let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    command.contains(&format!("/{name}"))
}

fn descendants(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut left = vec![parent];
    while let Some(pid) = left.pop() {
        for thread in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            let children: Vec<u32> = children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
            left.extend(&children);
            found.extend(children);
        }
    }
    found
}
