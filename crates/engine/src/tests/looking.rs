//! What is done to each task that a caller may look at is done while others can go on.

use std::{cell::Cell, sync::Arc};

use tokio::runtime::Handle;

use crate::{Failure, TaskContext, TaskFilter, TaskManager, TaskStatus, record::Record};

/// A debug build panics if the registry's lock is taken while this thread holds it.
#[tokio::test]
async fn who_may_see_a_task_is_asked_while_others_may_find_tasks() {
    let tasks = TaskManager::new(Handle::current());
    for name in ["a", "b", "a"] {
        tasks.spawn(name, async |_: TaskContext| std::future::pending::<Result<(), Failure>>().await);
    }
    let (engine, asked) = (&tasks.engine, Cell::new(0));
    let sees = |record: &Record| {
        asked.set(asked.get() + 1);
        assert!(engine.find(record.id).is_some_and(|found| found.id == record.id));
        record.name() == "a"
    };
    let filter = TaskFilter::default().task("b").task("a");
    assert_eq!(engine.records_that(&filter, sees).len(), 2);
    assert_eq!(asked.replace(0), 3);
    assert_eq!(engine.page(&filter, None, 1, sees).0.len(), 1);
    assert_eq!(engine.page(&TaskFilter::default().task("b"), None, 10, sees).0.len(), 0, "it matches, but is not seen");
    asked.set(0);
    // What matches is looked at afterwards, or each of the tasks would not be asked for.
    let none = TaskFilter::default().task("none");
    assert_eq!((engine.records_that(&none, sees).len(), asked.replace(0)), (0, 3));
    assert_eq!((engine.page(&none, None, 10, sees).0.len(), asked.get()), (0, 3));
}

/// A filter is compiled once: with as many entries as a caller may send, it costs no more for each task than with one.
#[tokio::test]
async fn a_matcher_finds_each_entry_at_once() {
    let names = |many: usize| (0..many).map(|name| name.to_string());
    let filter = names(256).fold(TaskFilter::default(), TaskFilter::task);
    let tasks = TaskManager::new(Handle::current());
    for name in names(300) {
        tasks.spawn(&name, async |_: TaskContext| std::future::pending::<Result<(), Failure>>().await);
    }
    assert_eq!(tasks.list(&filter).len(), 256);
    let matcher = filter.matcher();
    let found: Vec<_> = tasks.engine.records(&TaskFilter::default());
    let is_found = |record: &&Arc<Record>| record.is_selected(&matcher, || true, || record.status());
    assert_eq!(found.iter().filter(is_found).count(), 256);
}

/// A filter needs the status of the task that it is compared with.
#[tokio::test]
async fn a_filter_is_not_looked_at_for_a_task_that_the_caller_may_not_see() {
    let tasks = TaskManager::new(Handle::current());
    tasks.spawn("a", async |_: TaskContext| std::future::pending::<Result<(), Failure>>().await);
    let record = tasks.engine.records(&TaskFilter::default()).remove(0);
    for filter in [TaskFilter::default(), TaskFilter::default().task("a"), TaskFilter::default().task("b")] {
        let matcher = filter.matcher();
        assert!(!record.is_selected(&matcher, || false, || panic!("the filter is looked at")));
        let looks = Cell::new(0);
        let status = || {
            looks.set(looks.get() + 1);
            TaskStatus::Running
        };
        let is_a = filter.task.is_none_or(|names| names.contains(&"a".to_owned()));
        assert_eq!((record.is_selected(&matcher, || true, status), looks.get()), (is_a, 1));
    }
}
