//! The workbench: the example app of `tauri-plugin-tasks`.
//!
//! It has four kinds that the forms start, one file each ([`download`], [`hash_folder`], [`job`] and [`tail`](mod@tail)), a
//! service ([`watcher`](mod@watcher)), a kind that a schedule runs ([`sync`](mod@sync)), two that only emit test streams
//! ([`numbers`] and [`noise`]), and one that no window may start ([`secret`]).

pub mod download;
pub mod hash_folder;
pub mod job;
pub mod noise;
pub mod numbers;
pub mod secret;
pub mod sync;
pub mod tail;
pub mod watcher;

#[cfg(feature = "bench")]
mod bench;
mod defaults;
mod folders;
mod held;
mod kinds;
mod quit;
mod remote;
mod windows;

pub use kinds::tasks;

/// Runs the app until it quits.
pub fn run() -> tauri::Result<()> {
    let context = tauri::generate_context!();
    #[cfg(feature = "bench")]
    if bench::is_asked() {
        return bench::run(context);
    }
    tauri::Builder::default()
        .manage(quit::Question::<tauri::Wry>::default())
        .plugin(tasks().build())
        .setup(|app| Ok(remote::allow_pages(app)?))
        .invoke_handler(tauri::generate_handler![
            defaults::defaults,
            held::held,
            quit::quit,
            quit::quit_waits_for,
            quit::answer_quit,
            windows::open_window
        ])
        .run(context)
}
