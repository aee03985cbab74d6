//! Checks that `src/tasks.gen.ts` matches the Rust signatures. `UPDATE_BINDINGS=1 cargo test -p workbench` rewrites it.

#[test]
fn the_generated_types_are_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/tasks.gen.ts");
    let tasks = workbench_lib::tasks::<tauri::Wry>();
    let types = match std::env::var_os("UPDATE_BINDINGS") {
        Some(_) => tasks.typescript().write(file),
        None => tasks.typescript().check(file),
    };
    // Not `unwrap`, which hides what the message says to do.
    types.unwrap_or_else(|error| panic!("{error}"));
}
