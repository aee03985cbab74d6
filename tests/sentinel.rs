//! Tests that a page which may close resources can't make the plugin believe that the process ends.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::time::{Duration, Instant};

use serde_json::json;
use tauri::{
    Manager, WebviewWindow, WebviewWindowBuilder,
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets},
    utils::acl::ExecutionContext,
    webview::InvokeRequest,
};
use tauri_plugin_tasks::{Builder, CancelReason, Failure, TaskContext, TaskStatus, TasksExt};

/// The ids of the plugin's resources that the app's table holds.
fn sentinels(app: &tauri::App<MockRuntime>) -> Vec<u32> {
    let table = app.resources_table();
    table.names().filter(|(_, name)| name.contains("tauri_plugin_tasks")).map(|(rid, _)| rid).collect()
}

/// Closes the resource as a page does. Returns whether there was one.
fn close(page: &WebviewWindow<MockRuntime>, rid: u32) -> bool {
    let request = InvokeRequest {
        cmd: "plugin:resources|close".into(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: if cfg!(any(windows, target_os = "android")) { "http://tauri.localhost" } else { "tauri://localhost" }
            .parse()
            .unwrap(),
        body: InvokeBody::Json(json!({ "rid": rid })),
        headers: Default::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(page, request).is_ok()
}

#[test]
fn a_page_that_closes_resources_ends_no_task_and_the_end_of_the_process_is_noticed_all_the_same() {
    // Without the kit, whose pages only call this plugin.
    let mut context = mock_context(noop_assets());
    context.runtime_authority_mut().__allow_command("plugin:resources|close".into(), ExecutionContext::Local);
    let app = mock_builder().plugin(Builder::new().build()).build(context).unwrap();
    let page = WebviewWindowBuilder::new(&app, "main", Default::default()).build().unwrap();
    let task = app.tasks().spawn("work", async |_: TaskContext| std::future::pending::<Result<(), Failure>>().await);
    while task.snapshot().status != TaskStatus::Running {
        std::thread::yield_now();
    }

    for rid in 0..1_000 {
        close(&page, rid);
    }
    for _ in 0..3 {
        let before = sentinels(&app);
        assert_eq!(before.len(), 1);
        assert!(close(&page, before[0]), "the page has guessed it");
        let begin = Instant::now();
        while sentinels(&app).is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(10), "no other takes its place");
            std::thread::yield_now();
        }
        assert_eq!(task.snapshot().status, TaskStatus::Running);
    }
    let next = app.tasks().spawn("work", async |_: TaskContext| Ok::<_, Failure>(()));
    let next = tauri::async_runtime::block_on(next.outcome());
    assert!(format!("{next:?}").contains("Completed"), "tasks can still be started: {next:?}");

    // As an updater does, or a restart on the main thread.
    app.cleanup_before_exit();
    assert_eq!(task.snapshot().status, TaskStatus::Cancelled);
    assert_eq!(task.snapshot().cancel_reason, Some(CancelReason::Shutdown));
}
