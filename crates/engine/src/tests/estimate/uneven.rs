//! Batches of many short members that report in uneven lumps, while the batch as a whole moves at a constant rate.

use super::*;

/// How a member reports what it does.
#[derive(Debug, Clone, Copy)]
struct Style {
    /// The parts of the member that it reports, in percent.
    lumps: &'static [u32],
    /// Whether each lump takes as long as any other one, not as long as it is large.
    is_uneven: bool,
    /// Whether it reports what it is about to do, not what it has done.
    is_early: bool,
}

/// Returns how long a member takes, which differs from the others'. In each millisecond it does one unit.
fn life(number: u64, longest: u64) -> u64 {
    longest / 4 + number * 7_919 % (longest * 3 / 4)
}

/// A batch that takes about 14 seconds.
fn uneven(style: Style, concurrency: u64, longest: u64) -> BatchHandle {
    let kind =
        Kind::new("load", Policy::default(), Errors::default(), move |ctx: TaskContext, number: u64| async move {
            let life = life(number, longest);
            let parts = u64::try_from(style.lumps.len()).unwrap();
            ctx.progress().total(life);
            let (mut percent, mut done) = (0, 0);
            for lump in style.lumps {
                percent += u64::from(*lump);
                let units = life * percent / 100 - done;
                done += units;
                if style.is_early {
                    ctx.progress().inc(units);
                }
                sleep(millis(if style.is_uneven { life / parts } else { units })).await;
                if !style.is_early {
                    ctx.progress().inc(units);
                }
            }
            Nothing::Ok(())
        });
    let count = 14_000 * concurrency * 8 / 5 / longest;
    let options = BatchOptions::new().concurrency(usize::try_from(concurrency).unwrap());
    manager([kind], Settings::default()).batch("load", 0..count, options).unwrap()
}

#[tokio::test(start_paused = true)]
async fn members_that_report_a_few_uneven_lumps_have_the_rate_of_the_batch() {
    const LUMPS: [&[u32]; 5] = [&[80, 20], &[20, 80], &[90, 5, 5], &[10, 80, 10], &[60, 10, 10, 10, 10]];
    for (concurrency, longest) in [(1, 400), (10, 1_000)] {
        for lumps in LUMPS {
            for (is_uneven, is_early) in [(false, false), (true, false), (false, true), (true, true)] {
                let style = Style { lumps, is_uneven, is_early };
                let batch = uneven(style, concurrency, longest);
                let shown = looks(&batch, millis(250)).await;
                let first = shown.iter().find(|(_, progress)| progress.completed > 0).unwrap().0;
                let last = shown.last().unwrap().0.saturating_sub(millis(longest * 2));
                let expected = 1_000.0 * f64::from(u32::try_from(concurrency).unwrap());
                for (at, progress) in shown.iter().filter(|(at, _)| *at >= first + secs(6) && *at < last) {
                    let rate = progress.rate.unwrap_or_else(|| panic!("none at {at:?}: {progress:?}"));
                    assert!(
                        is_within(rate, expected, 0.1),
                        "{rate} instead of {expected} at {at:?}, {concurrency} at a time, {style:?}: {progress:?}"
                    );
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_finds_most_of_its_work_is_none_of_the_batch_s_rate() {
    for (found, total, waits) in [(90, 100, 0), (90, 100, 3), (900, 1_000, 0), (900, 1_000, 7)] {
        for concurrency in [1, 4] {
            let kind =
                Kind::new("load", Policy::default(), Errors::default(), move |ctx: TaskContext, (): ()| async move {
                    ctx.progress().total(total);
                    sleep(secs(waits)).await;
                    ctx.progress().inc(found);
                    for _ in found..total {
                        sleep(millis(1_000)).await;
                        ctx.progress().inc(1);
                    }
                    Nothing::Ok(())
                });
            let options = BatchOptions::new().concurrency(concurrency);
            let batch = manager([kind], Settings::default()).batch("load", [(); 4], options).unwrap();
            let most = 1.15 * f64::from(u32::try_from(concurrency).unwrap());
            for (at, progress) in looks(&batch, millis(250)).await {
                assert!(progress.rate.is_none_or(|rate| rate <= most), "{concurrency} at {at:?}: {progress:?}");
            }
        }
    }
}
