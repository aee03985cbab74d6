//! What the webview itself decides: how data reaches a page, and what its streams can do.

use anyhow::{Result, ensure};
use e2e::with_app;
use serde_json::json;

/// Tauri evaluates a small message as JavaScript and fetches a large one as JSON. In JavaScript, `__proto__` of an object literal sets
/// the prototype.
#[tokio::test]
async fn pushed_data_with_odd_names_comes_out_the_same_small_and_large() -> Result<()> {
    // In the order of the alphabet, into which Tauri brings the fields of all arguments.
    let odd =
        r#"{"__proto__":{"a":1},"constructor":null,"text":"\u2028 </script> \\ \" é 😀","toString":[{"__proto__":2}]}"#;
    with_app("workbench", async |app| {
        // A watched list gets the inputs of tasks that begin later by pushes, and what doesn't fit into one with the answer to `ack`.
        let script = "
            const job = { odd: JSON.parse(args.odd), outcome: 'hang', pad: 'x'.repeat(900), seconds: 1 };
            const tags = [`odd-${args.count}`];
            let tell;
            const told = new Promise((resolve) => { tell = resolve; });
            const stop = await window.tasks.watch({ tag: tags }, (all) => { if (all.length === args.count) tell(all); });
            const jobs = Array.from({ length: args.count }, () => job);
            const started = await Promise.all(jobs.map((one) => window.tasks.start('job', one, { tags })));
            const all = await told;
            stop();
            await Promise.all(started.map((task) => task.cancel()));
            const inputs = new Set(all.map(({ input }) => JSON.stringify(input)));
            return [JSON.stringify(job), [...inputs], Object.keys(all[0].input.odd).join(), ({}).a ?? 'clean'];
        ";
        for count in [1, 20] {
            let (sent, got, keys, prototype): (String, Vec<String>, String, String) =
                app.script(script, json!({ "odd": odd, "count": count })).await?;
            ensure!(got == [&*sent], "of {count} tasks, the page got {got:?} for {sent}");
            ensure!(keys == "__proto__,constructor,text,toString", "the keys are {keys}");
            ensure!(prototype == "clean", "the prototype of all objects has changed");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_loop_reads_a_stream_and_leaves_it() -> Result<()> {
    with_app("workbench", async |app| {
        let script = "
            const start = (count) => window.tasks.start('numbers', { count, perSecond: 0 });
            const whole = [];
            for await (const number of (await start(5)).stream()) whole.push(number);
            const task = await start(100000);
            const stream = task.stream();
            const first = [];
            for await (const number of stream.values({ preventCancel: true })) {
                first.push(number);
                if (first.length === 3) break;
            }
            for await (const number of stream) {
                first.push(number);
                break;
            }
            await task.cancel();
            return [whole, first, stream.locked];
        ";
        let (whole, first, locked): (Vec<u32>, Vec<u32>, bool) = app.script(script, json!({})).await?;
        ensure!(whole == [0, 1, 2, 3, 4], "the loop read {whole:?}");
        ensure!(first == [0, 1, 2, 3], "the loops read {first:?}");
        ensure!(!locked, "the stream is still locked");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_handle_that_was_let_go_of_is_not_followed_and_one_that_is_disposed_of_is_cancelled() -> Result<()> {
    with_app("workbench", async |app| {
        let script = "
            const begin = () => window.tasks.start('job', { outcome: 'hang', seconds: 60 });
            const left = await begin();
            let calls = 0;
            left.onStatus(() => { calls += 1; });
            left.detach();
            const ended = await left.outcome.catch((error) => error.kind);
            await (await window.tasks.attach('job', left.id)).cancel('no longer needed');
            let snapshot;
            do snapshot = await window.tasks.get(left.id); while (snapshot.status !== 'cancelled');
            const disposed = await begin();
            const has = typeof Symbol.asyncDispose === 'symbol';
            await (has ? disposed[Symbol.asyncDispose]() : disposed.cancel().then(() => disposed.closed));
            return [calls, ended, snapshot.cancelReason, disposed.status, JSON.stringify(disposed)];
        ";
        let (calls, ended, reason, status, text): (u32, String, String, String, String) =
            app.script(script, json!({})).await?;
        ensure!((calls, &*ended) == (0, "detached"), "{calls} calls, {ended}");
        ensure!((&*reason, &*status) == ("no longer needed", "cancelled"), "{reason}, {status}");
        ensure!(text.contains(r#""status":"cancelled""#) && text.len() < 120, "{text}");
        Ok(())
    })
    .await
}
