//! Records messages to a page in `tests/wire/messages.json`, which the client's tests read, too. With `UPDATE_WIRE=1`, the
//! test writes the file.

#[path = "../../../tests/support/recorded.rs"]
mod recorded_file;

use super::*;
use crate::{Retry, Unit};

fn id(number: u8) -> TaskId {
    format!("01890000-0000-7000-8000-0000000000{number:02x}").parse().unwrap()
}

fn kind(name: &str, policy: Policy) -> Kind {
    Kind::new(name, policy, Errors::default(), async |ctx: TaskContext<Value>, what: String| {
        match what.as_str() {
            "counts" => {
                ctx.progress().unit(Unit::Bytes).total(10).inc(5);
                ctx.progress().message("Half of it");
                ctx.progress().detail(json!({ "file": "a \"b\"\\c", "__proto__": { "a": 1 } }));
                sleep(Duration::from_millis(500)).await;
                ctx.progress().inc(2);
                // Long enough for a rate.
                sleep(Duration::from_millis(1_500)).await;
                ctx.progress().inc(3);
                sleep(Duration::from_millis(100)).await;
            }
            "stays" => {
                let _token = ctx.token();
                std::future::pending::<()>().await;
            }
            "fails" => return Err(Failure::new("The disk is full.")),
            "fails-once" if ctx.attempt() == 1 => return Err(Failure::new("Not yet.")),
            "hangs" => std::future::pending::<()>().await,
            _ => {}
        }
        Ok(json!({ "said": what }))
    })
}

/// Starts one task of each sort, watches all of them, and returns all messages.
async fn recorded() -> Vec<Value> {
    let grace = Duration::from_millis(50);
    let kinds = [
        kind("work", Policy { grace, show_input: true, ..Policy::default() }),
        kind("line", Policy { concurrency: Some(1), ..Policy::default() }),
        kind(
            "retried",
            Policy {
                retry: Some(Retry::attempts(2).backoff(crate::Backoff::constant(Duration::from_secs(1)))),
                ..Policy::default()
            },
        ),
    ];
    let opened = Opened::with(manager(kinds, Settings::default()));
    opened.list(1, TaskFilter::default());
    let start = |number: u8, task: &str, what: &str, options: StartOptions| {
        let (input, owner) = (Json::new(&what).unwrap(), page("main").owner());
        let start = Start { id: id(number), task, input, owner, options, sees: &|_| true };
        let started = engine(&opened.tasks).start(start).unwrap();
        opened.session().unwrap().follow(started.record(), None);
    };
    start(1, "work", "counts", StartOptions::new().label("Count").tag("a"));
    start(2, "work", "fails", StartOptions::new());
    start(3, "work", "stays", StartOptions::new());
    start(4, "line", "hangs", StartOptions::new().deadline(Duration::from_secs(3)));
    start(5, "line", "waits", StartOptions::new().key("k", crate::OnConflict::Append));
    start(6, "retried", "fails-once", StartOptions::new());
    sleep(FRAME).await;
    opened.tasks.set_priority(id(5), 7).unwrap();
    let mut messages = opened.take_all().await;
    opened.tasks.cancel(id(3)).unwrap();
    messages.extend(opened.take_all().await);
    let joined = |holder: &Owner, number: u8| {
        let options = StartOptions::new().key("joined", crate::OnConflict::Join);
        let (input, owner) = (Json::new(&"hangs").unwrap(), holder.clone());
        let start = Start { id: id(number), task: "work", input, owner, options, sees: &|_| true };
        Arc::clone(engine(&opened.tasks).start(start).unwrap().record())
    };
    let main = page("main").owner();
    joined(&page("other").owner(), 7);
    let shared = joined(&main, 8);
    opened.session().unwrap().follow_told(&shared, Some(&main), None).unwrap();
    engine(&opened.tasks).leave(id(8), &main).unwrap();
    opened.sessions.unfollow_untold(&page("main"), shared.id);
    opened.tasks.cancel(id(7)).unwrap();
    messages.extend(opened.take_all().await);
    opened.tasks.remove(id(7)).unwrap();
    messages.extend(opened.take_all().await);
    opened.tasks.remove(id(2)).unwrap();
    messages.extend(opened.take_all().await);
    messages
}

#[test]
fn the_recorded_messages_are_up_to_date() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let new = runtime().block_on(recorded());
    assert_eq!(new, runtime().block_on(recorded()), "in paused time, each run is the same");
    recorded_file::assert_current("messages.json", "--lib wire", &new);
}
