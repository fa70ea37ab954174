//! What the mouse points at.

use ratatui::layout::{Position, Rect};

use super::action::{FacetChange, Motion, Way};
use super::{App, FACETS_HEAD, Overlay, Pane};

/// How many rows the wheel moves.
const WHEEL: usize = 3;

/// Columns before the first byte of a row of the bytes.
const HEX_LEFT: u16 = 6;

impl App {
    pub(super) fn click(&mut self, x: u16, y: u16) {
        let layout = self.layout();
        let at = Position::new(x, y);
        match self.overlays.last() {
            Some(Overlay::Facets) if layout.facets.contains(at) => {
                self.click_facet(layout.facets, y);
            }
            Some(Overlay::Bar(_)) if layout.bar.contains(at) => {}
            Some(_) => {
                self.overlays.pop();
            }
            None if layout.bar.contains(at) => {
                self.type_filter(self.rows.filter_text().to_owned());
            }
            None => {
                let hit = |pane: &Pane| layout.pane(*pane).contains(at);
                if let Some(pane) = Pane::ALL.into_iter().find(hit) {
                    self.focus = pane;
                    self.click_pane(pane, layout.inside(pane), at);
                }
            }
        }
    }

    fn click_facet(&mut self, area: Rect, y: u16) {
        let Some(row) = y.checked_sub(area.y + FACETS_HEAD) else {
            return;
        };
        let rows = self.facets.rows(&self.messages);
        let at = self.facets.top + usize::from(row);
        if matches!(rows.get(at), Some(super::FacetRow::Entry { .. })) {
            self.facets.select(&rows, at);
            self.change_facet(FacetChange::Toggle);
        }
    }

    fn click_pane(&mut self, pane: Pane, inside: Rect, at: Position) {
        if !inside.contains(at) {
            return;
        }
        if pane != Pane::List {
            self.stay();
        }
        let row = self.top(pane) + usize::from(at.y - inside.y);
        match pane {
            Pane::List => {
                if let Some(message) = self.rows.visible().get(row) {
                    self.select_message(*message);
                }
            }
            Pane::Tree => self.click_line(row),
            Pane::Hex => {
                let width = self.layout().bytes_in_row();
                let column = byte_at(at.x - inside.x, u16::try_from(width).unwrap_or(16));
                let row = u32::try_from(row).unwrap_or(u32::MAX);
                if let Some(column) = column {
                    let offset = row.saturating_mul(width).saturating_add(u32::from(column));
                    self.select_byte(offset);
                }
            }
        }
    }

    /// A click on the selected line opens or closes it.
    fn click_line(&mut self, row: usize) {
        let shown = self.tree_lines();
        let Some(detail) = &self.detail else {
            return;
        };
        let Some(line) = shown.get(row) else {
            return;
        };
        if detail.cursor(&shown, self.selection.node) == row {
            self.fold(super::Fold::Toggle);
        } else {
            self.select_node(detail.node_of(*line));
        }
    }

    pub(super) fn wheel(&mut self, x: u16, y: u16, way: Way) {
        let motion = match way {
            Way::Forward => Motion::Down,
            Way::Back => Motion::Up,
        };
        let layout = self.layout();
        let at = Position::new(x, y);
        let pane = Pane::ALL
            .into_iter()
            .find(|pane| layout.pane(*pane).contains(at));
        for _ in 0..WHEEL {
            match (self.overlays.is_empty(), pane) {
                (true, Some(pane)) => self.go_in(pane, motion),
                (true, None) => {}
                (false, _) => self.go(motion),
            }
        }
    }
}

/// Where the byte at `column` of a row of `width` bytes is drawn.
#[must_use]
pub(crate) fn hex_column(column: u16, width: u16) -> u16 {
    HEX_LEFT + 3 * column + u16::from(column >= 8 && width > 8)
}

/// Where its character is drawn.
#[must_use]
pub(crate) fn text_column(column: u16, width: u16) -> u16 {
    hex_column(width, width) + 1 + column
}

/// Which byte of a row is drawn at `x`.
fn byte_at(x: u16, width: u16) -> Option<u16> {
    (0..width).find(|column| {
        let hex = hex_column(*column, width);
        (hex..hex + 2).contains(&x) || x == text_column(*column, width)
    })
}
