//! Makes the built-in tables from `schema/*.yaml`. What is wrong there fails the build
//! with file, line and reason.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

#[path = "build/emit.rs"]
mod emit;
#[path = "src/schema/ynl/spec/mod.rs"]
#[allow(
    unreachable_pub,
    reason = "public in the library, which has this module too"
)]
mod spec;

fn main() -> ExitCode {
    match tables() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn tables() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=schema");
    let mut files = Vec::new();
    for entry in fs::read_dir("schema")? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let text = fs::read_to_string(&path)?;
            files.push((path.display().to_string(), text));
        }
    }
    // The order of a directory is not the same everywhere, the tables are to be.
    files.sort();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let model = spec::load(&files)?;
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run this through cargo")?;
    fs::write(Path::new(&out).join("tables.rs"), emit::tables(&model)?)?;
    Ok(())
}
