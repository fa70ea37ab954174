//! Where everything is on the screen.

use ratatui::layout::Rect;

/// A pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pane {
    /// Messages, a line each.
    List,
    /// The selected message's fields.
    Tree,
    /// Its frame's bytes.
    Hex,
}

impl Pane {
    /// From top to bottom.
    pub(crate) const ALL: [Pane; 3] = [Pane::List, Pane::Tree, Pane::Hex];
}

/// Columns that 16 bytes take.
const HEX_WIDE: u16 = 73;
/// Rows above the facet lists.
pub(crate) const FACETS_HEAD: u16 = 2;
/// Columns of the facet lists.
const FACETS_WIDTH: u16 = 38;
/// Least rows for three panes, one above the other.
const THREE_PANES: u16 = 12;

/// The parts of the screen. A part that has no room is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Layout {
    /// The filter.
    pub bar: Rect,
    /// The panes with their titles.
    pub panes: [Rect; 3],
    /// The selected field.
    pub field: Rect,
    /// Counts, progress, messages.
    pub status: Rect,
    /// What overlays may cover.
    pub body: Rect,
    /// The facet lists.
    pub facets: Rect,
}

impl Layout {
    /// For a terminal of this size. `alone` is the one pane to be shown.
    #[must_use]
    pub(crate) fn new(width: u16, height: u16, alone: Option<Pane>, focus: Pane) -> Self {
        let row = |y: u16| Rect::new(0, y, width, 1);
        let below = if height >= 8 { 2 } else { 1 };
        let top = u16::from(height >= 5);
        let body = Rect::new(
            0,
            top,
            width,
            height.saturating_sub(top).saturating_sub(below),
        );
        let facets = FACETS_WIDTH.min(width);
        let mut layout = Self {
            bar: row(0),
            body,
            field: row(height.saturating_sub(2)),
            status: row(height.saturating_sub(1)),
            facets: Rect::new(width - facets, body.y, facets, body.height),
            panes: [Rect::default(); 3],
        };
        if below == 1 {
            layout.field = Rect::default();
        }
        if top == 0 {
            layout.bar = Rect::default();
        }
        let alone = alone.or((body.height < THREE_PANES).then_some(focus));
        layout.panes = match alone {
            Some(pane) => Pane::ALL.map(|one| if one == pane { body } else { Rect::default() }),
            None => three(body),
        };
        layout
    }

    /// A pane with its title.
    #[must_use]
    pub(crate) fn pane(&self, pane: Pane) -> Rect {
        self.panes[pane as usize]
    }

    /// A pane without its title.
    #[must_use]
    pub(crate) fn inside(&self, pane: Pane) -> Rect {
        let area = self.pane(pane);
        let title = area.height.min(1);
        Rect::new(area.x, area.y + title, area.width, area.height - title)
    }

    /// How many things fit into a pane, one a row.
    #[must_use]
    pub(crate) fn rows(&self, pane: Pane) -> usize {
        usize::from(self.inside(pane).height)
    }

    /// How many bytes a row of the bytes has.
    #[must_use]
    pub(crate) fn bytes_in_row(&self) -> u32 {
        let width = self.pane(Pane::Hex).width;
        if width >= HEX_WIDE { 16 } else { 8 }
    }
}

/// Three panes: with much room the bytes stand beside the tree.
fn three(body: Rect) -> [Rect; 3] {
    let part = |y: u16, height: u16| Rect::new(body.x, body.y + y, body.width, height);
    if body.width >= 2 * HEX_WIDE {
        let list = body.height / 2;
        let lower = part(list, body.height - list);
        let hex = HEX_WIDE;
        let tree = Rect {
            // A column between keeps them apart.
            width: lower.width - hex - 1,
            ..lower
        };
        let hex = Rect {
            x: lower.width - hex,
            width: hex,
            ..lower
        };
        return [part(0, list), tree, hex];
    }
    let hex = (body.height / 5).max(3);
    let list = body.height * 2 / 5;
    let tree = body.height - hex - list;
    [part(0, list), part(list, tree), part(list + tree, hex)]
}
