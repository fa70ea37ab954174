//! Which messages are in the list. A long list is gone through in slices, so that the
//! interface answers meanwhile.

use std::collections::BTreeSet;

use nlscope_dissector::filter::{Filter, Verdict};

use super::Deadline;
use super::facets::Facets;
use super::messages::{Messages, Tapes, index};

/// The list.
#[derive(Debug)]
pub(crate) struct Rows {
    visible: Vec<u32>,
    /// How many messages were looked at.
    scanned: u32,
    filter: Option<Filter>,
    text: String,
    fold: bool,
    /// Those in the list that stand for copies too, which are not in it.
    folded: BTreeSet<u32>,
}

/// Everything passes, copies are folded.
impl Default for Rows {
    fn default() -> Self {
        Self {
            visible: Vec::new(),
            scanned: 0,
            filter: None,
            text: String::new(),
            fold: true,
            folded: BTreeSet::new(),
        }
    }
}

impl Rows {
    /// The messages in the list, ascending.
    #[must_use]
    pub(crate) fn visible(&self) -> &[u32] {
        &self.visible
    }

    /// How many messages were looked at.
    #[must_use]
    pub(crate) fn scanned(&self) -> u32 {
        self.scanned
    }

    /// The text of the filter; empty for none.
    #[must_use]
    pub(crate) fn filter_text(&self) -> &str {
        &self.text
    }

    /// Whether copies are folded.
    #[must_use]
    pub(crate) fn folds(&self) -> bool {
        self.fold
    }

    /// Whether copies of what is in the list are folded away.
    #[must_use]
    pub(crate) fn hides_copies(&self) -> bool {
        !self.folded.is_empty()
    }

    /// Another filter.
    pub(crate) fn set_filter(&mut self, text: String, filter: Option<Filter>) {
        self.filter = filter.filter(|_| !text.is_empty());
        self.text = text;
        self.restart();
    }

    /// Folds copies, or not.
    pub(crate) fn toggle_fold(&mut self) {
        self.fold = !self.fold;
        self.restart();
    }

    /// Looks at all messages anew.
    pub(crate) fn restart(&mut self) {
        self.visible.clear();
        self.folded.clear();
        self.scanned = 0;
    }

    /// Whether what a message carries can matter.
    #[must_use]
    pub(crate) fn selects(&self, facets: &Facets) -> bool {
        self.filter.is_some() || !facets.all_on()
    }

    /// Takes the messages before `first` out of the list, which were given up.
    pub(crate) fn give_up(&mut self, first: u32) {
        let gone = self.visible.partition_point(|message| *message < first);
        self.visible.drain(..gone);
        self.folded = self.folded.split_off(&first);
        self.scanned = self.scanned.max(first);
    }

    /// Where a message is in the list.
    ///
    /// # Errors
    ///
    /// It is not in the list; it would be there.
    pub(crate) fn position(&self, message: u32) -> Result<usize, usize> {
        self.visible.binary_search(&message)
    }

    /// Looks at further messages until `deadline`.
    pub(crate) fn scan(&mut self, messages: &Messages, facets: &Facets, deadline: Deadline) {
        let mut tapes = Tapes::default();
        self.scanned = self.scanned.max(messages.gone());
        while self.scanned < messages.count() && !deadline.is_over() {
            let original = copied(messages, self.scanned).filter(|_| self.fold);
            if let Some(original) = original {
                if self.position(original).is_ok() {
                    self.folded.insert(original);
                }
            } else if self.passes(messages, facets, self.scanned, &mut tapes) {
                self.visible.push(self.scanned);
            }
            self.scanned += 1;
        }
    }

    /// Looks at one message again, about which something turned out.
    pub(crate) fn recheck(&mut self, messages: &Messages, facets: &Facets, message: u32) {
        let hidden = self.fold && copied(messages, message).is_some();
        if hidden || message >= self.scanned || !self.selects(facets) {
            return;
        }
        let passes = self.passes(messages, facets, message, &mut Tapes::default());
        match (self.position(message), passes) {
            (Ok(at), false) => {
                self.visible.remove(at);
                self.folded.remove(&message);
            }
            (Err(at), true) => {
                self.visible.insert(at, message);
                if self.fold && messages.times_seen(message) > 1 {
                    self.folded.insert(message);
                }
            }
            _ => {}
        }
    }

    fn passes(
        &self,
        messages: &Messages,
        facets: &Facets,
        message: u32,
        tapes: &mut Tapes,
    ) -> bool {
        if !self.selects(facets) {
            return true;
        }
        let verdict = messages.head(message, |head| match &self.filter {
            _ if !facets.pass(head) => Verdict::No,
            Some(filter) => filter.head(head),
            None => Verdict::Yes,
        });
        match (verdict, &self.filter) {
            (Some(Verdict::Yes), _) => true,
            (Some(Verdict::NeedsTape), Some(filter)) => messages
                .view(message, tapes, |view| filter.matches(view))
                .unwrap_or(false),
            _ => false,
        }
    }
}

/// What a message is a copy of.
fn copied(messages: &Messages, message: u32) -> Option<u32> {
    messages.record(message)?.copy_of.map(index)
}
