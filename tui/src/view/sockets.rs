//! The netlink sockets, what they have to do with the selected message, and what happened
//! to them.

use nlscope_dissector::export::Role;
use ratatui::text::{Line, Span};

use super::Canvas;
use super::page::Entry;
use crate::app::SocketRelation;
use crate::sockets::{Words, in_order};

impl Canvas<'_> {
    /// All sockets, and what happened to them.
    pub(super) fn socket_lines(&self) -> Vec<Entry> {
        let words = Words(self.app.messages().context());
        let sockets = in_order(self.app.live().sockets().filter(|it| !it.is_kernel()));
        let (titles, rows) = words.table(&sockets);
        let style = |role| self.palette.text(role);
        // Groups stand below groups.
        let groups = 2 + titles.find("groups").unwrap_or(0);
        let titles = Line::styled(format!("  {titles}"), style(Role::Label));
        let mut lines = vec![Entry::of(titles)];
        for (socket, row) in sockets.into_iter().zip(rows) {
            let (mark, role) = match self.app.relation(socket) {
                SocketRelation::Listens => ("> ", Role::Group),
                SocketRelation::Process => ("* ", Role::Port),
                SocketRelation::None => ("  ", Role::Plain),
            };
            let line = Line::from(vec![
                Span::styled(mark, style(Role::Hint)),
                Span::styled(row, style(role)),
            ]);
            lines.push(Entry::hanging(line, groups));
        }
        let legend = "  > has joined the group of the selected message, * is of its program";
        lines.push(Entry::hanging(Line::styled(legend, style(Role::Aside)), 4));
        lines.push(Entry::of(Line::default()));
        let title = Line::styled("  what happened, the latest first", style(Role::Label));
        lines.push(Entry::of(title));
        lines.extend(self.app.live().events().rev().map(|event| self.told(event)));
        lines
    }
}
