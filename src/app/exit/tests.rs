//! Tests the exit without an app, on real threads.

use tokio::runtime;

use std::{
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::{Duration, Instant},
};

use super::{
    core::{Core, Drain},
    last_chance::Sentinel,
    phase::{AGAIN, Answer, Phase, Request},
};
use crate::TaskManager;
use crate::{CancelReason, Failure, TaskContext, TaskStatus};

/// Creates a runtime with one running task, which ignores a cancel if `stubborn`. It has real threads, since the main
/// thread blocks.
fn core(grace: Duration, stubborn: bool) -> (runtime::Runtime, Arc<Core>, crate::TaskHandle) {
    core_with(grace, stubborn, None)
}

/// Does the same, with a limit for the end of a session.
fn core_with(
    grace: Duration,
    stubborn: bool,
    session_end: Option<Duration>,
) -> (runtime::Runtime, Arc<Core>, crate::TaskHandle) {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tasks = TaskManager::new(runtime.handle().clone());
    let (begun, begins) = sync_channel(1);
    let task = tasks.spawn("work", async move |ctx: TaskContext| {
        if stubborn {
            ctx.spawn_blocking(move |_| {
                begun.send(()).unwrap();
                let (_kept, never) = std::sync::mpsc::channel::<()>();
                never.recv_timeout(Duration::from_secs(20))
            })
            .await
            .unwrap_err();
        } else {
            begun.send(()).unwrap();
        }
        std::future::pending::<Result<(), Failure>>().await
    });
    begins.recv().unwrap();
    (runtime, Arc::new(Core::new(tasks, grace, session_end)), task.untyped())
}

fn sentinel(core: &Arc<Core>) -> Sentinel {
    Sentinel::new(Arc::clone(core), || panic!("it was closed"))
}

#[test]
fn a_sentinel_that_is_closed_is_no_end_and_another_takes_its_place() {
    let (_runtime, core, task) = core(Duration::from_secs(20), false);
    let (put, puts) = sync_channel(1);
    let sentinel = Arc::new(Sentinel::new(Arc::clone(&core), move || put.send(()).unwrap()));
    let kept = Arc::clone(&sentinel);
    tauri::Resource::close(sentinel);
    puts.try_recv().unwrap();
    drop(kept);
    assert_eq!(task.snapshot().status, TaskStatus::Running);
    assert_eq!(*core.phase.lock(), Phase::Running, "an exit still waits for the tasks");
}

#[test]
fn the_last_chance_waits_once_for_the_tasks_to_end() {
    let (_runtime, core, task) = core(Duration::from_secs(20), false);
    core.last_chance();
    assert_eq!(task.snapshot().status, TaskStatus::Cancelled);
    assert_eq!(task.snapshot().cancel_reason, Some(CancelReason::Shutdown));
    drop(sentinel(&core));
}

#[test]
fn a_task_that_ignores_its_cancel_delays_the_last_chance_only_for_the_grace_period() {
    let (runtime, core, task) = core(Duration::from_millis(50), true);
    drop(sentinel(&core));
    assert_eq!(task.snapshot().status, TaskStatus::Cancelling);
    runtime.shutdown_background();
}

#[test]
fn clearing_the_resources_on_a_thread_of_the_tasks_runtime_lets_the_tasks_end() {
    let (runtime, core, task) = core(Duration::from_secs(20), false);
    runtime.block_on(runtime.spawn(async move { drop(sentinel(&core)) })).unwrap();
    assert_eq!(task.snapshot().status, TaskStatus::Cancelled, "an updater clears them in a command");
}

#[test]
fn handlers_that_block_all_threads_are_told_to_stop() {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let tasks = TaskManager::new(runtime.handle().clone());
    let (begun, begins) = sync_channel(1);
    let task = tasks.spawn("work", async move |ctx: TaskContext| {
        begun.send(()).unwrap();
        while !ctx.is_cancelled() {
            thread::yield_now();
        }
        Ok::<_, Failure>(())
    });
    begins.recv().unwrap();
    Arc::new(Core::new(tasks, Duration::from_secs(20), None)).last_chance();
    assert_eq!(task.snapshot().status, TaskStatus::Completed);
}

#[test]
fn a_question_is_closed_when_its_window_is_gone() {
    let (_runtime, core, _task) = core(Duration::from_secs(20), false);
    let question = ask(&core, Request::Exit, Some(3));
    core.nobody_is_left_to_ask();
    assert!(!core.leave(question, Drain::Cancel));
    assert_ne!(ask(&core, Request::Exit, Some(0)), question, "a later request gets a question of its own");
    assert_eq!(*core.code.lock(), Some(0));
}

#[test]
fn another_exit_does_not_replace_a_held_exit_that_is_sent() {
    let (_runtime, core, _task) = core(Duration::from_secs(20), false);
    assert_eq!(core.on(Request::Exit, Some(3), false), Answer::Drain);
    *core.phase.lock() = Phase::Leaving;
    assert_eq!(core.on(Request::Exit, Some(9), false), Answer::Hold);
    assert_eq!(core.on(Request::Exit, Some(3), false), Answer::Pass);
}

#[test]
fn a_second_request_ends_the_last_chance() {
    let (runtime, core, _task) = core(Duration::from_secs(20), true);
    let begun = Instant::now();
    let waiting = Arc::clone(&core);
    let main = std::thread::spawn(move || waiting.last_chance());
    while core.waiting.lock().is_none() {
        std::thread::yield_now();
    }
    core.let_go();
    main.join().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "the grace period");
    runtime.shutdown_background();
}

/// Makes a request that leads to a question. Returns the number of the question.
fn ask(core: &Core, request: Request, asked: Option<i32>) -> u64 {
    match core.on(request, asked, true) {
        Answer::Ask(question) => question,
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_question_is_asked_when_nobody_can_answer() {
    let (_runtime, core, _task) = core(Duration::from_secs(20), false);
    let question = ask(&core, Request::Exit, Some(3));
    core.stay(question);
    core.is_unattended();
    assert_eq!(core.on(Request::Exit, Some(4), true), Answer::Drain);
    assert_eq!(*core.code.lock(), Some(4), "the code of the rejected exit is forgotten");
}

#[test]
fn a_signal_that_overrules_a_question_or_a_wait_sets_the_exit_code() {
    for waits in [false, true] {
        let (_runtime, core, _task) = core(Duration::from_secs(20), false);
        let question = ask(&core, Request::Exit, Some(0));
        assert!(!waits || core.leave(question, Drain::Wait));
        core.is_unattended();
        assert_eq!(core.on(Request::Exit, Some(143), true), Answer::Drain);
        assert_eq!(*core.code.lock(), Some(143));
    }
}

#[test]
fn only_the_last_question_counts() {
    let (_runtime, core, _task) = core(Duration::from_secs(20), false);
    let first = ask(&core, Request::CloseLastWindow, None);
    let second = ask(&core, Request::CloseLastWindow, None);
    core.stay(first);
    assert!(matches!(*core.phase.lock(), Phase::Asking { .. }));
    assert!(!core.leave(first, Drain::Cancel) && core.leave(second, Drain::Cancel));
    assert!(!core.leave(second, Drain::Wait), "once");
}

#[test]
fn an_app_that_clears_its_resources_while_its_exit_is_held_still_exits() {
    let (_runtime, core, task) = core(Duration::from_secs(20), false);
    assert_eq!(core.on(Request::Exit, Some(3), false), Answer::Drain);
    drop(sentinel(&core));
    assert_eq!(task.snapshot().status, TaskStatus::Cancelled, "it may end the process next");
    assert!(matches!(*core.phase.lock(), Phase::Draining { .. }));
}

#[test]
fn an_exit_that_cannot_be_held_waits_for_the_drain_that_the_same_click_began() {
    let (_runtime, core, task) = core(Duration::from_secs(20), false);
    assert_eq!(core.on(Request::LastWindowClosed, None, false), Answer::Drain);
    core.last_chance();
    assert_eq!(task.snapshot().status, TaskStatus::Cancelled);
    assert_eq!(*core.phase.lock(), Phase::Over);
}

#[test]
fn the_exit_sets_the_code_even_if_a_window_closed_just_before() {
    let (_runtime, core, _task) = core(Duration::from_secs(20), false);
    assert_eq!(core.on(Request::LastWindowClosed, None, false), Answer::Drain);
    assert_eq!(core.on(Request::Exit, Some(3), false), Answer::Hold);
    assert_eq!(core.on(Request::Exit, Some(4), false), Answer::Hold);
    assert_eq!(*core.code.lock(), Some(3));
}

#[test]
fn the_last_chance_does_not_wait_when_the_runtime_is_gone() {
    let (runtime, core, _task) = core(Duration::from_secs(20), false);
    runtime.shutdown_background();
    let begun = Instant::now();
    core.last_chance();
    assert!(begun.elapsed() < Duration::from_secs(20), "the grace period");
}

#[test]
fn at_the_end_of_a_session_the_main_thread_waits_no_longer_than_its_limit() {
    let limit = Duration::from_millis(700);
    let (runtime, core, task) = core_with(Duration::from_secs(20), true, Some(limit));
    let begun = Instant::now();
    core.last_chance();
    assert!(begun.elapsed() < Duration::from_secs(20), "the grace period");
    assert_eq!(task.snapshot().status, TaskStatus::Cancelling, "it was told to stop");
    runtime.shutdown_background();
}

#[test]
fn only_an_end_that_nobody_requested_is_the_end_of_the_session() {
    let limit = Some(Duration::from_secs(3));
    let (_runtime, core, _task) = core_with(Duration::from_secs(20), false, limit);
    assert_eq!(core.session_ends(), limit, "a log-off");
    assert_eq!(core.on(Request::LastWindowClosed, None, false), Answer::Drain);
    assert_eq!(core.session_ends(), limit, "a held request ends nothing");
    core.request_passed();
    assert_eq!(core.session_ends(), None, "a restart");

    let (_runtime, core, _task) = core_with(Duration::from_secs(20), false, None);
    assert_eq!(core.session_ends(), None, "another platform");
}

/// A core that has begun to drain so long ago that another request to exit counts as a second one.
fn draining(session_end: Option<Duration>, stubborn: bool) -> (runtime::Runtime, Arc<Core>, crate::TaskHandle) {
    let (runtime, core, task) = core_with(Duration::from_secs(20), stubborn, session_end);
    assert_eq!(core.on(Request::LastWindowClosed, None, false), Answer::Drain);
    *core.phase.lock() = Phase::Draining { since: Instant::now().checked_sub(AGAIN).unwrap() };
    (runtime, core, task)
}

#[test]
fn the_end_of_a_session_waits_for_a_drain_that_is_under_way() {
    let (_runtime, core, task) = draining(Some(Duration::from_secs(20)), false);
    core.last_chance();
    assert_eq!(task.snapshot().status, TaskStatus::Cancelled);

    let (runtime, core, task) = draining(Some(Duration::from_millis(700)), true);
    let begun = Instant::now();
    core.last_chance();
    assert!(begun.elapsed() < Duration::from_secs(20), "the grace period");
    assert_eq!(task.snapshot().status, TaskStatus::Cancelling);
    runtime.shutdown_background();
}

#[test]
fn a_second_request_cuts_a_drain_short() {
    for session_end in [None, Some(Duration::from_secs(20))] {
        let (_runtime, core, task) = draining(session_end, false);
        core.request_passed();
        core.last_chance();
        assert_eq!(task.snapshot().status, TaskStatus::Running);
    }
}

#[test]
fn clearing_the_resources_is_no_end_of_a_session() {
    let (_runtime, core, task) = core_with(Duration::from_secs(20), false, Some(Duration::ZERO));
    drop(sentinel(&core));
    assert_eq!(task.snapshot().status, TaskStatus::Cancelled, "a restart from the main thread");
}
