//! What the app and WebKit's processes take of the machine.

use std::{
    fs, io,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde::Serialize;
use tauri::{State, async_runtime::Mutex};

/// Between two looks at the memory.
const PERIOD: Duration = Duration::from_millis(100);
/// Linux counts the time of processes in hundredths of a second, for programs at least.
const TICKS_A_SECOND: f64 = 100.0;

/// What is watched at the moment, if anything is.
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

/// What was taken between two calls.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Taken {
    /// Memory of the app and of the page's processes together before, and the most of it since then.
    before_mib: f64,
    peak_mib: f64,
    /// The most of each by itself.
    app_peak_mib: f64,
    page_peak_mib: f64,
    /// Seconds of a processor.
    app_cpu: f64,
    page_cpu: f64,
}

/// Begins to look at the memory, until [`processes`] is called.
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

/// What was taken since [`watch_processes`] was called.
#[tauri::command]
pub(super) async fn processes(processes: State<'_, Processes>) -> Result<Taken, String> {
    let watch = processes.watch.lock().await.take().ok_or("nothing is watched: call watch_processes first")?;
    let cpu = Cpu::now().map_err(|error| error.to_string())?;
    let _ = watch.stop.send(());
    let peak = watch.looks.join().map_err(|_| "the thread that looks at the memory panicked")?;
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

/// Memory at one moment in MiB: all that is no mapped file. What processes share is counted in each, so this is rather too
/// much. `smaps_rollup` would know better, but takes a process's memory map for itself for some ms each time, which slows
/// down what is measured by a sixth.
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

/// Time of processors, in seconds.
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

/// WebKit's processes: those that this one has started.
fn children() -> io::Result<Vec<String>> {
    let parent = std::process::id().to_string();
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        // It may be gone by now, if it is another one's.
        if stat(&name).is_ok_and(|stat| fields(&stat).and_then(|mut fields| fields.nth(1)) == Some(&parent)) {
            children.push(name);
        }
    }
    Ok(children)
}

fn stat(process: &str) -> io::Result<String> {
    fs::read_to_string(format!("/proc/{process}/stat"))
}

/// What follows the name, which is in brackets and may hold anything: the state, the parent's number, and so on.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace())
}

/// Time in the program and in the system for it.
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
    fn a_process_is_read_whatever_its_name_is() {
        assert_eq!(fields(STAT).unwrap().nth(1), Some("3"));
        assert_eq!(cpu_ticks(STAT), Some(300.0));
        assert_eq!(cpu_ticks("7 (a) S 3"), None);
    }

    #[test]
    fn memory_is_what_is_no_file() {
        let text = "VmRSS:\t  9000 kB\nRssAnon:\t    1024 kB\nRssFile:\t    4096 kB\nRssShmem:\t    1024 kB\n";
        assert_eq!(memory_mib(text), Some(2.0));
        assert_eq!(memory_mib("RssAnon: 1 kB"), None);
    }
}
