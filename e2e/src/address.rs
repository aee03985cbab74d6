//! The address at which the servers of a test process listen.

use std::net::Ipv4Addr;

/// Returns a loopback address that only this process uses, so that concurrent tests don't take each other's ports.
pub fn of_this_process() -> Ipv4Addr {
    // A process id on Linux has at most 22 bits, so it fits into the last three bytes.
    let [_, a, b, c] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, a, b, c)
}
