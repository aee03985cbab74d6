//! Installs what the other commands need and the machine lacks.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{Output, command, root, stdout, succeeds, target};

const TO_BUILD: &[&str] = &["build-essential", "libssl-dev", "librsvg2-dev", "libwebkit2gtk-4.1-dev", "pkg-config"];
const TO_DRIVE: &[&str] = &["webkit2gtk-driver", "xvfb"];
const TO_BOOTSTRAP: &[&str] = &["debian-archive-keyring", "debootstrap"];

const OLDEST_NODE: (u32, u32) = (20, 19);

/// Installs what is missing to build and open the apps. Fails if Node is missing or too old.
pub fn to_build(output: &Output) -> Result<()> {
    node()?;
    debian_packages(TO_BUILD, output)
}

/// Installs what is missing to drive the apps under Xvfb; building them needs [`to_build`] as well.
pub fn to_drive(output: &Output) -> Result<()> {
    debian_packages(TO_DRIVE, output)
}

/// Installs what is missing to build a Debian in a folder.
pub fn to_bootstrap(output: &Output) -> Result<()> {
    debian_packages(TO_BOOTSTRAP, output)
}

/// Whether this program runs as root.
pub fn is_root() -> bool {
    stdout(&mut command("id -u")).is_some_and(|id| id.trim() == "0")
}

fn debian_packages(names: &[&str], output: &Output) -> Result<()> {
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    if !succeeds(&mut command("dpkg-query --version")) {
        return output.note(&format!(
            "This is not a Debian system: if the build fails, install what these Debian packages provide: {}",
            names.join(" ")
        ));
    }
    let missing: Vec<_> = names.iter().copied().filter(|name| !installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(" ");
    let sudo = if is_root() {
        ""
    } else if succeeds(&mut command("sudo -n true")) {
        "sudo "
    } else {
        bail!(
            "Debian packages are missing, and installing them needs root. Run this, then try again:\n  \
             sudo apt-get update && sudo apt-get install --yes {missing}"
        );
    };
    output.announce(&format!("installing Debian packages: {missing}"))?;
    output.run(&mut command(&format!("{sudo}apt-get update")))?;
    output.run(&mut command(&format!(
        "{sudo}env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends {missing}"
    )))
}

fn installed(package: &str) -> bool {
    let query = format!("dpkg-query --show --showformat=${{db:Status-Status}} {package}");
    stdout(&mut command(&query)).is_some_and(|status| status == "installed")
}

fn node() -> Result<()> {
    let (major, minor) = OLDEST_NODE;
    let advice = format!("install Node {major}.{minor} or newer (https://nodejs.org)");
    let version =
        stdout(&mut command("node --version")).with_context(|| format!("`node` could not be run: {advice}"))?;
    let version = version.trim();
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(has_major)), Some(Ok(has_minor))) = (numbers.next(), numbers.next()) else {
        bail!("`node --version` printed {version:?}, which is not a version: {advice}");
    };
    ensure!((has_major, has_minor) >= OLDEST_NODE, "Node {version} is too old: {advice}");
    Ok(())
}

/// Runs `npm ci`, unless `node_modules` is at least as new as the lock file.
pub fn npm_packages(output: &Output) -> Result<()> {
    let modified = |path: &str| root().join(path).metadata().and_then(|file| file.modified());
    let lock = modified("package-lock.json").context("package-lock.json is missing: run `npm install` once")?;
    // npm writes this file last, so an interrupted installation does not leave it.
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= lock) {
        return Ok(());
    }
    output.announce("installing npm packages")?;
    output.run(&mut command("npm ci --no-audit --no-fund"))
}

/// Adds a component, rustfmt or clippy, to the toolchain if it is missing.
pub fn rust_component(name: &str, output: &Output) -> Result<()> {
    if succeeds(&mut command(&format!("cargo {name} --version"))) {
        return Ok(());
    }
    ensure!(
        succeeds(&mut command("rustup --version")),
        "`cargo {name}` is missing: install it with your Rust toolchain's package manager"
    );
    let component = if name == "fmt" { "rustfmt" } else { name };
    output.run(&mut command(&format!("rustup component add {component}")))
}

/// Returns the command `cargo nextest run`. Installs cargo-nextest into `target/tools` if the machine doesn't have it.
pub fn nextest(output: &Output) -> Result<Command> {
    if succeeds(&mut command("cargo nextest --version")) {
        return Ok(command("cargo nextest run"));
    }
    let tools = target().join("tools");
    let program = tools.join("bin/cargo-nextest");
    if !program.exists() {
        output.announce("installing cargo-nextest into target/tools")?;
        // A debug build compiles much sooner, and is fast enough for a program that only waits for tests.
        output.run(command("cargo install --debug --locked cargo-nextest --root").arg(&tools))?;
    }
    let mut nextest = Command::new(program);
    nextest.args(["nextest", "run"]).current_dir(root());
    Ok(nextest)
}
