//! Delivery to pages: one session for each load of a page's client, with one channel for everything.
//!
//! [`news`] is what there is to tell, [`protocol`] whose move it is, and [`outbox`] both. The [`session`](self::session) puts a
//! lock around that, and its [`pump`] feeds the channel.

mod ack;
mod gone;
pub(crate) mod message;
mod news;
mod outbox;
mod protocol;
mod pump;
mod read;
mod readers;
#[allow(clippy::module_inception)] // One session; its folder is all about them.
pub(crate) mod session;
pub(crate) mod sessions;
#[cfg(test)]
mod tests;
