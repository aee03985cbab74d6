//! What a page is told of a task whose input is secret.

use super::*;

#[tokio::test(start_paused = true)]
async fn no_message_shows_a_part_of_a_secret_input() {
    let fails = async |_: TaskContext, _: HashMap<String, String>| Err::<(), _>(Failure::new("no such host"));
    for secret_input in [true, false] {
        let policy = Policy { secret_input, show_input: true, ..Policy::default() };
        let opened = Opened::with(manager([Kind::new("login", policy, Errors::default(), fails)], Settings::default()));
        opened.list(1, TaskFilter::default());
        let start = Start {
            id: TaskId::new(),
            task: "login",
            input: Json::new(&json!({ "password": "hunter2" })).unwrap(),
            owner: page("main").owner(),
            options: StartOptions::new(),
            sees: &|_| true,
        };
        opened.follow(engine(&opened.tasks).start(start).unwrap().record().id);
        let told: Vec<_> = opened.take_all().await.iter().map(Value::to_string).collect();
        let told = told.join("\n");
        assert!(told.contains("no such host"), "{told}");
        assert_eq!(told.contains("hunter2") || told.contains("password"), !secret_input, "{told}");
    }
}
