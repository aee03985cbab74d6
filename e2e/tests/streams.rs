//! Streams between a handler and a page: in order, complete, and in bounded memory, whatever the page does.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{App, Workbench, eventually, eventually_within, with_app};
use serde::Deserialize;
use serde_json::{Value, json};

const MIB: u64 = 1024 * 1024;
/// The default buffer of a kind.
const BUFFER_ITEMS: u64 = 65_536;
const BUFFER_BYTES: u64 = 8 * MIB;
/// The most that all chunks in flight hold together.
const BATCH_ITEMS: u64 = 65_536;
const BATCH_BYTES: u64 = 4 * MIB;

/// What a page records of a stream of numbers.
#[derive(Debug, Default, Deserialize, PartialEq)]
struct Read {
    /// The number of the next item.
    position: u32,
    /// How many items were read.
    count: u32,
    /// The hash of all items that were read, in order.
    hash: u32,
    /// How many items were dropped before they could be read.
    missed: u32,
}

impl Read {
    /// Returns the expected record of a complete read of the numbers `0..count`.
    fn of(count: u32) -> Self {
        let hash = (0..count).fold(HASH, |hash, number| (hash ^ number).wrapping_mul(16_777_619));
        Self { position: count, count, hash, missed: 0 }
    }
}

/// Reads up to `most` items of the stream of the task `id`, from where an earlier load of this page stopped. After each item
/// `window.read` has the record, which is also kept in the page's session storage.
const READ: &str = "
    const stored = sessionStorage.getItem('read:' + args.id);
    const read = stored === null ? { position: 0, count: 0, hash: 2166136261, missed: 0 } : JSON.parse(stored);
    const task = await window.tasks.attach(args.kind, args.id, { from: read.position });
    const numbers = task.items();
    window.read = read;
    const last = read.count + args.most;
    window.reading = (async () => {
        for await (const number of numbers) {
            read.count += 1;
            read.hash = Math.imul(read.hash ^ number, 16777619) >>> 0;
            read.position = numbers.position;
            read.missed = numbers.missed;
            sessionStorage.setItem('read:' + args.id, JSON.stringify(read));
            if (read.count === last) await new Promise(() => {});
        }
        return read;
    })();
    window.reading.catch(() => {});
";
const HASH: u32 = 2_166_136_261;

async fn start(app: &App, kind: &str, input: Value) -> Result<String> {
    let script = "return (await window.tasks.start(args.kind, args.input)).id";
    app.script(script, json!({ "kind": kind, "input": input })).await
}

async fn numbers(app: &App, kind: &str, count: u32, per_second: u32) -> Result<String> {
    start(app, kind, json!({ "count": count, "perSecond": per_second })).await
}

/// The state of a task.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    status: String,
    cancel_reason: Option<String>,
    progress: Progress,
}

#[derive(Debug, Deserialize)]
struct Progress {
    completed: u64,
}

async fn task(app: &App, id: &str) -> Result<Task> {
    app.script("return await window.tasks.get(args.id)", json!({ "id": id })).await
}

async fn task_when(app: &App, id: &str, wanted: &str, mut is_so: impl FnMut(&Task) -> bool) -> Result<Task> {
    let mut last = None;
    let result = eventually(wanted, async || {
        let task = task(app, id).await?;
        let is_so = is_so(&task);
        let shown = format!("{task:?}");
        last = Some(shown);
        Ok(is_so.then_some(task))
    })
    .await;
    result.with_context(|| format!("the task was last {last:?}"))
}

/// Waits until a task's progress no longer changes, and returns it.
async fn still(app: &App, id: &str) -> Result<u64> {
    let mut last = None;
    eventually("a task that stands still", async || {
        let now = task(app, id).await?.progress.completed;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let same = last == Some(now) && task(app, id).await?.progress.completed == now;
        last = Some(now);
        Ok(same.then_some(now))
    })
    .await
}

#[tokio::test]
async fn a_slow_reader_of_items_makes_a_fast_handler_wait() -> Result<()> {
    with_app("workbench", async |app| {
        let id = numbers(app, "numbers", 5_000_000, 0).await?;
        let script = "
            const task = await window.tasks.attach('numbers', args.id);
            window.numbers = task.items();
            for (let count = 0; count < 10; count += 1) await window.numbers.next();
        ";
        app.script::<Value>(script, json!({ "id": id })).await?;

        let most = 10 + BUFFER_ITEMS + 2 * BATCH_ITEMS;
        let held = still(app, &id).await?;
        ensure!(held <= most, "ten items are read, but {held} emitted");

        // After a hundred more reads, the handler may emit at most a hundred more items.
        let script = "
            for (let count = 0; count < 100; count += 1) {
                const { value } = await window.numbers.next();
                if (value !== 10 + count) throw new Error(`expected ${10 + count}, got ${value}`);
            }
            return window.numbers.position;
        ";
        let position: u64 = app.script(script, Value::Null).await?;
        ensure!(position == 110, "{position}");
        let later = still(app, &id).await?;
        ensure!(later <= most + 100, "110 items are read, but {later} emitted");

        app.script::<Value>("await (await window.tasks.attach('numbers', args.id)).cancel()", json!({ "id": id }))
            .await?;
        task_when(app, &id, "a cancelled task", |task| task.status == "cancelled").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_slow_reader_of_bytes_keeps_memory_flat() -> Result<()> {
    with_app("workbench", async |app| {
        let id = start(app, "noise", json!({ "bytes": 1024 * MIB, "chunk": MIB, "seed": 1 })).await?;
        let script = "
            const task = await window.tasks.attach('noise', args.id);
            window.noise = task.bytes();
            window.slowly = async (chunks) => {
                for (let count = 0; count < chunks; count += 1) {
                    await window.noise.next();
                    await new Promise((resolve) => setTimeout(resolve, 20));
                }
                return window.noise.position;
            };
            return await window.slowly(10);
        ";
        app.script::<u64>(script, json!({ "id": id })).await?;
        let before = app.memory()?;
        for _ in 0..5 {
            let position: u64 = app.script("return await window.slowly(10)", Value::Null).await?;
            let emitted = task(app, &id).await?.progress.completed;
            let ahead = emitted.saturating_sub(position);
            ensure!(ahead <= BUFFER_BYTES + 2 * BATCH_BYTES, "{position} bytes are read, but {emitted} emitted");
            let grown = app.memory()?.saturating_sub(before);
            ensure!(grown < 32 * MIB, "the app's memory has grown by {} MiB", grown / MIB);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_continues_after_reloads_and_delivers_each_item_once() -> Result<()> {
    const ROUNDS: u32 = 10;
    /// The most items that each page reads, so that the task cannot end before the last reload, however long the reloads take.
    const MOST: u32 = 2_000;
    /// More than all rounds read, the buffer and two chunks hold together.
    const COUNT: u32 = 220_000;
    with_app("workbench", async |app| {
        let id = numbers(app, "numbers", COUNT, 16_000).await?;
        let read =
            async |most: u32| app.script::<Value>(READ, json!({ "id": id, "kind": "numbers", "most": most })).await;
        let mut before = 0;
        for round in 0..ROUNDS {
            read(MOST).await.with_context(|| format!("round {round}"))?;
            // Reload midway, when some items have been read and more are in flight.
            let position: u32 = eventually("some numbers", async || {
                let position: u32 = app.script("return window.read.position", Value::Null).await?;
                Ok((position > before + 200).then_some(position))
            })
            .await?;
            before = position;
            // Every other time the page reloads itself, so that nothing has time to settle.
            if round % 2 == 0 {
                app.reload().await?;
            } else {
                app.reload_in_page().await?;
            }
        }
        ensure!(task(app, &id).await?.status == "running", "all reloads should have been midway through the stream");
        read(COUNT + 1).await?;
        let read: Read = app.script("return await window.reading", Value::Null).await?;
        ensure!(read == Read::of(COUNT), "the page has read {read:?} instead of {:?}", Read::of(COUNT));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_that_was_frozen_catches_up_within_a_few_frames() -> Result<()> {
    /// The index of the frame by which the page must have caught up. In each frame, the page asks the app once and
    /// waits for the answer. Frame 0 begins with the state from before the freeze.
    const FRAMES: usize = 2;
    const PER_SECOND: u32 = 200;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        // The page shows a list of cards; the script also follows one task's progress itself.
        let id = numbers(app, "numbers", 100_000, PER_SECOND).await?;
        let job = page.job("succeed", 600.0).await?;
        page.card_when(&job, "a running job", |card| card.status == "running").await?;
        let script = "
            const task = await window.tasks.attach('numbers', args.id);
            (async () => { for await (const chunk of task.chunks()); })();
            let shown = 0;
            task.onProgress(({ completed }) => { shown = completed; });
            let list = [];
            await window.tasks.watch({ task: ['numbers', 'job'] }, (tasks) => { list = tasks; });
            await new Promise((resolve) => setTimeout(resolve, 1000));
            const before = shown;
            const until = performance.now() + 5000;
            while (performance.now() < until);

            const now = async () => (await window.tasks.get(args.id)).progress.completed;
            const atOnce = now();
            const frames = [];
            for (let frame = 0; frame < 10; frame += 1) {
                await new Promise((resolve) => requestAnimationFrame(resolve));
                await now();
                const listed = list.find(({ id }) => id === args.id)?.progress.completed ?? 0;
                frames.push([shown, listed]);
            }
            return [before, await atOnce, frames];
        ";
        let (before, now, frames): (u64, u64, Vec<(u64, u64)>) = app.script(script, json!({ "id": id })).await?;
        ensure!(now >= before + 800, "the task should progress while the page is frozen: {before}, then {now}");
        let first = frames.iter().position(|(shown, listed)| *shown >= now && *listed >= now);
        ensure!(
            first.is_some_and(|first| first <= FRAMES),
            "the page should have {now} by frame {FRAMES}, not {first:?}: {frames:?}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_whose_window_closes_follows_its_policy() -> Result<()> {
    const COUNT: u32 = 300_000;
    with_app("workbench", async |app| {
        app.click("open-observer").await?;
        app.window("observer").await?;
        app.window("main").await?;
        app.click("open-second").await?;
        app.window("second").await?;
        let mut ids = Vec::new();
        for kind in ["numbers-dropped", "numbers", "numbers-cancelled"] {
            let id = numbers(app, kind, COUNT, 0).await?;
            // Read some items of each, and keep the reader.
            let script = "
                const task = await window.tasks.attach(args.kind, args.id);
                const numbers = task.items();
                (window.readers ??= []).push(numbers);
                for (let count = 0; count < 1000; count += 1) await numbers.next();
            ";
            app.script::<Value>(script, json!({ "kind": kind, "id": id })).await?;
            still(app, &id).await?;
            ids.push(id);
        }
        let [dropped, waiting, cancelled] = &ids[..] else {
            anyhow::bail!("{} tasks were started instead of 3", ids.len())
        };
        app.close_window("Workbench: second window")?;
        app.window("observer").await?;

        // No reader comes back for these two.
        let dropped =
            task_when(app, dropped, "the end of the task that drops its items", |task| task.status != "running")
                .await?;
        ensure!(dropped.status == "completed" && dropped.progress.completed == u64::from(COUNT), "{dropped:?}");
        let cancelled =
            task_when(app, cancelled, "the end of the task that is cancelled", |task| task.status != "running").await?;
        ensure!(
            cancelled.status == "cancelled" && cancelled.cancel_reason.as_deref() == Some("unread"),
            "{cancelled:?}"
        );
        let held = still(app, waiting).await?;
        ensure!(task(app, waiting).await?.status == "running", "the task that waits for a reader should still run");
        ensure!(held < 1000 + BUFFER_ITEMS + 2 * BATCH_ITEMS, "1,000 items are read, but {held} emitted");

        // Another window continues the stream and misses nothing.
        let script = "
            const task = await window.tasks.attach('numbers', args.id, { from: 1000 });
            const numbers = task.items();
            let next = 1000;
            for await (const number of numbers) {
                if (number !== next) throw new Error(`expected ${next}, got ${number}`);
                next += 1;
            }
            return [next, numbers.missed];
        ";
        let (next, missed): (u32, u32) = app.script(script, json!({ "id": waiting })).await?;
        ensure!(next == COUNT && missed == 0, "the other window read up to {next} and missed {missed}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_frames_of_one_window_do_not_disturb_each_other() -> Result<()> {
    const COUNT: u32 = 60_000;
    with_app("workbench", async |app| {
        let script = "
            window.frame = async (name) => {
                const frame = document.createElement('iframe');
                frame.name = name;
                frame.src = '/';
                document.body.append(frame);
                await new Promise((resolve) => { frame.onload = resolve; });
            };
            await window.frame('left');
            await window.frame('right');
            const ready = (name) => window.frames[name].tasks !== undefined;
            while (!ready('left') || !ready('right')) await new Promise((resolve) => setTimeout(resolve, 10));
            const clients = [window.tasks, window.frames.left.tasks, window.frames.right.tasks];
            if (new Set(clients).size < 3) throw new Error('the frames have no clients of their own');
        ";
        app.script::<Value>(script, Value::Null).await?;
        // Each frame reads a stream of its own. The parent window records how far each is, so that a reload keeps it.
        let script = "
            window.streams = {};
            window.follow = async (name, id, from) => {
                const stream = (window.streams[name] ??= { id, next: 0, wrong: [] });
                const task = await window.frames[name].tasks.attach('numbers', id, { from: stream.next });
                const chunks = task.chunks();
                let first = await chunks.next();
                window.reading ??= {};
                window.reading[name] = (async () => {
                    for (let step = first; !step.done; step = await chunks.next()) {
                        for (const number of step.value) {
                            if (number !== stream.next) stream.wrong.push([stream.next, number]);
                            stream.next = number + 1;
                        }
                    }
                })();
            };
            for (const name of ['left', 'right']) {
                const task = await window.frames[name].tasks.start('numbers', { count: args.count, perSecond: 2000 });
                await window.follow(name, task.id);
            }
        ";
        app.script::<Value>(script, json!({ "count": COUNT })).await?;
        let script = "
            const { left, right } = window.streams;
            if (left.next < 1000 || right.next < 1000) return null;
            const before = right.next;
            const loaded = new Promise((resolve) => { document.querySelector('[name=left]').onload = resolve; });
            window.frames.left.location.reload();
            await loaded;
            return before;
        ";
        let before: u32 =
            eventually("two streams midway", async || app.script::<Option<u32>>(script, Value::Null).await).await?;

        // The other frame's stream continues meanwhile.
        eventually_within("the other frame's stream", Duration::from_secs(20), async || {
            let next: u32 = app.script("return window.streams.right.next", Value::Null).await?;
            Ok((next > before + 1000).then_some(()))
        })
        .await?;
        // Rust is not told that a frame has reloaded: the old session ends when its lease runs out.
        eventually("the reloaded frame's stream", async || {
            let script = "
                while (window.frames.left.tasks === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
                await window.follow('left', window.streams.left.id);
            ";
            app.script::<Value>(script, Value::Null).await.map(Some)
        })
        .await?;
        let script = "
            await Promise.all([window.reading.left, window.reading.right]);
            return window.streams;
        ";
        let streams: Value = app.script(script, Value::Null).await?;
        for name in ["left", "right"] {
            let stream = &streams[name];
            ensure!(
                stream["next"] == COUNT && stream["wrong"] == json!([]),
                "the stream of the {name} frame should be complete and in order: {stream}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn bytes_arrive_unchanged() -> Result<()> {
    const SEED: u32 = 7;
    with_app("workbench", async |app| {
        // No two chunks hold the same bytes, and most sizes are odd on purpose.
        for (bytes, chunk) in [(0, 1000), (1, 1), (3 * MIB + 17, 4_099), (16 * MIB + 1, MIB + 1)] {
            let id = start(app, "noise", json!({ "bytes": bytes, "chunk": chunk, "seed": SEED })).await?;
            let script = "
                const task = await window.tasks.attach('noise', args.id);
                const stream = task.bytes();
                let state = args.seed;
                let count = 0;
                for await (const chunk of stream) {
                    if (!(chunk instanceof Uint8Array)) throw new Error(`a chunk is a ${typeof chunk}`);
                    for (const byte of chunk) {
                        state ^= state << 13;
                        state ^= state >>> 17;
                        state ^= state << 5;
                        if (byte !== (state & 255)) throw new Error(`byte ${count} is ${byte} instead of ${state & 255}`);
                        count += 1;
                    }
                }
                await task.result;
                return [count, stream.position, stream.missed];
            ";
            let (count, position, missed): (u64, u64, u64) = app.script(script, json!({ "id": id, "seed": SEED })).await?;
            ensure!((count, position, missed) == (bytes, bytes, 0), "of {bytes} bytes: {count} read, position {position}, {missed} missed");
        }
        Ok(())
    })
    .await
}
