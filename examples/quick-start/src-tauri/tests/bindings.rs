#![cfg(feature = "bindings")]

#[test]
fn the_types_of_the_page_are_those_of_the_tasks() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/tasks.gen.ts");
    let tasks = quick_start_lib::tasks::<tauri::Wry>();
    let types = match std::env::var_os("UPDATE_BINDINGS") {
        Some(_) => tasks.typescript().write(file),
        None => tasks.typescript().check(file),
    };
    // Not `unwrap`, which hides what the message says to do.
    types.unwrap_or_else(|error| panic!("{error}"));
}
