//! Whether the machine's time zone can be read. Where it can't, chrono uses UTC and says nothing.

use chrono::{Datelike, Local, TimeZone, Utc};

/// Returns why the time zone of this machine can't be read; `None` if it can.
pub(super) fn problem() -> Option<String> {
    // Elsewhere the system itself computes the local time.
    if !cfg!(unix) || !is_like_utc(&Local) {
        return None;
    }
    let of_the_process = std::env::var("TZ").ok().filter(|zone| !is_of_the_system(zone));
    unreadable(of_the_process.as_deref(), name_of_the_system, system_has_a_file)
}

/// Returns whether local times are always the same as UTC's. Every other zone differs in some year: before clocks were
/// set by zones, each place had a time of its own.
fn is_like_utc(zone: &impl TimeZone) -> bool {
    let this_year = Utc::now().year();
    let times = [(1850, 1), (this_year, 1), (this_year, 7)];
    times.iter().all(|(year, month)| {
        let utc = Utc.with_ymd_and_hms(*year, *month, 1, 0, 0, 0).single();
        utc.is_some_and(|utc| utc.with_timezone(zone).naive_local() == utc.naive_utc())
    })
}

/// Returns why the zone can't be read whose local times are like UTC's. `of_the_process` is what TZ says, if it says
/// something.
fn unreadable(
    of_the_process: Option<&str>,
    of_the_system: impl FnOnce() -> Option<String>,
    has_a_file: impl FnOnce() -> bool,
) -> Option<String> {
    if let Some(zone) = of_the_process {
        return (!is_utc(zone))
            .then(|| format!("the environment variable TZ is \"{zone}\", and no such zone is found"));
    }
    match of_the_system() {
        Some(zone) if is_utc(&zone) => None,
        Some(zone) => Some(format!("the machine's time zone is \"{zone}\", and its data can't be read")),
        None if has_a_file() => None,
        None => Some("the machine's time zone can't be read".to_owned()),
    }
}

/// Returns whether this value of TZ stands for the time zone of the system.
fn is_of_the_system(zone: &str) -> bool {
    matches!(zone.trim_start_matches(':'), "localtime" | "/etc/localtime")
}

/// Returns whether a zone of this name is UTC: a name of the database, its path, or a rule such as `UTC0`.
fn is_utc(zone: &str) -> bool {
    let path = zone.trim_start_matches(':');
    let folders = ["zoneinfo/", "zoneinfo-posix/", "zoneinfo-leaps/"];
    let name = folders.iter().find_map(|folder| Some(path.rsplit_once(folder)?.1)).unwrap_or(path);
    // The copies of the database without leap seconds and with them.
    let name = ["posix/", "right/"].iter().find_map(|copy| name.strip_prefix(copy)).unwrap_or(name);
    let name = name.strip_prefix("Etc/").unwrap_or(name);
    let names = ["", "UTC", "UCT", "Universal", "Zulu", "GMT", "GMT0", "GMT+0", "GMT-0", "Greenwich"];
    names.iter().any(|utc| utc.eq_ignore_ascii_case(name)) || is_rule_without_offset(zone)
}

/// Returns whether this is a POSIX rule of a zone without an offset and without summer time, such as `WET0` or `<+00>0`.
fn is_rule_without_offset(zone: &str) -> bool {
    let offset = match zone.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>').map(|(_, offset)| offset),
        None => zone.find(|c: char| !c.is_ascii_alphabetic()).filter(|end| *end >= 3).map(|end| &zone[end..]),
    };
    offset.is_some_and(|offset| {
        let digits = offset.trim_start_matches(['+', '-']);
        !digits.is_empty() && digits.chars().all(|c| matches!(c, '0' | ':'))
    })
}

#[cfg(unix)]
fn name_of_the_system() -> Option<String> {
    iana_time_zone::get_timezone().ok().filter(|name| !name.is_empty())
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)] // Other systems have such a name.
fn name_of_the_system() -> Option<String> {
    None
}

/// Returns whether the zone of the system is a file that is no link, and so has no name.
fn system_has_a_file() -> bool {
    std::fs::read("/etc/localtime").is_ok_and(|data| data.starts_with(b"TZif"))
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;
    use chrono_tz::{Africa::Abidjan, Atlantic::Reykjavik, Etc, Europe, Tz};

    use super::*;

    #[test]
    fn only_utc_is_like_utc() {
        for zone in [Tz::UTC, Etc::UTC, Etc::GMT, Tz::Zulu] {
            assert!(is_like_utc(&zone), "{zone}");
        }
        for zone in [Abidjan, Reykjavik, Europe::London, Europe::Lisbon, Europe::Berlin, Tz::Asia__Kolkata] {
            assert!(!is_like_utc(&zone), "{zone}");
        }
        assert!(is_like_utc(&Utc) && !is_like_utc(&FixedOffset::east_opt(3_600).unwrap()));
    }

    #[test]
    fn a_zone_that_is_not_found_is_told_with_its_name() {
        for zone in ["posix/Europe/Berlni", "right/nonsense", "posix", "Europe/UTC", "/zoneinfo/left/UTC"] {
            assert!(unreadable(Some(zone), || None, || false).unwrap().contains(zone));
        }
        for zone in ["Europe/Berlni", "nonsense", "CET", ":America/Nowhere", "/nowhere", "UT", "UTC1", "XX0", "<+00>"] {
            let problem = unreadable(Some(zone), || Some("UTC".to_owned()), || true).unwrap();
            assert!(problem.contains(zone) && problem.contains("TZ"), "{problem}");
            let problem = unreadable(None, || Some(zone.to_owned()), || true).unwrap();
            assert!(problem.contains(zone), "{problem}");
        }
        assert!(unreadable(None, || None, || false).is_some());
    }

    #[test]
    fn utc_under_each_of_its_names_is_no_problem() {
        let rules = ["", "UTC0", "GMT0", "WET0", "<UTC>0", "<+00>-00:00", "UTC+0", "UTC00:00:00"];
        let names = ["UTC", "utc", ":UTC", "Etc/UTC", ":Etc/GMT", "Zulu", "GMT+0", "/usr/share/zoneinfo/Etc/UCT"];
        let copies = [
            "posix/UTC",
            "right/UTC",
            ":posix/Etc/UTC",
            "right/Etc/GMT0",
            "/usr/share/zoneinfo/posix/UTC",
            "/usr/share/zoneinfo/right/UTC",
            ":/usr/share/zoneinfo/right/Etc/Zulu",
            "/usr/share/zoneinfo-posix/UTC",
            "/usr/share/zoneinfo-leaps/Etc/UTC",
        ];
        for zone in rules.into_iter().chain(names).chain(copies) {
            assert_eq!(unreadable(Some(zone), || None, || false), None, "{zone}");
        }
        assert_eq!(unreadable(None, || Some("Etc/UTC".to_owned()), || false), None);
        assert_eq!(unreadable(None, || None, || true), None, "a file without a name");
    }

    #[test]
    fn the_process_may_leave_it_to_the_system() {
        assert!([":localtime", "localtime", ":/etc/localtime"].into_iter().all(is_of_the_system));
        assert!(!["", "UTC", "/etc/other"].into_iter().any(is_of_the_system));
    }
}
