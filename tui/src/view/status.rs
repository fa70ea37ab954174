//! The filter at the top, and the two rows at the bottom.

use std::fmt::Write;

use nlscope_dissector::export::Role;
use nlscope_dissector::schema::{Type, base};
use nlscope_dissector::text::Escaped;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::theme::Part;
use super::{Canvas, put, thousands};
use crate::app::{Bar, Purpose, Reading};

/// How many completions are shown at once.
const PROPOSALS: usize = 8;

impl Canvas<'_> {
    /// The filter that is applied.
    pub(super) fn filter(&self, area: Rect, buffer: &mut Buffer) {
        let text = self.app.rows().filter_text();
        let facets = !self.app.facets().all_on();
        let line = if text.is_empty() {
            let hint = "no filter; / filters, f facets, s searches, ? helps, q quits";
            Line::styled(hint, self.palette.text(Role::Aside))
        } else {
            let text = Escaped(text.as_bytes()).to_string();
            buffer.set_style(area, self.palette.part(Part::Valid));
            Line::raw(format!("filter: {text}"))
        };
        let line = if facets {
            let mark = Span::styled("[facets off] ", self.palette.text(Role::Hint));
            let mut spans = vec![mark];
            spans.extend(line.spans.into_iter().map(|span| span.style(line.style)));
            Line::from(spans)
        } else {
            line
        };
        line.render(area, buffer);
    }

    /// The line being typed; returns where the cursor stands.
    pub(super) fn bar(&self, bar: &Bar, screen: Rect, buffer: &mut Buffer) -> Option<Position> {
        let area = Rect {
            height: screen.height.min(1),
            ..screen
        };
        if area.is_empty() {
            return None;
        }
        let (label, part) = match (bar.purpose(), bar.error()) {
            (Purpose::Search, _) => ("search: ", Part::Status),
            (Purpose::Save, _) => ("save the list in: ", Part::Status),
            (Purpose::Filter, None) => ("filter: ", Part::Valid),
            (Purpose::Filter, Some(_)) => ("filter: ", Part::Invalid),
        };
        Clear.render(area, buffer);
        buffer.set_style(area, self.palette.part(part));
        let label_width = width(label);
        let room = area.width.saturating_sub(label_width + 1);
        // Of a long line the part before the cursor is shown.
        let before = width(bar.text().get(..bar.cursor()).unwrap_or_default());
        let shift = before.saturating_sub(room);
        buffer.set_string(area.x, area.y, label, self.palette.part(part));
        let skipped = skip_columns(bar.text(), shift);
        buffer.set_stringn(
            area.x + label_width.min(area.width),
            area.y,
            skipped,
            usize::from(room),
            self.palette.part(part),
        );
        let left = |byte: usize| {
            let column = width(bar.text().get(..byte).unwrap_or(bar.text()));
            label_width + column.saturating_sub(shift).min(room)
        };
        let below = self.mistake(bar, &left, screen, buffer);
        self.proposals(bar, left(bar.word_start()), screen, below, buffer);
        Some(Position::new(left(bar.cursor()).min(area.width - 1), 0))
    }

    /// What is wrong with the filter, under its place; returns the row below.
    fn mistake(
        &self,
        bar: &Bar,
        left: &impl Fn(usize) -> u16,
        screen: Rect,
        buffer: &mut Buffer,
    ) -> u16 {
        let Some(error) = bar.error().filter(|_| screen.height > 2) else {
            return 1;
        };
        let area = Rect {
            y: 1,
            height: 1,
            ..screen
        };
        Clear.render(area, buffer);
        let style = self.palette.text(Role::Error);
        let start = left(error.span.start);
        let carets = left(error.span.end).saturating_sub(start).max(1);
        let mut text = error.message.clone();
        if let Some(suggestion) = &error.suggestion {
            let _ = write!(text, "; did you mean {suggestion}?");
        }
        let text = Escaped(text.as_bytes()).to_string();
        let after = start.saturating_add(carets).saturating_add(1);
        let carets = "^".repeat(usize::from(carets));
        buffer.set_stringn(start, 1, carets, usize::from(screen.width - start), style);
        let needed = width(&text);
        let at = if after.saturating_add(needed) <= screen.width {
            after
        } else if needed < start {
            start - needed - 1
        } else if screen.height > 4 {
            return self.mistake_below(&text, screen, buffer);
        } else {
            0
        };
        buffer.set_stringn(
            at,
            1,
            text,
            usize::from(screen.width.saturating_sub(at)),
            style,
        );
        2
    }

    fn mistake_below(&self, text: &str, screen: Rect, buffer: &mut Buffer) -> u16 {
        let area = Rect {
            y: 2,
            height: 1,
            ..screen
        };
        Clear.render(area, buffer);
        Line::styled(text, self.palette.text(Role::Error)).render(area, buffer);
        3
    }

    fn proposals(&self, bar: &Bar, left: u16, screen: Rect, top: u16, buffer: &mut Buffer) {
        let (all, chosen) = bar.completions();
        let room = usize::from(screen.height.saturating_sub(top + 1)).min(PROPOSALS);
        let first = chosen.map_or(0, |at| (at + 1).saturating_sub(room));
        let shown = all.get(first..).unwrap_or_default();
        let shown = &shown[..shown.len().min(room)];
        let names = shown.iter().map(|one| width(&one.text)).max().unwrap_or(0);
        let abouts = shown.iter().map(|one| width(&one.about)).max().unwrap_or(0);
        let wanted = names.saturating_add(abouts).saturating_add(4);
        let left = left.min(screen.width.saturating_sub(wanted));
        let total = wanted.min(screen.width);
        for ((at, one), y) in (first..).zip(shown).zip(top..) {
            let area = Rect::new(left, y, total, 1);
            Clear.render(area, buffer);
            let part = if chosen == Some(at) {
                Part::Selected
            } else {
                Part::Status
            };
            buffer.set_style(area, self.palette.part(part));
            let pad = usize::from(names.saturating_sub(width(&one.text))) + 2;
            let text = Escaped(one.text.as_bytes()).to_string();
            let about = Escaped(one.about.as_bytes()).to_string();
            Line::from(vec![
                Span::raw(" "),
                Span::raw(text),
                Span::raw(" ".repeat(pad)),
                Span::styled(about, self.palette.text(Role::Aside)),
            ])
            .render(area, buffer);
        }
    }

    /// The selected field: its path, its name, its type, its value, its bytes.
    pub(super) fn field(&self, area: Rect, buffer: &mut Buffer) {
        buffer.set_style(area, self.palette.part(Part::Status));
        let selection = self.app.selection();
        let frame = self.app.messages().frame(selection.message);
        let (Some(frame), Some(detail)) = (frame, self.app.detail()) else {
            return;
        };
        let Some(node) = detail.tape().at(frame.bytes, selection.node) else {
            return;
        };
        let field = node.field();
        let plain = |text: String| Span::styled(text, self.palette.text(Role::Aside));
        let is_message = std::ptr::eq(field, &raw const base::MESSAGE);
        let path = match node.number().filter(|_| field.uapi.is_empty()) {
            Some(number) => format!("attribute {number}"),
            None if is_message => field.name.to_owned(),
            None => node.path(),
        };
        let mut spans = vec![Span::styled(path, self.palette.text(Role::Name))];
        if field.uapi != field.name && !field.uapi.is_empty() {
            spans.push(plain(format!("  {}", field.uapi)));
        }
        if !is_message {
            spans.push(plain(format!("  {}", type_name(&field.ty))));
        }
        let (start, len) = (node.node().start, node.node().len);
        let bytes = match len {
            0 => format!("  byte {start}, empty"),
            1 => format!("  byte {start}"),
            _ => format!("  bytes {start}..{}", u64::from(start) + u64::from(len)),
        };
        spans.push(plain(bytes));
        put(&Line::from(spans), area, buffer);
    }

    /// Counts, progress, what there is to say.
    pub(super) fn status(&self, area: Rect, buffer: &mut Buffer) {
        buffer.set_style(area, self.palette.part(Part::Status));
        let parts = self.parts();
        let (role, text) = self.left_of_status();
        let answers = self.app.said().is_some() || self.app.seeking().is_some();
        let wanted = if answers { width(&text) } else { 0 };
        let mut spans = Vec::new();
        for (part, text) in parts.iter().zip(chosen(&parts, area.width, wanted)) {
            if text.is_empty() {
                continue;
            }
            if !spans.is_empty() {
                spans.push(Span::styled(BETWEEN, self.palette.text(Role::Plain)));
            }
            spans.push(Span::styled(text, self.palette.text(part.role)));
        }
        let right = Line::from(spans);
        let taken = u16::try_from(right.width()).unwrap_or(u16::MAX);
        right.right_aligned().render(area, buffer);
        let left = Rect {
            width: area.width.saturating_sub(taken.saturating_add(1)),
            ..area
        };
        put(&Line::styled(text, self.palette.text(role)), left, buffer);
    }

    /// What the status line says at its right, from left to right.
    fn parts(&self) -> Vec<Told> {
        let app = self.app;
        let mut parts = Vec::new();
        match app.reading() {
            Reading::Yes(read, Some(total)) if *total > 0 => {
                let text = format!("reading {}%", percent(*read, *total));
                parts.push(Told::new(3, text));
            }
            Reading::Yes(read, _) => {
                let text = format!("reading, {} bytes", thousands(*read));
                parts.push(Told::new(3, text));
            }
            Reading::Live | Reading::Ended(_) => {}
        }
        if app.live().is_on() {
            let dropped = app.live().dropped();
            let short = format!("{} dropped", thousands(dropped));
            let long = match app.reading() {
                Reading::Live => format!("live, {short}"),
                _ => short.clone(),
            };
            let role = if dropped > 0 {
                Role::Warning
            } else {
                Role::Plain
            };
            parts.push(Told {
                role,
                ..Told::new(0, long).or(short)
            });
        }
        if let Some((path, frames)) = app.live().recording() {
            let frames = thousands(frames);
            let long = format!("recording {}, {frames}", file_name(path));
            parts.push(Told::new(1, long).or(format!("recording {frames}")));
        }
        if app.live().follows() {
            parts.push(Told::new(5, "following".to_owned()));
        }
        let (frames, fed) = app.messages().frames();
        if fed < frames {
            let text = format!("loading {}%", percent(fed as u64, frames as u64));
            parts.push(Told::new(3, text));
        }
        let (scanned, all) = (app.rows().scanned(), app.messages().count());
        if scanned < all && app.rows().selects(app.facets()) {
            let done = percent(u64::from(scanned), u64::from(all));
            parts.push(Told::new(3, format!("filtering {done}%")));
        }
        let gone = app.messages().gone();
        if gone > 0 {
            let text = format!("the oldest {} left the view", thousands(gone));
            parts.push(Told::new(6, text));
        }
        let shown = app.rows().visible().len();
        let (shown_text, all_text) = (thousands(shown), thousands(all));
        parts.push(if shown == all as usize {
            Told::new(2, all_text)
        } else {
            Told::new(2, format!("{shown_text} of {all_text}")).or(format!("{shown}/{all}"))
        });
        if app.rows().hides_copies() {
            parts.push(Told::new(7, "copies folded".to_owned()));
        }
        if !app.notices().is_empty() {
            parts.push(Told::new(4, format!("! {}", app.notices().len())));
        }
        parts
    }

    fn left_of_status(&self) -> (Role, String) {
        let app = self.app;
        if let Some((role, text)) = app.said() {
            return (role, text.to_owned());
        }
        if let Some((target, at)) = app.seeking() {
            let target = Escaped(target.as_bytes()).to_string();
            let frame = app.messages().record(at).map_or(0, |record| record.frame);
            let frame = thousands(frame);
            return (
                Role::Hint,
                format!("looking for {target}, at frame {frame}; esc stops"),
            );
        }
        let title = Escaped(app.title().as_bytes()).to_string();
        (Role::Aside, title)
    }
}

/// What stands between two parts of the status line.
const BETWEEN: &str = " · ";
/// Longest name of a file.
const NAME_WIDTH: usize = 24;

/// A part of the status line.
struct Told {
    /// What goes before what where there is little room: 0 is first.
    rank: u8,
    role: Role,
    long: String,
    /// What is said where the long form finds no room.
    short: String,
}

impl Told {
    fn new(rank: u8, text: String) -> Self {
        Self {
            rank,
            role: Role::Plain,
            short: text.clone(),
            long: text,
        }
    }

    fn or(self, short: String) -> Self {
        Self { short, ..self }
    }
}

/// What is said of each part on a line of `room` columns, of which an answer wants so many: the
/// long form, the short one, or nothing. Only what is of rank 0 goes before an answer.
fn chosen(parts: &[Told], room: u16, wanted: u16) -> Vec<&str> {
    let mut order: Vec<_> = (0..parts.len()).collect();
    order.sort_by_key(|at| parts[*at].rank);
    let mut texts = vec![""; parts.len()];
    let mut left = i32::from(room);
    let between = i32::from(width(BETWEEN));
    let cost = |text: &str| i32::from(width(text)) + between;
    // The first of them has nothing before it.
    left += between;
    let mut wanted = i32::from(wanted);
    for at in &order {
        let part = &parts[*at];
        if part.rank > 0 {
            // It stands a column apart.
            left -= wanted + i32::from(wanted > 0);
            wanted = 0;
        }
        if cost(&part.short) <= left {
            texts[*at] = &part.short;
            left -= cost(&part.short);
        }
    }
    left -= wanted;
    for at in order {
        let part = &parts[at];
        let more = cost(&part.long) - cost(texts[at]);
        if !texts[at].is_empty() && more <= left {
            texts[at] = &part.long;
            left -= more;
        }
    }
    texts
}

/// The name of a file without its folder; of a long one the beginning and the end.
fn file_name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = Escaped(name.as_bytes()).to_string();
    let count = name.chars().count();
    if count <= NAME_WIDTH {
        return name;
    }
    let half = NAME_WIDTH / 2;
    let begin: String = name.chars().take(half - 1).collect();
    let end: String = name.chars().skip(count - half).collect();
    format!("{begin}…{end}")
}

fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100) / whole.max(1)
}

fn width(text: &str) -> u16 {
    u16::try_from(Span::raw(text).width()).unwrap_or(u16::MAX)
}

/// The text without its first columns.
fn skip_columns(text: &str, columns: u16) -> &str {
    let mut ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.find(|end| width(&text[..*end]) >= columns);
    if columns == 0 {
        text
    } else {
        end.map_or("", |end| &text[end..])
    }
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Int { bytes, signed } => {
            format!(
                "{}{}",
                if *signed { 's' } else { 'u' },
                u16::from(*bytes) * 8
            )
        }
        Type::VarInt { signed: false } => "uint".to_owned(),
        Type::VarInt { signed: true } => "sint".to_owned(),
        Type::Bitfield32 => "bitfield32".to_owned(),
        Type::Flag => "flag".to_owned(),
        Type::String => "string".to_owned(),
        Type::Binary => "binary".to_owned(),
        Type::Members => "struct".to_owned(),
        Type::Struct(of) => format!("struct {}", of.name),
        Type::Array { .. } => "array".to_owned(),
        Type::Nest { .. } => "nest".to_owned(),
        Type::Elements { .. } => "elements".to_owned(),
        Type::Indexed { .. } => "indexed array".to_owned(),
        Type::TypeValue { .. } => "nest by value".to_owned(),
        Type::SubMessage { .. } => "sub-message".to_owned(),
        Type::BitUnit { .. } => "bits".to_owned(),
        Type::Bits { width, .. } => format!("{width} bits"),
        Type::Pad => "padding".to_owned(),
        Type::Unused => "unused".to_owned(),
        Type::Custom { .. } => "own format".to_owned(),
    }
}
