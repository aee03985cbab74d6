use quick_start_lib::tasks;
use serde_json::json;
use tauri_plugin_tasks::test;

#[tokio::test]
async fn the_main_window_counts_words_and_finds_its_task_after_a_reload() {
    let app = test::app(tasks());
    app.capability(include_str!("../capabilities/default.json"));
    let mut main = app.page("main").open();

    let input = json!({ "path": concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml") });
    let id = main.start("count-words", input, json!({})).await.unwrap();
    main.reload();
    let outcome = main.outcome(id).await.unwrap();
    assert!(outcome.output::<serde_json::Value>().unwrap().unwrap()["words"].as_u64() > Some(10));

    let error = main.start("delete-everything", json!({}), json!({})).await.unwrap_err();
    assert_eq!(error.kind(), Some("notAllowed"));
}
