//! Calls that share a task: who owns it, who is told of it, and when it is cancelled.

use proptest::{prelude::*, sample::Index};

use super::{at_once::at_once, manager};
use crate::{
    BatchOptions, CancelReason, ErrorKind, Failure, Json, OnConflict, OnOwnerClosed, Outcome, Schedule, StartOptions,
    TaskContext, TaskHandle, TaskId, TaskManager, TaskStatus,
    policy::Policy,
    quota::accounts::Account,
    record::{
        Kind,
        shares::Joiner,
        told::{Look, Told},
    },
    run::{
        engine::Settings,
        handler::Errors,
        start::{Call, Start, StartBatch},
    },
    schedule::driver::Triggerer,
    task::owner::Owner,
};

fn owner(label: &str) -> Owner {
    Owner::Other { label: label.into(), token: 0 }
}

/// Tasks of these kinds end when the manager is told to, or with an input of `true` at once.
fn kinds() -> TaskManager {
    let kinds = [OnOwnerClosed::GoOn, OnOwnerClosed::Cancel].map(|what| {
        let policy = Policy { on_owner_closed: what, ..Policy::default() };
        Kind::new(format!("{what:?}"), policy, Errors::default(), async |_: TaskContext, ends: bool| {
            if !ends {
                std::future::pending::<()>().await;
            }
            Ok::<_, Failure>(7)
        })
    });
    manager(kinds, Settings::default())
}

fn join_as(tasks: &TaskManager, task: &str, who: Owner, call: TaskId) -> Result<TaskHandle, crate::Error> {
    let options = StartOptions::new().key("k", OnConflict::Join);
    let input = Json::new(&false).unwrap();
    let started = tasks.engine.start(Start { id: call, task, input, owner: who, options, sees: &|_| true })?;
    tasks.handle(started.record().id)
}

/// Starts the task with the key, or joins it. Returns the task and the id of the call.
fn join(tasks: &TaskManager, task: &str, label: &str) -> (TaskHandle, TaskId) {
    let call = TaskId::new();
    (join_as(tasks, task, owner(label), call).unwrap(), call)
}

fn leave(tasks: &TaskManager, label: &str, call: TaskId) {
    tasks.engine.leave(call, &owner(label));
}

fn close(tasks: &TaskManager, label: &str) {
    tasks.engine.disown(|owner| owner.label() == Some(label));
}

fn is_told(task: &TaskHandle, tasks: &TaskManager, label: &str) -> bool {
    tasks.engine.find(task.id()).unwrap().tells(&owner(label))
}

fn joins(tasks: &TaskManager) -> Vec<TaskId> {
    let registry = tasks.engine.transitions.registry.lock();
    registry.all().flat_map(|record| record.calls()).filter(|call| registry.has_joined(*call)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_task_is_cancelled_when_the_last_call_that_needs_it_leaves() {
    for task in ["GoOn", "Cancel"] {
        let tasks = kinds();
        let (started, first) = join(&tasks, task, "main");
        let (joined, second) = join(&tasks, task, "main");
        assert_eq!(started.id(), joined.id());
        leave(&tasks, "main", first);
        leave(&tasks, "main", first);
        tokio::task::yield_now().await;
        assert_eq!(started.status(), TaskStatus::Running);
        leave(&tasks, "main", second);
        assert_eq!(started.outcome().await, Outcome::Cancelled { reason: CancelReason::Signal });
        leave(&tasks, "main", second);
        assert_eq!(started.snapshot().owner.as_deref(), Some("main"));
        // The next one with the key is another task.
        assert_ne!(join(&tasks, task, "main").0.id(), started.id());
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_gives_back_the_share_of_somebody_else_or_of_a_member() {
    let tasks = kinds();
    let (task, first) = join(&tasks, "GoOn", "main");
    let (_, second) = join(&tasks, "GoOn", "other");
    let (id, inputs) = (TaskId::new(), vec![Json::new(&false).unwrap(); 2]);
    let batch = StartBatch { id, task: "GoOn", inputs, owner: owner("main"), options: BatchOptions::new() };
    tasks.engine.start_batch(batch).unwrap();
    let batch = tasks.attach_batch("GoOn", id).unwrap();
    for (label, call) in [("other", first), ("main", second), ("third", first), ("main", TaskId::new()), ("other", id)]
    {
        assert!(tasks.engine.leave(call, &owner(label)).is_none_or(|record| !record.status().is_final()));
    }
    for member in batch.members() {
        assert!(tasks.engine.leave(member.id(), &owner("main")).is_none());
    }
    tokio::task::yield_now().await;
    assert!(!task.status().is_final() && !batch.status().is_final());
    leave(&tasks, "main", first);
    assert!(!task.status().is_final());
    // A batch is left as a whole.
    leave(&tasks, "main", id);
    assert_eq!(batch.outcome().await, Outcome::Cancelled { reason: CancelReason::Signal });
    for member in batch.members() {
        assert_eq!(member.outcome().await, Outcome::Cancelled { reason: CancelReason::Parent });
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_call_gets_no_other_share_and_none_that_it_has_given_back() {
    let tasks = kinds();
    let (task, first) = join(&tasks, "GoOn", "main");
    let (_, second) = join(&tasks, "GoOn", "main");
    for call in [first, second, second] {
        assert_eq!(join_as(&tasks, "GoOn", owner("main"), call).unwrap().id(), task.id());
    }
    leave(&tasks, "main", second);
    let (_, of_other) = join(&tasks, "GoOn", "other");
    leave(&tasks, "other", of_other);
    let repeated = join_as(&tasks, "GoOn", owner("main"), second);
    assert_eq!(repeated.unwrap().id(), task.id(), "it may be told of it as its owner");
    let repeated = join_as(&tasks, "GoOn", owner("other"), of_other);
    assert_eq!(repeated.unwrap_err().kind, ErrorKind::InvalidId, "it may not be told of it any more");
    assert!(!is_told(&task, &tasks, "other"));
    leave(&tasks, "main", first);
    assert_eq!(task.outcome().await, Outcome::Cancelled { reason: CancelReason::Signal });
}

/// Old ids are forgotten, but not the calls that have a share.
#[tokio::test(start_paused = true)]
async fn a_call_can_be_repeated_and_left_however_long_ago_it_was() {
    let tasks = kinds();
    let (task, first) = join(&tasks, "GoOn", "main");
    let (_, second) = join(&tasks, "GoOn", "other");
    for _ in 0..3 {
        tokio::time::sleep(std::time::Duration::from_secs(10 * 60)).await;
        tasks.list(&crate::TaskFilter::default());
    }
    assert_eq!(join_as(&tasks, "GoOn", owner("other"), second).unwrap().id(), task.id());
    let foreign = join_as(&tasks, "GoOn", owner("third"), second).unwrap_err();
    let unknown_input = join_as(&tasks, "Cancel", owner("other"), second).unwrap_err();
    assert_eq!((foreign.kind, unknown_input.kind), (ErrorKind::InvalidId, ErrorKind::InvalidId));
    leave(&tasks, "main", first);
    assert!(!task.status().is_final());
    leave(&tasks, "other", second);
    assert_eq!(task.outcome().await, Outcome::Cancelled { reason: CancelReason::Signal });
    // However long it had its share, it is remembered for a while that it has given the share back.
    for _ in 0..9 {
        assert_eq!(join_as(&tasks, "GoOn", owner("other"), second).unwrap_err().kind, ErrorKind::InvalidId);
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        tasks.list(&crate::TaskFilter::default());
    }
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    tasks.list(&crate::TaskFilter::default());
    assert_ne!(join_as(&tasks, "GoOn", owner("other"), second).unwrap().id(), task.id());
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_task_was_removed_or_whose_holder_has_gone_starts_nothing_when_it_is_repeated() {
    for goes in [true, false] {
        let tasks = kinds();
        let (task, _) = join(&tasks, "GoOn", "main");
        let (_, call) = join(&tasks, "GoOn", "other");
        tokio::time::sleep(std::time::Duration::from_secs(11 * 60)).await;
        tasks.list(&crate::TaskFilter::default());
        if goes {
            close(&tasks, "other");
        } else {
            task.cancel().unwrap();
            task.outcome().await;
            tasks.remove(task.id()).unwrap();
        }
        assert_eq!(join_as(&tasks, "GoOn", owner("other"), call).unwrap_err().kind, ErrorKind::InvalidId);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_of_calls_goes_with_their_shares_and_with_the_task() {
    let tasks = kinds();
    let (task, _) = join(&tasks, "GoOn", "main");
    let calls = [("main", 0), ("other", 1), ("other", 2)].map(|(label, _)| join(&tasks, "GoOn", label).1);
    assert_eq!(joins(&tasks).len(), 3);
    leave(&tasks, "other", calls[1]);
    assert_eq!(joins(&tasks).len(), 2);
    close(&tasks, "other");
    assert_eq!(joins(&tasks), [calls[0]]);
    task.cancel().unwrap();
    task.outcome().await;
    assert_eq!(joins(&tasks), [calls[0]], "it may still be told of the outcome");
    tasks.remove(task.id()).unwrap();
    for call in calls {
        assert!(!tasks.engine.transitions.registry.lock().has_joined(call));
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_the_app_has_started_or_joined_is_never_cancelled_by_others() {
    for app_starts in [true, false] {
        for task in ["GoOn", "Cancel"] {
            let tasks = kinds();
            let app_joins = || {
                let options = StartOptions::new().key("k", OnConflict::Join);
                tasks.start_with(task, false, options).unwrap().id()
            };
            let started_by_app = app_starts.then(app_joins);
            let (joined, first) = join(&tasks, task, "main");
            assert_eq!(app_joins(), joined.id());
            assert_eq!(started_by_app.unwrap_or(joined.id()), joined.id());
            leave(&tasks, "main", first);
            join(&tasks, task, "other");
            close(&tasks, "main");
            close(&tasks, "other");
            tokio::task::yield_now().await;
            assert_eq!((joined.status(), joined.snapshot().owner), (TaskStatus::Running, None));
            joined.cancel().unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_that_has_joined_owns_the_task_when_its_owner_goes() {
    for task in ["GoOn", "Cancel"] {
        let tasks = kinds();
        let (shared, _) = join(&tasks, task, "main");
        let owner_of = || shared.snapshot().owner;
        join(&tasks, task, "second");
        join(&tasks, task, "third");
        assert_eq!(owner_of().as_deref(), Some("main"));
        close(&tasks, "main");
        assert_eq!(owner_of().as_deref(), Some("second"));
        assert!(!is_told(&shared, &tasks, "main"));
        close(&tasks, "second");
        assert_eq!(owner_of().as_deref(), Some("third"));
        tokio::task::yield_now().await;
        assert_eq!(shared.status(), TaskStatus::Running);
        close(&tasks, "third");
        assert_eq!(owner_of(), None);
        if task == "Cancel" {
            assert_eq!(shared.outcome().await, Outcome::Cancelled { reason: CancelReason::OwnerClosed });
        } else {
            tokio::task::yield_now().await;
            assert_eq!(shared.status(), TaskStatus::Running);
            // It is a task of the app like any other now.
            let (_, call) = join(&tasks, task, "fourth");
            leave(&tasks, "fourth", call);
            assert_eq!(shared.status(), TaskStatus::Running);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_owner_leaves_a_task_to_those_who_have_joined_it() {
    let tasks = kinds();
    let (lost, _) = join(&tasks, "Cancel", "main");
    let (kept, _) = join(&tasks, "GoOn", "main");
    let loses = |label: &str| tasks.engine.loses_with(&owner(label));
    assert!(loses("main") && !loses("other"));
    let (_, of_lost) = join(&tasks, "Cancel", "other");
    join(&tasks, "GoOn", "other");
    assert!(loses("main") && loses("other"));
    let silent = |label: &'static str| tasks.engine.owners_are_silent(|owner| owner.label() == Some(label));
    silent("main");
    assert_eq!(lost.snapshot().owner.as_deref(), Some("other"));
    assert_eq!(kept.snapshot().owner.as_deref(), Some("main"), "it may come back");
    assert!(!loses("main"));
    tokio::task::yield_now().await;
    assert!(!lost.status().is_final());
    silent("other");
    assert_eq!(lost.outcome().await, Outcome::Cancelled { reason: CancelReason::OwnerClosed });
    assert!(is_told(&lost, &tasks, "other") && !kept.status().is_final());
    leave(&tasks, "other", of_lost);
}

#[tokio::test(start_paused = true)]
async fn a_share_in_an_ended_task_lets_its_outcome_be_told_until_it_is_given_back() {
    let tasks = kinds();
    let (task, first) = join(&tasks, "GoOn", "main");
    let (_, second) = join(&tasks, "GoOn", "other");
    task.cancel().unwrap();
    let outcome = task.outcome().await;
    assert!(is_told(&task, &tasks, "other"));
    leave(&tasks, "main", first);
    leave(&tasks, "other", second);
    assert_eq!(task.outcome().await, outcome);
    assert!(is_told(&task, &tasks, "main") && !is_told(&task, &tasks, "other"));
    close(&tasks, "main");
    assert_eq!(task.snapshot().owner, None);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_triggers_a_run_has_a_share_that_owns_and_cancels_nothing() {
    let tasks = kinds();
    tasks.schedule("s", "Cancel", false, Schedule::every(std::time::Duration::from_secs(3600))).unwrap();
    let trigger = |call: TaskId, label: &str| {
        let triggerer = Triggerer { owner: &owner(label), account: Account(1) };
        let run = tasks.trigger_for(Some(triggerer), "s", call, &|_| true)?;
        tasks.handle(run.record().id)
    };
    let (first, second) = (TaskId::new(), TaskId::new());
    let run = trigger(first, "main").unwrap();
    assert_eq!(trigger(second, "other").unwrap().id(), run.id());
    assert_eq!(trigger(first, "main").unwrap().id(), run.id());
    assert!(is_told(&run, &tasks, "main") && is_told(&run, &tasks, "other"));
    assert_eq!(trigger(second, "main").unwrap_err().kind, ErrorKind::InvalidId, "it is another's");
    leave(&tasks, "main", first);
    assert!(!is_told(&run, &tasks, "main"));
    trigger(first, "main").unwrap();
    assert!(!is_told(&run, &tasks, "main"), "a repeated call gets no share back");
    close(&tasks, "other");
    tokio::task::yield_now().await;
    assert_eq!((run.status(), run.snapshot().owner), (TaskStatus::Running, None));
}

#[tokio::test(start_paused = true)]
async fn pages_that_trigger_a_run_at_once_have_a_share_each_and_can_give_it_back() {
    for _ in 0..300 {
        let tasks = kinds();
        tasks.schedule("s", "GoOn", false, Schedule::every(std::time::Duration::from_secs(3600))).unwrap();
        let trigger = |label: &str, call: TaskId| {
            let triggerer = Triggerer { owner: &owner(label), account: Account(1) };
            tasks.trigger_for(Some(triggerer), "s", call, &|_| true).map(|run| run.record().id)
        };
        let calls = [("a", TaskId::new()), ("b", TaskId::new()), ("c", TaskId::new())];
        let [first, second, third] = calls.map(|(label, call)| move || trigger(label, call));
        let runs = at_once([&first, &second, &third]).map(Result::unwrap);
        let run = tasks.handle(runs[0]).unwrap();
        assert_eq!(runs, [run.id(); 3]);
        for (label, call) in calls {
            assert!(is_told(&run, &tasks, label));
            assert_eq!(trigger(label, call).unwrap(), run.id(), "a repeat");
            leave(&tasks, label, call);
            assert!(!is_told(&run, &tasks, label), "{label} has given its only share back");
        }
        assert!(!run.status().is_final());
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_told_of_a_run_is_remembered_after_the_call_that_triggered_it_is_forgotten() {
    let tasks = kinds();
    tasks.schedule("s", "GoOn", false, Schedule::every(std::time::Duration::from_secs(3600)).overlap()).unwrap();
    let minutes = |many: u64| tokio::time::sleep(std::time::Duration::from_secs(60 * many));
    let call = TaskId::new();
    let triggerer = Triggerer { owner: &owner("main"), account: Account(1) };
    let run = tasks.trigger_for(Some(triggerer), "s", call, &|_| true).unwrap().record().id;
    assert_eq!(run, call);
    let record = tasks.engine.find(run).unwrap();
    tasks.engine.add_share(&record, &owner("other"), Account(2), TaskId::new()).unwrap();
    leave(&tasks, "main", call);
    minutes(9).await;
    tasks.cancel(run).unwrap();
    tasks.handle(run).unwrap().outcome().await;
    tasks.remove(run).unwrap();
    minutes(2).await;
    tasks.list(&crate::TaskFilter::default());
    assert!(tasks.engine.spent(run).unwrap().tells(&owner("other")));
    minutes(9).await;
    tasks.list(&crate::TaskFilter::default());
    assert!(tasks.engine.spent(run).is_none());
}

/// A schedule remembers 256 triggers.
#[tokio::test(start_paused = true)]
async fn a_trigger_can_be_repeated_however_many_came_after_it() {
    for overlaps in [false, true] {
        let tasks = kinds();
        let schedule = Schedule::every(std::time::Duration::from_secs(3600));
        let schedule = if overlaps { schedule.overlap() } else { schedule };
        tasks.schedule("s", "Cancel", false, schedule).unwrap();
        let trigger = |call: TaskId, label: &str| {
            let triggerer = Triggerer { owner: &owner(label), account: Account(1) };
            tasks.trigger_for(Some(triggerer), "s", call, &|_| true).map(|run| run.record().id)
        };
        let (started, joined) = (TaskId::new(), TaskId::new());
        let runs = [trigger(started, "main").unwrap(), trigger(joined, "main").unwrap()];
        for _ in 0..300 {
            trigger(TaskId::new(), "other").unwrap();
        }
        let count = || tasks.list(&crate::TaskFilter::default()).len();
        let before = count();
        assert_eq!([trigger(started, "main").unwrap(), trigger(joined, "main").unwrap()], runs);
        assert_eq!(trigger(joined, "other").unwrap_err().kind, ErrorKind::InvalidId);
        leave(&tasks, "main", started);
        leave(&tasks, "main", joined);
        for gone in [started, joined] {
            assert_eq!(trigger(gone, "main").unwrap_err().kind, ErrorKind::InvalidId, "it has given its share back");
        }
        assert_eq!(count(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_caller_has_too_many_shares_is_not_started() {
    let tasks = kinds();
    let (task, _) = join(&tasks, "GoOn", "main");
    let (record, now) = (tasks.engine.find(task.id()).unwrap(), std::time::Duration::ZERO);
    let (other, account) = (owner("other"), Account(1));
    let mut registry = tasks.engine.transitions.registry.lock();
    for _ in 0..65_536 {
        registry.note_join(Joiner::of_trigger(&other, TaskId::new()), &record, now);
    }
    drop(registry);
    // Its caller had room when it looked.
    let call = Call { account: Some(account), sharer: Some(&other), rerun_of: None };
    let (input, options) = (Json::new(&false).unwrap(), StartOptions::new());
    let start = Start { id: TaskId::new(), task: "GoOn", input, owner: Owner::App, options, sees: &|_| true };
    let refused = tasks.engine.start_kept(call, start).map(drop).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::QuotaExceeded);
    assert_eq!(tasks.list(&crate::TaskFilter::default()).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_is_told_of_a_new_owner_and_of_a_share_that_comes_or_goes() {
    let tasks = kinds();
    let (task, _) = join(&tasks, "GoOn", "main");
    let record = tasks.engine.find(task.id()).unwrap();
    let look = |told: Option<Told>, label: &str| {
        let label = owner(label);
        Told::look(told, &record, |shares, _| shares.tells(&label))
    };
    let Look::Snapshot(_, of_main) = look(None, "main") else { panic!("it owns it") };
    assert!(matches!(look(None, "other"), Look::Gone));
    let (_, call) = join(&tasks, "GoOn", "other");
    let Look::Snapshot(snapshot, of_other) = look(None, "other") else { panic!("it has a share") };
    assert_eq!(snapshot.owner.as_deref(), Some("main"));
    assert!(matches!(look(Some(of_main), "main"), Look::Same), "it shows nothing of shares");
    leave(&tasks, "other", call);
    assert!(matches!(look(Some(of_other), "other"), Look::Gone));
    join(&tasks, "GoOn", "other");
    close(&tasks, "main");
    assert!(matches!(look(Some(of_main), "main"), Look::Gone));
    let Look::Snapshot(snapshot, _) = look(Some(of_other), "other") else { panic!("it owns it now") };
    assert_eq!(snapshot.owner.as_deref(), Some("other"));
}

// Random calls, against a model that keeps a plain list of shares.

#[derive(Debug, Clone)]
enum Step {
    /// A call of this owner that starts the task or joins it.
    Join(usize),
    AppJoins,
    /// A repeat of an earlier call.
    Repeat(Index),
    Leave(Index),
    /// Another owner leaves by the id of this call.
    LeaveForeign(Index, usize),
    Close(usize),
    Silent(usize),
    Cancel,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0_usize..3;
    prop_oneof![
        5 => who.clone().prop_map(Step::Join),
        1 => Just(Step::AppJoins),
        2 => any::<Index>().prop_map(Step::Repeat),
        5 => any::<Index>().prop_map(Step::Leave),
        1 => (any::<Index>(), who.clone()).prop_map(|(call, who)| Step::LeaveForeign(call, who)),
        2 => who.clone().prop_map(Step::Close),
        1 => who.prop_map(Step::Silent),
        1 => Just(Step::Cancel),
    ]
}

/// The task with the key, as it should be.
#[derive(Debug, Clone, Default)]
struct Expected {
    /// Who has shares, oldest first; `None` is the app.
    shares: Vec<(Option<usize>, TaskId)>,
    owner: Option<usize>,
    cancelled: Option<CancelReason>,
}

impl Expected {
    fn goes(&mut self, who: usize, for_good: bool, cancels: bool) {
        let is_told = self.owner == Some(who) || self.shares.iter().any(|(holder, _)| *holder == Some(who));
        if !is_told || (!for_good && !cancels) {
            return;
        }
        let left: Vec<_> = self.shares.iter().copied().filter(|(holder, _)| *holder != Some(who)).collect();
        let is_last = left.is_empty();
        if is_last && cancels {
            self.cancelled.get_or_insert(CancelReason::OwnerClosed);
            if !for_good {
                return;
            }
        }
        self.shares = left;
        if self.owner == Some(who) {
            self.owner = self.shares.iter().find_map(|(holder, _)| *holder);
            if self.owner.is_none() && !cancels {
                self.shares.push((None, TaskId::new()));
            }
        }
    }
}

fn run(steps: Vec<Step>, task: &str) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let tasks = kinds();
        let cancels = task == "Cancel";
        let label = |who: usize| format!("owner {who}");
        // All tasks that there were, and all calls: who made each, and which task it got.
        let mut all: Vec<(TaskHandle, Expected)> = vec![];
        let mut calls: Vec<(usize, TaskId, usize)> = vec![];
        for step in steps {
            match step {
                Step::Join(who) => {
                    let (handle, call) = join(&tasks, task, &label(who));
                    let is_new = all.last().is_none_or(|(_, last)| last.cancelled.is_some());
                    prop_assert_eq!(is_new, !all.iter().any(|(known, _)| known.id() == handle.id()));
                    if is_new {
                        all.push((handle, Expected { owner: Some(who), ..Expected::default() }));
                    }
                    calls.push((who, call, all.len() - 1));
                    all.last_mut().unwrap().1.shares.push((Some(who), call));
                }
                Step::AppJoins => {
                    let options = StartOptions::new().key("k", OnConflict::Join);
                    let handle = tasks.start_with(task, false, options).unwrap();
                    if all.last().is_none_or(|(_, last)| last.cancelled.is_some()) {
                        all.push((handle.untyped(), Expected::default()));
                    }
                    all.last_mut().unwrap().1.shares.push((None, TaskId::new()));
                }
                Step::Repeat(index) if !calls.is_empty() => {
                    let (who, call, at) = *index.get(&calls);
                    let (handle, expected) = &all[at];
                    let got = join_as(&tasks, task, owner(&label(who)), call).map(|task| task.id());
                    let may = if call == handle.id() {
                        expected.owner == Some(who)
                    } else {
                        expected.owner == Some(who) || expected.shares.iter().any(|(holder, _)| *holder == Some(who))
                    };
                    let refused = ErrorKind::InvalidId;
                    prop_assert_eq!(got.map_err(|error| error.kind), if may { Ok(handle.id()) } else { Err(refused) });
                }
                Step::Leave(index) if !calls.is_empty() => {
                    let (who, call, at) = *index.get(&calls);
                    leave(&tasks, &label(who), call);
                    let expected = &mut all[at].1;
                    let before = expected.shares.len();
                    expected.shares.retain(|(_, share)| *share != call);
                    if before > 0 && expected.shares.is_empty() {
                        expected.cancelled.get_or_insert(CancelReason::Signal);
                    }
                }
                Step::LeaveForeign(index, who) if !calls.is_empty() => {
                    let (of, call, _) = *index.get(&calls);
                    if of != who {
                        leave(&tasks, &label(who), call);
                    }
                }
                Step::Close(who) => {
                    close(&tasks, &label(who));
                    for (_, expected) in &mut all {
                        expected.goes(who, true, cancels);
                    }
                }
                Step::Silent(who) => {
                    tasks.engine.owners_are_silent(|owner| owner.label() == Some(&label(who)));
                    for (_, expected) in &mut all {
                        expected.goes(who, false, cancels);
                    }
                }
                Step::Cancel if !all.is_empty() => {
                    let (handle, expected) = all.last_mut().unwrap();
                    let _ = handle.cancel();
                    expected.cancelled.get_or_insert(CancelReason::User);
                }
                _ => {}
            }
            for (handle, expected) in &all {
                // A handler that runs is dropped when it is polled next.
                tokio::task::yield_now().await;
                let snapshot = handle.snapshot();
                prop_assert_eq!(&snapshot.cancel_reason, &expected.cancelled, "{:?}", expected);
                prop_assert_eq!(snapshot.owner, expected.owner.map(label), "{:?}", expected);
                for who in 0..3 {
                    let has_share = expected.shares.iter().any(|(holder, _)| *holder == Some(who));
                    let may = has_share || expected.owner == Some(who);
                    prop_assert_eq!(is_told(handle, &tasks, &label(who)), may, "{} {:?}", who, expected);
                }
            }
            let mut kept = joins(&tasks);
            let ids: Vec<_> = all.iter().map(|(handle, _)| handle.id()).collect();
            let shares = all.iter().flat_map(|(_, expected)| &expected.shares);
            let mut joined: Vec<_> = shares
                .filter(|(holder, call)| holder.is_some() && !ids.contains(call))
                .map(|(_, call)| *call)
                .collect();
            kept.sort_unstable();
            joined.sort_unstable();
            prop_assert_eq!(kept, joined);
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn shares_end_a_task_with_the_last_of_them_and_the_oldest_holder_owns_it(
        steps in prop::collection::vec(step(), 1..60),
        cancels in any::<bool>(),
    ) {
        run(steps, if cancels { "Cancel" } else { "GoOn" })?;
    }
}
