//! The log view, which shows what a tail reads.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{App, Card, Workbench, eventually, with_app};
use serde_json::{Value, json};
use tokio::time::timeout;

/// A log file whose lines contain their own numbers.
struct Log {
    path: PathBuf,
    lines: u64,
}

impl Log {
    fn in_folder(app: &App) -> Result<Self> {
        let path = app.folder().join("app.log");
        File::create(&path)?;
        Ok(Self { path, lines: 0 })
    }

    /// Writes a log of this many lines and makes the workbench tail and show it. Returns the log and the tail's id.
    async fn shown(app: &App, lines: u64) -> Result<(Self, String)> {
        let page = Workbench(app);
        let mut log = Self::in_folder(app)?;
        log.write(lines)?;
        let id = page.tail(&log.path, true).await?;
        page.log_until(lines).await?;
        Ok((log, id))
    }

    /// Appends lines to the file, and creates it if it is missing.
    fn write(&mut self, lines: u64) -> Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        let text: String = (self.lines + 1..=self.lines + lines).map(|number| line(number) + "\n").collect();
        file.write_all(text.as_bytes())?;
        self.lines += lines;
        Ok(())
    }

    fn rotate(&self) -> Result<()> {
        Ok(fs::rename(&self.path, self.path.with_extension("log.1"))?)
    }
}

fn line(number: u64) -> String {
    format!("line {number} of the log")
}

/// Fails unless `log` has exactly the lines `from..=to`.
fn ensure_lines(log: &BTreeMap<u64, String>, from: u64, to: u64) -> Result<()> {
    for number in from..=to {
        let text = log.get(&number).with_context(|| format!("line {number} is missing"))?;
        ensure!(*text == line(number), "line {number} is {text:?}");
    }
    ensure!(log.len() as u64 == to + 1 - from, "there are {} lines instead of {from} to {to}", log.len());
    Ok(())
}

#[tokio::test]
async fn a_log_is_followed_through_every_kind_of_rotation() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let (mut log, id) = Log::shown(app, 100).await?;

        log.write(100)?;
        page.log_until(log.lines).await?;

        // The file is renamed while it has unread lines, and created again.
        log.write(50)?;
        log.rotate()?;
        log.write(50)?;
        page.log_until(log.lines).await?;

        // The file is copied and truncated.
        fs::copy(&log.path, log.path.with_extension("log.2"))?;
        File::create(&log.path)?;
        log.write(100)?;
        page.log_until(log.lines).await?;

        // The file is removed, and created again later.
        fs::remove_file(&log.path)?;
        page.card_when(&id, "a tail that waits for its file", |card| card.text.contains("waits for a file")).await?;
        log.write(100)?;
        page.log_until(log.lines).await?;

        ensure_lines(&page.log().await?, 1, 500)?;
        let is_told =
            |card: &Card| card.text.contains("500 lines, rotated 3 times") && card.text.contains("waits for more");
        page.card_when(&id, "a tail that has read everything", is_told).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_reload_while_a_log_grows_neither_loses_nor_repeats_a_line() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let (mut log, _) = Log::shown(app, 1_000).await?;

        let mut seen = page.log().await?;
        for round in 0..5 {
            // Lines are written before the page unloads, while it is gone, and after it is back. There are no more of them than a page
            // keeps for the next one, because a line that neither page shows could not be checked.
            let mut reload = pin!(app.reload());
            for step in 0.. {
                if step < 30 {
                    log.write(5)?;
                }
                if let Ok(reloaded) = timeout(Duration::from_millis(20), &mut reload).await {
                    reloaded?;
                    break;
                }
            }
            log.write(20)?;
            page.log_until(log.lines).await.with_context(|| format!("round {round}"))?;
            for (number, text) in page.log().await? {
                if let Some(before) = seen.insert(number, text.clone()) {
                    ensure!(before == text, "line {number} was {before:?} and is {text:?}");
                }
            }
        }
        for (number, text) in &seen {
            ensure!(*text == line(*number), "line {number} is {text:?}");
        }
        // The pages together have shown each line from the first to the last.
        let (first, last) = (seen.first_key_value(), seen.last_key_value());
        ensure!(first.is_some_and(|(number, _)| *number == 1), "the first line is {first:?}");
        ensure!(last.is_some_and(|(number, _)| *number == log.lines), "the last line is {last:?}");
        ensure!(seen.len() as u64 == log.lines, "{} of {} lines were seen", seen.len(), log.lines);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn after_a_reload_a_log_continues_where_it_was() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let (mut log, id) = Log::shown(app, 1_000).await?;

        app.reload().await?;

        log.write(10)?;
        page.log_until(1_010).await?;
        ensure_lines(&page.log().await?, 801, 1_010)?;
        let text = app.text("log-lines").await?;
        ensure!(!text.is_empty(), "the log view should not be empty");
        ensure!(app.text("log-count").await? == "1,010 lines", "the lines from before the reload should count");
        page.card_when(&id, "a tail that still runs", |card| card.status == "running").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_paused_log_makes_its_tail_wait_and_loses_nothing() -> Result<()> {
    /// The most lines in flight: the buffer, the requested chunks, and one chunk of the file.
    const ON_ITS_WAY: u64 = 65_536 + 4 * 16_384 + 16_384;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let (mut log, id) = Log::shown(app, 10).await?;

        app.click("log-pause").await?;
        log.write(300_000)?;
        let held = still(app, &id).await?;
        let shown = page.log_count().await?;
        ensure!(held < shown + ON_ITS_WAY, "the tail has emitted {held} lines, but only {shown} are shown");

        app.click("log-pause").await?;
        page.log_until(log.lines).await?;
        ensure!(page.log_count().await? == log.lines, "no line should come twice");
        eventually("the last line at the end", async || {
            Ok(app.text("log-lines").await?.ends_with(&line(log.lines)).then_some(()))
        })
        .await
    })
    .await
}

/// Waits until a tail no longer emits lines, and returns how many it has emitted.
async fn still(app: &App, id: &str) -> Result<u64> {
    let mut last = None;
    eventually("a tail that stands still", async || {
        let script = "
            const lines = async () => (await window.tasks.get(args.id)).progress.detail?.lines ?? 0;
            const before = await lines();
            await new Promise((resolve) => setTimeout(resolve, 1000));
            return [before, await lines()];
        ";
        let (before, after): (u64, u64) = app.script(script, json!({ "id": id })).await?;
        let same = before == after && last == Some(before);
        last = Some(after);
        Ok(same.then_some(after))
    })
    .await
}

#[tokio::test]
async fn the_tail_of_a_closed_log_ends() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let (_, id) = Log::shown(app, 100).await?;

        app.click("log-close").await?;

        let card = page.card_at_end(&id, "cancelled").await?;
        ensure!(card.text.contains("nobody reads"), "the card should say why the tail ended: {card:?}");
        let hidden: bool = app.script("return document.getElementById('log').hidden", Value::Null).await?;
        ensure!(hidden, "the log view should be closed");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_lines_of_a_stopped_tail_stay_on_the_page() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let (_, id) = Log::shown(app, 100).await?;

        app.click("log-stop").await?;
        page.card_at_end(&id, "cancelled").await?;
        eventually("an ended log", async || Ok((app.text("log-status").await? == "Ended").then_some(()))).await?;
        ensure_lines(&page.log().await?, 1, 100)
    })
    .await
}

#[tokio::test]
async fn the_view_stays_at_the_end_until_the_user_scrolls_up() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let (mut log, _) = Log::shown(app, 500).await?;
        at_end(app).await.context("the view should begin at the end")?;

        scroll(app, "-= 900").await?;
        let (top, _) = place(app, "false").await?;
        log.write(500)?;
        page.log_until(1_000).await?;
        let (now, _) = place(app, "false").await?;
        ensure!((now - top).abs() < 1.0, "the lines on view should not move: {top}, then {now}");

        scroll(app, "= 1e9").await?;
        place(app, "true").await?;
        log.write(500)?;
        page.log_until(1_500).await?;
        at_end(app).await.context("the view should follow again")?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_view_is_full_and_at_its_end_at_every_size() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let (mut log, _) = Log::shown(app, 1_000).await?;
        for round in 0..6 {
            app.click("log-expand").await?;
            eventually("a view that is at its end and full of rows", async || {
                at_end(app).await?;
                let script = "
                    const lines = document.querySelector('[data-testid=log-lines]').getBoundingClientRect();
                    const blocks = [...document.querySelectorAll('.log-block')].map((block) => block.getBoundingClientRect());
                    const top = Math.min(...blocks.map((block) => block.top));
                    const bottom = Math.max(...blocks.map((block) => block.bottom));
                    return top <= lines.top && bottom >= lines.bottom - 10 ? true : null;
                ";
                app.script::<Option<bool>>(script, Value::Null).await
            })
            .await
            .with_context(|| format!("round {round}"))?;
            log.write(10)?;
            page.log_until(log.lines).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn with_following_off_the_view_stays_where_the_end_was() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let (mut log, _) = Log::shown(app, 500).await?;
        at_end(app).await?;

        app.click("log-follow").await?;
        let (top, _) = place(app, "false").await?;
        log.write(100)?;
        page.log_until(600).await?;
        let (now, end) = eventually("a taller log", async || {
            let (now, end) = place(app, "false").await?;
            Ok((end > top + 100.0).then_some((now, end)))
        })
        .await?;
        ensure!((now - top).abs() < 1.0, "the view was scrolled to {top} and is at {now} of {end}");
        Ok(())
    })
    .await
}

async fn scroll(app: &App, how: &str) -> Result<()> {
    app.run(&format!("document.querySelector('[data-testid=log-lines]').scrollTop {how}"), Value::Null).await
}

/// Waits until the button says whether the view `follows`. Returns how far the view is scrolled and how far it could be.
async fn place(app: &App, follows: &str) -> Result<(f64, f64)> {
    eventually(&format!("a view whose following is {follows}"), async || {
        let script = "
            const lines = document.querySelector('[data-testid=log-lines]');
            const follows = document.querySelector('[data-testid=log-follow]').ariaPressed;
            return follows === args.follows ? [lines.scrollTop, lines.scrollHeight - lines.clientHeight] : null;
        ";
        app.script::<Option<(f64, f64)>>(script, json!({ "follows": follows })).await
    })
    .await
}

async fn at_end(app: &App) -> Result<()> {
    let (top, end) = place(app, "true").await?;
    ensure!((end - top).abs() < 2.0, "the view should be at its end, not at {top} of {end}");
    Ok(())
}

#[tokio::test]
async fn a_missing_log_is_reported() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let path = Path::new("/nowhere/app.log");
        let id = page.tail(path, false).await?;
        let error = page.error_on_card(&id).await?;
        ensure!(error == "There is no file /nowhere/app.log: check the path.", "{error:?}");
        Ok(())
    })
    .await
}
