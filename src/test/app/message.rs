use serde_json::Value;

/// A message of a session: pushed to the page, or in the answer to an acknowledgement.
#[derive(Debug, Clone, PartialEq)]
pub struct TestMessage {
    text: String,
    value: Value,
}

impl TestMessage {
    /// Reads a payload, which is the text of the message as a JSON string.
    pub(super) fn new(payload: &str) -> Option<Self> {
        let text: String = serde_json::from_str(payload).ok()?;
        let value: Value = serde_json::from_str(&text).ok()?;
        value["message"].is_u64().then_some(Self { text, value })
    }

    /// Returns its number, from 1, by which the page acknowledges it.
    pub fn number(&self) -> u64 {
        self.value["message"].as_u64().unwrap_or_default()
    }

    /// Whether something did not fit: the rest comes in the answer to its acknowledgement.
    pub fn more(&self) -> bool {
        self.value["more"] == true
    }

    /// Returns the events of the tasks that the session follows.
    pub fn events(&self) -> &[Value] {
        self.value["events"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns the changes of the lists that the session watches.
    pub fn lists(&self) -> &[Value] {
        self.value["lists"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns its text, as it travels.
    pub fn text(&self) -> &str {
        &self.text
    }
}
