//! Waiting in a test, with an end in case that what it waits for never comes.

use std::time::Duration;

/// The longest wait. Far longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time between two looks at a condition.
const LOOK: Duration = Duration::from_millis(2);

/// Waits for `future` on Tauri's runtime, so that it neither blocks the test's runtime nor follows its paused time. Panics
/// if it takes too long. `what` says what was waited for.
pub(super) async fn patiently<T: Send + 'static>(
    what: impl FnOnce() -> String,
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    // The timer belongs to the runtime on which it is made.
    let waits = tauri::async_runtime::spawn(async { tokio::time::timeout(PATIENCE, future).await });
    match waits.await {
        Ok(Ok(value)) => value,
        Ok(Err(_)) => panic!("the test has waited for {PATIENCE:?} for {}", what()),
        Err(error) => panic!("the test can't wait for {}: {error}", what()),
    }
}

/// Waits until `condition` returns something. Panics if it takes too long.
pub(super) async fn until_some<T>(what: impl FnOnce() -> String, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = std::time::Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(begin.elapsed() < PATIENCE, "the test has waited for {PATIENCE:?} for {}", what());
        let _ = tauri::async_runtime::spawn(async { tokio::time::sleep(LOOK).await }).await;
    }
}

/// Waits until `condition` holds, in real time. Panics after a minute; `what` says what was waited for.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use tauri_plugin_tasks::test;
///
/// let begin = std::time::Instant::now();
/// test::until("a millisecond", async || begin.elapsed().as_millis() >= 1).await;
/// # }
/// ```
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    until_some(|| what.to_owned(), async || condition().await.then_some(())).await;
}
