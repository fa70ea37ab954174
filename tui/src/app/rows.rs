//! Which messages are in the list. A long list is gone through in slices, so that the
//! interface answers meanwhile.

use nlscope_dissector::filter::{Filter, Verdict};

use super::Deadline;
use super::facets::Facets;
use super::messages::{Messages, Tapes};

/// The list.
#[derive(Debug)]
pub(crate) struct Rows {
    visible: Vec<u32>,
    /// How many messages were looked at.
    scanned: u32,
    filter: Option<Filter>,
    text: String,
    fold: bool,
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
            if self.passes(messages, facets, self.scanned, &mut tapes) {
                self.visible.push(self.scanned);
            }
            self.scanned += 1;
        }
    }

    /// Looks at one message again, about which something turned out.
    pub(crate) fn recheck(&mut self, messages: &Messages, facets: &Facets, message: u32) {
        if message >= self.scanned || !self.selects(facets) {
            return;
        }
        let passes = self.passes(messages, facets, message, &mut Tapes::default());
        match (self.position(message), passes) {
            (Ok(at), false) => {
                self.visible.remove(at);
            }
            (Err(at), true) => self.visible.insert(at, message),
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
        let copy = messages
            .record(message)
            .is_some_and(|record| record.copy_of.is_some());
        if copy && self.fold {
            return false;
        }
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
