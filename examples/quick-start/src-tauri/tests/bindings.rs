#![cfg(feature = "bindings")]

#[test]
fn the_types_of_the_page_are_those_of_the_tasks() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/tasks.gen.ts");
    let tasks = quick_start_lib::tasks::<tauri::Wry>();
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        tasks.typescript().write(file).unwrap();
    }
    tasks.typescript().check(file).unwrap_or_else(|error| panic!("{error}"));
}
