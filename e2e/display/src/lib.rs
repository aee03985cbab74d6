//! A display for windows that nobody looks at: one Xvfb, which ends with whoever started it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// Xvfb, from here until this is dropped.
#[derive(Debug)]
pub struct Display {
    xvfb: Child,
    name: String,
}

impl Display {
    /// Starts Xvfb, which writes its complaints to `log`. Fails if it is not installed or does not come up.
    ///
    /// The kernel ends it when the thread that calls this ends, even if that thread is killed.
    pub fn start(log: &Path) -> Result<Self> {
        // Xvfb chooses a free display by itself and writes its number to the file descriptor named, here its output.
        let xvfb = Command::new("setpriv")
            .args(["--pdeathsig", "TERM"])
            .args("Xvfb -displayfd 1 -screen 0 1280x960x24 -nolisten tcp -noreset".split(' '))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log).with_context(|| format!("can't write {}", log.display()))?)
            .spawn()
            .context("`setpriv` could not be started: install the package util-linux")?;
        let mut display = Self { xvfb, name: String::new() };
        let mut number = String::new();
        if let Some(output) = display.xvfb.stdout.take() {
            BufReader::new(output).read_line(&mut number)?;
        }
        ensure!(!number.is_empty(), "Xvfb did not start: is the package xvfb installed? See {}", log.display());
        display.name = format!(":{}", number.trim());
        Ok(display)
    }

    /// What `DISPLAY` is for programs that open their windows here.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes a command open its windows here.
    pub fn show<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("DISPLAY", &self.name).env("GDK_BACKEND", "x11").env_remove("WAYLAND_DISPLAY")
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // Not killed: it has a lock and a socket to remove.
        if let Some(pid) = Pid::from_raw(self.xvfb.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.xvfb.wait();
    }
}
