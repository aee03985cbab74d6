use std::sync::Arc;

use tauri::Url;

/// The longest origin that is told apart from others, in bytes. No web browser loads a page of a longer one.
const LIMIT: usize = 1024;

/// The origin of a document as web browsers compare them: the scheme, the host and the port. A default port is no
/// difference, nor are case, the notation of an international name, or a user in the address. A host that ends in a dot
/// is another host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin(Arc<str>);

impl Origin {
    /// Returns the origin of the document at `url`, or `None` for one that shares its origin with no other: a file, a
    /// document without a host (`about:`, `data:` and so on), or a blob.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        // A user agent need not consider two files to be of one origin.
        let host = url.host_str().filter(|host| !host.is_empty() && url.scheme() != "file")?;
        // `Url` keeps the case of a host if it doesn't know the scheme.
        let host = host.to_ascii_lowercase();
        let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
        let origin = format!("{}://{host}{port}", url.scheme());
        (origin.len() <= LIMIT).then(|| Self(origin.into()))
    }

    /// Returns the origin in a header `Origin`, or `None` if it names none.
    pub(super) fn in_header(header: &str) -> Option<Self> {
        Self::of(&Url::parse(header).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Option<Origin> {
        Origin::of(&Url::parse(url).unwrap())
    }

    #[test]
    fn addresses_that_differ_in_nothing_that_counts_have_the_same_origin() {
        for (one, other) in [
            ("https://example.com/a?b#c", "https://example.com/d"),
            ("https://example.com", "https://example.com:443/"),
            ("http://example.com:80", "http://example.com"),
            ("HTTPS://EXAMPLE.com", "https://example.COM"),
            ("https://user:secret@example.com", "https://example.com"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://BÜCHER.example", "https://bücher.example"),
            ("https://ex%61mple.com", "https://example.com"),
            ("http://127.1", "http://127.0.0.1"),
            ("http://[::0:1]", "http://[::1]"),
            ("custom://Host/a", "custom://host/b"),
        ] {
            assert!(of(one).is_some());
            assert_eq!(of(one), of(other), "{one} and {other}");
        }
    }

    #[test]
    fn addresses_that_differ_in_scheme_host_or_port_have_other_origins() {
        let all = [
            "https://example.com",
            "http://example.com",
            "https://example.com:8443",
            "https://example.com.",
            "https://www.example.com",
            "https://example.org",
            "https://example.com.evil.org",
            "https://xn--bcher-kva.example",
            "http://localhost",
            "http://localhost:8080",
            "http://127.0.0.1",
            "http://[::1]",
            "tauri://localhost",
            "custom://example.com",
            "custom://example.com:443",
        ]
        .map(|url| of(url).unwrap());
        for (place, origin) in all.iter().enumerate() {
            assert!(!all[..place].contains(origin), "{origin:?}");
        }
    }

    #[test]
    fn a_document_without_a_host_shares_its_origin_with_no_other() {
        let long = format!("custom://{}", "x".repeat(LIMIT));
        for url in [
            "about:blank",
            "about:srcdoc",
            "data:text/html,hi",
            "blob:https://example.com/7d2f",
            "blob:null/7d2f",
            "file:///home/a.html",
            "file://host/a.html",
            "javascript:1",
            "custom:///a",
            "custom:a",
            &long,
        ] {
            assert_eq!(of(url), None, "{url}");
        }
    }

    #[test]
    fn a_header_names_an_origin_or_none() {
        assert_eq!(Origin::in_header("https://example.com"), of("https://example.com/page"));
        for header in ["null", "", "example.com", "https://a.example https://b.example"] {
            assert_eq!(Origin::in_header(header), None, "{header}");
        }
    }
}
