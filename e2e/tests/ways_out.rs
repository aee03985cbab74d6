//! The app's ends, in each way that Linux has, with tasks of each policy at work. What the tasks did is read off the files
//! that they leave; see `examples/ways-out`.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{Process, eventually};
use rustix::process::Signal;

/// One of each kind that ends when it is told to, or by itself.
const WELL_BEHAVED: [&str; 4] = ["cancel", "finish", "drop", "service"];
/// How long the app gives its tasks, in seconds; and in how little it has ended if it has not waited for that, also on a machine
/// that has other things to do.
const GRACE: &str = "60";
const SOON: Duration = Duration::from_secs(30);

/// Starts the app and lets it go this way; answers it when it is about to.
async fn leaving(way: &str, kinds: &[&str]) -> Result<Process> {
    leaving_within(GRACE, way, kinds).await
}

async fn leaving_within(grace: &str, way: &str, kinds: &[&str]) -> Result<Process> {
    let app = Process::start("ways-out", way, &[&[grace], kinds].concat())?;
    app.writes("leaves").await?;
    Ok(app)
}

/// Each of [`WELL_BEHAVED`] has ended as its policy says.
fn ensure_drained(app: &Process) -> Result<()> {
    ensure!(app.has("cancel.cleaned") && app.has("service.cleaned"), "clean-up was not waited for");
    ensure!(app.has("finish.done"), "what may finish was cut off");
    ensure!(!app.has("drop.cleaned"), "what may be dropped was told to stop");
    Ok(())
}

/// Leaves this way with tasks that behave well, and with the right code.
async fn drains(way: &str, code: i32) -> Result<Process> {
    let mut app = leaving(way, &WELL_BEHAVED).await?;
    let (ended, took) = app.ends().await?;
    ensure!(ended == code, "exit code {ended} instead of {code}");
    ensure!(took < SOON, "it took {took:?}");
    ensure_drained(&app)?;
    Ok(app)
}

#[tokio::test]
async fn an_exit_drains_and_has_the_code_that_was_asked_for() -> Result<()> {
    drains("exit", 3).await.map(drop)
}

#[tokio::test]
async fn the_last_window_drains_and_the_code_is_zero() -> Result<()> {
    drains("close", 0).await.map(drop)
}

/// The same with a restart, which is a new process and the end of this one.
async fn drains_and_comes_back(way: &str) -> Result<()> {
    let app = drains(way, 0).await?;
    app.successor_ends("came-back").await
}

#[tokio::test]
async fn a_restart_that_is_requested_drains_and_the_app_comes_back() -> Result<()> {
    drains_and_comes_back("request-restart").await
}

#[tokio::test]
async fn a_restart_from_another_thread_drains_and_the_app_comes_back() -> Result<()> {
    drains_and_comes_back("restart").await
}

#[tokio::test]
async fn a_restart_on_the_main_thread_which_no_event_tells_of_drains_too() -> Result<()> {
    drains_and_comes_back("restart-on-main-thread").await
}

#[tokio::test]
async fn sigint_and_sigterm_drain_and_the_code_says_which_it_was() -> Result<()> {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut app = leaving("wait", &WELL_BEHAVED).await?;
        app.signal(signal)?;
        let (ended, took) = app.ends().await?;
        ensure!(ended == code, "exit code {ended} instead of {code}");
        ensure!(took < SOON, "it took {took:?}");
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
async fn an_idle_app_quits_with_no_delay() -> Result<()> {
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
async fn a_task_that_ignores_everything_holds_the_app_no_longer_than_its_grace_period() -> Result<()> {
    for (way, code) in [("exit", 3), ("request-restart", 0)] {
        let mut app = leaving_within("8", way, &["cancel", "deaf"]).await?;
        let (ended, took) = app.ends().await?;
        ensure!(ended == code, "{way}: exit code {ended} instead of {code}");
        ensure!(took < SOON, "{way} took {took:?}");
        ensure!(app.has("cancel.cleaned"), "{way}: the others are waited for all the same");
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
    ensure!(took < SOON, "it took {took:?}");

    let mut app = leaving("wait", &["deaf"]).await?;
    app.signal(Signal::INT)?;
    // A terminal and a parent may both send one.
    app.signal(Signal::INT)?;
    app.writes("exit-requested").await?;
    tokio::time::sleep(Duration::from_millis(800)).await;
    ensure!(app.runs()?, "it is drained first");
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
    ensure!(app.runs()? && !app.has("cancel.cleaned"), "its tasks go on");
    app.tell("go")?;
    let (code, _) = app.ends().await?;
    ensure!(code == 5, "exit code {code}");
    ensure_drained(&app)
}

#[tokio::test]
async fn the_hosts_hook_may_wait_for_all_cancel_all_or_stay() -> Result<()> {
    // To wait has no end but that of the tasks, so here with one that has one.
    let mut app = leaving("ask-to-wait", &["gated", "service"]).await?;
    app.writes("waits").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ensure!(app.runs()? && !app.has("service.cleaned"), "it waits");
    app.tell("go")?;
    ensure!(app.ends().await?.0 == 3 && app.has("gated.done") && app.has("service.cleaned"), "wait");

    let mut app = leaving("ask-to-cancel", &["cancel", "gated", "drop", "service"]).await?;
    let (code, took) = app.ends().await?;
    ensure!(code == 0 && app.has("cancel.cleaned") && !app.has("gated.done"), "cancel");
    ensure!(took < SOON, "what may finish is waited for: {took:?}");

    let mut app = leaving("ask-when-all-close", &WELL_BEHAVED).await?;
    ensure!(app.ends().await?.0 == 0 && app.has("asked") && app.has("cancel.cleaned"), "all windows in one go");

    let mut app = leaving("ask-to-stay", &["cancel"]).await?;
    app.writes("still-here").await?;
    ensure!(app.has("asked") && !app.has("cancel.cleaned"), "stay");
    app.tell("go")?;
    let (code, _) = app.ends().await?;
    ensure!(code == 5 && app.has("cancel.cleaned"), "exit code {code}");
    Ok(())
}

#[tokio::test]
async fn a_signal_overrules_a_question_and_a_wait_and_the_code_is_its_own() -> Result<()> {
    let mut app = leaving("ask-for-ever", &WELL_BEHAVED).await?;
    app.writes("asked").await?;
    app.signal(Signal::TERM)?;
    let (code, took) = app.ends().await?;
    ensure!(code == 143 && took < SOON, "a question: exit code {code} after {took:?}");
    ensure_drained(&app)?;

    // What it waits for has no end.
    let mut app = leaving("ask-to-wait", &["cancel"]).await?;
    app.writes("waits").await?;
    app.signal(Signal::TERM)?;
    let (code, took) = app.ends().await?;
    ensure!(code == 143 && took < SOON, "a wait: exit code {code} after {took:?}");
    ensure!(app.has("cancel.cleaned"));
    Ok(())
}

#[tokio::test]
async fn a_guard_tells_what_would_be_lost_and_holds_off_new_starts() -> Result<()> {
    let mut app = leaving("guard", &["cancel", "gated", "drop", "service"]).await?;
    ensure!(app.ends().await?.0 == 6);
    ensure!(app.has("would-lose-2") && app.has("held-off"), "cancel and gated, and nothing new");
    Ok(())
}

#[tokio::test]
async fn a_page_whose_process_dies_is_noticed_and_its_tasks_go_on_or_not_as_their_kinds_say() -> Result<()> {
    let mut app = leaving("stay", &[]).await?;
    let held = async |what: &str| {
        eventually(what, async || Ok(app.read("held").is_ok_and(|held| held == what).then_some(()))).await
    };
    held("1 Some((Running, None)) Some((Running, None))").await?;
    app.kill_page()?;
    // 12 seconds of silence until it is asked, and 30 to answer.
    held("0 Some((Running, None)) Some((Cancelled, Some(OwnerClosed)))").await?;
    ensure!(app.has("goes-along.cleaned") && !app.has("goes-on.cleaned"));
    ensure!(app.runs()?, "the app goes on");
    Ok(())
}
