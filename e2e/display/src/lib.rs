//! A virtual display for windows under test: one Xvfb, which ends with the thread that started it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// A running Xvfb, which is ended on drop.
#[derive(Debug)]
pub struct Display {
    xvfb: Child,
    name: String,
}

impl Display {
    /// Starts Xvfb, which writes its errors to `log`. Fails if Xvfb is not installed or does not start.
    ///
    /// The kernel ends Xvfb when the calling thread ends, even if that thread is killed.
    pub fn start(log: &Path) -> Result<Self> {
        // With `-displayfd 1`, Xvfb chooses a free display and writes its number to standard output.
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

    /// Returns the value of `DISPLAY` for programs that open their windows here.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes `command` open its windows on this display.
    pub fn show<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("DISPLAY", &self.name).env("GDK_BACKEND", "x11").env_remove("WAYLAND_DISPLAY")
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // SIGTERM rather than SIGKILL, so that Xvfb removes its lock and its socket.
        if let Some(pid) = Pid::from_raw(self.xvfb.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.xvfb.wait();
    }
}
