//! Compares what a test has recorded with a file in `tests/wire/`, or writes the file if `UPDATE_WIRE` is set.

use std::{env, fs};

use serde_json::Value;

/// Fails if the file is out of date. `test` is the test as `cargo test` takes it, for the message.
pub fn assert_current(file: &str, test: &str, recorded: &[Value]) {
    let path = format!("{}/tests/wire/{file}", env!("CARGO_MANIFEST_DIR"));
    let new = format!("{}\n", serde_json::to_string_pretty(recorded).unwrap());
    if env::var_os("UPDATE_WIRE").is_some() {
        fs::write(&path, &new).unwrap();
    }
    let old = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        old == new,
        "tests/wire/{file} is out of date: if an old client reads this as well, run UPDATE_WIRE=1 cargo test {test}; if not, \
         raise PROTOCOL, too"
    );
}
