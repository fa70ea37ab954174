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
const TITLES: [&str; 6] = ["protocol", "port", "process", "queue", "drops", "groups"];
/// Spaces between two columns.
const GAP: usize = 2;

impl Words<'_> {
    /// A table of sockets: the line of titles, and a line for each socket.
    pub(crate) fn table<'s>(
        &self,
        sockets: impl Iterator<Item = &'s Socket>,
    ) -> (String, Vec<String>) {
        let rows: Vec<_> = sockets.map(|socket| self.columns(socket)).collect();
        let mut widths = TITLES.map(str::len);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let line = |cells: &[String]| {
            let mut line = String::new();
            for (cell, width) in cells.iter().zip(widths.map(|width| width + GAP)) {
                // Writing to a string does not fail.
                let _ = write!(line, "{cell:<width$}");
            }
            line.truncate(line.trim_end().len());
            line
        };
        let rows = rows.iter().map(|row| line(row)).collect();
        (line(&TITLES.map(str::to_owned)), rows)
    }

    /// The columns of a socket: as in [`TITLES`].
    fn columns(&self, socket: &Socket) -> [String; 6] {
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

    /// The name of a socket's network namespace, where it is not the first one.
    pub(crate) fn netns(&self, key: SocketKey) -> Option<&str> {
        self.0.netns(key.netns)
    }

    fn process(&self, socket: &Socket) -> String {
        let netns = self.netns(socket.key);
        let at = netns.map_or(String::new(), |name| format!("@{name}"));
        let name = match (&socket.process, socket.key.port) {
            (Some(process), _) => process.to_string(),
            (None, 0) => "kernel".to_owned(),
            (None, _) => "?".to_owned(),
        };
        format!("{name}{}", Escaped(at.as_bytes()))
    }

    /// The groups that it has joined, by name.
    fn groups(&self, socket: &Socket) -> String {
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
