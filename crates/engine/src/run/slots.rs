//! Lends the slots of a handler while it awaits tasks that it has started, and takes them back before it goes on.

use std::{
    cell::Cell,
    pin::Pin,
    ptr,
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
    /// How many polls in a row have followed from nothing but looks.
    echoes: u8,
}

/// The most looks in a row that follow from nothing but looks. `FuturesUnordered` wakes itself whenever it has polled all
/// its futures, so each look at it would lead to another.
const LOOKS: u8 = 3;
/// The same, while waits come and go at each poll. Two handlers that share futures may take waits from each other, and
/// each look of one makes the other poll them.
const LOOKS_AT_CHANGES: u8 = 30;

impl<'a> Slots<'a> {
    pub(super) fn new(transitions: &'a Arc<Transitions>, record: &'a Arc<Record>, attempt: &'a Arc<Attempt>) -> Self {
        Self { transitions, record, attempt, back: None, waker: None, echoes: 0 }
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
            if let Some(waits) = self.look(context) {
                let own = Arc::clone(self.handler_waker(context));
                own.during(Mode::Quiet, || waits.into_iter().for_each(Waker::wake));
                let waker = Arc::clone(&own).into();
                polled = own.during(Mode::Look, || handler(&mut Context::from_waker(&waker)));
            }
            if polled.is_pending() {
                self.settle(context);
            }
        }
        polled
    }

    /// Begins a look, if one is needed. Returns whom to wake for it.
    fn look(&mut self, context: &Context<'_>) -> Option<Vec<Waker>> {
        let was_woken = self.handler_waker(context).woken.swap(false, Relaxed);
        self.echoes = if was_woken { 0 } else { self.echoes.saturating_add(1) };
        if self.echoes >= LOOKS_AT_CHANGES { None } else { self.attempt.look(self.echoes >= LOOKS) }
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
            Some(Settled::Lend(waits_for)) => self.transitions.lend_slots(self.record, self.attempt.number, waits_for),
            Some(Settled::Await(waits_for)) => self.record.awaits(waits_for),
            Some(Settled::TakeBack(came)) => self.transitions.take_back_slots(self.record, &came),
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

/// What a wake of a handler means that comes from its own look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing, since the handler is about to be polled. It means little to another handler as well: what both share is
    /// to be polled again, but nothing has happened.
    Quiet,
    /// The handler wants to be polled again after the look. To another handler, it means what it always does.
    Look,
}

thread_local! {
    /// The look that this thread is at, and whose it is.
    static LOOK: Cell<Option<(Mode, *const HandlerWaker)>> = const { Cell::new(None) };
}

/// Wakes the supervisor to poll the handler.
struct HandlerWaker {
    supervisor: Waker,
    /// Whether something has happened since the last look.
    woken: AtomicBool,
}

impl HandlerWaker {
    /// Runs a part of a look of the handler.
    fn during<T>(&self, mode: Mode, part: impl FnOnce() -> T) -> T {
        struct Restore(Option<(Mode, *const HandlerWaker)>);
        impl Drop for Restore {
            fn drop(&mut self) {
                LOOK.set(self.0);
            }
        }
        let _restore = Restore(LOOK.replace(Some((mode, self))));
        part()
    }
}

impl Wake for HandlerWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // While a thread ends, it is at no look.
        let look = LOOK.try_with(Cell::get).ok().flatten();
        let look = look.map(|(mode, of)| (mode, ptr::eq(of, Arc::as_ptr(self))));
        if matches!(look, None | Some((Mode::Look, false))) {
            self.woken.store(true, Relaxed);
        }
        if look != Some((Mode::Quiet, true)) {
            self.supervisor.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Supervisor(AtomicUsize);

    impl Wake for Supervisor {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn a_look_of_a_handler_hides_no_wake_of_another_one() {
        let supervisor = Arc::<Supervisor>::default();
        let [own, other] = [(); 2].map(|()| {
            Arc::new(HandlerWaker { supervisor: Arc::clone(&supervisor).into(), woken: AtomicBool::new(false) })
        });
        let wakes = |waker: &Arc<HandlerWaker>| {
            let before = supervisor.0.load(Relaxed);
            waker.wake_by_ref();
            (supervisor.0.load(Relaxed) - before, waker.woken.swap(false, Relaxed))
        };
        assert_eq!(own.during(Mode::Quiet, || wakes(&own)), (0, false));
        assert_eq!(own.during(Mode::Quiet, || wakes(&other)), (1, false), "it is polled, but nothing has happened");
        assert_eq!(own.during(Mode::Look, || wakes(&own)), (1, false));
        assert_eq!(own.during(Mode::Look, || wakes(&other)), (1, true));
        let nested = own.during(Mode::Look, || other.during(Mode::Quiet, || wakes(&own)));
        assert_eq!(nested, (1, false));
        assert_eq!((wakes(&own), wakes(&other)), ((1, true), (1, true)));
    }
}
