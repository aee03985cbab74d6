//! The size of what is sent: as the JSON text in a string, with its escapes.

use super::super::{bounds::Bounds, news::selection::Selection};
use super::*;
use crate::session::message::Encoded;

/// Characters that take more room in a string than by themselves, or that are more than one byte.
fn texts() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        3 => Just('"'),
        2 => Just('\\'),
        2 => Just('\u{1}'),
        1 => Just('é'),
        1 => Just('\u{2028}'),
        1 => Just('😀'),
        3 => proptest::char::range(' ', '~'),
    ];
    (prop::collection::vec(character, 1..40), 0..600_usize)
        .prop_map(|(characters, times)| characters.into_iter().collect::<String>().repeat(times.max(1) / 10 + 1))
}

/// JSON that is kept as it was written, with much white space.
fn raw() -> impl Strategy<Value = Json> {
    let space = prop::collection::vec(prop::sample::select(vec![' ', '\n', '\r', '\t']), 0..8);
    (space, 1..600_usize, texts()).prop_map(|(space, times, text)| {
        let space = space.into_iter().collect::<String>().repeat(times);
        let text = Json::new(&text).unwrap();
        serde_json::from_str(&format!("{{\"a\":{space}[{},{space}1]}}", text.text())).unwrap()
    })
}

/// What happens to a task of a page: a message, another detail, or its end. It is also the input.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Said {
    message: String,
    detail: Json,
    output: Json,
    ends: bool,
    listed: bool,
    followed: bool,
}

fn said() -> impl Strategy<Value = Vec<Said>> {
    let said = (texts(), raw(), raw(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(message, detail, output, ends, listed, followed)| Said { message, detail, output, ends, listed, followed },
    );
    prop::collection::vec(said, 1..20)
}

/// A kind that shows its inputs, and does what they say.
fn kind(name: &str) -> Kind {
    let policy = Policy { show_input: true, ..Policy::default() };
    Kind::new(name, policy, Errors::default(), async |ctx: TaskContext<Json>, said: Said| {
        ctx.progress().message(said.message).detail(said.detail);
        tokio::task::yield_now().await;
        if !said.ends {
            std::future::pending::<()>().await;
        }
        Ok::<_, Failure>(said.output)
    })
}

/// Returns the size that was counted for this part of a message. Checks that it is what the part takes.
fn counted<T: serde::Serialize>(part: &Encoded<T>) -> usize {
    let text = serde_json::to_string(part).unwrap();
    let quotes = 2;
    assert_eq!(part.escaped_len() + quotes, serde_json::to_string(&text).unwrap().len(), "{text}");
    part.escaped_len()
}

/// One message of a page that takes it at once.
struct Composed {
    /// The size of the payload, of its largest event and of its largest list entry.
    size: usize,
    event: usize,
    entry: usize,
    more: bool,
    answered: bool,
}

/// Composes all messages of a page, pushes and answers.
async fn composed(said: Vec<Said>, answers: bool) -> Vec<Composed> {
    let tasks = manager(["listed", "other"].map(kind), Settings::default());
    let mut outbox = Outbox::new(Instant::now(), PageSigns::new(Instant::now(), HIDDEN_LIMIT, false));
    let watcher = Arc::<ChangeSet<Record>>::default();
    engine(&tasks).watch_all(&watcher);
    let bounds = Bounds::new();
    for (watch, filter) in [(u32::MAX, TaskFilter::default()), (7, TaskFilter::default().task("listed"))] {
        let selection = Selection::new(View::new(page("main"), Scope::everything()), &filter);
        outbox.begin_list(watch, Arc::clone(&selection), None, || bounds.list(), Instant::now()).unwrap();
        outbox.fill_list(watch, &selection, Vec::new(), Instant::now());
    }
    for said in said {
        let start = Start {
            id: TaskId::new(),
            task: if said.listed { "listed" } else { "other" },
            input: Json::new(&said).unwrap(),
            owner: page("main").owner(),
            options: StartOptions::new(),
            sees: &|_| true,
        };
        let started = engine(&tasks).start(start).unwrap();
        if said.followed {
            outbox.follow(started.record(), None, None, Instant::now());
        }
    }
    sleep(Duration::from_secs(1)).await;
    let mut sizes = Vec::new();
    let mut answer = None;
    for _ in 0..2_000 {
        sleep(FRAME).await;
        let answered = answer.is_some();
        let next = match answer.take() {
            Some(acknowledgement) => outbox.answer(acknowledgement, &watcher, Instant::now()),
            None => outbox.next_push(&watcher, false, Instant::now()),
        };
        let Some(message) = next else { break };
        let rest = outbox.acknowledge(message.message, Instant::now());
        answer = rest.map(|rest| rest.acknowledgement);
        if !answers && answered {
            // Nobody waits for the answer any more, so the rest is pushed.
            answer.take().map(|acknowledgement| outbox.give_up(acknowledgement));
        }
        let event = message.events.iter().map(counted).max().unwrap_or(0);
        let entries = message.lists.iter().flat_map(|list| {
            let changed = list.changed.iter().map(counted);
            changed.chain(list.progressed.iter().map(counted))
        });
        let entry = entries.max().unwrap_or(0);
        let (value, more) = (serde_json::to_value(&message).unwrap(), message.more);
        let payload = serde_json::to_string(&MessageText(message)).unwrap();
        assert_eq!(parsed(&payload), value);
        sizes.push(Composed { size: payload.len(), event, entry, more, answered });
    }
    assert!(answer.is_none() && !sizes.is_empty());
    sizes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// The size of a message is that of its payload: a JSON string, with its escapes.
    #[test]
    fn a_push_is_small_enough_to_be_sent_directly_whatever_has_to_be_escaped(said in said(), answers: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        // The page is quick, so each full answer is followed by a larger one.
        let mut limit = 64 * 1024;
        for Composed { size, event, entry, more, answered } in runtime.block_on(composed(said, answers)) {
            if answered {
                prop_assert!(size < limit + event + entry, "an answer of {} bytes, limit {}", size, limit);
            } else {
                prop_assert!(size < 8 * 1024, "a push of {} bytes", size);
            }
            if answered && more {
                limit = (limit + limit / 2).min(512 * 1024);
            }
        }
    }
}
