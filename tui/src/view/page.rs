//! Pages of text: the help, which is made from the table of keys, the notices, the sockets.

use nlscope_dissector::export::{Role, TimeFormat, clock};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::theme::Part;
use super::{Canvas, Palette, rows};
use crate::app::{App, Notice, Overlay};
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

/// A line of a page, and how far its further rows are indented where it is longer than the
/// page is wide.
pub(super) struct Entry {
    line: Line<'static>,
    indent: usize,
}

impl Entry {
    /// A line that is indented as it begins.
    pub(super) fn of(line: Line<'static>) -> Self {
        Self { line, indent: 0 }
    }

    /// A line with its further rows indented.
    pub(super) fn hanging(line: Line<'static>, indent: usize) -> Self {
        Self { line, indent }
    }

    /// The rows of it on a page of so many columns: broken between words, and between the
    /// names of a list.
    fn rows(&self, width: usize) -> Vec<Line<'static>> {
        let width = width.max(1);
        let text: Vec<_> = self.line.spans.iter().flat_map(pieces).collect();
        let mut rows = Vec::new();
        let mut rest = &text[..];
        let mut indent = 0;
        loop {
            let room = width.saturating_sub(indent).max(1);
            let fits = fitting(rest, room);
            let end = if fits == rest.len() {
                fits
            } else {
                broken(rest, fits).unwrap_or(fits.max(1))
            };
            let (row, after) = rest.split_at(end);
            rows.push(joined(row, indent, self.line.style));
            let blank = after.iter().take_while(|(c, _)| *c == ' ').count();
            rest = &after[blank..];
            if rest.is_empty() {
                return rows;
            }
            // On a narrow page the names would stand in a narrow column.
            indent = self.indent.min(width / 2);
        }
    }
}

/// The characters of a span.
fn pieces<'s>(span: &'s Span<'_>) -> impl Iterator<Item = (char, Style)> + 's {
    span.content.chars().map(|c| (c, span.style))
}

/// How many characters fit into so many columns.
fn fitting(text: &[(char, Style)], columns: usize) -> usize {
    let mut used = 0;
    let fits = |(c, _): &&(char, Style)| {
        used += Span::raw(c.encode_utf8(&mut [0; 4]).to_owned()).width();
        used <= columns
    };
    text.iter().take_while(fits).count()
}

/// The last place to break a line of which so many characters fit.
fn broken(text: &[(char, Style)], fits: usize) -> Option<usize> {
    let begin = text.iter().position(|(c, _)| *c != ' ')?;
    let is = |at: usize, wanted: char| text.get(at).is_some_and(|(c, _)| *c == wanted);
    (begin + 1..=fits)
        .rev()
        .find(|at| is(*at, ' ') || is(at - 1, ' ') || is(at - 1, ','))
}

fn joined(text: &[(char, Style)], indent: usize, style: Style) -> Line<'static> {
    let mut spans = vec![Span::raw(" ".repeat(indent))];
    for part in text.chunk_by(|(_, one), (_, other)| one == other) {
        let style = part.first().map(|(_, style)| *style).unwrap_or_default();
        let part: String = part.iter().map(|(c, _)| *c).collect();
        spans.push(Span::styled(part, style));
    }
    Line::from(spans).style(style)
}

/// How many rows a page of text has on so many columns.
#[must_use]
pub(crate) fn page_rows(app: &App, overlay: &Overlay, width: u16) -> usize {
    // Colours take no room.
    let palette = Palette::None;
    let lines = Canvas { app, palette }.page_lines(overlay);
    let rows = lines.iter().map(|line| line.rows(usize::from(width)).len());
    rows.sum()
}

impl Canvas<'_> {
    /// What stands on a page of text; nothing on what is none.
    fn page_lines(&self, overlay: &Overlay) -> Vec<Entry> {
        match overlay {
            Overlay::Help(_) => self.help(),
            Overlay::Notices(_) => self.notices(),
            Overlay::Sockets(_) => self.socket_lines(),
            Overlay::Facets | Overlay::Bar(_) => Vec::new(),
        }
    }

    fn help(&self) -> Vec<Entry> {
        let title = |title| Entry::of(Line::styled(title, self.palette.text(Role::Message)));
        let mut lines = Vec::new();
        for (mode, name) in Mode::ALL {
            lines.push(title(name));
            let bindings = BINDINGS.iter().filter(|binding| binding.mode == mode);
            lines.extend(bindings.map(|binding| self.entry(binding.keys(), binding.help)));
            lines.push(Entry::of(Line::default()));
        }
        lines.push(title("The mouse, and what the screen says"));
        lines.extend(NOTES.map(|(what, means)| self.entry(what.to_owned(), means)));
        lines
    }

    fn notices(&self) -> Vec<Entry> {
        let notices = self.app.notices().iter();
        let lines: Vec<_> = notices.map(|notice| self.told(notice)).collect();
        if lines.is_empty() {
            return vec![Entry::of(Line::raw("none"))];
        }
        lines
    }

    /// What was told, after its time.
    pub(super) fn told(&self, notice: &Notice) -> Entry {
        let mut spans = vec![Span::raw("  ")];
        if let Some(time) = notice.time {
            let mut options = self.app.export_options();
            if matches!(options.time, TimeFormat::Delta(_)) {
                options.time = TimeFormat::Relative;
            }
            let time = clock(Some(time), &options);
            spans.push(Span::styled(time, self.palette.text(Role::Time)));
            spans.push(Span::raw(" "));
        }
        spans.push(Span::raw(notice.text.clone()));
        Entry::hanging(Line::from(spans), 4)
    }

    fn entry(&self, keys: String, words: &'static str) -> Entry {
        let pad = KEYS_WIDTH.saturating_sub(keys.chars().count()).max(1);
        let line = Line::from(vec![
            Span::raw("  "),
            Span::styled(keys, self.palette.text(Role::Name)),
            Span::raw(" ".repeat(pad)),
            Span::raw(words),
        ]);
        Entry::hanging(line, 2 + KEYS_WIDTH)
    }

    /// A page of text over the panes, from row `top` on.
    pub(super) fn page(
        &self,
        title: &'static str,
        overlay: &Overlay,
        top: usize,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        if area.is_empty() {
            return;
        }
        Clear.render(area, buffer);
        buffer.set_style(area, self.palette.part(Part::Overlay));
        let mut areas = rows(area);
        if let Some(row) = areas.next() {
            buffer.set_style(row, self.palette.part(Part::FocusedTitle));
            Line::raw(format!("{title}: esc closes")).render(row, buffer);
        }
        let lines = self.page_lines(overlay);
        let rows = lines
            .iter()
            .flat_map(|line| line.rows(usize::from(area.width)));
        for (line, row) in rows.skip(top).zip(areas) {
            line.render(row, buffer);
        }
    }
}
