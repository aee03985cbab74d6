//! Takes random waits through random scripts of a machine that runs, sleeps and has its clock set, and predicts when
//! each is over.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum MachineStep {
    Run(u64),
    Sleep(u64),
    /// The clock is set forward, or back, by so many seconds.
    Set(i64),
}

fn script() -> impl Strategy<Value = Vec<MachineStep>> {
    let step = prop_oneof![
        3 => prop_oneof![1..40_u64, 1..1_000_u64].prop_map(MachineStep::Run),
        2 => prop_oneof![1..90_u64, 1..10_000_u64].prop_map(MachineStep::Sleep),
        1 => prop_oneof![1..100_i64, 1..20_000_i64, -3_000..0_i64].prop_map(MachineStep::Set),
    ];
    prop::collection::vec(step, 0..12)
}

/// What must hold of one wait: when it may be over, in time in which the machine ran.
struct Prediction {
    earliest: u64,
    latest: u64,
}

/// Predicts when a wait is over, in seconds.
fn predict(wait: Wait, length: u64, script: &[MachineStep], steps: bool) -> Prediction {
    let counts = |ran: u64, slept: u64, set: i64| match wait {
        Wait::Cron => (ran + slept).saturating_add_signed(set),
        _ if wait.counts_sleep() => ran + slept,
        _ => ran,
    };
    let length = if wait == Wait::Cron { QUARTER.as_secs() } else { length };
    let (mut ran, mut slept, mut set, mut sleeps) = (0, 0, 0, 0);
    let mut noticed = 0;
    for step in script {
        match step {
            MachineStep::Run(time) => {
                let left = length - counts(ran, slept, set);
                if left <= *time {
                    break;
                }
                ran += time;
            }
            MachineStep::Sleep(time) => {
                slept += time;
                sleeps += 1;
                noticed = ran + NOTICED.as_secs();
            }
            MachineStep::Set(by) => {
                set += by;
                noticed = ran + NOTICED.as_secs();
            }
        }
        if counts(ran, slept, set) >= length {
            break;
        }
    }
    let exact = ran + length.saturating_sub(counts(ran, slept, set));
    let is_late = wait.counts_sleep();
    // A sleep counts for up to two steps where tokio's clock goes on meanwhile, and a step is an eighth of the length,
    // or half a minute.
    let early = if steps && !wait.counts_sleep() { sleeps * 2 * (length.div_ceil(8)).min(30) } else { 0 };
    Prediction { earliest: exact.saturating_sub(early), latest: if is_late { exact.max(noticed) } else { exact } }
}

/// Returns when each wait was over, in seconds in which the machine ran.
async fn observe(waits: &[(Wait, u64)], script: &[MachineStep], steps: bool) -> Vec<f64> {
    let machine = if steps { TestMachine::whose_tokio_counts_sleep() } else { TestMachine::new() };
    let waiting: Vec<_> = waits
        .iter()
        .map(|(wait, length)| {
            let waiting = wait.start(&machine, secs(*length));
            tokio::spawn(async move { waiting.over.await.unwrap().as_secs_f64() })
        })
        .collect();
    // All waits begin before the first step.
    sleep(Duration::from_millis(10)).await;
    for step in script {
        match step {
            MachineStep::Run(time) => sleep(secs(*time)).await,
            MachineStep::Sleep(time) => machine.sleep(secs(*time)).await,
            MachineStep::Set(by) => machine.set(by * 1_000),
        }
    }
    let mut over = Vec::new();
    for wait in waiting {
        over.push(timeout(secs(100_000), wait).await.expect("the wait is lost").unwrap());
    }
    over
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_wait_is_over_early_and_none_is_lost(
        waits in prop::collection::vec((prop::sample::select(ALL.to_vec()), prop_oneof![2..40_u64, 2..5_000_u64]), 1..20),
        script in script(),
        steps: bool,
    ) {
        // Matches that a clock shows again repeat, which `schedule/timetable/tests/model.rs` deals with.
        let is_set_back = script.iter().any(|step| matches!(step, MachineStep::Set(by) if *by < 0));
        let waits: Vec<_> = waits.into_iter().filter(|(wait, _)| *wait != Wait::Cron || !is_set_back).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let over = runtime.block_on(observe(&waits, &script, steps));
        for ((wait, length), over) in waits.into_iter().zip(over) {
            let Prediction { earliest, latest } = predict(wait, length, &script, steps);
            #[allow(clippy::cast_precision_loss)]
            let expected = earliest as f64..=latest as f64 + 0.1;
            prop_assert!(expected.contains(&over), "{:?} of {} s: {} is not in {:?}", wait, length, over, expected);
        }
    }
}
