//! The line in which a filter or a search is typed.

use std::ops::Range;

use nlscope_dissector::filter::{Completion, Filter, FilterError, complete};
use nlscope_dissector::schema::Schema;

use super::action::{Edit, Way};

/// What is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A filter.
    Filter,
    /// Text to search for.
    Search,
    /// The name of a file to save in.
    Save,
}

/// A line being typed.
#[derive(Debug)]
pub(crate) struct Bar {
    purpose: Purpose,
    text: String,
    /// A byte offset in `text`, on a character.
    cursor: usize,
    error: Option<FilterError>,
    /// The bytes that a completion replaces.
    word: Range<usize>,
    completions: Vec<Completion>,
    chosen: Option<usize>,
}

impl Bar {
    /// Begins with `text`.
    #[must_use]
    pub(crate) fn new(purpose: Purpose, text: String, schema: &Schema) -> Self {
        let mut bar = Self {
            purpose,
            cursor: text.len(),
            text,
            error: None,
            word: 0..0,
            completions: Vec::new(),
            chosen: None,
        };
        bar.check(schema);
        bar
    }

    /// What it is for.
    #[must_use]
    pub(crate) fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// What was typed.
    #[must_use]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor is, as a byte offset.
    #[must_use]
    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    /// What is wrong with the filter.
    #[must_use]
    pub(crate) fn error(&self) -> Option<&FilterError> {
        self.error.as_ref()
    }

    /// The ways to go on, and the one that was taken.
    #[must_use]
    pub(crate) fn completions(&self) -> (&[Completion], Option<usize>) {
        (&self.completions, self.chosen)
    }

    /// Where the word begins that a completion replaces.
    #[must_use]
    pub(crate) fn word_start(&self) -> usize {
        self.word.start
    }

    /// Changes the text.
    pub(crate) fn edit(&mut self, edit: Edit, schema: &Schema) {
        let before = self.text[..self.cursor].chars().next_back();
        let after = self.text[self.cursor..].chars().next();
        match edit {
            Edit::Insert(c) => {
                if !nlscope_dissector::text::is_unprintable(c) {
                    self.text.insert(self.cursor, c);
                    self.cursor += c.len_utf8();
                }
            }
            Edit::Backspace => self.cut_back(before.map_or(0, char::len_utf8)),
            Edit::Delete => {
                if after.is_some() {
                    self.text.remove(self.cursor);
                }
            }
            Edit::Word => {
                let head = self.text[..self.cursor].trim_end();
                let keep = head
                    .rfind(|c: char| c.is_whitespace() || "()!.,{}=<>&|".contains(c))
                    .map_or(0, |at| at + 1);
                let keep = if keep == head.len() && keep > 0 {
                    keep - 1
                } else {
                    keep
                };
                self.cut_back(self.cursor - keep);
            }
            Edit::Clear => self.cut_back(self.cursor),
            Edit::Left => self.cursor -= before.map_or(0, char::len_utf8),
            Edit::Right => self.cursor += after.map_or(0, char::len_utf8),
            Edit::Home => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
        }
        self.check(schema);
    }

    fn cut_back(&mut self, bytes: usize) {
        let from = self.cursor - bytes;
        self.text.replace_range(from..self.cursor, "");
        self.cursor = from;
    }

    /// Takes the next completion.
    pub(crate) fn complete(&mut self, way: Way, schema: &Schema) {
        let count = self.completions.len();
        if count == 0 {
            return;
        }
        let chosen = match (self.chosen, way) {
            (None, Way::Forward) => 0,
            (None, Way::Back) => count - 1,
            (Some(at), Way::Forward) => (at + 1) % count,
            (Some(at), Way::Back) => (at + count - 1) % count,
        };
        let text = self.completions[chosen].text.clone();
        self.text.replace_range(self.word.clone(), &text);
        self.cursor = self.word.start + text.len();
        self.word.end = self.cursor;
        self.error = Filter::parse(&self.text, schema).err();
        if count == 1 {
            // Nothing to choose from: what may follow comes next.
            self.check(schema);
        } else {
            self.chosen = Some(chosen);
        }
    }

    fn check(&mut self, schema: &Schema) {
        self.chosen = None;
        if self.purpose != Purpose::Filter {
            return;
        }
        self.error = Filter::parse(&self.text, schema).err();
        let (word, completions) = complete(&self.text, self.cursor, schema);
        let typed = self.text.get(word.clone());
        let is_done = completions.len() == 1 && typed == Some(&completions[0].text);
        self.completions = if typed.is_none() || is_done {
            Vec::new()
        } else {
            completions
        };
        self.word = word;
    }
}
