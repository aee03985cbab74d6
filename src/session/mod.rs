//! Delivers changes to pages. Each load of the client in a page opens one session, with one channel for all messages.
//!
//! [`news`] collects what has not been sent to a page yet. [`protocol`] decides when a message may be sent. [`outbox`]
//! combines the two. A [`session`](self::session) puts a lock around the outbox, and its [`pump`] sends the messages
//! over the channel.

mod ack;
pub(crate) mod bounds;
mod gone;
pub(crate) mod message;
mod news;
mod outbox;
pub(crate) mod protocol;
mod pump;
pub(crate) mod push_channel;
mod read;
mod readers;
#[allow(clippy::module_inception)] // The file holds one session; the folder holds all that sessions need.
pub(crate) mod session;
pub(crate) mod sessions;
#[cfg(test)]
mod tests;
