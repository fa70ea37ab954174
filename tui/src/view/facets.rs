//! The facet lists.

use nlscope_dissector::export::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::theme::Part;
use super::{Canvas, rows, thousands};
use crate::app::FacetRow;

impl Canvas<'_> {
    pub(super) fn facets(&self, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        Clear.render(area, buffer);
        buffer.set_style(area, self.palette.part(Part::Overlay));
        let mut areas = rows(area);
        let Some(title) = areas.next() else {
            return;
        };
        buffer.set_style(title, self.palette.part(Part::FocusedTitle));
        Line::raw("facets: tab to the next, esc closes").render(title, buffer);
        if let Some(hint) = areas.next() {
            let style = self.palette.text(Role::Aside);
            Line::styled("space on/off  o only  a all", style).render(hint, buffer);
        }
        let all = self.app.facets().rows(self.app.messages());
        let cursor = self.app.facets().cursor(&all);
        let top = self.app.facets().top;
        for ((at, row), area) in all.iter().enumerate().skip(top).zip(areas) {
            if at == cursor {
                buffer.set_style(area, self.palette.part(Part::Selected));
            }
            self.facet(row, area, buffer);
        }
    }

    fn facet(&self, row: &FacetRow, area: Rect, buffer: &mut Buffer) {
        let (name, count, on) = match row {
            FacetRow::Title(title) => {
                Line::styled(*title, self.palette.text(Role::Message)).render(area, buffer);
                return;
            }
            FacetRow::Entry {
                name, count, on, ..
            } => (name, thousands(*count), *on),
        };
        let role = if on { Role::Plain } else { Role::Aside };
        let style = self.palette.text(role);
        let line = Line::from(vec![
            Span::styled(if on { " [x] " } else { " [ ] " }, style),
            Span::styled(name.as_str(), style),
        ]);
        let width = u16::try_from(count.len()).unwrap_or(0) + 1;
        let left = Rect {
            width: area.width.saturating_sub(width),
            ..area
        };
        line.render(left, buffer);
        let right = Rect {
            x: left.right(),
            width: area.width - left.width,
            ..area
        };
        Line::styled(count, self.palette.text(Role::Aside))
            .right_aligned()
            .render(right, buffer);
    }
}
