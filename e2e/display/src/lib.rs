//! A display of our own.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::command::{command, target};

/// Xvfb, from here until this is dropped.
pub struct Display {
    xvfb: Child,
    name: String,
}

impl Display {
    pub fn start() -> Result<Self> {
        let log = target().join("xtask/logs/xvfb.log");
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // It chooses a free display by itself and writes its number to the file descriptor named, here its output.
        let mut xvfb = command("Xvfb -displayfd 1 -screen 0 1280x960x24 -nolisten tcp -noreset")
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .context("`Xvfb` could not be started: install the package xvfb")?;
        let output = xvfb.stdout.take();
        let mut display = Self { xvfb, name: String::new() };
        let mut number = String::new();
        if let Some(output) = output {
            BufReader::new(output).read_line(&mut number)?;
        }
        ensure!(!number.is_empty(), "Xvfb did not start: see {}", log.display());
        display.name = format!(":{}", number.trim());
        Ok(display)
    }

    /// Makes a command open its windows here.
    pub fn show<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("DISPLAY", &self.name).env("GDK_BACKEND", "x11").env_remove("WAYLAND_DISPLAY")
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.xvfb.kill();
        let _ = self.xvfb.wait();
    }
}
