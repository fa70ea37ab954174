//! Netlink bytes to meaning.
//!
//! A capture's bytes become frames ([`capture`]), a frame's bytes become messages
//! ([`wire`]), and a message becomes a [`tape`]: a flat tree of nodes, written by
//! one interpreter ([`walk`]) of one schema ([`schema`]). What needs memory across
//! messages is [`context`]; [`filter`] selects messages and [`export`] writes them.
//!
//! The crate reads bytes that a hostile program may have written. Dissecting never
//! fails and never panics: what is wrong becomes a [`note`], what nobody knows keeps
//! its number and its bytes. There is no IO here, no clock and no terminal.

#![forbid(unsafe_code)]

pub mod capture;
pub mod context;
pub mod export;
pub mod filter;
pub mod note;
pub mod schema;
pub mod tape;
pub mod text;
pub mod value;
pub mod walk;
pub mod wire;

// Messages by hand, shared with the tests outside, which know the crate by its name.
#[cfg(test)]
extern crate self as nlscope_dissector;
#[cfg(test)]
#[path = "../tests/netlink/mod.rs"]
mod netlink;
