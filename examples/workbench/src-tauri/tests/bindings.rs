//! Keeps `src/tasks.gen.ts` what the Rust signatures say. `UPDATE_BINDINGS=1 cargo test -p workbench` rewrites it.

#[test]
fn the_generated_types_are_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/tasks.gen.ts");
    let builder = workbench_lib::tasks::<tauri::Wry>();
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        builder.typescript().write(file).unwrap();
    }
    // Its message says how the file differs and what to do; `unwrap` would not show it.
    builder.typescript().check(file).unwrap_or_else(|error| panic!("{error}"));
}
