//! Records scenarios of what a page calls, what tasks do and which messages come over the channel, one in each file of
//! `tests/wire/scenarios/`. `guest-js/mocks/tests/scenarios.test.ts` replays each against the mock of the plugin, so that the mock
//! does what the plugin does. With `UPDATE_WIRE=1`, the tests write the files.
//!
//! A change of what travels between the plugin and pages adds its scenarios: a function in `wire_scenarios/` and its name below.
//!
//! A scenario is the same on every machine, however slow. Handlers do nothing between two steps, since their thread is
//! [shut](handlers). A message is recorded once it has come. Several changes are told in one message only if they happened while
//! the message before was unacknowledged, and then they always are.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

#[path = "wire_scenarios/documents.rs"]
mod documents;
#[path = "wire_scenarios/handlers.rs"]
mod handlers;
#[path = "wire_scenarios/items.rs"]
mod items;
#[path = "wire_scenarios/lists.rs"]
mod lists;
#[path = "wire_scenarios/plain.rs"]
mod plain;
#[path = "wire_scenarios/progress.rs"]
mod progress;
#[path = "wire_scenarios/queue.rs"]
mod queue;
#[path = "wire_scenarios/scenario.rs"]
mod scenario;
#[path = "wire_scenarios/shares.rs"]
mod shares;
#[path = "wire_scenarios/starts.rs"]
mod starts;
#[path = "wire_scenarios/steered.rs"]
mod steered;
mod support;
#[path = "wire_scenarios/task.rs"]
mod task;

use std::{collections::BTreeSet, fs};

/// Makes a test of each scenario, whose file has the name of its group before its own.
macro_rules! scenarios {
    ($($group:ident: $($name:ident),+;)+) => {
        const FILES: &[&str] = &[$($(concat!(stringify!($group), "-", stringify!($name))),+),+];

        $($(
            #[tokio::test]
            async fn $name() {
                let steps = $group::$name().await.into_steps();
                let file = file_of(concat!(stringify!($group), "-", stringify!($name)));
                support::recorded::assert_current(&format!("scenarios/{file}"), "--test wire_scenarios", &steps);
            }
        )+)+
    };
}

scenarios! {
    task: completes, has_a_large_output, fails, panics, is_cancelled_while_queued, is_cancelled_while_running,
        is_cancelled_with_words, is_overdue, times_out, misses_its_deadline, is_retried, fails_for_good;
    progress: is_conflated, has_details, comes_before_the_end, is_split, is_acknowledged_twice;
    items: come_in_chunks, are_waited_for, are_read_on, have_one_reader, outlive_their_task, are_bytes, begin_anywhere;
    lists: tell_changes, lose_tasks, are_two, are_paced;
    shares: attach_while_it_runs, attach_to_an_ended_task, attach_by_a_share, join_and_leave, the_key_is_taken,
        the_key_is_replaced, the_key_is_waited_for;
    queue: places_change, pause_and_resume;
    starts: are_repeated, are_refused, run_again, are_removed, of_a_batch;
    documents: reload, end_their_sessions, run_schedules;
}

fn file_of(scenario: &str) -> String {
    format!("{}.json", scenario.replace('_', "-"))
}

#[test]
fn there_is_no_other_file() {
    let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire/scenarios")).unwrap();
    let files: BTreeSet<_> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let scenarios: BTreeSet<_> = FILES.iter().map(|name| file_of(name)).collect();
    assert!(files.is_subset(&scenarios), "{:?} belong to no scenario", files.difference(&scenarios));
}
