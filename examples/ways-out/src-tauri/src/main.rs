//! Leaves in each way that there is, with tasks of each policy at work: `ways-out <way> <folder> <grace> [<kind>…]`, with the
//! exit's grace period in seconds.
//!
//! It starts a task of each kind that is named, waits until they are at work, and leaves. What its tasks do on the way out can
//! be read off the files that they write into the folder; it waits for whoever has started it until there is a file `go`.

mod kinds;
mod way;

use std::{path::PathBuf, time::Duration};

use tauri::{AppHandle, Manager, RunEvent, Runtime};
use tauri_plugin_tasks::TasksExt;
use tokio::time::sleep;

use way::Way;

/// What the command line says.
#[derive(Debug, Clone)]
struct Plan {
    way: Way,
    folder: PathBuf,
    grace: Duration,
    kinds: Vec<String>,
}

impl Plan {
    fn from_args() -> Option<Self> {
        let mut args = std::env::args().skip(1);
        Some(Self {
            way: Way::named(&args.next()?)?,
            folder: args.next()?.into(),
            grace: Duration::from_secs(args.next()?.parse().ok()?),
            kinds: args.collect(),
        })
    }

    /// Writes a file that says that this has happened, and in which process.
    fn note(&self, what: &str) {
        self.write(what, &std::process::id().to_string());
    }

    /// Writes a file that nobody sees before all of it is there.
    fn write(&self, name: &str, content: &str) {
        let unfinished = self.folder.join(format!(".{name}"));
        let written = std::fs::write(&unfinished, content);
        if let Err(error) = written.and_then(|()| std::fs::rename(unfinished, self.folder.join(name))) {
            eprintln!("{name} can't be written: {error}");
        }
    }

    fn has_noted(&self, what: &str) -> bool {
        self.folder.join(what).exists()
    }

    /// Waits for a file.
    async fn until_noted(&self, what: &str) {
        while !self.has_noted(what) {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// What runs where there is an app to ask for the plan.
fn plan<R: Runtime>(app: &AppHandle<R>) -> Plan {
    app.state::<Plan>().inner().clone()
}

fn main() -> tauri::Result<()> {
    let Some(plan) = Plan::from_args() else {
        eprintln!("ways-out <{}> <folder> <grace> [<kind>…]", Way::NAMES.join("|"));
        std::process::exit(2);
    };
    let way = plan.way;
    let tasks = way.configure(kinds::tasks().exit_grace(plan.grace));
    tauri::Builder::default()
        .manage(plan)
        .plugin(tasks.build())
        .setup(move |app| {
            way.open_window(app.handle())?;
            let app = app.handle().clone();
            tauri::async_runtime::spawn(async move { leave(&app).await });
            Ok(())
        })
        .build(tauri::generate_context!())?
        .run(|app, event| {
            // The plugin knows of it by now.
            if let RunEvent::ExitRequested { .. } = event {
                app.state::<Plan>().note("exit-requested");
            }
        });
    Ok(())
}

async fn leave<R: Runtime>(app: &AppHandle<R>) {
    let plan = plan(app);
    if plan.has_noted("restarts") {
        plan.note("came-back");
        app.exit(0);
        return;
    }
    for kind in &plan.kinds {
        if let Err(error) = app.tasks().start(kind, ()) {
            eprintln!("{error}");
        }
    }
    kinds::are_at_work(&plan).await;
    plan.note("leaves");
    plan.way.go(app, &plan).await;
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn whoever_finds_a_file_finds_all_of_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let plan = Plan { way: Way::Exit, folder: folder.path().to_owned(), grace: Duration::ZERO, kinds: Vec::new() };
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
