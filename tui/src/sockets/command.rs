//! `nlscope sockets`: the netlink sockets, and what happens to them.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::iter;
use std::sync::Arc;

use nlscope_dissector::context::Context;
use serde_json::json;

use super::{Words, in_order, protocol_name};
use crate::Status;
use crate::cli::{self, Sockets, StatsFormat};
use crate::clock::now;
use crate::live;
use crate::source::{Socket, SocketChange, SocketId};

/// Lists them, and goes on where that is asked for.
///
/// # Errors
///
/// The kernel does not tell, or nothing can be written.
pub(crate) fn run(args: &Sockets) -> anyhow::Result<Status> {
    let mut context = Context::new(Arc::new(cli::schema(&[])?));
    for (number, name) in live::genl_groups()? {
        if let Some((family, group)) = name.split_once(':') {
            context.learn_group(number, family, group);
        }
    }
    if args.netns.len() > 1 {
        for netns in &args.netns {
            context.learn_netns(netns.name.clone());
        }
    }
    let mut watched = live::watch_sockets(&args.netns)?;
    let mut sockets = watched.first()?;
    sockets.retain(|socket| args.kernel || !socket.is_kernel());
    let words = Words(&context);
    let text = match args.format {
        StatsFormat::Text => table(&sockets, &words),
        StatsFormat::Json => lines(&sockets, &words),
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    if !args.watch {
        return Ok(Status::Well);
    }
    let mut known: BTreeMap<SocketId, Socket> = sockets
        .into_iter()
        .map(|socket| (socket.id(), socket))
        .collect();
    for change in watched {
        let change = change?;
        let before = known.get(&change.id());
        if change.is_kernels(before) && !args.kernel {
            continue;
        }
        let line = match args.format {
            StatsFormat::Text => words
                .change(&change, before)
                .map(|line| format!("{} {line}", time_of_day())),
            StatsFormat::Json => event(&words, &change, before),
        };
        change.apply(&mut known);
        if let Some(line) = line {
            writeln!(out, "{line}")?;
            out.flush()?;
        }
    }
    Ok(Status::Well)
}

/// What time it is in UTC: `21:11:46.123Z`.
fn time_of_day() -> String {
    let millis = now().0 / 1_000_000;
    let seconds = millis / 1000;
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    let (second, milli) = (seconds % 60, millis % 1000);
    format!("{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

fn table(sockets: &[Socket], words: &Words<'_>) -> String {
    let (titles, rows) = words.table(&in_order(sockets.iter()));
    let mut text = String::new();
    for row in iter::once(titles).chain(rows) {
        text.push_str(&row);
        text.push('\n');
    }
    text
}

fn lines(sockets: &[Socket], words: &Words<'_>) -> String {
    let lines = sockets
        .iter()
        .map(|socket| format!("{}\n", object(words, socket)));
    lines.collect()
}

/// A socket as JSON.
fn object(words: &Words<'_>, socket: &Socket) -> serde_json::Value {
    let groups = socket.groups.iter();
    let groups: Vec<_> = groups
        .map(|group| words.group(socket.key.protocol, *group))
        .collect();
    json!({
        "protocol": protocol_name(socket.key.protocol),
        "port": socket.key.port,
        "netns": words.netns(socket.key),
        "inode": socket.inode,
        "pid": socket.process.as_ref().map(|process| process.pid),
        "process": socket.process.as_ref().map(|process| &process.name),
        "groups": groups,
        "receive-queue": socket.received,
        "receive-limit": socket.receive_limit,
        "send-queue": socket.sent,
        "drops": socket.drops,
    })
}

/// What happened, as JSON: the socket, of one that is gone as it was, and `event`.
fn event(words: &Words<'_>, change: &SocketChange, before: Option<&Socket>) -> Option<String> {
    let (what, socket) = match change {
        SocketChange::Present(socket) | SocketChange::Opened(socket) => ("opened", socket),
        SocketChange::Changed(socket) => ("changed", socket),
        SocketChange::Released(_) => ("released", before?),
    };
    let mut object = object(words, socket);
    if let Some(object) = object.as_object_mut() {
        object.insert("event".to_owned(), json!(what));
    }
    Some(object.to_string())
}
