//! `nlscope schema import`: a table from a specification of the kernel.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::check;
use super::facts::Facts;
use super::list;
use super::onto::Table;
use super::yaml::Yaml;
use crate::{Status, cli};

/// Prints the tables of specifications. With a folder of tables, puts what they lack into
/// them, and prints what that is.
///
/// # Errors
///
/// A specification or table cannot be read, or the table not be written.
pub(crate) fn run(specs: &[PathBuf], onto: Option<&Path>) -> anyhow::Result<Status> {
    let mut out = String::new();
    for path in specs {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).with_context(|| file.clone())?;
        let spec = Yaml::parse(&file, &text)?;
        let facts = Facts::of(&spec);
        match onto {
            Some(folder) => add(&facts, spec.name(), folder, &mut out)?,
            None => out.push_str(&facts.table()),
        }
    }
    list::print(&out)
}

/// Puts a specification into the table of a folder that is for it, or makes one.
fn add(facts: &Facts, name: &str, folder: &Path, out: &mut String) -> anyhow::Result<()> {
    let excused = check::excused(name)?;
    for (file, text) in cli::specifications(folder)? {
        let mut table = Table::parse(&file, &text, &excused)?;
        if table.is_of(name) {
            table.add(facts);
            for change in &table.changes {
                // Writing to a string does not fail.
                let _ = writeln!(out, "{file}: {change}");
            }
            let new = table.text();
            if new != text {
                fs::write(&file, new).with_context(|| file.clone())?;
            }
            return Ok(());
        }
    }
    let file = format!("{}.yaml", name.to_lowercase().replace('_', "-"));
    let file = folder.join(file);
    let path = file.display().to_string();
    fs::write(&file, facts.table()).with_context(|| path.clone())?;
    let _ = writeln!(out, "{path}: a new table");
    Ok(())
}
