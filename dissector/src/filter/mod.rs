//! The filter language: text -> tokens -> expression -> checked filter -> yes or no.
//!
//! The grammar is that of Wireshark's display filters:
//!
//! ```text
//! filter  = filter "||" filter | filter "&&" filter | "!" filter | "(" filter ")" | test
//! test    = field                                    it is there
//!         | field ("==" | "!=" | "<" | "<=" | ">" | ">=") value
//!         | field ["not"] "in" "{" value ["," value | ".." value]... "}"
//!         | field "contains" value | field "matches" regex
//!         | field "&" value [comparison value]       bits
//! ```
//!
//! `and or not` and `eq ne lt le gt ge` stand for the signs, `~` for `matches`; `&&`
//! binds tighter than `||`. An empty filter passes everything.
//!
//! # Several occurrences
//!
//! A field may occur several times in a message. `==`, `<`, `in`, `contains` and the
//! others ask whether any occurrence fits. `!=` asks that the field is there and all
//! occurrences differ, as in Wireshark since 3.6; where the field is missing, `x != 1`
//! is false and `!(x == 1)` is true. `x === 1` asks that all are equal, `x !== 1` that
//! any differs.
//!
//! # What every message has
//!
//! | name | is | compare with |
//! | --- | --- | --- |
//! | `protocol` | `NETLINK_*` | `route`, `NETLINK_ROUTE`, `0` |
//! | `family` | the family, of an acknowledgement that of its request | `rt-link`, `nlctrl`, the name a generic netlink family registers with; in quotes where no table has it |
//! | `type` | message type; by name also a generic netlink command | `RTM_NEWLINK`, `newlink`, `16`; `matches "^rtm_new"` |
//! | `cmd` | generic netlink command | `CTRL_CMD_GETFAMILY`, `getfamily`, `3` |
//! | `direction` | which way it went | `to-kernel`, `from-kernel` |
//! | `role` | part in its transaction | `open`, `request`, `reply`, `end`, `orphan`, `notification` |
//! | `errno` | of an error or the end of a dump; 0 is success | `ENODEV`, `19` |
//! | `flags` | `nlmsg_flags` as a number | `0x301`; `contains dump\|ack` for all, `& dump\|ack` for any |
//! | `flags.dump`, `flags.request`, `flags.ack`, `flags.create`, ... | a flag that is set and means this on such a message | nothing, or `true`, `false` |
//! | `port` | port id at the user's side, where known | number |
//! | `group` | multicast group | `RTNLGRP_LINK`, `link`, `1` |
//! | `latency` | request to answer; of a request to the answer's end | `1.5ms`; `ns us ms s min h`, without one: seconds |
//! | `time` | when it was captured | seconds since 1970, or `2025-11-20T16:20:00.5Z` |
//! | `frame`, `seq`, `len` | frame number, `nlmsg_seq`, `nlmsg_len` | number |
//! | `process` | program at the user's side, where a source tells it | text |
//! | `notes` | remarks of the dissection | `hint`, `warning`, `error`; `contains "length"` |
//! | `copy`, `open`, `orphan` | copy of an earlier multicast; request without an answer so far; answer without its request | nothing, or `true`, `false` |
//!
//! The name of a family alone (`rt-link`) passes its messages.
//!
//! # Fields of the schema
//!
//! `rt-link.ifname` is an attribute, `rt-link.ifi-index` a member of the header before
//! the attributes, `rt-link.linkinfo.data.id` an attribute in nests,
//! `rt-link.stats64.rx-packets` a member of a struct. Indices of arrays have no part in a
//! name. The first part is the family's name or the one it registers with. Without it,
//! `ifname` or `linkinfo.kind` are these fields anywhere, whatever holds them; a name of
//! the table above then means that. The UAPI header's name (`IFLA_IFNAME`) is as good.
//! Below a name, a number is an attribute that no table knows: `rt-link.99`. An error
//! is found by the fields of the request it quotes.
//!
//! Of every frame: `nlmsghdr.seq` and its like, `genlmsghdr.version`, `nlmsgerr.error`,
//! `ext-ack.msg`, `nlscope.unknown`, `nlscope.padding`, `nlscope.trailing`.
//!
//! # Values
//!
//! - Numbers: decimal, `0x`, `0o` or a leading `0`, `0b`, with sign; names of an enum in
//!   YNL's or the UAPI header's spelling. Times take a unit (`> 5s`), interface indices
//!   the name of an interface that the capture tells of, traffic control handles `1:10`.
//! - Flags: `==` compares all bits, `contains up|running` asks for all of these,
//!   `& up|running` for any; `& 0xf0 == 0x10` compares after masking.
//! - Addresses: `10.0.0.1`, or a prefix `10.0.0.0/8` that `==` and `in` look into.
//! - Bytes and link-layer addresses: `aa:bb:cc`, `aabbcc`, text in quotes.
//! - Text: bare, or in quotes with the escapes `\n \t \r \0 \xff \u{20ac} \\ \"`;
//!   after an `r` a backslash is a backslash. `contains` minds upper and lower case.
//! - Regular expressions are those of the `regex` crate, on bytes; `matches` does not
//!   mind upper and lower case, as in Wireshark, unless it begins with `(?-i)`. In
//!   quotes, backslashes are the expression's.
//!
//! A comparison that makes no sense is refused before it runs: see [`FilterError`].
//! Of a name with several meanings, those that fit the value are compared.

mod check;
mod complete;
mod constant;
mod error;
mod evaluate;
mod header;
mod lex;
mod literal;
mod parse;
mod relation;
mod resolve;
mod shape;
mod suggest;
#[cfg(test)]
mod tests;

pub use complete::{Completion, complete};
pub use error::FilterError;

use crate::context::{Head, MessageView};
use crate::schema::Schema;
use evaluate::Checked;

/// A filter that was checked against the schema.
#[derive(Debug)]
pub struct Filter {
    /// `None` passes everything.
    checked: Option<Checked>,
}

/// What a filter says of a message whose attributes were not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Yes,
    /// It does not.
    No,
    /// That depends on its attributes.
    NeedsTape,
}

impl Filter {
    /// Reads and checks a filter. An empty one passes everything.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn parse(text: &str, schema: &Schema) -> Result<Self, FilterError> {
        let expr = parse::parse(text)?;
        let checked = expr.map(|expr| check::check(&expr, schema)).transpose()?;
        Ok(Self { checked })
    }

    /// What can be said without the attributes.
    #[must_use]
    pub fn head(&self, head: &Head<'_>) -> Verdict {
        match &self.checked {
            Some(checked) => checked.head(head),
            None => Verdict::Yes,
        }
    }

    /// Whether a message of this protocol (`NETLINK_*`) can pass: what a source need not
    /// even capture otherwise.
    #[must_use]
    pub fn may_pass(&self, protocol: u16) -> bool {
        let verdict = (self.checked.as_ref()).map(|checked| checked.protocol(protocol));
        verdict != Some(Verdict::No)
    }

    /// Whether it asks for nothing but the protocol: netlink has 32 of them (`MAX_LINKS`).
    #[must_use]
    pub fn is_of_protocols(&self) -> bool {
        let decided = |checked: &Checked, it| checked.protocol(it) != Verdict::NeedsTape;
        (self.checked.as_ref()).is_none_or(|checked| (0..32).all(|it| decided(checked, it)))
    }

    /// Whether the message passes.
    #[must_use]
    pub fn matches(&self, view: &MessageView<'_>) -> bool {
        match &self.checked {
            Some(checked) => checked.matches(view),
            None => true,
        }
    }
}
