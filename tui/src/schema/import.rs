//! `nlscope schema import`: a table from a specification of the kernel.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

use super::facts::Facts;
use super::list;
use super::yaml::Yaml;
use crate::Status;

/// Prints the tables of specifications.
///
/// # Errors
///
/// A specification cannot be read, or the table not be written.
pub(crate) fn run(specs: &[PathBuf]) -> anyhow::Result<Status> {
    let mut out = String::new();
    for path in specs {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).with_context(|| file.clone())?;
        out.push_str(&Facts::of(&Yaml::parse(&file, &text)?).table());
    }
    list::print(&out)
}
