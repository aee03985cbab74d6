//! Tests that an app with a setting that can't be meant does not start, and is told which one and what to do.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::time::Duration;

use tauri::test::MockRuntime;
use tauri_plugin_tasks::{
    Backoff, Builder, Bytes, Failure, Restart, Retry, Schedule, Task, TaskContext, Unread, test::TestApp,
};

const ZERO: Duration = Duration::ZERO;
const SECOND: Duration = Duration::from_secs(1);

async fn plain(_: TaskContext, (): ()) -> Result<(), Failure> {
    Ok(())
}

async fn items(_: TaskContext<(), u32>, (): ()) -> Result<(), Failure> {
    Ok(())
}

async fn bytes(_: TaskContext<(), Bytes>, (): ()) -> Result<(), Failure> {
    Ok(())
}

fn builder() -> Builder<MockRuntime> {
    Builder::new()
}

fn start(builder: Builder<MockRuntime>) -> Result<TestApp, String> {
    TestApp::builder(builder).try_build().map_err(|error| error.to_string())
}

#[test]
fn an_app_with_a_mistake_in_its_settings_does_not_start() {
    let shrinking = || Backoff::exponential().factor(0.5);
    let hourly = || Schedule::every(Duration::from_secs(3_600));
    let mistakes: [(Builder<MockRuntime>, &[&str]); _] = [
        (builder().task(Task::new("", plain)), &["empty name"]),
        (builder().task(Task::new("a", plain)).task(Task::new("a", plain)), &["\"a\"", "name of its own"]),
        (builder().task(Task::new("a", plain)).group("disk", 1), &["\"disk\"", "Task::group"]),
        (builder().task(Task::new("a", plain).group("dsik")).group("disk", 1), &["\"disk\"", "Task::group"]),
        (builder().task(Task::new("a", plain).group("x")).group("x", 1).group("x", 2), &["\"x\"", "once"]),
        (builder().task(Task::new("a", plain).group("")).group("", 1), &["empty name"]),
        (builder().task(Task::new("a", plain).stall_timeout(ZERO)), &["\"a\"", "stall_timeout is zero"]),
        (builder().task(Task::new("a", plain).timeout(ZERO)), &["\"a\"", "timeout is zero"]),
        (builder().task(Task::new("a", plain).attempt_timeout(ZERO)), &["\"a\"", "attempt_timeout is zero"]),
        (builder().task(Task::new("a", plain).deadline(ZERO)), &["\"a\"", "deadline is zero"]),
        (
            builder().task(Task::new("a", plain).timeout(SECOND).attempt_timeout(2 * SECOND)),
            &["\"a\"", "never reached"],
        ),
        (builder().task(Task::new("a", plain).deadline(SECOND).delay(SECOND)), &["\"a\"", "delay"]),
        (builder().task(Task::new("a", plain).retry_if(|_| true)), &["\"a\"", "retry_if without retry"]),
        (
            builder().task(Task::new("a", plain).restart(Restart::always()).retry(Retry::attempts(2))),
            &["\"a\"", "both"],
        ),
        (builder().task(Task::new("a", plain).restart(Restart::always()).retry_if(|_| true)), &["\"a\"", "both"]),
        (builder().task(Task::new("a", plain).retry(Retry::attempts(0))), &["\"a\"", "0 attempts"]),
        (builder().task(Task::new("a", plain).retry(Retry::attempts(2).backoff(shrinking()))), &["\"a\"", "factor"]),
        (builder().task(Task::new("a", plain).restart(Restart::always().give_up_after(0))), &["\"a\"", "given up"]),
        (builder().task(Task::new("a", items).item_buffer(0, 9)), &["\"a\"", "item_buffer"]),
        (builder().task(Task::new("a", bytes).item_buffer(9, 0)), &["\"a\"", "item_buffer"]),
        (builder().task(Task::new("a", items).idle_reader(ZERO)), &["\"a\"", "idle_reader is zero"]),
        (builder().task(Task::new("a", plain).item_buffer(9, 9)), &["\"a\"", "emits nothing"]),
        (builder().task(Task::new("a", plain).unread(Unread::Cancel)), &["\"a\"", "emits nothing"]),
        (builder().task(Task::new("a", plain).idle_reader(SECOND)), &["\"a\"", "emits nothing"]),
        (builder().task(Task::new("a", plain)).service("a", ()), &["service \"a\"", "restart"]),
        (builder().service("a", ()), &["service \"a\""]),
        (builder().task(Task::new("a", plain)).schedule("s", "b", (), hourly()), &["\"s\"", "\"b\""]),
        (
            builder().task(Task::new("a", plain)).schedule("s", "a", (), hourly()).schedule("s", "a", (), hourly()),
            &["\"s\"", "name of its own"],
        ),
        (
            builder().task(Task::new("a", plain)).schedule("s", "a", (), hourly().back_off(shrinking())),
            &["\"s\"", "factor"],
        ),
    ];
    for (builder, parts) in mistakes {
        let Err(message) = start(builder) else { panic!("it starts in spite of {parts:?}") };
        for part in parts {
            assert!(message.contains(part), "{message:?} doesn't say {part:?}");
        }
        assert!(message.contains(": "), "{message:?} doesn't say what to do");
    }
}

#[test]
fn limits_of_zero_and_groups_without_a_limit_can_be_meant() {
    let app = start(
        builder()
            .concurrency(0)
            .queue_limit(0)
            .exit_grace(ZERO)
            .hidden_page_limit(ZERO)
            .task(Task::new("a", plain).concurrency(0).queue_limit(0).group("held").delay(ZERO).grace(ZERO))
            .task(Task::new("b", plain).group("free").retry(Retry::attempts(1)).retry_if(|_| true))
            .task(Task::new("c", bytes).item_buffer(0, 9).idle_reader(Duration::from_millis(1)))
            .group("held", 0),
    )
    .unwrap();
    let limit = |group: &str| app.tasks().set_limit(tauri_plugin_tasks::LimitOf::Group(group.into()), 1);
    assert!(limit("held").is_ok() && limit("free").is_ok(), "they can be raised");
}
