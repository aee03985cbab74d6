//! How often a watcher is told: changes at its pace, in rounds, and ends at once.

use super::*;
use crate::Unit;

const SECOND: Duration = Duration::from_secs(1);

/// A task that reports every 10 milliseconds for this long, and then ends.
fn reports(opened: &Opened, time: Duration) -> TaskId {
    let task = opened.tasks.spawn("reports", async move |ctx: TaskContext| {
        for _ in 0..time.as_millis() / 10 {
            sleep(Duration::from_millis(10)).await;
            ctx.progress().inc(1);
        }
        Ok::<_, Failure>(())
    });
    task.id()
}

/// Takes and acknowledges what comes in this time. Returns each message with its time since now.
async fn taken(opened: &Opened, time: Duration) -> Vec<(Duration, Value)> {
    let (session, began) = (opened.session().unwrap(), Instant::now());
    let mut messages = Vec::new();
    while began.elapsed() < time {
        sleep(Duration::from_millis(1)).await;
        let Some((at, message, _)) = opened.pushed.lock().get(*opened.taken.lock()).cloned() else { continue };
        *opened.taken.lock() += 1;
        let answer = session.acknowledge(message["message"].as_u64().unwrap()).await.unwrap();
        assert!(answer.is_none(), "few tasks fit in one message");
        messages.push((at - began, message));
    }
    messages
}

impl Opened {
    fn follow_at(&self, id: TaskId, every: Duration) {
        self.session().unwrap().follow(&engine(&self.tasks).find(id).unwrap(), Some(every));
    }

    fn list_at(&self, filter: TaskFilter, every: Duration) {
        self.session().unwrap().list(1, &filter, View::new(page("main"), Scope::everything()), Some(every)).unwrap();
    }
}

/// Returns when progress was reported, and how far the task had come.
fn progress(messages: &[(Duration, Value)]) -> Vec<(u128, u64)> {
    let mut found = Vec::new();
    for (at, message) in messages {
        let events = message["events"].as_array().unwrap().iter();
        let lists = message["lists"].as_array().unwrap().iter();
        let entries = lists.flat_map(|list| ["changed", "progressed"].map(|part| list[part].as_array().unwrap()));
        let listed = entries.flatten().map(|entry| &entry["progress"]);
        let events = events.filter(|event| event["change"]["type"] == "progress");
        for progress in events.map(|event| &event["change"]["data"]).chain(listed) {
            found.push((at.as_millis(), progress["completed"].as_u64().unwrap()));
        }
    }
    found
}

#[tokio::test(start_paused = true)]
async fn progress_is_reported_at_the_pace_and_no_value_waits_longer() {
    for (follows, every) in [(true, SECOND), (false, SECOND), (true, SECOND / 4), (false, SECOND / 4)] {
        let opened = Opened::new();
        let id = reports(&opened, 10 * SECOND);
        if follows {
            opened.follow_at(id, every);
        } else {
            opened.list_at(TaskFilter::default(), every);
        }
        let told = progress(&taken(&opened, 9 * SECOND).await);
        let rounds = 9_000 / every.as_millis();
        assert!((rounds - 1..=rounds).contains(&(told.len() as u128)), "{told:?}");
        let mut last = 0;
        for (at, completed) in told {
            let since = at - last;
            assert!(since >= every.as_millis() && since <= every.as_millis() + 20, "{since} after the last one");
            assert!(u128::from(completed) * 10 + 30 > at, "{completed} at {at} is not the newest");
            last = at;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_after_a_pause_is_reported_at_once_and_the_last_one_is_not_lost() {
    let opened = Opened::new();
    let task = opened.tasks.spawn("twice", async |ctx: TaskContext| {
        sleep(5 * SECOND).await;
        ctx.progress().unit(Unit::Files).total(1);
        sleep(SECOND / 10).await;
        ctx.progress().total(2);
        std::future::pending::<Result<(), Failure>>().await
    });
    sleep(Duration::from_millis(1)).await;
    opened.follow_at(task.id(), SECOND);
    opened.list_at(TaskFilter::default(), SECOND);
    let messages = taken(&opened, 10 * SECOND).await;
    let told: Vec<_> = progress(&messages).into_iter().map(|(at, _)| at / 50 * 50).collect();
    assert_eq!(told, [4_950, 4_950, 5_950, 5_950]);
    let (_, last) = messages.last().unwrap();
    assert_eq!(last["events"][0]["change"]["data"]["total"], 2);
    assert_eq!(last["lists"][0]["progressed"][0]["progress"]["total"], 2);
}

#[tokio::test(start_paused = true)]
async fn an_end_is_reported_at_once_after_the_newest_progress() {
    let opened = Opened::new();
    let id = reports(&opened, 2 * SECOND + SECOND / 2);
    opened.follow_at(id, 60 * SECOND);
    let messages = taken(&opened, 10 * SECOND).await;
    let events: Vec<_> = messages
        .iter()
        .flat_map(|(at, message)| message["events"].as_array().unwrap().iter().map(move |event| (at, event)))
        .collect();
    let told: Vec<_> = events
        .iter()
        .map(|(_, event)| {
            let data = &event["change"]["data"];
            data["status"].as_str().map_or_else(|| data["completed"].to_string(), str::to_owned)
        })
        .collect();
    assert_eq!(told, ["running", "250", "completed"]);
    let (at, _) = events.last().unwrap();
    assert!(**at >= 2 * SECOND + SECOND / 2 && **at < 2 * SECOND + SECOND / 2 + 2 * FRAME, "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn in_a_list_an_end_comes_at_once_and_what_else_has_changed_waits_for_the_round() {
    let opened = Opened::new();
    opened.list_at(TaskFilter::default(), 10 * SECOND);
    sleep(SECOND).await;
    let short = reports(&opened, SECOND);
    let long = reports(&opened, 60 * SECOND);
    let messages = taken(&opened, 12 * SECOND).await;
    let told: Vec<_> = messages
        .iter()
        .flat_map(|(at, message)| message["lists"].as_array().unwrap().iter().map(move |list| (at, list)))
        .map(|(at, list)| {
            let ids = list["changed"].as_array().unwrap().iter().map(|snapshot| snapshot["id"].clone());
            (at.as_secs(), ids.collect::<Vec<_>>(), list["progressed"].as_array().unwrap().len())
        })
        .collect();
    let id = |id: TaskId| json!(id.to_string());
    // The list was told of its state a second ago, so that its next round begins after 9 seconds.
    assert_eq!(told, [(1, vec![id(short)], 0), (9, vec![id(long)], 0)]);

    opened.tasks.remove(short).unwrap();
    opened.tasks.cancel(long).unwrap();
    let messages = taken(&opened, 12 * SECOND).await;
    let lists: Vec<_> = messages.iter().map(|(at, message)| (at.as_secs(), message["lists"][0].clone())).collect();
    assert_eq!((lists[0].0, &lists[0].1["changed"][0]["status"]), (0, &json!("cancelled")));
    assert_eq!(lists[0].1["removed"], json!([]), "that a task is removed long after its end is no end");
    assert_eq!((lists[1].0, &lists[1].1["removed"]), (7, &json!([short.to_string()])));
    assert_eq!(lists.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_leaves_a_list_because_it_ended_leaves_it_at_once() {
    let opened = Opened::new();
    let (ends, stays) = (reports(&opened, SECOND), opened.hang());
    sleep(SECOND / 10).await;
    opened.list_at(TaskFilter::default().status(TaskStatus::Running), 3_600 * SECOND);
    let lists = taken(&opened, 2 * SECOND).await;
    assert_eq!(lists.len(), 1);
    assert_eq!(lists[0].1["lists"][0]["removed"], json!([ends.to_string()]));
    opened.tasks.cancel(stays).unwrap();
    // It was stopped and removed before the page has learned of the end.
    sleep(Duration::from_millis(1)).await;
    opened.tasks.remove(stays).unwrap();
    let lists = taken(&opened, SECOND).await;
    assert_eq!(lists[0].1["lists"][0]["removed"], json!([stays.to_string()]));
}

#[tokio::test(start_paused = true)]
async fn another_watch_changes_the_pace_and_one_without_a_pace_leaves_it() {
    let opened = Opened::new();
    let id = reports(&opened, 60 * SECOND);
    opened.follow_at(id, 10 * SECOND);
    assert_eq!(progress(&taken(&opened, 5 * SECOND).await), []);
    opened.follow_at(id, SECOND);
    let told = progress(&taken(&opened, 5 * SECOND).await);
    assert!(told.len() == 5 && told[0].0 < 20, "what was held back for the slower pace comes at once: {told:?}");
    opened.follow(id);
    let told = progress(&taken(&opened, 5 * SECOND).await);
    assert_eq!(told.len(), 5, "{told:?}");
    opened.follow_at(id, Duration::ZERO);
    let told = progress(&taken(&opened, SECOND).await);
    assert!(told.len() > 40, "each frame: {}", told.len());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_watched_again_without_a_pace_keeps_it() {
    let opened = Opened::new();
    reports(&opened, 60 * SECOND);
    opened.list_at(TaskFilter::default(), SECOND);
    opened.list(1, TaskFilter::default());
    let told = progress(&taken(&opened, 5 * SECOND).await);
    assert!((4..=5).contains(&told.len()), "{told:?}");
    opened.list_at(TaskFilter::default(), Duration::ZERO);
    assert!(progress(&taken(&opened, SECOND).await).len() > 40, "each frame");
    opened.list_at(TaskFilter::default(), SECOND);
    opened.session().unwrap().unlist(1);
    opened.list(1, TaskFilter::default());
    assert!(progress(&taken(&opened, SECOND).await).len() > 40, "a new list is told in each frame");
}

#[tokio::test(start_paused = true)]
async fn two_lists_and_a_follow_each_have_a_pace_of_their_own() {
    let opened = Opened::new();
    let id = reports(&opened, 60 * SECOND);
    let session = opened.session().unwrap();
    let view = || View::new(page("main"), Scope::everything());
    session.list(1, &TaskFilter::default(), view(), Some(SECOND)).unwrap();
    session.list(2, &TaskFilter::default(), view(), Some(3 * SECOND)).unwrap();
    opened.follow_at(id, 5 * SECOND);
    let messages = taken(&opened, 31 * SECOND).await;
    let told = |watch: u32| {
        let lists = messages.iter().flat_map(|(_, message)| message["lists"].as_array().unwrap());
        lists.filter(|list| list["watch"] == watch).count()
    };
    let followed = messages.iter().flat_map(|(_, message)| message["events"].as_array().unwrap());
    let followed = followed.filter(|event| event["change"]["type"] == "progress").count();
    assert!((29..=31).contains(&told(1)) && told(2) == 10 && followed == 6, "{} {} {followed}", told(1), told(2));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_watches_at_a_slow_pace_gets_few_messages() {
    let opened = Opened::new();
    for _ in 0..10 {
        reports(&opened, 60 * SECOND);
    }
    opened.list_at(TaskFilter::default(), 5 * SECOND);
    assert!(taken(&opened, 30 * SECOND).await.len() <= 8, "one message a round, and probes");
}
