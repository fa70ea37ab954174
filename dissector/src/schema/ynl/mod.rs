//! Specifications in YNL, the vocabulary of the kernel's own: those given at run time
//! are read here, the built-in ones by `build.rs` with the same loader.

mod spec;
#[cfg(test)]
mod tests;

pub use spec::error::{Reason, SpecError};
pub use spec::kinds::{Decoder, Direction, FieldOrder, Finder, FlagsAs, Hint, MAX_TOGETHER};

pub(super) use spec::model;

use super::{Family, leak};

/// Reads a specification. What it says lives as long as the program, so this is for the
/// few that a user names. `file` is what errors call it.
///
/// # Errors
///
/// The first thing that is wrong with it, with its place. One that imports built-in
/// definitions is refused: it has to bring its own.
pub fn load(text: &str, file: &str) -> Result<&'static Family, SpecError> {
    let families = load_together(&[(file, text)])?;
    families.first().copied().ok_or_else(|| SpecError {
        file: file.to_owned(),
        line: 0,
        column: 0,
        reason: Reason::Misplaced("no operations and no multicast groups: there is no family"),
    })
}

/// Reads specifications that may import each other by name, each given as what errors call
/// it, and its text. Those that only define what others use make no family.
///
/// # Errors
///
/// The first thing that is wrong with them, with its place.
pub fn load_together(files: &[(&str, &str)]) -> Result<Vec<&'static Family>, SpecError> {
    Ok(leak::families(&spec::load(files)?))
}
