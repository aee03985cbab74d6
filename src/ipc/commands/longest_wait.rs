use std::time::Duration;

/// How long one call of `outcome` or `read` waits at most.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(25);

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::LONGEST_WAIT;
    use crate::{
        Failure, TaskContext,
        access::scope::Scope,
        ipc::{
            caller::{
                Caller,
                tests::{caller_of, channel, plugin},
            },
            checked::Checked,
            commands::{outcome, read},
        },
        session::message::PROTOCOL,
    };

    fn given<T>(value: T) -> Checked<T> {
        Checked(Ok(value))
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_no_longer_however_long_the_page_asks_it_to() {
        let plugin = plugin();
        let start = || {
            let work = async |_: TaskContext<(), u32>| std::future::pending::<Result<(), Failure>>().await;
            plugin.tasks.spawn("work", work).id().to_string()
        };
        let caller = || -> Caller { caller_of(&plugin, Scope::everything()) };
        for (asks_ms, waits_ms) in [(1, 1), (24_999, 24_999), (25_000, 25_000), (25_001, 25_000), (u32::MAX, 25_000)] {
            // A page that only waits is silent, and loses its session in the long run.
            let session = asks_ms.to_string();
            caller().open(&session, PROTOCOL, channel()).unwrap();
            let begin = Instant::now();
            let (session, reader) = (given(session), given("r".to_owned()));
            let answer = read(caller(), session, given(start()), reader, given(1), given(None), given(asks_ms)).await;
            assert!(answer.unwrap().0.is_none());
            assert_eq!(begin.elapsed().as_millis(), waits_ms, "for {asks_ms}");
        }
        let begin = Instant::now();
        assert!(outcome(caller(), given(start())).await.unwrap().is_none());
        assert_eq!(begin.elapsed(), LONGEST_WAIT);
    }
}
