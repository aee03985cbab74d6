//! Lends the slots of a handler while it awaits tasks that it has started, and takes them back before it goes on.

use std::{
    cell::Cell,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker, ready},
};

use futures_util::future::BoxFuture;
use tokio_util::task::AbortOnDropHandle;

use super::transitions::Transitions;
use crate::{
    record::Record,
    task::{attempt::Attempt, lending::Settled},
};

/// The slots of one attempt. Only its supervisor has it.
pub(super) struct Slots<'a> {
    transitions: &'a Arc<Transitions>,
    record: &'a Arc<Record>,
    attempt: &'a Arc<Attempt>,
    /// Waits for the slots, if the handler may not be polled without them.
    back: Option<BoxFuture<'static, ()>>,
    /// Wakes the handler, once it has awaited a task that it has started.
    waker: Option<Arc<HandlerWaker>>,
    /// How many looks in a row may follow from the one before.
    looks: u8,
}

/// The most looks in a row that follow from nothing but the one before. `FuturesUnordered` wakes itself whenever it has
/// polled all its futures, so each look at it would lead to another.
const LOOKS: u8 = 3;

impl<'a> Slots<'a> {
    pub(super) fn new(transitions: &'a Arc<Transitions>, record: &'a Arc<Record>, attempt: &'a Arc<Attempt>) -> Self {
        Self { transitions, record, attempt, back: None, waker: None, looks: LOOKS }
    }

    /// Polls the handler when it may be polled, and lends or takes back its slots when it has returned `Pending`.
    pub(super) fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        mut handler: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        ready!(self.poll_back(context));
        let mut polled = if self.attempt.has_lending() {
            handler(&mut Context::from_waker(&self.waker(context)))
        } else {
            handler(context)
        };
        if polled.is_pending() && self.attempt.has_lending() {
            let nothing_happened = !self.may_look(context);
            if let Some(waits) = self.attempt.look(nothing_happened) {
                let waker = self.waker(context);
                Mode::Quiet.during(|| waits.into_iter().for_each(Waker::wake));
                polled = Mode::Look.during(|| handler(&mut Context::from_waker(&waker)));
            }
            if polled.is_pending() {
                self.settle(context);
            }
        }
        polled
    }

    fn may_look(&mut self, context: &Context<'_>) -> bool {
        let was_woken = self.handler_waker(context).woken.swap(false, Relaxed);
        self.looks = if was_woken { LOOKS } else { self.looks.saturating_sub(1) };
        self.looks > 0
    }

    /// Is ready when the handler may be polled.
    fn poll_back(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(back) = &mut self.back else { return Poll::Ready(()) };
        ready!(Pin::new(back).poll(context));
        self.back = None;
        Poll::Ready(())
    }

    fn settle(&mut self, context: &mut Context<'_>) {
        let waker = self.waker(context);
        self.attempt.set_handler_waker(&waker);
        let was_woken = self.handler_waker(context).woken.load(Relaxed);
        match self.attempt.settle(was_woken) {
            None => {}
            Some(Settled::LookAgain) => waker.wake(),
            Some(Settled::Lend(waits_for)) => self.transitions.lend_slots(self.record, waits_for),
            Some(Settled::Await(waits_for)) => self.record.awaits(waits_for),
            Some(Settled::TakeBack) => self.transitions.take_back_slots(self.record),
        }
        if self.attempt.may_be_polled() {
            return;
        }
        let (record, attempt) = (Arc::clone(self.record), Arc::clone(self.attempt));
        let told = AbortOnDropHandle::new(self.transitions.runtimes.control.spawn(record.tell_if_held_up()));
        self.back = Some(Box::pin(async move {
            let _told = told;
            attempt.may_go_on().await;
        }));
        if self.poll_back(context).is_ready() {
            context.waker().wake_by_ref();
        }
    }

    fn waker(&mut self, context: &Context<'_>) -> Waker {
        Arc::clone(self.handler_waker(context)).into()
    }

    fn handler_waker(&mut self, context: &Context<'_>) -> &Arc<HandlerWaker> {
        self.waker.get_or_insert_with(|| {
            Arc::new(HandlerWaker { supervisor: context.waker().clone(), woken: AtomicBool::new(true) })
        })
    }
}

/// What a wake of the handler on this thread means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Something has happened.
    Wake,
    /// Nothing, since the handler is about to be polled.
    Quiet,
    /// The handler wants to be polled again after a look.
    Look,
}

thread_local! {
    static MODE: Cell<Mode> = const { Cell::new(Mode::Wake) };
}

impl Mode {
    fn during<T>(self, code: impl FnOnce() -> T) -> T {
        struct Restore(Mode);
        impl Drop for Restore {
            fn drop(&mut self) {
                MODE.set(self.0);
            }
        }
        let _restore = Restore(MODE.replace(self));
        code()
    }
}

/// Wakes the supervisor to poll the handler.
struct HandlerWaker {
    supervisor: Waker,
    /// Whether something has happened since the last look.
    woken: AtomicBool,
}

impl Wake for HandlerWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // While a thread ends, it wakes as usual.
        let mode = MODE.try_with(Cell::get).unwrap_or(Mode::Wake);
        if mode == Mode::Wake {
            self.woken.store(true, Relaxed);
        }
        if mode != Mode::Quiet {
            self.supervisor.wake_by_ref();
        }
    }
}
