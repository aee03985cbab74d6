//! Checks that the app's content security policy lets its pages use Tauri's fast IPC.

use std::collections::HashMap;

use tauri::{
    AppHandle, Runtime,
    utils::config::{Csp, CspDirectiveSources},
};

/// The sources that `connect-src` must name: the first for Linux, macOS and iOS, the second for Windows and Android.
/// With `useHttpsScheme`, the second starts with `https`.
const SOURCES: [&str; 2] = ["ipc:", "http://ipc.localhost"];

/// Warns if the app's policy does not allow [`SOURCES`]. Tauri then falls back to a transport that is slow for large
/// values and bytes, and says so only in the console of the page.
pub(crate) fn warn_if_slow<R: Runtime>(app: &AppHandle<R>) {
    let security = &app.config().app.security;
    let development = security.dev_csp.as_ref().filter(|_| tauri::is_dev());
    if let Some(csp) = development.or(security.csp.as_ref())
        && !allows_ipc(csp)
    {
        tracing::warn!(
            "the content security policy of this app keeps its pages from using Tauri's fast IPC: add \"connect-src {}\" to \
             app.security.csp in tauri.conf.json",
            SOURCES.join(" ")
        );
    }
}

fn allows_ipc(csp: &Csp) -> bool {
    let directives = HashMap::<String, CspDirectiveSources>::from(csp.clone());
    let sources = directives.get("connect-src").or_else(|| directives.get("default-src"));
    sources.is_none_or(|sources| {
        let names = |source: &str| sources.contains(source);
        names(SOURCES[0]) && (names(SOURCES[1]) || names(&SOURCES[1].replace("http:", "https:")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policy: &str) -> bool {
        allows_ipc(&Csp::Policy(policy.into()))
    }

    #[test]
    fn a_policy_that_limits_connections_must_name_the_ipc_sources() {
        assert!(allows("default-src 'self'; connect-src ipc: http://ipc.localhost"));
        assert!(allows("connect-src 'self' https://example.com http://ipc.localhost ipc:; default-src 'self'"));
        assert!(allows("default-src 'self' ipc: http://ipc.localhost"), "connect-src falls back to it");
        assert!(allows("img-src 'self'"), "connections are not limited");
        assert!(allows("connect-src ipc: https://ipc.localhost"), "with useHttpsScheme");
        assert!(!allows("default-src 'self'"));
        assert!(!allows("default-src 'self' ipc: http://ipc.localhost; connect-src 'self'"));
        assert!(!allows("connect-src ipc:"), "Windows needs the other one");
    }
}
