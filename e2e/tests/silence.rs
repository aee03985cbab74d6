//! Pages that are silent: because the app or its main thread does not run, because the system has suspended them, or because
//! they are gone.
//!
//! Time in which a process stands still can't be simulated here, so these tests take a minute each.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::{Process, eventually, eventually_within};
use rustix::process::Signal;
use tokio::time::sleep;

/// Longer than a visible page may be silent.
const STANDSTILL: Duration = Duration::from_secs(60);
/// What the app holds for a page that is there: one session, and a task of each kind.
const ALL_RUN: &str = "1 Some((Running, None)) Some((Running, None)) Some((Running, None))";
/// What it holds for one that is gone: only the task that goes on.
const GONE: &str = "0 Some((Running, None)) Some((Cancelled, Some(OwnerClosed))) Some((Cancelled, Some(OwnerClosed)))";

/// An app whose page has started its tasks.
async fn started(way: &str) -> Result<Process> {
    let app = Process::start("ways-out", way, &["60"])?;
    app.writes("page-started").await?;
    holds(&app, ALL_RUN).await?;
    page_reads(&app).await?;
    Ok(app)
}

async fn holds(app: &Process, what: &str) -> Result<()> {
    let holds = async || Ok((held(app)? == what).then_some(()));
    eventually(what, holds).await.with_context(|| format!("the app holds {:?}", held(app)))
}

fn held(app: &Process) -> Result<String> {
    app.read("held")
}

/// Waits until the page has read more numbers than the buffer of their task holds.
async fn page_reads(app: &Process) -> Result<()> {
    let streamed = || -> Result<u32> { Ok(app.read("streamed")?.parse()?) };
    let before = streamed().unwrap_or(0);
    eventually("the page to read on", async || Ok((streamed()? > before + 100).then_some(()))).await
}

#[tokio::test]
async fn an_app_that_stood_still_takes_nothing_from_its_page() -> Result<()> {
    let app = started("stay").await?;
    // Reports, items and acknowledgements are on their way all the time, so also when the app is stopped.
    for _ in 0..2 {
        app.signal(Signal::STOP)?;
        sleep(STANDSTILL).await;
        app.signal(Signal::CONT)?;
        page_reads(&app).await?;
        let held = held(&app)?;
        ensure!(held == ALL_RUN, "after the standstill, the app holds {held}");
    }
    ensure!(!app.has("goes-along.cleaned") && !app.has("goes-on.cleaned"));
    Ok(())
}

#[tokio::test]
async fn an_app_whose_main_thread_is_blocked_takes_nothing_from_its_page() -> Result<()> {
    let app = started("stay-blocked").await?;
    app.tell("go")?;
    app.writes("blocked").await?;
    // The page reads all the time, so it was heard up to a moment before, and may owe an acknowledgement.
    let last_held = async || {
        let held = held(&app)?;
        Ok((app.has("free") || held != ALL_RUN).then_some(held))
    };
    let held_then = eventually_within("the end of the block", 2 * STANDSTILL, last_held).await?;
    ensure!(held_then == ALL_RUN, "while its main thread is blocked, the app holds {held_then}");
    page_reads(&app).await?;
    // Nothing is concluded from the silence afterwards either.
    sleep(STANDSTILL / 4).await;
    page_reads(&app).await?;
    let held = held(&app)?;
    ensure!(held == ALL_RUN, "after the block, the app holds {held}");
    ensure!(!app.has("goes-along.cleaned") && !app.has("goes-on.cleaned"));
    Ok(())
}

#[tokio::test]
async fn a_visible_page_that_stands_still_is_gone() -> Result<()> {
    let app = started("stay").await?;
    let stopped = Instant::now();
    app.signal_page(Signal::STOP)?;
    eventually_within("the end of the page", 3 * STANDSTILL, async || Ok((held(&app)? == GONE).then_some(())))
        .await
        .with_context(|| {
            format!("the app holds {:?}, and its web processes are {:?}", held(&app), app.web_process_states())
        })?;
    let silent = stopped.elapsed();
    // It was heard up to a moment before.
    ensure!(silent > Duration::from_secs(30), "it was given up after {silent:?}");
    ensure!(app.has("goes-along.cleaned") && !app.has("goes-on.cleaned"));
    app.signal_page(Signal::CONT)?;
    Ok(())
}

#[tokio::test]
async fn a_hidden_page_that_stands_still_goes_on_afterwards() -> Result<()> {
    let app = started("stay-hidden").await?;
    app.writes("page-hidden").await?;
    app.signal_page(Signal::STOP)?;
    sleep(STANDSTILL).await;
    let held = held(&app)?;
    ensure!(held == ALL_RUN, "after the standstill, the app holds {held}");
    app.signal_page(Signal::CONT)?;
    page_reads(&app).await?;
    holds(&app, ALL_RUN).await
}

#[tokio::test]
async fn a_page_whose_process_dies_is_gone_at_once_and_its_tasks_follow_on_owner_closed() -> Result<()> {
    let mut app = started("stay").await?;
    let killed = Instant::now();
    app.signal_page(Signal::KILL)?;
    holds(&app, GONE).await?;
    let noticed = killed.elapsed();
    ensure!(noticed < Duration::from_secs(30), "its silence was noticed, not its end: after {noticed:?}");
    app.writes("goes-along.cleaned").await?;
    ensure!(!app.has("goes-on.cleaned"));
    ensure!(app.runs()?, "the app should still run");
    Ok(())
}
