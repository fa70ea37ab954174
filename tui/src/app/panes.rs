//! Moving in the panes: one selection, seen as a row, a node and a byte.

use nlscope_dissector::tape::NodeIndex;

use super::action::{Fold, Motion, Way};
use super::{App, Overlay, Pane, Selection};
use crate::view::page_rows;

/// Columns that summaries move at a time.
const SHIFT: usize = 8;

impl App {
    pub(super) fn turn(&mut self, way: Way) {
        let at = self.focus as usize;
        let step = match way {
            Way::Forward => 1,
            Way::Back => Pane::ALL.len() - 1,
        };
        self.focus = Pane::ALL[(at + step) % Pane::ALL.len()];
    }

    pub(super) fn go(&mut self, motion: Motion) {
        match self.overlays.last() {
            Some(Overlay::Help(_) | Overlay::Notices(_) | Overlay::Sockets(_)) => {
                self.turn_page(motion);
            }
            Some(Overlay::Facets) => self.facets.go(motion, &self.messages),
            Some(Overlay::Bar(_)) => {}
            None => self.go_in(self.focus, motion),
        }
    }

    /// Moves in a page of text, if there is one.
    pub(super) fn turn_page(&mut self, motion: Motion) {
        let body = self.layout().body;
        // One row is the title.
        let page = usize::from(body.height.saturating_sub(1));
        let Some(overlay) = self.overlays.last() else {
            return;
        };
        let count = page_rows(self, overlay, body.width);
        if let Some(Overlay::Help(top) | Overlay::Notices(top) | Overlay::Sockets(top)) =
            self.overlays.last_mut()
        {
            *top = motion.turn(*top, count, page);
        }
    }

    /// Moves within a pane.
    pub(super) fn go_in(&mut self, pane: Pane, motion: Motion) {
        if pane != Pane::List {
            self.stay();
        }
        match pane {
            Pane::List => self.go_in_list(motion),
            Pane::Tree => self.go_in_tree(motion),
            Pane::Hex => self.go_in_hex(motion),
        }
    }

    fn go_in_list(&mut self, motion: Motion) {
        match motion {
            Motion::Left => self.shift = self.shift.saturating_sub(SHIFT),
            Motion::Right => self.shift = self.shift.saturating_add(SHIFT).min(4096),
            _ => {
                let count = self.rows.visible().len();
                let page = self.layout().rows(Pane::List);
                let to = match (self.rows.position(self.selection.message), motion) {
                    // The row below a gap is the next one already.
                    (Err(at), Motion::Down) => at.min(count.saturating_sub(1)),
                    (Ok(at) | Err(at), _) => motion.apply(at, count, page),
                };
                if let Some(message) = self.rows.visible().get(to) {
                    self.select_message(*message);
                }
            }
        }
    }

    /// Selects a message as a whole.
    pub(super) fn select_message(&mut self, message: u32) {
        self.astray = false;
        if message == self.selection.message {
            return;
        }
        let byte = self
            .messages
            .record(message)
            .map_or(0, |record| record.offset);
        self.selection = Selection {
            message,
            node: 0,
            byte,
        };
        self.top[Pane::Tree as usize] = 0;
        self.dissect_selected();
    }

    /// Selects a node; the byte becomes the first of its payload.
    pub(super) fn select_node(&mut self, node: NodeIndex) {
        let Some(detail) = &self.detail else {
            return;
        };
        let (header, payload) = detail.bytes(node);
        self.selection.node = node;
        self.selection.byte = if payload.is_empty() {
            header.start
        } else {
            payload.start
        };
    }

    /// Selects the byte at `offset` of the frame, the deepest node that holds it, and the
    /// message of the frame that it is in.
    pub(super) fn select_byte(&mut self, offset: u32) {
        let siblings = self.messages.siblings(self.selection.message);
        let holder = siblings.rev().find(|message| {
            self.messages
                .record(*message)
                .is_some_and(|record| record.offset <= offset)
        });
        if let Some(holder) = holder {
            self.select_message(holder);
        }
        let Some(detail) = &self.detail else {
            return;
        };
        if let Some(node) = detail.tape().node_at(offset) {
            self.selection.node = node;
            self.selection.byte = offset;
        }
    }

    fn go_in_tree(&mut self, motion: Motion) {
        let shown = self.tree_lines();
        let page = self.layout().rows(Pane::Tree);
        let Some(detail) = &self.detail else {
            return;
        };
        let cursor = detail.cursor(&shown, self.selection.node);
        let to = motion.apply(cursor, shown.len(), page);
        let is_node = |at: &usize| {
            let line = shown
                .get(*at)
                .and_then(|shown| detail.lines().get(shown.line));
            line.is_some_and(|line| !line.line.note)
        };
        // Remarks are passed over.
        let to = if to >= cursor {
            (to..shown.len())
                .find(is_node)
                .or_else(|| (cursor..to).rev().find(is_node))
        } else {
            (0..=to).rev().find(is_node)
        };
        if let Some(line) = to.and_then(|to| shown.get(to)) {
            self.select_node(detail.node_of(*line));
        }
    }

    fn go_in_hex(&mut self, motion: Motion) {
        let layout = self.layout();
        let width = layout.bytes_in_row();
        let Some(frame) = self.messages.frame(self.selection.message) else {
            return;
        };
        let len = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
        let at = self.selection.byte;
        let page = u32::try_from(layout.rows(Pane::Hex).saturating_sub(1).max(1)).unwrap_or(1);
        let step = width.saturating_mul(page);
        let to = match motion {
            Motion::Left => at.saturating_sub(1),
            Motion::Right => at.saturating_add(1),
            Motion::Up => at.checked_sub(width).unwrap_or(at),
            Motion::Down if at.saturating_add(width) >= len => at,
            Motion::Down => at.saturating_add(width),
            Motion::PageUp => at.saturating_sub(step),
            Motion::PageDown => at.saturating_add(step),
            Motion::First => 0,
            Motion::Last => len,
        };
        self.select_byte(to.min(len.saturating_sub(1)));
    }

    pub(super) fn fold(&mut self, fold: Fold) {
        self.stay();
        let shown = self.tree_lines();
        let Some(detail) = &self.detail else {
            return;
        };
        let cursor = detail.cursor(&shown, self.selection.node);
        let Some(line) = shown.get(cursor).copied() else {
            return;
        };
        let holds = detail
            .lines()
            .get(line.line)
            .is_some_and(|line| line.line.has_children);
        let node = detail.node_of(line);
        match fold {
            Fold::Toggle if holds => detail.fold(&mut self.folds, line, !line.closed),
            Fold::Open if line.closed => detail.fold(&mut self.folds, line, false),
            Fold::Open if holds => return self.go_in_tree(Motion::Down),
            Fold::Toggle | Fold::Open => {}
            Fold::Close if holds && !line.closed => detail.fold(&mut self.folds, line, true),
            Fold::Close => {
                if let Some(parent) = detail.parent(line) {
                    self.select_node(parent);
                }
                return;
            }
        }
        // What is selected inside a node keeps it open.
        self.select_node(node);
    }
}
