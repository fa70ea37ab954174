//! The netlink sockets of this machine, in words: for `nlscope sockets` and for the
//! interface.

#[cfg(target_os = "linux")]
mod command;

#[cfg(target_os = "linux")]
pub(crate) use command::run;

use std::fmt::Write as _;

use nlscope_dissector::context::Context;
use nlscope_dissector::schema::base;
use nlscope_dissector::text::Escaped;

use crate::source::{Socket, SocketChange, SocketKey};

/// Sockets and groups in words.
pub(crate) struct Words<'a>(pub(crate) &'a Context);

/// The titles of the columns.
pub(crate) const TITLES: [&str; 6] = ["protocol", "port", "process", "queue", "drops", "groups"];

impl Words<'_> {
    /// The columns of a socket: as in [`TITLES`].
    pub(crate) fn columns(&self, socket: &Socket) -> [String; 6] {
        let queue = if socket.received == 0 && socket.sent == 0 {
            "-".to_owned()
        } else {
            format!("{}/{}", socket.received, socket.receive_limit)
        };
        [
            protocol_name(socket.key.protocol),
            port(socket.key),
            self.process(socket),
            queue,
            socket.drops.to_string(),
            self.groups(socket),
        ]
    }

    fn process(&self, socket: &Socket) -> String {
        let netns = self.0.netns(socket.key.netns);
        let at = netns.map_or(String::new(), |name| format!("@{name}"));
        let name = match (&socket.process, socket.key.port) {
            (Some(process), _) => process.to_string(),
            (None, 0) => "kernel".to_owned(),
            (None, _) => "?".to_owned(),
        };
        format!("{name}{}", Escaped(at.as_bytes()))
    }

    /// The groups that it has joined, by name.
    pub(crate) fn groups(&self, socket: &Socket) -> String {
        if socket.groups.is_empty() {
            return "-".to_owned();
        }
        let mut text = String::new();
        for group in &socket.groups {
            let comma = if text.is_empty() { "" } else { "," };
            // Writing to a string does not fail.
            let _ = write!(text, "{comma}{}", self.group(socket.key.protocol, *group));
        }
        text
    }

    /// The name of a group, or its number.
    pub(crate) fn group(&self, protocol: u16, number: u32) -> String {
        match self.0.group_name(protocol, number) {
            Some(name) => Escaped(name.as_bytes()).to_string(),
            None => number.to_string(),
        }
    }

    /// What happened to a socket that was `before`, in a line; `None` where it only received
    /// something.
    pub(crate) fn change(&self, change: &SocketChange, before: Option<&Socket>) -> Option<String> {
        let line = |what: &str, socket: &Socket| {
            let [protocol, port, process, _, drops, groups] = self.columns(socket);
            let drops = if socket.drops > 0 {
                format!(", {drops} dropped")
            } else {
                String::new()
            };
            format!("{what:<8} {protocol} {port} {process} groups {groups}{drops}")
        };
        match change {
            SocketChange::Present(socket) | SocketChange::Opened(socket) => {
                Some(line("opened", socket))
            }
            SocketChange::Changed(socket) => {
                let same = before.is_some_and(|before| {
                    (&before.groups, before.drops, &before.process)
                        == (&socket.groups, socket.drops, &socket.process)
                });
                (!same).then(|| line("changed", socket))
            }
            SocketChange::Released(key) => Some(match before {
                Some(socket) => line("released", socket),
                None => format!("released {} {}", protocol_name(key.protocol), port(*key)),
            }),
        }
    }
}

/// The name of a protocol, or its number.
pub(crate) fn protocol_name(number: u16) -> String {
    match base::protocol_entry(number) {
        Some(entry) => entry.name.to_owned(),
        None => number.to_string(),
    }
}

fn port(key: SocketKey) -> String {
    match key.port {
        0 => "-".to_owned(),
        port => port.to_string(),
    }
}
