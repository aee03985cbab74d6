//! The limit of each argument of each command: what is accepted, and what becomes of what is over it or far over it.

use serde_json::{Value, json};

use super::support::{
    calls::{ID, NEW},
    kinds::CHANNEL,
};

/// The longest name of a kind or a group that a page may name. There is one of each.
pub const LONGEST_NAME: usize = 1_024;
/// The longest name of a schedule. There is one of it.
pub const LONGEST_SCHEDULE: usize = 200;
/// The longest name of a session. Each page has one of this name.
pub const LONGEST_SESSION: usize = 64;
/// How many bytes of inputs the app takes in one call.
pub const INPUTS: usize = 100_000;
/// What is far over any limit on a text.
const FAR: usize = 1_000_000;

/// An argument, or a part of one, of a command.
pub struct Row {
    pub command: &'static str,
    /// The fields that lead to it. `[]` stands for the only entry of a list.
    pub path: &'static str,
    pub accepted: Vec<Value>,
    pub over: Vec<(Value, Beyond)>,
    pub far: Vec<(Value, Beyond)>,
    /// Other arguments of these calls.
    pub with: Vec<(&'static str, Value)>,
}

/// What becomes of a value that is over the limit.
#[derive(Debug, Clone)]
pub enum Beyond {
    /// It is refused with an error of this kind, whose message says this: what it is about, and what is allowed.
    Refused(&'static str, Vec<String>),
    /// It is cut to so many bytes.
    Cut(usize),
    /// It does no more than the largest, or names nothing.
    Taken,
}

use Beyond::{Cut, Refused, Taken};

fn row(command: &'static str, path: &'static str, bound: Bound) -> Row {
    let Bound { accepted, over, far } = bound;
    Row { command, path, accepted, over, far, with: Vec::new() }
}

impl Row {
    fn with(mut self, path: &'static str, value: Value) -> Self {
        self.with.push((path, value));
        self
    }
}

/// What may be in one place.
#[derive(Clone)]
struct Bound {
    accepted: Vec<Value>,
    over: Vec<(Value, Beyond)>,
    far: Vec<(Value, Beyond)>,
}

impl Bound {
    fn accepts(accepted: impl IntoIterator<Item = Value>) -> Self {
        Self { accepted: accepted.into_iter().collect(), over: Vec::new(), far: Vec::new() }
    }

    fn over(mut self, values: impl IntoIterator<Item = Value>, then: &Beyond) -> Self {
        self.over.extend(values.into_iter().map(|value| (value, then.clone())));
        self
    }

    fn far(mut self, values: impl IntoIterator<Item = Value>, then: &Beyond) -> Self {
        self.far.extend(values.into_iter().map(|value| (value, then.clone())));
        self
    }
}

fn refused(kind: &'static str, says: &[&str]) -> Beyond {
    Refused(kind, says.iter().map(|&says| says.to_owned()).collect())
}

fn misfit(path: &str, says: &str) -> Beyond {
    // serde reads the data of a target before it knows what it is, and can't tell the place in it.
    let path = path.replace("target.data.", "target: ");
    refused("invalidOptions", &[&format!("this call can't be read: {path}: "), says])
}

fn x(size: usize) -> Value {
    json!("x".repeat(size))
}

/// A text of at most `limit` bytes.
fn text(limit: usize, then: &Beyond) -> Bound {
    Bound::accepts([x(limit)]).over([x(limit + 1)], then).far([x(FAR)], then)
}

/// A text that is cut to `limit` bytes.
fn cut(limit: usize) -> Bound {
    Bound::accepts([x(limit)]).over([x(limit + 1)], &Cut(limit)).far([x(FAR)], &Cut(limit))
}

/// The words of a caller who cancels. Only the limit of all arguments is beyond that of the words.
fn reason() -> Bound {
    let most = 8 * 1_024 * 1_024 - "\"\"".len();
    cut(1_024).far([x(most)], &Cut(1_024))
}

/// The id of the task that the call is about.
fn known_id(then: &Beyond) -> Bound {
    Bound::accepts([json!(ID)]).over([json!(format!("{ID}0"))], then).far([x(FAR)], then)
}

/// The id of the task that the call starts.
fn new_id() -> Bound {
    let then = refused("invalidId", &["is not a UUID in lower case"]);
    Bound::accepts([json!(NEW)]).over([json!(format!("{NEW}0")), json!("")], &then).far([x(FAR)], &then)
}

/// A whole number with a sign of 32 bits.
fn signed(path: &str) -> Bound {
    let (least, most) = (i64::from(i32::MIN), i64::from(i32::MAX));
    let then = misfit(path, "expected i32");
    let bound = Bound::accepts([json!(least), json!(most)]).over([json!(least - 1), json!(most + 1)], &then);
    bound.far([json!(i64::MIN), json!(u64::MAX), json!(1e300), json!(-1e300)], &then)
}

/// A whole number of 32 bits.
fn u32_of(path: &str) -> Bound {
    let then = misfit(path, "expected u32");
    let bound = Bound::accepts([json!(0), json!(u32::MAX)]).over([json!(-1), json!(u64::from(u32::MAX) + 1)], &then);
    bound.far([json!(i64::MIN), json!(u64::MAX), json!(1e300)], &then)
}

/// A whole number of 64 bits, of the type that Rust names so.
fn u64_of(path: &str, name: &str) -> Bound {
    let then = misfit(path, &format!("expected {name}"));
    // The next one after the largest.
    let bound =
        Bound::accepts([json!(0), json!(u64::MAX)]).over([json!(-1), json!(18_446_744_073_709_551_616.0)], &then);
    bound.far([json!(i64::MIN), json!(1e300)], &then)
}

/// A time in milliseconds.
fn millis(path: &str, least: f64) -> Bound {
    let most = 9_007_199_254_740_991.0_f64;
    let then = misfit(path, "a number from 0 to 9007199254740991");
    let bound = Bound::accepts([json!(least), json!(most)]).over([json!(-1), json!(most + 1.0)], &then);
    bound.far([json!(i64::MIN), json!(u64::MAX), json!(1e300)], &then)
}

fn flag(path: &str) -> Bound {
    let then = misfit(path, "expected a boolean");
    Bound::accepts([json!(true), json!(false)]).over([json!(2)], &then).far([x(FAR)], &then)
}

/// One of these words.
fn choice(path: &str, words: &[&str], says: &str) -> Bound {
    let then = misfit(path, says);
    Bound::accepts(words.iter().map(|word| json!(word))).over([json!("unheard")], &then).far([x(FAR)], &then)
}

/// A list of at most `limit` entries.
fn entries(limit: usize, entry: impl Fn(usize) -> Value, then: &Beyond) -> Bound {
    let list = |many| (0..many).map(&entry).collect::<Value>();
    Bound::accepts([list(0), list(limit)]).over([list(limit + 1)], then).far([list(100_000)], then)
}

/// An object with known fields, such as `good`.
fn fields(good: &Value, then: &Beyond) -> Bound {
    let with = |many: usize| {
        let mut object = good.clone();
        for number in 0..many {
            object[format!("unknown{number}")] = json!(1);
        }
        object
    };
    Bound::accepts([good.clone()]).over([with(1)], then).far([with(100_000)], then)
}

fn session() -> Bound {
    text(LONGEST_SESSION, &refused("sessionGone", &["there is no such session"]))
}

fn not_found() -> Beyond {
    refused("notFound", &["there is no task "])
}

/// The name of a kind that is registered under the longest name.
fn task_name() -> Bound {
    text(LONGEST_NAME, &refused("unknownTask", &["no task named \"…\""]))
}

fn schedule() -> Bound {
    let shown = refused("unknownSchedule", &["no schedule named \"x"]);
    let hidden = refused("unknownSchedule", &["no schedule named \"…\""]);
    Bound::accepts([x(LONGEST_SCHEDULE)]).over([x(LONGEST_SCHEDULE + 1)], &shown).far([x(1_025), x(FAR)], &hidden)
}

/// The limits of all arguments.
pub fn table() -> Vec<Row> {
    [sessions(), starts(), control(), telling(), items(), schedules()].into_iter().flatten().collect()
}

fn sessions() -> Vec<Row> {
    let name = refused("sessionGone", &["1 to 64 bytes"]);
    let version = |protocol: u64| refused("protocolMismatch", &[&format!("protocol {protocol} "), "protocol 5"]);
    let number = u32_of("protocol");
    let mut protocol = Bound { accepted: vec![json!(5)], ..number };
    for other in [4, 6, u64::from(u32::MAX)] {
        protocol = protocol.over([json!(other)], &version(other));
    }
    let no_channel = misfit("channel", "pass a Channel");
    let channel = Bound::accepts([json!(CHANNEL), json!("__CHANNEL__:4294967295")])
        .over([json!("__CHANNEL__:4294967296"), json!("")], &no_channel)
        .far([x(FAR), json!(format!("__CHANNEL__:{}", "1".repeat(FAR)))], &no_channel);
    let mut rows = vec![
        row("open", "session", text(LONGEST_SESSION, &name).over([json!("")], &name)),
        row("open", "protocol", protocol),
        row("open", "channel", channel),
        row("ack", "session", session()),
        row("ack", "message", u64_of("message", "u64")),
    ];
    let visible = json!({ "hidden": false, "change": 0 });
    for command in ["open", "ack"] {
        rows.extend([
            row(command, "visibility", fields(&visible, &Taken)),
            row(command, "visibility.hidden", flag("visibility.hidden")),
            row(command, "visibility.change", u32_of("visibility.change")),
        ]);
    }
    rows
}

fn starts() -> Vec<Row> {
    let priority = || signed("options.priority");
    let unknown = misfit("options.unknown0", "unknown field");
    let most_tags = misfit("options.tags", "more than 16 entries");
    let tags = || entries(16, |number| json!(number.to_string()), &most_tags);
    let tag = || text(1_024, &refused("invalidOptions", &["a tag can have 1024 bytes"]));
    let input = || {
        let then = refused("quotaExceeded", &["bytesPerCall", "100000"]);
        Bound::accepts([x(INPUTS - 2)]).over([x(INPUTS - 1)], &then).far([x(5_000_000)], &then)
    };
    let conflicts = ["refuse", "join", "replace", "append"];
    let mut inputs = Bound::accepts([json!([]), json!(vec![1; 10_000])]);
    for many in [10_001, 300_000] {
        let says = format!("10000 members and this one of task \"echo\" has {many}");
        inputs = inputs.far([json!(vec![1; many])], &refused("tooLarge", &[&says]));
    }
    let over = inputs.far.remove(0);
    inputs.over.push(over);
    vec![
        row("start", "session", session()),
        row("start", "id", new_id()),
        row("start", "task", task_name()),
        row("start", "input", input()),
        row("start", "options", fields(&json!({ "priority": 1 }), &unknown)),
        row("start", "options.priority", priority()),
        row("start", "options.held", flag("options.held")),
        row("start", "options.key", text(4_096, &refused("invalidOptions", &["a key can have 4096 bytes"]))),
        row("start", "options.onConflict", choice("options.onConflict", &conflicts, "`refuse`"))
            .with("options.key", json!(NEW)),
        row("start", "options.label", cut(256)).with("options", json!({})),
        row("start", "options.tags", tags()),
        row("start", "options.tags[]", tag()),
        row("start", "options.delayMs", millis("options.delayMs", 0.0)),
        row("start", "options.timeoutMs", limited("timeoutMs")),
        row("start", "options.deadlineMs", limited("deadlineMs")),
        row("batch", "session", session()),
        row("batch", "id", new_id()),
        row("batch", "task", task_name()),
        row("batch", "inputs", inputs),
        row("batch", "inputs[]", input()),
        row("batch", "options", fields(&json!({ "priority": 1 }), &unknown)),
        row("batch", "options.concurrency", u64_of("options.concurrency", "usize")),
        row("batch", "options.priority", priority()),
        row("batch", "options.label", cut(256)).with("options", json!({})),
        row("batch", "options.tags", tags()),
        row("batch", "options.tags[]", tag()),
        row("rerun", "session", session()),
        row("rerun", "id", known_id(&not_found())),
        row("rerun", "newId", new_id()),
        row("leave", "id", known_id(&Taken)),
    ]
}

/// A limit on the time of a task, which is not zero.
fn limited(field: &str) -> Bound {
    let zero = refused("invalidOptions", &[field, "it is zero"]);
    millis(&format!("options.{field}"), 0.001).over([json!(0)], &zero)
}

fn control() -> Vec<Row> {
    let named = |kind: &str| json!({ "type": kind, "name": "x".repeat(LONGEST_NAME) });
    let accepted = vec![named("task"), named("group"), json!({ "type": "app" })];
    let long = |size: usize| json!({ "type": "group", "name": "x".repeat(size) });
    let unknown = refused("unknownTask", &["no task named \"…\""]);
    let of = Bound { accepted, ..fields(&named("task"), &Taken) };
    let of = of.over([long(LONGEST_NAME + 1)], &unknown).far([long(FAR)], &unknown);
    let mut limit = u32_of("limit");
    limit.accepted.push(Value::Null);
    let mut rows = vec![
        row("set_priority", "id", known_id(&not_found())),
        row("set_priority", "priority", signed("priority")),
        row("pause", "id", known_id(&not_found())),
        row("resume", "id", known_id(&not_found())),
        row("set_limit", "of", of).with("limit", Value::Null),
        row("set_limit", "of.type", choice("of.type", &["task"], "`task`")),
        row("set_limit", "of.name", task_name()),
        row("set_limit", "limit", limit),
        row("cancel", "id", known_id(&not_found())),
        row("cancel", "reason", reason()),
        row("cancel_all", "reason", reason()).with("filter", json!({})),
    ];
    rows.extend(filters("cancel_all"));
    rows
}

fn telling() -> Vec<Row> {
    let most = misfit("limit", "a number from 1 to 10000");
    let number = u32_of("limit");
    let limit = Bound { accepted: vec![json!(1), json!(10_000), Value::Null], ..number };
    let limit = limit.over([json!(0), json!(10_001)], &most).far([json!(u32::MAX)], &most);
    let mut after = u64_of("after", "u64");
    after.accepted.push(Value::Null);
    let hour = misfit("everyMs", "a number up to 3600000");
    let number = u32_of("everyMs");
    let every = Bound { accepted: vec![json!(0), json!(3_600_000), Value::Null], ..number };
    let every = every.over([json!(3_600_001)], &hour).far([json!(u32::MAX)], &hour);
    let mut rows = vec![
        row("get", "id", known_id(&not_found())),
        row("outcome", "id", known_id(&not_found())),
        row("remove", "id", known_id(&not_found())),
        row("list", "limit", limit),
        row("list", "after", after),
        row("watch", "session", session()),
        row("watch", "everyMs", every),
        row("watch", "target.data.id", known_id(&not_found())),
        row("unwatch", "session", session()),
        row("unwatch", "target.data.id", known_id(&Taken)),
    ];
    rows.extend(filters("list"));
    for command in ["watch", "unwatch"] {
        let task = json!({ "type": "task", "data": { "id": ID } });
        rows.extend([
            row(command, "target", fields(&task, &Taken)),
            row(command, "target.type", choice("target.type", &["task"], "`task`")),
            row(command, "target.data", fields(&task["data"], &Taken)),
            row(command, "target.data.watch", u32_of("target.data.watch")),
        ]);
        rows.extend(filters(command));
    }
    rows
}

/// The limits of a filter, which is in the target of a command that watches.
fn filters(command: &'static str) -> Vec<Row> {
    let paths: [&'static str; 11] = if command.ends_with("watch") {
        [
            "target.data.filter",
            "target.data.filter.task",
            "target.data.filter.status",
            "target.data.filter.tag",
            "target.data.filter.key",
            "target.data.filter.parent",
            "target.data.filter.task[]",
            "target.data.filter.status[]",
            "target.data.filter.tag[]",
            "target.data.filter.key[]",
            "target.data.filter.parent[]",
        ]
    } else {
        [
            "filter",
            "filter.task",
            "filter.status",
            "filter.tag",
            "filter.key",
            "filter.parent",
            "filter.task[]",
            "filter.status[]",
            "filter.tag[]",
            "filter.key[]",
            "filter.parent[]",
        ]
    };
    let [filter, lists @ .., _, _, _, _, _] = paths;
    let [.., task, status, tag, key, parent] = paths;
    let misfit = |path: &str, says: &str| misfit(&path.replace("[]", "[0]"), says);
    let word = |path, limit: usize| row(command, path, text(limit, &misfit(path, &format!("the limit is {limit}"))));
    let entry = |path: &str, number: usize| match path.rsplit('.').next() {
        Some("status") => json!("queued"),
        Some("parent") => json!(format!("01890000-0000-7000-8000-{number:012x}")),
        _ => json!(number.to_string()),
    };
    let list = |path: &'static str| {
        row(command, path, entries(256, |number| entry(path, number), &misfit(path, "more than 256 entries")))
    };
    let statuses = ["queued", "running", "cancelling", "completed", "failed", "cancelled", "timedOut"];
    let mut status_bound = choice(status, &statuses, "`queued`");
    let no_status = misfit(status, "`queued`");
    for (_, then) in status_bound.over.iter_mut().chain(&mut status_bound.far) {
        *then = no_status.clone();
    }
    let mut rows: Vec<_> = lists.into_iter().map(list).collect();
    rows.extend([
        row(
            command,
            filter,
            fields(&json!({ "task": ["hang"] }), &misfit(&format!("{filter}.unknown0"), "unknown field")),
        ),
        word(task, LONGEST_NAME),
        row(command, status, status_bound),
        word(tag, 1_024),
        word(key, 4_096),
        row(command, parent, known_id(&misfit(parent, "UUID"))),
    ]);
    rows
}

fn items() -> Vec<Row> {
    let reader = || text(64, &misfit("reader", "longer than 64 bytes"));
    let gone = refused("readerGone", &["this reader of task "]);
    let number = u64_of("chunk", "u64");
    let chunk = Bound { accepted: (1..=4).map(|chunk| json!(chunk)).collect(), ..number };
    let chunk = chunk.over([json!(0), json!(5)], &gone).far([json!(u64::MAX)], &gone);
    let most = misfit("from", "so 3 is the largest number allowed");
    let number = u64_of("from", "u64");
    let from = Bound { accepted: vec![json!(0), json!(3), Value::Null], ..number };
    let from = from.over([json!(4)], &most).far([json!(u64::MAX)], &most);
    let mut rows = vec![
        row("read", "chunk", chunk),
        row("read", "from", from),
        row("read", "waitMs", u32_of("waitMs")),
        row("cancel_read", "position", u64_of("position", "u64")),
    ];
    for command in ["read", "cancel_read"] {
        rows.extend([
            row(command, "session", session()),
            row(command, "id", known_id(&not_found())),
            row(command, "reader", reader()),
        ]);
    }
    rows
}

fn schedules() -> Vec<Row> {
    vec![
        row("trigger", "name", schedule()),
        row("trigger", "id", new_id()),
        row("pause_schedule", "name", schedule()),
        row("resume_schedule", "name", schedule()),
    ]
}
