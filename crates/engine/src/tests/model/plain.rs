//! The plain model.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    ops::Range,
};

use super::{
    script::{APP_QUEUE, KINDS, Of, Options, PLAIN, Script, limits, scopes},
    task::{Attempt, Event, How, Life, Phase, Place, Task, Why},
};
use crate::{CancelReason, ErrorKind, OnConflict, QueuePlace, TaskStatus, TimeLimit};
use TaskStatus::{Cancelling, Completed, Failed, Queued, Retrying, Running, TimedOut};

/// A batch notices the end of its last member within this time.
pub(super) const FRAME: u64 = 40;

#[derive(Debug)]
pub(super) struct Batch {
    pub(super) kind: usize,
    members: Range<usize>,
    pub(super) life: Life,
    /// Its last member ended at this time, so it ends soon.
    pub(super) done: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ref {
    Task(usize),
    Batch(usize),
}

/// What happens at once, but only after the call has returned.
#[derive(Debug, Clone, Copy)]
enum Soon {
    Begin(usize),
    Drop(usize),
    DropBatch(usize),
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) now: u64,
    /// In the order in which they were started.
    pub(super) tasks: Vec<Task>,
    pub(super) batches: Vec<Batch>,
    pub(super) all: Vec<Ref>,
    pub(super) limits: HashMap<Of, usize>,
    soon: VecDeque<Soon>,
    /// The attempts that began.
    pub(super) begun: Vec<(usize, u32)>,
}

/// Two things happened at the same time and their order matters.
pub(super) struct Tie;

impl Model {
    pub(super) fn new() -> Self {
        let (tasks, batches, all) = (vec![], vec![], vec![]);
        Self { now: 0, tasks, batches, all, limits: limits(), soon: VecDeque::new(), begun: vec![] }
    }

    // Rules.

    pub(super) fn count(&self, test: impl Fn(&Task) -> bool) -> usize {
        self.tasks.iter().filter(|task| test(task)).count()
    }

    fn running(&self, of: Of) -> usize {
        let has_slot = |task: &Task| matches!(task.place, Place::Admitted | Place::Running);
        self.count(|task| has_slot(task) && scopes(task.kind, task.batch).contains(&of))
    }

    pub(super) fn has_room(&self, of: Of) -> bool {
        self.limits.get(&of).is_none_or(|limit| self.running(of) < *limit)
    }

    /// The live tasks with this key, oldest first.
    fn rivals(&self, kind: usize, key: u8) -> Vec<usize> {
        let same = |task: &Task| task.kind == Some(kind) && task.options.key.is_some_and(|(other, _)| other == key);
        let live = |at: &usize| same(&self.tasks[*at]) && !self.tasks[*at].life.is_over();
        (0..self.tasks.len()).filter(live).collect()
    }

    /// Whether it waits only for a slot.
    fn is_ready(&self, at: usize) -> bool {
        let task = &self.tasks[at];
        let key = task.kind.zip(task.options.key);
        let is_first = key.is_none_or(|(kind, (key, _))| self.rivals(kind, key).first() == Some(&at));
        task.place == Place::Waiting && !task.held && task.due.is_none() && is_first
    }

    /// The tasks that wait only for a slot, best first.
    pub(super) fn ready(&self) -> Vec<usize> {
        let mut ready: Vec<_> = (0..self.tasks.len()).filter(|at| self.is_ready(*at)).collect();
        ready.sort_by_key(|at| (Reverse(self.tasks[*at].priority), *at));
        ready
    }

    pub(super) fn queue_place(&self, at: usize) -> Option<QueuePlace> {
        let task = &self.tasks[at];
        // A batch without a limit of its own waits with the others of its kind.
        let own = |task: &Task| task.batch.filter(|batch| self.limits.contains_key(&Of::Batch(*batch)));
        let lane = |at: &usize| (self.tasks[*at].kind, own(&self.tasks[*at])) == (task.kind, own(task));
        let position = self.ready().into_iter().filter(lane).position(|other| other == at);
        let position = position.map(|index| u32::try_from(index).unwrap() + 1);
        let place = QueuePlace { position, priority: task.priority, held: task.held };
        (task.place == Place::Waiting).then_some(place)
    }

    // Calls.

    fn admit(&mut self) {
        for at in self.ready() {
            let Task { kind, batch, .. } = self.tasks[at];
            if scopes(kind, batch).into_iter().all(|of| self.has_room(of)) {
                self.tasks[at].place = Place::Admitted;
                self.soon.push_back(Soon::Begin(at));
            }
        }
    }

    fn add(&mut self, kind: Option<usize>, batch: Option<usize>, script: &Script, options: &Options) -> usize {
        let rules = kind.map_or(&PLAIN, |kind| &KINDS[kind]);
        let deadline = options.deadline.into_iter().chain(rules.deadline).min();
        self.tasks.push(Task {
            kind,
            batch,
            script: script.clone(),
            options: options.clone(),
            priority: options.priority,
            held: options.held,
            place: Place::Waiting,
            life: Life::new(self.now),
            due: options.delay.filter(|delay| *delay > 0).map(|delay| self.now + delay),
            deadline: deadline.map(|length| self.now + length),
            timeout: None,
            run: None,
        });
        self.all.push(Ref::Task(self.tasks.len() - 1));
        self.tasks.len() - 1
    }

    /// Lets in the tasks that `add` adds, unless too many would be left waiting. `leaving` is how many waiting tasks
    /// are about to leave; they don't count.
    fn enter<T>(&mut self, kind: usize, leaving: usize, add: impl FnOnce(&mut Self) -> T) -> Result<T, ErrorKind> {
        let waiting = |model: &Self| {
            let of_kind = |task: &Task| task.place == Place::Waiting && task.kind == Some(kind);
            [model.count(of_kind), model.count(|task| task.place == Place::Waiting)]
        };
        let (tasks, all, before) = (self.tasks.len(), self.all.len(), waiting(self));
        let added = add(self);
        self.admit();
        let limits = [KINDS[kind].queue, Some(APP_QUEUE)];
        let after = waiting(self).map(|waiting| waiting.saturating_sub(leaving));
        let too_many = |at: usize| after[at] > before[at] && limits[at].is_some_and(|limit| after[at] > limit);
        if too_many(0) || too_many(1) {
            self.tasks.truncate(tasks);
            self.all.truncate(all);
            self.soon.clear();
            return Err(ErrorKind::QueueFull);
        }
        Ok(added)
    }

    /// Returns the task that the caller gets, which may be an older one.
    pub(super) fn start(&mut self, kind: usize, script: &Script, options: &Options) -> Result<usize, ErrorKind> {
        let rivals = options.key.map(|(key, _)| self.rivals(kind, key)).unwrap_or_default();
        let mut replaced = vec![];
        if let Some((_, on_conflict)) = options.key
            && !rivals.is_empty()
        {
            match on_conflict {
                OnConflict::Refuse => return Err(ErrorKind::KeyTaken),
                // A task that is about to stop is not joined.
                OnConflict::Join => {
                    if let Some(lasting) = rivals.iter().find(|at| self.tasks[**at].life.status() != Cancelling) {
                        return Ok(*lasting);
                    }
                }
                OnConflict::Replace => replaced = rivals,
                OnConflict::Append => {}
            }
        }
        let leaving = replaced.iter().filter(|rival| self.tasks[**rival].place == Place::Waiting).count();
        let at = self.enter(kind, leaving, |model| model.add(Some(kind), None, script, options))?;
        for rival in replaced {
            let _ = self.stop(rival, Why::Cancel(CancelReason::Replaced));
        }
        Ok(at)
    }

    pub(super) fn spawn(&mut self, script: &Script) {
        self.add(None, None, script, &Options::default());
        self.admit();
    }

    pub(super) fn start_batch(
        &mut self,
        kind: usize,
        scripts: &[Script],
        concurrency: Option<usize>,
        priority: i32,
    ) -> Result<(), ErrorKind> {
        let batch = self.batches.len();
        let begin = self.tasks.len();
        self.limits.extend(concurrency.map(|limit| (Of::Batch(batch), limit)));
        let options = Options { priority, ..Options::default() };
        let members = self.enter(kind, 0, |model| {
            model.all.push(Ref::Batch(batch));
            for script in scripts {
                model.add(Some(kind), Some(batch), script, &options);
            }
            begin..begin + scripts.len()
        });
        if members.is_err() {
            self.limits.remove(&Of::Batch(batch));
        }
        let members = members?;
        let mut life = Life::new(self.now);
        life.begin(self.now);
        let done = members.is_empty().then_some(self.now);
        self.batches.push(Batch { kind, members, life, done });
        Ok(())
    }

    pub(super) fn rerun(&mut self, of: Ref) -> Result<usize, ErrorKind> {
        match self.life(of).status() {
            status if !status.is_final() => Err(ErrorKind::NotEnded),
            Completed => Err(ErrorKind::NotRerunnable),
            _ => {
                let Ref::Task(at) = of else { return Err(ErrorKind::NotRerunnable) };
                let Task { kind, script, options, .. } = self.tasks[at].clone();
                let kind = kind.ok_or(ErrorKind::NotRerunnable)?;
                self.start(kind, &script, &Options { held: false, ..options })
            }
        }
    }

    fn life(&self, of: Ref) -> &Life {
        match of {
            Ref::Task(at) => &self.tasks[at].life,
            Ref::Batch(at) => &self.batches[at].life,
        }
    }

    pub(super) fn cancel(&mut self, of: Ref, reason: CancelReason) -> Result<(), ErrorKind> {
        match of {
            Ref::Task(at) => self.stop(at, Why::Cancel(reason)),
            Ref::Batch(at) => self.stop_batch(at, Why::Cancel(reason)),
        }
    }

    /// Stops waiting tasks first, so that none gets a slot that another leaves. Returns how many had not ended.
    pub(super) fn cancel_all(&mut self, mut all: Vec<Ref>, reason: CancelReason) -> usize {
        all.sort_by_key(|of| matches!(self.life(*of).status(), Running | Cancelling));
        all.into_iter().filter(|of| self.cancel(*of, reason.clone()).is_ok()).count()
    }

    fn stop_batch(&mut self, at: usize, why: Why) -> Result<(), ErrorKind> {
        let batch = &mut self.batches[at];
        if batch.life.is_over() {
            return Err(ErrorKind::AlreadyEnded);
        }
        if batch.life.stop.is_none() {
            batch.life.stop = Some((why, self.now));
            batch.life.become_(Cancelling, self.now);
            self.soon.push_back(Soon::DropBatch(at));
            // Waiting members first: none gets a slot that another leaves.
            let mut members: Vec<_> = batch.members.clone().collect();
            members.sort_by_key(|member| self.tasks[*member].place != Place::Waiting);
            for member in members {
                let _ = self.stop(member, Why::Cancel(CancelReason::Parent));
            }
        }
        Ok(())
    }

    fn stop(&mut self, at: usize, why: Why) -> Result<(), ErrorKind> {
        let now = self.now;
        let task = &mut self.tasks[at];
        match task.place {
            Place::Over => return Err(ErrorKind::AlreadyEnded),
            Place::Running if task.life.stop.is_some() => {}
            Place::Running => {
                task.life.stop = Some((why.clone(), now));
                task.life.become_(Cancelling, now);
                let grace = task.rules().grace;
                let leaves = match task.script.leaves {
                    None => {
                        self.soon.push_back(Soon::Drop(at));
                        (now, How::Dropped)
                    }
                    Some((wait, _)) if wait >= grace => (now + grace, How::Dropped),
                    Some((wait, finishes)) => (now + wait, if finishes { How::Output } else { How::Error }),
                };
                if let Some(run) = &mut task.run {
                    run.phase = Phase::Leaves(leaves.0, leaves.1);
                }
            }
            Place::Waiting | Place::Admitted | Place::Away(_) => {
                task.life.stop = Some((why.clone(), now));
                self.finish(at, why.end());
            }
        }
        Ok(())
    }

    /// Changes a waiting task, and admits the tasks that may run then.
    pub(super) fn alter(&mut self, of: Ref, change: impl FnOnce(&mut Task)) -> Result<(), ErrorKind> {
        match of {
            Ref::Task(at) if self.tasks[at].is_waiting() => {
                change(&mut self.tasks[at]);
                self.admit();
                Ok(())
            }
            _ => Err(ErrorKind::NotQueued),
        }
    }

    pub(super) fn pause(&mut self, of: Ref) -> Result<(), ErrorKind> {
        self.set_held(of, true)
    }

    /// The turn of a queued task may have come already: that is no error.
    pub(super) fn resume(&mut self, of: Ref) -> Result<(), ErrorKind> {
        let is_queued = self.life(of).status() == Queued;
        self.set_held(of, false).or_else(|error| if is_queued { Ok(()) } else { Err(error) })
    }

    fn set_held(&mut self, of: Ref, held: bool) -> Result<(), ErrorKind> {
        let has_ended = self.life(of).status().is_final();
        self.alter(of, |task| task.held = held)
            .map_err(|_| if has_ended { ErrorKind::AlreadyEnded } else { ErrorKind::NotPausable })
    }

    pub(super) fn set_limit(&mut self, of: Of, limit: Option<usize>) {
        match limit {
            Some(limit) => self.limits.insert(of, limit),
            None => self.limits.remove(&of),
        };
        self.admit();
    }

    // Events.

    fn settle(&mut self) {
        while let Some(soon) = self.soon.pop_front() {
            match soon {
                Soon::Begin(at) if self.tasks[at].place == Place::Admitted => self.begin(at),
                Soon::Begin(_) => {}
                Soon::Drop(at) => self.handler_over(at, How::Dropped),
                Soon::DropBatch(at) => self.end_batch(at),
            }
        }
    }

    fn begin(&mut self, at: usize) {
        let now = self.now;
        let task = &mut self.tasks[at];
        let rules = task.rules();
        if task.life.attempt == 0 {
            let timeout = task.options.timeout.into_iter().chain(rules.timeout).min();
            task.timeout = timeout.map(|length| now + length);
        }
        task.place = Place::Running;
        task.life.begin(now);
        let look = rules.stall.map(|stall| (now + stall / 8, 0, false));
        task.run = Some(Attempt { since: now, phase: Phase::Works, reported: 0, look });
        self.begun.push((at, task.life.attempt));
    }

    /// Ends the handler. Its clean-up follows if it was stopped.
    fn handler_over(&mut self, at: usize, how: How) {
        let now = self.now;
        let task = &mut self.tasks[at];
        // A task that completes despite a cancel has nothing to clean up.
        if let (Some((why, stopped)), Some(cleans)) = (task.life.stop.clone(), task.script.cleans)
            && (how != How::Output || why.end() == TimedOut)
        {
            let grace = task.rules().grace;
            let left = Some(grace.saturating_sub(now - stopped)).filter(|left| *left > 0).unwrap_or(grace);
            if let Some(run) = &mut task.run {
                run.phase = Phase::Cleans(now + left.min(cleans));
            }
            return;
        }
        self.end_attempt(at, how);
    }

    fn end_attempt(&mut self, at: usize, how: How) {
        let now = self.now;
        let task = &mut self.tasks[at];
        let status = match (task.life.stop.clone(), how) {
            (Some((Why::Cancel(_), _)) | None, How::Output) => Completed,
            (Some((why, _)), _) => why.end(),
            (None, How::Panic | How::Dropped) => Failed,
            (None, How::Error) => {
                let attempt = task.life.attempt;
                if let Some((attempts, delay)) = task.rules().retry
                    && attempt < attempts
                {
                    task.life.become_(Retrying, now);
                    task.place = Place::Away(now + (delay << (attempt - 1)));
                    self.admit();
                    return;
                }
                Failed
            }
        };
        self.finish(at, status);
    }

    fn finish(&mut self, at: usize, status: TaskStatus) {
        let task = &mut self.tasks[at];
        task.life.become_(status, self.now);
        task.place = Place::Over;
        let batch = task.batch;
        self.admit();
        if let Some(batch) = batch {
            self.end_batch(batch);
        }
    }

    fn end_batch(&mut self, at: usize) {
        let Some(Batch { members, life, done, .. }) = self.batches.get_mut(at) else { return };
        if life.is_over() || !self.tasks[members.clone()].iter().all(|task| task.life.is_over()) {
            return;
        }
        match life.stop.clone() {
            Some((why, _)) => life.become_(why.end(), self.now),
            None => *done = Some(self.now),
        }
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, to: u64) -> Result<(), Tie> {
        loop {
            self.settle();
            let overdue = self.batches.iter().filter_map(|batch| batch.life.overdue_at(KINDS[batch.kind].grace));
            let events = self.tasks.iter().flat_map(Task::events).map(|(at, _)| at);
            let Some(next) = events.chain(overdue).min().filter(|next| *next <= to) else { break };
            self.now = next;
            let mut now = vec![];
            let mut public = 0;
            for (at, task) in self.tasks.iter().enumerate() {
                let events: Vec<_> = task.events().into_iter().filter(|(when, _)| *when == next).collect();
                if events.len() > 1 {
                    return Err(Tie);
                }
                public += events.iter().filter(|(_, event)| !task.is_private(*event)).count();
                now.extend(events.into_iter().map(|(_, event)| (at, event)));
            }
            if public > 1 {
                return Err(Tie);
            }
            for batch in &mut self.batches {
                if batch.life.overdue_at(KINDS[batch.kind].grace) == Some(next) {
                    batch.life.outstay(next);
                }
            }
            for (at, event) in now {
                self.happen(at, event);
                self.settle();
            }
        }
        self.now = to;
        for batch in &mut self.batches {
            if let Some(done) = batch.done
                && done + FRAME <= to
                && !batch.life.is_over()
            {
                batch.life.become_(Completed, done);
            }
        }
        Ok(())
    }

    fn happen(&mut self, at: usize, event: Event) {
        let stalls = self.tasks[at].stalls();
        let task = &mut self.tasks[at];
        let rules = task.rules();
        match (event, &mut task.run) {
            (Event::Limit(limit), _) => drop(self.stop(at, Why::Limit(limit))),
            (Event::Due, _) => {
                task.due = None;
                self.admit();
            }
            (Event::Back, _) => {
                task.place = Place::Waiting;
                task.life.become_(Queued, self.now);
                self.admit();
            }
            (Event::Works, run) => {
                if let (Some(run), Some(_)) = (run, task.script.reports) {
                    run.reported += 1;
                }
                let how = match task.script {
                    Script { fails, .. } if task.life.attempt <= fails => How::Error,
                    Script { panics: true, .. } => How::Panic,
                    _ => How::Output,
                };
                self.handler_over(at, how);
            }
            (Event::Leaves(how), _) => self.handler_over(at, how),
            (Event::Cleaned, _) => self.end_attempt(at, How::Dropped),
            (Event::Overdue, _) => task.life.outstay(self.now),
            (Event::Reports, Some(run)) => {
                run.reported += 1;
                run.look = run.look.map(|(at, silent, _)| (at, silent, true));
            }
            (Event::Look, _) if stalls => drop(self.stop(at, Why::Limit(TimeLimit::Stalled))),
            (Event::Look, Some(Attempt { look: Some((when, silent, touched)), .. })) => {
                let step = rules.stall.unwrap_or_default() / 8;
                *silent = if *touched { 0 } else { *silent + step };
                *touched = false;
                *when += step;
            }
            (Event::Reports | Event::Look, _) => unreachable!("only what runs does this"),
        }
    }
}
