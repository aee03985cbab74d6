//! A page follows a task of another as long as it has a share in it.

use super::*;
use crate::OnConflict;

fn id(number: u16) -> TaskId {
    format!("01890000-0000-7000-8000-00000000{number:04x}").parse().unwrap()
}

/// A session of the page `main`, and tasks of another page.
fn opened() -> Opened {
    let hang = Kind::new("hang", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
        std::future::pending::<Result<(), Failure>>().await
    });
    Opened::with(manager([hang], Settings::default()))
}

impl Opened {
    fn join(&self, label: &str, key: u16, call: u16) -> Arc<Record> {
        let options = StartOptions::new().key(key.to_string(), OnConflict::Join);
        let (input, owner) = (Json::new(&()).unwrap(), page(label).owner());
        let start = Start { id: id(call), task: "hang", input, owner, options, sees: &|_| true };
        Arc::clone(engine(&self.tasks).start(start).unwrap().record())
    }

    /// Returns a task of another page that the call has joined.
    fn share(&self, number: u16) -> Arc<Record> {
        self.join("other", number, number);
        self.join("main", number, number + 1_000)
    }

    fn leave(&self, record: &Record, call: u16) {
        engine(&self.tasks).leave(id(call), &page("main").owner()).unwrap();
        self.sessions.unfollow_untold(&page("main"), record.id);
    }

    fn follow_share(&self, record: &Arc<Record>) -> Option<TaskSnapshot> {
        self.session().unwrap().follow_told(record, Some(&page("main").owner()), None)
    }
}

/// The tasks that these messages say are no longer followed.
fn removed(messages: &[Value]) -> Vec<String> {
    let of = |message: &Value| message.get("removed").map_or(vec![], |removed| removed.as_array().unwrap().clone());
    messages.iter().flat_map(of).map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn events(messages: &[Value]) -> usize {
    messages.iter().map(|message| message["events"].as_array().unwrap().len()).sum()
}

#[tokio::test(start_paused = true)]
async fn all_sessions_of_a_page_are_told_once_that_it_has_lost_a_task() {
    let opened = opened();
    let task = opened.share(1);
    opened.sessions.open("frame", PROTOCOL, &page("main"), &opened.tasks, channel().0).unwrap();
    let frame = opened.sessions.get("frame", &page("main")).unwrap();
    opened.follow_share(&task).unwrap();
    frame.follow_told(&task, Some(&page("main").owner()), None).unwrap();
    opened.take_all().await;
    opened.leave(&task, 1_001);
    opened.tasks.cancel(task.id).unwrap();
    let messages = opened.take_all().await;
    assert_eq!((removed(&messages), events(&messages)), (vec![task.id.to_string()], 0));
    assert!(!frame.outbox.lock().follows(task.id));
    assert!(opened.follow_share(&task).is_none(), "it has no share");
    assert!(removed(&opened.take_all().await).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_page_that_has_another_share_or_sees_the_task_anyway_goes_on() {
    for sees in [true, false] {
        let opened = opened();
        let task = opened.share(1);
        opened.follow_share(&task).unwrap();
        if sees {
            opened.follow(task.id);
            opened.follow_share(&task).unwrap();
        } else {
            opened.join("main", 1, 2_000);
        }
        opened.take_all().await;
        opened.leave(&task, 1_001);
        opened.tasks.cancel(task.id).unwrap();
        let messages = opened.take_all().await;
        assert!(removed(&messages).is_empty() && events(&messages) > 0, "{messages:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_joins_again_before_it_is_told_follows_on() {
    let opened = opened();
    let task = opened.share(1);
    opened.follow_share(&task).unwrap();
    opened.leave(&task, 1_001);
    opened.join("main", 1, 2_000);
    opened.follow_share(&task).unwrap();
    opened.tasks.cancel(task.id).unwrap();
    let messages = opened.take_all().await;
    assert!(removed(&messages).is_empty() && events(&messages) > 0, "{messages:?}");
}

#[tokio::test(start_paused = true)]
async fn lost_tasks_come_in_as_many_messages_as_they_need_and_count_until_then() {
    let opened = opened();
    let tasks: Vec<_> = (0..500).map(|number| opened.share(number)).collect();
    for task in &tasks {
        opened.follow_share(task).unwrap();
    }
    opened.take_all().await;
    for (call, task) in tasks.iter().enumerate() {
        opened.leave(task, 1_000 + u16::try_from(call).unwrap());
    }
    let session = opened.session().unwrap();
    assert_eq!(session.outbox.lock().follow_count(), 500);
    assert!(session.is_needed(), "the page waits for the news");
    let messages = opened.take_all().await;
    assert!(messages.len() > 1, "{}", messages.len());
    assert!(opened.pushed.lock().iter().all(|(_, _, size)| *size < 8 * 1_024));
    let mut told = removed(&messages);
    told.sort_unstable();
    let mut lost: Vec<_> = tasks.iter().map(|task| task.id.to_string()).collect();
    lost.sort_unstable();
    assert_eq!(told, lost, "each once");
    let outbox = session.outbox.lock();
    assert_eq!((outbox.follow_count(), outbox.len()), (0, 0));
}
