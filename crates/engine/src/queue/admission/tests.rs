//! Compares the admission with a plain implementation of its rules, and tests some cases separately.

use std::collections::{BTreeSet, HashSet};

use proptest::{prelude::*, sample::Index as Which};

use super::super::places::PLACES;
use super::*;

/// The declared kinds of the property test, and their groups. In [`KINDS`], "d" is not declared, and `None` is spawned
/// work.
const GROUPS: [(&str, Option<&str>); 3] = [("a", Some("g")), ("b", Some("g")), ("c", None)];
const KINDS: [Option<&str>; 5] = [Some("a"), Some("b"), Some("c"), Some("d"), None];
/// The stages of a task whose attempt goes on.
const BEGUN: [Stage; 3] = [Stage::Running, Stage::Yielded, Stage::Reclaiming];
const HOLDS: [Hold; 3] = [Hold::User, Hold::Key, Hold::Delay];

#[derive(Debug, Clone)]
struct Task {
    id: TaskId,
    lane: LaneKey,
    priority: i32,
    holds: Vec<Hold>,
    stage: Stage,
    yielded_by: u32,
}

impl Task {
    fn is_queued(&self) -> bool {
        self.stage == Stage::Waiting && self.holds.is_empty()
    }

    fn wants_slots(&self) -> bool {
        self.is_queued() || self.stage == Stage::Reclaiming
    }

    fn scopes(&self) -> Vec<Scope> {
        let kind = self.lane.kind.as_deref();
        let group = GROUPS.iter().find(|(name, _)| Some(*name) == kind).and_then(|(_, group)| *group);
        let mut scopes = vec![Scope::App];
        scopes.extend(kind.map(|kind| Scope::Kind(kind.into())));
        scopes.extend(group.map(|group| Scope::Group(group.into())));
        scopes.extend(self.lane.batch.map(Scope::Batch));
        scopes
    }
}

/// The same rules, implemented plainly: one list of tasks, oldest first, which is recounted for each answer.
#[derive(Debug, Clone, Default)]
struct Model {
    tasks: Vec<Task>,
    limits: HashMap<Scope, Option<usize>>,
    queue_limits: HashMap<Scope, Option<usize>>,
}

impl Model {
    fn count(&self, of: &Scope, stage: Stage) -> usize {
        self.tasks.iter().filter(|task| task.stage == stage && task.scopes().contains(of)).count()
    }

    fn limit(&self, of: &Scope) -> Option<usize> {
        self.limits.get(of).copied().flatten()
    }

    fn has_room(&self, task: &Task) -> bool {
        task.scopes().iter().all(|of| self.limit(of).is_none_or(|limit| self.count(of, Stage::Running) < limit))
    }

    fn admit(&mut self) -> Admitted {
        let mut admitted = Admitted::default();
        let next = |model: &Self| {
            let may = model.tasks.iter().enumerate().filter(|(_, task)| task.wants_slots() && model.has_room(task));
            may.min_by_key(|(at, task)| (Reverse(task.priority), *at)).map(|(at, _)| at)
        };
        while let Some(at) = next(self) {
            let task = &mut self.tasks[at];
            match task.stage {
                Stage::Waiting => admitted.begin.push(task.id),
                _ => admitted.go_on.push((task.id, task.yielded_by)),
            }
            task.stage = Stage::Running;
        }
        admitted
    }

    /// Returns the full scopes in which `id` waits for a slot and `holder` has one.
    fn blocked_in(&self, id: TaskId, holder: TaskId) -> Vec<(Scope, usize)> {
        let find = |id| self.tasks.iter().find(|task| task.id == id);
        let (Some(waiting), Some(holder)) = (find(id), find(holder)) else { return vec![] };
        if !waiting.wants_slots() || holder.stage != Stage::Running {
            return vec![];
        }
        let full = |of: &Scope| self.limit(of).filter(|limit| self.count(of, Stage::Running) >= *limit);
        let shared = waiting.scopes().into_iter().filter(|of| holder.scopes().contains(of));
        shared.filter_map(|of| full(&of).map(|limit| (of, limit))).collect()
    }

    /// Returns every queue that would be too long; if there is none, the tasks were let in.
    fn enter(&mut self, tasks: Vec<Task>) -> Vec<QueueFull> {
        let (mut without, mut with) = (self.clone(), self.clone());
        with.tasks.extend(tasks.clone());
        let _ = without.admit();
        let _ = with.admit();
        // Tasks without a kind are never refused.
        let refusable = tasks.iter().any(|task| task.lane.kind.is_some());
        let full = tasks.iter().filter(|_| refusable).flat_map(Task::scopes).filter_map(|of| {
            let limit = self.queue_limits.get(&of).copied().flatten()?;
            let [before, after] = [&without, &with].map(|model| model.count(&of, Stage::Waiting));
            (after > limit && after > before).then_some(QueueFull { of, limit })
        });
        let full: Vec<_> = full.collect();
        if full.is_empty() {
            self.tasks.extend(tasks);
        }
        self.forget_batches();
        full
    }

    fn leave(&mut self, id: TaskId) -> bool {
        let before = self.tasks.len();
        self.tasks.retain(|task| task.id != id);
        self.forget_batches();
        self.tasks.len() < before
    }

    fn alter(&mut self, id: TaskId, change: impl FnOnce(&mut Task) -> bool) -> bool {
        self.tasks.iter_mut().find(|task| task.id == id).is_some_and(change)
    }

    fn has_batch(&self, batch: TaskId) -> bool {
        self.tasks.iter().any(|task| task.lane.batch == Some(batch))
    }

    fn forget_batches(&mut self) {
        let mut limits = mem::take(&mut self.limits);
        limits.retain(|of, _| !matches!(of, Scope::Batch(batch) if !self.has_batch(*batch)));
        self.limits = limits;
    }

    /// Returns the ids in a lane, in order.
    fn queue(&self, lane: &LaneKey) -> Vec<TaskId> {
        let mut queue: Vec<_> = self.tasks.iter().filter(|task| task.is_queued() && task.lane == *lane).collect();
        queue.sort_by_key(|task| Reverse(task.priority));
        queue.into_iter().map(|task| task.id).collect()
    }

    fn queue_state(&self, id: TaskId) -> Option<QueueState> {
        let task = self.tasks.iter().find(|task| task.id == id && task.stage == Stage::Waiting)?;
        let position = (1..).zip(self.queue(&task.lane)).find(|(_, other)| *other == id).map(|(place, _)| place);
        Some(QueueState { position, priority: task.priority, held: task.holds.contains(&Hold::User) })
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// The batch and its limit, and the kind, the priority and the holds of each task.
    Enter(Option<(usize, Option<usize>)>, Vec<(usize, i32, Vec<Hold>)>),
    Admit,
    SetLimit(usize, Option<usize>),
    SetQueueLimit(Option<usize>),
    Declare(usize, Option<usize>, Option<usize>),
    /// Acts on any task, even one that has left.
    Task(Which, Deed),
}

#[derive(Debug, Clone)]
enum Deed {
    Leave,
    StepBack,
    ComeBack,
    YieldSlot(u32),
    ReclaimSlot,
    Hold(Hold),
    Release(Hold),
    SetPriority(i32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let limit = || prop_oneof![2 => Just(None), 5 => (0_usize..5).prop_map(Some)];
    let why = || prop::sample::select(&HOLDS[..]);
    let holds = prop_oneof![4 => Just(vec![]), 1 => prop::sample::subsequence(&HOLDS[..], 1..=3)];
    let deed = prop_oneof![
        4 => Just(Deed::Leave),
        4 => Just(Deed::StepBack),
        4 => Just(Deed::ComeBack),
        4 => any::<u32>().prop_map(Deed::YieldSlot),
        4 => Just(Deed::ReclaimSlot),
        2 => why().prop_map(Deed::Hold),
        2 => why().prop_map(Deed::Release),
        2 => (-1..2).prop_map(Deed::SetPriority),
    ];
    let batch = prop::option::weighted(0.4, (0_usize..3, limit()));
    let tasks = prop::collection::vec((0..KINDS.len(), -1..2, holds), 0..5);
    let step = prop_oneof![
        8 => (batch, tasks).prop_map(|(batch, tasks)| Step::Enter(batch, tasks)),
        6 => Just(Step::Admit),
        2 => (0_usize..8, limit()).prop_map(|(of, limit)| Step::SetLimit(of, limit)),
        1 => limit().prop_map(Step::SetQueueLimit),
        1 => (0..GROUPS.len(), limit(), limit()).prop_map(|(kind, limit, queue)| Step::Declare(kind, limit, queue)),
        16 => (any::<Which>(), deed).prop_map(|(which, deed)| Step::Task(which, deed)),
    ];
    prop::collection::vec(step, 0..80)
}

/// The admission and the plain rules, side by side.
struct Pair {
    admission: Admission,
    model: Model,
    batches: [TaskId; 3],
    /// The ids of every task so far, and of one that never entered.
    ids: Vec<TaskId>,
    /// The queues when they were compared last.
    queues: HashMap<LaneKey, Vec<TaskId>>,
}

impl Pair {
    fn new() -> Self {
        let batches = [(); 3].map(|()| TaskId::new());
        let mut pair = Self {
            admission: Admission::default(),
            model: Model::default(),
            batches,
            ids: vec![TaskId::new()],
            queues: HashMap::new(),
        };
        for kind in 0..GROUPS.len() {
            pair.declare(kind, Some(2), Some(3));
        }
        pair
    }

    fn scopes(&self) -> Vec<Scope> {
        let mut scopes = vec![Scope::App, Scope::Group("g".into())];
        scopes.extend(["a", "c", "d"].map(|kind| Scope::Kind(kind.into())));
        scopes.extend(self.batches.map(Scope::Batch));
        scopes
    }

    fn declare(&mut self, kind: usize, limit: Option<usize>, queue: Option<usize>) {
        let (kind, group) = GROUPS[kind];
        self.admission.declare(kind.into(), group.map(Into::into), limit, queue);
        self.model.limits.insert(Scope::Kind(kind.into()), limit);
        self.model.queue_limits.insert(Scope::Kind(kind.into()), queue);
    }

    fn set_limit(&mut self, of: Scope, limit: Option<usize>) {
        self.admission.set_limit(of.clone(), limit);
        self.model.limits.insert(of, limit);
    }

    fn enter(&mut self, batch: Option<TaskId>, tasks: Vec<(usize, i32, Vec<Hold>)>) -> Result<(), TestCaseError> {
        let task = |(kind, priority, holds): (usize, _, _)| {
            let lane = LaneKey { kind: KINDS[kind].map(Into::into), batch };
            Task { id: TaskId::new(), lane, priority, holds, stage: Stage::Waiting, yielded_by: 0 }
        };
        let tasks: Vec<_> = tasks.into_iter().map(task).collect();
        let entrants = tasks.iter().cloned().map(|Task { id, lane, priority, holds, .. }| {
            let holds = holds.into_iter().fold(Holds::default(), Holds::with);
            Entrant { id, lane, priority, holds }
        });
        self.ids.extend(tasks.iter().map(|task| task.id));
        let entered = self.admission.enter(entrants.collect(), 0);
        let full = self.model.enter(tasks);
        match entered {
            Ok(()) => prop_assert_eq!(full, []),
            Err(one) => prop_assert!(full.contains(&one), "{one:?} of {full:?}"),
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Enter(batch, tasks) => {
                let batch = batch.map(|(batch, limit)| (self.batches[batch], limit));
                if let Some((batch, limit)) = batch {
                    self.set_limit(Scope::Batch(batch), limit);
                    prop_assert_eq!(self.admission.limit(&Scope::Batch(batch)), limit);
                }
                self.enter(batch.map(|(batch, _)| batch), tasks)?;
            }
            Step::Admit => prop_assert_eq!(self.admission.admit(), self.model.admit()),
            // The limit of a batch without tasks is set when it enters.
            Step::SetLimit(of, limit) => match self.scopes()[of].clone() {
                Scope::Batch(batch) if !self.model.has_batch(batch) => {}
                of => self.set_limit(of, limit),
            },
            Step::SetQueueLimit(limit) => {
                self.admission.set_queue_limit(limit);
                self.model.queue_limits.insert(Scope::App, limit);
            }
            Step::Declare(kind, limit, queue) => self.declare(kind, limit, queue),
            Step::Task(which, deed) => {
                let id = *which.get(&self.ids);
                let (did, should) = self.deed(id, deed);
                prop_assert_eq!(did, should);
            }
        }
        Ok(())
    }

    /// Does the deed on both sides, and returns what each of them returned.
    fn deed(&mut self, id: TaskId, deed: Deed) -> (bool, bool) {
        let Self { admission, model, .. } = self;
        let mut move_to = |from: &[Stage], to| {
            model.alter(id, |task| {
                task.stage = if from.contains(&task.stage) { to } else { task.stage };
                true
            });
            (true, true)
        };
        match deed {
            Deed::Leave => (admission.leave(id), model.leave(id)),
            Deed::StepBack => {
                admission.step_back(id);
                move_to(&BEGUN, Stage::Away)
            }
            Deed::ComeBack => {
                admission.come_back(id);
                move_to(&[Stage::Away], Stage::Waiting)
            }
            Deed::YieldSlot(attempt) => {
                admission.yield_slot(id, attempt);
                model.alter(id, |task| {
                    let yields = task.stage == Stage::Running;
                    if yields {
                        (task.stage, task.yielded_by) = (Stage::Yielded, attempt);
                    }
                    yields
                });
                (true, true)
            }
            Deed::ReclaimSlot => {
                admission.reclaim_slot(id);
                move_to(&[Stage::Yielded], Stage::Reclaiming)
            }
            Deed::Hold(why) => {
                let held = model.alter(id, |task| {
                    let can = !BEGUN.contains(&task.stage) && !task.holds.contains(&why);
                    task.holds.extend(can.then_some(why));
                    can
                });
                (admission.hold(id, why), held)
            }
            Deed::Release(why) => {
                let released = model.alter(id, |task| {
                    let at = task.holds.iter().position(|hold| *hold == why);
                    at.map(|at| task.holds.remove(at)).is_some()
                });
                (admission.release(id, why), released)
            }
            Deed::SetPriority(priority) => {
                let set = model.alter(id, |task| {
                    let can = !BEGUN.contains(&task.stage);
                    task.priority = if can { priority } else { task.priority };
                    can
                });
                (admission.set_priority(id, priority), set)
            }
        }
    }

    /// Checks that both return the same for every query.
    fn compare(&self) -> Result<(), TestCaseError> {
        let Self { admission, model, ids, .. } = self;
        prop_assert_eq!(admission.len(), model.tasks.len());
        for id in ids {
            let runs = model.tasks.iter().any(|task| task.id == *id && task.stage == Stage::Running);
            prop_assert_eq!(admission.is_running(*id), runs);
            prop_assert_eq!(admission.queue_state(*id), model.queue_state(*id));
            let stage = model.tasks.iter().find(|task| task.id == *id).map(|task| task.stage);
            prop_assert_eq!(admission.waits(*id), stage.is_some_and(|stage| !BEGUN.contains(&stage)));
        }
        // Only the newest: all pairs would take too long.
        for pair in ids[ids.len().saturating_sub(8)..].windows(2) {
            for (id, holder) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                let (found, all) = (admission.is_blocked_by(id, holder), model.blocked_in(id, holder));
                prop_assert_eq!(found.is_some(), !all.is_empty());
                let lowest = all.iter().map(|(_, limit)| *limit).min();
                prop_assert!(found.is_none_or(|one| all.contains(&one) && Some(one.1) == lowest));
            }
        }
        for of in self.scopes() {
            prop_assert_eq!(admission.running(&of), model.count(&of, Stage::Running), "{:?}", of);
            let holders: BTreeSet<_> = admission.holders(&of).into_iter().collect();
            let has_slot = |task: &&Task| task.stage == Stage::Running && task.scopes().contains(&of);
            prop_assert_eq!(holders, model.tasks.iter().filter(has_slot).map(|task| task.id).collect(), "{:?}", of);
            prop_assert_eq!(admission.limit(&of), model.limit(&of), "{:?}", of);
        }
        let wanting = model.tasks.iter().any(Task::wants_slots);
        prop_assert_eq!(admission.is_waiting(), wanting);
        let lanes: HashSet<_> = model.tasks.iter().map(|task| task.lane.clone()).collect();
        prop_assert_eq!(admission.lanes.numbers.len(), lanes.len());
        let kinds: HashSet<_> = lanes.iter().map(|lane| &lane.kind).collect();
        prop_assert_eq!(admission.divisions.numbers.len(), kinds.len());
        self.compare_scopes()
    }

    /// Checks that the first tasks of each queue are told that has changed, and no task that is not among the first.
    fn compare_moved(&mut self) -> Result<(), TestCaseError> {
        let told = self.admission.take_moved(2);
        prop_assert_eq!(told.len(), told.iter().collect::<BTreeSet<_>>().len(), "told twice");
        let model = &self.model;
        let lanes: HashSet<_> = model.tasks.iter().map(|task| task.lane.clone()).collect();
        let queues: HashMap<_, _> = lanes.into_iter().map(|lane| (lane.clone(), model.queue(&lane))).collect();
        let first: BTreeSet<_> = queues.values().flat_map(|queue| queue.iter().take(2).copied()).collect();
        prop_assert!(told.iter().all(|id| first.contains(id)));
        for (lane, queue) in &queues {
            if self.queues.get(lane).is_some_and(|before| before != queue) {
                prop_assert!(queue.iter().take(2).all(|id| told.contains(id)), "{queue:?} has moved");
            }
        }
        self.queues = queues;
        Ok(())
    }

    /// Checks that the only scopes are the app's, and those that have tasks or limits.
    fn compare_scopes(&self) -> Result<(), TestCaseError> {
        let Self { admission, model, .. } = self;
        let set = model.limits.iter().chain(&model.queue_limits).filter(|(_, limit)| limit.is_some());
        let mut scopes: HashSet<_> = set.map(|(of, _)| of.clone()).collect();
        scopes.extend(model.tasks.iter().flat_map(Task::scopes).chain([Scope::App]));
        prop_assert_eq!(admission.rooms.numbers.keys().cloned().collect::<HashSet<_>>(), scopes);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_admission_follows_the_plain_rules(steps in steps()) {
        let mut pair = Pair::new();
        for step in steps {
            let running = |pair: &Pair, of: &Scope| pair.admission.running(of);
            let before: Vec<_> = pair.scopes().iter().map(|of| running(&pair, of)).collect();
            pair.step(step)?;
            for (of, before) in iter::zip(pair.scopes(), before) {
                let now = running(&pair, &of);
                prop_assert!(now <= before || pair.admission.limit(&of).is_none_or(|limit| now <= limit), "{of:?}");
            }
            pair.compare()?;
            pair.compare_moved()?;
        }
        // Nothing is lost: without limits, holds and delays every task runs, and when all have left, nothing is kept.
        for of in [Scope::App, Scope::Group("g".into())].into_iter().chain(pair.scopes()) {
            if pair.model.limits.contains_key(&of) {
                pair.set_limit(of, None);
            }
        }
        pair.step(Step::SetQueueLimit(None))?;
        for kind in 0..GROUPS.len() {
            pair.declare(kind, None, None);
        }
        for id in pair.ids.clone() {
            pair.deed(id, Deed::ComeBack);
            pair.deed(id, Deed::ReclaimSlot);
            for why in HOLDS {
                pair.deed(id, Deed::Release(why));
            }
        }
        pair.step(Step::Admit)?;
        prop_assert_eq!(pair.admission.running(&Scope::App), pair.admission.len());
        for id in pair.ids.clone() {
            pair.deed(id, Deed::Leave);
            pair.compare()?;
            pair.compare_moved()?;
        }
        let Admission { tasks, lanes, rooms, heads, divisions, moved, .. } = &pair.admission;
        prop_assert_eq!((divisions.numbers.len(), moved.len()), (0, 0));
        prop_assert_eq!((tasks.len(), lanes.numbers.len(), rooms.numbers.len(), heads.len()), (0, 0, 1, 0));
        prop_assert_eq!((lanes.free.len(), rooms.free.len()), (lanes.values.len(), rooms.values.len() - 1));
    }
}

fn entrant(kind: &str, priority: i32) -> Entrant {
    let lane = LaneKey { kind: Some(kind.into()), batch: None };
    Entrant { id: TaskId::new(), lane, priority, holds: Holds::default() }
}

fn batch(of: TaskId, count: usize) -> Vec<Entrant> {
    let lane = LaneKey { kind: Some("k".into()), batch: Some(of) };
    let member = || Entrant { id: TaskId::new(), lane: lane.clone(), priority: 0, holds: Holds::default() };
    iter::repeat_with(member).take(count).collect()
}

#[test]
fn the_entry_of_a_waiting_task_is_small() {
    assert!(size_of::<TaskEntry>() <= 32);
}

#[test]
fn positions_are_counted_up_to_the_last_one_shown() {
    let mut admission = Admission::default();
    admission.set_limit(Scope::App, Some(0));
    let entrants: Vec<_> = iter::repeat_with(|| entrant("k", 0)).take(PLACES + 2).collect();
    let ids: Vec<_> = entrants.iter().map(|entrant| entrant.id).collect();
    admission.enter(entrants, 0).unwrap();
    let positions = ids.into_iter().map(|id| admission.queue_state(id).unwrap().position.unwrap());
    assert!(positions.eq((1..=1_000).chain([1_000, 1_000])));
}

#[test]
fn with_a_queue_limit_of_zero_a_task_runs_at_once_or_is_refused() {
    let mut admission = Admission::default();
    admission.declare("k".into(), None, Some(2), Some(0));
    let of = Scope::Kind("k".into());
    let [one, two, three] = [(); 3].map(|()| entrant("k", 0));
    let full = Err(QueueFull { of: of.clone(), limit: 0 });
    assert_eq!(admission.enter(vec![one.clone(), two.clone(), three.clone()], 0), full, "all or none");
    assert_eq!((admission.len(), admission.lanes.numbers.len()), (0, 0));
    admission.enter(vec![one.clone(), two], 0).unwrap();
    assert_eq!(admission.enter(vec![three.clone()], 0), full, "even before the others are admitted");
    let _ = admission.admit();
    admission.leave(one.id);
    admission.enter(vec![three], 0).unwrap();
}

#[test]
fn a_queue_that_is_too_long_refuses_only_tasks_that_would_wait() {
    let mut admission = Admission::default();
    admission.declare("k".into(), None, Some(1), None);
    admission.set_queue_limit(Some(0));
    let (one, two) = (entrant("k", 0), entrant("k", 0));
    admission.enter(vec![one.clone()], 0).unwrap();
    let _ = admission.admit();
    admission.step_back(one.id);
    admission.enter(vec![two], 0).unwrap();
    let _ = admission.admit();
    admission.come_back(one.id);
    assert_eq!(admission.queue_state(one.id).unwrap().position, Some(1), "it waits, over the limit");
    admission.enter(vec![entrant("other", 0)], 0).unwrap();
    assert_eq!(admission.enter(vec![entrant("k", 0)], 0), Err(QueueFull { of: Scope::App, limit: 0 }));
}

#[test]
fn the_limit_of_a_batch_is_for_the_next_batch_to_enter() {
    let mut admission = Admission::default();
    let (first, second) = (TaskId::new(), TaskId::new());
    let of = Scope::Batch(first);
    let announce = |admission: &mut Admission| {
        admission.set_limit(of.clone(), Some(1));
        assert_eq!(admission.limit(&of), Some(1));
    };
    announce(&mut admission);
    admission.enter(vec![], 0).unwrap();
    assert_eq!(admission.limit(&of), None, "no batch entered");
    announce(&mut admission);
    admission.enter(batch(second, 1), 0).unwrap();
    assert_eq!((admission.limit(&of), admission.limit(&Scope::Batch(second))), (None, None), "another batch entered");
    announce(&mut admission);
    admission.declare("k".into(), None, None, Some(1));
    admission.enter(batch(first, 3), 0).unwrap_err();
    assert_eq!(admission.limit(&of), None, "the batch was refused");
    announce(&mut admission);
    let members = batch(first, 2);
    admission.enter(members.clone(), 0).unwrap();
    assert_eq!(admission.admit().begin.len(), 2, "the task of the other batch, and one of this batch");
    for Entrant { id, .. } in members {
        assert_eq!(admission.limit(&of), Some(1));
        admission.leave(id);
    }
    assert_eq!((admission.limit(&of), admission.rooms.find(&of)), (None, None));
}

#[test]
fn a_lane_keeps_its_group_while_it_has_tasks() {
    let mut admission = Admission::default();
    let (old, new) = (Scope::Group("old".into()), Scope::Group("new".into()));
    let (one, two) = (entrant("k", 0), entrant("k", 0));
    for (group, entrant) in [("old", &one), ("new", &two)] {
        admission.declare("k".into(), Some(group.into()), None, None);
        admission.enter(vec![entrant.clone()], 0).unwrap();
        let _ = admission.admit();
    }
    assert_eq!((admission.running(&old), admission.running(&new)), (2, 0));
    admission.leave(one.id);
    admission.leave(two.id);
    admission.enter(vec![one], 0).unwrap();
    let _ = admission.admit();
    assert_eq!((admission.running(&old), admission.running(&new)), (0, 1));
}

/// A task that a handler starts and awaits ranks behind it, so the handler has its slot back before the next one begins.
#[test]
fn a_task_gets_its_slot_back_in_its_old_place() {
    let mut admission = Admission::default();
    admission.set_limit(Scope::App, Some(1));
    let [urgent, first, child, later] =
        [("a", 1), ("a", 0), ("b", 0), ("a", 0)].map(|(kind, rank)| entrant(kind, rank));
    admission.enter(vec![first.clone(), child.clone(), later.clone()], 0).unwrap();
    assert_eq!(admission.admit().begin, [first.id]);
    admission.yield_slot(first.id, 3);
    assert_eq!(admission.admit().begin, [child.id]);
    admission.enter(vec![urgent.clone()], 0).unwrap();
    admission.reclaim_slot(first.id);
    assert_eq!(admission.queue_state(first.id), None, "it runs, and so waits in no queue");
    assert_eq!(admission.queue_state(later.id).unwrap().position, Some(2), "only the urgent one is before it");
    assert_eq!(admission.is_blocked_by(first.id, child.id), Some((Scope::App, 1)));
    let mut turns = vec![];
    for id in [child.id, urgent.id, first.id, later.id] {
        admission.leave(id);
        turns.push(admission.admit());
    }
    let expected = [
        Admitted { begin: vec![urgent.id], ..Admitted::default() },
        Admitted { go_on: vec![(first.id, 3)], ..Admitted::default() },
        Admitted { begin: vec![later.id], ..Admitted::default() },
        Admitted::default(),
    ];
    assert_eq!(turns, expected);
}

#[test]
fn a_task_that_wants_its_slot_back_counts_for_no_queue_limit() {
    let mut admission = Admission::default();
    admission.declare("k".into(), None, Some(1), Some(1));
    let [parent, child, next] = [(); 3].map(|()| entrant("k", 0));
    admission.enter(vec![parent.clone(), child.clone()], 0).unwrap();
    let _ = admission.admit();
    admission.yield_slot(parent.id, 1);
    let _ = admission.admit();
    admission.reclaim_slot(parent.id);
    admission.enter(vec![next], 0).unwrap();
    assert!(admission.enter(vec![entrant("k", 0)], 0).is_err());
}

#[test]
fn the_first_of_a_queue_is_blocked_by_those_that_have_the_slots() {
    let mut admission = Admission::default();
    admission.declare("k".into(), None, Some(2), None);
    let [one, two, first, second] = [(); 4].map(|()| entrant("k", 0));
    admission.enter(vec![one.clone(), two.clone(), entrant("other", 0), first.clone(), second.clone()], 0).unwrap();
    let _ = admission.admit();
    let (scope, limit, mut holders) = admission.blocked_in(first.id).unwrap();
    holders.sort_unstable();
    assert_eq!((scope, limit, holders), (Scope::Kind("k".into()), 2, vec![one.id, two.id]));
    assert_eq!(admission.blocked_in(second.id), None, "it is not the first");
    assert_eq!(admission.blocked_in(one.id), None, "it runs");
    admission.hold(first.id, Hold::User);
    assert_eq!(admission.blocked_in(first.id), None, "it is held");
    assert!(admission.blocked_in(second.id).is_some());
}
