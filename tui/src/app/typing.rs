//! Typing a filter or a search, and what comes of it.

use nlscope_dissector::context::Context;
use nlscope_dissector::export::Role;
use nlscope_dissector::filter::Filter;
use nlscope_dissector::tape::NodeRef;
use nlscope_dissector::value::Value;

use super::action::{Edit, Effect, Way};
use super::bar::{Bar, Purpose};
use super::seek::Target;
use super::{App, Overlay};

impl App {
    pub(super) fn type_filter(&mut self, text: String) {
        let bar = Bar::new(Purpose::Filter, text, self.messages.context().schema());
        self.overlays.push(Overlay::Bar(bar));
    }

    pub(super) fn type_search(&mut self) {
        let bar = Bar::new(
            Purpose::Search,
            self.sought.clone(),
            self.messages.context().schema(),
        );
        self.overlays.push(Overlay::Bar(bar));
    }

    /// The line being typed, and the tables.
    fn bar(&mut self) -> Option<(&mut Bar, &Context)> {
        match self.overlays.last_mut() {
            Some(Overlay::Bar(bar)) => Some((bar, self.messages.context())),
            _ => None,
        }
    }

    pub(super) fn edit(&mut self, edit: Edit) {
        if let Some((bar, context)) = self.bar() {
            bar.edit(edit, context.schema());
        }
    }

    pub(super) fn complete(&mut self, way: Way) {
        if let Some((bar, context)) = self.bar() {
            bar.complete(way, context.schema());
        }
    }

    /// Applies what was typed. A filter with a mistake stays to be mended.
    pub(super) fn accept(&mut self) -> Effect {
        let Some((bar, context)) = self.bar() else {
            return Effect::None;
        };
        let text = bar.text().trim().to_owned();
        match bar.purpose() {
            Purpose::Filter => {
                if let Ok(filter) = Filter::parse(&text, context.schema()) {
                    self.overlays.pop();
                    self.set_filter(text, Some(filter));
                }
            }
            Purpose::Search => {
                self.overlays.pop();
                self.sought = text;
                if !self.sought.is_empty() {
                    self.seek(Target::Text(self.sought.clone()), Way::Forward);
                }
            }
            Purpose::Save => {
                self.overlays.pop();
                if !text.is_empty() {
                    return Effect::Save(text);
                }
            }
        }
        Effect::None
    }

    /// Begins a filter for messages with the selected field's value.
    pub(super) fn filter_by_selected(&mut self) {
        let Some(detail) = &self.detail else {
            return;
        };
        let schema = self.messages.context().schema();
        let found = self.messages.frame(detail.message).and_then(|frame| {
            let node = detail.tape().at(frame.bytes, self.selection.node)?;
            condition(node).filter(|text| Filter::parse(text, schema).is_ok())
        });
        let Some(condition) = found else {
            self.say(
                Role::Hint,
                "no filter is known for this; select a field in the tree",
            );
            return;
        };
        let before = self.rows.filter_text();
        let text = if before.is_empty() {
            condition
        } else {
            format!("({before}) && {condition}")
        };
        self.type_filter(text);
    }
}

/// What a filter says of messages that have this node with this value.
fn condition(node: NodeRef<'_>) -> Option<String> {
    let path = node.path();
    let value = match node.value() {
        Value::Tree
        | Value::Present
        | Value::List
        | Value::Bytes(_)
        | Value::HexText(_)
        | Value::Sockaddr(_)
        | Value::Bitfield { .. } => {
            return Some(path);
        }
        Value::Unsigned(number) => number.to_string(),
        Value::Signed(number) => number.to_string(),
        Value::Text(text) => {
            let text = std::str::from_utf8(text).ok()?;
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Value::Ip(_) | Value::Mac(_) | Value::Uuid(_) => {
            node.show(nlscope_dissector::value::Show::PLAIN).to_string()
        }
    };
    Some(format!("{path} == {value}"))
}
