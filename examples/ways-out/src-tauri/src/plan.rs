use std::{path::PathBuf, time::Duration};

use tauri::{AppHandle, Manager, Runtime};
use tokio::time::sleep;

/// The arguments of the command line, except the way.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    folder: PathBuf,
    pub(crate) grace: Duration,
    pub(crate) kinds: Vec<String>,
}

impl Plan {
    /// Parses the arguments that follow the way.
    pub(crate) fn from_args(mut args: impl Iterator<Item = String>) -> Option<Self> {
        Some(Self {
            folder: args.next()?.into(),
            grace: Duration::from_secs(args.next()?.parse().ok()?),
            kinds: args.collect(),
        })
    }

    /// Records that something has happened: writes a file of that name with the id of this process.
    pub(crate) fn note(&self, what: &str) {
        self.write(what, &std::process::id().to_string());
    }

    /// Writes a file atomically: nobody sees a part of it.
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

    /// Waits until a file exists.
    pub(crate) async fn until_noted(&self, what: &str) {
        while !self.has_noted(what) {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Returns the app's plan.
pub(crate) fn plan<R: Runtime>(app: &AppHandle<R>) -> Plan {
    app.state::<Plan>().inner().clone()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_file_is_complete_as_soon_as_it_exists() {
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
