//! A loopback server whose downloads can be slow, stall or fail. It counts the requests for each download and how many it sends
//! at once.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use futures::stream;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};

use crate::address;

/// How often a stalled download sends a byte.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// The query of a request for `/bytes`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Content {
    /// The number of bytes.
    pub n: u64,
    /// The seed of the bytes: another seed gives other bytes.
    pub seed: u64,
    /// The rate in bytes a second; 0 for no limit.
    pub rate: u64,
    /// If not 0, the response has no `Content-Length`.
    pub chunked: u8,
    /// How many requests are answered with 503 before one succeeds.
    pub fail: u64,
    /// If not 0, the status of every response.
    pub status: u16,
    /// After how many bytes the download stalls, until [`Server::release`] or [`Server::release_some`]; 0 for never. Meanwhile it
    /// sends a byte every five seconds, so that the client does not time out.
    pub stall: u64,
    /// If not 0, the download stalls again after every further `stall` bytes.
    pub steps: u8,
    /// If not 0, a stalled download sends nothing at all.
    pub silent: u8,
}

impl Content {
    /// Returns the bytes of a complete download.
    pub fn bytes(&self) -> Vec<u8> {
        bytes(self.seed, 0, self.n)
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, seed, rate, chunked, fail, status, stall, steps, silent } = self;
        write!(
            f,
            "n={n}&seed={seed}&rate={rate}&chunked={chunked}&fail={fail}&status={status}&stall={stall}&steps={steps}&silent={silent}"
        )
    }
}

/// A running server, which listens on an address of this process until the runtime ends.
pub struct Server {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    requests: Mutex<HashMap<String, u64>>,
    sending: Mutex<Count>,
    /// Has one permit for each stalled download that may continue.
    gate: Semaphore,
}

#[derive(Default)]
struct Count {
    now: u64,
    most: u64,
}

/// Counts a download as being sent until this is dropped.
struct Sending(Arc<Shared>);

impl Sending {
    fn begin(shared: &Arc<Shared>) -> Self {
        let mut sending = shared.sending();
        sending.now += 1;
        sending.most = sending.most.max(sending.now);
        drop(sending);
        Self(Arc::clone(shared))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.sending().now -= 1;
    }
}

impl Shared {
    /// Waits until a stalled download may continue, and returns whether it may. Unless `silent`, gives up after [`SIGN_OF_LIFE`].
    async fn opens(&self, silent: bool) -> bool {
        let opened = async {
            if let Ok(permit) = self.gate.acquire().await {
                permit.forget();
            }
        };
        if silent {
            opened.await;
            return true;
        }
        timeout(SIGN_OF_LIFE, opened).await.is_ok()
    }

    fn sending(&self) -> MutexGuard<'_, Count> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request and returns how many there were before.
    fn count(&self, address: String) -> u64 {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let count = requests.entry(address).or_default();
        *count += 1;
        *count - 1
    }
}

impl Server {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((address::of_this_process(), 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        let shared =
            Arc::new(Shared { requests: Mutex::default(), sending: Mutex::default(), gate: Semaphore::new(0) });
        let router = Router::new()
            .route("/bytes", get(answer))
            .route("/bytes/{name}", get(answer))
            .route("/page", get(async || Html("<!doctype html><title>A page from outside</title>")))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared })
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the address of an empty page. Each server is an origin of its own.
    pub fn page(&self) -> String {
        format!("{}/page", self.address)
    }

    pub fn url(&self, content: &Content) -> String {
        format!("{}/bytes?{content}", self.address)
    }

    /// Returns the same address as [`Server::url`], with a file name of its own.
    pub fn url_of(&self, name: &str, content: &Content) -> String {
        format!("{}/bytes/{name}?{content}", self.address)
    }

    /// Returns how often this content was requested.
    pub fn requests(&self, content: &Content) -> u64 {
        let requests = self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.get(&content.to_string()).copied().unwrap_or_default()
    }

    /// Returns the most downloads that were sent at once since the start, or since [`Server::count_anew`].
    pub fn most_at_once(&self) -> u64 {
        self.shared.sending().most
    }

    /// Restarts the count of [`Server::most_at_once`].
    pub fn count_anew(&self) {
        let mut sending = self.shared.sending();
        sending.most = sending.now;
    }

    /// Lets all stalled downloads continue, and later ones run without stalling.
    pub fn release(&self) {
        self.release_some(Semaphore::MAX_PERMITS / 2);
    }

    /// Lets this many stalled downloads continue, each until it stalls again.
    pub fn release_some(&self, downloads: usize) {
        self.shared.gate.add_permits(downloads);
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, Query(content): Query<Content>) -> Response {
    if shared.count(uri.query().unwrap_or_default().to_owned()) < content.fail {
        return (StatusCode::SERVICE_UNAVAILABLE, "try again").into_response();
    }
    if content.status != 0 {
        let status = StatusCode::from_u16(content.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, "the requested status").into_response();
    }
    let start = Instant::now();
    let gate = if content.stall == 0 { content.n } else { content.stall };
    let body = stream::unfold((0, gate, Some(Sending::begin(&shared))), move |(sent, mut gate, mut sending)| {
        let shared = Arc::clone(&shared);
        async move {
            if sent == content.n {
                return None;
            }
            let mut end = sent + chunk(content.rate);
            if sent < gate {
                end = end.min(gate);
            } else if shared.opens(content.silent != 0).await {
                gate = if content.steps == 0 { content.n } else { gate + content.stall };
                end = end.min(gate);
            } else {
                end = sent + 1;
            }
            let end = end.min(content.n);
            if let Some(due) = (sent * 1_000_000).checked_div(content.rate) {
                sleep_until(start + Duration::from_micros(due)).await;
            }
            if end == content.n {
                // Before the last bytes are sent: a client that has them may start another download before this body is dropped.
                sending = None;
            }
            Some((Ok::<_, Infallible>(Bytes::from(bytes(content.seed, sent, end))), (end, gate, sending)))
        }
    });
    let mut response = Body::from_stream(body).into_response();
    if content.chunked == 0 {
        response.headers_mut().insert(header::CONTENT_LENGTH, content.n.into());
    }
    response
}

/// Returns the size of a chunk: about 50 are sent a second, and none is larger than 64 KiB.
fn chunk(rate: u64) -> u64 {
    if rate == 0 { 65_536 } else { (rate / 50).clamp(1, 65_536) }
}

/// Returns the bytes `from..to` of an endless pseudo-random sequence, which can't be compressed.
fn bytes(seed: u64, from: u64, to: u64) -> Vec<u8> {
    let first = mixed(seed);
    let byte = |at: u64| mixed(first.wrapping_add(at / 8)).to_le_bytes()[(at % 8) as usize];
    (from..to).map(byte).collect()
}

/// The finalizer of splitmix64.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
