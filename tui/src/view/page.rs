//! Pages of text: the help, which is made from the table of keys, and the notices.

use nlscope_dissector::export::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Widget, Wrap};

use super::Canvas;
use super::theme::Part;
use crate::keymap::{BINDINGS, Mode};

/// Columns of the keys.
const KEYS_WIDTH: usize = 20;

/// What the help says of the mouse, and of what the screen shows.
const NOTES: [(&str, &str); 11] = [
    ("click", "selects a row, a field, a byte; switches a facet"),
    ("wheel", "moves in what it is over"),
    ("->  <-  **", "to the kernel, from it, to all who listen"),
    ("~GROUP", "a group that is inferred, not observed"),
    (
        "ip[907]",
        "the program with that port and its process id; ~ip[907]: inferred",
    ),
    ("x3", "one multicast, seen by three listeners"),
    (
        "[no answer]",
        "a request whose answer is not in the capture",
    ),
    (
        "[no request]",
        "an answer whose request is not in the capture",
    ),
    ("[malformed]", "not what the schema or the lengths say"),
    ("(guess)", "attributes recognised by their shape alone"),
    ("+  -", "a closed and an open node"),
];

/// How many lines the help has.
#[must_use]
pub(crate) fn help_lines() -> usize {
    // Each mode has a title, and so has the rest; empty lines come in between.
    BINDINGS.len() + NOTES.len() + 2 * (Mode::ALL.len() + 1) - 1
}

impl Canvas<'_> {
    pub(super) fn help(&self, top: usize, area: Rect, buffer: &mut Buffer) {
        let mut lines = Vec::new();
        for (mode, title) in Mode::ALL {
            lines.push(Line::styled(title, self.palette.text(Role::Message)));
            let bindings = BINDINGS.iter().filter(|binding| binding.mode == mode);
            lines.extend(bindings.map(|binding| self.entry(binding.keys(), binding.help)));
            lines.push(Line::default());
        }
        let title = "The mouse, and what the screen says";
        lines.push(Line::styled(title, self.palette.text(Role::Message)));
        lines.extend(NOTES.map(|(what, means)| self.entry(what.to_owned(), means)));
        self.page("help", lines, top, area, buffer);
    }

    pub(super) fn notices(&self, top: usize, area: Rect, buffer: &mut Buffer) {
        let mut lines: Vec<_> = self
            .app
            .notices()
            .iter()
            .map(|text| Line::raw(text.as_str()))
            .collect();
        if lines.is_empty() {
            lines.push(Line::raw("none"));
        }
        self.page("warnings and notices", lines, top, area, buffer);
    }

    fn entry(&self, keys: String, words: &'static str) -> Line<'static> {
        let pad = KEYS_WIDTH.saturating_sub(keys.chars().count()).max(1);
        Line::from(vec![
            Span::raw("  "),
            Span::styled(keys, self.palette.text(Role::Name)),
            Span::raw(" ".repeat(pad)),
            Span::raw(words),
        ])
    }

    /// A page of text over the panes, from line `top` on.
    pub(super) fn page(
        &self,
        title: &'static str,
        lines: Vec<Line<'_>>,
        top: usize,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        if area.is_empty() {
            return;
        }
        Clear.render(area, buffer);
        buffer.set_style(area, self.palette.part(Part::Overlay));
        let row = Rect { height: 1, ..area };
        buffer.set_style(row, self.palette.part(Part::FocusedTitle));
        Line::raw(format!("{title}: esc closes")).render(row, buffer);
        let inside = Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        };
        let lines: Vec<_> = lines.into_iter().skip(top).collect();
        Paragraph::new(lines)
            .wrap(Wrap { trim: false })
            .render(inside, buffer);
    }
}
