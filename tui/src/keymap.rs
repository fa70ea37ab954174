//! Which key does what, as a table; the help screen is made from the same table.

use std::fmt::Write;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::app::{Action, Edit, FacetChange, Fold, Motion, Way};

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In any pane.
    Panes,
    /// In the list.
    List,
    /// In the tree.
    Tree,
    /// In the bytes.
    Hex,
    /// In the filter or search line.
    Bar,
    /// In the facet lists.
    Facets,
    /// In a page of text: help, notices.
    Page,
}

impl Mode {
    /// Modes with what the help screen calls them, in its order.
    pub(crate) const ALL: [(Mode, &'static str); 7] = [
        (Mode::Panes, "Everywhere"),
        (Mode::List, "In the list"),
        (Mode::Tree, "In the tree"),
        (Mode::Hex, "In the bytes"),
        (Mode::Bar, "While typing a filter or a search"),
        (Mode::Facets, "In the facets"),
        (Mode::Page, "In this help and in notices"),
    ];

    /// Whether what is bound in [`Mode::Panes`] holds here too.
    #[must_use]
    pub(crate) fn is_pane(self) -> bool {
        matches!(self, Mode::List | Mode::Tree | Mode::Hex)
    }
}

/// A key with the control key held or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    code: KeyCode,
    ctrl: bool,
}

impl Key {
    fn matches(self, event: KeyEvent) -> bool {
        self.code == event.code
            && self.ctrl == event.modifiers.contains(KeyModifiers::CONTROL)
            && !event.modifiers.contains(KeyModifiers::ALT)
    }

    fn write(self, out: &mut String) {
        if self.ctrl {
            out.push_str("ctrl-");
        }
        let name = match self.code {
            KeyCode::Char(' ') => "space",
            KeyCode::Char(c) => {
                out.push(c);
                return;
            }
            KeyCode::Up => "up",
            KeyCode::Down => "down",
            KeyCode::Left => "left",
            KeyCode::Right => "right",
            KeyCode::PageUp => "page-up",
            KeyCode::PageDown => "page-down",
            KeyCode::Home => "home",
            KeyCode::End => "end",
            KeyCode::Tab => "tab",
            KeyCode::BackTab => "shift-tab",
            KeyCode::Enter => "enter",
            KeyCode::Esc => "esc",
            KeyCode::Backspace => "backspace",
            KeyCode::Delete => "delete",
            KeyCode::F(number) => {
                // Writing to a string does not fail.
                let _ = write!(out, "F{number}");
                return;
            }
            _ => "?",
        };
        out.push_str(name);
    }
}

const fn c(c: char) -> Key {
    k(KeyCode::Char(c))
}

const fn ctrl(c: char) -> Key {
    Key {
        code: KeyCode::Char(c),
        ctrl: true,
    }
}

const fn k(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    /// Where it holds.
    pub mode: Mode,
    keys: &'static [Key],
    /// What it does.
    pub action: Action,
    /// What it does, in words.
    pub help: &'static str,
}

impl Binding {
    /// The names of its keys: `j, down`.
    #[must_use]
    pub(crate) fn keys(&self) -> String {
        let mut text = String::new();
        for key in self.keys {
            if !text.is_empty() {
                text.push_str(", ");
            }
            key.write(&mut text);
        }
        text
    }
}

const fn b(mode: Mode, keys: &'static [Key], action: Action, help: &'static str) -> Binding {
    Binding {
        mode,
        keys,
        action,
        help,
    }
}

const UP: Key = k(KeyCode::Up);
const DOWN: Key = k(KeyCode::Down);
const LEFT: Key = k(KeyCode::Left);
const RIGHT: Key = k(KeyCode::Right);
const PAGE_UP: Key = k(KeyCode::PageUp);
const PAGE_DOWN: Key = k(KeyCode::PageDown);
const HOME: Key = k(KeyCode::Home);
const END: Key = k(KeyCode::End);
const TAB: Key = k(KeyCode::Tab);
const BACK_TAB: Key = k(KeyCode::BackTab);
const ENTER: Key = k(KeyCode::Enter);
const ESC: Key = k(KeyCode::Esc);
const BACKSPACE: Key = k(KeyCode::Backspace);

use Mode::{Bar, Facets, Hex, List, Page, Panes, Tree};

/// Every key.
#[rustfmt::skip]
pub(crate) static BINDINGS: &[Binding] = &[
    b(Panes, &[c('?'), k(KeyCode::F(1))], Action::Help, "this help"),
    b(Panes, &[c('q'), ctrl('c')], Action::Quit, "quit"),
    b(Panes, &[ctrl('z')], Action::Suspend, "suspend; fg comes back"),
    b(Panes, &[ctrl('l')], Action::Redraw, "draw the screen anew"),
    b(Panes, &[TAB, c('l')], Action::Focus(Way::Forward), "to the next pane"),
    b(Panes, &[BACK_TAB, c('h')], Action::Focus(Way::Back), "to the pane before"),
    b(Panes, &[c('z')], Action::Zoom, "this pane alone, or all three"),
    b(Panes, &[c('j'), DOWN], Action::Move(Motion::Down), "one down"),
    b(Panes, &[c('k'), UP], Action::Move(Motion::Up), "one up"),
    b(Panes, &[PAGE_DOWN, ctrl('d')], Action::Move(Motion::PageDown), "a page down"),
    b(Panes, &[PAGE_UP, ctrl('u')], Action::Move(Motion::PageUp), "a page up"),
    b(Panes, &[c('g'), HOME], Action::Move(Motion::First), "to the first"),
    b(Panes, &[c('G'), END], Action::Move(Motion::Last), "to the last"),
    b(Panes, &[c('/')], Action::Filter, "filter: what is in the list"),
    b(Panes, &[c('=')], Action::FilterBySelected, "filter by the selected field and its value"),
    b(Panes, &[c('x')], Action::ShowAll, "no filter, all facets on"),
    b(Panes, &[c('f')], Action::Facets, "facets: protocols, families, ports and groups on and off"),
    b(Panes, &[c('s'), ctrl('f')], Action::Search, "search in summaries and fields"),
    b(Panes, &[c('n')], Action::SearchAgain(Way::Forward), "to the next match"),
    b(Panes, &[c('N')], Action::SearchAgain(Way::Back), "to the match before"),
    b(Panes, &[c('r')], Action::GoRequest, "to the request that is answered here"),
    b(Panes, &[c('t')], Action::GoAnswer, "to the end of the answer: reply, acknowledgement, error"),
    b(Panes, &[c('e')], Action::SeekError(Way::Forward), "to the next error"),
    b(Panes, &[c('E')], Action::SeekError(Way::Back), "to the error before"),
    b(Panes, &[c('w')], Action::SeekMalformed(Way::Forward), "to the next malformed message"),
    b(Panes, &[c('W')], Action::SeekMalformed(Way::Back), "to the malformed message before"),
    b(Panes, &[BACKSPACE, ctrl('o')], Action::GoBack, "back to before the last jump"),
    b(Panes, &[c('c')], Action::FoldCopies, "copies of a multicast in one row, or each"),
    b(Panes, &[c('T')], Action::NextTime, "times: since the first frame, since the row before, UTC, 1970"),
    b(Panes, &[c('#')], Action::Numbers, "numbers instead of names, or names"),
    b(Panes, &[c('p')], Action::Sockets, "live: the netlink sockets and their programs, who listens, what happened"),
    b(Panes, &[c('R')], Action::Record, "live: record to a file from now on, or stop"),
    b(Panes, &[c('S')], Action::Save, "save the messages in the list in a file"),
    b(Panes, &[c('!')], Action::Notices, "warnings and notices"),
    b(Panes, &[ESC], Action::Close, "stop searching; back to the list"),

    b(List, &[ENTER], Action::Focus(Way::Forward), "to the tree"),
    b(List, &[LEFT], Action::Move(Motion::Left), "summaries to the left"),
    b(List, &[RIGHT], Action::Move(Motion::Right), "summaries to the right"),

    b(Tree, &[c(' '), ENTER], Action::Fold(Fold::Toggle), "open or close what is below"),
    b(Tree, &[LEFT], Action::Fold(Fold::Close), "close; again: to what holds it"),
    b(Tree, &[RIGHT], Action::Fold(Fold::Open), "open; again: to what is in it"),

    b(Hex, &[LEFT], Action::Move(Motion::Left), "to the byte before"),
    b(Hex, &[RIGHT], Action::Move(Motion::Right), "to the next byte"),
    b(Hex, &[ENTER], Action::Focus(Way::Back), "to the tree"),

    b(Bar, &[ENTER], Action::Accept, "apply"),
    b(Bar, &[ESC, ctrl('c')], Action::Close, "leave it as it was"),
    b(Bar, &[TAB, DOWN], Action::Complete(Way::Forward), "complete; again: the next proposal"),
    b(Bar, &[BACK_TAB, UP], Action::Complete(Way::Back), "the proposal before"),
    b(Bar, &[LEFT, ctrl('b')], Action::Edit(Edit::Left), "left"),
    b(Bar, &[RIGHT], Action::Edit(Edit::Right), "right"),
    b(Bar, &[HOME, ctrl('a')], Action::Edit(Edit::Home), "to the beginning"),
    b(Bar, &[END, ctrl('e')], Action::Edit(Edit::End), "to the end"),
    b(Bar, &[BACKSPACE, ctrl('h')], Action::Edit(Edit::Backspace), "delete to the left"),
    b(Bar, &[k(KeyCode::Delete), ctrl('d')], Action::Edit(Edit::Delete), "delete to the right"),
    b(Bar, &[ctrl('w')], Action::Edit(Edit::Word), "delete the word to the left"),
    b(Bar, &[ctrl('u')], Action::Edit(Edit::Clear), "delete everything to the left"),

    b(Facets, &[c(' '), ENTER], Action::Facet(FacetChange::Toggle), "on or off"),
    b(Facets, &[c('o')], Action::Facet(FacetChange::Only), "only this one"),
    b(Facets, &[c('a')], Action::Facet(FacetChange::All), "all of this list"),
    b(Facets, &[c('j'), DOWN], Action::Move(Motion::Down), "one down"),
    b(Facets, &[c('k'), UP], Action::Move(Motion::Up), "one up"),
    b(Facets, &[PAGE_DOWN, TAB], Action::Move(Motion::PageDown), "to the next list"),
    b(Facets, &[PAGE_UP, BACK_TAB], Action::Move(Motion::PageUp), "to the list before"),
    b(Facets, &[c('g'), HOME], Action::Move(Motion::First), "to the first"),
    b(Facets, &[c('G'), END], Action::Move(Motion::Last), "to the last"),
    b(Facets, &[c('f'), c('q'), ESC, ctrl('c')], Action::Close, "back"),

    b(Page, &[c('j'), DOWN], Action::Move(Motion::Down), "one down"),
    b(Page, &[c('k'), UP], Action::Move(Motion::Up), "one up"),
    b(Page, &[PAGE_DOWN, c(' ')], Action::Move(Motion::PageDown), "a page down"),
    b(Page, &[PAGE_UP], Action::Move(Motion::PageUp), "a page up"),
    b(Page, &[c('g'), HOME], Action::Move(Motion::First), "to the beginning"),
    b(Page, &[c('G'), END], Action::Move(Motion::Last), "to the end"),
    b(Page, &[c('?'), c('!'), c('p'), c('q'), ESC, ENTER, ctrl('c')], Action::Close, "back"),
];

/// What a key does in a mode.
#[must_use]
pub(crate) fn action(mode: Mode, event: KeyEvent) -> Option<Action> {
    let bound = |mode: Mode| {
        BINDINGS
            .iter()
            .filter(move |binding| binding.mode == mode)
            .find(|binding| binding.keys.iter().any(|key| key.matches(event)))
    };
    let found = bound(mode).or_else(|| mode.is_pane().then(|| bound(Panes))?);
    if let Some(binding) = found {
        return Some(binding.action);
    }
    match event.code {
        KeyCode::Char(c) if mode == Bar && !control(event) => Some(Action::Edit(Edit::Insert(c))),
        _ => None,
    }
}

fn control(event: KeyEvent) -> bool {
    event
        .modifiers
        .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_meaning_in_a_mode() {
        for (at, one) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[at + 1..] {
                if one.mode != other.mode {
                    continue;
                }
                for key in one.keys {
                    assert!(!other.keys.contains(key), "{key:?} twice in {:?}", one.mode);
                }
            }
        }
    }

    #[test]
    fn every_key_has_a_name_and_every_action_words() {
        for binding in BINDINGS {
            assert!(!binding.keys().contains("?, ?"), "{binding:?}");
            assert!(!binding.keys().is_empty() && !binding.help.is_empty());
        }
    }
}
