//! What each page is answered by each command.

use serde_json::{Value, json};
use tauri_plugin_tasks::TaskId;

use super::{
    Answer::{self, Empty, IdTaken, KeyTaken, NotAllowed, NotFound, Refused, SessionGone, Yes},
    State::{self, Cancelled, Held, Queued, Running},
    effects::{self, Effect},
};

/// What the arguments of a call are made of.
pub struct Ids {
    pub session: String,
    /// The task that the owner has started.
    pub task: TaskId,
    /// What the page has called, or would have called, its own start.
    pub call: TaskId,
    /// An ended task of the page's own, if the row asks for one.
    pub own: TaskId,
    /// The session of the page that has started the task.
    pub owner_session: String,
    /// An id that nothing has yet.
    pub new: TaskId,
    /// The key of the task.
    pub key: String,
}

pub struct Row {
    pub command: &'static str,
    pub state: State,
    pub arguments: fn(&Ids) -> Value,
    /// In the order of [`PAGES`].
    pub answers: [Answer; 8],
    /// A permission that each page has as well, and the entry of its scope.
    pub extra: Option<(&'static str, Value)>,
    /// Whether the page has an ended task of its own.
    pub has_own: bool,
    /// Whether the command has done what it is for, where it is answered with [`Yes`].
    pub effect: Option<Effect>,
}

impl Row {
    fn new(command: &'static str, state: State, arguments: fn(&Ids) -> Value, answers: [Answer; 8]) -> Self {
        Self { command, state, arguments, answers, extra: None, has_own: false, effect: None }
    }

    fn with(self, permission: &'static str, entry: Value) -> Self {
        Self { extra: Some((permission, entry)), ..self }
    }

    fn with_own(self) -> Self {
        Self { has_own: true, ..self }
    }

    fn does(self, effect: Effect) -> Self {
        Self { effect: Some(effect), ..self }
    }
}

/// Whatever a page needs for itself.
const EVERYBODY: [Answer; 8] = [Yes, Yes, Yes, Yes, Yes, Yes, Yes, Refused];
/// How the task stands and ends.
const TELLS: [Answer; 8] = [Yes, NotFound, Yes, NotFound, Yes, NotFound, Yes, Refused];
/// What changes the task or takes from it.
const CONTROLS: [Answer; 8] = [Yes, NotFound, NotFound, Yes, Yes, NotFound, NotFound, Refused];
/// What no page can do that has `tasks:default` alone.
const NOBODY: [Answer; 8] = [Refused; 8];

/// Returns what each page is answered by each command.
pub fn table() -> Vec<Row> {
    [starting(), ids_of_others(), sessions_of_others(), telling(), controlling()].into_iter().flatten().collect()
}

fn starting() -> Vec<Row> {
    vec![
        // Sessions.
        Row::new(
            "open",
            Running,
            |ids| json!({ "session": ids.key, "protocol": 5, "channel": "__CHANNEL__:9" }),
            EVERYBODY,
        )
        .does(effects::opened),
        Row::new("ack", Running, |ids| json!({ "session": ids.session, "message": 0 }), EVERYBODY)
            .does(effects::acknowledged),
        // Starting.
        Row::new("start", Running, |ids| start(ids, "work", json!({})), EVERYBODY).does(effects::started),
        Row::new(
            "start",
            Running,
            |ids| start(ids, "other", json!({})),
            [NotAllowed, NotAllowed, NotAllowed, NotAllowed, NotAllowed, NotAllowed, NotAllowed, Refused],
        ),
        Row::new(
            "start",
            Running,
            |ids| start(ids, "work", json!({ "key": ids.key, "onConflict": "join" })),
            [Yes, KeyTaken, KeyTaken, KeyTaken, Yes, KeyTaken, Yes, Refused],
        )
        .does(effects::joined),
        Row::new(
            "start",
            Running,
            |ids| start(ids, "work", json!({ "key": ids.key, "onConflict": "replace" })),
            [Yes, KeyTaken, KeyTaken, KeyTaken, Yes, KeyTaken, Yes, Refused],
        )
        .does(effects::replaced),
        Row::new(
            "rerun",
            Cancelled,
            |ids| json!({ "session": ids.session, "id": ids.task, "newId": ids.new }),
            // The page with the share may join the tasks of others, and the permission for that lets it rerun them.
            [Yes, NotFound, NotFound, NotFound, Yes, NotFound, Yes, Refused],
        )
        .does(effects::started),
        Row::new(
            "batch",
            Running,
            |ids| json!({ "session": ids.session, "id": ids.new, "task": "work", "inputs": [null], "options": {} }),
            EVERYBODY,
        )
        .does(effects::started_batch),
        Row::new(
            "batch",
            Running,
            |ids| json!({ "session": ids.session, "id": ids.new, "task": "other", "inputs": [null], "options": {} }),
            [NotAllowed, NotAllowed, NotAllowed, NotAllowed, NotAllowed, NotAllowed, NotAllowed, Refused],
        ),
        // It answers the same to a page that has no share.
        Row::new("leave", Running, |ids| json!({ "id": ids.call }), EVERYBODY).does(effects::left),
    ]
}

/// The id of the task as that of a new one. Only the call that has started the task may repeat it.
fn ids_of_others() -> Vec<Row> {
    let taken = unless_nobody(IdTaken);
    let repeated = [Yes, IdTaken, IdTaken, IdTaken, Yes, IdTaken, IdTaken, Refused];
    vec![
        Row::new(
            "start",
            Running,
            |ids| json!({ "session": ids.session, "id": ids.task, "task": "work", "input": null, "options": {} }),
            repeated,
        )
        .does(effects::repeated),
        Row::new(
            "batch",
            Running,
            |ids| json!({ "session": ids.session, "id": ids.task, "task": "work", "inputs": [null], "options": {} }),
            taken,
        ),
        Row::new("rerun", Running, |ids| json!({ "session": ids.session, "id": ids.own, "newId": ids.task }), taken)
            .with_own(),
        // The first id is looked at as well when the second is the page's own.
        Row::new(
            "rerun",
            Cancelled,
            |ids| json!({ "session": ids.session, "id": ids.task, "newId": ids.own }),
            [IdTaken, NotFound, NotFound, NotFound, IdTaken, NotFound, IdTaken, Refused],
        )
        .with_own(),
        Row::new("trigger", Running, |ids| json!({ "name": "nightly", "id": ids.task }), taken)
            .with("tasks:allow-trigger", json!({ "task": "work" })),
    ]
}

/// The session of the page that has started the task. It was closed when the document left.
fn sessions_of_others() -> Vec<Row> {
    let owners = [Yes, SessionGone, SessionGone, SessionGone, SessionGone, SessionGone, SessionGone, Refused];
    let task =
        |ids: &Ids| json!({ "session": ids.owner_session, "target": { "type": "task", "data": { "id": ids.task } } });
    vec![
        Row::new(
            "open",
            Running,
            |ids| json!({ "session": ids.owner_session, "protocol": 5, "channel": "__CHANNEL__:9" }),
            owners,
        )
        .does(effects::opened_before),
        Row::new("ack", Running, |ids| json!({ "session": ids.owner_session, "message": 0 }), owners)
            .does(effects::acknowledged),
        Row::new(
            "start",
            Running,
            |ids| json!({ "session": ids.owner_session, "id": ids.new, "task": "work", "input": null, "options": {} }),
            owners,
        )
        .does(effects::started),
        Row::new(
            "batch",
            Running,
            |ids| json!({ "session": ids.owner_session, "id": ids.new, "task": "work", "inputs": [null], "options": {} }),
            owners,
        )
        .does(effects::started_batch),
        Row::new(
            "rerun",
            Running,
            |ids| json!({ "session": ids.owner_session, "id": ids.own, "newId": ids.new }),
            owners,
        )
        .with_own()
        .does(effects::started),
        Row::new("watch", Running, task, owners).does(effects::watched),
        Row::new("unwatch", Running, task, owners).does(effects::unwatched),
        Row::new(
            "read",
            Running,
            |ids| json!({ "session": ids.owner_session, "id": ids.task, "reader": "r", "chunk": 1, "from": null, "waitMs": 0 }),
            // Whether it may read the task is asked first.
            [Yes, NotFound, NotFound, SessionGone, SessionGone, NotFound, NotFound, Refused],
        )
        .does(effects::read),
        Row::new(
            "cancel_read",
            Running,
            |ids| json!({ "session": ids.owner_session, "id": ids.task, "reader": "r", "position": 0 }),
            owners,
        )
        .does(effects::reading_cancelled),
    ]
}

fn telling() -> Vec<Row> {
    let any = || json!({ "task": "work", "owner": "any" });
    let own = || json!({ "task": "work" });
    let nothing: fn(&Ids) -> Value = |_| json!({});
    let task: fn(&Ids) -> Value = |ids| json!({ "id": ids.task });
    vec![
        // Telling.
        Row::new("get", Running, task, TELLS).does(effects::told),
        Row::new("list", Running, |_| json!({ "filter": {} }), TELLS.map(or_empty)).does(effects::listed),
        Row::new("watch", Running, |ids| watch(ids, json!({ "type": "task", "data": { "id": ids.task } })), TELLS)
            .does(effects::watched),
        Row::new(
            "watch",
            Running,
            |ids| watch(ids, json!({ "type": "list", "data": { "watch": 1, "filter": {} } })),
            TELLS.map(or_empty),
        )
        .does(effects::listed),
        Row::new(
            "unwatch",
            Running,
            |ids| watch(ids, json!({ "type": "task", "data": { "id": ids.task } })),
            EVERYBODY,
        )
        .does(effects::unwatched),
        Row::new("outcome", Cancelled, task, TELLS).does(effects::told_outcome),
        Row::new("counts", Running, nothing, [Refused, Refused, Yes, Refused, Refused, Refused, Refused, Refused])
            .does(effects::counted),
        Row::new("counts", Running, nothing, [Empty, Empty, Yes, Empty, Empty, Empty, Empty, Refused])
            .with("tasks:allow-counts", own())
            .does(effects::counted),
        Row::new("counts", Running, nothing, EVERYBODY).with("tasks:allow-counts", any()).does(effects::counted),
    ]
}

fn controlling() -> Vec<Row> {
    let any = || json!({ "task": "work", "owner": "any" });
    let own = || json!({ "task": "work" });
    let set_limit: fn(&Ids) -> Value = |_| json!({ "of": { "type": "task", "name": "work" }, "limit": 5_000 });
    let trigger: fn(&Ids) -> Value = |ids| json!({ "name": "nightly", "id": ids.new });
    let name: fn(&Ids) -> Value = |_| json!({ "name": "nightly" });
    let nothing: fn(&Ids) -> Value = |_| json!({});
    let task: fn(&Ids) -> Value = |ids| json!({ "id": ids.task });
    let on_schedules =
        |observer, controller| [Refused, Refused, observer, controller, Refused, Refused, Refused, Refused];
    vec![
        // Controlling.
        Row::new("cancel", Running, |ids| json!({ "id": ids.task, "reason": "user" }), CONTROLS).does(effects::cancelled),
        Row::new("cancel_all", Running, |_| json!({ "filter": {}, "reason": "user" }), CONTROLS.map(or_empty)).does(effects::cancelled),
        Row::new("pause", Queued, task, CONTROLS).does(effects::paused),
        Row::new("resume", Held, task, CONTROLS).does(effects::resumed),
        Row::new("set_priority", Held, |ids| json!({ "id": ids.task, "priority": 3 }), CONTROLS).does(effects::has_priority),
        Row::new("remove", Cancelled, task, CONTROLS).does(effects::removed),
        Row::new("set_limit", Running, set_limit, NOBODY),
        Row::new("set_limit", Running, set_limit, unless_nobody(NotAllowed)).with("tasks:allow-set-limit", own()),
        Row::new("set_limit", Running, set_limit, EVERYBODY).with("tasks:allow-set-limit", any()).does(effects::limited),
        // Items.
        Row::new(
            "read",
            Running,
            |ids| json!({ "session": ids.session, "id": ids.task, "reader": "r", "chunk": 1, "from": null, "waitMs": 0 }),
            CONTROLS,
        ).does(effects::read),
        Row::new(
            "cancel_read",
            Running,
            |ids| json!({ "session": ids.session, "id": ids.task, "reader": "r", "position": 0 }),
            CONTROLS,
        ).does(effects::reading_cancelled),
        // Schedules.
        Row::new("schedules", Running, nothing, on_schedules(Yes, Refused)).does(effects::schedules_listed),
        Row::new("schedules", Running, nothing, [Empty, Empty, Yes, Empty, Empty, Empty, Empty, Refused])
            .with("tasks:allow-schedules", own()).does(effects::schedules_listed),
        Row::new("trigger", Running, trigger, NOBODY),
        Row::new("trigger", Running, trigger, EVERYBODY).with("tasks:allow-trigger", own()).does(effects::triggered),
        Row::new("trigger", Running, trigger, unless_nobody(NotFound))
            .with("tasks:allow-trigger", json!({ "task": "other" })),
        Row::new("pause_schedule", Running, name, on_schedules(Refused, Yes)).does(effects::schedule_paused),
        Row::new("pause_schedule", Running, name, EVERYBODY)
            .with("tasks:allow-pause-schedule", any())
            .does(effects::schedule_paused),
        Row::new("resume_schedule", Running, name, on_schedules(Refused, Yes)).does(effects::schedule_resumed),
        Row::new("resume_schedule", Running, name, EVERYBODY)
            .with("tasks:allow-resume-schedule", any())
            .does(effects::schedule_resumed),
    ]
}

fn start(ids: &Ids, task: &str, options: Value) -> Value {
    json!({ "session": ids.session, "id": ids.new, "task": task, "input": null, "options": options })
}

fn watch(ids: &Ids, target: Value) -> Value {
    json!({ "session": ids.session, "target": target })
}

/// The answer to all pages that may call the plugin at all.
fn unless_nobody(answer: Answer) -> [Answer; 8] {
    [answer, answer, answer, answer, answer, answer, answer, Refused]
}

/// The answer of a command that acts on all tasks.
fn or_empty(answer: Answer) -> Answer {
    if answer == NotFound { Empty } else { answer }
}
