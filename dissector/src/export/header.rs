//! The words for what a message's own headers say.

use std::borrow::Cow;
use std::fmt::Write;

use nom::Parser;

use crate::context::{Context, Head};
use crate::schema::{FlagsAs, base};
use crate::tape::{MessageMark, NodeRef, Tape};
use crate::text::Escaped;
use crate::wire::{self, NLM_F_DUMP, Nlmsghdr, protocol};

/// `route` for 0; an unknown protocol is its number.
pub(super) fn protocol_name(number: u16, numeric: bool) -> Cow<'static, str> {
    match base::protocol_entry(number).filter(|_| !numeric) {
        Some(entry) => entry.name.into(),
        None => number.to_string().into(),
    }
}

/// `ENODEV` for 19; an unknown errno is its number.
pub(super) fn errno_name(number: u32, numeric: bool) -> Cow<'static, str> {
    match base::errno_name(number).filter(|_| !numeric) {
        Some(name) => name.into(),
        None => number.to_string().into(),
    }
}

/// The family of a message, where none is known its protocol: `rt-link`, `nl80211`,
/// `generic:29`, `xfrm`.
pub(super) fn family_or_protocol(head: &Head<'_>, numeric: bool) -> Cow<'static, str> {
    if let Some(family) = head.family.filter(|_| !numeric) {
        return family.name.into();
    }
    if let Some(name) = head.family_name().filter(|_| !numeric) {
        return Escaped(name.as_bytes()).to_string().into();
    }
    let name = protocol_name(head.protocol, numeric);
    if head.protocol == protocol::GENERIC && head.header.kind >= wire::NLMSG_MIN_TYPE {
        return format!("{name}:{}", head.header.kind).into();
    }
    name
}

/// The message's name; where none is known, its type, or a generic netlink message's
/// command: `RTM_NEWLINK`, `type 77`, `cmd 3`.
pub(super) fn message_name(head: &Head<'_>, numeric: bool) -> Cow<'static, str> {
    if let Some(name) = head.type_name().filter(|_| !numeric) {
        return name.into();
    }
    match head.command() {
        Some(command) => format!("cmd {command}").into(),
        None => format!("type {}", head.header.kind).into(),
    }
}

/// The names of a message's flags as a filter writes them, lowest bit first: `request`,
/// `ack`, `dump` for both its bits; a flag without a name is its number in hexadecimal.
pub(super) fn flags(
    header: Nlmsghdr,
    flags_as: Option<FlagsAs>,
) -> impl Iterator<Item = (u16, Cow<'static, str>)> {
    let dump = header.has(NLM_F_DUMP) && flags_as == Some(FlagsAs::Get);
    base::flag_names(header, flags_as).filter_map(move |(bit, name)| {
        let text = match name {
            Some(_) if dump && bit == 0x100 => "dump".into(),
            Some(_) if dump && bit == 0x200 => return None,
            Some(name) => name.trim_start_matches("NLM_F_").to_lowercase().into(),
            None => format!("{bit:#x}").into(),
        };
        Some((bit, text))
    })
}

/// The `nlmsghdr` of a message of a tape, a quoted one's too.
pub(super) fn header_of(tape: &Tape, frame: &[u8], mark: &MessageMark) -> Option<Nlmsghdr> {
    let node = tape.at(frame, mark.node)?;
    let (_, header) = wire::nlmsghdr(tape.order()).parse(node.bytes()).ok()?;
    Some(header)
}

/// The value of a header field whose meaning depends on the message: the type, the flags,
/// a generic netlink command. `number` is that of the protocol. `None` for every other field, and where there is no name.
pub(super) fn header_value(node: NodeRef<'_>, number: u16, context: &Context) -> Option<String> {
    // Only headers have names with dots.
    let (of, member) = node.field().name.split_once('.')?;
    if !matches!(
        (of, member),
        ("nlmsghdr", "type" | "flags") | ("genlmsghdr", "cmd")
    ) {
        return None;
    }
    let mark = node.tape().message_of(node.index())?;
    let header = header_of(node.tape(), node.frame(), &mark)?;
    match member {
        "flags" => {
            let mut text = String::new();
            for (_, name) in flags(header, base::flags_as(number, header, mark.message)) {
                if !text.is_empty() {
                    text.push('|');
                }
                text.push_str(&name);
            }
            let _ = write!(
                text,
                "{}({:#x})",
                if text.is_empty() { "" } else { " " },
                header.flags
            );
            Some(text)
        }
        "type" if header.kind >= wire::NLMSG_MIN_TYPE && number == protocol::GENERIC => {
            let name = context.ids().get(header.kind)?;
            Some(format!(
                "{} ({})",
                Escaped(name.name.as_bytes()),
                header.kind
            ))
        }
        "type" => {
            let name = base::control_name(header.kind)
                .or_else(|| mark.message.map(|message| message.uapi))?;
            Some(format!("{name} ({})", header.kind))
        }
        _ => {
            let message = mark.message?;
            Some(format!("{} ({})", message.uapi, message.number))
        }
    }
}
