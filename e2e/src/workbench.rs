//! The workbench's page, in terms of what a user does and sees.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::json;

use crate::{App, eventually};

/// A task as its card shows it.
#[derive(Clone, Debug, Deserialize)]
pub struct Card {
    pub id: String,
    pub task: String,
    pub status: String,
    /// How full the bar is, 0 to 100; `None` if the total is unknown.
    pub percent: Option<f64>,
    /// The task's place in its queue, as shown; empty if the task doesn't wait.
    pub place: String,
    /// All text on the card.
    pub text: String,
    pub error: Option<String>,
    /// The statuses of the members, if it is a batch.
    pub members: Vec<String>,
}

impl Card {
    pub fn has_ended(&self) -> bool {
        ["completed", "failed", "cancelled", "timedOut"].contains(&self.status.as_str())
    }
}

/// The input of the form for many downloads.
pub struct Many<'a> {
    pub urls: &'a [String],
    /// How many members of a batch may run at once; `None` to start separate downloads.
    pub batch: Option<u32>,
}

/// The page in the window that [`App::window`] last switched to.
pub struct Workbench<'a>(pub &'a App);

impl Workbench<'_> {
    /// Fills in the form for a download and starts it. Returns the task's id.
    pub async fn download(&self, url: &str, file: &str) -> Result<String> {
        let destination = self.0.folder().join(file);
        self.started_by(async || {
            self.0.enter("download-url", url).await?;
            self.0.enter("download-dest", &destination.to_string_lossy()).await?;
            self.0.click("download-start").await
        })
        .await
    }

    /// Fills in the form for a job and starts it. Returns the task's id.
    pub async fn job(&self, outcome: &str, seconds: f64) -> Result<String> {
        self.started_by(async || {
            self.0.choose("job-outcome", outcome).await?;
            self.0.enter("job-seconds", &seconds.to_string()).await?;
            self.0.click("job-start").await
        })
        .await
    }

    /// Fills in the form for hashing a folder and starts the task. Returns its id.
    pub async fn hash(&self, folder: &str) -> Result<String> {
        self.started_by(async || {
            self.0.enter("hash-path", folder).await?;
            self.0.click("hash-start").await
        })
        .await
    }

    /// Fills in the form for a log and starts its tail. Returns the task's id.
    pub async fn tail(&self, path: &Path, from_start: bool) -> Result<String> {
        self.started_by(async || {
            self.0.paste("tail-path", &path.to_string_lossy()).await?;
            let checkbox = self.0.element("tail-from-start").await?;
            if checkbox.is_selected().await? != from_start {
                self.0.click("tail-from-start").await?;
            }
            self.0.click("tail-start").await
        })
        .await
    }

    /// Scrolls through the open log from its top, and returns the lines that appear, by number.
    pub async fn log(&self) -> Result<BTreeMap<u64, String>> {
        let script = r#"
            const scroller = document.querySelector("[data-testid=log-lines]");
            const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
            const found = new Map();
            for (let top = 0; ; top += scroller.clientHeight) {
                const before = scroller.scrollTop;
                const scrolled = new Promise((resolve) => scroller.addEventListener("scroll", resolve, { once: true }));
                scroller.scrollTop = top;
                // The scroll event is dispatched with a frame, and the view draws in a later one.
                if (scroller.scrollTop !== before) await scrolled;
                await frame();
                await frame();
                for (const block of scroller.querySelectorAll(".log-block:not(.log-remark)")) {
                    const [numbers, texts] = [...block.children].map((part) => part.textContent.split("\n"));
                    numbers.forEach((number, row) => found.set(number, texts[row]));
                }
                if (scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1) return Object.fromEntries(found);
            }
        "#;
        self.0.script(script, json!(null)).await
    }

    /// Returns the number of lines that the page shows above the log.
    pub async fn log_count(&self) -> Result<u64> {
        let text = self.0.text("log-count").await?;
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse().with_context(|| format!("{text:?} is not a number of lines"))
    }

    /// Waits until the log has reached this line.
    pub async fn log_until(&self, line: u64) -> Result<()> {
        let mut last = None;
        let result = eventually(&format!("line {line} of the log"), async || {
            let count = self.log_count().await?;
            last = Some(count);
            Ok((count >= line).then_some(()))
        })
        .await;
        result.with_context(|| format!("the last line was {last:?}"))
    }

    /// Fills in the form for many downloads and starts them. Returns their ids in the order of the addresses, or only the id of
    /// the batch.
    pub async fn many(&self, many: &Many<'_>) -> Result<Vec<String>> {
        let cards = if many.batch.is_some() { 1 } else { many.urls.len() };
        let mut ids = self
            .all_started_by(cards, async || {
                let is_open = self.0.element("many").await?.prop("open").await?;
                if is_open.as_deref() != Some("true") {
                    self.0.click("many-open").await?;
                }
                self.0.paste("many-urls", &many.urls.join("\n")).await?;
                let as_batch = self.0.element("many-as-batch").await?;
                if as_batch.is_selected().await? != many.batch.is_some() {
                    self.0.click("many-as-batch").await?;
                }
                if let Some(at_once) = many.batch {
                    self.0.enter("many-at-once", &at_once.to_string()).await?;
                }
                self.0.click("many-start").await
            })
            .await?;
        ids.reverse(); // The newest card is on top.
        Ok(ids)
    }

    /// Changes how many downloads may run at once.
    pub async fn limit(&self, limit: u32) -> Result<()> {
        self.0.paste("limit", &limit.to_string()).await?;
        eventually("the new limit", async || {
            let script = "return (await window.tasks.counts()).find(({ task }) => task === 'download').limit";
            let now: Option<u32> = self.0.script(script, json!(null)).await?;
            Ok((now == Some(limit)).then_some(()))
        })
        .await
    }

    async fn started_by(&self, act: impl AsyncFnOnce() -> Result<()>) -> Result<String> {
        let started = self.all_started_by(1, act).await?;
        started.into_iter().next().context("no new card appeared")
    }

    /// Waits until `act` has added `count` cards. Returns the ids of the new cards, from the top down.
    async fn all_started_by(&self, count: usize, act: impl AsyncFnOnce() -> Result<()>) -> Result<Vec<String>> {
        // Wait for the page to fill its suggestions into empty fields, or it might do so while we type.
        let folder = self.0.element("hash-path").await?;
        eventually("suggestions in the forms", async || {
            Ok(folder.prop("value").await?.filter(|suggestion| !suggestion.is_empty()))
        })
        .await?;
        let before = self.cards().await?;
        act().await?;
        eventually(&format!("{count} new cards in the list"), async || {
            let is_new = |card: &Card| before.iter().all(|old| old.id != card.id);
            let new: Vec<_> = self.cards().await?.into_iter().filter(is_new).map(|card| card.id).collect();
            Ok((new.len() >= count).then_some(new))
        })
        .await
    }

    pub async fn cards(&self) -> Result<Vec<Card>> {
        let script = r#"
            const part = (card, name) => card.querySelector(`[data-testid="${name}"]`);
            return [...document.querySelectorAll("[data-task-id]")].map((card) => ({
                id: card.dataset.taskId,
                task: card.dataset.task,
                status: card.dataset.status,
                percent: part(card, "bar")?.hasAttribute("aria-valuenow") ? Number(part(card, "bar").ariaValueNow) : null,
                place: part(card, "place")?.innerText ?? "",
                text: card.innerText,
                error: part(card, "error")?.innerText || null,
                members: [...card.querySelectorAll("[data-testid=member]")].map((member) => member.dataset.status),
            }));
        "#;
        self.0.script(script, json!(null)).await
    }

    /// Waits until the list has one card, of a task other than `id`. Returns that task's id.
    pub async fn only_card_but(&self, id: &str) -> Result<String> {
        eventually("another card in the place of this one", async || {
            let cards = self.cards().await?;
            Ok(
                if let [card] = &cards[..]
                    && card.id != id
                {
                    Some(card.id.clone())
                } else {
                    None
                },
            )
        })
        .await
    }

    pub async fn card(&self, id: &str) -> Result<Card> {
        let cards = self.cards().await?;
        cards.into_iter().find(|card| card.id == id).with_context(|| format!("the task {id} has no card"))
    }

    /// Waits until the card of a task fulfils `is_so`. `wanted` describes that in the error.
    pub async fn card_when(&self, id: &str, wanted: &str, mut is_so: impl FnMut(&Card) -> bool) -> Result<Card> {
        let mut last = None;
        let result = eventually(wanted, async || {
            let card = self.card(id).await?;
            last = Some(card.clone());
            Ok(is_so(&card).then_some(card))
        })
        .await;
        result.with_context(|| format!("the card was last {last:?}"))
    }

    /// Waits until a task has ended, and fails unless it ended with this status.
    pub async fn card_at_end(&self, id: &str, status: &str) -> Result<Card> {
        let card = self.card_when(id, &format!("the end of a task that should be {status}"), Card::has_ended).await?;
        ensure!(card.status == status, "the task should have ended as {status}: {card:?}");
        Ok(card)
    }

    /// Waits until a task has failed, and returns the error that its card shows.
    pub async fn error_on_card(&self, id: &str) -> Result<String> {
        self.card_at_end(id, "failed").await?;
        let card = self.card_when(id, "an error on the card", |card| card.error.is_some()).await?;
        Ok(card.error.unwrap_or_default())
    }

    /// Clicks a button of a card.
    pub async fn click(&self, id: &str, button: &str) -> Result<()> {
        self.0.click_on(&format!(r#"[data-task-id="{id}"] [data-testid="{button}"]"#)).await
    }
}
