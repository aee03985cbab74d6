use std::sync::Arc;

use loom::{
    sync::{
        Mutex,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Release},
        },
    },
    thread::{self, JoinHandle},
};

use crate::conflation::{Conflation, Due, MOST};

/// Checks all interleavings with up to four preemptions. For tests in which checking all would take minutes.
fn bounded_model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(test);
}

/// The values that a watcher sees: the count and the total.
type Seen = (u64, Option<u64>);

fn read(cell: &Conflation) -> Seen {
    (cell.completed(), cell.total())
}

/// The cell and its watchers.
struct Task {
    cell: Conflation,
    /// The lock of the task's state.
    turn: Mutex<()>,
    told: Vec<AtomicBool>,
    sampler_told: AtomicBool,
}

impl Task {
    fn new(watchers: usize) -> Arc<Self> {
        let told = (0..watchers).map(|_| AtomicBool::new(false)).collect();
        let sampler_told = AtomicBool::new(false);
        Arc::new(Self { cell: Conflation::new(0), turn: Mutex::new(()), told, sampler_told })
    }

    fn tell_if(&self, due: Due) {
        if due.sampler {
            self.sampler_told.swap(true, Release);
        }
        if due.watchers {
            for told in &self.told {
                // Not a store: loom may order a store before a swap that did not read it, and the store would be lost.
                told.swap(true, Release);
            }
        }
    }

    fn spawn<T: 'static>(self: &Arc<Self>, work: impl FnOnce(&Self) -> T + 'static) -> JoinHandle<T> {
        let task = Arc::clone(self);
        thread::spawn(move || work(&task))
    }

    /// Looks, and returns the revision and the values after it.
    fn look(&self) -> (u64, Seen) {
        let _turn = self.turn.lock().unwrap();
        (self.cell.look(), read(&self.cell))
    }
}

/// A watcher that looks only when it is told, and reads the values when there is a new revision.
struct Reader {
    number: usize,
    revision: u64,
    seen: Seen,
}

impl Reader {
    fn new(number: usize) -> Self {
        Self { number, revision: 0, seen: (0, None) }
    }

    fn poll(&mut self, task: &Task) {
        if task.told[self.number].swap(false, Acquire) {
            let _turn = task.turn.lock().unwrap();
            let revision = task.cell.look();
            if revision != self.revision {
                self.revision = revision;
                self.seen = read(&task.cell);
            }
        }
    }

    /// Checks that the reader has seen the last values after at most one more look. Call it when all other threads are
    /// done.
    fn has_seen_all_of(mut self, task: &Task) {
        self.poll(task);
        assert_eq!(self.seen, read(&task.cell), "the last change was never seen");
    }
}

#[test]
fn no_change_is_missed_by_a_reader_that_looks_only_when_told() {
    loom::model(|| {
        let task = Task::new(1);
        let writer = task.spawn(|task| {
            task.tell_if(task.cell.inc(1));
            task.tell_if(task.cell.set_total(Some(9)));
            task.tell_if(task.cell.set(3));
        });
        let mut reader = Reader::new(0);
        reader.poll(&task);
        reader.poll(&task);
        writer.join().unwrap();
        assert_eq!(read(&task.cell), (3, Some(9)));
        reader.has_seen_all_of(&task);
    });
}

#[test]
fn no_change_of_two_writers_is_missed_by_a_reader_that_looks_only_when_told() {
    bounded_model(|| {
        let task = Task::new(1);
        let counter = task.spawn(|task| {
            task.tell_if(task.cell.inc(1));
            task.tell_if(task.cell.inc(1));
        });
        let other = task.spawn(|task| {
            task.tell_if(task.cell.inc(1));
            task.tell_if(task.cell.set_total(Some(9)));
        });
        let mut reader = Reader::new(0);
        reader.poll(&task);
        reader.poll(&task);
        counter.join().unwrap();
        other.join().unwrap();
        assert_eq!(read(&task.cell), (3, Some(9)));
        reader.has_seen_all_of(&task);
    });
}

#[test]
fn a_reader_that_one_writer_tells_sees_the_reports_of_the_other() {
    // All three ways to change the word continue the release sequence.
    let changes: [fn(&Conflation) -> Due; 3] = [|cell| cell.inc(1), |cell| cell.set(1), Conflation::report];
    for change in changes {
        loom::model(move || {
            let task = Task::new(1);
            let totalling = task.spawn(|task| task.tell_if(task.cell.set_total(Some(9))));
            let other = task.spawn(move |task| task.tell_if(change(&task.cell)));
            let mut reader = Reader::new(0);
            reader.poll(&task);
            totalling.join().unwrap();
            other.join().unwrap();
            reader.has_seen_all_of(&task);
        });
    }
}

#[test]
fn a_new_attempt_is_not_missed_and_has_nothing_of_what_is_left_of_the_last_one() {
    loom::model(|| {
        let first = Arc::new(Conflation::new(0));
        let _ = first.set_total(Some(9));
        let _ = first.inc(1);
        let (revision, seen) = (first.look(), read(&first));
        let told = Arc::new(AtomicBool::new(false));
        let current = Arc::new(Mutex::new(Arc::clone(&first)));

        let leftover = thread::spawn({
            let (first, current, told) = (Arc::clone(&first), Arc::clone(&current), Arc::clone(&told));
            move || {
                if first.inc(MOST).watchers && Arc::ptr_eq(&current.lock().unwrap(), &first) {
                    told.swap(true, Release);
                }
            }
        });
        let next = thread::spawn({
            let (current, told) = (Arc::clone(&current), Arc::clone(&told));
            move || {
                let mut cell = current.lock().unwrap();
                *cell = Arc::new(Conflation::new(cell.look() + 1));
                drop(cell);
                told.swap(true, Release);
            }
        });
        let poll = |(revision, seen): (u64, Seen)| {
            if !told.swap(false, Acquire) {
                return (revision, seen);
            }
            let cell = current.lock().unwrap();
            let newest = cell.look();
            (newest, if newest == revision { seen } else { read(&cell) })
        };
        let looked = poll((revision, seen));
        leftover.join().unwrap();
        next.join().unwrap();
        assert_eq!(poll(looked).1, (0, None), "the next attempt has reported nothing");
    });
}

#[test]
fn two_readers_that_take_turns_never_see_the_flag_clear_and_the_revision_old() {
    loom::model(|| {
        let task = Task::new(2);
        let writer = task.spawn(|task| {
            task.tell_if(task.cell.inc(1));
            task.tell_if(task.cell.inc(1));
        });
        let second = task.spawn(|task| {
            let mut reader = Reader::new(1);
            reader.poll(task);
            reader
        });
        let mut first = Reader::new(0);
        first.poll(&task);
        writer.join().unwrap();
        let second = second.join().unwrap();
        first.has_seen_all_of(&task);
        second.has_seen_all_of(&task);
    });
}

#[test]
fn what_is_reported_before_the_end_is_in_the_last_look() {
    loom::model(|| {
        let task = Task::new(1);
        let work = task.spawn(|task| {
            let _ = task.cell.inc(1);
            let _ = task.cell.set_total(Some(2));
            let _ = task.cell.inc(1);
            // The end.
            task.look()
        });
        let (revision, seen) = task.look();
        let (last_revision, last) = work.join().unwrap();
        assert_eq!(last, (2, Some(2)));
        assert!(last_revision != revision || last == seen, "a watcher that has seen less finds a new revision");
    });
}

#[test]
fn a_check_for_reports_misses_none() {
    for looked_at in [false, true] {
        bounded_model(move || {
            let task = Task::new(1);
            // Something was reported before. `looked_at` says whether a watcher looks meanwhile.
            let _ = task.cell.inc(1);
            assert_eq!(task.cell.reports(), 1);
            let writer = task.spawn(|task| {
                let _ = task.cell.inc(1);
                let _ = task.cell.inc(1);
            });
            let watcher = task.spawn(move |task| {
                if looked_at {
                    task.look();
                }
            });
            let before = task.cell.completed();
            let touched = task.cell.reports() > 1;
            let after = task.cell.completed();
            writer.join().unwrap();
            watcher.join().unwrap();
            let later = task.cell.reports();
            let touched_later = later > 1 + u64::from(touched);
            assert!(before == 3 || touched || touched_later, "missed");
            assert!(after == 3 || touched_later, "a report after one check is found by the next");
            assert_eq!(task.cell.reports(), later, "no report is found twice");
        });
    }
}

#[test]
fn a_check_for_reports_hides_no_change_from_the_reader() {
    loom::model(|| {
        let task = Task::new(1);
        let writer = task.spawn(|task| {
            task.tell_if(task.cell.inc(1));
            task.tell_if(task.cell.inc(1));
        });
        let asker = task.spawn(|task| task.cell.reports());
        let mut reader = Reader::new(0);
        reader.poll(&task);
        writer.join().unwrap();
        let touched = asker.join().unwrap() > 0;
        reader.has_seen_all_of(&task);
        assert!(touched || task.cell.reports() > 0);
    });
}

#[test]
fn no_advance_is_missed_by_a_sampler_that_lets_go() {
    let reports: [fn(&Conflation) -> Due; 2] = [|cell| cell.inc(1), |cell| cell.set(2)];
    for report in reports {
        bounded_model(move || {
            let task = Task::new(1);
            task.tell_if(task.cell.inc(1));
            assert!(task.sampler_told.swap(false, Acquire), "the first count");
            let writer = task.spawn(move |task| task.tell_if(report(&task.cell)));
            let sampler = task.spawn(|task| {
                let count = task.cell.completed();
                let has_advanced = task.cell.let_go() != count;
                if has_advanced {
                    task.cell.hold();
                }
                (count, has_advanced)
            });
            let (count, has_advanced) = sampler.join().unwrap();
            writer.join().unwrap();
            let told = task.sampler_told.swap(false, Acquire);
            assert!(count == 2 || has_advanced || told, "missed");
        });
    }
}
