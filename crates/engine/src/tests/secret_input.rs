//! Nothing that can be got from the engine shows a part of an input that is secret.

use std::{collections::HashMap, fmt::Debug, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::json;
use tokio::time::sleep;

use super::{log::Records, manager};
use crate::{
    BatchOptions, Error, ErrorKind, Failure, Json, Outcome, Retry, Schedule, StartOptions, TaskContext, TaskFilter,
    TaskId, TaskManager,
    delivery::{Errors, Kind, Owner, Policy, Settings, Start, engine},
};

/// A part of every input here.
const SECRET: &str = "hunter2";

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
#[allow(dead_code)]
struct Login {
    user: String,
    pins: HashMap<String, u32>,
    role: Option<Role>,
    own: Option<Own>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Admin,
}

/// Panics while it is read, or says what it was read from.
struct Own;

impl<'de> Deserialize<'de> for Own {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        assert!(!text.starts_with("panic"), "no such thing: {text}");
        Err(de::Error::custom(format!("no such thing: {text}")))
    }
}

/// Says what it holds when it is written.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom(format!("can't write {SECRET}")))
    }
}

fn policy() -> Policy {
    Policy { secret_input: true, show_input: true, retry: Some(Retry::attempts(2)), ..Policy::default() }
}

fn kinds() -> [Kind; 2] {
    let login = async |_: TaskContext, _: Login| Err::<(), _>(Failure::new("no such host"));
    let unit = async |_: TaskContext, (): ()| Ok::<_, Failure>(());
    [Kind::new("login", policy(), Errors::default(), login), Kind::new("unit", policy(), Errors::default(), unit)]
}

/// Inputs that don't fit, each in a way of its own.
fn wrong() -> Vec<serde_json::Value> {
    vec![
        json!(SECRET),
        json!([SECRET]),
        json!({ SECRET: 1 }),
        json!({ "user": SECRET }),
        json!({ "user": { SECRET: SECRET }, "pins": {} }),
        json!({ "user": "u", "pins": { SECRET: "x" } }),
        json!({ "user": "u", "pins": { "x": SECRET } }),
        json!({ "user": "u", "pins": {}, "role": SECRET }),
        json!({ "user": "u", "pins": {}, "role": { SECRET: 1 } }),
        json!({ "user": "u", "pins": {}, "own": format!("says {SECRET}") }),
        json!({ "user": "u", "pins": {}, "own": format!("panic {SECRET}") }),
    ]
}

/// Everything that was got, as text.
#[derive(Default)]
struct Got(Vec<String>);

impl Got {
    fn shown(&mut self, what: &(impl Serialize + Debug)) {
        self.0.push(format!("{} {what:?}", serde_json::to_string(what).unwrap()));
    }

    fn refused<T>(&mut self, refused: Result<T, Error>) -> Error {
        let error = refused.err().expect("it is refused");
        self.shown(&error);
        self.0.push(error.to_string());
        error
    }

    fn tasks(&mut self, tasks: &TaskManager) {
        self.shown(&tasks.list(&TaskFilter::default()));
        self.shown(&tasks.schedules());
        self.shown(&tasks.counts());
        self.0.push(format!("{tasks:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn no_snapshot_no_error_and_no_log_line_shows_a_part_of_it() {
    let (records, _guard) = Records::capture();
    let mut got = Got::default();
    let tasks = manager(kinds(), Settings::default());
    let fits = json!({ "user": SECRET, "pins": { SECRET: 1 } });

    for wrong in wrong() {
        let refused = got.refused(tasks.start("login", &wrong));
        assert_eq!(refused.kind, ErrorKind::InvalidInput);
        let expected = "the input of task \"login\" does not fit its type; the reason is not shown, since the input is secret \
                        (Task::secret_input)";
        assert_eq!(refused.message, expected);
        let refused = got.refused(tasks.batch("login", [&fits, &wrong], BatchOptions::new()));
        assert!(refused.message.contains("[1]"), "which one is no secret: {refused}");
        got.refused(tasks.schedule("nightly", "login", &wrong, Schedule::every(Duration::from_secs(60))));
        got.refused(engine(&tasks).check_service("login", &Json::from(wrong)));
    }
    got.refused(tasks.start("unit", SECRET));
    got.refused(tasks.start("login", Unwritable));
    got.refused(tasks.batch("login", [Unwritable], BatchOptions::new()));
    got.refused(tasks.schedule("nightly", "login", Unwritable, Schedule::every(Duration::from_secs(60))));

    let task = tasks.start("login", &fits).unwrap();
    let batch = tasks.batch("login", [&fits, &fits], BatchOptions::new()).unwrap();
    tasks.schedule("nightly", "login", &fits, Schedule::every(Duration::from_secs(60))).unwrap();
    tasks.trigger("nightly").unwrap();
    got.tasks(&tasks);
    sleep(Duration::from_secs(100)).await;
    let Outcome::Failed(failure) = task.outcome().await else { panic!("it fails") };
    got.shown(&failure);
    got.shown(&batch.outcome().await);
    got.tasks(&tasks);
    got.shown(&task.rerun().unwrap().snapshot());
    got.0.push(format!("{task:?} {batch:?} {:?} {:?}", task.watch(), policy()));
    // The same id for another input.
    let id = TaskId::new();
    let start = |input: &serde_json::Value| {
        let owner = Owner::Other { label: "page".into(), token: 1 };
        let input = Json::from(input.clone());
        engine(&tasks).start(Start { id, task: "login", input, owner, options: StartOptions::new(), sees: &|_| true })
    };
    let _first = start(&fits).unwrap();
    got.refused(start(&json!({ "user": "other", "pins": { SECRET: 2 } })));
    sleep(Duration::from_secs(1_000)).await;
    got.tasks(&tasks);

    let logged = records.all();
    assert!(logged.iter().any(|record| record.contains("no such host")), "{logged:?}");
    for text in got.0.iter().chain(&logged) {
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[tokio::test]
async fn the_errors_of_other_kinds_do_show_it() {
    let open =
        Kind::new("open", Policy::default(), Errors::default(), async |_: TaskContext, _: Login| Ok::<_, Failure>(()));
    let tasks = manager([open], Settings::default());
    let shows = |input: &serde_json::Value| {
        let error = tasks.start("open", input).err().unwrap();
        serde_json::to_string(&error).unwrap().contains(SECRET)
    };
    assert_eq!(wrong().iter().filter(|wrong| shows(wrong)).count(), 8);
    assert!(tasks.start("open", Unwritable).err().unwrap().message.contains(SECRET));
}
