//! The environment of the apps that the tests start.

use std::process::Command;

/// Sets what all apps get.
pub fn set(command: &mut Command) -> &mut Command {
    command
        // Turns off accessibility, because GTK would warn that it finds no accessibility bus.
        .env("NO_AT_BRIDGE", "1")
        // A machine without a GPU would draw each layer by software, and then put them together by software.
        .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
}
