//! That the page keeps still under its user's pointer while its data arrives.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use e2e::{App, Content, Many, Server, Workbench, eventually, with_app};
use serde_json::{Value, json};

/// The widths of a window, on both sides of each at which the page is laid out in another way.
const WIDTHS: [u32; 10] = [1250, 1100, 1080, 1079, 960, 959, 900, 720, 639, 480];

/// Where a part of the page stands: its left, its top, its width and its height, in hundredths of a pixel.
type Places = BTreeMap<String, [i64; 4]>;

/// Of all that stands above the list, of the list's top, and of the bar at the bottom. What can be clicked is there too, as far as it
/// is visible.
const PLACES: &str = "
    const places = (page) => {
        const hundredths = (length) => Math.round(length * 100);
        const found = {};
        const parts = 'header, main > *, .starters > *, .background > *, .bench-head, .status-bar';
        for (const part of page.querySelectorAll(`${parts}, :is(${parts}) :is(button, input, select, textarea, summary)`)) {
            // A card's own.
            if (part.closest('.tasks') !== null) continue;
            const { left, top, width, height } = part.getBoundingClientRect();
            const name = part.id || part.dataset.testid || part.className || part.localName;
            // The section of the list grows with it.
            found[name] = [left, top, width, part.matches('.bench') ? 0 : height].map(hundredths);
        }
        const { left, top, width } = page.getElementById('task-list').getBoundingClientRect();
        found['the list'] = [left, top, width, 0].map(hundredths);
        return found;
    };
";

/// Of the page as it is painted first: in a frame as large as the window, whose scripts don't run.
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

/// Gives the page everything that it has a place for: live and ended tasks, counts, a limit, the runs of the schedule, a notice.
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
    eventually("a page with all of its data", async || {
        let waiting = app.text("counts").await?.contains("9 waiting");
        let filled: u32 = app.script(filled, Value::Null).await?;
        Ok((waiting && filled == 7).then_some(()))
    })
    .await
}

/// What stands elsewhere than when the page was painted first.
async fn moved(app: &App) -> Result<Vec<String>> {
    let (first, now) = (places_at_first(app).await?, places(app).await?);
    ensure!(first.len() > 20 && first.keys().eq(now.keys()), "not the same parts: {first:?}, {now:?}");
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
            eventually("a window of that size", async || {
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
        ensure!(all.is_empty(), "these moved, in windows of these widths: {all:#?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_buttons_of_the_quit_dialog_stay_where_they_are_when_tasks_end() -> Result<()> {
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
            eventually("a dialog with so many tasks", places).await
        };
        let before = buttons(2).await?;
        let cancel = "await (await window.tasks.attach('job', args)).cancel()";
        app.script::<Value>(cancel, json!(first)).await?;
        let after = buttons(1).await?;
        ensure!(before == after, "they moved from {before:?} to {after:?}");
        Ok(())
    })
    .await
}
