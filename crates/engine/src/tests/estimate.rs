//! The rate and the time left of real tasks and batches.

mod uneven;

use std::time::Duration;

use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout},
};

use super::manager;
use crate::{
    Backoff, BatchHandle, BatchOptions, BatchProgress, Failure, Progress, Retry, TaskChange, TaskContext, TaskFilter,
    TaskHandle, TaskManager, TaskStatus, Unit,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

type Nothing = Result<(), Failure>;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn tasks() -> TaskManager {
    manager([], Settings::default())
}

/// Does 100 kB each 100 ms, without an end.
async fn load_a_megabyte_a_second(ctx: &TaskContext) -> Nothing {
    loop {
        sleep(millis(100)).await;
        ctx.progress().inc(100_000);
    }
}

fn is_within(actual: f64, expected: f64, tolerance: f64) -> bool {
    (actual / expected - 1.0).abs() <= tolerance
}

/// Checks the rate in units per second, and the time left in seconds.
fn check(progress: &Progress, rate: f64, left: f64, tolerance: f64) {
    assert!(is_within(progress.rate.unwrap(), rate, tolerance), "{rate}/s: {progress:?}");
    #[allow(clippy::cast_precision_loss)]
    let shown = progress.eta_ms.unwrap() as f64 / 1_000.0;
    assert!(is_within(shown, left, tolerance), "{left} s: {progress:?}");
}

// The starting point.

#[tokio::test(start_paused = true)]
async fn what_is_there_before_the_work_begins_is_a_starting_point() {
    let begins: [fn(&TaskContext); 4] = [
        |ctx| _ = ctx.progress().total(1_000_000_000).set(900_000_000),
        |ctx| _ = ctx.progress().set(900_000_000).total(1_000_000_000),
        |ctx| _ = ctx.progress().unit(Unit::Bytes).message("found a part").total(1_000_000_000).set(900_000_000),
        |ctx| _ = ctx.progress().total(1_000_000_000).inc(900_000_000),
    ];
    for waits in [0, 7, 60] {
        for begin in begins {
            let task = tasks().spawn("resumed", async move |ctx: TaskContext| {
                sleep(secs(waits)).await;
                begin(&ctx);
                load_a_megabyte_a_second(&ctx).await
            });
            sleep(secs(waits) + millis(6_020)).await;
            check(&task.snapshot().progress, 1e6, 94.0, 0.1);
            sleep(secs(4)).await;
            check(&task.snapshot().progress, 1e6, 90.0, 0.1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_report_of_a_later_attempt_is_a_starting_point_too() {
    for by_inc in [false, true] {
        let policy =
            Policy { retry: Some(Retry::attempts(2).backoff(Backoff::constant(secs(5)))), ..Policy::default() };
        let kind = Kind::new("load", policy, Errors::default(), move |ctx: TaskContext, (): ()| async move {
            ctx.progress().total(1_000_000_000);
            if ctx.attempt() == 1 {
                timeout(secs(10), load_a_megabyte_a_second(&ctx)).await.map_err(|_| Failure::new("lost"))??;
            }
            if by_inc {
                ctx.progress().inc(900_000_000);
            } else {
                ctx.progress().set(900_000_000);
            }
            load_a_megabyte_a_second(&ctx).await
        });
        let task = manager([kind], Settings::default()).start("load", ()).unwrap();
        sleep(millis(9_500)).await;
        check(&task.snapshot().progress, 1e6, 990.0, 0.1);
        sleep(secs(2)).await;
        let snapshot = task.snapshot();
        assert_eq!(
            (snapshot.status, snapshot.progress.rate, snapshot.progress.eta_ms),
            (TaskStatus::Retrying, None, None)
        );
        sleep(secs(10)).await;
        check(&task.snapshot().progress, 1e6, 94.0, 0.1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_found_in_several_reports_at_once_is_a_starting_point_too() {
    for gap in [0, 5, 100] {
        let task = tasks().spawn("resumed", async move |ctx: TaskContext| {
            ctx.progress().total(1_000_000_000).set(0);
            for found in [300_000_000, 900_000_000] {
                sleep(millis(gap)).await;
                ctx.progress().set(found);
            }
            load_a_megabyte_a_second(&ctx).await
        });
        for look in 0..100 {
            sleep(millis(100)).await;
            let progress = task.snapshot().progress;
            assert!(progress.eta_ms.is_none_or(|left| left > 50_000), "{gap} ms apart, look {look}: {progress:?}");
            assert!(progress.rate.is_none_or(|rate| rate < 2e6), "{gap} ms apart, look {look}: {progress:?}");
        }
        check(&task.snapshot().progress, 1e6, 90.0, 0.1);
    }
}

#[tokio::test(start_paused = true)]
async fn set_alone_reports_work_too() {
    for every in [10_u64, 333, 1_000, 2_000] {
        let task = tasks().spawn("sets", async move |ctx: TaskContext| -> Nothing {
            for done in 0_u64.. {
                ctx.progress().total(1_000_000).set(done * every);
                sleep(millis(every)).await;
            }
            Ok(())
        });
        sleep(millis(every + 1_005)).await;
        let early = task.snapshot().progress;
        assert!(early.rate.is_some() && early.eta_ms.is_some(), "every {every} ms: {early:?}");
        sleep(secs(20)).await;
        check(&task.snapshot().progress, 1_000.0, 980.0, 0.1);
    }
}

/// Reports `units` each time, at one interval and from some moment on at another.
async fn report_steadily(
    ctx: TaskContext,
    units: u64,
    mut every: Duration,
    change: Duration,
    then: Duration,
) -> Nothing {
    let begin = Instant::now();
    ctx.progress().total(u64::MAX / 8);
    loop {
        ctx.progress().inc(units);
        if begin.elapsed() >= change {
            every = then;
        }
        sleep(every).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_rate_is_there_in_time_and_right_in_time_also_after_it_has_changed() {
    let intervals = [20, 90, 333, 777, 1_500, 2_000].map(millis);
    for (number, every) in intervals.into_iter().enumerate() {
        for then in intervals {
            // Another task began first, so the samples are taken at any moment.
            let tasks = tasks();
            let _first = tasks.spawn("first", |ctx| report_steadily(ctx, 1, millis(100), secs(99), secs(1)));
            sleep(millis(61 * u64::try_from(number).unwrap())).await;
            let units = 10_u64.pow(u32::try_from(number).unwrap());
            let rate = |every: Duration| f64::from(u32::try_from(units).unwrap()) / every.as_secs_f64();
            let change = secs(12);
            let task = tasks.spawn("steady", move |ctx| report_steadily(ctx, units, every, change, then));
            sleep(every + secs(1)).await;
            let early = task.snapshot().progress;
            assert!(early.rate.is_some() && early.eta_ms.is_some(), "{every:?}: {early:?}");
            sleep(secs(5).saturating_sub(every)).await;
            let shown = task.snapshot().progress.rate.unwrap();
            assert!(is_within(shown, rate(every), 0.1), "{shown} at {every:?}");
            for _ in 0..80 {
                sleep(millis(250)).await;
                assert!(task.snapshot().progress.rate.is_some(), "from {every:?} to {then:?}");
            }
            sleep(secs(3)).await;
            let shown = task.snapshot().progress.rate.unwrap();
            assert!(is_within(shown, rate(then), 0.2), "{shown} from {every:?} to {then:?}");
        }
    }
}

// Who looks.

/// Returns what is shown at some moments, after what happens in between.
async fn shown(meanwhile: impl AsyncFn(&TaskHandle, &TaskManager)) -> Vec<Progress> {
    let tasks = tasks();
    let task = tasks.spawn("uneven", async |ctx: TaskContext| -> Nothing {
        ctx.progress().total(1_000_000);
        for number in 1_u64.. {
            sleep(millis(number * 7_919 % 1_900 + 50)).await;
            ctx.progress().inc(number * 104_729 % 997);
        }
        Ok(())
    });
    let task = tasks.handle(task.id()).unwrap();
    let begin = Instant::now();
    let mut shown = Vec::new();
    for at in [900, 1_999, 3_003, 5_000, 8_000, 13_250, 13_500, 30_001] {
        let stop = begin + millis(at);
        let _ = tokio::time::timeout_at(stop, meanwhile(&task, &tasks)).await;
        tokio::time::sleep_until(stop).await;
        shown.push(task.snapshot().progress);
        assert_eq!(shown.last(), Some(&tasks.list(&TaskFilter::default())[0].progress), "at one moment");
    }
    shown
}

#[tokio::test(start_paused = true)]
async fn the_estimate_does_not_depend_on_who_looks_and_when() {
    let unseen = shown(async |_, _| {}).await;
    assert!(unseen[3].rate.is_some() && unseen[3].eta_ms.is_some());
    let looked_at_often = shown(async |task, _| {
        loop {
            task.snapshot();
            sleep(millis(17)).await;
        }
    });
    assert_eq!(unseen, looked_at_often.await);
    let looked_at_seldom = shown(async |_, tasks| {
        loop {
            sleep(millis(1_250)).await;
            tasks.list(&TaskFilter::default());
        }
    });
    assert_eq!(unseen, looked_at_seldom.await);
    let watched = shown(async |task, _| {
        let mut watch = task.watch();
        while watch.next().await.is_some() {}
    });
    assert_eq!(unseen, watched.await);
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_told_of_a_rate_that_is_there_before_the_next_report() {
    let task = tasks().spawn("lumps", async |ctx: TaskContext| -> Nothing {
        ctx.progress().total(100).set(1);
        sleep(secs(2)).await;
        ctx.progress().set(3);
        std::future::pending().await
    });
    let begin = Instant::now();
    let mut watch = task.watch();
    let told = async {
        loop {
            if let TaskChange::Progress(Progress { rate: Some(_), .. }) = watch.next().await.unwrap().change {
                return begin.elapsed();
            }
        }
    };
    assert!(told.await <= secs(3), "a second after the second report");
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_told_of_a_rate_that_falls_and_ends_while_nothing_is_reported() {
    for every in [millis(100), secs(2), secs(8)] {
        let task = tasks().spawn("stalls", async move |ctx: TaskContext| -> Nothing {
            ctx.progress().total(1_000).set(1);
            for _ in 0..10 {
                sleep(every).await;
                ctx.progress().inc(1);
            }
            std::future::pending().await
        });
        let mut watch = task.watch();
        let (begin, mut told) = (Instant::now(), Vec::new());
        let watching = async {
            while let Some(update) = watch.next().await {
                if let TaskChange::Progress(progress) = update.change {
                    told.push((begin.elapsed(), progress));
                }
            }
        };
        assert!(timeout(secs(200), watching).await.is_err());
        let silent: Vec<_> = told.iter().filter(|(at, _)| *at > every * 10 + secs(3)).collect();
        let last = silent.last().unwrap();
        assert_eq!((last.1.rate, last.1.eta_ms), (None, None), "it has stalled: {last:?}");
        let rates: Vec<_> = silent.iter().map(|(_, progress)| progress.rate.unwrap_or(0.0)).collect();
        assert!(rates.len() >= 6 && rates.is_sorted_by(|before, after| before > after), "{rates:?}");
        assert!(silent.windows(2).all(|pair| pair[0].0 + millis(200) <= pair[1].0));
        assert!(rates.len() <= 30, "at most once a second: {}", rates.len());
        assert_eq!(task.snapshot().progress, last.1);
    }
}

#[tokio::test(start_paused = true)]
async fn one_timer_samples_all_tasks_and_stops_while_none_reports() {
    let alive = || Handle::current().metrics().num_alive_tasks();
    let tasks = tasks();
    let reporting = async |ctx: TaskContext| -> Nothing {
        loop {
            for _ in 0..20 {
                ctx.progress().inc(1);
                sleep(millis(100)).await;
            }
            sleep(secs(60)).await;
        }
    };
    let _silent = tasks.spawn("silent", async |ctx: TaskContext| -> Nothing {
        ctx.progress().message("no count").total(10);
        std::future::pending().await
    });
    // The monitor of held threads sleeps by then.
    sleep(secs(10)).await;
    let idle = alive();
    let _reporting: Vec<_> = (0..5).map(|_| tasks.spawn("reports", reporting)).collect();
    for _ in 0..2 {
        sleep(secs(2)).await;
        assert_eq!(alive(), idle + 7, "five tasks, the timer and the monitor of held threads");
        sleep(secs(30)).await;
        assert_eq!(alive(), idle + 5, "the timer has stopped");
        sleep(secs(30)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_total_that_can_not_be_right_has_neither_a_fraction_nor_a_time_left() {
    for (total, done, fraction) in [(0, 0, None), (0, 5, None), (10, 11, None), (10, 10, Some(1.0)), (10, 5, Some(0.5))]
    {
        let task = tasks().spawn("odd", async move |ctx: TaskContext| -> Nothing {
            ctx.progress().total(total);
            for count in 0..=done {
                ctx.progress().set(count);
                sleep(millis(500)).await;
            }
            Ok(())
        });
        sleep(millis(500 * (done + 1) - 10)).await;
        let progress = task.snapshot().progress;
        assert_eq!((progress.completed, progress.total, progress.fraction), (done, Some(total), fraction));
        assert_eq!(progress.eta_ms.is_some(), fraction.is_some(), "{progress:?}");
        task.outcome().await;
        assert_eq!(task.snapshot().progress.fraction, fraction);
    }
}

// Batches.

/// What a member does.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Member {
    /// What is there before it begins, and the total of all.
    found: u64,
    total: u64,
    /// How many units it does in one second.
    per_second: u64,
    /// How many attempts fail at half of the way.
    fails: u32,
    counts: bool,
    unit: Unit,
}

const MEMBER: Member = Member { found: 0, total: 10, per_second: 10, fails: 0, counts: true, unit: Unit::Bytes };

fn members_of(policy: Policy) -> TaskManager {
    let kind = Kind::new("load", policy, Errors::default(), async |ctx: TaskContext, member: Member| {
        let Member { found, total, per_second, fails, counts, unit } = member;
        if counts {
            ctx.progress().unit(unit).total(total);
        }
        if found > 0 {
            ctx.progress().set(found);
        }
        for unit in found..total {
            if ctx.attempt() <= fails && unit >= total / 2 {
                return Err(Failure::new("lost"));
            }
            sleep(secs(1) / u32::try_from(per_second).unwrap()).await;
            if counts {
                ctx.progress().inc(1);
            }
        }
        Ok(())
    });
    manager([kind], Settings::default())
}

fn batch(members: impl IntoIterator<Item = Member>, concurrency: usize, policy: Policy) -> BatchHandle {
    members_of(policy).batch("load", members, BatchOptions::new().concurrency(concurrency)).unwrap()
}

/// Checks that what is shown of a batch agrees.
fn agrees(progress: &Progress) {
    let Progress { completed, total, fraction, rate, eta_ms, .. } = *progress;
    #[allow(clippy::cast_precision_loss)]
    if let Some(total) = total {
        assert!(
            completed <= total && (fraction.unwrap() - completed as f64 / total as f64).abs() < 1e-9,
            "{progress:?}"
        );
        if let (Some(rate), Some(eta_ms)) = (rate, eta_ms) {
            let left = (total - completed) as f64 / rate * 1_000.0;
            assert!((left - eta_ms as f64).abs() <= 1.0 || eta_ms <= 1_000, "{left} ms: {progress:?}");
        }
    }
    if fraction.is_none() {
        assert_eq!(eta_ms, None, "{progress:?}");
    }
}

/// Looks at a batch this often until it ends, and returns what was shown.
async fn looks(batch: &BatchHandle, every: Duration) -> Vec<(Duration, Progress)> {
    let begin = Instant::now();
    let mut shown = Vec::new();
    while !batch.status().is_final() {
        sleep(every).await;
        let progress = batch.snapshot().progress;
        agrees(&progress);
        shown.push((begin.elapsed(), progress));
    }
    shown
}

/// Checks the time left at each look against the end that came, from `after` on, while more than a tenth is to do.
fn is_right(shown: &[(Duration, Progress)], after: Duration, tolerance: f64) {
    let end = shown.last().unwrap().0;
    for (at, progress) in shown.iter().filter(|(at, _)| *at >= after && *at < end.mul_f64(0.9)) {
        #[allow(clippy::cast_precision_loss)]
        let left = progress.eta_ms.unwrap_or_else(|| panic!("none at {at:?}: {progress:?}")) as f64 / 1_000.0;
        let truly = end.saturating_sub(*at).as_secs_f64();
        assert!(is_within(left, truly, tolerance), "{left} s instead of {truly} s at {at:?}: {progress:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn members_that_fail_at_once_leave_nothing_to_do() {
    for by in [BatchProgress::ByUnit, BatchProgress::ByMember] {
        let fails = |number| Member { fails: u32::from(number % 2 == 0), total: 100, ..MEMBER };
        let members =
            (0..10).map(fails).map(|member| if member.fails > 0 { Member { total: 1, ..member } } else { member });
        let batch = batch(members, 10, Policy { batch_progress: by, ..Policy::default() });
        sleep(millis(50)).await;
        let shown = looks(&batch, millis(100)).await;
        is_right(&shown, secs(2), 0.15);
        let last = &shown.last().unwrap().1;
        let total = (by == BatchProgress::ByUnit).then_some(500);
        assert_eq!((last.completed, last.total, last.fraction), (500, total, Some(1.0)));
    }
}

#[tokio::test(start_paused = true)]
async fn members_that_fail_later_add_what_they_did() {
    let members = (0..10).map(|number| Member { fails: u32::from(number < 5), total: 40, ..MEMBER });
    let batch = batch(members, 10, Policy::default());
    sleep(millis(2_500)).await;
    let progress = batch.snapshot().progress;
    assert_eq!(progress.total, Some(5 * 20 + 5 * 40), "half of the failed ones");
    let shown = looks(&batch, millis(100)).await;
    let last = &shown.last().unwrap().1;
    assert_eq!((last.completed, last.total, last.fraction), (300, Some(300), Some(1.0)));
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_a_time_left_while_most_totals_are_unknown() {
    for policy in [Policy::default(), Policy { batch_progress: BatchProgress::ByMember, ..Policy::default() }] {
        let batch = batch([MEMBER; 40], 4, policy);
        let shown = looks(&batch, millis(100)).await;
        let with = shown.iter().filter(|(_, progress)| progress.eta_ms.is_some()).count();
        assert!(with >= 85, "{with} of {}", shown.len());
        is_right(&shown, secs(4), 0.15);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_members_report_nothing_has_a_time_left_all_the_same() {
    let member = Member { counts: false, total: 30, per_second: 1, ..MEMBER };
    let batch = batch([member; 40], 4, Policy::default());
    let shown = looks(&batch, secs(1)).await;
    for (at, progress) in shown.iter().filter(|(at, _)| *at > secs(31) && *at < secs(299)) {
        #[allow(clippy::cast_precision_loss)]
        let left = progress.eta_ms.unwrap() as f64 / 1_000.0;
        // Four of them end at once, every 30 seconds.
        assert!((left + at.as_secs_f64() - 300.0).abs() < 40.0, "{left} s at {at:?}");
    }
    assert_eq!(shown.last().unwrap().1.fraction, Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_begins_again_moves_the_sum_and_not_the_clock() {
    for concurrency in [20, 4] {
        let policy =
            Policy { retry: Some(Retry::attempts(3).backoff(Backoff::constant(millis(300)))), ..Policy::default() };
        let members = (0..20).map(|number| Member { fails: u32::from(number == 3), total: 200, ..MEMBER });
        let batch = batch(members, concurrency, policy);
        let shown = looks(&batch, millis(100)).await;
        let before = shown.iter().position(|(at, _)| *at >= secs(9)).unwrap();
        for (at, progress) in &shown[before..shown.len() - 1] {
            assert!(progress.rate.is_some() && progress.eta_ms.is_some(), "none at {at:?}: {progress:?}");
            if *at < secs(19) {
                let expected = f64::from(u32::try_from(concurrency).unwrap()) * 10.0;
                assert!(is_within(progress.rate.unwrap(), expected, 0.15), "at {at:?}: {progress:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_members_find_is_no_work_of_the_batch() {
    for (concurrency, by) in [(10, BatchProgress::ByUnit), (2, BatchProgress::ByUnit), (2, BatchProgress::ByMember)] {
        let member = Member { found: 900, total: 1_000, ..MEMBER };
        let batch = batch([member; 10], concurrency, Policy { batch_progress: by, ..Policy::default() });
        let shown = looks(&batch, millis(100)).await;
        for (at, progress) in shown.iter().filter(|(at, _)| *at >= secs(4) && *at < secs(9)) {
            let expected = f64::from(u32::try_from(concurrency).unwrap()) * 10.0;
            assert!(is_within(progress.rate.unwrap(), expected, 0.15), "at {at:?}: {progress:?}");
        }
        is_right(&shown, secs(4), 0.15);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_never_full_while_its_members_do_more_than_their_total() {
    for (count, by) in [(1, BatchProgress::ByUnit), (2, BatchProgress::ByUnit), (2, BatchProgress::ByMember)] {
        for total in [0, 100] {
            let policy = Policy { batch_progress: by, ..Policy::default() };
            let kind = Kind::new("load", policy, Errors::default(), move |ctx: TaskContext, (): ()| async move {
                ctx.progress().total(total);
                for _ in 0..200 {
                    sleep(millis(100)).await;
                    ctx.progress().inc(1);
                }
                Nothing::Ok(())
            });
            let batch =
                manager([kind], Settings::default()).batch("load", vec![(); count], BatchOptions::new()).unwrap();
            let shown = looks(&batch, millis(500)).await;
            for (at, progress) in shown.iter().filter(|(at, _)| *at > millis(10_200) && *at < millis(19_900)) {
                assert_eq!((progress.fraction, progress.eta_ms), (None, None), "{at:?}: {progress:?}");
            }
            assert_eq!(shown.last().unwrap().1.fraction, Some(1.0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn members_without_a_total_are_taken_to_be_like_the_others() {
    for by in [BatchProgress::ByUnit, BatchProgress::ByMember] {
        let policy = Policy { batch_progress: by, ..Policy::default() };
        let kind = Kind::new("load", policy, Errors::default(), async |ctx: TaskContext, number: u32| -> Nothing {
            if number.is_multiple_of(2) {
                ctx.progress().total(200);
            }
            for _ in 0..200 {
                sleep(millis(100)).await;
                ctx.progress().inc(1);
            }
            Ok(())
        });
        let batch = manager([kind], Settings::default()).batch("load", 0..10, BatchOptions::new()).unwrap();
        let shown = looks(&batch, millis(100)).await;
        is_right(&shown, secs(4), 0.15);
        assert!((shown[100].1.fraction.unwrap() - 0.5).abs() < 0.02, "{:?}", shown[100]);
    }
}

#[tokio::test(start_paused = true)]
async fn members_that_announce_a_total_and_count_nothing_are_counted_by_member() {
    let kind =
        Kind::new("load", Policy::default(), Errors::default(), async |ctx: TaskContext, number: u64| -> Nothing {
            ctx.progress().total(1_000);
            sleep(secs(2 + 2 * number)).await;
            Ok(())
        });
    let batch = manager([kind], Settings::default()).batch("load", 0..10, BatchOptions::new().concurrency(10)).unwrap();
    let mut before = 0.0;
    for (at, progress) in looks(&batch, millis(500)).await {
        let fraction = progress.fraction.unwrap();
        assert!(fraction >= before, "at {at:?}: {progress:?}");
        assert!(fraction > 0.0 || progress.eta_ms.is_none(), "they agree at {at:?}: {progress:?}");
        assert!(at < secs(3) || fraction >= 0.1, "at {at:?}: {progress:?}");
        before = fraction;
    }
}

#[tokio::test(start_paused = true)]
async fn members_that_count_and_have_no_total_have_a_time_left_that_falls_between_their_ends() {
    let kind = Kind::new("load", Policy::default(), Errors::default(), async |ctx: TaskContext, (): ()| -> Nothing {
        for _ in 0..300 {
            sleep(millis(100)).await;
            ctx.progress().inc(1);
        }
        Ok(())
    });
    let options = BatchOptions::new().concurrency(4);
    let batch = manager([kind], Settings::default()).batch("load", vec![(); 40], options).unwrap();
    let shown = looks(&batch, secs(1)).await;
    is_right(&shown, millis(31_500), 0.15);
    let lefts: Vec<_> = shown.iter().filter_map(|(_, progress)| progress.eta_ms).collect();
    assert!(lefts.is_sorted_by(|before, after| *after <= before + 10_000), "{lefts:?}");
}

#[tokio::test(start_paused = true)]
async fn the_first_addition_of_a_member_is_no_leap_of_the_batch() {
    for (fails, concurrency) in [(false, 4), (true, 4), (false, 1), (true, 1)] {
        let policy =
            Policy { retry: Some(Retry::attempts(2).backoff(Backoff::constant(millis(100)))), ..Policy::default() };
        let kind = Kind::new("load", policy, Errors::default(), move |ctx: TaskContext, (): ()| async move {
            ctx.progress().total(1_000_000_000);
            if fails && ctx.attempt() == 1 {
                timeout(secs(5), load_a_megabyte_a_second(&ctx)).await.map_err(|_| Failure::new("lost"))??;
            }
            ctx.progress().inc(980_000_000);
            for _ in 0..200 {
                sleep(millis(100)).await;
                ctx.progress().inc(100_000);
            }
            Nothing::Ok(())
        });
        let options = BatchOptions::new().concurrency(concurrency);
        let batch = manager([kind], Settings::default()).batch("load", vec![(); 4], options).unwrap();
        let shown = looks(&batch, millis(100)).await;
        for (at, progress) in shown.iter().filter(|(at, _)| *at > secs(2)) {
            let expected = 1e6 * f64::from(u32::try_from(concurrency).unwrap());
            let is_possible = progress.rate.is_none_or(|rate| rate <= expected * 1.15);
            assert!(is_possible, "at {at:?}: {progress:?}");
        }
        if concurrency == 4 {
            is_right(&shown, secs(if fails { 11 } else { 4 }), 0.15);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn members_that_count_different_units_are_counted_by_member() {
    let members = [MEMBER, Member { unit: Unit::Files, total: 100, per_second: 100, ..MEMBER }];
    let batch = batch(members.into_iter().cycle().take(20), 2, Policy::default());
    let shown = looks(&batch, millis(100)).await;
    let (_, middle) = &shown[shown.len() / 2];
    assert_eq!((middle.total, middle.unit, middle.rate), (None, Unit::None, None), "a sum of both means nothing");
    assert!((middle.fraction.unwrap() - 0.5).abs() < 0.1, "{middle:?}");
    is_right(&shown, secs(4), 0.15);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_has_ended_is_full_whatever_its_members_did() {
    let over = Kind::new("load", Policy::default(), Errors::default(), async |ctx: TaskContext, (): ()| -> Nothing {
        ctx.progress().total(5).set(9);
        sleep(secs(1)).await;
        Ok(())
    });
    let nothing = Member { total: 0, ..MEMBER };
    let failing = Member { total: 1, fails: 1, ..MEMBER };
    let over = manager([over], Settings::default()).batch("load", [(), ()], BatchOptions::new()).unwrap();
    for batch in [
        batch([], 4, Policy::default()),
        batch([nothing; 3], 4, Policy::default()),
        batch([failing; 3], 4, Policy::default()),
        batch([Member { counts: false, ..MEMBER }; 3], 4, Policy::default()),
        over,
    ] {
        batch.outcome().await;
        let progress = batch.snapshot().progress;
        agrees(&progress);
        assert_eq!(progress.fraction, Some(1.0), "{progress:?}");
    }
}
