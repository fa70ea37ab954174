//! Attributes that nobody told to be there.
//!
//! Where no table knows a payload it may still be attributes. They are recognised
//! only where a mistake is unlikely: the chain of lengths has to end exactly where
//! the payload does, the numbers have to be small, and there has to be some content.

use crate::wire::{NLA_F_NESTED, NLA_HDRLEN, Order, align, nlattr};

/// Numbers from here on are taken as no attribute's; the largest set known has some 370.
const MAX_NUMBER: u16 = 512;
/// Shorter payloads than this are more often a number that happens to look so.
const MIN_LEN: usize = 8;

/// Whether `payload`, of an attribute whose `nla_type` was `kind`, is attributes itself.
pub(super) fn is_nest(payload: &[u8], kind: u16, order: Order) -> bool {
    let told = kind & NLA_F_NESTED != 0;
    (told || payload.len() >= MIN_LEN) && is_chain(payload, order)
}

/// Whether `payload` is nothing but well-formed attributes, at least one with content.
pub(super) fn is_chain(payload: &[u8], order: Order) -> bool {
    let mut rest = payload;
    let mut content = false;
    while !rest.is_empty() {
        let Ok((_, header)) = nlattr(order)(rest) else {
            return false;
        };
        let len = u32::from(header.len);
        if len < NLA_HDRLEN || len as usize > rest.len() || header.number() >= MAX_NUMBER {
            return false;
        }
        content |= len > NLA_HDRLEN;
        rest = rest.get(align(len) as usize..).unwrap_or_default();
    }
    content
}
