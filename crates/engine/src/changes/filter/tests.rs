use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Json;

fn task<'a>(name: &'a str, status: TaskStatus, tags: &'a [String]) -> Filtered<'a> {
    Filtered { name, status, tags, key: None, parent: None }
}

fn matches(filter: &TaskFilter, task: &Filtered<'_>) -> bool {
    filter.matcher().matches(task)
}

#[test]
fn every_given_part_must_match_and_a_missing_part_matches_all_tasks() {
    assert!(matches(&TaskFilter::default(), &task("a", TaskStatus::Running, &[])));
    let filter = TaskFilter::default().task("a").task("b").status(TaskStatus::Failed);
    assert!(matches(&filter, &task("b", TaskStatus::Failed, &[])));
    assert!(!matches(&filter, &task("c", TaskStatus::Failed, &[])));
    assert!(!matches(&filter, &task("a", TaskStatus::Running, &[])));
    let none = TaskFilter { task: Some(vec![]), ..TaskFilter::default() };
    assert!(!matches(&none, &task("a", TaskStatus::Failed, &[])), "an empty part matches nothing");
}

#[test]
fn tags_keys_and_batches_narrow_too() {
    let tags = ["sync".to_owned(), "night".to_owned()];
    let batch = TaskId::new();
    let task = Filtered { key: Some("k"), parent: Some(batch), ..task("a", TaskStatus::Queued, &tags) };
    assert!(matches(&TaskFilter::default().tag("other").tag("night").key("k").parent(batch), &task));
    assert!(!matches(&TaskFilter::default().tag("other"), &task));
    assert!(!matches(&TaskFilter::default().key("other"), &task));
    assert!(!matches(&TaskFilter::default().parent(TaskId::new()), &task));
}

/// What the documentation of [`TaskFilter`] says, entry by entry.
fn matches_one_by_one(filter: &TaskFilter, task: &Filtered<'_>) -> bool {
    fn any<T>(wanted: Option<&Vec<T>>, has: impl Fn(&T) -> bool) -> bool {
        wanted.is_none_or(|wanted| wanted.iter().any(has))
    }
    any(filter.task.as_ref(), |name| name == task.name)
        && any(filter.status.as_ref(), |status| *status == task.status)
        && any(filter.tag.as_ref(), |tag| task.tags.contains(tag))
        && any(filter.key.as_ref(), |key| Some(&**key) == task.key)
        && any(filter.parent.as_ref(), |batch| Some(*batch) == task.parent)
}

const STATUSES: [TaskStatus; 3] = [TaskStatus::Queued, TaskStatus::Running, TaskStatus::Failed];

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[ab]{0,2}", 0..4)
}

proptest! {
    #[test]
    fn a_matcher_says_what_its_filter_says(
        names in prop::option::of(words()),
        statuses in prop::option::of(prop::collection::vec(0..STATUSES.len(), 0..3)),
        tags in prop::option::of(words()),
        keys in prop::option::of(words()),
        parents in prop::option::of(prop::collection::vec(0..3_usize, 0..3)),
        name in "[ab]{0,2}",
        status in 0..STATUSES.len(),
        own_tags in words(),
        key in prop::option::of("[ab]{0,2}"),
        parent in prop::option::of(0..3_usize),
    ) {
        let batches = [TaskId::new(), TaskId::new(), TaskId::new()];
        let filter = TaskFilter {
            task: names,
            status: statuses.map(|all| all.into_iter().map(|place| STATUSES[place]).collect()),
            tag: tags,
            key: keys,
            parent: parents.map(|all| all.into_iter().map(|place| batches[place]).collect()),
        };
        let task = Filtered {
            name: &name,
            status: STATUSES[status],
            tags: &own_tags,
            key: key.as_deref(),
            parent: parent.map(|place| batches[place]),
        };
        prop_assert_eq!(matches(&filter, &task), matches_one_by_one(&filter, &task));
    }
}

/// Reads a filter with this one part. Returns the path and the problem if it doesn't fit.
fn read(part: &str, value: &Value) -> Result<TaskFilter, (String, String)> {
    Json::from(json!({ part: value })).read_exactly().map_err(|misfit| (misfit.path, misfit.problem))
}

#[test]
fn each_list_takes_256_entries_and_not_one_more() {
    let ids = |many: usize| (0..many).map(|_| json!(TaskId::new())).collect::<Vec<_>>();
    let texts = |many: usize| (0..many).map(|place| json!(place.to_string())).collect::<Vec<_>>();
    let statuses = |many: usize| vec![json!("queued"); many];
    for part in ["task", "status", "tag", "key", "parent"] {
        let entries = |many| match part {
            "status" => statuses(many),
            "parent" => ids(many),
            _ => texts(many),
        };
        for many in [0, 1, 255, 256] {
            assert!(read(part, &json!(entries(many))).is_ok(), "{many} of {part}");
        }
        assert!(read(part, &Value::Null).is_ok(), "{part}");
        for many in [257, 258, 100_000] {
            let (path, problem) = read(part, &json!(entries(many))).unwrap_err();
            assert_eq!(path, part);
            assert!(problem.contains("256 entries"), "{problem}");
        }
    }
}

#[test]
fn no_text_of_a_filter_is_longer_than_a_task_could_have() {
    for (part, limit) in [("task", 1_024), ("tag", 1_024), ("key", 4_096)] {
        assert!(read(part, &json!(["x", "x".repeat(limit)])).is_ok(), "{part}");
        for over in [1, 1_000_000] {
            let (path, problem) = read(part, &json!(["x", "x".repeat(limit + over)])).unwrap_err();
            assert_eq!(path, format!("{part}[1]"));
            assert!(problem.contains(&limit.to_string()) && problem.len() < 200, "{problem}");
        }
    }
}

#[test]
fn what_is_over_a_limit_is_not_repeated_in_the_error() {
    let huge = "x".repeat(1_000_000);
    for (part, value) in [("status", json!([huge])), ("parent", json!([huge])), (&*huge, json!([]))] {
        let (path, problem) = read(part, &value).unwrap_err();
        assert!(path.len() + problem.len() < 4_096, "{} bytes", path.len() + problem.len());
    }
}
