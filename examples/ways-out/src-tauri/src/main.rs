//! Exits in one of the ways an app can, while tasks of each policy run: `ways-out <way> <folder> <grace> [<kind>…]`, with the
//! exit's grace period in seconds.
//!
//! It starts a task of each kind that is named, waits until they run, and exits. The tasks and the app record what they do in
//! files in the folder. Where the app has to wait for the test, it waits until the test creates the file `go`.

mod kinds;
mod plan;
mod way;

use tauri::{AppHandle, Manager, RunEvent, Runtime};
use tauri_plugin_tasks::TasksExt;

use plan::{Plan, plan};
use way::Way;

fn main() -> tauri::Result<()> {
    let mut args = std::env::args().skip(1);
    let way = args.next().and_then(|name| Way::named(&name));
    let (Some(way), Some(plan)) = (way, Plan::from_args(args)) else {
        eprintln!("ways-out <{}> <folder> <grace> [<kind>…]", Way::NAMES.join("|"));
        std::process::exit(2);
    };
    let tasks = way.configure(kinds::tasks().exit_grace(plan.grace));
    tauri::Builder::default()
        .manage(plan)
        .plugin(tasks.build())
        .setup(move |app| {
            way.open_window(app.handle())?;
            let app = app.handle().clone();
            tauri::async_runtime::spawn(async move { leave(&app, way).await });
            Ok(())
        })
        .build(tauri::generate_context!())?
        .run(|app, event| {
            // The plugin has already handled this event.
            if let RunEvent::ExitRequested { .. } = event {
                app.state::<Plan>().note("exit-requested");
            }
        });
    Ok(())
}

async fn leave<R: Runtime>(app: &AppHandle<R>, way: Way) {
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
    way.go(app, &plan).await;
}
