//! Draws the state. Nothing here changes it.

mod facets;
mod hex;
mod list;
mod page;
mod sockets;
mod status;
mod theme;
mod tree;

use nlscope_dissector::export::Span as ExportSpan;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

pub(crate) use page::page_rows;
pub(crate) use theme::Palette;

use crate::app::{App, Layout, Overlay, Pane};
use theme::Part;

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, app: &App, palette: Palette) {
    let canvas = Canvas { app, palette };
    let layout = app.layout();
    let area = frame.area();
    let buffer = frame.buffer_mut();
    canvas.list(layout.pane(Pane::List).intersection(area), buffer);
    canvas.tree(layout.pane(Pane::Tree).intersection(area), buffer);
    canvas.hex(layout.pane(Pane::Hex).intersection(area), buffer);
    canvas.field(layout.field.intersection(area), buffer);
    canvas.status(layout.status.intersection(area), buffer);
    canvas.filter(layout.bar.intersection(area), buffer);
    let body = layout.body.intersection(area);
    let mut cursor = None;
    for overlay in app.overlays() {
        match overlay {
            Overlay::Help(top) => canvas.page("help", overlay, *top, body, buffer),
            Overlay::Notices(top) => {
                canvas.page("warnings and notices", overlay, *top, body, buffer);
            }
            Overlay::Sockets(top) => canvas.page("sockets", overlay, *top, body, buffer),
            Overlay::Facets => canvas.facets(layout.facets.intersection(area), buffer),
            Overlay::Bar(bar) => cursor = canvas.bar(bar, area, buffer),
        }
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// The state, and how it looks.
#[derive(Clone, Copy)]
struct Canvas<'a> {
    app: &'a App,
    palette: Palette,
}

impl Canvas<'_> {
    /// The title of a pane; returns what is left of its area.
    fn title(&self, pane: Pane, title: Line<'_>, area: Rect, buffer: &mut Buffer) -> Rect {
        let focused = self.app.focus() == pane && self.app.overlays().is_empty();
        let part = if focused {
            Part::FocusedTitle
        } else {
            Part::Title
        };
        let row = Rect {
            height: area.height.min(1),
            ..area
        };
        buffer.set_style(row, self.palette.part(part));
        title.render(row, buffer);
        Rect {
            y: area.y + row.height,
            height: area.height - row.height,
            ..area
        }
    }

    fn selected(&self, pane: Pane) -> Style {
        self.palette.part(if self.app.focus() == pane {
            Part::Selected
        } else {
            Part::SelectedElsewhere
        })
    }

    fn spans<'s>(&self, spans: &'s [ExportSpan]) -> impl Iterator<Item = Span<'s>> {
        let palette = self.palette;
        spans
            .iter()
            .map(move |span| Span::styled(span.text.as_ref(), palette.text(span.role)))
    }

    fn layout(&self) -> Layout {
        self.app.layout()
    }
}

/// Draws a line, and says where it is cut.
fn put(line: &Line<'_>, area: Rect, buffer: &mut Buffer) {
    line.render(area, buffer);
    if line.width() > usize::from(area.width) {
        mark_cut(area, buffer);
    }
}

/// Says that a line goes on beyond its area.
fn mark_cut(area: Rect, buffer: &mut Buffer) {
    let Some(last) = area.right().checked_sub(1).filter(|_| !area.is_empty()) else {
        return;
    };
    // A character of two columns goes as a whole.
    let before = last.checked_sub(1).filter(|x| *x >= area.x);
    let wide = before.filter(|x| Span::raw(buffer[(*x, area.y)].symbol()).width() > 1);
    if let Some(x) = wide {
        buffer[(x, area.y)].set_symbol(" ");
    }
    buffer[(last, area.y)].set_symbol("…");
}

/// The rows of an area, from top to bottom.
fn rows(area: Rect) -> impl Iterator<Item = Rect> {
    (area.y..area.y.saturating_add(area.height)).map(move |y| Rect {
        y,
        height: 1,
        ..area
    })
}

/// `1234567` as `1,234,567`.
fn thousands(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
