use super::{arrows, sources};
use crate::imports::report;

#[test]
fn each_folder_is_shown_by_its_floors() {
    let sources = sources(&[
        ("src/lib.rs", "mod run; mod error; use run::Run;"),
        ("src/run.rs", "mod launch; use launch::Launch; pub struct Run;"),
        ("src/run/launch.rs", "use crate::error::Error; pub struct Launch;"),
        ("src/error.rs", "pub struct Error;"),
    ]);
    let house = report::house(&arrows(&sources).expect("the fixture can be read"));
    assert_eq!(
        house,
        "src/\n   2  lib.rs -> run/\n   1  run/ -> error.rs\n   0  error.rs\n\
         src/run/\n   1  src/run.rs -> launch.rs\n   0  launch.rs\n"
    );
}
