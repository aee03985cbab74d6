//! A list is filled while no lock is held. Whatever changes meanwhile, and whenever the session takes the changes, the page
//! ends up with what is true.

use std::collections::BTreeMap;

use super::super::{bounds::Bounds, news::selection::Selection};
use super::*;

#[derive(Debug, Clone)]
enum Step {
    Start,
    Cancel(usize),
    Remove(usize),
    Report(usize),
    /// The session takes the changes, and pushes what it may.
    Take,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let of = 0..6_usize;
    let step = prop_oneof![
        3 => Just(Step::Start),
        3 => of.clone().prop_map(Step::Cancel),
        2 => of.clone().prop_map(Step::Remove),
        2 => of.prop_map(Step::Report),
        3 => Just(Step::Take),
    ];
    prop::collection::vec(step, 0..8)
}

struct Filling {
    tasks: TaskManager,
    started: Vec<Arc<Record>>,
    report: tokio::sync::watch::Sender<Option<TaskId>>,
    outbox: Outbox,
    watcher: Arc<ChangeSet<Record>>,
    /// The status and the progress of each task that the page has in its list.
    page: BTreeMap<String, (Value, Value)>,
}

impl Filling {
    fn new() -> Self {
        let report = tokio::sync::watch::Sender::new(None);
        let heard = report.subscribe();
        let work = move |ctx: TaskContext, (): ()| {
            let mut heard = heard.clone();
            async move {
                while heard.wait_for(|id| *id == Some(ctx.id())).await.is_ok() {
                    ctx.progress().inc(1);
                    heard.mark_unchanged();
                    let _ = heard.changed().await;
                }
                Ok::<(), Failure>(())
            }
        };
        let kind = Kind::new("works", Policy::default(), Errors::default(), work);
        let tasks = manager([kind], Settings::default());
        let signs = PageSigns::new(Instant::now(), HIDDEN_LIMIT, false);
        let outbox = Outbox::new(Instant::now(), signs);
        Self { tasks, started: vec![], report, outbox, watcher: Arc::default(), page: BTreeMap::new() }
    }

    async fn step(&mut self, step: Step) {
        let engine = engine(&self.tasks);
        let find = |of: usize| self.started.get(of).map(Arc::clone);
        match step {
            Step::Start => self.started.extend(engine.find(self.tasks.start("works", ()).unwrap().id())),
            Step::Cancel(of) => drop(find(of).map(|record| engine.cancel(&record, CancelReason::User))),
            Step::Remove(of) => drop(find(of).map(|record| engine.remove(&record))),
            Step::Report(of) => drop(find(of).map(|record| self.report.send(Some(record.id)))),
            Step::Take => {
                sleep(FRAME).await;
                self.take();
            }
        }
        sleep(Duration::from_millis(1)).await;
    }

    fn take(&mut self) -> bool {
        let Some(message) = self.outbox.next_push(&self.watcher, false, Instant::now()) else { return false };
        let rest = self.outbox.acknowledge(message.message, Instant::now());
        rest.map(|rest| self.outbox.give_up(rest.acknowledgement));
        let message = serde_json::to_value(&message).unwrap();
        for list in message["lists"].as_array().unwrap() {
            for task in list["changed"].as_array().unwrap() {
                self.note(task);
            }
            for change in list["progressed"].as_array().unwrap() {
                let known = self.page.get_mut(change["id"].as_str().unwrap()).expect("a task that the page has");
                known.1 = change["progress"]["completed"].clone();
            }
            for id in list["removed"].as_array().unwrap() {
                self.page.remove(id.as_str().unwrap()).expect("a task that the page has");
            }
        }
        true
    }

    fn note(&mut self, task: &Value) {
        let known = (task["status"].clone(), task["progress"]["completed"].clone());
        self.page.insert(task["id"].as_str().unwrap().to_owned(), known);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_list_is_true_whatever_happens_while_it_is_filled(
        before in steps(),
        until_found in steps(),
        until_filled in steps(),
        after in steps(),
        only_running in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut filling = Filling::new();
            for step in before {
                filling.step(step).await;
            }
            let all = TaskFilter::default();
            let filter = if only_running { all.status(TaskStatus::Running) } else { all };
            let selection = Selection::new(View::new(page("main"), Scope::everything()), &filter);
            let bounds = Bounds::new();
            let place = || bounds.list();
            filling.outbox.begin_list(1, Arc::clone(&selection), None, place, Instant::now()).unwrap();
            engine(&filling.tasks).watch_all(&filling.watcher);
            for step in until_found {
                filling.step(step).await;
            }
            assert!(filling.page.is_empty(), "nothing is told before the answer");
            let found = selection.find(engine(&filling.tasks).records(&TaskFilter::default()));
            for step in until_filled {
                filling.step(step).await;
            }
            assert!(filling.page.is_empty(), "nothing is told before the answer");
            for snapshot in filling.outbox.fill_list(1, &selection, found, Instant::now()) {
                filling.note(&serde_json::to_value(snapshot).unwrap());
            }
            for step in after {
                filling.step(step).await;
            }
            let mut idle = 0;
            while idle < 4 {
                sleep(Duration::from_millis(500)).await;
                idle = if filling.take() { 0 } else { idle + 1 };
            }
            let truth = filling.tasks.list(&filter).into_iter().map(|task| {
                let task = serde_json::to_value(task).unwrap();
                let known = (task["status"].clone(), task["progress"]["completed"].clone());
                (task["id"].as_str().unwrap().to_owned(), known)
            });
            assert_eq!(filling.page, truth.collect());
        });
    }
}
