//! The bytes of the selected message's frame.

use std::ops::Range;

use nlscope_dissector::export::{HexLine, Role, hex};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::theme::Part;
use super::{Canvas, rows};
use crate::app::{Pane, hex_column, text_column};

/// Bytes in a line of the export.
const LINE: u32 = 16;

/// Which bytes are marked.
struct Marks {
    header: Range<u32>,
    payload: Range<u32>,
    byte: Option<u32>,
}

impl Canvas<'_> {
    pub(super) fn hex(&self, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let selection = self.app.selection();
        let detail = self.app.detail();
        let frame = self.app.messages().frame(selection.message);
        let frame = frame.filter(|_| detail.is_some());
        let title = match &frame {
            Some(frame) => format!("frame {}, {} bytes", frame.number, frame.bytes.len()),
            None => "bytes".to_owned(),
        };
        let inside = self.title(Pane::Hex, Line::raw(title), area, buffer);
        let (Some(frame), Some(detail)) = (frame, detail) else {
            return;
        };
        let (header, payload) = detail.bytes(selection.node);
        let marks = Marks {
            header,
            payload,
            byte: (self.app.focus() == Pane::Hex).then_some(selection.byte),
        };
        let width = self.layout().bytes_in_row();
        let first = u32::try_from(self.app.top(Pane::Hex))
            .unwrap_or(u32::MAX)
            .saturating_mul(width);
        // The export's lines may be longer than those there is room for.
        let begin = first / LINE * LINE;
        let end = first.saturating_add(width.saturating_mul(u32::from(inside.height)));
        let lines = hex(
            detail.tape(),
            frame.bytes,
            begin..end.min(u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX)),
            &self.app.export_options(),
        );
        let halves = lines.flat_map(|line| pieces(line, width));
        let wanted = halves.skip_while(|(offset, _)| *offset < first);
        for ((offset, bytes), row) in wanted.zip(rows(inside)) {
            self.hex_row(offset, &bytes, &marks, row, buffer);
        }
    }

    fn hex_row(
        &self,
        offset: u32,
        bytes: &[Option<u8>],
        marks: &Marks,
        row: Rect,
        buffer: &mut Buffer,
    ) {
        let width = u16::try_from(self.layout().bytes_in_row()).unwrap_or(16);
        let mut put = |x: u16, text: &str, style: Style| {
            if x < row.width {
                buffer.set_stringn(row.x + x, row.y, text, usize::from(row.width - x), style);
            }
        };
        let dim = self.palette.text(Role::Aside);
        put(0, &format!("{offset:04x}"), dim);
        for ((column, at), byte) in (0_u16..).zip(offset..).zip(bytes) {
            let mark = self.mark(at, marks);
            let style = mark.unwrap_or_default();
            let (digits, text) = match byte {
                Some(byte) => (format!("{byte:02x}"), printable(*byte)),
                None => ("**".to_owned(), '.'),
            };
            let x = hex_column(column, width);
            put(x, &digits, style);
            // What is between two marked bytes is marked too.
            let joined = self.mark(at + 1, marks) == mark && usize::from(column) + 1 < bytes.len();
            if mark.is_some() && joined {
                put(
                    x + 2,
                    if column == 7 && width > 8 { "  " } else { " " },
                    style,
                );
            }
            let mut buffer = [0; 4];
            put(
                text_column(column, width),
                text.encode_utf8(&mut buffer),
                if mark.is_none() && text == '.' {
                    dim
                } else {
                    style
                },
            );
        }
    }

    fn mark(&self, at: u32, marks: &Marks) -> Option<Style> {
        let part = if marks.byte == Some(at) {
            Part::Byte
        } else if marks.header.contains(&at) {
            Part::Header
        } else if marks.payload.contains(&at) {
            Part::Payload
        } else {
            return None;
        };
        Some(self.palette.part(part))
    }
}

/// A line in pieces of `width` bytes, each with its offset; masked bytes are `None`.
fn pieces(line: HexLine<'_>, width: u32) -> Vec<(u32, Vec<Option<u8>>)> {
    let bytes: Vec<_> = line
        .bytes
        .iter()
        .enumerate()
        .map(|(at, byte)| (line.masked >> at & 1 == 0).then_some(*byte))
        .collect();
    bytes
        .chunks(width as usize)
        .zip((line.offset..).step_by(width as usize))
        .map(|(bytes, offset)| (offset, bytes.to_vec()))
        .collect()
}

fn printable(byte: u8) -> char {
    if matches!(byte, b' '..=b'~') {
        char::from(byte)
    } else {
        '.'
    }
}
