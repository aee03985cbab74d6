//! The Debian mirror that the machine itself uses.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the first mirror of Debian in the machine's apt sources.
pub fn mirror() -> Option<String> {
    files(Path::new("/etc/apt")).iter().find_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        if file.extension()? == "list" { of_lines(&text) } else { of_stanzas(&text) }
    })
}

/// Returns the files that apt reads.
fn files(apt: &Path) -> Vec<PathBuf> {
    let mut parts: Vec<_> = fs::read_dir(apt.join("sources.list.d")).into_iter().flatten().flatten().collect();
    parts.sort_by_key(fs::DirEntry::file_name);
    let all = std::iter::once(apt.join("sources.list")).chain(parts.iter().map(fs::DirEntry::path));
    all.filter(|file| file.extension().is_some_and(|kind| kind == "list" || kind == "sources")).collect()
}

/// Reads the format with one source on each line: `deb [options] address suite components`.
fn of_lines(text: &str) -> Option<String> {
    let sources = text.lines().filter(|line| line.split_whitespace().next() == Some("deb"));
    sources.flat_map(str::split_whitespace).find(|word| is_debian(word)).map(str::to_owned)
}

/// Reads the format with one source in each stanza: `Types: deb`, `URIs: address…`.
fn of_stanzas(text: &str) -> Option<String> {
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let stanzas = lines.split(|line| line.trim().is_empty());
    stanzas
        .filter(|stanza| field(stanza, "enabled").is_none_or(|word| word.trim() != "no"))
        .find_map(|stanza| field(stanza, "uris")?.split_whitespace().find(|word| is_debian(word)).map(str::to_owned))
}

fn field<'a>(stanza: &[&'a str], wanted: &str) -> Option<&'a str> {
    let fields = stanza.iter().filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

/// Whether a word is the address of a mirror of Debian itself, not of its security updates or of other packages.
fn is_debian(word: &str) -> bool {
    let is_address = word.starts_with("http://") || word.starts_with("https://");
    is_address && word.trim_end_matches('/').ends_with("/debian")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str, folder: &str) -> String {
        format!("http://{host}/{folder}")
    }

    #[test]
    fn a_mirror_is_read_from_lines() {
        let [old, source, mirror] = ["old", "source", "mirror"].map(|host| address(host, "debian"));
        let (other, security) = (address("packages", "other"), address("mirror", "debian-security"));
        let text = format!(
            "# deb {old} sid main\n\
             deb {other} stable main\n\
             deb-src {source} sid main\n\
             deb [signed-by=/a arch=amd64] {mirror} bookworm main\n"
        );
        assert_eq!(of_lines(&text), Some(mirror));
        assert_eq!(of_lines(&format!("deb {security} bookworm-security main")), None);
        assert_eq!(of_lines(""), None);
    }

    #[test]
    fn a_mirror_is_read_from_stanzas() {
        let [old, note] = ["old", "note"].map(|host| address(host, "debian"));
        let (security, mirror) = (address("mirror", "debian-security"), address("mirror", "debian/"));
        let text = format!(
            "Types: deb\nURIs: {security}\nSuites: bookworm-security\n\n\
             Types: deb\nEnabled: no\nURIs: {old}\n\n\
             Types: deb\n# URIs: {note}\nuris: cdrom:/debian {mirror}\nSuites: sid\n"
        );
        assert_eq!(of_stanzas(&text), Some(mirror));
        assert_eq!(of_stanzas("Types: deb\nSuites: sid\n"), None);
    }

    #[test]
    fn files_that_apt_ignores_are_not_read() {
        let apt = tempfile::tempdir().unwrap();
        let parts = apt.path().join("sources.list.d");
        fs::create_dir(&parts).unwrap();
        for name in ["b.sources", "a.list", "c.sources.disabled", "d.list.save"] {
            fs::write(parts.join(name), "").unwrap();
        }
        let found = files(apt.path());
        assert_eq!(found, [apt.path().join("sources.list"), parts.join("a.list"), parts.join("b.sources")]);
    }
}
