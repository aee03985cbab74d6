//! Whether the app's content security policy lets its pages talk to it the fast way.

use std::collections::HashMap;

use tauri::{
    AppHandle, Runtime,
    utils::config::{Csp, CspDirectiveSources},
};

/// What `connect-src` has to name: the first on Linux, macOS and iOS, the second on Windows and Android, where a
/// window may also use `https`.
const SOURCES: [&str; 2] = ["ipc:", "http://ipc.localhost"];

/// Without these sources Tauri falls back to messages in which large values and bytes are slow, and says so only
/// in the console of the page.
pub(crate) fn warn_if_slow<R: Runtime>(app: &AppHandle<R>) {
    let security = &app.config().app.security;
    let development = security.dev_csp.as_ref().filter(|_| tauri::is_dev());
    if let Some(csp) = development.or(security.csp.as_ref())
        && !allows_ipc(csp)
    {
        tracing::warn!(
            "the content security policy of this app keeps its pages from Tauri's fast way of calling: add \"connect-src {}\" to \
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
    fn a_policy_must_name_the_sources_of_ipc_where_it_limits_connections() {
        assert!(allows("default-src 'self'; connect-src ipc: http://ipc.localhost"));
        assert!(allows("connect-src 'self' https://example.com http://ipc.localhost ipc:; default-src 'self'"));
        assert!(allows("default-src 'self' ipc: http://ipc.localhost"), "what connect-src falls back to");
        assert!(allows("img-src 'self'"), "connections are not limited");
        assert!(allows("connect-src ipc: https://ipc.localhost"), "with useHttpsScheme");
        assert!(!allows("default-src 'self'"));
        assert!(!allows("default-src 'self' ipc: http://ipc.localhost; connect-src 'self'"));
        assert!(!allows("connect-src ipc:"), "Windows needs the other one");
    }
}
