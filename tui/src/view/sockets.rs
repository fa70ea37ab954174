//! The netlink sockets, what they have to do with the selected message, and what happened
//! to them.

use nlscope_dissector::export::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Canvas;
use crate::app::SocketRelation;
use crate::sockets::Words;

impl Canvas<'_> {
    /// A page with all sockets, from line `top` on.
    pub(super) fn sockets(&self, top: usize, area: Rect, buffer: &mut Buffer) {
        self.page("sockets", self.socket_lines(), top, area, buffer);
    }

    fn socket_lines(&self) -> Vec<Line<'static>> {
        let words = Words(self.app.messages().context());
        let sockets = || self.app.live().sockets().filter(|it| it.key.port != 0);
        let (titles, rows) = words.table(sockets());
        let style = |role| self.palette.text(role);
        let mut lines = vec![Line::styled(format!("  {titles}"), style(Role::Label))];
        for (socket, row) in sockets().zip(rows) {
            let (mark, role) = match self.app.relation(socket) {
                SocketRelation::Listens => ("> ", Role::Group),
                SocketRelation::Process => ("* ", Role::Port),
                SocketRelation::None => ("  ", Role::Plain),
            };
            lines.push(Line::from(vec![
                Span::styled(mark, style(Role::Hint)),
                Span::styled(row, style(role)),
            ]));
        }
        let legend = "  > has joined the group of the selected message, * is of its program";
        lines.push(Line::styled(legend, style(Role::Aside)));
        lines.push(Line::default());
        lines.push(Line::styled(
            "  what happened, the latest first",
            style(Role::Label),
        ));
        let events = self.app.live().events().rev();
        lines.extend(events.map(|event| Line::raw(format!("  {event}"))));
        lines
    }
}
