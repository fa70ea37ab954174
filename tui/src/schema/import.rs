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
    let files = cli::specifications(folder)?;
    let mut tables = Vec::new();
    for (file, text) in &files {
        tables.push((file, text, Table::parse(file, text, &excused)?));
    }
    if let Some(own) = tables.iter().position(|(.., table)| table.is_of(name)) {
        let mut own = tables.swap_remove(own);
        let mut open: Vec<_> = own.2.imports().map(str::to_owned).collect();
        let mut changed = Vec::new();
        while let Some(import) = open.pop() {
            let Some(at) = tables.iter().position(|(.., it)| it.name() == import) else {
                continue;
            };
            let mut table = tables.swap_remove(at);
            open.extend(table.2.imports().map(str::to_owned));
            table.2.extend(facts, &mut own.2);
            changed.push(table);
        }
        own.2.add(facts);
        changed.push(own);
        for (file, text, table) in changed {
            for change in &table.changes {
                // Writing to a string does not fail.
                let _ = writeln!(out, "{file}: {change}");
            }
            let new = table.text();
            if new != *text {
                fs::write(file, new).with_context(|| file.clone())?;
            }
        }
        return Ok(());
    }
    let file = format!("{}.yaml", name.to_lowercase().replace('_', "-"));
    let file = folder.join(file);
    let path = file.display().to_string();
    fs::write(&file, facts.table()).with_context(|| path.clone())?;
    let _ = writeln!(out, "{path}: a new table");
    Ok(())
}
