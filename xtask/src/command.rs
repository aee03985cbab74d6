//! Runs other programs.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};

/// Returns the repository's root.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Returns Cargo's target folder, found by this program's own path, `target/debug/xtask`.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(|| root().join("target"), Path::to_owned)
}

/// Returns a command that runs in the repository's root, without input.
pub fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs a command without showing its output, and returns whether it succeeded.
pub fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs a command and returns its standard output, or `None` if it can't be started or fails.
pub fn stdout(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// The destination of the output of commands.
pub enum Output {
    Terminal,
    /// For a command whose standard output must hold nothing but its result.
    StandardError,
    Log(File),
}

impl Output {
    /// Runs a command and waits for its end. Fails if the command can't be started or fails.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let line = shown(command);
        self.note(&format!("$ {line}"))?;
        match self {
            Self::Terminal => {}
            Self::StandardError => drop(command.stdout(std::io::stderr())),
            Self::Log(file) => drop(command.stdout(file.try_clone()?).stderr(file.try_clone()?)),
        }
        let status = command.status().with_context(|| not_started(command))?;
        ensure!(status.success(), "`{line}` failed ({status})");
        Ok(())
    }

    /// Runs a command and returns how it ended, with its standard output, which also goes here at the end. Fails if the command can't
    /// be started.
    pub fn read(&self, command: &mut Command) -> Result<(ExitStatus, String)> {
        if let Self::Log(file) = self {
            command.stderr(file.try_clone()?);
        } else {
            command.stderr(Stdio::inherit());
        }
        let finished = command.output().with_context(|| not_started(command))?;
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        self.note(&text)?;
        Ok((finished.status, text))
    }

    /// Shows what is about to take a while. If the output goes to a log, this goes to the line of the stage on the terminal.
    pub fn announce(&self, text: &str) -> Result<()> {
        match self {
            Self::Terminal => println!("{text}"),
            Self::StandardError => eprintln!("{text}"),
            Self::Log(_) => print!("({text}) "),
        }
        Ok(std::io::stdout().flush()?)
    }

    /// Writes a line to the output.
    pub fn note(&self, text: &str) -> Result<()> {
        match self {
            Self::Terminal => println!("{text}"),
            Self::StandardError => eprintln!("{text}"),
            Self::Log(file) => writeln!(&mut &*file, "{text}")?,
        }
        Ok(())
    }
}

fn not_started(command: &Command) -> String {
    format!("`{}` could not be started: is it installed?", command.get_program().display())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
