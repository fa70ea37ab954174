//! Taking in what the source brings, slice by slice, and keeping what is on the screen
//! in step with it.

use std::time::Duration;

use nlscope_dissector::capture::Time;
use nlscope_dissector::context::Record;
use nlscope_dissector::export::{Role, TimeFormat, line};
use nlscope_dissector::text::Escaped;

use super::detail::Detail;
use super::messages::{Tapes, index};
use super::seek::Found;
use super::{App, Deadline, FACETS_HEAD, ListRow, Overlay, Pane, Reading, at_its_time};
use crate::source::{SourceError, SourceEvent};

/// How many messages are fed before the clock is looked at.
const BATCH: usize = 64;

impl App {
    /// Takes what the source tells.
    pub(crate) fn receive(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Segment(segment) => self.messages.add_segment(segment),
            SourceEvent::Frames(frames) => self.messages.add_frames(&frames),
            SourceEvent::Processes(processes) => self.messages.add_processes(processes),
            SourceEvent::Netns(name) => self.messages.add_netns(name),
            SourceEvent::Interface(_) => {}
            SourceEvent::Port(used) => self.port_used(&used),
            SourceEvent::Socket(change) => self.socket_changed(change),
            SourceEvent::Losses(losses) => self.lost(losses),
            SourceEvent::Progress { read, total } => self.reading = Reading::Yes(read, total),
            SourceEvent::Notice(text) => self.notice(&text),
            SourceEvent::End(end) => {
                if let Err(SourceError::Damaged(text) | SourceError::Unusable(text)) = &end {
                    self.notice(text);
                }
                self.reading = Reading::Ended(end);
            }
        }
    }

    /// Says what time it is, which stands beside what is told from now on.
    pub(crate) fn set_time(&mut self, now: Time) {
        self.now = Some(now);
    }

    fn notice(&mut self, text: &str) {
        let text = Escaped(text.as_bytes()).to_string();
        self.say(Role::Warning, text.clone());
        self.notices.add(self.now, text);
    }

    /// Whether there is something to do beside waiting.
    #[must_use]
    pub(crate) fn has_work(&self) -> bool {
        self.messages.is_behind()
            || self.live.processes_changed()
            || self.rows.scanned() < self.messages.count()
            || self.seek.is_some()
    }

    /// Works for about as long as `slice` says.
    pub(crate) fn work(&mut self, slice: Duration) {
        let end = Deadline::after(slice);
        while self.has_work() && !end.is_over() {
            self.work_on_each(slice / 4);
        }
        self.settle();
    }

    /// Works on each thing there is to do for about as long as `part` says at most.
    fn work_on_each(&mut self, part: Duration) {
        let learning = Deadline::after(part);
        while !learning.is_over() && (0..BATCH).all(|_| self.messages.learn_next()) {}
        self.feed(Deadline::after(part));
        self.new_ids();
        self.new_processes();
        self.give_up();
        self.rows
            .scan(&self.messages, &self.facets, Deadline::after(part));
        if self.astray && self.rows.scanned() == self.messages.count() {
            self.keep_in_list();
        }
        self.follow();
        self.go_on_seeking(Deadline::after(part));
    }

    fn feed(&mut self, deadline: Deadline) {
        while !deadline.is_over() {
            for _ in 0..BATCH {
                let Some(fed) = self.messages.feed_next() else {
                    return;
                };
                for message in fed.new.clone() {
                    self.messages
                        .head(message, |head| self.facets.count(message, head));
                }
                for (message, old) in fed.changed {
                    self.turned_out(message, &old);
                }
            }
        }
    }

    /// Something turned out about a message.
    fn turned_out(&mut self, message: u32, old: &Record) {
        let Some(record) = self.messages.record(message) else {
            return;
        };
        self.facets.changed(message, old, record);
        let selected = message == self.selection.message;
        let was_listed = selected && self.rows.position(message).is_ok();
        self.rows.recheck(&self.messages, &self.facets, message);
        self.astray |= was_listed && self.rows.position(message).is_err();
        self.stale |= selected;
    }

    /// What was dissected without an id that is known by now is looked at again.
    fn new_ids(&mut self) {
        let known = self.messages.context().ids().len();
        if known == self.known_ids {
            return;
        }
        self.known_ids = known;
        self.stale = true;
        if self.rows.selects(&self.facets) && self.rows.scanned() > 0 {
            self.look_again();
        }
    }

    /// Begins the list anew because something turned out.
    pub(super) fn look_again(&mut self) {
        self.astray |= self.rows.position(self.selection.message).is_ok();
        self.rows.restart();
    }

    fn go_on_seeking(&mut self, deadline: Deadline) {
        let Some(mut seek) = self.seek.take() else {
            return;
        };
        let found = seek.go_on(
            &self.messages,
            self.rows.visible(),
            &self.export_options(),
            deadline,
        );
        match found {
            Found::Later => self.seek = Some(seek),
            Found::Nowhere => self.say(Role::Warning, format!("no {}", seek.target().name())),
            Found::At {
                message,
                node,
                wrapped,
            } => {
                self.jump(message);
                self.stay();
                if let Some(node) = node {
                    self.select_node(node);
                }
                if wrapped {
                    self.say(Role::Hint, "went on at the other end of the list");
                }
            }
        }
    }

    /// Selects the nearest message in the list if the selected one is not in it. While the list
    /// is empty it waits for the first that comes.
    fn keep_in_list(&mut self) {
        let visible = self.rows.visible();
        let nearest = match self.rows.position(self.selection.message) {
            Ok(_) => Some(self.selection.message),
            Err(at) => visible.get(at).copied(),
        };
        let last = || {
            visible
                .last()
                .copied()
                .filter(|_| !self.messages.is_behind())
        };
        if let Some(nearest) = nearest.or_else(last) {
            self.select_message(nearest);
        }
    }

    /// Whether nothing is selected, because no message passes.
    fn has_nothing(&self) -> bool {
        let scanned = self.rows.scanned() == self.messages.count();
        self.astray && scanned && self.rows.visible().is_empty()
    }

    /// Brings into line what depends on the selection and the size of the screen.
    pub(crate) fn settle(&mut self) {
        self.dissect_selected();
        let layout = self.layout();
        let shown = self.tree_lines();
        let tree = self
            .detail
            .as_ref()
            .map_or(0, |detail| detail.cursor(&shown, self.selection.node));
        let hex = (self.selection.byte / layout.bytes_in_row()) as usize;
        let hex_rows = self
            .messages
            .frame(self.selection.message)
            .map_or(0, |frame| {
                frame.bytes.len().div_ceil(layout.bytes_in_row() as usize)
            });
        let list = match self.rows.position(self.selection.message) {
            Ok(at) | Err(at) => at,
        };
        let cursors = [
            (Pane::List, list, self.rows.visible().len()),
            (Pane::Tree, tree, shown.len()),
            (Pane::Hex, hex, hex_rows),
        ];
        for (pane, cursor, count) in cursors {
            let top = &mut self.top[pane as usize];
            *top = scroll(*top, cursor, count, layout.rows(pane));
        }
        if matches!(self.overlays.last(), Some(Overlay::Facets)) {
            let facets = self.facets.rows(&self.messages);
            let height = usize::from(layout.facets.height.saturating_sub(FACETS_HEAD));
            let cursor = self.facets.cursor(&facets);
            self.facets.top = scroll(self.facets.top, cursor, facets.len(), height);
        }
        self.screen = self.list_rows(layout.rows(Pane::List));
    }

    pub(super) fn dissect_selected(&mut self) {
        if self.has_nothing() {
            self.detail = None;
            return;
        }
        let message = self.selection.message;
        let is_current = self
            .detail
            .as_ref()
            .is_some_and(|detail| detail.message == message);
        if is_current && !self.stale {
            return;
        }
        self.detail = Detail::new(&self.messages, message, &self.export_options());
        self.stale = false;
        let Some(detail) = &self.detail else {
            return;
        };
        if is_current {
            // A node may be another one now; the byte is the same.
            self.selection.node = match detail.tape().node_at(self.selection.byte) {
                Some(_) if detail.node(self.selection.node).is_some() => self.selection.node,
                found => found.unwrap_or(detail.message_node()),
            };
        } else {
            self.select_node(detail.message_node());
        }
    }

    /// The rows of the list that are on the screen.
    fn list_rows(&self, height: usize) -> Vec<ListRow> {
        let visible = self.rows.visible();
        let top = self.top[Pane::List as usize];
        let end = (top + height).min(visible.len());
        let mut tapes = Tapes::default();
        let mut options = self.export_options();
        let before = top.checked_sub(1).and_then(|at| visible.get(at));
        let mut previous = before.and_then(|message| self.messages.frame(*message)?.time);
        let mut rows = Vec::new();
        for message in visible.get(top..end).unwrap_or_default() {
            if matches!(self.wording.time, TimeFormat::Delta(_)) {
                options.time = TimeFormat::Delta(previous);
                previous = self.messages.frame(*message).and_then(|frame| frame.time);
            }
            let line = self.messages.view(*message, &mut tapes, |view| {
                at_its_time(view, &options, |options| line(view, options))
            });
            if let Some(line) = line {
                let times = if self.rows.folds() {
                    self.messages.times_seen(*message)
                } else {
                    1
                };
                rows.push(ListRow {
                    message: *message,
                    line,
                    times,
                });
            }
        }
        rows
    }

    /// The request that a message answers.
    pub(super) fn request_of(&self, message: u32) -> Option<u32> {
        self.messages.record(message)?.request.map(index)
    }
}

/// The first row on the screen such that the cursor is on it too.
fn scroll(top: usize, cursor: usize, count: usize, height: usize) -> usize {
    let height = height.max(1);
    let lowest = cursor.saturating_sub(height - 1);
    let top = top.clamp(lowest, cursor.max(lowest));
    top.min(count.saturating_sub(height).max(lowest))
}
