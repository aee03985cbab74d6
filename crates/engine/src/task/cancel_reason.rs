use std::{fmt, sync::Arc};

use serde::{
    Deserialize, Serialize,
    de::{IntoDeserializer, value},
};

use crate::{
    clip::{Limit, clip},
    error::{Error, refusal::Refusal},
};

/// Why a task was cancelled: a reason of the engine, or the words of the caller who cancelled it. As JSON it is a string.
/// A minor version may add reasons: keep a branch for the others.
///
/// [`TaskManager::cancel_with`](crate::TaskManager::cancel_with) takes the app's own words. No call takes a reason of the
/// engine, so each of them means what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum CancelReason {
    /// A caller cancelled it, and said nothing more.
    User,
    /// The last call that had a share in it has given the share back, since its `AbortSignal` fired.
    Signal,
    /// Its owner has gone, or the last that had a share in it, and its kind says that it is cancelled then: nobody has a share
    /// in it any more.
    OwnerClosed,
    /// The app is about to exit.
    Shutdown,
    /// The batch that it is a member of was stopped.
    Parent,
    /// A newer task took its place.
    Replaced,
    /// Nobody reads its items, and tasks of its kind are cancelled in that case.
    Unread,
    /// A caller cancelled it, in these words.
    #[serde(untagged)]
    Other(#[cfg_attr(feature = "__specta", specta(type = OtherWords))] Arc<str>),
}

/// The longest words of a caller, in bytes.
const WORDS_LIMIT: usize = 1024;

impl CancelReason {
    /// Returns the reason of a caller who gave these words; no words are the reason `user`. Fails if the words are any other
    /// reason of the engine.
    pub(crate) fn of_caller(words: &str) -> Result<Self, Error> {
        // All words that are no reason of the engine are read as `Other`.
        let read = Self::deserialize(words.into_deserializer());
        match read.unwrap_or_else(|_: value::Error| Self::Other(words.into())) {
            Self::Other(_) if words.is_empty() => Ok(Self::User),
            Self::Other(_) => Ok(Self::Other(clip(words, Limit::Bytes(WORDS_LIMIT)).into())),
            Self::User => Ok(Self::User),
            _ => Err(Refusal::EngineReason { words: words.to_owned() }.into()),
        }
    }

    /// Returns the reason as it is in JSON and in TypeScript.
    pub fn as_str(&self) -> &str {
        match self {
            Self::User => "user",
            Self::Signal => "signal",
            Self::OwnerClosed => "ownerClosed",
            Self::Shutdown => "shutdown",
            Self::Parent => "parent",
            Self::Replaced => "replaced",
            Self::Unread => "unread",
            Self::Other(words) => words,
        }
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Any other string, beside which TypeScript still completes the known ones.
#[cfg(feature = "__specta")]
struct OtherWords;

#[cfg(feature = "__specta")]
impl specta::Type for OtherWords {
    fn definition(_: &mut specta::Types) -> specta::datatype::DataType {
        specta::datatype::DataType::Reference(specta_typescript::define("(string & {})"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    fn engines() -> [CancelReason; 7] {
        use CancelReason::{OwnerClosed, Parent, Replaced, Shutdown, Signal, Unread, User};
        [User, Signal, OwnerClosed, Shutdown, Parent, Replaced, Unread]
    }

    #[test]
    fn a_caller_cannot_give_a_reason_of_the_engine() {
        for reason in engines() {
            let of_caller = CancelReason::of_caller(reason.as_str());
            if reason == CancelReason::User {
                assert_eq!(of_caller.unwrap(), reason);
            } else {
                let error = of_caller.unwrap_err();
                assert_eq!(error.kind, ErrorKind::InvalidOptions);
                assert!(error.message.contains(&format!("\"{reason}\"")), "{error}");
            }
        }
        assert_eq!(CancelReason::of_caller("").unwrap(), CancelReason::User);
    }

    #[test]
    fn a_reason_is_a_string_in_json() {
        for reason in engines().into_iter().chain([CancelReason::of_caller("the disk is full").unwrap()]) {
            let json = serde_json::to_value(&reason).unwrap();
            assert_eq!(json, reason.as_str());
            assert_eq!(serde_json::from_value::<CancelReason>(json).unwrap(), reason);
        }
        assert!(serde_json::from_str::<CancelReason>("7").is_err());
    }

    proptest! {
        #[test]
        fn words_are_kept_or_clipped_within_their_limit(words in "(\\PC|😀|é){1,1100}") {
            let reason = CancelReason::of_caller(&words).unwrap();
            let CancelReason::Other(kept) = &reason else { panic!("{reason:?}") };
            prop_assert!(kept.len() <= WORDS_LIMIT);
            match kept.strip_suffix('…') {
                Some(start) if words.len() > WORDS_LIMIT => {
                    prop_assert!(words.starts_with(start) && start.len() > WORDS_LIMIT - 8);
                }
                _ => prop_assert_eq!(&**kept, words),
            }
        }
    }
}
