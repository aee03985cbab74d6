//! The URLs of documents.

use tauri::Url;

/// Where the documents of the app come from.
const APP: &str =
    if cfg!(any(windows, target_os = "android")) { "http://tauri.localhost/" } else { "tauri://localhost/" };

/// Reads a URL, or the path of a document of the app, such as `/settings.html`.
pub(super) fn document_url(url: &str) -> Url {
    let app = Url::parse(APP).and_then(|app| app.join(url));
    app.unwrap_or_else(|error| panic!("\"{url}\" is neither a URL nor a path: {error}"))
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
        for path in ["/", "/settings.html", "settings.html?tab=1"] {
            assert!(is_of_app(&document_url(path)), "{path}");
        }
        for url in ["https://example.com", "https://example.com/", "//example.com/", "tauri://other/"] {
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
}
