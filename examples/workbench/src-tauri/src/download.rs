//! `download`: a file from a web server, complete or not at all.

use std::{
    io,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use blake3::Hasher;
use reqwest::{Client, Response, Url};
use serde::{Deserialize, Serialize};
use tauri_plugin_tasks::{LossyPath, TaskContext, Unit};
use tokio::{fs::File, io::AsyncWriteExt};

/// How long a server may take to accept the connection. After that, the kind's `stall_timeout` limits how long it may send
/// nothing. The whole download has no limit: a large file takes its time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// What to download.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct DownloadInput {
    /// An http or https address.
    pub url: String,
    /// The full path of the file to create.
    pub dest: PathBuf,
}

/// The stage of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Waits for the server's answer.
    Connecting,
    /// Writes the data that comes in.
    Receiving,
    /// Makes sure that the file is on the disk, and gives it its final name.
    Saving,
}

/// The downloaded file.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct Downloaded {
    /// The path of the file.
    pub path: LossyPath,
    /// How large it is.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub bytes: u64,
    /// The BLAKE3 hash of its content.
    pub blake3: String,
}

/// Why a download failed. The page makes its sentences from this. The messages here are for places that have no room for a
/// type: logs, and what is shown between two attempts.
#[derive(Debug, Serialize, thiserror::Error)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
pub enum DownloadError {
    /// Not an http or https address.
    #[error("{0:?} is not an http or https address")]
    Url(String),
    /// The destination is not the full path of a file.
    #[error("{} is not the full path of a file", .0.display())]
    Path(LossyPath),
    /// The folder of the destination doesn't exist.
    #[error("there is no folder {}", .0.display())]
    NoFolder(LossyPath),
    /// Something already exists at the destination.
    #[error("there is already something at {}", .0.display())]
    Exists(LossyPath),
    /// The server answered with something other than the file.
    #[error("the server answered with status {0}")]
    Http(u16),
    /// The server was not reached, or the connection broke.
    #[error("the server could not be reached, or the connection broke ({0})")]
    Network(String),
    /// The file could not be written.
    #[error("the file could not be written ({0})")]
    Io(String),
}

impl DownloadError {
    /// Returns whether another attempt may succeed: the server may be busy or failing, or the network down. An error of the
    /// address or the disk would recur.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Http(status) => matches!(status, 408 | 429 | 500..=599),
            Self::Network(_) => true,
            Self::Url(_) | Self::Path(_) | Self::NoFolder(_) | Self::Exists(_) | Self::Io(_) => false,
        }
    }
}

impl From<reqwest::Error> for DownloadError {
    fn from(error: reqwest::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&reqwest::Error> for DownloadError {
    fn from(error: &reqwest::Error) -> Self {
        // The outermost error only says that a request failed; the innermost says why.
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Self::Network(cause.to_string())
    }
}

impl From<io::Error> for DownloadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// One client for all downloads: creating one takes a while, because it reads the system's certificates.
static CLIENT: LazyLock<reqwest::Result<Client>> =
    LazyLock::new(|| Client::builder().connect_timeout(CONNECT_TIMEOUT).build());

/// Downloads a file.
///
/// A download that doesn't complete leaves nothing behind, for whatever reason it ends: a cancel drops this future at an
/// `await`, and with it the `PartFile`, which removes its file.
pub async fn download(ctx: TaskContext<Stage>, input: DownloadInput) -> Result<Downloaded, DownloadError> {
    let url = Url::parse(&input.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or(DownloadError::Url(input.url))?;
    // Before the request: nobody wants to hear of a wrong path after an hour of downloading.
    check(&input.dest)?;

    ctx.progress().detail(Stage::Connecting);
    let response = CLIENT.as_ref()?.get(url).send().await?;
    if !response.status().is_success() {
        return Err(DownloadError::Http(response.status().as_u16()));
    }

    ctx.progress().detail(Stage::Receiving);
    ctx.progress().unit(Unit::Bytes).total(response.content_length());
    // The id makes the name unique: two downloads to the same destination don't write into each other's file.
    let part = PartFile::create(&input.dest, &ctx.id().to_string())?;
    let (part, bytes, blake3) = receive(&ctx, response, part).await?;

    ctx.progress().detail(Stage::Saving);
    part.finish(&input.dest).await?;
    Ok(Downloaded { path: input.dest.into(), bytes, blake3 })
}

/// Refuses a destination that is not a full path, has no folder, or is taken.
fn check(dest: &Path) -> Result<(), DownloadError> {
    let (true, Some(folder), Some(_)) = (dest.is_absolute(), dest.parent(), dest.file_name()) else {
        return Err(DownloadError::Path(dest.into()));
    };
    if !folder.is_dir() {
        return Err(DownloadError::NoFolder(folder.into()));
    }
    if dest.try_exists()? { Err(DownloadError::Exists(dest.into())) } else { Ok(()) }
}

async fn receive(
    ctx: &TaskContext<Stage>,
    mut response: Response,
    mut part: PartFile,
) -> Result<(PartFile, u64, String), DownloadError> {
    let mut hasher = Hasher::new();
    while let Some(chunk) = response.chunk().await? {
        part.file.write_all(&chunk).await?;
        hasher.update(&chunk);
        ctx.progress().inc(chunk.len() as u64);
    }
    Ok((part, hasher.count(), hasher.finalize().to_hex().to_string()))
}

/// An incomplete file, which is removed on drop unless it is finished.
#[derive(Debug)]
struct PartFile {
    file: File,
    path: PathBuf,
    finished: bool,
}

impl PartFile {
    /// Creates `.<id>.part` in the folder of `dest`, because a rename can't move a file to another disk.
    ///
    /// Not `async`: if a future that creates a file were dropped, the file could be created all the same, with nobody to remove it.
    fn create(dest: &Path, id: &str) -> io::Result<Self> {
        let path = dest.with_file_name(format!(".{id}.part"));
        let file = std::fs::File::create_new(&path)?;
        Ok(Self { file: File::from_std(file), path, finished: false })
    }

    /// Makes sure that the file is on the disk, and gives it its final name.
    async fn finish(mut self, dest: &Path) -> Result<(), DownloadError> {
        // `write_all` only hands over the data; `flush` returns whether it could be written.
        self.file.flush().await?;
        self.file.sync_all().await?;
        // Check again: a download takes long, and a rename would replace an existing file.
        check(dest)?;
        // There is no `await` from here on, so that a cancel comes either before the rename or after the end.
        std::fs::rename(&self.path, dest)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.finished {
            // The file may be gone already, and nobody could be told of an error.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tauri_plugin_tasks::{Outcome, TaskHandle, TaskManager, TaskStatus};
    use tempfile::TempDir;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        runtime::Handle,
    };

    use super::{DownloadError, DownloadInput, PartFile, download};

    /// Answers one request with `answer`, then closes the connection or keeps it open.
    async fn server(answer: &'static str, keep_open: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let _request = connection.read(&mut [0; 1024]).await.unwrap();
            connection.write_all(answer.as_bytes()).await.unwrap();
            if keep_open {
                std::future::pending::<()>().await;
            }
        });
        format!("http://{address}/file")
    }

    fn start(url: String, folder: &TempDir) -> TaskHandle {
        let input = DownloadInput { url, dest: folder.path().join("file") };
        TaskManager::new(Handle::current()).spawn("download", |ctx| download(ctx, input)).untyped()
    }

    fn failure(outcome: &Outcome) -> String {
        match outcome {
            Outcome::Failed(failure) => serde_json::to_string(&failure.error).unwrap(),
            other => panic!("expected a failure, got {other:?}"),
        }
    }

    fn files(folder: &TempDir) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[tokio::test]
    async fn a_file_arrives_whole_and_under_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let url = server("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", false).await;
        let task = start(url, &folder);
        task.outcome().await;
        assert_eq!(task.status(), TaskStatus::Completed);
        assert_eq!(files(&folder), ["file"]);
        assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "hello");
    }

    #[tokio::test]
    async fn a_cancelled_download_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let url = server("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", true).await;
        let task = start(url, &folder);
        let mut watch = task.watch();
        while task.snapshot().progress.completed < 5 {
            watch.next().await;
        }
        assert_eq!(files(&folder).len(), 1, "there is a part file");

        task.cancel().unwrap();
        task.outcome().await;
        assert_eq!(task.status(), TaskStatus::Cancelled);
        assert!(files(&folder).is_empty());
    }

    #[tokio::test]
    async fn a_connection_that_breaks_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let url = server("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", false).await;
        let outcome = start(url, &folder).outcome().await;
        assert!(failure(&outcome).contains(r#""type":"network""#));
        assert!(files(&folder).is_empty());
    }

    #[tokio::test]
    async fn an_error_page_is_not_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let url = server("HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\noops", false).await;
        let outcome = start(url, &folder).outcome().await;
        assert_eq!(failure(&outcome), r#"{"type":"http","data":404}"#);
        assert!(files(&folder).is_empty());
    }

    #[tokio::test]
    async fn a_wrong_address_or_destination_is_refused_before_the_request() {
        let folder = tempfile::tempdir().unwrap();
        let refused = async |url: &str, dest: std::path::PathBuf| {
            let input = DownloadInput { url: url.to_owned(), dest };
            failure(
                &TaskManager::new(Handle::current())
                    .spawn("download", |ctx| download(ctx, input))
                    .untyped()
                    .outcome()
                    .await,
            )
        };
        // Nothing listens on port 1, so a request to it would be a network error.
        let nowhere = "http://127.0.0.1:1/file";
        let taken = folder.path().join("taken");
        fs::write(&taken, "mine").unwrap();

        assert!(refused("ftp://127.0.0.1/file", folder.path().join("file")).await.contains(r#""type":"url""#));
        assert!(refused(nowhere, "file".into()).await.contains(r#""type":"path""#));
        assert!(refused(nowhere, folder.path().join("missing/file")).await.contains(r#""type":"noFolder""#));
        assert!(refused(nowhere, taken.clone()).await.contains(r#""type":"exists""#));
        assert!(refused(nowhere, folder.path().join("file")).await.contains(r#""type":"network""#));
        assert_eq!(fs::read_to_string(taken).unwrap(), "mine");
    }

    #[test]
    fn only_transient_errors_are_tried_again() {
        for status in [408, 429, 500, 502, 503, 599] {
            assert!(DownloadError::Http(status).is_transient(), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 410] {
            assert!(!DownloadError::Http(status).is_transient(), "{status}");
        }
        assert!(DownloadError::Network("connection reset".into()).is_transient());
        for local in [
            DownloadError::Url("ftp://".into()),
            DownloadError::Path("file".into()),
            DownloadError::NoFolder("/missing".into()),
            DownloadError::Exists("/taken".into()),
            DownloadError::Io("no space left".into()),
        ] {
            assert!(!local.is_transient(), "{local}");
        }
    }

    #[tokio::test]
    async fn a_part_file_is_removed_unless_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let dest = folder.path().join("file");
        drop(PartFile::create(&dest, "1").unwrap());
        assert!(files(&folder).is_empty());

        PartFile::create(&dest, "2").unwrap().finish(&dest).await.unwrap();
        assert_eq!(files(&folder), ["file"]);
    }
}
