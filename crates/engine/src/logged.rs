//! Makes texts fit for the log. Names, messages and reasons may come from anywhere, and a record of the log is one line.

use std::fmt::{self, Display, Write};

use crate::clip::{Limit, clip};

/// How many bytes of the log one text may take.
pub(crate) const LOGGED_BYTES: usize = 1024;

/// Returns a text as the log shows it: on one line, with everything escaped that is not to be seen as it is, such as line
/// breaks, control characters, escapes for terminals and marks that turn the direction of what follows. A text that takes
/// more than 1 KiB is cut, with `…` at its end.
///
/// All that a task, its caller or the app has put in words goes through this on its way to the log.
pub fn logged(text: impl Display) -> String {
    let mut line = Line(String::new());
    // It ends with an error as soon as there is too much.
    let _ = write!(line, "{text}");
    clip(line.0, Limit::Bytes(LOGGED_BYTES)).into_owned()
}

/// What is shown of a text, up to the first character that is too much.
struct Line(String);

/// `escape_debug` escapes these too, which are harmless in a line.
const AS_THEY_ARE: [char; 3] = ['"', '\'', '\\'];

impl Line {
    fn add(&mut self, characters: impl Iterator<Item = char>) -> fmt::Result {
        for character in characters {
            if self.0.len() > LOGGED_BYTES {
                return Err(fmt::Error);
            }
            self.0.push(character);
        }
        Ok(())
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(AS_THEY_ARE) {
            let escaped = part.strip_suffix(AS_THEY_ARE).unwrap_or(part);
            self.add(escaped.escape_debug())?;
            self.add(part[escaped.len()..].chars())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether a character can't forge a line, or hide a part of it.
    fn is_harmless(character: char) -> bool {
        let turns = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let breaks = matches!(character, '\u{2028}' | '\u{2029}');
        let hides = matches!(character, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
        !character.is_control() && !turns && !breaks && !hides && !('\u{e0000}'..='\u{e007f}').contains(&character)
    }

    #[test]
    fn a_plain_text_stays_as_it_is() {
        for plain in ["", "größer 日本語 🦀", r#"no "such" file: 'C:\temp'"#] {
            assert_eq!(logged(plain), plain);
        }
    }

    #[test]
    fn a_text_is_one_line_and_shows_what_was_in_it() {
        assert_eq!(logged("a\nb\r\n\tc"), r"a\nb\r\n\tc");
        assert_eq!(logged("\u{1b}[31mred\u{9b}0m"), r"\u{1b}[31mred\u{9b}0m");
        assert_eq!(logged("a\u{2028}b\u{202e}c\u{7f}\0"), r"a\u{2028}b\u{202e}c\u{7f}\0");
    }

    #[test]
    fn a_long_text_is_cut_and_not_read_to_its_end() {
        struct Endless;
        impl Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("\u{1b}")?;
                }
            }
        }
        let line = logged(Endless);
        assert!((LOGGED_BYTES - 8..=LOGGED_BYTES).contains(&line.len()) && line.ends_with('…'), "{line}");
        assert_eq!(logged("x".repeat(LOGGED_BYTES)), "x".repeat(LOGGED_BYTES));
        assert_eq!(logged("x".repeat(1_000_000)), "x".repeat(LOGGED_BYTES - 3) + "…");
    }

    #[test]
    fn a_display_that_fails_shows_what_it_has_written() {
        struct Fails;
        impl Display for Fails {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half")?;
                Err(fmt::Error)
            }
        }
        assert_eq!(logged(Fails), "half");
    }

    proptest! {
        #[test]
        fn whatever_a_text_holds_its_line_is_harmless_and_short(
            characters in prop::collection::vec(prop_oneof![
                any::<char>(),
                prop::char::range('\0', '\u{ff}'),
                prop::char::range('\u{2000}', '\u{206f}'),
                prop::char::range('\u{e0000}', '\u{e01ff}'),
            ], 0..600),
        ) {
            let text: String = characters.into_iter().collect();
            let line = logged(&text);
            prop_assert!(line.chars().all(is_harmless), "{:?}", line);
            prop_assert!(line.len() <= LOGGED_BYTES);
            prop_assert_eq!(logged(&line), &*line, "it is not changed twice");
        }
    }
}
