//! One `WebKitWebDriver` for each test, which ends together with the app that it has started.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use display::Display;
use rustix::process::{Pid, Signal, kill_process};

use crate::{address, environment, eventually};

pub struct Driver {
    process: Child,
    address: SocketAddr,
    app: Option<Pid>,
}

impl Driver {
    /// Starts the driver. Its output and the app's go to `log`.
    pub async fn start(display: &Display, app_folder: &Path, data_folder: &Path, log: &File) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new("WebKitWebDriver");
        environment::set(display.show(&mut command))
            .args([format!("--host={}", address.ip()), format!("--port={}", address.port())])
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("WORKBENCH_DIR", app_folder)
            .env("WORKBENCH_DATA_DIR", data_folder)
            .env("WORKBENCH_REMOTE_PAGES", format!("http://{}:*", address.ip()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?);
        let process =
            command.spawn().context("`WebKitWebDriver` could not be started: install the package webkit2gtk-driver")?;
        let mut driver = Self { process, address, app: None };
        eventually("WebKitWebDriver to answer", async || {
            let ended = driver.process.try_wait()?;
            ensure!(ended.is_none(), "WebKitWebDriver has ended unexpectedly ({ended:?})");
            Ok(TcpStream::connect(address).ok())
        })
        .await?;
        Ok(driver)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Remembers the app's process, so that the app is ended even if the driver crashes. Call this once the driver has started
    /// the app.
    pub fn remember_app(&mut self) -> Result<()> {
        let children = children(self.process.id())?;
        self.app = children.first().copied().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        ensure!(self.app.is_some(), "WebKitWebDriver runs no app");
        Ok(())
    }

    /// Returns whether the app's process still runs.
    pub fn app_runs(&self) -> bool {
        self.app.is_some_and(|app| {
            let status = fs::read_to_string(format!("/proc/{}/stat", app.as_raw_nonzero()));
            // A zombie has ended: only its exit status is left for its parent to read.
            status.is_ok_and(|status| !status.contains(") Z "))
        })
    }
}

impl Driver {
    /// Returns the id of the app's process.
    pub fn app(&self) -> Result<u32> {
        Ok(self.app.context("the driver has started no app")?.as_raw_nonzero().get().cast_unsigned())
    }

    /// Returns the resident memory of the app's process in bytes, without that of WebKit's processes.
    pub fn app_memory(&self) -> Result<u64> {
        let app = self.app.context("the driver has started no app")?;
        let path = format!("/proc/{}/status", app.as_raw_nonzero());
        let status = fs::read_to_string(&path).with_context(|| format!("can't read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok());
        Ok(kib.with_context(|| format!("{path} has no VmRSS"))? * 1024)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(app) = self.app
            && self.app_runs()
        {
            let _ = kill_process(app, Signal::KILL);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((address::of_this_process(), 0))?;
    Ok(listener.local_addr()?)
}

fn children(parent: u32) -> Result<Vec<u32>> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let list = fs::read_to_string(&path).with_context(|| format!("can't read {path}"))?;
    Ok(list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}
