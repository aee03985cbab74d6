//! Makes calls at once, on real threads.

use std::{
    hint::spin_loop,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread,
};

use tokio::runtime::Handle;

/// Makes the calls at once, each on a thread of its own within this runtime. Returns what they return.
pub(crate) fn at_once<T: Send, const N: usize>(calls: [&(dyn Fn() -> T + Sync); N]) -> [T; N] {
    let (ready, runtime) = (&AtomicUsize::new(0), &Handle::current());
    thread::scope(|scope| {
        let threads = calls.map(|call| {
            scope.spawn(move || {
                let _entered = runtime.enter();
                ready.fetch_add(1, SeqCst);
                // Closer to each other than a barrier lets them go.
                while ready.load(SeqCst) < N {
                    spin_loop();
                }
                call()
            })
        });
        threads.map(|thread| thread.join().unwrap())
    })
}
