//! What there is beside messages while a machine is watched: what was lost, the sockets,
//! the recording.

use std::collections::{BTreeMap, VecDeque};

use nlscope_dissector::context::{GroupSeen, Port};
use nlscope_dissector::export::Role;

use super::notices::Loser;
use super::{App, Bar, Effect, Notice, Overlay, Pane, Purpose};
use crate::sockets::{Words, dropped, is_own};
use crate::source::{Losses, PortUse, Socket, SocketChange, SocketId, Tally};

#[cfg(test)]
mod tests;

/// How many lines about sockets are kept.
const MAX_EVENTS: usize = 1000;

/// What a live source told beside frames.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// Whether the source is a live one.
    on: bool,
    /// The last message stays selected as messages come.
    follow: bool,
    /// Processes turned out since the list was looked at.
    processes_changed: bool,
    tally: Tally,
    sockets: BTreeMap<SocketId, Socket>,
    /// What happened to sockets and when, a line each, the latest last.
    events: VecDeque<Notice>,
    /// The file that is recorded to, and how many frames are in it.
    recording: Option<(String, u64)>,
}

/// What a socket has to do with the selected message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// Nothing.
    None,
    /// It is of the program at the user's side.
    Process,
    /// It has joined the group.
    Listens,
}

impl Live {
    /// Of a live source, or of another.
    pub(super) fn new(on: bool) -> Self {
        Self {
            on,
            follow: on,
            ..Self::default()
        }
    }

    /// Whether the source is a live one.
    #[must_use]
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Whether the last message stays selected.
    #[must_use]
    pub(crate) fn follows(&self) -> bool {
        self.follow
    }

    /// Whether processes turned out since the list was looked at.
    pub(super) fn processes_changed(&self) -> bool {
        self.processes_changed
    }

    /// How many frames the kernel has dropped.
    #[must_use]
    pub(crate) fn dropped(&self) -> u64 {
        self.tally.dropped()
    }

    /// The sockets that there are.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = &Socket> {
        self.sockets.values()
    }

    /// What happened to sockets, the latest last.
    pub(crate) fn events(&self) -> impl DoubleEndedIterator<Item = &Notice> {
        self.events.iter()
    }

    /// The file that is recorded to, and how many frames are in it.
    #[must_use]
    pub(crate) fn recording(&self) -> Option<(&str, u64)> {
        let (path, frames) = self.recording.as_ref()?;
        Some((path, *frames))
    }
}

impl App {
    pub(super) fn lost(&mut self, losses: Losses) {
        let before = self.live.dropped();
        self.live.tally.tell(losses);
        let dropped = self.live.dropped();
        if dropped > before {
            self.tell_loss(Loser::Capture, (before, dropped), |from, to| {
                format!("nlscope was too slow: {from} -> {to} dropped by the kernel")
            });
        }
    }

    /// Tells of losses, of many in a row once.
    fn tell_loss(
        &mut self,
        loser: Loser,
        counts: (u64, u64),
        words: impl FnOnce(u64, u64) -> String,
    ) {
        let time = self.now;
        if let Some(text) = self.notices.lost(loser, time, counts, words) {
            self.say(Role::Warning, text);
        }
    }

    /// Another program did not read in time.
    fn tell_overflow(&mut self, change: &SocketChange) {
        let SocketChange::Changed(socket) = change else {
            return;
        };
        let before = self.live.sockets.get(&socket.id());
        let Some(before) = before.filter(|it| it.drops < socket.drops) else {
            return;
        };
        if is_own(socket) {
            // What the capture lost is told already.
            return;
        }
        let counts = (u64::from(before.drops), u64::from(socket.drops));
        let who = Words(self.messages.context()).name(socket);
        self.tell_loss(Loser::Socket(socket.id()), counts, |from, to| {
            format!("{who} was too slow: {}", dropped(from, to))
        });
    }

    pub(super) fn port_used(&mut self, used: &PortUse) {
        let since = self.messages.latest_frame();
        let key = used.key;
        let context = self.messages.context_mut();
        context.learn_port(key.netns, key.protocol, key.port, since, &used.process);
        self.live.processes_changed = true;
    }

    pub(super) fn socket_changed(&mut self, change: SocketChange) {
        let before = self.live.sockets.get(&change.id());
        let words = Words(self.messages.context());
        let present = matches!(change, SocketChange::Present(_));
        let kernel = change.is_kernels(before);
        if let Some(line) = words
            .change(&change, before)
            .filter(|_| !present && !kernel)
        {
            if self.live.events.len() >= MAX_EVENTS {
                self.live.events.pop_front();
            }
            self.live.events.push_back(Notice {
                time: self.now,
                text: line,
            });
        }
        self.tell_overflow(&change);
        if let SocketChange::Released(id) = &change {
            self.notices.forget(*id);
        }
        if let Some((key, process)) = change.user() {
            let used = PortUse {
                key,
                process: process.clone(),
            };
            self.port_used(&used);
        }
        change.apply(&mut self.live.sockets);
    }

    /// Who has a port decides what a filter passes: one that asks for processes is asked
    /// again for the messages whose process turned out.
    pub(super) fn new_processes(&mut self) {
        if !self.live.processes_changed {
            return;
        }
        self.live.processes_changed = false;
        self.stale = true;
        if self.rows.filter_text().contains("process") {
            self.look_again();
        }
    }

    /// What a socket has to do with the selected message.
    #[must_use]
    pub(crate) fn relation(&self, socket: &Socket) -> Relation {
        let message = self.selection.message;
        let found = self.messages.head(message, |head| {
            let same = socket.key.netns == head.frame.origin.netns;
            let group = head.record.group.and_then(GroupSeen::number);
            let pid = head.process().map(|process| process.pid);
            let listens = group.is_some_and(|group| socket.groups.contains(&group));
            if same && socket.key.protocol == head.protocol && listens {
                return Relation::Listens;
            }
            let own = matches!(head.record.port, Port::Known(port) if socket.key.port == port
                && socket.key.protocol == head.protocol && same);
            let of_process = pid.is_some() && socket.process.as_ref().map(|it| it.pid) == pid;
            if own || of_process {
                Relation::Process
            } else {
                Relation::None
            }
        });
        found.unwrap_or(Relation::None)
    }

    /// After the person has gone somewhere: at the last message of the list the view goes on
    /// with those that come.
    pub(super) fn follow_or_stay(&mut self) {
        let last = self.rows.visible().last() == Some(&self.selection.message);
        self.live.follow = self.live.on && last && self.focus == Pane::List;
    }

    /// The person reads the selected message.
    pub(super) fn stay(&mut self) {
        self.live.follow = false;
    }

    /// Goes on to the last message.
    pub(super) fn follow(&mut self) {
        let last = self.rows.visible().last().copied();
        if let Some(last) = last.filter(|_| self.live.follow) {
            self.select_message(last);
        }
    }

    /// Leaves the messages that were given up.
    pub(super) fn give_up(&mut self) {
        if !self.messages.give_up() {
            return;
        }
        let first = self.messages.gone();
        self.rows.give_up(first);
        self.jumps.retain(|message| *message >= first);
        if self.selection.message < first {
            let kept = self.rows.visible().first().copied();
            self.select_message(kept.unwrap_or(first));
        }
    }

    /// Begins to save the list: what could not be written is tried again.
    pub(super) fn save(&mut self) -> Effect {
        match self.refused_name.clone() {
            Some(name) => {
                self.type_file(name);
                Effect::None
            }
            None => Effect::Name,
        }
    }

    /// Types the name of a file to save the list in, where `name` is the proposal.
    pub(crate) fn type_file(&mut self, name: String) {
        let schema = self.messages.context().schema();
        let bar = Bar::new(Purpose::Save, name, schema);
        self.overlays.push(Overlay::Bar(bar));
    }

    /// Tells whether the list was saved in a file of this name.
    pub(crate) fn saved(&mut self, name: &str, saved: Result<String, String>) {
        match saved {
            Ok(text) => {
                self.refused_name = None;
                self.say(Role::Good, text);
            }
            Err(text) => {
                self.refused_name = Some(name.to_owned());
                self.say(Role::Error, text);
            }
        }
    }

    /// A recording goes on, with so many frames in its file, or has ended.
    pub(crate) fn recorded(&mut self, recording: Option<(String, u64)>) {
        self.live.recording = recording;
    }

    /// Tells what came of something that only the outside can do.
    pub(crate) fn answer(&mut self, role: Role, text: impl Into<String>) {
        self.say(role, text);
    }
}
