//! Where the programs of a test listen.

use std::net::Ipv4Addr;

/// An address of the loopback interface that only this process uses, so that tests that run at once don't take each other's ports.
pub fn of_this_process() -> Ipv4Addr {
    // Process numbers on Linux have at most 22 bits.
    let [_, a, b, c] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, a, b, c)
}
