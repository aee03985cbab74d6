//! The handlers, and what they observe.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use super::script::{Of, Rules, Script, ms, scopes};
use crate::{Backoff, Failure, Retry, TaskContext, TaskId, policy::Policy, record::Kind, run::handler::Errors};

#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    pub(super) kind: Option<usize>,
    pub(super) batch: Option<usize>,
    pub(super) key: Option<u8>,
}

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) seats: HashMap<TaskId, Seat>,
    pub(super) limits: HashMap<Of, usize>,
    /// The tasks whose handlers or clean-ups are running.
    pub(super) inside: Vec<TaskId>,
    /// The attempts that began. The order of those in the same moment is not promised.
    pub(super) begun: HashSet<(TaskId, u32)>,
    pub(super) reported: HashMap<TaskId, u64>,
    /// Violations of the engine's promises.
    pub(super) wrong: Vec<String>,
}

impl World {
    fn enter(&mut self, id: TaskId, attempt: u32) {
        let seat = self.seats[&id];
        for of in scopes(seat.kind, seat.batch) {
            let there = |id: &&TaskId| {
                let other = self.seats[id];
                scopes(other.kind, other.batch).contains(&of)
            };
            let others = self.inside.iter().filter(there).count();
            if let Some(limit) = self.limits.get(&of)
                && others >= *limit
            {
                self.wrong.push(format!("{id} begins in {of:?}, where {others} run and {limit} may"));
            }
        }
        let same_key = |other: &TaskId| {
            let other = self.seats[other];
            seat.key.is_some() && (other.kind, other.key) == (seat.kind, seat.key)
        };
        if self.inside.iter().any(|other| *other == id || same_key(other)) {
            self.wrong.push(format!("{id} begins while it or a task with its key still runs"));
        }
        self.inside.push(id);
        if !self.begun.insert((id, attempt)) {
            self.wrong.push(format!("attempt {attempt} of {id} begins again"));
        }
        self.reported.insert(id, 0);
    }
}

/// A handler or a clean-up that is not over.
struct Inside {
    id: TaskId,
    world: Arc<Mutex<World>>,
}

impl Inside {
    fn new(context: &TaskContext, world: &Arc<Mutex<World>>) -> Self {
        world.lock().enter(context.id(), context.attempt());
        Self { id: context.id(), world: Arc::clone(world) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.world.lock().inside.retain(|id| *id != self.id);
    }
}

pub(super) async fn handler(context: TaskContext, script: Script, world: Arc<Mutex<World>>) -> Result<(), Failure> {
    let inside = Arc::new(Inside::new(&context, &world));
    if let Some(cleans) = script.cleans {
        let inside = Arc::clone(&inside);
        context.on_cancel(async move {
            let _inside = inside;
            sleep(ms(cleans)).await;
        });
    }
    let works = works(&context, &script, &world);
    let Some((wait, finishes)) = script.leaves else { return works.await };
    let token = context.token();
    tokio::select! {
        biased;
        () = token.cancelled() => {
            sleep(ms(wait)).await;
            if finishes { Ok(()) } else { Err(Failure::new("told to leave")) }
        }
        result = works => result,
    }
}

async fn works(context: &TaskContext, script: &Script, world: &Mutex<World>) -> Result<(), Failure> {
    let begin = Instant::now();
    let (rhythm, times) = script.reports.unwrap_or_default();
    let report = |time| {
        context.progress().set(time);
        world.lock().reported.insert(context.id(), time);
        time
    };
    let mut reported = 0;
    for time in 1..=times {
        if script.works.is_some_and(|works| works <= rhythm * time) {
            break;
        }
        sleep_until(begin + ms(rhythm * time)).await;
        reported = report(time);
    }
    match script.works {
        None => std::future::pending().await,
        Some(works) => sleep_until(begin + ms(works)).await,
    }
    if script.reports.is_some() {
        report(reported + 1);
    }
    if context.attempt() <= script.fails {
        return Err(Failure::new("as told"));
    }
    if script.panics {
        // Like `panic!`, but nothing is printed.
        std::panic::resume_unwind(Box::new("as told"));
    }
    Ok(())
}

pub(super) fn kind(rules: &Rules, world: &Arc<Mutex<World>>) -> Kind {
    let retry = |(attempts, delay)| {
        Retry::attempts(attempts).backoff(Backoff::exponential().first_delay(ms(delay)).jitter(false))
    };
    let policy = Policy {
        grace: ms(rules.grace),
        concurrency: rules.concurrency,
        queue_limit: rules.queue,
        group: rules.grouped.then(|| "group".into()),
        timeout: rules.timeout.map(ms),
        attempt_timeout: rules.attempt_timeout.map(ms),
        stall_timeout: rules.stall.map(ms),
        deadline: rules.deadline.map(ms),
        retry: rules.retry.map(retry),
        ..Policy::default()
    };
    let world = Arc::clone(world);
    let handler = move |context: TaskContext, script| handler(context, script, Arc::clone(&world));
    Kind::new(rules.name, policy, Errors::default(), handler)
}
