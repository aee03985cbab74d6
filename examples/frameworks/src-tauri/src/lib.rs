mod checksum;

use tauri_plugin_tasks::{Builder, Task};

/// Registers the tasks of this app, for `run` and for the test that writes their TypeScript types.
pub fn tasks<R: tauri::Runtime>() -> Builder<R> {
    Builder::new().task(Task::new("checksum", checksum::checksum).concurrency(2))
}

#[cfg_attr(mobile, tauri::mobile_entry_point)]
pub fn run() {
    tauri::Builder::default()
        .plugin(tasks().build())
        .run(tauri::generate_context!())
        .expect("error while running tauri application");
}

#[test]
fn the_types_of_the_page_are_those_of_the_tasks() {
    tauri_plugin_tasks_specta::TypeScript::new(&tasks::<tauri::Wry>())
        .task("checksum", checksum::checksum)
        .assert_current("../src/tasks.gen.ts");
}
