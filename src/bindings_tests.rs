//! `guest-js/core/ipc/bindings.ts` is generated from the commands. With `UPDATE_BINDINGS=1` the test writes it.

use std::collections::BTreeSet;

use specta_typescript::Typescript;
use tauri::test::MockRuntime;
use tauri_specta::{Builder, ErrorHandlingMode, collect_commands};

use crate::{Error, Outcome, TaskChange, TaskEvent, TaskSnapshot, commands, session::SessionMessage};

fn builder() -> Builder<MockRuntime> {
    Builder::new()
        .plugin_name("tasks")
        .error_handling(ErrorHandlingMode::Throw)
        .disable_serde_phases()
        .dangerously_cast_bigints_to_number() // `ack` takes the number of a message.
        .commands(collect_commands![
            commands::open,
            commands::ack,
            commands::start,
            commands::retry,
            commands::batch,
            commands::cancel,
            commands::cancel_all,
            commands::hold,
            commands::release,
            commands::set_priority,
            commands::set_limit,
            commands::counts,
            commands::get,
            commands::list,
            commands::watch,
            commands::unwatch,
            commands::outcome,
            commands::remove,
            commands::read,
            commands::cancel_read,
            commands::schedules,
            commands::trigger,
            commands::pause_schedule,
            commands::resume_schedule,
        ])
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
        "guest-js/core/ipc/bindings.ts is out of date: run UPDATE_BINDINGS=1 cargo test -p tauri-plugin-tasks bindings"
    );
}

#[test]
fn every_command_is_handled_has_its_permissions_and_is_in_the_bindings() {
    let named = |text: &str| {
        let names = text.split(" commands::").skip(1);
        names.map(|rest| rest.split([',', '"']).next().unwrap().trim().to_owned()).collect::<BTreeSet<_>>()
    };
    let handled = named(include_str!("builder.rs"));
    let builder = include_str!("bindings_tests.rs").split("fn builder").nth(1).unwrap();
    let bound = named(builder.split(".typ").next().unwrap());
    let listed = include_str!("../build.rs").split("const COMMANDS").nth(1).unwrap().split("];").next().unwrap();
    let mut permitted: BTreeSet<_> = listed.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    // Their permissions are written by hand.
    permitted.extend(["start".into(), "read".into()]);
    assert!(handled.len() > 5);
    assert_eq!(handled, bound);
    assert_eq!(handled, permitted);
}
