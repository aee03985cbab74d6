//! Running other programs.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The repository's folder.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Cargo's folder `target`, wherever it is: this program is in `target/debug`.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(|| root().join("target"), Path::to_owned)
}

/// A command that runs in the repository's folder.
pub fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir(root()).stdin(Stdio::null());
    command
}

/// Whether the command can be run and succeeds; its output is dropped.
pub fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What the command prints, if it can be run and succeeds.
pub fn stdout(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// Where the output of commands goes.
pub enum Output {
    Terminal,
    /// Where standard output is for what was asked for, and nothing else.
    StandardError,
    Log(File),
}

impl Output {
    /// Runs a command to its end; an error if it can't be started or fails.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let line = shown(command);
        self.note(&format!("$ {line}"))?;
        match self {
            Self::Terminal => {}
            Self::StandardError => drop(command.stdout(std::io::stderr())),
            Self::Log(file) => drop(command.stdout(file.try_clone()?).stderr(file.try_clone()?)),
        }
        let program = command.get_program().display().to_string();
        let status = command.status().with_context(|| format!("`{program}` could not be started: is it installed?"))?;
        ensure!(status.success(), "`{line}` failed ({status})");
        Ok(())
    }

    /// Says what takes its time; on the line of the stage, if the output goes to a log.
    pub fn announce(&self, text: &str) -> Result<()> {
        match self {
            Self::Terminal => println!("{text}"),
            Self::StandardError => eprintln!("{text}"),
            Self::Log(_) => print!("({text}) "),
        }
        Ok(std::io::stdout().flush()?)
    }

    /// Writes a line of our own.
    pub fn note(&self, text: &str) -> Result<()> {
        match self {
            Self::Terminal => println!("{text}"),
            Self::StandardError => eprintln!("{text}"),
            Self::Log(file) => writeln!(&mut &*file, "{text}")?,
        }
        Ok(())
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
