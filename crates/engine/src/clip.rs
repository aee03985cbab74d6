//! Shortens texts for people to their limits. Texts that the engine compares, such as keys, are never shortened.

use std::borrow::Cow;

/// The end of a text that was shortened.
const ELLIPSIS: char = '…';

/// How long a text may be. It must have room for the ellipsis.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// In bytes.
    Bytes(usize),
    /// In bytes of JSON, with its quotes and escapes.
    Json(usize),
}

impl Limit {
    /// Returns how many bytes the characters of the text may take.
    pub(crate) fn room(self) -> usize {
        match self {
            Self::Bytes(limit) => limit,
            Self::Json(limit) => limit.saturating_sub("\"\"".len()),
        }
    }

    /// Returns how many bytes a character takes.
    fn size_of(self, character: char) -> usize {
        match self {
            Self::Json(_) => match character {
                '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => "\\n".len(),
                '\0'..'\u{20}' => "\\u0000".len(),
                _ => character.len_utf8(),
            },
            Self::Bytes(_) => character.len_utf8(),
        }
    }
}

/// Returns the text unchanged if it is within the limit. Otherwise returns as many of its first characters as fit, and
/// an ellipsis.
pub(crate) fn clip<'a>(text: impl Into<Cow<'a, str>>, limit: Limit) -> Cow<'a, str> {
    let text = text.into();
    match cut(&text, limit) {
        None => text,
        Some(end) => {
            let mut text = text.into_owned();
            text.truncate(end);
            text.push(ELLIPSIS);
            text.into()
        }
    }
}

/// Returns where to cut the text so that an ellipsis fits behind it; `None` if it need not be cut.
fn cut(text: &str, limit: Limit) -> Option<usize> {
    let room = limit.room();
    let beside_ellipsis = room.saturating_sub(limit.size_of(ELLIPSIS));
    let (mut size, mut end) = (0, 0);
    for (place, character) in text.char_indices() {
        if size <= beside_ellipsis {
            end = place;
        }
        size += limit.size_of(character);
        if size > room {
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(text: &str, limit: Limit) -> usize {
        match limit {
            Limit::Bytes(_) => text.len(),
            Limit::Json(_) => serde_json::to_string(text).unwrap().len(),
        }
    }

    fn most(limit: Limit) -> usize {
        let (Limit::Bytes(most) | Limit::Json(most)) = limit;
        most
    }

    /// Texts with all that takes another number of bytes in JSON than in a `char` count.
    fn texts() -> impl Strategy<Value = String> {
        let character = prop_oneof![
            any::<char>(),
            prop::char::range('\0', '\u{ff}'),
            prop::sample::select(vec!['"', '\\', '/', '\n', '\u{7f}', 'é', '…', '\u{2028}', '€', '🦀', '\u{fffd}']),
        ];
        prop::collection::vec(character, 0..60).prop_map(|characters| characters.into_iter().collect())
    }

    #[test]
    fn a_text_is_cut_at_a_character_and_the_ellipsis_is_within_the_limit() {
        assert_eq!(clip("größer", Limit::Bytes(8)), "größer");
        assert_eq!(clip("größer!", Limit::Bytes(8)), "grö…");
        assert_eq!(clip("🦀🦀🦀", Limit::Bytes(11)), "🦀🦀…");
        assert_eq!(clip("🦀🦀🦀", Limit::Bytes(10)), "🦀…");
    }

    #[test]
    fn escapes_count_as_json() {
        assert_eq!(clip("\n\n\n", Limit::Json(8)), "\n\n\n");
        assert_eq!(clip("\n\n\n\n", Limit::Json(9)), "\n\n…");
        assert_eq!(clip("\u{1}\u{1}", Limit::Json(13)), "\u{1}…");
    }

    proptest! {
        #[test]
        fn every_text_is_as_long_as_possible_within_its_limit(text in texts(), most_bytes in 5_usize..120, json: bool) {
            let limit = if json { Limit::Json(most_bytes) } else { Limit::Bytes(most_bytes) };
            let clipped = clip(text.as_str(), limit);
            prop_assert!(size(&clipped, limit) <= most(limit), "{:?}", clipped);
            if size(&text, limit) <= most(limit) {
                prop_assert_eq!(&*clipped, &*text);
            } else {
                let kept = clipped.strip_suffix(ELLIPSIS).unwrap();
                prop_assert!(text.starts_with(kept));
                let next = text[kept.len()..].chars().next().unwrap();
                prop_assert!(size(&format!("{kept}{next}…"), limit) > most(limit), "{:?} has room left", clipped);
            }
            prop_assert_eq!(clip(&*clipped, limit), &*clipped, "it is not clipped twice");
        }
    }
}
