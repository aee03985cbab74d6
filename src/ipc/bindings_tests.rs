//! Checks that `guest-js/core/ipc/bindings.ts` matches the commands. With `UPDATE_BINDINGS=1`, the test writes it.

use std::collections::BTreeSet;

use specta_typescript::Typescript;
use tauri::test::MockRuntime;
use tauri_specta::{Builder, ErrorHandlingMode, collect_commands};

use super::commands;
use crate::{Error, Outcome, TaskChange, TaskEvent, TaskSnapshot, session::message::SessionMessage};

macro_rules! collect {
    ($($command:ident),*) => { collect_commands![$(commands::$command),*] };
}

fn builder() -> Builder<MockRuntime> {
    Builder::new()
        .plugin_name("tasks")
        .error_handling(ErrorHandlingMode::Throw)
        .disable_serde_phases()
        .dangerously_cast_bigints_to_number() // `ack` takes the number of a message.
        .commands(all_commands!(collect))
        .typ::<SessionMessage>()
        .typ::<TaskEvent>()
        .typ::<TaskChange>()
        .typ::<TaskSnapshot>()
        .typ::<Outcome>()
        .typ::<Error>()
}

#[test]
fn the_guest_bindings_are_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/guest-js/core/ipc/bindings.ts");
    let file = tempfile::NamedTempFile::new().unwrap();
    builder().export(Typescript::default(), file.path()).unwrap();
    let new = std::fs::read_to_string(file.path()).unwrap();
    let new = format!("{}\n", new.trim_end());
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        std::fs::write(path, &new).unwrap();
    }
    let old = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        old == new,
        "guest-js/core/ipc/bindings.ts is out of date: run UPDATE_BINDINGS=1 cargo test --lib bindings"
    );
}

macro_rules! names {
    ($($command:ident),*) => { [$(stringify!($command)),*] };
}

/// Commands that `tasks:default` does not name. Those that `allow-start` and `allow-read` include need not be named.
/// The others concern the tasks of all owners or the app's schedules.
const NOT_BY_DEFAULT: [&str; 9] = [
    "rerun",
    "batch",
    "cancel_read",
    "counts",
    "set_limit",
    "trigger",
    "schedules",
    "pause_schedule",
    "resume_schedule",
];

#[test]
fn every_command_is_in_the_default_permissions_or_in_the_list_of_exceptions() {
    let text = include_str!("../../permissions/default.toml");
    let default: toml::Table = toml::from_str(text).unwrap();
    let allowed = default["default"]["permissions"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    let allowed: BTreeSet<_> = allowed.map(|name| name.strip_prefix("allow-").unwrap().replace('-', "_")).collect();
    let mut expected: BTreeSet<_> = all_commands!(names).map(str::to_owned).into();
    assert!(allowed.is_subset(&expected), "{:?}", allowed.difference(&expected));
    for left_out in NOT_BY_DEFAULT {
        assert!(expected.remove(left_out), "{left_out} is not a command");
    }
    assert_eq!(allowed, expected);
}
