//! A Debian unstable in a folder, in which the compilers, Cargo and Wine run.
//!
//! Whatever runs there has its own namespaces of mounts and processes. The kernel ends all of it together with this program, even if
//! this program is killed, and nothing that was mounted is left.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::stamp::Stamp;
use super::{apt, ending, mounts};
use crate::command::{Output, command, root};
use crate::{setup, work_tree};

const RELEASE: &str = "sid";
/// `rust-src` is what the standard library is built from. `script`, which makes a terminal, is in every Debian.
const PACKAGES: &[&str] =
    &["rustc", "cargo", "rust-src", "gcc", "libc6-dev", "gcc-mingw-w64-x86-64", "wine64", "wine", "ca-certificates"];
/// Installs the packages that are its arguments. What is installed stays as it is, also if there is a newer one. A mirror that lags
/// behind will do, as it does for debootstrap.
const INSTALL: &str = "\
dpkg --configure -a && apt-get -o Acquire::Check-Valid-Until=false update && \
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends --no-upgrade \"$@\"";
/// How long that may take.
const INSTALL_LIMIT: Duration = Duration::from_secs(30 * 60);
/// Starts a program that the kernel kills when this program ends, and with it all that it has started.
const CONFINED: &str = "setpriv --pdeathsig KILL unshare --mount --propagation private --pid --kill-child";
/// Mounts what a program in the folder needs, and runs it there. Arguments: the system's folder, the machine's `CARGO_HOME`, how that is
/// mounted, and the program with its arguments.
const ENTER: &str = r#"
set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --bind "$2" "$1/cargo"
mount -o "remount,bind,$3" "$1/cargo"
system=$1
shift 3
# Not with exec: `timeout` can't be the first process of a namespace.
chroot "$system" "$@" || exit $?
"#;
/// Settings of Cargo that hold in the folder as well: how the registry is reached.
const KEPT: &[&str] = &["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_SOURCE_"];
const PROXIES: &[&str] = &["http_proxy", "https_proxy", "no_proxy", "all_proxy"];
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Paths in the system.
pub const PROJECT: &str = "/project";
pub const WINE: &str = "/wine";
const TARGET: &str = "/target";

/// What a program may do with the machine's `CARGO_HOME`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CargoHome {
    /// Nothing but read it, and without the network.
    Read,
    /// Download crates.
    Fill,
}

/// A program to run in the system.
pub struct Job<'a> {
    pub program: &'a [&'a str],
    /// The working folder, a path in the system.
    pub folder: &'a str,
    pub cargo_home: CargoHome,
    /// When the program is ended if it still runs.
    pub limit: Duration,
}

/// The system. While this exists, no other process uses it.
pub struct Debian {
    root: PathBuf,
    cargo_home: PathBuf,
    _lock: File,
}

impl Debian {
    /// Returns the system in `folder`, with a copy of the work tree. Builds the system if it is not there.
    pub fn prepare(folder: &Path, mirror: Option<&str>, output: &Output) -> Result<Self> {
        ensure!(setup::is_root(), "`cargo xtask platforms` mounts and calls chroot, which needs root: run it as root");
        ensure!(
            !std::path::absolute(folder)?.starts_with(root()),
            "{} is in the work tree: choose a folder outside with --folder",
            folder.display()
        );
        fs::create_dir_all(folder).with_context(|| format!("can't create {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let lock = File::create(folder.join("lock"))?;
        ensure!(
            lock.try_lock().is_ok(),
            "another `cargo xtask platforms` uses {}: wait for its end, or choose another folder with --folder",
            folder.display()
        );
        let root = folder.join("debian");
        if !root.exists() {
            bootstrap(&root, mirror, output)?;
        }
        let debian = Self { root, cargo_home: cargo_home()?, _lock: lock };
        debian.connect()?;
        debian.complete(output)?;
        work_tree::write(&debian.path(PROJECT), &work_tree::files()?)?;
        Ok(debian)
    }

    /// Returns the path on the machine of a path in the system.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }

    /// Gives the system the machine's way to the network.
    fn connect(&self) -> Result<()> {
        fs::create_dir_all(self.path("/cargo"))?;
        fs::copy("/etc/resolv.conf", self.path("/etc/resolv.conf")).context("can't copy /etc/resolv.conf")?;
        let certificates = std::env::var_os("SSL_CERT_FILE").map_or_else(|| CERTIFICATES.into(), PathBuf::from);
        // Without them, those of Debian's package hold.
        if certificates.exists() {
            fs::copy(certificates, self.path(CERTIFICATES)).context("can't copy the certificates")?;
        }
        Ok(())
    }

    /// Installs what a system from before lacks.
    fn complete(&self, output: &Output) -> Result<()> {
        let mut stamp = Stamp::read(&self.root, RELEASE)?;
        let wanted = Stamp::new(RELEASE, PACKAGES);
        let lacking = stamp.lacks(&wanted, &self.root)?;
        if lacking.is_empty() {
            return Ok(());
        }
        output.announce(&format!("installing in {}: {}", self.root.display(), lacking.join(" ")))?;
        let program: Vec<_> = ["sh", "-c", INSTALL, "sh"].iter().chain(&lacking).copied().collect();
        let job = Job { program: &program, folder: "/", cargo_home: CargoHome::Read, limit: INSTALL_LIMIT };
        self.run(&job, output).with_context(|| {
            format!(
                "can't install {} in {}: try again, or delete it, and the next run builds it anew",
                lacking.join(" "),
                self.root.display()
            )
        })?;
        stamp.add(&lacking);
        stamp.write(&self.root)
    }

    /// Runs a program in the system and returns its standard output; all output goes to `output`. Fails if the program fails or does
    /// not end in time.
    pub fn run(&self, job: &Job<'_>, output: &Output) -> Result<String> {
        output.note(&format!("$ {}", job.program.join(" ")))?;
        let began = Instant::now();
        let (status, text) = output.read(&mut self.command(job))?;
        ending::check(status, began.elapsed(), job.limit)?;
        Ok(text)
    }

    fn command(&self, job: &Job<'_>) -> Command {
        let mut outer = command(CONFINED);
        outer.args(["--", "sh", "-c", ENTER, "sh"]).arg(&self.root).arg(&self.cargo_home);
        outer.arg(if job.cargo_home == CargoHome::Read { "ro" } else { "rw" });
        outer.args(["/usr/bin/env", "--chdir", job.folder]);
        outer.args(["timeout", "--kill-after", "10", &job.limit.as_secs().to_string()]);
        outer.args(job.program);
        outer.env_clear().envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_kept)));
        outer.envs([
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            ("HOME", "/root"),
            ("CARGO_HOME", "/cargo"),
            ("CARGO_TARGET_DIR", TARGET),
            ("CARGO_INCREMENTAL", "0"),
            ("CARGO_PROFILE_DEV_DEBUG", "false"),
            ("SSL_CERT_FILE", CERTIFICATES),
            // Lets a stable Cargo have -Zbuild-std.
            ("RUSTC_BOOTSTRAP", "1"),
            ("WINEPREFIX", WINE),
            ("WINEDEBUG", "-all"),
        ]);
        if job.cargo_home == CargoHome::Read {
            outer.env("CARGO_NET_OFFLINE", "true");
        }
        outer
    }
}

fn is_kept(name: &str) -> bool {
    KEPT.iter().any(|kept| name.starts_with(kept)) || PROXIES.contains(&name.to_lowercase().as_str())
}

fn cargo_home() -> Result<PathBuf> {
    let given = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = given.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let home = home.context("there is neither CARGO_HOME nor a home folder: set CARGO_HOME")?;
    fs::create_dir_all(&home)?;
    Ok(home.canonicalize()?)
}

/// Builds the system. What an interrupted attempt has left is deleted first.
fn bootstrap(debian: &Path, mirror: Option<&str>, output: &Output) -> Result<()> {
    setup::to_bootstrap(output)?;
    let Some(mirror) = mirror.map(str::to_owned).or_else(apt::mirror) else {
        bail!("the machine's apt sources name no mirror of Debian: name one with --mirror");
    };
    let part = debian.with_extension("part");
    mounts::delete(&part)?;
    output.announce(&format!("building a Debian in {}", debian.display()))?;
    let mut debootstrap = command(CONFINED);
    debootstrap.args(["--mount-proc", "--", "debootstrap", "--variant=minbase"]);
    debootstrap.arg(format!("--include={}", PACKAGES.join(","))).arg(RELEASE).arg(&part).arg(mirror);
    output.run(&mut debootstrap)?;
    Stamp::new(RELEASE, PACKAGES).write(&part)?;
    fs::rename(part, debian).context("can't rename the new system")
}
