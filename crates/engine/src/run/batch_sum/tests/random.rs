//! Batches of any members: what is shown of them agrees, and falls only when there is more to do.

use proptest::prelude::*;

use super::*;

/// What a member does next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// It begins, or begins again if it counts already.
    Begin,
    Inc(u64),
    Set(u64),
    Total(Option<u64>),
    Unit(Unit),
    Complete,
    Fail,
}

fn step() -> impl Strategy<Value = Step> {
    let total = prop_oneof![3 => (0..=60_u64).prop_map(Some), 1 => Just(None)];
    prop_oneof![
        3 => Just(Step::Begin),
        8 => (0..=25_u64).prop_map(Step::Inc),
        1 => (0..=60_u64).prop_map(Step::Set),
        4 => total.prop_map(Step::Total),
        1 => prop_oneof![Just(Unit::Bytes), Just(Unit::Files), Just(Unit::None)].prop_map(Step::Unit),
        2 => Just(Step::Complete),
        1 => Just(Step::Fail),
    ]
}

/// Does the step. Returns whether there is more to do of the member than was known. `told` is the last total.
fn take(share: &mut Share, told: &mut u64, step: Step) -> bool {
    if share.outcome.is_some() || (share.attempt == 0 && !matches!(step, Step::Begin | Step::Fail)) {
        return false;
    }
    let (attempt, mut progress) = (share.attempt, share.progress.clone());
    let (mut start, mut outcome, mut grows) = (share.start, None, false);
    match step {
        Step::Begin => {
            let begun = waiting();
            (progress, start, grows) = (begun.progress, begun.start, attempt > 0);
        }
        Step::Inc(by) => {
            progress.completed += by;
            start = start.or(Some(0));
        }
        Step::Set(count) => {
            grows = count < progress.completed;
            progress.completed = count;
            start = start.or(Some(count));
        }
        Step::Total(total) => {
            progress.total = total;
            if let Some(total) = total {
                grows = total > std::mem::replace(told, total);
            }
        }
        Step::Unit(unit) => progress.unit = unit,
        Step::Complete => outcome = completed(waiting()).outcome,
        Step::Fail => outcome = failed(waiting()).outcome,
    }
    progress.fraction = fraction_of(progress.completed, progress.total);
    let attempt = attempt + u32::from(matches!(step, Step::Begin));
    *share = Share { progress, attempt, start, outcome };
    grows
}

/// Checks that what is shown at one moment agrees.
fn agrees(sum: &Sum) -> Result<(), TestCaseError> {
    match sum.fraction {
        None => prop_assert!(sum.total.is_none() && sum.members.is_none(), "{sum:?}"),
        Some(fraction) => {
            prop_assert!((0.0..=1.0).contains(&fraction), "{sum:?}");
            prop_assert!(sum.total.is_none() || fraction_of(sum.completed, sum.total) == Some(fraction), "{sum:?}");
            // No time is left exactly when the bar is full.
            let is_over = |members: Members| members.left < 1e-9;
            let is_measured = sum.total.is_none();
            prop_assert!(
                !is_measured || sum.members.is_none_or(|members| is_over(members) == (fraction > 1.0 - 1e-9)),
                "{sum:?}"
            );
        }
    }
    Ok(())
}

fn members_and_steps() -> impl Strategy<Value = (usize, Vec<(usize, Step, bool)>)> {
    (1..=5_usize)
        .prop_flat_map(|members| (Just(members), proptest::collection::vec((0..members, step(), any::<bool>()), 1..80)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_shown_agrees_and_falls_only_when_there_is_more_to_do(
        (count, steps) in members_and_steps(),
        by_unit in any::<bool>(),
    ) {
        let by = if by_unit { BatchProgress::ByUnit } else { BatchProgress::ByMember };
        let mut sum = BatchSum::new(by, count);
        let mut members: Vec<_> = (0..count).map(|_| (waiting(), 0)).collect();
        let (mut highest, mut grows) = (0.0, false);
        let ends = (0..count).map(|place| (place, Step::Fail, true));
        for (place, step, sums) in steps.into_iter().chain(ends) {
            let (share, told) = &mut members[place];
            grows |= take(share, told, step);
            sum.update(place, share);
            if !sums {
                continue;
            }
            let shown = sum.sum();
            agrees(&shown)?;
            if let Some(fraction) = shown.fraction {
                prop_assert!(grows || fraction >= highest, "{highest} before {shown:?}");
                (highest, grows) = (fraction, false);
            }
        }
        prop_assert_eq!(sum.sum().fraction, Some(1.0), "all have ended");
    }
}
