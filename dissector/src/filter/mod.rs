//! The filter language: text -> tokens -> expression -> checked filter -> yes or no.

mod check;
mod complete;
mod constant;
mod error;
mod evaluate;
mod header;
mod lex;
mod literal;
mod parse;
mod relation;
mod resolve;
mod shape;
mod suggest;
#[cfg(test)]
mod tests;

pub use complete::{Completion, complete};
pub use error::FilterError;

use crate::context::{Head, MessageView};
use crate::schema::Schema;
use evaluate::Checked;

/// A filter that was checked against the schema.
#[derive(Debug)]
pub struct Filter {
    /// `None` passes everything.
    checked: Option<Checked>,
}

/// What a filter says of a message whose attributes were not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Yes,
    /// It does not.
    No,
    /// That depends on its attributes.
    NeedsTape,
}

impl Filter {
    /// Reads and checks a filter. An empty one passes everything.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn parse(text: &str, schema: &Schema) -> Result<Self, FilterError> {
        let expr = parse::parse(text)?;
        let checked = expr.map(|expr| check::check(&expr, schema)).transpose()?;
        Ok(Self { checked })
    }

    /// What can be said without the attributes.
    #[must_use]
    pub fn head(&self, head: &Head<'_>) -> Verdict {
        match &self.checked {
            Some(checked) => checked.head(head),
            None => Verdict::Yes,
        }
    }

    /// Whether the message passes.
    #[must_use]
    pub fn matches(&self, view: &MessageView<'_>) -> bool {
        match &self.checked {
            Some(checked) => checked.matches(view),
            None => true,
        }
    }
}
