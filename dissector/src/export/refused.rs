//! Where in the request an error of the kernel points.

use super::summary;
use crate::context::MessageView;
use crate::schema::base::nlmsgerr;
use crate::schema::{AttributeSet, Family, Type};
use crate::tape::{MessageMark, NodeFlags, NodeIndex, NodeRef, Tape};
use crate::wire::{NLMSG_DONE, NLMSG_ERROR};

/// What the kernel says of a request that it refuses, or warns of.
#[derive(Debug, Clone)]
pub struct Refused<'a> {
    /// errno, or 0 of a warning.
    pub errno: u32,
    /// The kernel's words, as they came.
    pub text: Option<&'a [u8]>,
    /// Where the refused attribute is, in bytes from the request's `nlmsghdr`.
    pub offset: Option<u32>,
    /// The refused attribute, in the error's own tape where it quotes the request, else in
    /// the request's.
    pub at: Option<NodeRef<'a>>,
    /// The attribute that is missing.
    pub missing: Option<Missing<'a>>,
    /// What the refused attribute has to be like.
    pub policy: Option<NodeRef<'a>>,
    /// What only the family understands.
    pub cookie: Option<&'a [u8]>,
}

/// An attribute that the kernel misses.
#[derive(Debug, Clone)]
pub struct Missing<'a> {
    /// Its number.
    pub number: u32,
    /// Its name, where the table of its nest is known.
    pub name: Option<&'static str>,
    /// Where its nest is, in bytes from the request's `nlmsghdr`; `None` for the message
    /// itself.
    pub nest_offset: Option<u32>,
    /// That nest.
    pub nest: Option<NodeRef<'a>>,
    /// The family of the request.
    pub family: Option<&'static Family>,
}

impl Refused<'_> {
    /// The refused attribute as a filter names it: `rt-link.linkinfo.kind`.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        Some(self.at?.path())
    }
}

impl Missing<'_> {
    /// The missing attribute as a filter names it: `rt-link.linkinfo.kind`; with its
    /// number where it has no known name.
    #[must_use]
    pub fn path(&self) -> String {
        let name = match self.name {
            Some(name) => name.to_owned(),
            None => self.number.to_string(),
        };
        match (self.nest, self.nest_offset, self.family) {
            (Some(nest), _, _) => format!("{}.{name}", nest.path()),
            (None, Some(offset), _) => format!("{name} in the nest at byte {offset}"),
            (None, None, Some(family)) => format!("{}.{name}", family.name),
            (None, None, None) => name,
        }
    }
}

/// What an error, or the end of a dump, says. `None` of every other message, and of an
/// acknowledgement that says nothing.
#[must_use]
pub fn refused<'a>(view: &MessageView<'a>) -> Option<Refused<'a>> {
    if !matches!(view.head.header.kind, NLMSG_ERROR | NLMSG_DONE) {
        return None;
    }
    let mut found = Refused {
        errno: view.head.errno().unwrap_or(0),
        text: None,
        offset: None,
        at: None,
        missing: None,
        policy: None,
        cookie: None,
    };
    let mut told = found.errno != 0;
    let (mut missing, mut nest_offset) = (None, None);
    for node in ext_ack(view) {
        told = true;
        match node.number() {
            Some(nlmsgerr::MSG) => found.text = Some(words(node)),
            Some(nlmsgerr::OFFS) => found.offset = number(node),
            Some(nlmsgerr::COOKIE) => found.cookie = Some(node.payload()),
            Some(nlmsgerr::POLICY) => found.policy = Some(node),
            Some(nlmsgerr::MISS_TYPE) => missing = number(node),
            Some(nlmsgerr::MISS_NEST) => nest_offset = number(node),
            _ => {}
        }
    }
    if !told {
        return None;
    }
    found.at = found.offset.and_then(|offset| place(view, offset));
    found.missing = missing.map(|number| {
        let nest = nest_offset.and_then(|offset| place(view, offset));
        let set = match nest_offset {
            Some(_) => nest.and_then(attributes_of),
            None => request_mark(view)
                .and_then(|mark| mark.message)
                .and_then(|message| message.attributes),
        };
        let field = u16::try_from(number)
            .ok()
            .and_then(|number| set?.attribute(number));
        Missing {
            number,
            name: field.map(|field| field.name),
            nest_offset,
            nest,
            family: request_mark(view)
                .and_then(|mark| mark.family)
                .or(view.head.family),
        }
    });
    Some(found)
}

/// The attributes after the error.
pub(super) fn ext_ack<'a>(view: &MessageView<'a>) -> impl Iterator<Item = NodeRef<'a>> + use<'a> {
    view.node()
        .into_iter()
        .flat_map(|node| node.children())
        .filter(|child| child.has(NodeFlags::ATTRIBUTE))
}

/// The request that the error quotes.
pub(super) fn quoted(view: &MessageView<'_>) -> Option<MessageMark> {
    let end = view.node()?.node().next;
    let marks = view.tape.messages();
    let after = marks.partition_point(|mark| mark.node <= view.mark.node);
    marks
        .get(after)
        .filter(|mark| mark.quoted && mark.node < end)
        .copied()
}

/// Text without the NUL that ends it.
fn words(node: NodeRef<'_>) -> &[u8] {
    node.payload()
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default()
}

fn number(node: NodeRef<'_>) -> Option<u32> {
    let bytes = node.payload().first_chunk::<4>()?;
    Some(node.tape().order().u32(*bytes))
}

/// The deepest node that holds the byte at `offset` of the request.
fn place<'a>(view: &MessageView<'a>, offset: u32) -> Option<NodeRef<'a>> {
    let own =
        quoted(view).and_then(|mark| node_in(view.tape, view.head.frame.bytes, mark.node, offset));
    own.or_else(|| {
        let request = view.request?;
        node_in(request.tape, request.frame, request.mark.node, offset)
    })
}

fn node_in<'a>(
    tape: &'a Tape,
    frame: &'a [u8],
    message: NodeIndex,
    offset: u32,
) -> Option<NodeRef<'a>> {
    let node = tape.at(frame, message)?.node();
    if offset >= node.len {
        return None;
    }
    tape.at(frame, tape.node_at(node.start + offset)?)
}

/// The request as the error carries it, or else as it was seen.
fn request_mark(view: &MessageView<'_>) -> Option<MessageMark> {
    quoted(view)
        .filter(|mark| mark.message.is_some())
        .or_else(|| Some(view.request?.mark))
}

/// The attributes a nest may hold.
fn attributes_of(nest: NodeRef<'_>) -> Option<&'static AttributeSet> {
    match nest.field().ty {
        Type::Nest { set, .. } | Type::TypeValue { set, .. } => Some(set),
        Type::Custom { set, .. } => set,
        // Which format it is, shows in what it holds.
        Type::SubMessage { formats, .. } => {
            let inside = nest
                .children()
                .find(|child| child.has(NodeFlags::ATTRIBUTE))?
                .field();
            let format = formats.iter().find(|format| summary::holds(format, inside));
            format.and_then(|format| format.set)
        }
        _ => None,
    }
}
