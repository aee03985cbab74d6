//! The memory and processor time that the app and WebKit's processes use.

use std::{
    fs, io,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde::Serialize;
use tauri::{State, async_runtime::Mutex};

/// The time between two samples of the memory.
const PERIOD: Duration = Duration::from_millis(100);
/// In `/proc`, Linux counts the processor time of processes in hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;

/// The current watch, if there is one.
#[derive(Default)]
pub(super) struct Processes {
    watch: Mutex<Option<Watch>>,
}

struct Watch {
    before: Look,
    cpu: Cpu,
    stop: Sender<()>,
    looks: JoinHandle<io::Result<Look>>,
}

/// The memory and processor time that were used between two calls.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Taken {
    /// Memory of the app and of the page's processes together: before, and the peak since then.
    before_mib: f64,
    peak_mib: f64,
    /// The peak of each by itself.
    app_peak_mib: f64,
    page_peak_mib: f64,
    /// Processor time in seconds.
    app_cpu: f64,
    page_cpu: f64,
}

/// Starts to sample the memory, until [`processes`] is called.
#[tauri::command]
pub(super) async fn watch_processes(processes: State<'_, Processes>) -> Result<(), String> {
    let mut watch = processes.watch.lock().await;
    let started = || {
        let before = Look::now()?;
        let (stop, stopped) = mpsc::channel();
        let looks = thread::spawn(move || {
            let mut peak = before;
            loop {
                let last = !matches!(stopped.recv_timeout(PERIOD), Err(RecvTimeoutError::Timeout));
                peak = peak.most(Look::now()?);
                if last {
                    return Ok(peak);
                }
            }
        });
        Ok::<_, io::Error>(Watch { before, cpu: Cpu::now()?, stop, looks })
    };
    *watch = Some(started().map_err(|error| error.to_string())?);
    Ok(())
}

/// Returns what was used since [`watch_processes`] was called.
#[tauri::command]
pub(super) async fn processes(processes: State<'_, Processes>) -> Result<Taken, String> {
    let watch = processes.watch.lock().await.take().ok_or("nothing is watched: call watch_processes first")?;
    let cpu = Cpu::now().map_err(|error| error.to_string())?;
    let _ = watch.stop.send(());
    let peak = watch.looks.join().map_err(|_| "the thread that samples the memory panicked")?;
    let peak = peak.map_err(|error| error.to_string())?;
    Ok(Taken {
        before_mib: watch.before.together,
        peak_mib: peak.together,
        app_peak_mib: peak.app,
        page_peak_mib: peak.page,
        app_cpu: cpu.app - watch.cpu.app,
        page_cpu: cpu.page - watch.cpu.page,
    })
}

/// A sample of the memory that is no mapped file, in MiB. Memory that processes share is counted in each of them, so the sum
/// is too high. `smaps_rollup` would be exact, but locks a process's memory map for some ms each time, which slows down the
/// measured work by a sixth.
#[derive(Clone, Copy)]
struct Look {
    app: f64,
    page: f64,
    together: f64,
}

impl Look {
    fn now() -> io::Result<Self> {
        let app = memory("self")?;
        let mut page = 0.0;
        for child in children()? {
            page += memory(&child)?;
        }
        Ok(Self { app, page, together: app + page })
    }

    fn most(self, other: Self) -> Self {
        Self {
            app: self.app.max(other.app),
            page: self.page.max(other.page),
            together: self.together.max(other.together),
        }
    }
}

/// Processor time, in seconds.
#[derive(Clone, Copy)]
struct Cpu {
    app: f64,
    page: f64,
}

impl Cpu {
    fn now() -> io::Result<Self> {
        let seconds = |process: &str| Ok(cpu_ticks(&stat(process)?).ok_or_else(unreadable)? / TICKS_A_SECOND);
        let children: io::Result<Vec<f64>> = children()?.iter().map(|child| seconds(child)).collect();
        Ok(Self { app: seconds("self")?, page: children?.iter().sum() })
    }
}

/// Returns the ids of WebKit's processes: the children of this process.
fn children() -> io::Result<Vec<String>> {
    let parent = std::process::id().to_string();
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        // A process that is not a child may be gone by now.
        if stat(&name).is_ok_and(|stat| fields(&stat).and_then(|mut fields| fields.nth(1)) == Some(&parent)) {
            children.push(name);
        }
    }
    Ok(children)
}

fn stat(process: &str) -> io::Result<String> {
    fs::read_to_string(format!("/proc/{process}/stat"))
}

/// Returns the fields after the name: the state, the parent's id, and so on. The name is in parentheses and may contain anything.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace())
}

/// Returns the ticks spent in user and in kernel mode.
fn cpu_ticks(stat: &str) -> Option<f64> {
    let times: Vec<f64> = fields(stat)?.skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    (times.len() == 2).then(|| times.iter().sum())
}

fn memory(process: &str) -> io::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    memory_mib(&text).ok_or_else(unreadable)
}

fn memory_mib(status: &str) -> Option<f64> {
    let kib = |name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()
    };
    Some((kib("RssAnon:")? + kib("RssShmem:")?) / 1024.0)
}

fn unreadable() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "/proc has another form here than on Linux")
}

#[cfg(test)]
mod tests {
    use super::{cpu_ticks, fields, memory_mib};

    const STAT: &str = "7 (a) b) (c) S 3 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 5 6 7";

    #[test]
    fn the_fields_of_a_process_are_found_whatever_its_name_is() {
        assert_eq!(fields(STAT).unwrap().nth(1), Some("3"));
        assert_eq!(cpu_ticks(STAT), Some(300.0));
        assert_eq!(cpu_ticks("7 (a) S 3"), None);
    }

    #[test]
    fn memory_leaves_out_mapped_files() {
        let text = "VmRSS:\t  9000 kB\nRssAnon:\t    1024 kB\nRssFile:\t    4096 kB\nRssShmem:\t    1024 kB\n";
        assert_eq!(memory_mib(text), Some(2.0));
        assert_eq!(memory_mib("RssAnon: 1 kB"), None);
    }
}
