//! The loader: YAML text to a [`model::Model`]. `build.rs` compiles this module too, so
//! nothing in it may refer to the rest of the crate.

pub(crate) mod error;
pub(crate) mod kinds;
mod lower;
pub(crate) mod model;
pub(crate) mod source;

use error::SpecError;
use model::Model;

/// Reads files that may import each other by name (the file's `name`). Each is given as
/// what it is called in errors, and its text.
pub(crate) fn load(files: &[(&str, &str)]) -> Result<Model, SpecError> {
    let sources = files
        .iter()
        .map(|(file, text)| Ok((*file, source::parse(file, text)?)))
        .collect::<Result<Vec<_>, SpecError>>()?;
    lower::lower(&sources)
}
