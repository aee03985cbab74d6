//! The binary of the workbench; everything is in the library.

// On Windows, opens no console window next to the app; a debug build keeps it for its log.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> tauri::Result<()> {
    workbench_lib::run()
}
