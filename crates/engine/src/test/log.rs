//! Captures the log, for tests.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;

/// Everything that is logged while this exists.
#[derive(Clone)]
pub struct Log {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: Option<Arc<tracing::subscriber::DefaultGuard>>,
}

impl Log {
    /// Captures the log of this thread.
    pub fn capture() -> Self {
        let (text, subscriber) = subscriber();
        Self { text, _guard: Some(Arc::new(tracing::subscriber::set_default(subscriber))) }
    }

    /// Captures the log of every thread from now on, for a test that is alone in its process.
    pub fn capture_everywhere() -> Self {
        let (text, subscriber) = subscriber();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        Self { text, _guard: None }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }

    pub fn count(&self, what: &str) -> usize {
        self.text().matches(what).count()
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

fn subscriber() -> (Arc<Mutex<Vec<u8>>>, impl tracing::Subscriber + Send + Sync) {
    let text = Arc::new(Mutex::new(Vec::new()));
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(Writer(Arc::clone(&text))).finish();
    (text, subscriber)
}

#[derive(Clone)]
struct Writer(Arc<Mutex<Vec<u8>>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
