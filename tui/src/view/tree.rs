//! The selected message's fields.

use nlscope_dissector::export::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Canvas, put, rows};
use crate::app::{Detail, Pane, Shown};

/// How many fields of a closed node are shown beside it.
const PREVIEW: usize = 16;

impl Canvas<'_> {
    pub(super) fn tree(&self, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let inside = self.title(Pane::Tree, Line::raw("fields"), area, buffer);
        let Some(detail) = self.app.detail() else {
            return;
        };
        let shown = self.app.tree_lines();
        let cursor = detail.cursor(&shown, self.app.selection().node);
        let top = self.app.top(Pane::Tree);
        for ((at, line), area) in shown.iter().enumerate().skip(top).zip(rows(inside)) {
            if at == cursor {
                buffer.set_style(area, self.selected(Pane::Tree));
            }
            let line = self.tree_line(detail, *line, area.width, at == cursor);
            put(&line, area, buffer);
        }
    }

    fn tree_line<'d>(
        &self,
        detail: &'d Detail,
        shown: Shown,
        width: u16,
        selected: bool,
    ) -> Line<'d> {
        let mut spans = Vec::new();
        let Some(line) = detail.lines().get(shown.line).map(|line| &line.line) else {
            return Line::default();
        };
        let indent = if width < 60 { 1 } else { 2 };
        let deepest = usize::from(width) / 2;
        let indent = (usize::from(line.depth) * indent).min(deepest);
        let sign = match (line.has_children && !line.note, shown.closed) {
            (true, true) => "+ ",
            (true, false) => "- ",
            (false, _) => "  ",
        };
        spans.push(Span::raw(" ".repeat(indent)));
        spans.push(Span::styled(sign, self.palette.text(Role::Aside)));
        spans.extend(self.spans(&line.spans));
        if shown.closed {
            self.preview(detail, shown, &mut spans);
        }
        if selected {
            // Dim text is hard to read on a bright ground.
            for span in &mut spans {
                span.style = span.style.remove_modifier(ratatui::style::Modifier::DIM);
            }
        }
        Line::from(spans)
    }

    /// What a closed node holds, in short.
    fn preview<'d>(&self, detail: &'d Detail, shown: Shown, spans: &mut Vec<Span<'d>>) {
        let node = detail.node_of(shown);
        let next = detail.node(node).map_or(node, |node| node.next);
        let inside = detail
            .lines()
            .get(shown.line + 1..)
            .unwrap_or_default()
            .iter()
            .take_while(|line| line.line.node < next)
            .filter(|line| !line.line.note)
            .take(PREVIEW);
        for line in inside {
            spans.push(Span::raw("  "));
            let wanted = |role| !matches!(role, Role::Aside | Role::Hint);
            for span in line.line.spans.iter().filter(|span| wanted(span.role)) {
                let style = self.palette.text(Role::Aside);
                spans.push(Span::styled(span.text.as_ref(), style));
            }
        }
    }
}
