//! Finds settings of a kind that can't be meant: those that end or keep every task, and those that have no effect.
//!
//! What is not a mistake, since it does what it says: a limit of 0 tasks, which can be raised later; an empty queue; one
//! attempt; no grace; no delay; a longest delay below the first one, which it cuts; `show_input` with `secret_input`, which is
//! stronger.

use std::time::Duration;

use super::{Policy, item_buffer::Bounds, unread::Unread};

/// What a kind's handler and its errors have to do with its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandlerTraits {
    /// What it emits.
    pub emits: Emits,
    /// Whether the kind has a test which errors are retried.
    pub retry_if: bool,
}

/// What a handler can emit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emits {
    /// Nothing.
    Nothing,
    /// Items.
    Items,
    /// Bytes.
    Bytes,
}

impl Policy {
    /// Returns the first mistake in the policy of a kind with such a handler, and what to do about it.
    pub fn mistake(&self, handler: HandlerTraits) -> Option<String> {
        self.zero_limit()
            .or_else(|| self.limit_that_is_never_reached())
            .or_else(|| self.mistake_in_attempts(handler))
            .or_else(|| self.mistake_in_items(handler))
    }

    /// The time limits, with the methods that set them, from the one that counts the longest.
    fn limits(&self) -> [(&'static str, Option<Duration>); 4] {
        [
            ("deadline", self.deadline),
            ("timeout", self.timeout),
            ("attempt_timeout", self.attempt_timeout),
            ("stall_timeout", self.stall_timeout),
        ]
    }

    fn zero_limit(&self) -> Option<String> {
        let is_zero = |(_, limit): &(_, Option<Duration>)| *limit == Some(Duration::ZERO);
        let (name, _) = self.limits().into_iter().find(is_zero)?;
        Some(format!("its {name} is zero, so every task would time out at once: leave it out for no limit"))
    }

    fn limit_that_is_never_reached(&self) -> Option<String> {
        let limits = self.limits();
        for (index, (longer, longest)) in limits.into_iter().enumerate() {
            for (name, limit) in limits.into_iter().skip(index + 1) {
                if let (Some(longest), Some(limit)) = (longest, limit)
                    && limit > longest
                {
                    return Some(format!(
                        "its {name} of {limit:?} is never reached, since its {longer} of {longest:?} ends the task \
                         before: make it shorter, or leave it out"
                    ));
                }
            }
        }
        let (delay, deadline) = (self.delay?, self.deadline?);
        (delay >= deadline).then(|| {
            format!(
                "a task that is started without a delay of its own would time out while it waits for its delay of {delay:?}, \
                 since its deadline of {deadline:?} includes that: make the deadline longer"
            )
        })
    }

    fn mistake_in_attempts(&self, handler: HandlerTraits) -> Option<String> {
        if self.restart.is_some() && (self.retry.is_some() || handler.retry_if) {
            return Some("it has both restart and retry or retry_if, which then have no effect: leave out one".into());
        }
        if handler.retry_if && self.retry.is_none() {
            return Some(
                "it has retry_if without retry, so nothing is retried: set retry, which says how often".into(),
            );
        }
        let retry = self.retry.as_ref().and_then(|retry| Some(("retry", retry.mistake()?)));
        let restart = || self.restart.as_ref().and_then(|restart| Some(("restart", restart.mistake()?)));
        let (name, mistake) = retry.or_else(restart)?;
        Some(format!("its {name} is wrong: {mistake}"))
    }

    fn mistake_in_items(&self, handler: HandlerTraits) -> Option<String> {
        let Bounds { items, bytes } = self.item_buffer;
        if bytes == 0 || items == 0 && handler.emits != Emits::Bytes {
            return Some(
                "its item_buffer has room for nothing: give it room for at least one item, and for its bytes".into(),
            );
        }
        if self.idle_reader == Some(Duration::ZERO) {
            return Some(
                "its idle_reader is zero, so every reader would be given up: leave it out to wait for readers".into(),
            );
        }
        let before_it = |(_, limit): &(_, Option<Duration>)| self.idle_reader > *limit && limit.is_some();
        let has_attempts = self.retry.is_some() || self.restart.is_some();
        let limits = self.limits().into_iter().filter(|(name, _)| match *name {
            // A task that waits for its reader shows no sign of life, but doesn't stall by that.
            "stall_timeout" => false,
            // A reader may idle through several attempts.
            "attempt_timeout" => !has_attempts,
            _ => true,
        });
        if let Some((name, limit)) = limits.rev().find(before_it) {
            return Some(format!(
                "its idle_reader of {:?} is never reached, since its {name} of {:?} ends the task before: make it shorter, \
                 or leave it out",
                self.idle_reader.unwrap_or_default(),
                limit.unwrap_or_default()
            ));
        }
        let settings = [
            ("item_buffer", self.item_buffer != Bounds::default()),
            ("unread", self.unread != Unread::default()),
            ("idle_reader", self.idle_reader.is_some()),
        ];
        let (name, _) = settings.into_iter().find(|(_, is_set)| *is_set && handler.emits == Emits::Nothing)?;
        Some(format!(
            "it has {name}, but its handler emits nothing: leave it out, or let the handler take a \
             TaskContext<Detail, Item>"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backoff, Restart, Retry};

    const ITEMS: HandlerTraits = HandlerTraits { emits: Emits::Items, retry_if: false };
    const NOTHING: HandlerTraits = HandlerTraits { emits: Emits::Nothing, ..ITEMS };
    const BYTES: HandlerTraits = HandlerTraits { emits: Emits::Bytes, ..ITEMS };
    const TESTED: HandlerTraits = HandlerTraits { retry_if: true, ..ITEMS };

    const ZERO: Option<Duration> = Some(Duration::ZERO);
    const ONE: Option<Duration> = Some(Duration::from_secs(1));
    const TWO: Option<Duration> = Some(Duration::from_secs(2));

    fn policy(set: impl FnOnce(&mut Policy)) -> Policy {
        let mut policy = Policy::default();
        set(&mut policy);
        policy
    }

    fn retry(retry: Retry) -> Policy {
        policy(|it| it.retry = Some(retry))
    }

    fn restart(restart: Restart) -> Policy {
        policy(|it| it.restart = Some(restart))
    }

    #[test]
    fn each_mistake_is_found_and_named() {
        let shrinking = || Backoff::exponential().factor(0.5);
        let mistakes = [
            (policy(|it| it.deadline = ZERO), ITEMS, "deadline is zero"),
            (policy(|it| it.timeout = ZERO), ITEMS, "timeout is zero"),
            (policy(|it| it.attempt_timeout = ZERO), ITEMS, "attempt_timeout is zero"),
            (policy(|it| it.stall_timeout = ZERO), ITEMS, "stall_timeout is zero"),
            (policy(|it| (it.deadline, it.timeout) = (ONE, TWO)), ITEMS, "its timeout of 2s is never reached"),
            (policy(|it| (it.deadline, it.attempt_timeout) = (ONE, TWO)), ITEMS, "its attempt_timeout of 2s"),
            (policy(|it| (it.deadline, it.stall_timeout) = (ONE, TWO)), ITEMS, "its stall_timeout of 2s"),
            (policy(|it| (it.timeout, it.attempt_timeout) = (ONE, TWO)), ITEMS, "since its timeout of 1s"),
            (policy(|it| (it.timeout, it.stall_timeout) = (ONE, TWO)), ITEMS, "since its timeout of 1s"),
            (
                policy(|it| (it.attempt_timeout, it.stall_timeout) = (ONE, TWO)),
                ITEMS,
                "since its attempt_timeout of 1s",
            ),
            (policy(|it| (it.deadline, it.delay) = (ONE, ONE)), ITEMS, "delay of 1s"),
            (policy(|_| ()), TESTED, "retry_if without retry"),
            (restart(Restart::always()), TESTED, "both restart and retry"),
            (
                policy(|it| (it.restart, it.retry) = (Some(Restart::always()), Some(Retry::attempts(2)))),
                ITEMS,
                "both restart and retry",
            ),
            (retry(Retry::attempts(0)), ITEMS, "its retry is wrong: 0 attempts"),
            (retry(Retry::attempts(2).backoff(shrinking())), ITEMS, "its retry is wrong: the factor"),
            (restart(Restart::always().backoff(shrinking())), ITEMS, "its restart is wrong: the factor"),
            (restart(Restart::always().give_up_after(0)), ITEMS, "its restart is wrong: it is given up after 0"),
            (
                restart(Restart::always().give_up_after(3).healthy_after(Duration::ZERO)),
                ITEMS,
                "its restart is wrong: every attempt",
            ),
            (policy(|it| it.item_buffer = Bounds { items: 0, bytes: 1 }), ITEMS, "item_buffer has room for nothing"),
            (policy(|it| it.item_buffer = Bounds { items: 1, bytes: 0 }), ITEMS, "item_buffer has room for nothing"),
            (policy(|it| it.item_buffer = Bounds { items: 1, bytes: 0 }), BYTES, "item_buffer has room for nothing"),
            (policy(|it| it.idle_reader = ZERO), ITEMS, "idle_reader is zero"),
            (
                policy(|it| (it.idle_reader, it.timeout) = (TWO, ONE)),
                ITEMS,
                "idle_reader of 2s is never reached, since its timeout",
            ),
            (policy(|it| (it.idle_reader, it.deadline) = (TWO, ONE)), BYTES, "since its deadline of 1s"),
            (policy(|it| (it.idle_reader, it.attempt_timeout) = (TWO, ONE)), ITEMS, "since its attempt_timeout of 1s"),
            (policy(|it| it.item_buffer = Bounds { items: 1, bytes: 1 }), NOTHING, "it has item_buffer"),
            (policy(|it| it.unread = Unread::Wait), NOTHING, "it has unread"),
            (policy(|it| it.unread = Unread::Cancel), NOTHING, "it has unread"),
            (policy(|it| it.idle_reader = TWO), NOTHING, "it has idle_reader"),
        ];
        for (policy, handler, expected) in mistakes {
            let mistake = policy.mistake(handler);
            assert!(mistake.as_ref().is_some_and(|it| it.contains(expected)), "{mistake:?}, not {expected:?}");
            assert!(mistake.is_some_and(|it| it.contains(": ")), "{expected:?} doesn't say what to do");
        }
    }

    #[test]
    fn what_does_as_it_says_is_no_mistake() {
        let fine = [
            (Policy::default(), NOTHING),
            (policy(|it| (it.concurrency, it.queue_limit) = (Some(0), Some(0))), ITEMS),
            (policy(|it| (it.grace, it.delay) = (Duration::ZERO, Some(Duration::ZERO))), ITEMS),
            (policy(|it| it.stall_timeout = Some(Duration::from_nanos(1))), ITEMS),
            (policy(|it| (it.deadline, it.timeout, it.attempt_timeout) = (ONE, ONE, ONE)), ITEMS),
            (policy(|it| (it.delay, it.timeout) = (TWO, ONE)), ITEMS),
            (policy(|it| it.deadline = Some(Duration::MAX)), ITEMS),
            (retry(Retry::attempts(1)), TESTED),
            (retry(Retry::attempts(3).backoff(Backoff::constant(Duration::ZERO))), TESTED),
            (restart(Restart::always().give_up_after(1)), NOTHING),
            (restart(Restart::on_failure().healthy_after(Duration::ZERO)), NOTHING),
            (policy(|it| it.item_buffer = Bounds { items: 0, bytes: 1 }), BYTES),
            (policy(|it| it.item_buffer = Bounds { items: 1, bytes: 1 }), ITEMS),
            (policy(|it| (it.idle_reader, it.timeout, it.stall_timeout) = (TWO, TWO, ONE)), ITEMS),
            (policy(|it| (it.unread, it.idle_reader) = (Unread::Cancel, Some(Duration::from_millis(1)))), ITEMS),
            (Policy { idle_reader: TWO, attempt_timeout: ONE, ..retry(Retry::attempts(9)) }, ITEMS),
            (Policy { idle_reader: TWO, attempt_timeout: ONE, ..restart(Restart::always()) }, BYTES),
        ];
        for (policy, handler) in fine {
            assert_eq!(policy.mistake(handler), None, "{policy:?}");
        }
    }
}
