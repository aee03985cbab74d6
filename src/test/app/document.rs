//! The URLs of documents.

use tauri::Url;

/// Where the documents of the app come from.
const APP: &str =
    if cfg!(any(windows, target_os = "android")) { "http://tauri.localhost/" } else { "tauri://localhost/" };

/// Reads a URL, or the path of a document of the app, such as `/settings.html`. Panics if it is neither, or has no origin.
pub(super) fn document_url(url: &str) -> Url {
    let is_path = url.starts_with('/') && !url.starts_with("//");
    let read = if is_path { Url::parse(APP).and_then(|app| app.join(url)) } else { Url::parse(url) };
    read.ok()
        .filter(is_document)
        .unwrap_or_else(|| panic!("\"{url}\" is neither a URL with a scheme nor a path that begins with \"/\""))
}

/// Whether a document can be at this URL. That of `example.com:8080/` has the scheme `example.com`, and no host.
fn is_document(url: &Url) -> bool {
    url.host_str().is_some_and(|host| !host.is_empty())
}

/// Whether this is a document of the app, and not of a server.
pub(super) fn is_of_app(url: &Url) -> bool {
    url.as_str().starts_with(APP)
}

/// Returns the origin of a document as a webview writes it into headers: also with a scheme of the app's own, which `Url`
/// knows no origin for.
pub(super) fn origin(url: &Url) -> String {
    match url.host_str().filter(|_| !url.origin().is_tuple() && url.scheme() != "file") {
        Some(host) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{host}{port}", url.scheme())
        }
        None => url.origin().ascii_serialization(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_document_of_the_app() {
        for path in ["/", "/settings.html", "/settings.html?tab=1", "/a/b#c"] {
            let url = document_url(path);
            assert!(is_of_app(&url) && url.as_str().ends_with(path), "{url}");
        }
        for url in ["https://example.com", "https://example.com/", "http://example.com:8080/x", "tauri://other/"] {
            let url = document_url(url);
            assert!(!is_of_app(&url), "{url}");
        }
    }

    #[test]
    fn an_origin_is_that_of_the_header() {
        for (url, expected) in [
            ("tauri://localhost/a?b#c", "tauri://localhost"),
            ("app://localhost:80/", "app://localhost:80"),
            ("https://a.example:443/a", "https://a.example"),
            ("http://localhost:1420/", "http://localhost:1420"),
            ("blob:https://a.example/a", "https://a.example"),
            ("data:text/html,a", "null"),
            ("file://host/a", "null"),
        ] {
            assert_eq!(origin(&Url::parse(url).unwrap()), expected);
        }
    }

    #[test]
    fn what_is_neither_a_url_nor_a_path_is_refused() {
        for url in [
            "",
            "help.example/x",
            "help.example",
            "evil.example",
            "help.example:8080/x",
            "localhost:1420",
            "settings.html",
            "//example.com/",
            "\\\\example.com",
            "?tab=1",
            "#top",
            "./x",
            "about:blank",
            "data:text/html,x",
            "file:///x",
            "blob:https://example.com/1",
            "mailto:a@b.example",
            "https://",
            "tauri:/x",
        ] {
            let refusal = std::panic::catch_unwind(|| document_url(url)).unwrap_err();
            let message = refusal.downcast::<String>().unwrap();
            let expected = "is neither a URL with a scheme nor a path that begins with \"/\"";
            assert_eq!(*message, format!("\"{url}\" {expected}"));
        }
    }
}
