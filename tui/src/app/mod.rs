//! The state of the interface, and what changes it. Nothing here draws, reads or writes:
//! events come in as [`Action`]s and [`SourceEvent`](crate::source::SourceEvent)s, and what only the outside can do
//! goes out as an [`Effect`].

mod action;
mod bar;
mod detail;
mod facets;
mod jump;
mod layout;
mod live;
mod messages;
mod mouse;
mod notices;
mod panes;
mod rows;
mod seek;
mod typing;
mod work;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use nlscope_dissector::capture::Time;
use nlscope_dissector::context::{Context, MessageView};
use nlscope_dissector::export::{Line, Options as ExportOptions, Role, TimeFormat};
use nlscope_dissector::filter::{Filter, FilterError};
use nlscope_dissector::schema::Schema;
use nlscope_dissector::tape::NodeIndex;
use nlscope_dissector::value::{NoNames, Show};

pub(crate) use action::{Action, Edit, Effect, FacetChange, Fold, Motion, Way};
pub(crate) use bar::{Bar, Purpose};
pub(crate) use detail::{Detail, Folds, Shown};
pub(crate) use facets::{FacetRow, Facets};
pub(crate) use layout::{FACETS_HEAD, Layout, Pane};
pub(crate) use live::{Live, Relation as SocketRelation};
pub(crate) use messages::Messages;
pub(crate) use mouse::{hex_column, text_column};
pub(crate) use notices::Notice;
pub(crate) use rows::Rows;

use crate::keymap::Mode;
use crate::source::SourceError;
use notices::Notices;
use seek::Seek;

/// When a slice of work ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// After this long.
    #[must_use]
    pub(crate) fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// Whether it has come.
    #[must_use]
    pub(crate) fn is_over(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}

/// How the interface begins.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// What is shown: the name of a file.
    pub title: String,
    /// A filter to begin with; empty for none.
    pub filter: String,
    /// The tables.
    pub schema: Arc<Schema>,
    /// Generic netlink ids that are given.
    pub genl: Vec<(u16, String)>,
    /// Numbers instead of names.
    pub numeric: bool,
    /// Key material is masked.
    pub redact: bool,
    /// How times are written.
    pub time: TimeFormat,
    /// The messages come as they are sent, and never end: about how many bytes of them
    /// are kept. `None` for a capture that is read.
    pub live: Option<usize>,
}

impl Settings {
    /// Those of a capture that is read and where nothing else is asked for.
    pub(crate) fn usual(title: &str, schema: Arc<Schema>) -> Self {
        Self {
            title: title.to_owned(),
            filter: String::new(),
            schema,
            genl: Vec::new(),
            numeric: false,
            redact: false,
            time: TimeFormat::Relative,
            live: None,
        }
    }
}

/// What is selected; tree and bytes are two views of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Selection {
    /// A message.
    pub message: u32,
    /// A node of its tape.
    pub node: NodeIndex,
    /// A byte of its frame.
    pub byte: u32,
}

/// What lies on top of the panes.
#[derive(Debug)]
pub(crate) enum Overlay {
    /// The help, from this line on.
    Help(usize),
    /// Warnings and notices, from this line on.
    Notices(usize),
    /// The facet lists.
    Facets,
    /// The sockets, from this line on.
    Sockets(usize),
    /// A line being typed.
    Bar(Bar),
}

/// How the source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It reads: bytes so far, and of how many.
    Yes(u64, Option<u64>),
    /// It captures.
    Live,
    /// It ended.
    Ended(Result<(), SourceError>),
}

/// A row of the list that is on the screen.
#[derive(Debug)]
pub(crate) struct ListRow {
    /// The message.
    pub message: u32,
    /// What it says.
    pub line: Line,
    /// How many copies it stands for.
    pub times: u32,
}

/// How values are written.
#[derive(Debug, Clone, Copy)]
struct Wording {
    numeric: bool,
    redact: bool,
    time: TimeFormat,
}

/// The interface.
#[derive(Debug)]
pub(crate) struct App {
    title: String,
    messages: Messages,
    facets: Facets,
    rows: Rows,
    selection: Selection,
    detail: Option<Detail>,
    /// Something about the selected message turned out since it was dissected.
    stale: bool,
    /// The list was begun anew since the selected message was in it for sure.
    astray: bool,
    folds: Folds,
    focus: Pane,
    zoom: bool,
    size: (u16, u16),
    /// First row on the screen, by pane.
    top: [usize; 3],
    /// How many columns the summaries are shifted.
    shift: usize,
    screen: Vec<ListRow>,
    overlays: Vec<Overlay>,
    seek: Option<Seek>,
    /// The text searched for last.
    sought: String,
    /// Where jumps began.
    jumps: Vec<u32>,
    reading: Reading,
    notices: Notices,
    /// What time it is, while a machine is watched.
    now: Option<Time>,
    /// The name of a file that could not be written.
    refused_name: Option<String>,
    /// The answer to the last action.
    said: Option<(Role, String)>,
    wording: Wording,
    /// How many generic netlink ids were known when the list was begun.
    known_ids: usize,
    live: Live,
}

impl App {
    /// Nothing read yet.
    ///
    /// # Errors
    ///
    /// The filter to begin with is wrong.
    pub(crate) fn new(settings: Settings) -> Result<Self, FilterError> {
        let filter = Filter::parse(&settings.filter, &settings.schema)?;
        let mut context = Context::new(settings.schema);
        for (id, name) in &settings.genl {
            context.learn_genl(*id, name);
        }
        let mut rows = Rows::default();
        rows.set_filter(settings.filter, Some(filter));
        Ok(Self {
            title: settings.title,
            known_ids: context.ids().len(),
            messages: Messages::new(context, settings.live),
            live: Live::new(settings.live.is_some()),
            facets: Facets::default(),
            rows,
            selection: Selection::default(),
            detail: None,
            stale: false,
            astray: true,
            folds: Folds::default(),
            focus: Pane::List,
            zoom: false,
            size: (80, 24),
            top: [0; 3],
            shift: 0,
            screen: Vec::new(),
            overlays: Vec::new(),
            seek: None,
            sought: String::new(),
            jumps: Vec::new(),
            reading: match settings.live {
                Some(_) => Reading::Live,
                None => Reading::Yes(0, None),
            },
            notices: Notices::default(),
            now: None,
            refused_name: None,
            said: None,
            wording: Wording {
                numeric: settings.numeric,
                redact: settings.redact,
                time: settings.time,
            },
        })
    }

    /// Does what `action` says.
    pub(crate) fn update(&mut self, action: Action) -> Effect {
        self.said = None;
        let effect = match action {
            Action::Quit => Effect::Quit,
            Action::Suspend => Effect::Suspend,
            Action::Redraw => Effect::Redraw,
            Action::Accept => self.accept(),
            Action::Save => self.save(),
            Action::Record if self.live.is_on() => Effect::Record,
            Action::Record => {
                self.say(
                    Role::Hint,
                    "only what is captured live can be recorded; S saves",
                );
                Effect::None
            }
            _ => {
                let before = self.selection.message;
                self.change(action);
                let last =
                    matches!(action, Action::Move(Motion::Last)) && self.mode() == Mode::List;
                if last || self.selection.message != before {
                    self.follow_or_stay();
                }
                Effect::None
            }
        };
        self.settle();
        effect
    }

    fn change(&mut self, action: Action) {
        match action {
            Action::Help => self.overlays.push(Overlay::Help(0)),
            Action::Notices => self.overlays.push(Overlay::Notices(0)),
            Action::Facets => self.overlays.push(Overlay::Facets),
            Action::Sockets => self.overlays.push(Overlay::Sockets(0)),
            Action::Close => self.close(),
            Action::Focus(way) => self.turn(way),
            Action::Zoom => self.zoom = !self.zoom,
            Action::Move(motion) => self.go(motion),
            Action::Fold(fold) => self.fold(fold),
            Action::Filter => self.type_filter(self.rows.filter_text().to_owned()),
            Action::FilterBySelected => self.filter_by_selected(),
            Action::ShowAll => self.show_all(),
            Action::Search => self.type_search(),
            Action::SearchAgain(way) => self.search_again(way),
            Action::SeekError(way) => self.seek(seek::Target::Error, way),
            Action::SeekMalformed(way) => self.seek(seek::Target::Malformed, way),
            Action::GoRequest => self.go_request(),
            Action::GoAnswer => self.go_answer(),
            Action::GoBack => self.go_back(),
            Action::FoldCopies => {
                self.rows.toggle_fold();
                self.astray = true;
            }
            Action::NextTime => self.next_time(),
            Action::Numbers => {
                self.wording.numeric = !self.wording.numeric;
                self.stale = true;
            }
            Action::Edit(edit) => self.edit(edit),
            Action::Complete(way) => self.complete(way),
            Action::Facet(change) => self.change_facet(change),
            Action::Click(x, y) => self.click(x, y),
            Action::Wheel(x, y, way) => self.wheel(x, y, way),
            Action::Resize(width, height) => {
                self.size = (width, height);
                self.turn_page(Motion::Left);
            }
            Action::Quit
            | Action::Suspend
            | Action::Redraw
            | Action::Accept
            | Action::Record
            | Action::Save => {}
        }
    }

    /// Where keys go.
    #[must_use]
    pub(crate) fn mode(&self) -> Mode {
        match self.overlays.last() {
            Some(Overlay::Help(_) | Overlay::Notices(_) | Overlay::Sockets(_)) => Mode::Page,
            Some(Overlay::Facets) => Mode::Facets,
            Some(Overlay::Bar(_)) => Mode::Bar,
            None => match self.focus {
                Pane::List => Mode::List,
                Pane::Tree => Mode::Tree,
                Pane::Hex => Mode::Hex,
            },
        }
    }

    fn close(&mut self) {
        if self.overlays.pop().is_none() && self.seek.take().is_none() {
            self.focus = Pane::List;
        }
    }

    fn next_time(&mut self) {
        self.wording.time = match self.wording.time {
            TimeFormat::Relative => TimeFormat::Delta(None),
            TimeFormat::Delta(_) => TimeFormat::Absolute,
            TimeFormat::Absolute => TimeFormat::Epoch,
            TimeFormat::Epoch => TimeFormat::Relative,
        };
        self.stale = true;
    }

    fn show_all(&mut self) {
        self.facets.reset();
        self.set_filter(String::new(), None);
    }

    fn set_filter(&mut self, text: String, filter: Option<Filter>) {
        self.rows.set_filter(text, filter);
        self.astray = true;
    }

    fn change_facet(&mut self, change: FacetChange) {
        self.facets.change(change, &self.messages);
        self.rows.restart();
        self.astray = true;
    }

    fn say(&mut self, role: Role, text: impl Into<String>) {
        self.said = Some((role, text.into()));
    }

    /// How messages are written, but for the names that each has at its time
    /// ([`at_its_time`]).
    #[must_use]
    pub(crate) fn export_options(&self) -> ExportOptions<'_> {
        ExportOptions {
            show: Show {
                names: &NoNames,
                numeric: self.wording.numeric,
                redact: self.wording.redact,
            },
            time: self.wording.time,
            first_time: self.messages.first_time(),
            ..ExportOptions::PLAIN
        }
    }
}

/// Calls `write` with `options` and the names that held when the message was sent.
pub(crate) fn at_its_time<T>(
    view: &MessageView<'_>,
    options: &ExportOptions<'_>,
    write: impl FnOnce(&ExportOptions<'_>) -> T,
) -> T {
    let names = view.head.context.names_at(view.head.frame);
    let show = Show {
        names: &names,
        ..options.show
    };
    write(&ExportOptions { show, ..*options })
}

/// What the view looks at.
impl App {
    /// What is shown.
    #[must_use]
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// Everything read.
    #[must_use]
    pub(crate) fn messages(&self) -> &Messages {
        &self.messages
    }

    /// What is in the list.
    #[must_use]
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The rows of the list that are on the screen.
    #[must_use]
    pub(crate) fn screen(&self) -> &[ListRow] {
        &self.screen
    }

    /// What is selected.
    #[must_use]
    pub(crate) fn selection(&self) -> Selection {
        self.selection
    }

    /// The selected message.
    #[must_use]
    pub(crate) fn detail(&self) -> Option<&Detail> {
        self.detail.as_ref()
    }

    /// The lines of the tree that are not folded away.
    #[must_use]
    pub(crate) fn tree_lines(&self) -> Vec<Shown> {
        self.detail
            .as_ref()
            .map(|detail| detail.shown(&self.folds, self.selection.node))
            .unwrap_or_default()
    }

    /// The pane that keys go to.
    #[must_use]
    pub(crate) fn focus(&self) -> Pane {
        self.focus
    }

    /// First row on the screen.
    #[must_use]
    pub(crate) fn top(&self, pane: Pane) -> usize {
        self.top[pane as usize]
    }

    /// How many columns the summaries are shifted to the left.
    #[must_use]
    pub(crate) fn shift(&self) -> usize {
        self.shift
    }

    /// What lies on top, the uppermost last.
    #[must_use]
    pub(crate) fn overlays(&self) -> &[Overlay] {
        &self.overlays
    }

    /// The facet lists.
    #[must_use]
    pub(crate) fn facets(&self) -> &Facets {
        &self.facets
    }

    /// What there is beside messages while a machine is watched.
    #[must_use]
    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    /// How the source stands.
    #[must_use]
    pub(crate) fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Warnings and notices.
    #[must_use]
    pub(crate) fn notices(&self) -> &[Notice] {
        self.notices.all()
    }

    /// The answer to the last action.
    #[must_use]
    pub(crate) fn said(&self) -> Option<(Role, &str)> {
        self.said
            .as_ref()
            .map(|(role, text)| (*role, text.as_str()))
    }

    /// What is being searched for, and the message looked at last.
    #[must_use]
    pub(crate) fn seeking(&self) -> Option<(String, u32)> {
        self.seek
            .as_ref()
            .map(|seek| (seek.target().name(), seek.at()))
    }

    /// Where everything is.
    #[must_use]
    pub(crate) fn layout(&self) -> Layout {
        let alone = self.zoom.then_some(self.focus);
        Layout::new(self.size.0, self.size.1, alone, self.focus)
    }
}
