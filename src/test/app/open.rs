use std::sync::Arc;

use serde_json::{Value, json};
use tauri::{Url, WebviewUrl, WebviewWindowBuilder};

use super::{
    acl,
    document::{document_url, is_of_app},
    page::TestPage,
    running::Running,
};
use crate::app::hooks;

/// Opens a page: see [`TestApp::page`](super::TestApp::page).
#[must_use = "call `open`"]
pub struct TestPageBuilder<'a> {
    app: &'a Running,
    label: String,
    url: Url,
    /// The permissions by name, with the entries of their scopes.
    permissions: Vec<(String, Scope)>,
}

#[derive(Default)]
struct Scope {
    allow: Vec<Value>,
    deny: Vec<Value>,
}

impl<'a> TestPageBuilder<'a> {
    pub(super) fn new(app: &'a Running, label: &str) -> Self {
        Self { app, label: label.to_owned(), url: document_url("/"), permissions: Vec::new() }
    }

    /// Gives the window these permissions, such as `tasks:default` or `tasks:deny-read`. Panics if the plugin has none of
    /// such a name.
    pub fn allow<P: AsRef<str>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        for permission in permissions {
            self.scope_of(permission.as_ref());
        }
        self
    }

    /// Gives the window this permission with an entry under `allow`, such as `{ "task": "download" }`. Entries of several
    /// calls with the same permission add up.
    pub fn scope(mut self, permission: &str, entry: Value) -> Self {
        self.scope_of(permission).allow.push(entry);
        self
    }

    /// Gives the window this permission with an entry under `deny`. Entries of several calls with the same permission add
    /// up.
    pub fn deny(mut self, permission: &str, entry: Value) -> Self {
        self.scope_of(permission).deny.push(entry);
        self
    }

    /// Sets the URL of the document, such as `https://help.example/x`, or the path of one of the app, such as `/settings.html`.
    /// The default is `/`. With another origin, the permissions that are given here are those of a `remote` capability for that
    /// origin. Panics if it is neither a URL with a host nor a path that begins with `/`.
    pub fn url(mut self, url: &str) -> Self {
        self.url = document_url(url);
        self
    }

    /// Opens the window, in which the document loads. Without any permission given here, it has those of the
    /// [capabilities](super::TestApp::capability) of the app that name its label. Panics if there is a window with this label, or
    /// was one: Tauri's mock runtime doesn't give a label back.
    pub fn open(self) -> TestPage {
        let Self { app, label, url, permissions } = self;
        let is_remote = !is_of_app(&url);
        if !permissions.is_empty() {
            app.add_capability(&capability(&label, is_remote.then_some(&url), permissions).to_string());
        }
        // That of a document of the app is local by its origin, and keeps its path here.
        let webview_url = WebviewUrl::External(url.clone());
        let window = WebviewWindowBuilder::new(app.handle(), &label, webview_url).build().unwrap_or_else(|error| {
            panic!("page \"{label}\" can't be opened: {error}. Each page of a test needs a label of its own, even after another has closed")
        });
        let webview = window.as_ref().clone();
        hooks::page_load_started(&webview, &url);
        TestPage::new(webview, url, Arc::clone(&app.pushed))
    }

    fn scope_of(&mut self, permission: &str) -> &mut Scope {
        acl::check(acl::base(permission));
        let known = self.permissions.iter().position(|(name, _)| name == permission);
        let place = known.unwrap_or_else(|| {
            self.permissions.push((permission.to_owned(), Scope::default()));
            self.permissions.len() - 1
        });
        &mut self.permissions[place].1
    }
}

/// Returns the capability of one window, for a document of the app or of the origin of `remote`.
fn capability(label: &str, remote: Option<&Url>, permissions: Vec<(String, Scope)>) -> Value {
    let permissions: Vec<_> = permissions
        .into_iter()
        .map(|(identifier, Scope { allow, deny })| match (allow.is_empty(), deny.is_empty()) {
            (true, true) => json!(identifier),
            _ => json!({ "identifier": identifier, "allow": allow, "deny": deny }),
        })
        .collect();
    let mut capability =
        json!({ "identifier": format!("page-{label}"), "windows": [label], "permissions": permissions });
    if let Some(url) = remote {
        capability["local"] = false.into();
        capability["remote"] = json!({ "urls": [format!("{}/*", origin(url))] });
    }
    capability
}

/// Returns the origin of a URL with a host, of whatever scheme.
fn origin(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}
