//! The quotas of callers with accounts, on the real engine.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::{runtime, time::sleep};

use super::{at_once::at_once, manager};
use crate::{
    BatchOptions, CancelReason, Error, ErrorKind, Failure, Json, OnConflict, Outcome, Retention, Schedule,
    StartOptions, TaskContext, TaskFilter, TaskId, TaskManager, TaskStatus, TimeLimit, Unread,
    policy::Policy,
    quota::{accounts::Account, quotas::Quotas},
    record::{Kind, Record, follower::Follower},
    run::{
        engine::Settings,
        handler::Errors,
        start::{Start, StartBatch},
    },
    schedule::driver::Triggerer,
    task::owner::Owner,
    test::items::{ask, secs, settle},
};

const MAIN: Account = Account(1);
const OTHER: Account = Account(2);

/// What a task does: it emits a text of this many letters, then hangs or returns one of this many letters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Work {
    emits: usize,
    hangs: bool,
    returns: usize,
}

const HANGS: Work = Work { emits: 0, hangs: true, returns: 0 };
const ENDS: Work = Work { emits: 0, hangs: false, returns: 0 };

/// The length of a text of this many letters as JSON.
const fn text(letters: usize) -> usize {
    letters + 2
}

impl Work {
    fn json(self) -> Json {
        Json::new(&self).unwrap()
    }

    fn len(self) -> u64 {
        self.json().len() as u64
    }
}

async fn work(ctx: TaskContext<(), String>, work: Work) -> Result<String, Failure> {
    if work.emits > 0 {
        ctx.emit("i".repeat(work.emits)).await;
    }
    if work.hangs {
        ctx.cancelled().await;
    }
    Ok("o".repeat(work.returns))
}

fn tasks_with(quotas: Quotas, retention: Retention) -> TaskManager {
    let policy = Policy { unread: Unread::DropOldest, ..Policy::default() };
    let full = Policy { queue_limit: Some(0), concurrency: Some(0), ..Policy::default() };
    let kinds =
        [("work", policy), ("full", full)].map(|(name, policy)| Kind::new(name, policy, Errors::default(), work));
    manager(kinds, Settings { retention, quotas, ..Settings::default() })
}

fn tasks(quotas: Quotas) -> TaskManager {
    tasks_with(quotas, Retention::default())
}

fn owner(account: Account) -> Owner {
    Owner::Other { label: "page".into(), token: account.0 }
}

fn start_as(
    tasks: &TaskManager,
    account: Account,
    id: TaskId,
    work: Work,
    key: Option<&str>,
) -> Result<Follower, Error> {
    let options = match key {
        Some(key) => StartOptions::new().key(key, OnConflict::Join),
        None => StartOptions::new(),
    };
    let start = Start { id, task: "work", input: work.json(), owner: owner(account), options, sees: &|_| true };
    tasks.engine.start_on(Some(account), start)
}

fn start(tasks: &TaskManager, account: Account, work: Work) -> Result<Arc<Record>, Error> {
    start_as(tasks, account, TaskId::new(), work, None).map(|started| Arc::clone(started.record()))
}

fn batch(tasks: &TaskManager, id: TaskId, work: Work, members: usize) -> Result<Arc<Record>, Error> {
    batch_at(tasks, id, work, members).map(|started| Arc::clone(started.record()))
}

fn batch_at(tasks: &TaskManager, id: TaskId, work: Work, members: usize) -> Result<Follower, Error> {
    let inputs = vec![work.json(); members];
    let batch = StartBatch { id, task: "work", inputs, owner: owner(MAIN), options: BatchOptions::new() };
    tasks.engine.start_batch_on(Some(MAIN), batch)
}

fn trigger(tasks: &TaskManager, account: Account, id: TaskId) -> Result<Follower, Error> {
    tasks.trigger_for(Some(Triggerer { owner: &owner(account), account }), "sync", id, &|_| true)
}

fn used(tasks: &TaskManager, account: Account) -> (u64, u64) {
    tasks.engine.transitions.registry.lock().accounts.used(account)
}

/// Returns the name of the quota that was exceeded.
fn exceeded<T>(result: Result<T, Error>) -> String {
    let error = result.err().unwrap();
    assert_eq!(error.kind, ErrorKind::QuotaExceeded, "{error}");
    let data: serde_json::Value = error.data.unwrap().read().unwrap();
    data["quota"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_has_used_up_a_quota_is_refused_and_no_other_caller_notices() {
    let tasks = tasks(Quotas { live_tasks: Some(3), ..Quotas::default() });
    let started: Vec<_> = (0..3).map(|_| start(&tasks, MAIN, HANGS).unwrap()).collect();
    assert_eq!(exceeded(start(&tasks, MAIN, HANGS)), "liveTasks");
    assert_eq!(exceeded(batch(&tasks, TaskId::new(), HANGS, 0)), "liveTasks");
    for _ in 0..3 {
        start(&tasks, OTHER, HANGS).unwrap();
    }
    for _ in 0..10 {
        tasks.start("work", HANGS).unwrap();
    }
    tasks.engine.cancel(&started[0], CancelReason::User).unwrap();
    started[0].ended().await;
    assert!(start(&tasks, MAIN, HANGS).is_ok(), "who learns of the end finds room");
    assert_eq!(exceeded(start(&tasks, MAIN, HANGS)), "liveTasks");
    assert_eq!(tasks.list(&TaskFilter::default()).len(), 3 + 1 + 3 + 10, "what is refused leaves nothing behind");
}

#[tokio::test(start_paused = true)]
async fn a_repeat_of_a_start_that_was_accepted_is_never_refused() {
    let len = HANGS.len();
    let quotas =
        Quotas { live_tasks: Some(3), starts_per_second: Some(1), starts_at_once: Some(4), ..Quotas::default() };
    let on_hand = 3 * len + "key".len() as u64;
    let tasks = tasks(Quotas { bytes_on_hand: Some(on_hand), ..quotas });
    let (single, several, joined) = (TaskId::new(), TaskId::new(), TaskId::new());
    let repeat = || {
        (
            start_as(&tasks, MAIN, single, HANGS, Some("key")).unwrap().record().id,
            batch(&tasks, several, HANGS, 2).unwrap().id,
            start_as(&tasks, MAIN, joined, HANGS, Some("key")).unwrap().record().id,
        )
    };
    for _ in 0..100 {
        assert_eq!(repeat(), (single, several, single));
    }
    assert_eq!(used(&tasks, MAIN), (3, on_hand));
    assert_eq!(exceeded(start(&tasks, MAIN, ENDS)), "liveTasks");
    for _ in 0..100 {
        assert_eq!(repeat(), (single, several, single));
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_counts_as_its_members_and_is_started_as_a_whole_or_not_at_all() {
    let quotas = Quotas { starts_per_second: Some(1), starts_at_once: Some(5), ..Quotas::default() };
    let tasks = tasks(Quotas { live_tasks: Some(4), bytes_per_call: Some(3 * HANGS.len()), ..quotas });
    assert_eq!(exceeded(batch(&tasks, TaskId::new(), HANGS, 4)), "bytesPerCall");
    let three = batch(&tasks, TaskId::new(), HANGS, 3).unwrap();
    assert_eq!(exceeded(batch(&tasks, TaskId::new(), HANGS, 2)), "liveTasks");
    assert_eq!(used(&tasks, MAIN), (3, 3 * HANGS.len()));
    tasks.engine.cancel(&three, CancelReason::User).unwrap();
    three.ended().await;
    assert_eq!(exceeded(batch(&tasks, TaskId::new(), HANGS, 3)), "startsPerSecond");
    assert!(batch(&tasks, TaskId::new(), HANGS, 2).is_ok());
    assert_eq!(used(&tasks, MAIN).0, 2);
}

#[tokio::test(start_paused = true)]
async fn starts_come_back_with_time_and_joins_are_starts() {
    let quotas = Quotas { starts_per_second: Some(2), starts_at_once: Some(4), ..Quotas::default() };
    let tasks = tasks(quotas);
    let join = || start_as(&tasks, MAIN, TaskId::new(), HANGS, Some("key"));
    for _ in 0..4 {
        join().unwrap();
    }
    assert_eq!(used(&tasks, MAIN).0, 1, "three have joined the first");
    assert_eq!(exceeded(join()), "startsPerSecond");
    assert_eq!(exceeded(start(&tasks, MAIN, ENDS)), "startsPerSecond");
    assert!(start(&tasks, OTHER, ENDS).is_ok());
    sleep(Duration::from_millis(500)).await;
    assert!(join().is_ok());
    assert_eq!(exceeded(join()), "startsPerSecond");
    sleep(secs(60)).await;
    for _ in 0..4 {
        start(&tasks, MAIN, ENDS).unwrap();
    }
    assert_eq!(exceeded(start(&tasks, MAIN, ENDS)), "startsPerSecond", "no more than so many at once");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_is_over_the_live_tasks_can_still_join() {
    let tasks = tasks(Quotas {
        live_tasks: Some(1),
        bytes_on_hand: Some(HANGS.len() + "key".len() as u64),
        ..Quotas::default()
    });
    start_as(&tasks, MAIN, TaskId::new(), HANGS, Some("key")).unwrap();
    assert!(start_as(&tasks, MAIN, TaskId::new(), HANGS, Some("key")).is_ok());
    assert_eq!(exceeded(start(&tasks, MAIN, HANGS)), "liveTasks");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_another_reason_costs_nothing() {
    let tasks = tasks(Quotas { starts_per_second: Some(1), starts_at_once: Some(1), ..Quotas::default() });
    let full = |id| {
        let (input, options) = (HANGS.json(), StartOptions::new());
        let start = Start { id, task: "full", input, owner: owner(MAIN), options, sees: &|_| true };
        tasks.engine.start_on(Some(MAIN), start).map(drop).unwrap_err().kind
    };
    for _ in 0..5 {
        assert_eq!(full(TaskId::new()), ErrorKind::QueueFull);
    }
    assert!(start(&tasks, MAIN, ENDS).is_ok());
    assert_eq!(
        full(TaskId::new()),
        ErrorKind::QuotaExceeded,
        "a caller who may start nothing learns nothing of a queue"
    );
}

#[tokio::test(start_paused = true)]
async fn inputs_items_and_outcomes_count_until_they_are_read_or_removed() {
    let (emits, returns) = (10_000, 500);
    let work = Work { emits, hangs: true, returns };
    let input = work.len();
    let tasks = tasks(Quotas { bytes_on_hand: Some(10_000), ..Quotas::default() });
    let task = start(&tasks, MAIN, work).unwrap();
    settle().await;
    assert_eq!(used(&tasks, MAIN), (1, input + text(emits) as u64));
    assert_eq!(task.status(), TaskStatus::Running, "what a handler emits never makes its work fail");
    assert_eq!(exceeded(start(&tasks, MAIN, ENDS)), "bytesOnHand");
    let chunk = task.items().read(ask("r", 1)).await.unwrap();
    task.items().stop("r", chunk.sequence + 1);
    assert_eq!(used(&tasks, MAIN), (1, input));
    assert!(start(&tasks, MAIN, ENDS).is_ok());
    settle().await;
    let ended = ENDS.len() + text(0) as u64;
    assert_eq!(used(&tasks, MAIN), (1, input + ended));
    tasks.engine.cancel(&task, CancelReason::User).unwrap();
    let Outcome::Completed { .. } = task.ended().await else { panic!("it returns when it is told to stop") };
    assert_eq!(used(&tasks, MAIN), (0, input + text(returns) as u64 + ended));
    tasks.engine.remove(&task).unwrap();
    assert_eq!(used(&tasks, MAIN), (0, ended));
}

#[tokio::test(start_paused = true)]
async fn ended_tasks_that_are_kept_for_too_long_make_room() {
    let work = Work { returns: 1_000, ..ENDS };
    let retention = Retention::default().age(secs(60));
    let tasks = tasks_with(Quotas { bytes_on_hand: Some(1_000), ..Quotas::default() }, retention);
    start(&tasks, MAIN, work).unwrap();
    settle().await;
    sleep(secs(50)).await;
    assert_eq!(exceeded(start(&tasks, MAIN, ENDS)), "bytesOnHand");
    sleep(secs(11)).await;
    assert!(start(&tasks, MAIN, ENDS).is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_the_app_has_got_from_an_owner_that_is_gone_counts_for_nobody() {
    let tasks = tasks(Quotas { live_tasks: Some(2), ..Quotas::default() });
    let emits = Work { emits: 10_000, ..HANGS };
    let task = start(&tasks, MAIN, emits).unwrap();
    start(&tasks, MAIN, ENDS).unwrap();
    start(&tasks, OTHER, HANGS).unwrap();
    settle().await;
    tasks.engine.disown(|gone| *gone == owner(MAIN));
    assert_eq!((used(&tasks, MAIN), used(&tasks, OTHER)), ((0, 0), (1, HANGS.len())));
    tasks.engine.cancel(&task, CancelReason::User).unwrap();
    task.ended().await;
    assert_eq!(used(&tasks, MAIN), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_rerun_and_a_triggered_run_are_starts_of_the_caller() {
    let tasks = tasks(Quotas { live_tasks: Some(2), bytes_per_call: Some(1), ..Quotas::default() });
    let failed = tasks.start("work", HANGS).unwrap();
    let failed = tasks.engine.find(failed.id()).unwrap();
    tasks.engine.transitions.time_out(&failed, TimeLimit::Deadline, secs(1), None);
    failed.ended().await;
    let again = TaskId::new();
    let rerun = |id| tasks.engine.rerun(Some(MAIN), &failed, id, owner(MAIN), &|_| true);
    rerun(again).unwrap();
    tasks.schedule("sync", "work", HANGS, Schedule::every(secs(3_600)).overlap()).unwrap();
    let trigger = |id| trigger(&tasks, MAIN, id);
    let run = TaskId::new();
    trigger(run).unwrap();
    let tag = "schedule:sync".len() as u64;
    assert_eq!(used(&tasks, MAIN), (2, 2 * HANGS.len() + tag), "inputs that were there before are not those of a call");
    assert_eq!(exceeded(rerun(TaskId::new())), "liveTasks");
    assert_eq!(exceeded(trigger(TaskId::new())), "liveTasks");
    assert!(rerun(again).is_ok() && trigger(run).is_ok(), "repeats");
    tasks.trigger("sync").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_rerun_gets_no_task_that_a_start_with_its_id_has_started() {
    let tasks = tasks(Quotas::default());
    let failed = tasks.start("work", HANGS).unwrap();
    let failed = tasks.engine.find(failed.id()).unwrap();
    tasks.engine.transitions.time_out(&failed, TimeLimit::Deadline, secs(1), None);
    failed.ended().await;
    let rerun = |id| tasks.engine.rerun(Some(MAIN), &failed, id, owner(MAIN), &|_| true);
    let plain = start(&tasks, MAIN, HANGS).unwrap();
    assert_eq!(rerun(plain.id).map(drop).unwrap_err().kind, ErrorKind::InvalidId);
    assert_eq!(plain.rerun_of(), None);
    let again = TaskId::new();
    for _ in 0..2 {
        assert_eq!(rerun(again).unwrap().record().rerun_of(), Some(failed.id));
    }
}

#[tokio::test(start_paused = true)]
async fn a_trigger_that_joins_a_run_is_a_start_of_the_caller() {
    let tasks = tasks(Quotas { starts_per_second: Some(1), starts_at_once: Some(2), ..Quotas::default() });
    tasks.schedule("sync", "work", HANGS, Schedule::every(secs(3_600))).unwrap();
    let run = tasks.trigger("sync").unwrap().id();
    let (first, second, third) = (TaskId::new(), TaskId::new(), TaskId::new());
    for id in [first, second] {
        assert_eq!(trigger(&tasks, MAIN, id).unwrap().record().id, run);
    }
    for _ in 0..100 {
        assert_eq!(exceeded(trigger(&tasks, MAIN, third)), "startsPerSecond");
        assert_eq!(trigger(&tasks, MAIN, first).unwrap().record().id, run, "a repeat");
    }
    assert!(trigger(&tasks, OTHER, TaskId::new()).is_ok());
    sleep(secs(1)).await;
    assert!(trigger(&tasks, MAIN, third).is_ok(), "a trigger that was refused is a new one");
    assert_eq!(exceeded(trigger(&tasks, MAIN, TaskId::new())), "startsPerSecond");
    assert_eq!(used(&tasks, MAIN), (0, 0), "it has started none");
}

#[tokio::test(start_paused = true)]
async fn a_batch_over_a_quota_is_refused_before_its_inputs_are_read() {
    let tasks = tasks(Quotas { live_tasks: Some(1), ..Quotas::default() });
    let inputs = vec![Json::new("no work").unwrap(); 2];
    let batch =
        StartBatch { id: TaskId::new(), task: "work", inputs, owner: owner(MAIN), options: BatchOptions::new() };
    assert_eq!(exceeded(tasks.engine.start_batch_on(Some(MAIN), batch)), "liveTasks");
}

#[tokio::test(start_paused = true)]
async fn the_keys_labels_and_tags_of_tasks_are_on_hand_too() {
    let tasks = tasks(Quotas { bytes_on_hand: Some(10_000), ..Quotas::default() });
    let long = StartOptions::new().key("k".repeat(4_000), OnConflict::Append).label("l".repeat(100));
    let long = long.tag("t".repeat(900));
    let start = |options| {
        let (id, input, owner) = (TaskId::new(), HANGS.json(), owner(MAIN));
        tasks.engine.start_on(Some(MAIN), Start { id, task: "work", input, owner, options, sees: &|_| true })
    };
    start(long.clone()).unwrap();
    let id = TaskId::new();
    let options = BatchOptions::new().label("l".repeat(100)).tag("t".repeat(900));
    let batch = StartBatch { id, task: "work", inputs: vec![HANGS.json(); 2], owner: owner(MAIN), options };
    tasks.engine.start_batch_on(Some(MAIN), batch).unwrap();
    assert_eq!(used(&tasks, MAIN), (3, 3 * HANGS.len() + 5_000 + 1_000), "a batch's tags count once");
    assert_eq!(exceeded(start(long)), "bytesOnHand");
}

// At random.

#[derive(Debug, Clone)]
enum Step {
    Start { account: u64, work: Work, texts: Texts },
    Batch { work: Work, members: usize, texts: Texts },
    Cancel { task: prop::sample::Index },
    Read { task: prop::sample::Index },
    Remove { task: prop::sample::Index },
    Disown { account: u64 },
    Wait { secs: u64 },
}

/// How long a key, a label and a tag are, if they are set.
type Texts = (Option<usize>, Option<usize>, Option<usize>);

fn texts() -> impl Strategy<Value = Texts> {
    let text = |most| prop::option::of(1..most);
    (text(4_000_usize), text(200), text(1_000))
}

fn works() -> impl Strategy<Value = Work> {
    let size = || prop_oneof![Just(0), 1..20_000usize];
    (size(), any::<bool>(), size()).prop_map(|(emits, hangs, returns)| Work { emits, hangs, returns })
}

fn steps() -> impl Strategy<Value = Step> {
    let task = any::<prop::sample::Index>;
    prop_oneof![
        6 => (1..3u64, works(), texts())
            .prop_map(|(account, work, texts)| Step::Start { account, work, texts }),
        2 => (works(), 0..4usize, texts())
            .prop_map(|(work, members, texts)| Step::Batch { work, members, texts }),
        3 => task().prop_map(|task| Step::Cancel { task }),
        3 => task().prop_map(|task| Step::Read { task }),
        3 => task().prop_map(|task| Step::Remove { task }),
        1 => (1..3u64).prop_map(|account| Step::Disown { account }),
        1 => (0..60u64).prop_map(|secs| Step::Wait { secs }),
    ]
}

/// What the tasks take that belong to an account, by looking at each of them.
fn counted(tasks: &TaskManager, account: Account) -> (u64, u64) {
    let records = tasks.engine.records(&TaskFilter::default());
    let own: Vec<_> = records.iter().filter(|record| record.owner() == owner(account)).collect();
    let bytes = own.iter().map(|record| record.kept_bytes() as u64);
    let counts = |record: &Record| record.members.as_ref().is_none_or(|members| members.is_empty());
    let live = own.iter().filter(|record| counts(record) && !record.status().is_final()).count();
    (live as u64, bytes.sum())
}

async fn take(tasks: &TaskManager, step: Step) {
    let records = tasks.engine.records(&TaskFilter::default());
    let pick = |index: prop::sample::Index| records.get(index.index(records.len().max(1)));
    match step {
        Step::Start { account, work, texts: (key, label, tag) } => {
            let mut options = StartOptions::new();
            options.key = key.map(|length| "k".repeat(length));
            options.on_conflict = OnConflict::Append;
            options.label = label.map(|length| "l".repeat(length));
            options.tags = Arc::new(tag.map(|length| "t".repeat(length)).into_iter().collect());
            let (id, input, owner) = (TaskId::new(), work.json(), owner(Account(account)));
            let start = Start { id, task: "work", input, owner, options, sees: &|_| true };
            drop(tasks.engine.start_on(Some(Account(account)), start));
        }
        Step::Batch { work, members, texts: (_, label, tag) } => {
            let mut options = BatchOptions::new();
            options.label = label.map(|length| "l".repeat(length));
            options.tags = Arc::new(tag.map(|length| "t".repeat(length)).into_iter().collect());
            let (id, inputs) = (TaskId::new(), vec![work.json(); members]);
            let batch = StartBatch { id, task: "work", inputs, owner: owner(MAIN), options };
            drop(tasks.engine.start_batch_on(Some(MAIN), batch));
        }
        Step::Cancel { task } => {
            if let Some(record) = pick(task) {
                let _ = tasks.engine.cancel(record, CancelReason::User);
            }
        }
        Step::Read { task } => {
            if let Some(record) = pick(task).filter(|record| record.items().bytes() > 0) {
                // A reader of its own each time.
                let name = TaskId::new().to_string();
                if let Ok(chunk) = record.items().read(ask(&name, 1)).await {
                    record.items().stop(&name, chunk.sequence + 1);
                }
            }
        }
        Step::Remove { task } => {
            if let Some(record) = pick(task) {
                let _ = tasks.engine.remove(record);
            }
        }
        Step::Disown { account } => tasks.engine.disown(|gone| *gone == owner(Account(account))),
        Step::Wait { secs: length } => sleep(secs(length)).await,
    }
    settle().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn an_account_has_used_what_its_tasks_take(steps in prop::collection::vec(steps(), 1..60)) {
        let runtime = runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let quotas = Quotas {
                live_tasks: Some(8),
                starts_per_second: Some(100),
                starts_at_once: Some(10),
                bytes_on_hand: Some(60_000),
                bytes_per_call: Some(500),
            };
            let tasks = tasks_with(quotas, Retention::default().count(5).bytes(50_000).age(secs(100)));
            for step in steps {
                let what = format!("{step:?}");
                take(&tasks, step).await;
                for account in [MAIN, OTHER] {
                    // It looks at the tasks first, which lets the old ones leave.
                    let (expected_live, expected) = counted(&tasks, account);
                    let (live, bytes) = used(&tasks, account);
                    prop_assert_eq!(live, expected_live, "{}", &what);
                    // A task that runs may be charged for a little less or more of its items than there are.
                    prop_assert!(bytes.abs_diff(expected) < live.max(1) * 4_096, "{bytes} for {expected}: {what}");
                    prop_assert!(live <= 8);
                }
            }
            tasks.cancel_all(&TaskFilter::default());
            settle().await;
            for account in [MAIN, OTHER] {
                let expected = counted(&tasks, account);
                prop_assert_eq!(used(&tasks, account), expected, "all have ended, so it is exact");
            }
            sleep(secs(200)).await;
            prop_assert!(tasks.list(&TaskFilter::default()).is_empty());
            for account in [MAIN, OTHER] {
                prop_assert_eq!(used(&tasks, account), (0, 0));
            }
            // Whoever comes next finds the accounts of the others gone.
            start(&tasks, Account(3), ENDS).unwrap();
            prop_assert_eq!(tasks.engine.transitions.registry.lock().accounts.len(), 1);
            Ok(())
        })?;
    }
}

/// Makes a call with this id twice at once. Returns the tasks that it led to.
fn twice_at_once(call: &(dyn Fn(TaskId) -> Result<Follower, Error> + Sync), id: TaskId) -> [TaskId; 2] {
    let call = || call(id).unwrap().record().id;
    at_once([&call, &call])
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_made_twice_at_once_needs_the_quota_of_one() {
    let tasks = tasks(Quotas { live_tasks: Some(1), ..Quotas::default() });
    tasks.schedule("sync", "work", HANGS, Schedule::every(secs(3_600))).unwrap();
    let ended = start(&tasks, MAIN, HANGS).unwrap();
    let calls: [&(dyn Fn(TaskId) -> Result<Follower, Error> + Sync); 4] = [
        &|id| start_as(&tasks, MAIN, id, HANGS, None),
        &|id| batch_at(&tasks, id, HANGS, 1),
        &|id| tasks.engine.rerun(Some(MAIN), &ended, id, owner(MAIN), &|_| true),
        &|id| trigger(&tasks, MAIN, id),
    ];
    for _ in 0..100 {
        for call in calls {
            tasks.cancel_all(&TaskFilter::new());
            settle().await;
            let id = TaskId::new();
            assert_eq!(twice_at_once(call, id), [id, id]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn triggers_of_two_callers_at_once_cost_each_of_them_one_start() {
    let tasks = tasks(Quotas { starts_per_second: Some(1), starts_at_once: Some(1), ..Quotas::default() });
    tasks.schedule("sync", "work", HANGS, Schedule::every(secs(3_600))).unwrap();
    for _ in 0..300 {
        let (main, other) = (TaskId::new(), TaskId::new());
        let runs = at_once([&|| trigger(&tasks, MAIN, main), &|| trigger(&tasks, OTHER, other)]);
        let [first, second] = runs.map(|run| run.unwrap().record().id);
        assert_eq!(first, second);
        for (account, id) in [(MAIN, main), (OTHER, other)] {
            assert_eq!(trigger(&tasks, account, id).unwrap().record().id, first, "a repeat");
            assert_eq!(exceeded(trigger(&tasks, account, TaskId::new())), "startsPerSecond");
        }
        tasks.cancel_all(&TaskFilter::new());
        settle().await;
        sleep(secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_trigger_over_a_quota_takes_no_run_from_another_at_the_same_time() {
    let tasks = tasks(Quotas { live_tasks: Some(1), ..Quotas::default() });
    tasks.schedule("sync", "work", HANGS, Schedule::every(secs(3_600))).unwrap();
    let busy = start(&tasks, MAIN, HANGS).unwrap();
    for _ in 0..300 {
        let (main, other) = (TaskId::new(), TaskId::new());
        let [over, run] = at_once([&|| trigger(&tasks, MAIN, main), &|| trigger(&tasks, OTHER, other)]);
        let run = run.unwrap().record().id;
        // Who is over the live tasks can still join.
        match over {
            Ok(joined) => assert_eq!(joined.record().id, run),
            over => assert_eq!(exceeded(over), "liveTasks"),
        }
        assert_eq!(trigger(&tasks, OTHER, other).unwrap().record().id, run, "a repeat");
        assert_eq!(trigger(&tasks, Account(3), TaskId::new()).unwrap().record().id, run, "the runs don't overlap");
        assert_eq!((used(&tasks, MAIN).0, tasks.schedules()[0].running), (1, 1));
        tasks.cancel(run).unwrap();
        settle().await;
    }
    assert!(!busy.status().is_final());
}
