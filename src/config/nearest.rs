/// Returns the name that was probably meant by `written`, whatever its case and separators.
pub(crate) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = letters(written);
    // What is much longer than any name is none that was misspelled.
    if written.len() > 40 {
        return None;
    }
    let distance = |name: &&str| edits(&written, &letters(name));
    let near = names.map(|name| (distance(&name), name)).min_by_key(|(distance, _)| *distance)?;
    (near.0 <= written.len() / 3).then_some(near.1)
}

fn letters(name: &str) -> Vec<char> {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns how many letters have to be added, removed or replaced to get from one name to the other.
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], place + 1);
        for (column, own) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != own);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edits_between_two_names_are_counted() {
        let edits = |one: &str, other: &str| edits(&letters(one), &letters(other));
        for (one, other, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("a_B-c", "abC", 0),
        ] {
            assert_eq!((edits(one, other), edits(other, one)), (count, count), "{one} {other}");
        }
    }

    #[test]
    fn a_misspelled_name_is_found_and_another_word_is_not() {
        let names = ["liveTasks", "startsPerSecond"];
        let nearest = |written: &str| nearest(written, names.into_iter());
        for written in ["liveTasks", "livetasks", "live_tasks", "live-task", "LIVE_TASKS", "lifeTasks"] {
            assert_eq!(nearest(written), Some("liveTasks"), "{written}");
        }
        for written in ["", "concurrency", "x", &"liveTasks".repeat(100)] {
            assert_eq!(nearest(written), None, "{written}");
        }
    }
}
