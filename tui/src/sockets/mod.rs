//! The netlink sockets of this machine, in words: for `nlscope sockets` and for the
//! interface.

#[cfg(target_os = "linux")]
mod command;

#[cfg(target_os = "linux")]
pub(crate) use command::run;

#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};

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
/// The name of a process of this program.
const OWN: &str = env!("CARGO_PKG_NAME");

/// Whether a socket is of this program, which listens to all there is.
#[must_use]
pub(crate) fn is_own(socket: &Socket) -> bool {
    socket.process.as_ref().is_some_and(|it| it.name == OWN)
}

/// Sockets in the order in which they are shown: our own come last.
pub(crate) fn in_order<'s>(sockets: impl Iterator<Item = &'s Socket>) -> Vec<&'s Socket> {
    let mut sockets: Vec<_> = sockets.collect();
    // Sorting keeps the order of the others.
    sockets.sort_by_key(|socket| is_own(socket));
    sockets
}

/// How many datagrams found no room by then, and by now.
#[must_use]
pub(crate) fn dropped(from: impl fmt::Display, to: impl fmt::Display) -> String {
    format!("{from} -> {to} dropped")
}

impl Words<'_> {
    /// A table of sockets: the line of titles, and a line for each socket.
    pub(crate) fn table(&self, sockets: &[&Socket]) -> (String, Vec<String>) {
        let rows: Vec<_> = sockets.iter().map(|it| self.columns(it)).collect();
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
        let name = match &socket.process {
            Some(process) => process.to_string(),
            None if socket.is_kernel() => "kernel".to_owned(),
            None => "?".to_owned(),
        };
        format!("{name}{}", Escaped(at.as_bytes()))
    }

    /// The socket in few words: its protocol, its port, who has it.
    pub(crate) fn name(&self, socket: &Socket) -> String {
        let protocol = protocol_name(socket.key.protocol);
        let port = port(socket.key);
        format!("{protocol} {port} {}", self.process(socket))
    }

    /// The groups that it has joined.
    fn groups(&self, socket: &Socket) -> String {
        if socket.groups.is_empty() {
            return "-".to_owned();
        }
        self.listed(socket, &socket.groups)
    }

    /// Groups of a socket by name; where it is our own, only how many.
    fn listed(&self, socket: &Socket, groups: &[u32]) -> String {
        if is_own(socket) && groups.len() > 1 {
            return format!("{} groups", groups.len());
        }
        let mut text = String::new();
        for group in groups {
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
        let (what, socket) = match (change, before) {
            (SocketChange::Present(socket) | SocketChange::Opened(socket), _) => ("opened", socket),
            (SocketChange::Changed(socket), _) => ("changed", socket),
            (SocketChange::Released(_), Some(socket)) => ("released", socket),
            (SocketChange::Released(id), None) => {
                let protocol = protocol_name(id.key.protocol);
                return Some(format!("released {protocol} {}", port(id.key)));
            }
        };
        let words = match (change, before) {
            (SocketChange::Changed(_), Some(before)) => self.difference(before, socket)?,
            _ => self.state(socket),
        };
        let line = format!("{what:<8} {} {words}", self.name(socket));
        Some(line.trim_end().to_owned())
    }

    /// What another socket has not: its groups, and what it dropped.
    fn state(&self, socket: &Socket) -> String {
        let mut words = Vec::new();
        if !socket.groups.is_empty() {
            let label = if is_own(socket) { "" } else { "groups " };
            words.push(format!("{label}{}", self.groups(socket)));
        }
        if socket.drops > 0 {
            words.push(format!("{} dropped", socket.drops));
        }
        words.join(", ")
    }

    /// What is another than before.
    fn difference(&self, before: &Socket, now: &Socket) -> Option<String> {
        let mut words = Vec::new();
        if before.drops != now.drops {
            words.push(dropped(before.drops, now.drops));
        }
        let more = |of: &Socket, than: &Socket| -> Vec<u32> {
            let groups = of.groups.iter().copied();
            groups.filter(|it| !than.groups.contains(it)).collect()
        };
        for (what, groups) in [("joined", more(now, before)), ("left", more(before, now))] {
            if !groups.is_empty() {
                words.push(format!("{what} {}", self.listed(now, &groups)));
            }
        }
        if before.process != now.process {
            words.push(format!("before {}", self.process(before)));
        }
        (!words.is_empty()).then(|| words.join(", "))
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
