//! Going through the list for something, in slices.

use nlscope_dissector::context::MessageView;
use nlscope_dissector::export::{Options, Span, line, refused, tree};
use nlscope_dissector::note::{NoteKind, Severity};
use nlscope_dissector::tape::{NodeFlags, NodeIndex};

use super::action::Way;
use super::messages::{Messages, Tapes};
use super::{Deadline, at_its_time};

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Text in the summary or a line of the tree.
    Text(String),
    /// An answer with an errno.
    Error,
    /// A warning about the bytes.
    Malformed,
}

impl Target {
    /// What it is called when it is not found.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        match self {
            Target::Text(text) => format!("\"{text}\""),
            Target::Error => "error".to_owned(),
            Target::Malformed => "malformed message".to_owned(),
        }
    }
}

/// A search under way.
#[derive(Debug)]
pub(crate) struct Seek {
    target: Target,
    way: Way,
    /// The message looked at last.
    at: u32,
    /// Where it began; coming back there ends it.
    from: u32,
    wrapped: bool,
}

/// What was found in a message.
struct Hit {
    /// The field, if it is not the message as a whole.
    node: Option<NodeIndex>,
}

/// How a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// There.
    At {
        /// The message.
        message: u32,
        /// The field, if it is not the message as a whole.
        node: Option<NodeIndex>,
        /// The search went past an end of the list.
        wrapped: bool,
    },
    /// Nowhere.
    Nowhere,
    /// It goes on.
    Later,
}

impl Seek {
    /// Looks from the message after (or before) `from`.
    #[must_use]
    pub(crate) fn new(target: Target, way: Way, from: u32) -> Self {
        Self {
            target,
            way,
            at: from,
            from,
            wrapped: false,
        }
    }

    /// What is looked for.
    #[must_use]
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The message looked at last.
    #[must_use]
    pub(crate) fn at(&self) -> u32 {
        self.at
    }

    /// Looks at further messages of `visible` until `deadline`.
    pub(crate) fn go_on(
        &mut self,
        messages: &Messages,
        visible: &[u32],
        options: &Options<'_>,
        deadline: Deadline,
    ) -> Found {
        let mut tapes = Tapes::default();
        while let Some(message) = self.step(visible) {
            let hit = match &self.target {
                Target::Error => messages
                    .head(message, |head| head.errno().is_some_and(|errno| errno != 0))
                    .filter(|is_error| *is_error)
                    .and_then(|_| messages.view(message, &mut tapes, refused_node)),
                Target::Malformed => messages.view(message, &mut tapes, malformed).flatten(),
                Target::Text(text) => messages
                    .view(message, &mut tapes, |view| {
                        at_its_time(view, options, |options| find(text, view, options))
                    })
                    .flatten(),
            };
            if let Some(hit) = hit {
                return Found::At {
                    message,
                    node: hit.node,
                    wrapped: self.wrapped,
                };
            }
            if deadline.is_over() {
                return Found::Later;
            }
        }
        Found::Nowhere
    }

    /// The next message to look at.
    fn step(&mut self, visible: &[u32]) -> Option<u32> {
        let beyond = |wrapped: bool, from: u32, to: u32| match self.way {
            Way::Forward => wrapped && to > from,
            Way::Back => wrapped && to < from,
        };
        let next = match self.way {
            Way::Forward => visible.get(visible.partition_point(|one| *one <= self.at)),
            Way::Back => visible[..visible.partition_point(|one| *one < self.at)].last(),
        };
        let next = match next {
            Some(next) => *next,
            None if self.wrapped => return None,
            None => {
                self.wrapped = true;
                *match self.way {
                    Way::Forward => visible.first(),
                    Way::Back => visible.last(),
                }?
            }
        };
        if beyond(self.wrapped, self.from, next) {
            return None;
        }
        self.at = next;
        Some(next)
    }
}

/// The attribute that an error refuses, where the error quotes it; else what the kernel
/// says.
fn refused_node(view: &MessageView<'_>) -> Hit {
    let at = refused(view).and_then(|refused| refused.at);
    let quoted = at.filter(|at| std::ptr::eq(at.tape(), view.tape));
    let mut children = view.node().into_iter().flat_map(|node| node.children());
    let words = children.find(|child| child.has(NodeFlags::ATTRIBUTE));
    Hit {
        node: quoted.or(words).map(|node| node.index()),
    }
}

/// The first node with a warning.
fn malformed(view: &MessageView<'_>) -> Option<Hit> {
    let node = view.node()?;
    let inside = node.index()..node.node().next;
    view.tape
        .notes()
        .iter()
        .filter(|note| note.kind.severity() > Severity::Hint && note.kind != NoteKind::Refused)
        .map(|note| note.node)
        .filter(|node| inside.contains(node))
        .min()
        .map(|node| Hit { node: Some(node) })
}

/// Where `text` is in a message: in its line, or in the line of a node. Capital letters
/// matter only if the text has one.
fn find(text: &str, view: &MessageView<'_>, options: &Options<'_>) -> Option<Hit> {
    let exact = text.chars().any(char::is_uppercase);
    let holds = |spans: &[Span]| {
        let line: String = spans.iter().map(|span| span.text.as_ref()).collect();
        if exact {
            line.contains(text)
        } else {
            line.to_lowercase().contains(text)
        }
    };
    let line = line(view, options);
    let in_line = line
        .columns
        .iter()
        .skip(2)
        .any(|column| holds(std::slice::from_ref(column)))
        || holds(&line.summary);
    let node = tree(view, options).find(|line| holds(&line.spans));
    (node.is_some() || in_line).then(|| Hit {
        node: node.map(|line| line.node),
    })
}
