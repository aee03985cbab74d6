//! The binary of the workbench; everything is in the library.

// No console window beside the app on Windows; a debug build keeps it, for its log.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> tauri::Result<()> {
    workbench_lib::run()
}
