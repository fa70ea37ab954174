//! What can be wrong with a specification, and where.

use std::fmt;

use serde_saphyr::{Location, Spanned};

/// A specification that cannot be used: where, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SpecError {
    /// The file, as it was called when it was given.
    pub file: String,
    /// Line, from 1; 0 where no place can be named.
    pub line: u64,
    /// Column in characters, from 1; 0 where no place can be named.
    pub column: u64,
    /// What is wrong there.
    pub reason: Reason,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file, line, column, ..
        } = self;
        match line {
            0 => write!(f, "{file}: {}", self.reason),
            _ => write!(f, "{file}:{line}:{column}: {}", self.reason),
        }
    }
}

/// What is wrong with a specification. Names are quoted and escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The text is no YAML, a key is unknown or missing, or a value has the wrong shape.
    #[error("{0}")]
    Yaml(String),
    /// The text is larger than any specification.
    #[error("longer than {0} bytes, the most that a specification may have")]
    TooLarge(usize),
    /// A name that nothing has.
    #[error("unknown {what} {name:?}{}", did_you_mean(.nearest.as_deref()))]
    Unknown {
        /// What kind of thing is looked for.
        what: &'static str,
        /// The name.
        name: String,
        /// The name that is most like it.
        nearest: Option<String>,
    },
    /// A name or number that something else has.
    #[error("{what} {name:?} is there twice, first on line {first}")]
    Duplicate {
        /// What kind of thing it is.
        what: &'static str,
        /// The name or number.
        name: String,
        /// Line of the other.
        first: u64,
    },
    /// A key without which another makes no sense.
    #[error("{what} {name:?} needs {key:?}")]
    Missing {
        /// What kind of thing lacks it.
        what: &'static str,
        /// Its name.
        name: String,
        /// The key.
        key: &'static str,
    },
    /// A struct or subset that is part of itself.
    #[error("{what} {name:?} is part of itself")]
    Cyclic {
        /// What kind of thing it is.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A number outside its range.
    #[error("{what} {value} is out of range, at most {max}")]
    Range {
        /// What the number is.
        what: &'static str,
        /// The number.
        value: i128,
        /// The largest possible.
        max: u64,
    },
    /// Something that cannot be where it is.
    #[error("{0}")]
    Misplaced(&'static str),
}

fn did_you_mean(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

/// A reason and its place in a file that the caller knows.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) at: Location,
    pub(crate) reason: Reason,
}

impl Located {
    pub(crate) fn in_file(self, file: &str) -> SpecError {
        SpecError {
            file: file.to_owned(),
            line: self.at.line(),
            column: self.at.column(),
            reason: self.reason,
        }
    }
}

/// A reason at the place of a value.
pub(crate) fn at<T>(place: &Spanned<T>, reason: Reason) -> Located {
    Located {
        at: place.referenced,
        reason,
    }
}

/// A name that is not there, with the one that is most like it.
pub(crate) fn unknown<'n>(
    what: &'static str,
    name: &Spanned<String>,
    known: impl IntoIterator<Item = &'n str>,
) -> Located {
    let limit = name.value.chars().count().div_ceil(3);
    let nearest = known
        .into_iter()
        .map(|candidate| (distance(&name.value, candidate, limit), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate.to_owned());
    at(
        name,
        Reason::Unknown {
            what,
            name: name.value.clone(),
            nearest,
        },
    )
}

/// How many characters have to change, go or come to make one name the other; names
/// whose lengths are further apart than `limit` are not compared.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    if a.len().abs_diff(b.len()) > limit {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (above, left) in a.bytes().enumerate() {
        let mut diagonal = above;
        let mut last = above + 1;
        if let Some(first) = row.first_mut() {
            *first = last;
        }
        for (cell, right) in row.iter_mut().skip(1).zip(b.bytes()) {
            let changed = diagonal + usize::from(left != right);
            diagonal = *cell;
            last = changed.min(diagonal + 1).min(last + 1);
            *cell = last;
        }
    }
    row.last().copied().unwrap_or(a.len())
}
