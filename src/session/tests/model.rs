//! Tests random pages with random tasks: a model of a page that behaves like the client must end up with the true
//! state.
//!
//! Pages acknowledge late, twice or never. Answers, acknowledgements and messages get lost. Sessions end, and others
//! begin.

use std::collections::{BTreeMap, VecDeque};

use tokio::{sync::mpsc, task::JoinHandle};

use super::*;
use crate::{LimitOf, TaskStatus};
use tauri_plugin_tasks_engine::delivery::{Clocks, Policy, Runtimes};

#[derive(Debug, Clone)]
enum Step {
    // Changes of tasks. `of` selects one of the existing tasks.
    Start {
        kind: bool,
        owned: bool,
        delay_ms: u64,
    },
    Report {
        of: usize,
        by: u64,
    },
    Say {
        of: usize,
        bytes: usize,
    },
    End {
        of: usize,
        well: bool,
    },
    Cancel {
        of: usize,
    },
    Remove {
        of: usize,
    },
    Pause {
        of: usize,
    },
    Resume {
        of: usize,
    },
    Prioritize {
        of: usize,
        priority: i32,
    },
    Limit {
        to: usize,
    },
    Disown,
    // Actions of the page.
    List {
        filter: usize,
        own: bool,
        every_ms: u64,
    },
    Unlist {
        which: usize,
    },
    /// Follows a task, or changes the pace of a task that it follows.
    Follow {
        of: usize,
        every_ms: u64,
    },
    Unfollow {
        of: usize,
    },
    /// Takes the messages that have come and acknowledges them.
    Take,
    /// Takes the messages that have come, but the acknowledgement gets lost.
    TakeAndLoseAck,
    /// Takes the messages that have come, but the answer to the acknowledgement gets lost.
    TakeAndLoseAnswer,
    /// Takes the messages that have come, but leaves before the answer arrives.
    TakeAndDropAck {
        after_ms: u64,
    },
    /// Acknowledges the last message or an older one again.
    RepeatAck {
        back: u64,
    },
    /// The next push gets lost.
    LosePush,
    Reload,
    /// Takes and acknowledges messages until no more come.
    Settle,
    Pass {
        ms: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let of = 0..16_usize;
    prop_oneof![
        6 => (any::<bool>(), any::<bool>(), prop_oneof![Just(0), Just(0), 1..400_u64])
            .prop_map(|(kind, owned, delay_ms)| Start { kind, owned, delay_ms }),
        12 => (of.clone(), 1..9_u64).prop_map(|(of, by)| Report { of, by }),
        4 => (of.clone(), 0..900_usize).prop_map(|(of, bytes)| Say { of, bytes }),
        3 => (of.clone(), any::<bool>()).prop_map(|(of, well)| End { of, well }),
        2 => of.clone().prop_map(|of| Cancel { of }),
        2 => of.clone().prop_map(|of| Remove { of }),
        2 => of.clone().prop_map(|of| Pause { of }),
        2 => of.clone().prop_map(|of| Resume { of }),
        1 => (of.clone(), -2..3).prop_map(|(of, priority)| Prioritize { of, priority }),
        1 => (0..6_usize).prop_map(|to| Limit { to }),
        1 => Just(Disown),
        3 => (0..FILTERS, any::<bool>(), every_ms()).prop_map(|(filter, own, every_ms)| List { filter, own, every_ms }),
        1 => (0..4_usize).prop_map(|which| Unlist { which }),
        4 => (of.clone(), every_ms()).prop_map(|(of, every_ms)| Follow { of, every_ms }),
        1 => of.prop_map(|of| Unfollow { of }),
        10 => Just(Take),
        1 => Just(TakeAndLoseAck),
        1 => Just(TakeAndLoseAnswer),
        2 => (0..20_u64).prop_map(|after_ms| TakeAndDropAck { after_ms }),
        2 => (0..3_u64).prop_map(|back| RepeatAck { back }),
        1 => Just(LosePush),
        1 => Just(Reload),
        2 => Just(Settle),
        12 => prop_oneof![4 => 0..40_u64, 1 => 40..2_000_u64, 1 => Just(31_000)].prop_map(|ms| Pass { ms }),
    ]
}

fn every_ms() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0), 1 => 1..60_u64, 2 => 60..3_000_u64]
}

const FILTERS: usize = 5;

fn filter(which: usize) -> TaskFilter {
    match which {
        0 => TaskFilter::default(),
        1 => TaskFilter::default().status(TaskStatus::Running),
        2 => TaskFilter::default().status(TaskStatus::Queued),
        3 => TaskFilter::default().task("even"),
        _ => TaskFilter::default().status(TaskStatus::Completed).status(TaskStatus::Failed).task("odd"),
    }
}

#[derive(Debug)]
enum Order {
    Report(u64),
    Say(usize),
    End(bool),
}

/// The true state of the tasks.
struct Truth {
    tasks: TaskManager,
    records: Vec<Arc<Record>>,
    orders: Vec<mpsc::UnboundedSender<Order>>,
    waiting: Arc<Mutex<HashMap<usize, mpsc::UnboundedReceiver<Order>>>>,
}

impl Truth {
    fn new() -> Self {
        let waiting = Arc::new(Mutex::new(HashMap::<usize, mpsc::UnboundedReceiver<Order>>::new()));
        let kind = |name: &'static str| {
            let waiting = Arc::clone(&waiting);
            let handler = move |ctx: TaskContext, number: usize| {
                let mut orders = waiting.lock().remove(&number).unwrap();
                async move {
                    while let Some(order) = orders.recv().await {
                        match order {
                            Order::Report(by) => ctx.progress().total(50).inc(by),
                            Order::Say(bytes) => ctx.progress().message("m".repeat(bytes)),
                            Order::End(true) => return Ok(()),
                            Order::End(false) => return Err(Failure::new("no")),
                        };
                    }
                    Ok(())
                }
            };
            (Arc::from(name), Arc::new(Kind::new(name, Policy::default(), Errors::default(), handler)))
        };
        let kinds = [kind("even"), kind("odd")].into();
        let tasks =
            delivery::manager(Runtimes::one(Handle::current()), kinds, Settings::default(), Clocks::of_tokio(|| 0));
        tasks.set_limit(LimitOf::App, Some(5)).unwrap();
        Self { tasks, records: Vec::new(), orders: Vec::new(), waiting }
    }

    fn start(&mut self, kind: bool, owned: bool, delay_ms: u64) {
        let (send, orders) = mpsc::unbounded_channel();
        let number = self.records.len();
        self.waiting.lock().insert(number, orders);
        let start = Start {
            id: TaskId::new(),
            task: if kind { "even" } else { "odd" },
            input: Json::new(&number).unwrap(),
            owner: if owned { page("main").owner() } else { Owner::App },
            options: StartOptions::new().delay(Duration::from_millis(delay_ms)),
            sees: &|_| true,
        };
        let started = engine(&self.tasks).start(start).unwrap();
        self.records.push(Arc::clone(started.record()));
        self.orders.push(send);
    }

    fn order(&self, of: usize, order: Order) {
        if let Some(orders) = self.orders.get(of) {
            let _ = orders.send(order);
        }
    }
}

/// The messages that came to the page: when, in which session, the message, and whether it was a push.
type Inbox = Arc<Mutex<VecDeque<(Instant, u32, Value, bool)>>>;

struct Client {
    sessions: Arc<Sessions>,
    session: u32,
    inbox: Inbox,
    lose_push: Arc<Mutex<bool>>,
    /// The last message taken in this session, and the last one whose acknowledgement has arrived.
    seen: u64,
    arrived: u64,
    last_came: Option<Instant>,
    acks: Vec<JoinHandle<()>>,
    lists: BTreeMap<u32, PageList>,
    last_watch: u32,
    follows: BTreeMap<String, Followed>,
}

struct PageList {
    filter: usize,
    own: bool,
    tasks: BTreeMap<String, Value>,
    rounds: Rounds,
}

/// The rounds in which a list is told of changes that are no ends.
struct Rounds {
    every: Duration,
    began: Instant,
    /// Whether the last message left something out, so that the round may go on in the next one.
    goes_on: bool,
}

impl Rounds {
    fn new(every: Duration) -> Self {
        Self { every, began: Instant::now(), goes_on: false }
    }

    /// Checks a message that came at `at`. `is_told` is whether it told the list of a change that is no end.
    fn check(&mut self, at: Instant, is_told: bool, more: bool) {
        if is_told && at >= self.began + self.every {
            (self.began, self.goes_on) = (at, true);
        }
        assert!(!is_told || self.goes_on, "told {:?} after the last round began", at - self.began);
        self.goes_on &= more;
    }
}

struct Followed {
    snapshot: Value,
    ended: bool,
    every: Duration,
    /// When progress was told last, and whether that was too early, so that the end must come next.
    told: Instant,
    too_early: bool,
}

impl PageList {
    fn view(&self) -> View {
        View::new(page("main"), if self.own { Scope::default() } else { Scope::everything() })
    }
}

impl Client {
    fn new() -> Self {
        Self {
            sessions: new_sessions(),
            session: 0,
            inbox: Inbox::default(),
            lose_push: Arc::default(),
            seen: 0,
            arrived: 0,
            last_came: None,
            acks: Vec::new(),
            lists: BTreeMap::new(),
            last_watch: 0,
            follows: BTreeMap::new(),
        }
    }

    /// Returns the session. If there is none, opens one and watches everything that the page watches.
    fn session(&mut self, truth: &Truth) -> Arc<Session> {
        if let Ok(session) = self.sessions.get(&self.session.to_string(), &page("main")) {
            return session;
        }
        self.session += 1;
        (self.seen, self.arrived, self.last_came) = (0, 0, None);
        *self.lose_push.lock() = false;
        self.inbox.lock().clear();
        let (inbox, lose_push, number) = (Arc::clone(&self.inbox), Arc::clone(&self.lose_push), self.session);
        let channel = PushChannel::at_once(Channel::new(move |body| {
            let InvokeResponseBody::Json(text) = body else { panic!("only JSON is pushed") };
            assert!(text.len() < 8 * 1024, "{} bytes are pushed", text.len());
            if !std::mem::take(&mut *lose_push.lock()) {
                inbox.lock().push_back((Instant::now(), number, parsed(&text), true));
            }
            Ok(())
        }));
        self.sessions.open(&number.to_string(), PROTOCOL, &page("main"), &truth.tasks, channel).unwrap();
        let session = self.sessions.get(&number.to_string(), &page("main")).unwrap();
        for (watch, list) in &mut self.lists {
            list.rounds = Rounds::new(list.rounds.every);
            list.tasks =
                keyed(session.list(*watch, &filter(list.filter), list.view(), Some(list.rounds.every)).unwrap());
        }
        self.follows.retain(|id, followed| {
            // In the plugin, the command that looks for the task reports that it was removed.
            let Some(record) = engine(&truth.tasks).find(id.parse().unwrap()) else { return false };
            followed.restore(session.follow(&record, Some(followed.every)), true);
            true
        });
        session
    }

    fn list(&mut self, truth: &Truth, filter_: usize, own: bool, every: Duration) {
        let session = self.session(truth);
        self.last_watch += 1;
        let mut list = PageList { filter: filter_, own, tasks: BTreeMap::new(), rounds: Rounds::new(every) };
        list.tasks = keyed(session.list(self.last_watch, &filter(filter_), list.view(), Some(every)).unwrap());
        self.lists.insert(self.last_watch, list);
    }

    fn follow(&mut self, truth: &Truth, of: usize, every: Duration) {
        // Messages in flight are older than the answer.
        self.take(truth);
        let session = self.session(truth);
        let Some(record) = truth.records.get(of).filter(|record| !record.is_removed()) else { return };
        let snapshot = session.follow(record, Some(every));
        let id = record.id.to_string();
        let is_new = !self.follows.contains_key(&id);
        let followed = self.follows.entry(id).or_insert(Followed {
            snapshot: Value::Null,
            ended: false,
            every,
            told: Instant::now(),
            too_early: false,
        });
        followed.every = every;
        followed.restore(snapshot, is_new);
    }

    /// Takes the messages that have come. Returns whether there were any.
    fn take(&mut self, truth: &Truth) -> bool {
        self.session(truth);
        let mut any = false;
        loop {
            let Some((at, session, message, pushed)) = self.inbox.lock().pop_front() else { return any };
            if session != self.session {
                continue;
            }
            any = true;
            let number = message["message"].as_u64().unwrap();
            assert_eq!(number, self.seen + 1, "no message is left out or comes twice");
            assert_eq!(self.arrived, self.seen, "at most one is unacknowledged");
            if let Some(last) = self.last_came {
                assert!(at - last >= FRAME, "{:?} after the last one, pushed: {pushed}", at - last);
            }
            (self.seen, self.last_came) = (number, Some(at));
            for event in message["events"].as_array().unwrap() {
                if let Some(followed) = self.follows.get_mut(event["id"].as_str().unwrap()) {
                    followed.take(event, at);
                }
            }
            let changes = message["lists"].as_array().unwrap();
            for (watch, list) in &mut self.lists {
                let change = changes.iter().find(|change| change["watch"] == *watch);
                let is_told = change.is_some_and(|change| list.take(change, truth));
                list.rounds.check(at, is_told, message["more"] == true);
            }
        }
    }

    /// Delivers the acknowledgement of the last message. Its answer arrives in the inbox later. Before the first
    /// message, it only shows that the page is alive.
    fn ack(&mut self, truth: &Truth, lose_answer: bool) -> usize {
        let session = self.session(truth);
        self.arrived = self.seen;
        let (number, name, inbox) = (self.seen, self.session, Arc::clone(&self.inbox));
        self.acks.push(tokio::spawn(async move {
            let Ok(Some(answer)) = session.acknowledge(number).await else { return };
            if !lose_answer {
                inbox.lock().push_back((Instant::now(), name, serde_json::to_value(answer).unwrap(), false));
            }
        }));
        self.acks.len() - 1
    }

    /// Takes and acknowledges messages until no more come, even if some got lost before.
    async fn settle(&mut self, truth: &Truth) {
        let mut quiet_since = Instant::now();
        // Longer than a rate lasts, and longer than PROBE plus LEASE, so that the session of a silent page has ended.
        while quiet_since.elapsed() < Duration::from_secs(45) {
            let before = self.session;
            if self.take(truth) {
                self.ack(truth, false);
                quiet_since = Instant::now();
                sleep(Duration::from_millis(1)).await;
            } else if before != self.session {
                quiet_since = Instant::now();
            } else {
                let is_pinging = quiet_since.elapsed() > Duration::from_secs(3);
                if is_pinging {
                    self.ack(truth, false);
                }
                sleep(Duration::from_millis(if is_pinging { 3_000 } else { 5 })).await;
            }
        }
        self.acks.retain(|ack| !ack.is_finished());
        self.compare(truth);
    }

    fn compare(&self, truth: &Truth) {
        for (watch, list) in &self.lists {
            let view = list.view();
            let records = engine(&truth.tasks).records(&filter(list.filter));
            let truly = keyed(records.into_iter().filter(|record| view.sees(record)).map(|record| record.snapshot()));
            assert!(list.tasks.keys().eq(truly.keys()), "list {watch}: {:?} for {:?}", list.tasks.keys(), truly.keys());
            for (known, truly) in list.tasks.values().zip(truly.values()) {
                assert_eq!(*known, without_rate(truly.clone()), "in list {watch}");
            }
        }
        for record in &truth.records {
            if let Some(followed) = self.follows.get(&record.id.to_string()) {
                followed.compare(record);
            }
        }
    }
}

/// Removes the rate: one that was reported has expired by now, and one that is computed for this snapshot was never
/// reported.
fn without_rate(mut snapshot: Value) -> Value {
    for part in ["rate", "etaMs"] {
        snapshot["progress"][part] = Value::Null;
    }
    snapshot
}

fn keyed(snapshots: impl IntoIterator<Item = TaskSnapshot>) -> BTreeMap<String, Value> {
    snapshots.into_iter().map(|snapshot| (snapshot.id.to_string(), serde_json::to_value(snapshot).unwrap())).collect()
}

impl PageList {
    /// Takes a change. Returns whether it tells of anything but ends.
    fn take(&mut self, change: &Value, truth: &Truth) -> bool {
        let has_ended = |id: &str| {
            let record = truth.records.iter().find(|record| record.id.to_string() == *id).unwrap();
            record.status().is_final()
        };
        let mut is_told = !change["progressed"].as_array().unwrap().is_empty();
        let mut touched = std::collections::HashSet::new();
        for snapshot in change["changed"].as_array().unwrap() {
            let id = snapshot["id"].as_str().unwrap().to_owned();
            assert!(touched.insert(id.clone()), "once in a message");
            assert_ne!(self.tasks.get(&id), Some(snapshot), "only what has changed is reported");
            let knew_the_end = self.tasks.get(&id).is_some_and(|known| !known["endedAt"].is_null());
            is_told |= knew_the_end || snapshot["endedAt"].is_null();
            self.tasks.insert(id, snapshot.clone());
        }
        for progressed in change["progressed"].as_array().unwrap() {
            let id = progressed["id"].as_str().unwrap().to_owned();
            assert!(touched.insert(id.clone()), "once in a message");
            let known = self.tasks.get_mut(&id).expect("progress alone is reported only for tasks in the list");
            assert_eq!(known["sequence"], progressed["sequence"], "nothing else has changed");
            known["progress"] = progressed["progress"].clone();
        }
        for id in change["removed"].as_array().unwrap() {
            let id = id.as_str().unwrap().to_owned();
            assert!(touched.insert(id.clone()), "once in a message");
            let known = self.tasks.remove(&id).expect("only a task in the list leaves it");
            is_told |= !known["endedAt"].is_null() || !has_ended(&id);
        }
        is_told
    }
}

impl Followed {
    /// `anew` is whether the plugin has begun to follow the task.
    fn restore(&mut self, snapshot: TaskSnapshot, anew: bool) {
        if anew {
            (self.told, self.too_early) = (Instant::now(), false);
        }
        self.ended = snapshot.status.is_final();
        self.snapshot = serde_json::to_value(snapshot).unwrap();
    }

    fn take(&mut self, event: &Value, at: Instant) {
        self.keep_pace(event, at);
        let data = &event["change"]["data"];
        let (told, known) = (event["sequence"].as_u64().unwrap(), self.snapshot["sequence"].as_u64().unwrap());
        if told < known || (self.ended && told == known) {
            // It was reported before the page watched the task again.
            return;
        }
        match event["change"]["type"].as_str().unwrap() {
            "progress" => {
                assert_eq!(told, known);
                self.snapshot["progress"] = data.clone();
            }
            "queue" => {
                assert_eq!(told, known);
                self.snapshot["queue"] = data.clone();
            }
            "status" if told == known => {}
            "status" => {
                assert_eq!(told, known + 1, "each status change once and in order");
                self.snapshot["sequence"] = told.into();
                self.snapshot["status"] = data["status"].clone();
                self.snapshot["queue"] = Value::Null;
                self.ended = ["completed", "failed", "cancelled"].iter().any(|end| data["status"] == *end);
            }
            other => panic!("{other}"),
        }
    }

    /// Progress comes at the pace, or right before the end.
    fn keep_pace(&mut self, event: &Value, at: Instant) {
        let data = &event["change"]["data"];
        if event["change"]["type"] == "progress" {
            assert!(!self.too_early, "the end must come next");
            self.too_early = at < self.told + self.every;
            if !self.too_early {
                self.told = at;
            }
        } else if self.too_early {
            assert!(!data["endedAt"].is_null(), "progress came too early, and not before the end");
            self.too_early = false;
        }
    }

    fn compare(&self, record: &Record) {
        let truly = without_rate(serde_json::to_value(record.snapshot()).unwrap());
        for part in ["sequence", "status", "queue", "progress"] {
            assert_eq!(self.snapshot[part], truly[part], "{part} of {}", record.id);
        }
    }
}

async fn run(steps: Vec<Step>) {
    let (mut truth, mut client) = (Truth::new(), Client::new());
    for step in steps {
        let of = |of: usize| (!truth.records.is_empty()).then(|| of % truth.records.len());
        let record = |n: usize| of(n).map(|n| Arc::clone(&truth.records[n]));
        match step {
            Step::Start { kind, owned, delay_ms } => truth.start(kind, owned, delay_ms),
            Step::Report { of: n, by } => of(n).into_iter().for_each(|n| truth.order(n, Order::Report(by))),
            Step::Say { of: n, bytes } => of(n).into_iter().for_each(|n| truth.order(n, Order::Say(bytes))),
            Step::End { of: n, well } => of(n).into_iter().for_each(|n| truth.order(n, Order::End(well))),
            Step::Cancel { of } => drop(record(of).map(|record| truth.tasks.cancel(record.id))),
            Step::Remove { of } => drop(record(of).map(|record| truth.tasks.remove(record.id))),
            Step::Pause { of } => drop(record(of).map(|record| truth.tasks.pause(record.id))),
            Step::Resume { of } => drop(record(of).map(|record| truth.tasks.resume(record.id))),
            Step::Prioritize { of, priority } => {
                drop(record(of).map(|record| truth.tasks.set_priority(record.id, priority)));
            }
            Step::Limit { to } => truth.tasks.set_limit(LimitOf::App, Some(to)).unwrap(),
            Step::Disown => engine(&truth.tasks).disown(|owner| owner.label() == Some("main")),
            Step::List { filter, own, every_ms } => {
                client.list(&truth, filter, own, Duration::from_millis(every_ms));
            }
            Step::Unlist { which } => {
                let watch = client.lists.keys().nth(which).copied();
                if let Some(watch) = watch {
                    client.session(&truth).unlist(watch);
                    client.lists.remove(&watch);
                }
            }
            Step::Follow { of: n, every_ms } => {
                if let Some(n) = of(n) {
                    client.follow(&truth, n, Duration::from_millis(every_ms));
                }
            }
            Step::Unfollow { of } => {
                if let Some(record) = record(of) {
                    client.session(&truth).unfollow(record.id);
                    client.follows.remove(&record.id.to_string());
                }
            }
            Step::Take => {
                if client.take(&truth) {
                    client.ack(&truth, false);
                }
            }
            Step::TakeAndLoseAck => drop(client.take(&truth)),
            Step::TakeAndLoseAnswer => {
                if client.take(&truth) {
                    client.ack(&truth, true);
                }
            }
            Step::TakeAndDropAck { after_ms } => {
                if client.take(&truth) {
                    let ack = client.ack(&truth, false);
                    sleep(Duration::from_millis(after_ms)).await;
                    client.acks[ack].abort();
                }
            }
            Step::RepeatAck { back: 0 } => {
                client.ack(&truth, false);
            }
            Step::RepeatAck { back } => {
                let (session, number) = (client.session(&truth), client.seen.saturating_sub(back));
                assert!(session.acknowledge(number).await.unwrap().is_none(), "a late repeat does nothing");
            }
            Step::LosePush => *client.lose_push.lock() = true,
            Step::Reload => {
                client.sessions.close_page("main", Departure::Reloads);
                client.session(&truth);
            }
            Step::Settle => client.settle(&truth).await,
            Step::Pass { ms } => sleep(Duration::from_millis(ms)).await,
        }
        tokio::task::yield_now().await;
        if let Ok(session) = client.sessions.get(&client.session.to_string(), &page("main")) {
            let most = (truth.records.len()) * (client.lists.len() + 1);
            let held = session.outbox.lock().len();
            assert!(held <= most, "{held} entries");
            assert!(session.watcher.len() <= truth.records.len());
        }
    }
    client.settle(&truth).await;
    for order in &truth.orders {
        let _ = order.send(Order::Report(1));
        let _ = order.send(Order::End(true));
    }
    truth.tasks.set_limit(LimitOf::App, None).unwrap();
    client.settle(&truth).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_page_ends_up_with_the_true_state_whatever_happens(steps in prop::collection::vec(step(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(steps));
    }
}
