use tauri::{Config, Url, utils::config::FrontendDist};

use super::origin::Origin;

/// The schemes of documents that come from outside the app wherever they are loaded. Any other one needs a protocol that
/// the app has registered.
const FOREIGN: [&str; 10] = ["http", "https", "ws", "wss", "ftp", "file", "about", "data", "blob", "javascript"];

/// Whether the names under `.localhost` are those of the app's protocols.
const HAS_PROTOCOL_HOSTS: bool = cfg!(any(windows, target_os = "android"));

/// The document that a webview shows, as the webview has told of it. What the document itself says of its origin, or the
/// headers of its calls, only counts against it.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    side: Side,
    /// `None` if it shares its origin with no other document.
    origin: Option<Origin>,
    /// What is in the header `Origin` of its calls, if they have one. That of a blob is the one of its maker.
    sends: Option<Origin>,
}

/// On which side of the app's border a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Local,
    Remote,
    /// Only Tauri knows, which doesn't tell which protocols are registered.
    Unknown,
}

/// What is known of a call besides the webview that it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Whether Tauri has found it to come from outside the app.
    pub(crate) is_remote: bool,
    /// Its header `Origin`. The webview sets it for a call by HTTP; any other call has none, or what the page has put
    /// there.
    pub(crate) header: Option<&'a str>,
}

/// The owner among those of one webview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Party {
    /// The documents of the app.
    Local,
    /// The remote documents of this origin.
    Remote(Origin),
    /// A remote document that shares its origin with no other.
    Alone,
}

/// A call doesn't come from the document that its webview shows: it comes from a frame of another origin, or from a
/// document that has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elsewhere;

impl Document {
    /// Returns what is known of the document at `url` in an app with this `config`.
    pub(crate) fn at(url: &Url, config: &Config) -> Self {
        let maker = if url.scheme() == "blob" { Url::parse(url.path()).ok() } else { None };
        Self {
            side: match &maker {
                // Tauri judges its calls by its own address or by that of its maker, depending on how they come in.
                Some(maker) if side(maker, config) == Side::Local => Side::Unknown,
                Some(maker) => side(maker, config),
                None => side(url, config),
            },
            origin: Origin::of(url),
            sends: Origin::of(maker.as_ref().unwrap_or(url)),
        }
    }

    /// Returns whose a `call` is that comes in while the webview shows this document.
    pub(crate) fn party(&self, call: Call<'_>) -> Result<Party, Elsewhere> {
        match (call.is_remote, self.side) {
            (false, Side::Remote) | (true, Side::Local) => Err(Elsewhere),
            (false, _) => Ok(Party::Local),
            (true, _) if call.header.is_some_and(|header| !self.sends(header)) => Err(Elsewhere),
            (true, _) => Ok(self.origin.clone().map_or(Party::Alone, Party::Remote)),
        }
    }

    fn sends(&self, header: &str) -> bool {
        self.sends.is_some() && self.sends == Origin::in_header(header)
    }
}

/// Does what Tauri does to decide whether a document is local, as far as it is known here.
fn side(url: &Url, config: &Config) -> Side {
    let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
    let is_http = ["http", "https"].contains(&scheme);
    let is_tauri = if HAS_PROTOCOL_HOSTS {
        is_http && host == "tauri.localhost"
    } else {
        scheme == "tauri" && host.eq_ignore_ascii_case("localhost")
    };
    if is_tauri || app_url(config).is_some_and(|app| app.make_relative(url).is_some()) {
        Side::Local
    } else if HAS_PROTOCOL_HOSTS && is_http && host.ends_with(".localhost") {
        Side::Unknown
    } else if HAS_PROTOCOL_HOSTS || FOREIGN.contains(&scheme) {
        Side::Remote
    } else {
        Side::Unknown
    }
}

/// Returns where the app's own pages are, unless they are in its binary.
fn app_url(config: &Config) -> Option<&Url> {
    if tauri::is_dev() {
        return config.build.dev_url.as_ref();
    }
    match &config.build.frontend_dist {
        Some(FrontendDist::Url(url)) => Some(url),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tauri::test::{mock_context, noop_assets};

    use super::*;

    const APP: &str = if HAS_PROTOCOL_HOSTS { "http://tauri.localhost" } else { "tauri://localhost" };

    fn at(url: &str) -> Document {
        let context = mock_context::<tauri::test::MockRuntime, _>(noop_assets());
        Document::at(&Url::parse(url).unwrap(), context.config())
    }

    fn local(header: Option<&str>) -> Call<'_> {
        Call { is_remote: false, header }
    }

    fn remote(header: Option<&str>) -> Call<'_> {
        Call { is_remote: true, header }
    }

    fn party(url: &str, call: Call<'_>) -> Result<Party, Elsewhere> {
        at(url).party(call)
    }

    #[test]
    fn a_document_of_the_app_is_local_and_no_remote_call_comes_from_it() {
        for url in [APP.to_owned(), format!("{APP}/index.html"), format!("{APP}/a?b#c")] {
            assert_eq!(party(&url, local(None)), Ok(Party::Local));
            assert_eq!(party(&url, local(Some(APP))), Ok(Party::Local));
            for header in [None, Some("https://example.com"), Some(APP), Some("null")] {
                assert_eq!(party(&url, remote(header)), Err(Elsewhere), "{url} with {header:?}");
            }
        }
    }

    #[test]
    fn the_server_of_the_app_is_local_and_any_other_port_or_host_is_not() {
        let mut context = mock_context::<tauri::test::MockRuntime, _>(noop_assets());
        let server = Url::parse("http://localhost:1420").unwrap();
        let build = &mut context.config_mut().build;
        build.dev_url = Some(server.clone());
        build.frontend_dist = Some(FrontendDist::Url(server));
        let party = |url: &str, call| Document::at(&Url::parse(url).unwrap(), context.config()).party(call);
        assert_eq!(party("http://localhost:1420/a/b", local(None)), Ok(Party::Local));
        assert_eq!(party("http://localhost:1420/a/b", remote(None)), Err(Elsewhere));
        for url in ["http://localhost:1421", "http://127.0.0.1:1420", "https://localhost:1420", "http://localhost"] {
            assert_eq!(party(url, local(None)), Err(Elsewhere), "{url}");
            assert!(matches!(party(url, remote(None)), Ok(Party::Remote(_))), "{url}");
        }
    }

    #[test]
    fn the_owner_of_a_remote_document_is_its_origin() {
        let of = |url: &str| party(url, remote(None)).unwrap();
        assert_eq!(of("https://example.com/a"), of("https://EXAMPLE.com:443/b"));
        assert_ne!(of("https://example.com/a"), of("https://example.org/a"));
        assert_ne!(of("http://localhost:1"), of("http://localhost:2"));
        assert_eq!(party("https://example.com/a", local(None)), Err(Elsewhere), "the app's own document has left");
    }

    #[test]
    fn a_header_can_only_tell_that_a_call_comes_from_elsewhere() {
        let page = "https://example.com/page";
        for header in [None, Some("https://example.com"), Some("https://example.com:443")] {
            assert_eq!(party(page, remote(header)), party(page, remote(None)), "{header:?}");
        }
        for header in ["https://frame.example", "http://example.com", "null", "", "not an origin", APP] {
            assert_eq!(party(page, remote(Some(header))), Err(Elsewhere), "{header}");
        }
    }

    #[test]
    fn a_document_without_an_origin_is_an_owner_of_its_own_and_never_the_app() {
        for url in
            ["about:blank", "data:text/html,hi", "file:///home/a.html", "blob:null/1", "blob:https://a.example/1"]
        {
            assert_eq!(party(url, remote(None)), Ok(Party::Alone), "{url}");
            assert_eq!(party(url, local(None)), Err(Elsewhere), "{url}");
            assert_eq!(party(url, remote(Some("https://frame.example"))), Err(Elsewhere), "{url}");
        }
        assert_eq!(party("blob:https://a.example/1", remote(Some("https://a.example"))), Ok(Party::Alone));
    }

    #[test]
    fn tauri_decides_where_only_it_knows_which_protocols_are_registered() {
        let custom = if HAS_PROTOCOL_HOSTS { "http://app.localhost/a" } else { "app://localhost/a" };
        let blob = format!("blob:{APP}/1");
        for url in [custom, &blob] {
            assert_eq!(party(url, local(None)), Ok(Party::Local), "{url}");
            assert!(party(url, remote(None)).is_ok_and(|party| party != Party::Local), "{url}");
        }
    }
}
