use std::{path::PathBuf, time::Duration};

use tauri::{AppHandle, Manager, Runtime};
use tokio::time::sleep;

/// What the command line says.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    folder: PathBuf,
    pub(crate) grace: Duration,
    pub(crate) kinds: Vec<String>,
}

impl Plan {
    /// What follows the way.
    pub(crate) fn from_args(mut args: impl Iterator<Item = String>) -> Option<Self> {
        Some(Self {
            folder: args.next()?.into(),
            grace: Duration::from_secs(args.next()?.parse().ok()?),
            kinds: args.collect(),
        })
    }

    /// Writes a file that says that this has happened, and in which process.
    pub(crate) fn note(&self, what: &str) {
        self.write(what, &std::process::id().to_string());
    }

    /// Writes a file that nobody sees before all of it is there.
    pub(crate) fn write(&self, name: &str, content: &str) {
        let unfinished = self.folder.join(format!(".{name}"));
        let written = std::fs::write(&unfinished, content);
        if let Err(error) = written.and_then(|()| std::fs::rename(unfinished, self.folder.join(name))) {
            eprintln!("{name} can't be written: {error}");
        }
    }

    pub(crate) fn has_noted(&self, what: &str) -> bool {
        self.folder.join(what).exists()
    }

    /// Waits for a file.
    pub(crate) async fn until_noted(&self, what: &str) {
        while !self.has_noted(what) {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// What runs where there is an app to ask for the plan.
pub(crate) fn plan<R: Runtime>(app: &AppHandle<R>) -> Plan {
    app.state::<Plan>().inner().clone()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn whoever_finds_a_file_finds_all_of_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let plan = Plan { folder: folder.path().to_owned(), grace: Duration::ZERO, kinds: Vec::new() };
        let content = "much ".repeat(1 << 20);
        thread::scope(|scope| {
            let writing = scope.spawn(|| plan.write("note", &content));
            while !plan.has_noted("note") && !writing.is_finished() {
                thread::yield_now();
            }
            assert_eq!(std::fs::read(folder.path().join("note")).unwrap().len(), content.len());
        });
    }
}
