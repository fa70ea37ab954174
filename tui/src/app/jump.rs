//! Going from a message to another one that has to do with it.

use nlscope_dissector::context;
use nlscope_dissector::export::Role;
use nlscope_dissector::schema::Direction;

use super::App;
use super::action::Way;
use super::messages::index;
use super::seek::{Seek, Target};

/// How many jumps are remembered.
const MAX_JUMPS: usize = 1000;

impl App {
    /// Goes to a message and remembers where from.
    pub(super) fn jump(&mut self, message: u32) {
        if message == self.selection.message {
            return;
        }
        if self.jumps.len() >= MAX_JUMPS {
            self.jumps.remove(0);
        }
        self.jumps.push(self.selection.message);
        self.select_message(message);
        self.warn_if_hidden();
    }

    pub(super) fn go_back(&mut self) {
        match self.jumps.pop() {
            Some(message) => {
                self.select_message(message);
                self.warn_if_hidden();
            }
            None => self.say(Role::Hint, "no jump to go back from"),
        }
    }

    fn warn_if_hidden(&mut self) {
        if self.rows.position(self.selection.message).is_err() {
            self.say(
                Role::Warning,
                "this message is not in the list: a filter, a facet or folding hides it",
            );
        }
    }

    pub(super) fn go_request(&mut self) {
        let message = self.selection.message;
        let Some(record) = self.messages.record(message) else {
            return;
        };
        match self.request_of(message) {
            Some(request) => self.jump(request),
            None if record.direction == Direction::ToKernel => {
                self.say(Role::Hint, "this is a request itself; t goes to its answer");
            }
            None if record.role == context::Role::Notification => {
                self.say(Role::Hint, "a notification, nobody asked for it");
            }
            None => self.say(Role::Hint, "the request is not in the capture"),
        }
    }

    /// To what ended the answer; where nothing did, to the next part of it.
    pub(super) fn go_answer(&mut self) {
        let message = self.selection.message;
        let request = self.request_of(message).unwrap_or(message);
        let Some(record) = self.messages.record(request) else {
            return;
        };
        let end = record.end.map(index).filter(|end| *end != message);
        let number = record.number;
        let later = message.saturating_add(1)..self.messages.count();
        let next = || {
            later.into_iter().find(|message| {
                self.messages
                    .record(*message)
                    .is_some_and(|record| record.request == Some(number))
            })
        };
        match end.or_else(next) {
            Some(end) => self.jump(end),
            None if record.end.is_some() => self.say(Role::Hint, "this is the end of the answer"),
            None => self.say(Role::Hint, "no answer in the capture"),
        }
    }

    pub(super) fn seek(&mut self, target: Target, way: Way) {
        self.seek = Some(Seek::new(target, way, self.selection.message));
    }

    pub(super) fn search_again(&mut self, way: Way) {
        if self.sought.is_empty() {
            self.say(Role::Hint, "nothing searched for yet; s searches");
        } else {
            self.seek(Target::Text(self.sought.clone()), way);
        }
    }
}
