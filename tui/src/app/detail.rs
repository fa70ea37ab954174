//! The selected message, dissected: what the tree and the bytes show.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use nlscope_dissector::export::{Options, TreeLine, tree};
use nlscope_dissector::schema::base;
use nlscope_dissector::tape::{Node, NodeIndex, Tape};

use super::at_its_time;
use super::messages::{Messages, Tapes};

/// The place of a node in a tree, alike in messages of the same shape.
type Place = u64;

/// Which nodes are closed. It holds for all messages, so that going through the list
/// keeps the tree as it was made.
#[derive(Debug, Default)]
pub(crate) struct Folds {
    closed: HashSet<Place>,
    /// Headers, closed until somebody opens them.
    opened: HashSet<Place>,
}

impl Folds {
    fn is_closed(&self, line: &DetailLine) -> bool {
        if line.header {
            !self.opened.contains(&line.place)
        } else {
            self.closed.contains(&line.place)
        }
    }

    fn set(&mut self, line: &DetailLine, closed: bool) {
        let (set, put) = if line.header {
            (&mut self.opened, !closed)
        } else {
            (&mut self.closed, closed)
        };
        if put {
            set.insert(line.place);
        } else {
            set.remove(&line.place);
        }
    }
}

/// A line of the tree.
#[derive(Debug)]
pub(crate) struct DetailLine {
    /// What it says.
    pub line: TreeLine,
    place: Place,
    /// A header that every message has.
    header: bool,
}

/// A message, dissected.
#[derive(Debug)]
pub(crate) struct Detail {
    /// The message.
    pub message: u32,
    tape: Tape,
    lines: Vec<DetailLine>,
    mark: NodeIndex,
}

/// A line of the tree that is on show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Index in [`Detail::lines`].
    pub line: usize,
    /// What is below is hidden.
    pub closed: bool,
}

impl Detail {
    /// Dissects a message.
    #[must_use]
    pub(crate) fn new(messages: &Messages, message: u32, options: &Options<'_>) -> Option<Self> {
        let mut tapes = Tapes::default();
        let (mark, lines) = messages.view(message, &mut tapes, |view| {
            let nodes = view.tape.nodes();
            let mut places = Places::default();
            let lines = at_its_time(view, options, |options| {
                tree(view, options)
                    .map(|line| DetailLine {
                        place: places.enter(&line, nodes),
                        header: is_header(&line, nodes),
                        line,
                    })
                    .collect()
            });
            (view.mark.node, lines)
        })?;
        Some(Self {
            message,
            tape: tapes.into_own(),
            lines,
            mark,
        })
    }

    /// The nodes.
    #[must_use]
    pub(crate) fn tape(&self) -> &Tape {
        &self.tape
    }

    /// All lines of the tree, the closed ones too.
    #[must_use]
    pub(crate) fn lines(&self) -> &[DetailLine] {
        &self.lines
    }

    /// The message's own node.
    #[must_use]
    pub(crate) fn message_node(&self) -> NodeIndex {
        self.mark
    }

    /// A node.
    #[must_use]
    pub(crate) fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.tape.nodes().get(index as usize)
    }

    /// The bytes of a node: its header, if it has one, and the rest.
    #[must_use]
    pub(crate) fn bytes(&self, index: NodeIndex) -> (Range<u32>, Range<u32>) {
        let Some(node) = self.node(index) else {
            return (0..0, 0..0);
        };
        let end = node.start.saturating_add(node.len);
        let payload = node.start + node.flags.header_len().min(node.len);
        (node.start..payload, payload..end)
    }

    /// The lines on show. A closed node is open as long as something in it is selected.
    #[must_use]
    pub(crate) fn shown(&self, folds: &Folds, selected: NodeIndex) -> Vec<Shown> {
        let mut shown = Vec::new();
        // What lies strictly between these is hidden.
        let (mut closed, mut until) = (0, 0);
        for (at, line) in self.lines.iter().enumerate() {
            let node = line.line.node;
            if node > closed && node < until {
                continue;
            }
            let next = self.node(node).map_or(node, |node| node.next);
            let inside = node < selected && selected < next;
            let is_closed =
                line.line.has_children && !line.line.note && !inside && folds.is_closed(line);
            if is_closed {
                (closed, until) = (node, next);
            }
            shown.push(Shown {
                line: at,
                closed: is_closed,
            });
        }
        shown
    }

    /// Which of the lines on show is that of the selected node, or of the innermost one
    /// around it.
    #[must_use]
    pub(crate) fn cursor(&self, shown: &[Shown], selected: NodeIndex) -> usize {
        let holds = |shown: &Shown| {
            let line = &self.lines[shown.line].line;
            let next = self.node(line.node).map_or(0, |node| node.next);
            !line.note && line.node <= selected && selected < next
        };
        shown.iter().rposition(holds).unwrap_or(0)
    }

    /// The node of a line on show.
    #[must_use]
    pub(crate) fn node_of(&self, shown: Shown) -> NodeIndex {
        self.lines.get(shown.line).map_or(0, |line| line.line.node)
    }

    /// Opens or closes the node of a line on show.
    pub(crate) fn fold(&self, folds: &mut Folds, shown: Shown, closed: bool) {
        if let Some(line) = self.lines.get(shown.line) {
            folds.set(line, closed);
        }
    }

    /// The line that holds another.
    #[must_use]
    pub(crate) fn parent(&self, shown: Shown) -> Option<NodeIndex> {
        let depth = self.lines.get(shown.line)?.line.depth;
        let above = self.lines.get(..shown.line)?;
        let parent = above
            .iter()
            .rfind(|line| !line.line.note && line.line.depth < depth)?;
        Some(parent.line.node)
    }
}

fn is_header(line: &TreeLine, nodes: &[Node]) -> bool {
    let field = nodes.get(line.node as usize).map(|node| node.field);
    let headers = [
        &raw const base::COOKED,
        &raw const base::COOKED2,
        &raw const base::NLMSGHDR,
        &raw const base::GENLMSGHDR_STRUCT.field,
    ];
    field.is_some_and(|field| headers.iter().any(|header| std::ptr::eq(*header, field)))
}

/// Gives every line of a tree its place, in order.
#[derive(Default)]
struct Places {
    /// The place of the innermost open node of each depth, and how often each field was
    /// met directly below it.
    open: Vec<(Place, HashMap<usize, usize>)>,
}

impl Places {
    fn enter(&mut self, line: &TreeLine, nodes: &[Node]) -> Place {
        let Some(node) = nodes.get(line.node as usize).filter(|_| !line.note) else {
            return 0;
        };
        let field = std::ptr::from_ref(node.field).addr();
        let depth = usize::from(line.depth);
        self.open.truncate(depth);
        self.open.resize_with(depth, Default::default);
        let mut hasher = DefaultHasher::new();
        if let Some((holder, met)) = self.open.last_mut() {
            let ordinal = met.entry(field).or_default();
            (*holder, *ordinal).hash(&mut hasher);
            *ordinal += 1;
        }
        field.hash(&mut hasher);
        let place = hasher.finish();
        self.open.push((place, HashMap::new()));
        place
    }
}
