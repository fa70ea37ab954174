//! The list of messages.

use std::fmt::Write;

use nlscope_dissector::export::{COLUMNS, Role};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::{Canvas, mark_cut, rows};
use crate::app::{ListRow, Pane};

/// Which columns there is room for: least width of the list, by column of [`COLUMNS`].
const NEEDS: [u16; COLUMNS.len()] = [0, 88, 0, 60, 30, 150, 80];
/// What a column takes at most: what is longer is cut off.
const MOST: [usize; COLUMNS.len()] = [9, 20, 2, 14, 24, 20, 22];
/// What it takes at most in a list that is narrower than [`WIDE`], where columns are no wider
/// than what is on the screen.
const MOST_NARROW: [usize; COLUMNS.len()] = [7, 11, 2, 10, 16, 11, 15];
/// From how many columns on the list is wide.
const WIDE: u16 = 110;

impl Canvas<'_> {
    pub(super) fn list(&self, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let widths = self.widths(area.width);
        let inside = self.title(Pane::List, titles(&widths), area, buffer);
        if self.app.screen().is_empty() {
            self.nothing(inside, buffer);
        }
        for (row, area) in self.app.screen().iter().zip(rows(inside)) {
            if row.message == self.app.selection().message {
                buffer.set_style(area, self.selected(Pane::List));
            }
            self.row(row, &widths, area, buffer);
        }
    }

    /// The widths of the columns, 0 for those without room.
    fn widths(&self, width: u16) -> [usize; COLUMNS.len()] {
        let mut widths = [0; COLUMNS.len()];
        for (at, column) in COLUMNS.iter().enumerate() {
            if width < NEEDS[at] {
                continue;
            }
            let texts = self.app.screen().iter().map(|row| &row.line.columns[at]);
            let longest = texts
                .map(|span| Span::raw(span.text.as_ref()).width())
                .max();
            let (least, most) = if width < WIDE {
                (0, MOST_NARROW[at])
            } else {
                (column.width, MOST[at])
            };
            let title = column.title.len().min(most);
            widths[at] = longest.unwrap_or(0).max(least).max(title).min(most);
        }
        widths
    }

    fn row(&self, row: &ListRow, widths: &[usize], area: Rect, buffer: &mut Buffer) {
        let mut x = area.x;
        let right = area.right();
        for ((span, column), width) in row.line.columns.iter().zip(COLUMNS).zip(widths) {
            if *width == 0 || x >= right {
                continue;
            }
            let text = Span::styled(span.text.as_ref(), self.palette.text(span.role));
            let long = text.width() > *width;
            let pad = if column.right {
                width.saturating_sub(text.width())
            } else {
                0
            };
            let start = x.saturating_add(clip(pad)).min(right);
            let room = clip(*width - pad).min(right - start);
            let place = Rect::new(start, area.y, room, 1);
            if long && span.role == Role::Group {
                let end = without_beginning(&span.text, *width);
                let text = Span::styled(end, self.palette.text(span.role));
                buffer.set_span(start, area.y, &text, room);
            } else {
                buffer.set_span(start, area.y, &text, room);
                if long {
                    mark_cut(place, buffer);
                }
            }
            x = x.saturating_add(clip(*width + 1));
        }
        if x < right {
            self.summary(row, Rect::new(x, area.y, right - x, 1), buffer);
        }
    }

    fn summary(&self, row: &ListRow, area: Rect, buffer: &mut Buffer) {
        let mut spans = Vec::new();
        if row.times > 1 {
            let times = format!("x{} ", row.times);
            spans.push(Span::styled(times, self.palette.text(Role::Hint)));
        }
        spans.extend(self.spans(&row.line.summary));
        let line = Line::from(spans);
        let shift = clip(self.app.shift());
        let width = line.width();
        if shift == 0 {
            line.render(area, buffer);
        } else {
            shifted(&line, shift, area, buffer);
        }
        if width.saturating_sub(usize::from(shift)) > usize::from(area.width) {
            mark_cut(area, buffer);
        }
    }

    fn nothing(&self, area: Rect, buffer: &mut Buffer) {
        let app = self.app;
        let text = if app.messages().count() == 0 {
            if app.live().is_on() {
                "nobody has said anything over netlink yet"
            } else {
                "no messages yet"
            }
        } else if app.rows().scanned() < app.messages().count() {
            "filtering"
        } else {
            "no message passes the filter and the facets; x shows all"
        };
        Line::styled(text, self.palette.text(Role::Aside)).render(area, buffer);
    }
}

/// A name of a group cut to so many columns. Names of groups begin alike, so their end is
/// kept, and the mark of what is inferred.
fn without_beginning(name: &str, width: usize) -> String {
    let mark = if name.starts_with('~') { "~…" } else { "…" };
    let kept = width.saturating_sub(mark.chars().count());
    let count = name.chars().count();
    let skipped = count.saturating_sub(kept);
    let end: String = name.chars().skip(skipped).collect();
    // A piece of a word says nothing.
    let before = skipped.checked_sub(1).and_then(|at| name.chars().nth(at));
    match end.split_once('_').filter(|_| before != Some('_')) {
        Some((_, words)) if !words.is_empty() => format!("{mark}{words}"),
        _ => format!("{mark}{end}"),
    }
}

/// Draws a line without its first `shift` columns.
fn shifted(line: &Line<'_>, shift: u16, area: Rect, buffer: &mut Buffer) {
    let wide = Rect::new(0, 0, area.width.saturating_add(shift), 1);
    let mut whole = Buffer::empty(wide);
    line.render(wide, &mut whole);
    for x in 0..area.width {
        if let (Some(from), Some(to)) = (
            whole.cell((x + shift, 0)),
            buffer.cell_mut((area.x + x, area.y)),
        ) {
            to.set_symbol(from.symbol()).set_style(from.style());
        }
    }
}

fn titles(widths: &[usize]) -> Line<'static> {
    let mut text = String::new();
    for (column, width) in COLUMNS.iter().zip(widths) {
        if *width == 0 {
            continue;
        }
        let title: String = column.title.chars().take(*width).collect();
        // Writing to a string does not fail.
        let _ = if column.right {
            write!(text, "{title:>width$} ")
        } else {
            write!(text, "{title:<width$} ")
        };
    }
    text.push_str("summary");
    Line::raw(text)
}

fn clip(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}
