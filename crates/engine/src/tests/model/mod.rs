//! Compares the whole engine with a plain model. It takes random steps in paused time, and after each step every task
//! must be as the model says.
//!
//! The model has no queues, no locks and no wake-ups: it searches all its data for each answer. It knows the engine's
//! rules, not how they are implemented. If two things happen in the same millisecond, and their order matters but is
//! not promised, the comparison stops, and only the engine's promises are checked from there on.

mod pair;
mod plain;
mod script;
mod task;
mod world;

use parking_lot::Mutex;
use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};

use self::{
    pair::{Pair, Tally},
    script::{Step, steps},
};
use crate::TaskStatus;

/// Takes about ten seconds in a debug build.
const CASES: u32 = 800;

fn run(steps: Vec<Step>, tally: &mut Tally) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut pair = Pair::new();
        for step in steps {
            pair.step(step).await?;
            if pair.tied {
                break;
            }
        }
        pair.drain(tally).await
    })
}

#[test]
fn the_engine_does_what_the_plain_model_says() {
    let tally = Mutex::<Tally>::default();
    let config = Config { failure_persistence: None, ..Config::with_cases(CASES) };
    let mut runner = TestRunner::new(config);
    match runner.run(&steps(), |steps| run(steps, &mut tally.lock())) {
        Ok(()) => {}
        // One step per line: proptest would put each field on a line of its own.
        Err(TestError::Fail(why, steps)) => {
            let steps: Vec<_> = steps.iter().map(|step| format!("    {step:?}")).collect();
            panic!("{why}\nafter:\n{}", steps.join("\n"));
        }
        Err(error) => panic!("{error}"),
    }
    let tally = tally.into_inner();
    let all = TaskStatus::ALL.iter().flat_map(|from| TaskStatus::ALL.iter().map(move |to| (*from, *to)));
    let unseen: Vec<_> =
        all.filter(|(from, to)| from.may_become(*to) && !tally.edges.contains(&(*from, *to))).collect();
    assert!(unseen.is_empty(), "not covered: {unseen:?}");
    assert!(tally.whole > 4 * tally.tied, "cases compared to the end: {}, others: {}", tally.whole, tally.tied);
}
