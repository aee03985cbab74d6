//! The input of a case: the kinds with their rules, the steps with their scripts, and how they are generated.

use std::{collections::HashMap, time::Duration};

use proptest::{prelude::*, sample::Index};
use serde::{Deserialize, Serialize};

use crate::{OnConflict, StartOptions};

pub(super) const APP_LIMIT: usize = 5;
pub(super) const APP_QUEUE: usize = 12;
pub(super) const GROUP_LIMIT: usize = 3;
/// Spawned tasks have the grace period of the default policy.
pub(super) const SPAWNED_GRACE: u64 = 5_000;

/// The rules of a kind. All times are in milliseconds.
pub(super) struct Rules {
    pub(super) name: &'static str,
    pub(super) grouped: bool,
    pub(super) concurrency: Option<usize>,
    pub(super) queue: Option<usize>,
    pub(super) grace: u64,
    pub(super) timeout: Option<u64>,
    pub(super) attempt_timeout: Option<u64>,
    pub(super) stall: Option<u64>,
    pub(super) deadline: Option<u64>,
    /// How many attempts there are in all, and the first delay, which doubles each time.
    pub(super) retry: Option<(u32, u64)>,
}

pub(super) const PLAIN: Rules = Rules {
    name: "plain",
    grouped: false,
    concurrency: None,
    queue: None,
    grace: 1_500,
    timeout: None,
    attempt_timeout: None,
    stall: None,
    deadline: None,
    retry: None,
};

pub(super) const KINDS: [Rules; 5] = [
    PLAIN,
    Rules { name: "narrow", concurrency: Some(1), queue: Some(3), grace: 700, ..PLAIN },
    Rules { name: "stubborn", grouped: true, concurrency: Some(2), retry: Some((3, 500)), ..PLAIN },
    Rules { name: "watched", grouped: true, queue: Some(4), stall: Some(2_000), grace: 900, ..PLAIN },
    Rules {
        name: "timed",
        concurrency: Some(3),
        timeout: Some(9_001),
        attempt_timeout: Some(4_007),
        deadline: Some(20_011),
        retry: Some((2, 1_000)),
        ..PLAIN
    },
];

/// What a handler does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Script {
    /// How long an attempt works; `None` if it never ends by itself.
    pub(super) works: Option<u64>,
    /// How many attempts fail.
    pub(super) fails: u32,
    /// Whether an attempt that doesn't fail panics, instead of completing.
    pub(super) panics: bool,
    /// If set, it uses its token, and returns this long after a cancel, with its output or with an error.
    pub(super) leaves: Option<(u64, bool)>,
    /// If set, it has a clean-up that takes this long.
    pub(super) cleans: Option<u64>,
    /// If set, it reports at this interval, this many times, and once more right before its end.
    pub(super) reports: Option<(u64, u64)>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) priority: i32,
    pub(super) held: bool,
    pub(super) key: Option<(u8, OnConflict)>,
    pub(super) delay: Option<u64>,
    pub(super) timeout: Option<u64>,
    pub(super) deadline: Option<u64>,
}

impl Options {
    pub(super) fn real(&self) -> StartOptions {
        let mut options = StartOptions::new().priority(self.priority);
        if self.held {
            options = options.held();
        }
        if let Some((key, on_conflict)) = self.key {
            options = options.key(key.to_string(), on_conflict);
        }
        options.delay = self.delay.map(ms);
        options.timeout = self.timeout.map(ms);
        options.deadline = self.deadline.map(ms);
        options
    }
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Start(usize, Script, Options),
    Spawn(Script),
    Batch { kind: usize, scripts: Vec<Script>, concurrency: Option<usize>, priority: i32 },
    Cancel(Index),
    CancelAll(Option<usize>),
    Pause(Index),
    Resume(Index),
    SetPriority(Index, i32),
    SetLimit(Of, Option<usize>),
    Retry(Index),
    Advance(u64),
}

fn script() -> impl Strategy<Value = Script> {
    let rhythm = (1_u64..150).prop_map(|tens| tens * 10 + 3);
    // Odd: whether one that leaves just when its grace period ends still completes is left open.
    let leaves = (0_u64..1_250, any::<bool>()).prop_map(|(half, finishes)| (half * 2 + 1, finishes));
    (
        prop_oneof![5 => (1_u64..6_000).prop_map(Some), 1 => Just(None)],
        prop_oneof![3 => Just(0_u32), 2 => 1_u32..4],
        prop::bool::weighted(0.15),
        prop::option::of(leaves),
        prop::option::weighted(0.3, 1_u64..2_500),
        prop::option::of((rhythm, 0_u64..12)),
    )
        .prop_map(|(works, fails, panics, leaves, cleans, reports)| Script {
            works,
            fails,
            panics,
            leaves,
            cleans,
            reports,
        })
}

fn options() -> impl Strategy<Value = Options> {
    use OnConflict::{Append, Join, Refuse, Replace};
    let on_conflict = prop::sample::select(vec![Refuse, Join, Replace, Append]);
    (
        -1..=1_i32,
        prop::bool::weighted(0.1),
        prop::option::weighted(0.4, (0_u8..2, on_conflict)),
        prop::option::weighted(0.2, prop_oneof![1 => Just(0_u64), 4 => 1_u64..3_000]),
        prop::option::weighted(0.2, 1_u64..6_000),
        prop::option::weighted(0.2, 1_u64..10_000),
    )
        .prop_map(|(priority, held, key, delay, timeout, deadline)| Options {
            priority,
            held,
            key,
            delay,
            timeout,
            deadline,
        })
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = || 0..KINDS.len();
    let of = prop_oneof![Just(Of::App), Just(Of::Group), kind().prop_map(Of::Kind)];
    let limit = prop::option::of(0_usize..5);
    let batch = (kind(), prop::collection::vec(script(), 0..5), prop::option::of(0_usize..4), -1..=1_i32);
    let step = prop_oneof![
        10 => (kind(), script(), options()).prop_map(|(kind, script, options)| Step::Start(kind, script, options)),
        1 => script().prop_map(Step::Spawn),
        1 => batch.prop_map(|(kind, scripts, concurrency, priority)| Step::Batch { kind, scripts, concurrency, priority }),
        3 => any::<Index>().prop_map(Step::Cancel),
        1 => prop::option::weighted(0.8, kind()).prop_map(Step::CancelAll),
        1 => any::<Index>().prop_map(Step::Pause),
        2 => any::<Index>().prop_map(Step::Resume),
        1 => (any::<Index>(), -2..=2_i32).prop_map(|(task, priority)| Step::SetPriority(task, priority)),
        2 => (of, limit).prop_map(|(of, limit)| Step::SetLimit(of, limit)),
        2 => any::<Index>().prop_map(Step::Retry),
        8 => (1_u64..4_000).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..50)
}

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

// The limits of the engine and of the model.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Of {
    App,
    Group,
    Kind(usize),
    Batch(usize),
}

/// Where a task takes a slot.
pub(super) fn scopes(kind: Option<usize>, batch: Option<usize>) -> Vec<Of> {
    let group = kind.filter(|kind| KINDS[*kind].grouped).map(|_| Of::Group);
    [Some(Of::App), kind.map(Of::Kind), group, batch.map(Of::Batch)].into_iter().flatten().collect()
}

pub(super) fn limits() -> HashMap<Of, usize> {
    let mut limits = HashMap::from([(Of::App, APP_LIMIT), (Of::Group, GROUP_LIMIT)]);
    for (kind, rules) in KINDS.iter().enumerate() {
        limits.extend(rules.concurrency.map(|limit| (Of::Kind(kind), limit)));
    }
    limits
}
