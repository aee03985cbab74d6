use std::{error::Error, fmt, ops::Deref};

use serde_json::Value;

/// The refusal of a call, as the page gets it: an object of the plugin's with `kind`, `message` and `data`, or a text of
/// Tauri's own if no capability allows the command at all.
///
/// It can be read like the JSON that it is: `error["kind"]`.
#[derive(Clone, PartialEq)]
pub struct PageError(pub(super) Value);

impl PageError {
    /// Returns the kind of the plugin's error, such as `notAllowed`. `None` if Tauri itself has refused the call.
    pub fn kind(&self) -> Option<&str> {
        self.0["kind"].as_str()
    }

    /// Returns the message, which says what to do.
    pub fn message(&self) -> &str {
        self.0["message"].as_str().or_else(|| self.0.as_str()).unwrap_or_default()
    }

    /// Whether no capability of the page's window allows the command, so that Tauri has refused it before it reached the
    /// plugin.
    pub fn is_of_tauri(&self) -> bool {
        self.0.is_string()
    }

    /// Returns the JSON.
    pub fn into_value(self) -> Value {
        self.0
    }
}

impl Deref for PageError {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Some(kind) => write!(f, "{kind}: {}", self.message()),
            None => f.write_str(self.message()),
        }
    }
}

impl fmt::Debug for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for PageError {}
