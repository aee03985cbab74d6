//! The page's layout, which must not shift while data arrives.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use e2e::{App, Content, Many, Server, Workbench, eventually, with_app};
use serde_json::{Value, json};

/// Window widths on both sides of each breakpoint of the page's layout.
const WIDTHS: [u32; 10] = [1250, 1100, 1080, 1079, 960, 959, 900, 720, 639, 480];

/// The parts of the page by name, each with its left, top, width and height in hundredths of a pixel.
type Places = BTreeMap<String, [i64; 4]>;

/// Defines the function `places`, which returns the [`Places`] of all parts above the list, of the top of the list, of the bar at the
/// bottom, and of the controls in these parts.
const PLACES: &str = "
    const places = (page) => {
        const hundredths = (length) => Math.round(length * 100);
        const found = {};
        const parts = 'header, main > *, .starters > *, .background > *, .bench-head, .status-bar';
        for (const part of page.querySelectorAll(`${parts}, :is(${parts}) :is(button, input, select, textarea, summary)`)) {
            // Cards may move.
            if (part.closest('.tasks') !== null) continue;
            const { left, top, width, height } = part.getBoundingClientRect();
            const name = part.id || part.dataset.testid || part.className || part.localName;
            // The list's section grows with the list, so its height doesn't count.
            found[name] = [left, top, width, part.matches('.bench') ? 0 : height].map(hundredths);
        }
        const { left, top, width } = page.getElementById('task-list').getBoundingClientRect();
        found['the list'] = [left, top, width, 0].map(hundredths);
        return found;
    };
";

/// Returns the places of the page as it is first painted: loads the page without scripts in a frame as large as the window.
async fn places_at_first(app: &App) -> Result<Places> {
    let script = "
        const frame = document.createElement('iframe');
        frame.sandbox = 'allow-same-origin';
        frame.src = '/';
        Object.assign(frame.style, { position: 'fixed', inset: 0, width: '100%', height: '100%', border: 0 });
        await new Promise((resolve) => { frame.onload = resolve; document.body.append(frame); });
        const found = places(frame.contentDocument);
        frame.remove();
        return found;
    ";
    app.script(&format!("{PLACES}{script}"), Value::Null).await
}

async fn places(app: &App) -> Result<Places> {
    app.script(&format!("{PLACES} return places(document);"), Value::Null).await
}

/// Fills each part of the page with data: live and ended tasks, counts, a limit, the runs of the schedule, a notice.
async fn fill(app: &App, server: &Server) -> Result<()> {
    let page = Workbench(app);
    let stalled = Content { n: 300_000, stall: 150_000, ..Content::default() };
    let urls: Vec<_> = (0..12).map(|seed| server.url(&Content { seed, ..stalled })).collect();
    page.many(&Many { urls: &urls, batch: None }).await?;
    app.click("many-open").await?;
    let failed = page.job("panic", 0.2).await?;
    page.error_on_card(&failed).await?;
    app.click("start-secret").await?;
    let filled = "
        const has = (id) => document.querySelector(`[data-testid=${id}]`).textContent !== '';
        const filled = ['summary', 'counts', 'sync-next', 'sync-last', 'watcher-status', 'watcher-seen', 'window-label'].filter(has);
        return filled.length;
    ";
    eventually("a page with all its data", async || {
        let waiting = app.text("counts").await?.contains("9 waiting");
        let filled: u32 = app.script(filled, Value::Null).await?;
        Ok((waiting && filled == 7).then_some(()))
    })
    .await
}

/// Returns the parts that are not where they were when the page was first painted.
async fn moved(app: &App) -> Result<Vec<String>> {
    let (first, now) = (places_at_first(app).await?, places(app).await?);
    ensure!(
        first.len() > 20 && first.keys().eq(now.keys()),
        "the page should have the same parts as at first: {first:?}, {now:?}"
    );
    let is_hidden = |place: &[i64; 4]| place[2..] == [0, 0];
    let both = first.iter().map(|(part, before)| (part, before, now[part]));
    let moved = both.filter(|(_, before, now)| *before != now && !is_hidden(before) && !is_hidden(now));
    Ok(moved.map(|(part, before, now)| format!("{part} from {before:?} to {now:?}")).collect())
}

#[tokio::test]
async fn nothing_above_the_list_moves_when_data_arrives() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        fill(app, &server).await?;
        let mut all = BTreeMap::new();
        for width in WIDTHS {
            app.resize(width, 700).await?;
            eventually("a window of the new width", async || {
                let now: u32 = app.script("return innerWidth", Value::Null).await?;
                Ok((now == width).then_some(()))
            })
            .await?;
            app.script::<Value>("document.querySelector('main').scrollTop = 0", Value::Null).await?;
            let moved = moved(app).await?;
            if !moved.is_empty() {
                all.insert(width, moved);
            }
        }
        ensure!(all.is_empty(), "these parts moved, by the width of the window: {all:#?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_buttons_of_the_quit_dialog_do_not_move_when_tasks_end() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let first = page.job("hang", 1.0).await?;
        page.job("hang", 1.0).await?;
        app.click("quit-app").await?;
        let buttons = |tasks: usize| async move {
            let script = "
                if (document.querySelectorAll('#quit[open] li').length !== args) return null;
                return [...document.querySelectorAll('#quit button')].map((button) => button.getBoundingClientRect().y);
            ";
            let places = async || app.script::<Option<Vec<f64>>>(script, json!(tasks)).await;
            eventually(&format!("a dialog with {tasks} tasks"), places).await
        };
        let before = buttons(2).await?;
        let cancel = "await (await window.tasks.attach('job', args)).cancel()";
        app.script::<Value>(cancel, json!(first)).await?;
        let after = buttons(1).await?;
        ensure!(before == after, "the buttons moved from {before:?} to {after:?}");
        Ok(())
    })
    .await
}
