//! A message as a tree, a line a field.

use std::fmt::Write;

use super::clock::{clock, duration};
use super::header::{header_value, message_name};
use super::line::reason;
use super::trail::NotesInOrder;
use super::{Options, Role, Span, limited, paint, refused, summary};
use crate::context::{self, MessageView, Port};
use crate::note::{NoteKind, Severity};
use crate::schema::{Direction, Type, base};
use crate::tape::{NodeFlags, NodeIndex, NodeRef};
use crate::text::Escaped;
use crate::value::Value;

/// Longest value, in characters.
const VALUE_WIDTH: usize = 240;

/// One line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeLine {
    /// The node it shows, or remarks on.
    pub node: NodeIndex,
    /// How far to indent it, from 0.
    pub depth: u8,
    /// It is a remark on the node, not the node itself.
    pub note: bool,
    /// Nodes shown below this one follow.
    pub has_children: bool,
    /// What it says.
    pub spans: Vec<Span>,
}

impl TreeLine {
    /// Appends the indented line, without a line feed.
    pub fn write(&self, out: &mut String, color: bool) {
        out.extend(std::iter::repeat_n("    ", usize::from(self.depth)));
        // Writing to a string does not fail.
        let _ = paint(out, &self.spans, color);
    }
}

/// The lines of a message's tree: see [`tree()`].
pub struct Tree<'a> {
    view: MessageView<'a>,
    options: Options<'a>,
    next: NodeIndex,
    end: NodeIndex,
    /// Remarks that stand between the last node and the next.
    notes: NotesInOrder<'a>,
    pending: Option<(NodeIndex, u8)>,
    refused: Option<(NodeIndex, Vec<Span>)>,
    /// Of each open node by depth: its type, and how many elements of a list below it were
    /// shown.
    open: Vec<(Type, u32)>,
}

/// A message as a tree: the message itself, its headers, its attributes. Before the first
/// message of a frame comes the frame's cooked header, behind each what is left up to the
/// next one; so the trees of a frame's messages together show the whole frame.
///
/// Padding of zeros and the fields of the cooked header have lines only with
/// [`Options::ranges`].
#[must_use]
pub fn tree<'a>(view: &MessageView<'a>, options: &Options<'a>) -> Tree<'a> {
    let extent = view.extent();
    let refused = refused(view).and_then(|refused| {
        let at = refused.at?;
        let here = std::ptr::eq(at.tape(), view.tape);
        here.then(|| {
            let mut spans = Vec::new();
            reason(&refused, &mut spans);
            (at.index(), spans)
        })
    });
    Tree {
        view: *view,
        options: *options,
        next: extent.start,
        end: extent.end,
        notes: NotesInOrder::new(view.tape),
        pending: None,
        refused,
        open: Vec::new(),
    }
}

impl Iterator for Tree<'_> {
    type Item = TreeLine;

    fn next(&mut self) -> Option<TreeLine> {
        if let Some(line) = self.remark() {
            return Some(line);
        }
        while self.next < self.end {
            let node = self.view.tape.at(self.view.head.frame.bytes, self.next)?;
            self.next += 1;
            if self.is_dull(&node) {
                self.next = node.node().next;
                continue;
            }
            let line = self.line(node);
            if !line.has_children {
                self.next = node.node().next;
            }
            return Some(line);
        }
        None
    }
}

impl Tree<'_> {
    /// The next remark on the last node.
    fn remark(&mut self) -> Option<TreeLine> {
        let (node, depth) = self.pending?;
        let line = |spans| TreeLine {
            node,
            depth,
            note: true,
            has_children: false,
            spans,
        };
        if let Some((_, reason)) = self.refused.take_if(|(at, _)| *at == node) {
            let mut spans = vec![Span::new(Role::Error, "! refused: ")];
            spans.extend(reason);
            return Some(line(spans));
        }
        while let Some(note) = self.notes.next_of(node) {
            if note.kind == NoteKind::Refused {
                continue;
            }
            let role = match note.kind.severity() {
                Severity::Hint => Role::Hint,
                Severity::Warning => Role::Warning,
                Severity::Error => Role::Error,
            };
            return Some(line(vec![Span::new(role, format!("! {}", note.kind))]));
        }
        self.pending = None;
        None
    }

    /// Of the cooked header only the protocol tells something, and the family says that.
    fn is_folded(&self, node: &NodeRef<'_>) -> bool {
        let field = std::ptr::from_ref(node.field());
        !self.options.ranges && [&raw const base::COOKED, &raw const base::COOKED2].contains(&field)
    }

    fn is_dull(&self, node: &NodeRef<'_>) -> bool {
        let is = |of| std::ptr::eq(node.field(), of);
        !self.options.ranges
            && (is(&raw const base::SEPARATOR)
                || is(&raw const base::PADDING) && node.bytes().iter().all(|byte| *byte == 0))
    }

    fn line(&mut self, node: NodeRef<'_>) -> TreeLine {
        let depth = node.node().depth.saturating_sub(1);
        self.pending = Some((node.index(), depth.saturating_add(1)));
        let element = self.element(&node);
        let mut spans = Vec::new();
        let masked = summary::is_masked(node, &self.options);
        if node.index() == self.view.mark.node {
            self.title(&mut spans);
        } else {
            Self::name(node, element, &mut spans);
            if masked {
                spans.push(Span::new(Role::Plain, ": "));
                spans.push(Span::new(Role::Value, "(redacted)"));
            } else {
                self.value(node, &mut spans);
            }
            Self::asides(node, element.is_some(), &mut spans);
        }
        if self.options.ranges {
            let (start, len) = (node.node().start, node.node().len);
            let text = format!("  [{start}..{})", u64::from(start) + u64::from(len));
            spans.push(Span::new(Role::Aside, text));
        }
        TreeLine {
            node: node.index(),
            depth,
            note: false,
            has_children: node.has_children() && !masked && !self.is_folded(&node),
            spans,
        }
    }

    /// The line of the message itself: all that its bytes do not say.
    fn title(&self, spans: &mut Vec<Span>) {
        let head = &self.view.head;
        let record = head.record;
        let numeric = self.options.show.numeric;
        let mut say = |label: &'static str, role, text: String| {
            if !label.is_empty() {
                spans.push(Span::new(Role::Label, label));
            }
            spans.push(Span::new(role, text));
        };
        say("", Role::Message, message_name(head, numeric).into_owned());
        say(" in frame ", Role::Number, record.frame.to_string());
        say(" at ", Role::Time, clock(head.frame.time, &self.options));
        let side = match record.direction {
            Direction::ToKernel => " to kernel, port ",
            Direction::FromKernel => " from kernel, port ",
        };
        let port = match record.port {
            Port::Known(port) => port.to_string(),
            Port::Everyone => "*".to_owned(),
            Port::Unknown => "?".to_owned(),
        };
        say(side, Role::Port, port);
        if let Some(process) = head.process().filter(|_| record.port != Port::Everyone) {
            say(" ", Role::Port, process.to_string());
        }
        if let Some(netns) = head.netns() {
            let netns = Escaped(netns.as_bytes()).to_string();
            say(", network namespace ", Role::Plain, netns);
        }
        if let (Some(seen), Some(name)) = (record.group, head.group_name()) {
            let label = if seen.is_exact() {
                ", group "
            } else {
                ", group (inferred) "
            };
            say(label, Role::Group, name.into_owned());
        }
        if let (Port::Everyone, Some(process)) = (record.port, head.process()) {
            say(", caused by ", Role::Port, process.to_string());
        }
        if record.request_frame != 0 {
            let frame = record.request_frame.to_string();
            say(", answers frame ", Role::Number, frame);
        }
        if let Some(latency) = record.latency {
            let label = match record.direction {
                Direction::ToKernel => ", answered after ",
                Direction::FromKernel => " after ",
            };
            say(label, Role::Aside, duration(latency.nanoseconds()));
        }
        match record.role {
            context::Role::OpenRequest => say(", ", Role::Hint, "no answer seen".to_owned()),
            context::Role::Orphan => say(", ", Role::Hint, "its request not seen".to_owned()),
            _ => {}
        }
        if record.copy_of.is_some() {
            say(", ", Role::Hint, "a copy".to_owned());
        }
    }

    /// The position of an element of a list, from 0; `None` for what is none.
    fn element(&mut self, node: &NodeRef<'_>) -> Option<u32> {
        let depth = usize::from(node.node().depth);
        self.open.resize(depth + 1, (Type::Members, 0));
        self.open[depth] = (node.field().ty, 0);
        let (above, count) = self.open.get_mut(depth.checked_sub(1)?)?;
        if !matches!(
            above,
            Type::Array { .. } | Type::Indexed { .. } | Type::Custom { .. }
        ) {
            return None;
        }
        *count += 1;
        node.has(NodeFlags::UNNAMED).then_some(*count - 1)
    }

    /// The name, or the number of what has none.
    fn name(node: NodeRef<'_>, element: Option<u32>, spans: &mut Vec<Span>) {
        let field = node.field();
        let unknown = std::ptr::eq(field, &raw const base::UNKNOWN_ATTRIBUTE);
        let number = node.number();
        if let Some(number) = number.filter(|_| unknown) {
            spans.push(Span::new(Role::Unknown, format!("attribute {number}")));
        } else if let Some(position) = element {
            let number = number.map_or(position, u32::from);
            spans.push(Span::new(Role::Name, format!("[{number}]")));
        } else if let Some(number) = number.filter(|_| node.has(NodeFlags::UNNAMED)) {
            // A number that is a value.
            spans.push(Span::new(Role::Name, field.name));
            spans.push(Span::new(Role::Plain, " "));
            spans.push(Span::new(Role::Value, number.to_string()));
        } else if let Some((role, word)) = leftover(&node) {
            spans.push(Span::new(role, word));
        } else {
            // Under its header a header's field needs no prefix.
            let name = field.name.rsplit('.').next().unwrap_or(field.name);
            spans.push(Span::new(Role::Name, name));
        }
    }

    fn value(&self, node: NodeRef<'_>, spans: &mut Vec<Span>) {
        let head = &self.view.head;
        let known =
            header_value(node, head.protocol, head.context).filter(|_| !self.options.show.numeric);
        let value = node.value();
        if known.is_none() && value == Value::Tree {
            let mut inside = Vec::new();
            let depth = usize::from(node.node().depth);
            let above = depth.checked_sub(1).and_then(|depth| self.open.get(depth));
            let above = above.map(|(above, _)| *above);
            if summary::of_part(node, above, &self.options, 0, &mut inside) {
                spans.push(Span::new(Role::Plain, ": "));
                spans.append(&mut inside);
            }
            return;
        }
        if known.is_none() && value == Value::Present {
            return;
        }
        spans.push(Span::new(Role::Plain, ": "));
        let text = known.unwrap_or_else(|| limited(node.show(self.options.show), VALUE_WIDTH));
        let role = match value {
            Value::Bytes(_) if leftover(&node).is_some() => Role::Unknown,
            _ => Role::Value,
        };
        spans.push(Span::new(role, text));
    }

    /// What stands dim behind the value.
    fn asides(node: NodeRef<'_>, element: bool, spans: &mut Vec<Span>) {
        let field = node.field();
        if node.has(NodeFlags::GUESS) {
            spans.push(Span::new(Role::Hint, "  (guess)"));
        }
        if node.has(NodeFlags::CUT) {
            spans.push(Span::new(Role::Warning, "  (cut off)"));
        }
        let mut aside = String::new();
        if matches!(field.ty, Type::Binary) && node.payload().len() > VALUE_WIDTH / 2 {
            let _ = write!(aside, "  {} bytes", node.payload().len());
        }
        if !same_name(field.name, field.uapi) && !element {
            let _ = write!(aside, "  {}", field.uapi);
        }
        if !aside.is_empty() {
            spans.push(Span::new(Role::Aside, aside));
        }
    }
}

/// Whether the header's spelling tells no more than the name does.
fn same_name(name: &str, uapi: &str) -> bool {
    let plain = |byte: u8| match byte {
        b'-' => b'_',
        _ => byte.to_ascii_lowercase(),
    };
    uapi.is_empty() || name.bytes().map(plain).eq(uapi.bytes().map(plain))
}

/// The word for bytes that belong to no field.
fn leftover(node: &NodeRef<'_>) -> Option<(Role, &'static str)> {
    let field = node.field();
    [
        (&raw const base::PADDING, Role::Aside, "padding"),
        (&raw const base::SEPARATOR, Role::Aside, "separator"),
        (&raw const base::UNKNOWN, Role::Unknown, "unknown"),
        (&raw const base::TRAILING, Role::Warning, "trailing"),
    ]
    .into_iter()
    .find(|(of, ..)| std::ptr::eq(*of, field))
    .map(|(_, role, word)| (role, word))
}
