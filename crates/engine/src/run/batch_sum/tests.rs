mod random;

use super::*;
use crate::{Failure, Json, Progress, TaskFailure};

fn share(completed: u64, total: Option<u64>) -> Share {
    let fraction = fraction_of(completed, total);
    let progress = Progress {
        completed,
        total,
        fraction,
        unit: Unit::Bytes,
        rate: None,
        eta_ms: None,
        message: None,
        detail: None,
    };
    Share { progress, attempt: 1, start: Some(0), outcome: None }
}

fn completed(share: Share) -> Share {
    Share { outcome: Some(Outcome::Completed { output: Json::null() }), ..share }
}

fn failed(share: Share) -> Share {
    let failure = TaskFailure::error("load", &Failure::new("lost"), None);
    Share { outcome: Some(Outcome::Failed(failure)), ..share }
}

fn sum_of(by: BatchProgress, shares: &[Share]) -> Sum {
    let mut sum = BatchSum::new(by, shares.len());
    for (place, share) in shares.iter().enumerate() {
        sum.update(place, share);
    }
    sum.sum()
}

fn by_unit(shares: &[Share]) -> (u64, Option<u64>, Option<f64>) {
    let sum = sum_of(BatchProgress::ByUnit, shares);
    (sum.completed, sum.total, sum.fraction)
}

fn waiting() -> Share {
    Share { attempt: 0, start: None, progress: Progress { unit: Unit::None, ..share(0, None).progress }, outcome: None }
}

#[test]
fn a_batch_counts_by_unit_while_all_totals_are_known_and_by_member_else() {
    assert_eq!(by_unit(&[share(50, Some(100)), share(250, Some(300))]), (300, Some(400), Some(0.75)));
    assert_eq!(by_unit(&[share(50, Some(100)), waiting()]), (50, None, Some(0.25)));
    assert_eq!(by_unit(&[share(50, Some(100)), share(7, None)]), (57, None, Some(0.5)), "the mean of those known");
    let by_member = sum_of(BatchProgress::ByMember, &[share(50, Some(100)), share(300, Some(300))]);
    assert_eq!((by_member.completed, by_member.total, by_member.fraction), (350, None, Some(0.75)));
}

#[test]
fn a_member_that_has_ended_adds_what_it_did_to_both_sums() {
    assert_eq!(by_unit(&[failed(share(30, Some(100))), share(0, Some(70))]), (30, Some(100), Some(0.3)));
    assert_eq!(by_unit(&[completed(share(30, Some(100))), share(0, Some(70))]), (30, Some(100), Some(0.3)));
    assert_eq!(by_unit(&[failed(share(0, None)), share(5, Some(10))]), (5, Some(10), Some(0.5)));
    let left = |shares: &[Share]| sum_of(BatchProgress::ByMember, shares).members.unwrap();
    assert_eq!(left(&[failed(share(30, Some(100))), share(0, Some(70))]), Members { left: 1.0, whole: 1.3 });
    assert_eq!(left(&[completed(share(30, Some(100))), share(35, Some(70))]), Members { left: 0.5, whole: 2.0 });
    assert_eq!(left(&[failed(waiting()), waiting()]), Members { left: 1.0, whole: 1.0 });
}

#[test]
fn a_member_that_ended_before_it_counted_has_no_unit() {
    let files = |completed| {
        let progress = Progress { unit: Unit::Files, ..share(completed, Some(100)).progress };
        Share { progress, ..share(completed, Some(100)) }
    };
    let sum = sum_of(BatchProgress::ByUnit, &[failed(files(0)), share(50, Some(100))]);
    assert_eq!((sum.total, sum.unit, sum.is_mixed), (Some(100), Unit::Bytes, false));
    assert!(sum_of(BatchProgress::ByUnit, &[failed(files(1)), share(50, Some(100))]).is_mixed);
}

#[test]
fn members_with_different_units_have_no_total() {
    let files = Share { progress: Progress { unit: Unit::Files, ..share(1, Some(2)).progress }, ..share(1, Some(2)) };
    let sum = sum_of(BatchProgress::ByUnit, &[files, share(50, Some(100))]);
    assert_eq!((sum.total, sum.fraction, sum.unit, sum.is_mixed), (None, Some(0.5), Unit::None, true));
    let sum = sum_of(BatchProgress::ByUnit, &[waiting(), share(50, Some(100))]);
    assert_eq!((sum.unit, sum.is_mixed), (Unit::Bytes, false), "a waiting member has no unit");
}

#[test]
fn a_member_that_has_done_more_than_its_total_counts_like_the_others() {
    for by in [BatchProgress::ByUnit, BatchProgress::ByMember] {
        for lost in [|| share(105, Some(100)), || share(95, Some(0))] {
            let mut sum = BatchSum::new(by, 3);
            sum.update(0, &share(95, Some(100)));
            sum.update(1, &share(50, Some(100)));
            sum.update(2, &completed(share(100, Some(100))));
            let before = sum.sum().fraction;
            sum.update(0, &lost());
            let Sum { total, fraction, members, work, .. } = sum.sum();
            assert_eq!((total, fraction), (None, before), "two of three by member, but the bar was further");
            assert_eq!(members, Some(Members { left: 1.0, whole: 3.0 }));
            sum.update(1, &share(60, Some(100)));
            let after = sum.sum();
            assert!((after.work.members - work.members - 0.2).abs() < 1e-9, "both are taken to have done a tenth");
            sum.update(1, &share(101, Some(100)));
            let Sum { total, fraction, members, .. } = sum.sum();
            assert_eq!((total, fraction, members), (None, None, None), "nothing says how much is left");
            sum.update(0, &completed(lost()));
            assert_eq!(sum.sum().fraction, None);
            sum.update(1, &completed(share(101, Some(100))));
            assert_eq!(sum.sum().fraction, Some(1.0));
        }
    }
}

#[test]
fn work_never_falls_and_what_was_found_is_none() {
    let mut sum = BatchSum::new(BatchProgress::ByUnit, 1);
    let found = |completed| Share { start: Some(90), ..share(completed, Some(100)) };
    sum.update(0, &Share { start: None, ..share(90, Some(100)) });
    assert_eq!(sum.sum().work, Work::default(), "nothing is known of what it began with");
    sum.update(0, &found(90));
    assert_eq!((sum.sum().work.units, sum.sum().fraction), (0, Some(0.9)));
    sum.update(0, &found(95));
    assert_eq!((sum.sum().work.units, sum.sum().fraction), (5, Some(0.95)));
    // It begins again: its total is expected to be the same.
    sum.update(0, &Share { attempt: 2, start: None, ..share(0, None) });
    assert_eq!((sum.sum().work.units, sum.sum().total, sum.sum().fraction), (5, Some(100), Some(0.0)));
    sum.update(0, &Share { attempt: 2, start: Some(5), ..share(20, Some(100)) });
    assert_eq!((sum.sum().work.units, sum.sum().fraction), (20, Some(0.2)));
    sum.update(0, &Share { attempt: 2, start: Some(5), ..share(10, Some(100)) });
    sum.update(0, &Share { attempt: 2, start: Some(5), ..share(15, Some(100)) });
    assert_eq!((sum.sum().work.units, sum.sum().fraction), (25, Some(0.15)), "it has set its count back");
}

/// The sum of a batch whose estimate has its starting point: the first of its members has reported a count.
fn begun(members: usize) -> BatchSum {
    let mut sum = BatchSum::new(BatchProgress::ByUnit, members);
    sum.update(0, &share(0, Some(1_000)));
    sum.sum();
    sum
}

#[test]
fn a_first_addition_is_work_unless_all_that_follow_are_far_smaller() {
    let found = [980, 981, 983, 984, 986, 987, 990];
    for attempt in [1, 2] {
        for (counts, ends, units) in [
            (&[1, 2, 3][..], false, 3),
            (&[30, 40, 60], false, 60),
            (&[1, 500, 510], false, 510),
            (&found[..3], false, 3),
            (&found[..5], true, 986),
            (&found, false, 10),
            (&found, true, 10),
            (&[600, 700, 701, 901], false, 901),
        ] {
            let mut sum = begun(2);
            for count in counts {
                sum.update(1, &Share { attempt, ..share(*count, Some(1_000)) });
            }
            if ends {
                sum.update(1, &failed(Share { attempt, ..share(*counts.last().unwrap(), Some(1_000)) }));
            }
            assert_eq!(sum.sum().work.units, units, "{counts:?}");
        }
    }
}

#[test]
fn a_first_addition_counts_at_once_if_members_are_known_to_do_as_much_at_a_time() {
    let units = |first: &[u64], ended: bool| {
        let mut sum = begun(3);
        for count in first {
            sum.update(1, &share(*count, Some(1_000)));
        }
        if ended {
            sum.update(1, &completed(share(1_000, Some(1_000))));
        }
        let before = sum.sum().work.units;
        sum.update(2, &share(800, Some(1_000)));
        sum.sum().work.units - before
    };
    assert_eq!(units(&[], false), 0);
    assert_eq!(units(&[800], false), 0);
    assert_eq!(units(&[800], true), 800);
    assert_eq!(units(&[100, 400], false), 800, "a later advance of 300");
    assert_eq!(units(&[980, 981, 982, 983, 984, 985, 986], false), 0, "it was found");
}

#[test]
fn what_is_reported_before_the_estimate_begins_is_its_starting_point() {
    let mut sum = BatchSum::new(BatchProgress::ByUnit, 2);
    sum.update(0, &share(900, Some(1_000)));
    sum.update(1, &share(800, Some(1_000)));
    assert_eq!(sum.sum().work.units, 1_700);
    sum.update(0, &share(901, Some(1_000)));
    assert_eq!(sum.sum().work.units, 1_701);
}

#[test]
fn a_member_that_completes_was_worked_on_as_a_whole() {
    for (before, at_end, worked) in [
        (None, completed(waiting()), 1.0),
        (None, completed(share(10, Some(10))), 1.0),
        (None, completed(Share { start: Some(10), ..share(10, Some(10)) }), 1.0),
        (Some(share(5, Some(10))), completed(share(10, Some(10))), 1.0),
        (Some(share(5, Some(10))), completed(share(5, Some(10))), 1.0),
        (
            Some(Share { start: Some(5), ..share(6, Some(10)) }),
            completed(Share { start: Some(5), ..share(10, Some(10)) }),
            0.5,
        ),
        (Some(share(5, Some(10))), failed(share(5, Some(10))), 0.5),
    ] {
        let mut sum = BatchSum::new(BatchProgress::ByUnit, 1);
        if let Some(before) = &before {
            sum.update(0, before);
        }
        sum.update(0, &at_end);
        assert!((sum.sum().work.members - worked).abs() < 1e-9, "{:?}", sum.sum());
    }
}

#[test]
fn huge_counts_do_not_overflow() {
    let huge = share(u64::MAX / 2 + 5, Some(u64::MAX - 1));
    assert_eq!(by_unit(&[huge, share(u64::MAX / 2 + 5, Some(u64::MAX - 1))]).1, None);
}
