//! Every way in which the app can end on Linux, while tasks of each exit policy run. The files that the tasks leave show what they
//! did; see `examples/ways-out`.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::Process;
use rustix::process::Signal;

/// One kind for each exit policy whose tasks end when they are told to, or by themselves.
const WELL_BEHAVED: [&str; 4] = ["cancel", "finish", "drop", "service"];
/// The exit's grace period in seconds.
const GRACE: &str = "60";
/// The time within which the app ends if it does not wait for the grace period to run out, even on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// Starts the app with these tasks, to end in this way. Returns it when it is about to end.
async fn leaving(way: &str, kinds: &[&str]) -> Result<Process> {
    leaving_within(GRACE, way, kinds).await
}

async fn leaving_within(grace: &str, way: &str, kinds: &[&str]) -> Result<Process> {
    let app = Process::start("ways-out", way, &[&[grace], kinds].concat())?;
    app.writes("leaves").await?;
    Ok(app)
}

/// Fails unless each of [`WELL_BEHAVED`] has ended as its policy says.
fn ensure_drained(app: &Process) -> Result<()> {
    ensure!(app.has("cancel.cleaned") && app.has("service.cleaned"), "the app did not wait for clean-up");
    ensure!(app.has("finish.done"), "a task that may finish was cut off");
    ensure!(!app.has("drop.cleaned"), "a task that may be dropped was told to stop");
    Ok(())
}

/// Ends the app in this way, and fails unless its tasks drain and it exits with `code`.
async fn drains(way: &str, code: i32) -> Result<Process> {
    let mut app = leaving(way, &WELL_BEHAVED).await?;
    let (ended, took) = app.ends().await?;
    ensure!(ended == code, "exit code {ended} instead of {code}");
    ensure!(took < SOON, "the exit took {took:?}");
    ensure_drained(&app)?;
    Ok(app)
}

#[tokio::test]
async fn an_exit_drains_and_keeps_the_requested_code() -> Result<()> {
    drains("exit", 3).await.map(drop)
}

#[tokio::test]
async fn closing_the_last_window_drains_and_exits_with_zero() -> Result<()> {
    drains("close", 0).await.map(drop)
}

/// Does the same as [`drains`] with a restart: waits for the old process to drain, and for the new one to start and end.
async fn drains_and_comes_back(way: &str) -> Result<()> {
    let app = drains(way, 0).await?;
    app.successor_ends("came-back").await
}

#[tokio::test]
async fn a_requested_restart_drains_and_the_app_comes_back() -> Result<()> {
    drains_and_comes_back("request-restart").await
}

#[tokio::test]
async fn a_restart_from_another_thread_drains_and_the_app_comes_back() -> Result<()> {
    drains_and_comes_back("restart").await
}

#[tokio::test]
async fn a_restart_on_the_main_thread_drains_although_no_event_announces_it() -> Result<()> {
    drains_and_comes_back("restart-on-main-thread").await
}

#[tokio::test]
async fn sigint_and_sigterm_drain_and_set_the_exit_code() -> Result<()> {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut app = leaving("wait", &WELL_BEHAVED).await?;
        app.signal(signal)?;
        let (ended, took) = app.ends().await?;
        ensure!(ended == code, "exit code {ended} instead of {code}");
        ensure!(took < SOON, "the exit took {took:?}");
        ensure_drained(&app)?;
    }
    Ok(())
}

#[tokio::test]
async fn an_app_that_does_not_handle_signals_ends_at_once() -> Result<()> {
    let mut app = leaving("stay", &["cancel"]).await?;
    app.signal(Signal::TERM)?;
    let (code, _) = app.ends().await?;
    ensure!(code == 143 && !app.has("cancel.cleaned"), "exit code {code}");
    Ok(())
}

#[tokio::test]
async fn an_idle_app_quits_without_delay() -> Result<()> {
    for (way, code) in [("exit", 3), ("close", 0), ("request-restart", 0)] {
        let mut app = leaving(way, &["drop"]).await?;
        let (ended, took) = app.ends().await?;
        ensure!(ended == code, "{way}: exit code {ended} instead of {code}");
        ensure!(took < SOON, "{way} took {took:?} with nothing to wait for");
        if way == "request-restart" {
            app.successor_ends("came-back").await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_task_that_ignores_everything_delays_the_exit_no_longer_than_the_grace_period() -> Result<()> {
    for (way, code) in [("exit", 3), ("request-restart", 0)] {
        let mut app = leaving_within("8", way, &["cancel", "deaf"]).await?;
        let (ended, took) = app.ends().await?;
        ensure!(ended == code, "{way}: exit code {ended} instead of {code}");
        ensure!(took < SOON, "{way} took {took:?}");
        ensure!(app.has("cancel.cleaned"), "{way}: the app should still wait for the other tasks");
        if way == "request-restart" {
            app.successor_ends("came-back").await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_second_request_quits_at_once() -> Result<()> {
    let mut app = leaving("exit-twice", &["cancel", "deaf"]).await?;
    let (code, took) = app.ends().await?;
    ensure!(code == 4, "exit code {code}");
    ensure!(took < SOON, "the exit took {took:?}");

    let mut app = leaving("wait", &["deaf"]).await?;
    app.signal(Signal::INT)?;
    // A terminal and a parent process may each send a signal: the second one right after is not another request.
    app.signal(Signal::INT)?;
    app.writes("exit-requested").await?;
    tokio::time::sleep(Duration::from_millis(800)).await;
    ensure!(app.runs()?, "the app should drain first");
    app.signal(Signal::TERM)?;
    let (code, took) = app.ends().await?;
    ensure!(code == 143 && took < SOON, "exit code {code} after {took:?}");
    Ok(())
}

#[tokio::test]
async fn an_app_in_the_tray_stays_without_a_window() -> Result<()> {
    let mut app = leaving("close-in-the-tray", &WELL_BEHAVED).await?;
    app.writes("still-here").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ensure!(app.runs()? && !app.has("cancel.cleaned"), "the app and its tasks should still run");
    app.tell("go")?;
    let (code, _) = app.ends().await?;
    ensure!(code == 5, "exit code {code}");
    ensure_drained(&app)
}

#[tokio::test]
async fn on_quit_may_wait_for_all_tasks_cancel_them_or_stay() -> Result<()> {
    // `wait` lasts until the tasks end, so this needs one that does.
    let mut app = leaving("ask-to-wait", &["gated", "service"]).await?;
    app.writes("waits").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ensure!(app.runs()? && !app.has("service.cleaned"), "the app should wait");
    app.tell("go")?;
    ensure!(
        app.ends().await?.0 == 3 && app.has("gated.done") && app.has("service.cleaned"),
        "the app should exit when its tasks have ended"
    );

    let mut app = leaving("ask-to-cancel", &["cancel", "gated", "drop", "service"]).await?;
    let (code, took) = app.ends().await?;
    ensure!(
        code == 0 && app.has("cancel.cleaned") && !app.has("gated.done"),
        "the app should cancel its tasks and exit"
    );
    ensure!(took < SOON, "the app should not wait for tasks that may finish: {took:?}");

    let mut app = leaving("ask-when-all-close", &WELL_BEHAVED).await?;
    ensure!(
        app.ends().await?.0 == 0 && app.has("asked") && app.has("cancel.cleaned"),
        "closing all windows at once should ask and exit"
    );

    let mut app = leaving("ask-to-stay", &["cancel"]).await?;
    app.writes("still-here").await?;
    ensure!(app.has("asked") && !app.has("cancel.cleaned"), "the app should stay and its task run");
    app.tell("go")?;
    let (code, _) = app.ends().await?;
    ensure!(code == 5 && app.has("cancel.cleaned"), "exit code {code}");
    Ok(())
}

#[tokio::test]
async fn a_signal_overrides_an_open_question_or_wait_and_sets_the_exit_code() -> Result<()> {
    let mut app = leaving("ask-for-ever", &WELL_BEHAVED).await?;
    app.writes("asked").await?;
    app.signal(Signal::TERM)?;
    let (code, took) = app.ends().await?;
    ensure!(code == 143 && took < SOON, "during the question: exit code {code} after {took:?}");
    ensure_drained(&app)?;

    // The task that the app waits for never ends by itself.
    let mut app = leaving("ask-to-wait", &["cancel"]).await?;
    app.writes("waits").await?;
    app.signal(Signal::TERM)?;
    let (code, took) = app.ends().await?;
    ensure!(code == 143 && took < SOON, "during the wait: exit code {code} after {took:?}");
    ensure!(app.has("cancel.cleaned"));
    Ok(())
}

#[tokio::test]
async fn a_guard_lists_what_would_be_lost_and_refuses_new_starts() -> Result<()> {
    let mut app = leaving("guard", &["cancel", "gated", "drop", "service"]).await?;
    ensure!(app.ends().await?.0 == 6);
    ensure!(
        app.has("would-lose-2") && app.has("held-off"),
        "`cancel` and `gated` should count as lost, and a new start be refused"
    );
    Ok(())
}
