//! The order of arrival: each accepted task has a number, and lists and queues go by it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tokio::task::yield_now;

use super::manager;
use crate::{
    BatchOptions, Failure, LimitOf, OnConflict, Retention, StartOptions, TaskContext, TaskFilter, TaskId, TaskManager,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

fn kind(name: &str, policy: Policy) -> Kind {
    Kind::new(name, policy, Errors::default(), async |_: TaskContext, (): ()| {
        std::future::pending::<Result<(), Failure>>().await
    })
}

fn orders(tasks: &TaskManager) -> Vec<u64> {
    tasks.list(&TaskFilter::default()).into_iter().map(|task| task.order).collect()
}

#[tokio::test(start_paused = true)]
async fn tasks_are_numbered_as_they_are_accepted_and_a_batch_comes_before_its_members() {
    let tasks = manager([kind("hang", Policy::default())], Settings::default());
    let first = tasks.start("hang", ()).unwrap();
    let batch = tasks.batch("hang", [(); 20], BatchOptions::new()).unwrap();
    let last = tasks.spawn("other", async |_: TaskContext| Ok::<_, Failure>(()));
    assert_eq!((first.snapshot().order, batch.snapshot().order, last.snapshot().order), (1, 2, 23));
    let members: Vec<_> = batch.members().iter().map(|member| member.snapshot().order).collect();
    assert_eq!(members, (3..23).collect::<Vec<_>>(), "in the order of their inputs");
    assert_eq!(orders(&tasks), (1..=23).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_refused_or_repeated_start_and_a_joined_one_take_no_number() {
    let tasks = manager([kind("hang", Policy { queue_limit: Some(1), ..Policy::default() })], Settings::default());
    tasks.set_limit(LimitOf::App, Some(0)).unwrap();
    let keyed = || StartOptions::new().key("k", OnConflict::Join);
    let first = tasks.start_with("hang", (), keyed()).unwrap();
    assert_eq!(tasks.start_with("hang", (), keyed()).unwrap().id(), first.id());
    tasks.start_with("hang", (), StartOptions::new().key("k", OnConflict::Refuse)).unwrap_err();
    tasks.start("hang", ()).unwrap_err();
    tasks.batch("hang", [(); 3], BatchOptions::new()).unwrap_err();
    let next = tasks.spawn("other", async |_: TaskContext| Ok::<_, Failure>(()));
    assert_eq!((first.snapshot().order, next.snapshot().order), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn an_exit_stops_the_tasks_in_their_order() {
    let tasks = manager([kind("hang", Policy::default())], Settings::default());
    tasks.batch("hang", [(); 40], BatchOptions::new()).unwrap();
    let left = tasks.engine.transitions.close();
    assert!(left.iter().map(|record| record.order()).eq(1..=41));
}

/// What a walk through the pages of a list does, and what happens between two pages.
#[derive(Debug, Clone)]
enum Step {
    Page { limit: usize },
    Start { hidden: bool },
    Batch { members: usize },
    End { of: usize },
    Remove { of: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..5_usize).prop_map(|limit| Step::Page { limit }),
        4 => any::<bool>().prop_map(|hidden| Step::Start { hidden }),
        1 => (0..4_usize).prop_map(|members| Step::Batch { members }),
        3 => (0..64_usize).prop_map(|of| Step::End { of }),
        3 => (0..64_usize).prop_map(|of| Step::Remove { of }),
    ]
}

async fn walk(before: usize, steps: Vec<Step>) {
    // Only `remove` may drop a task.
    let retention = Retention::default().count(100_000);
    let kinds = [kind("seen", Policy::default()), kind("hidden", Policy::default())];
    let tasks = manager(kinds, Settings { retention, ..Settings::default() });
    // All tasks in the order in which they were started, and whether each was there all the time.
    let mut truth: Vec<(TaskId, bool)> = Vec::new();
    let start = |tasks: &TaskManager, truth: &mut Vec<(TaskId, bool)>, hidden: bool, lasting: bool| {
        let task = tasks.start(if hidden { "hidden" } else { "seen" }, ()).unwrap();
        if !hidden {
            truth.push((task.id(), lasting));
        }
    };
    for number in 0..before {
        start(&tasks, &mut truth, number % 3 == 0, true);
    }
    let (mut walked, mut after, mut is_over) = (Vec::new(), None, false);
    let take = |walked: &mut Vec<TaskId>, after: &mut Option<u64>, is_over: &mut bool, limit: usize| {
        let (page, next) = tasks.engine.page(&TaskFilter::default(), *after, limit, |record| record.name() == "seen");
        assert!(page.len() <= limit);
        assert!(page.len() == limit || next.is_none(), "a page is full unless it is the last one");
        assert!(next.is_none() || next == page.last().map(|record| record.order()));
        walked.extend(page.iter().map(|record| record.id));
        *is_over = next.is_none();
        *after = next.or(*after);
    };
    for step in steps {
        let at = |of: usize| (!truth.is_empty()).then(|| of % truth.len());
        match step {
            Step::Page { limit } if !is_over => take(&mut walked, &mut after, &mut is_over, limit),
            Step::Page { .. } => {}
            Step::Start { hidden } => start(&tasks, &mut truth, hidden, false),
            Step::Batch { members } => {
                let batch = tasks.batch("seen", vec![(); members], BatchOptions::new()).unwrap();
                truth.push((batch.id(), false));
                truth.extend(batch.members().iter().map(|member| (member.id(), false)));
            }
            Step::End { of } => {
                if let Some(of) = at(of) {
                    let _ = tasks.cancel(truth[of].0);
                    yield_now().await;
                }
            }
            Step::Remove { of } => {
                if let Some(of) = at(of)
                    && tasks.remove(truth[of].0).is_ok()
                {
                    truth[of].1 = false;
                }
            }
        }
    }
    while !is_over {
        take(&mut walked, &mut after, &mut is_over, 3);
    }
    let places: BTreeMap<_, _> = truth.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    let seen: Vec<_> = walked.iter().map(|id| places[id]).collect();
    assert!(seen.is_sorted_by(|a, b| a < b), "in order and none twice: {seen:?}");
    for (id, lasting) in truth {
        assert!(!lasting || walked.contains(&id), "a task that was there all the time is seen");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_through_the_pages_sees_each_lasting_task_once_and_in_order(
        before in 0..30_usize,
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(walk(before, steps));
    }

    /// A task that waits keeps its place whatever happened around it, so that its position follows from its number.
    #[test]
    fn of_one_priority_the_queue_has_the_order_of_arrival(
        priorities in prop::collection::vec(-1..2_i32, 1..20),
        held in prop::collection::vec(any::<bool>(), 20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let tasks = manager([kind("hang", Policy { concurrency: Some(0), ..Policy::default() })], Settings::default());
            for (priority, held) in priorities.iter().zip(&held) {
                let options = StartOptions::new().priority(*priority);
                tasks.start_with("hang", (), if *held { options.held() } else { options }).unwrap();
            }
            for task in tasks.list(&TaskFilter::default()) {
                tasks.resume(task.id).unwrap();
            }
            let mut listed = tasks.list(&TaskFilter::default());
            listed.sort_by_key(|task| task.queue.unwrap().position);
            let ranks: Vec<_> = listed.iter().map(|task| (-task.queue.unwrap().priority, task.order)).collect();
            assert!(ranks.is_sorted(), "{ranks:?}");
        });
    }
}
