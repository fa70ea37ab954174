//! nlscope: what the Linux kernel and its programs say to each other over netlink.
//!
//! The program is a library, so that its interface can be run without a terminal:
//! [`headless`].

#![cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "nothing there is live, of which much here tells")
)]

mod app;
mod caller;
mod cli;
mod clock;
mod dump;
mod files;
pub mod headless;
mod keymap;
#[cfg(target_os = "linux")]
mod live;
#[cfg(test)]
#[path = "../../dissector/tests/netlink/mod.rs"]
mod netlink;
mod record;
mod schema;
mod sockets;
mod source;
mod stats;
mod terminal;
mod view;
mod whole;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, fmt};

use clap::{CommandFactory, Parser};

use app::Settings;
use cli::{Cli, Command, Dump, Known, Layout, Open, SchemaCommand, Shown, When};
use nlscope_dissector::schema::Schema;
use source::Input;
use view::Palette;

/// How it went, where it could be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// All well.
    Well,
    /// The input is damaged, what could be read was shown.
    Damaged,
    /// What was compared is not the same.
    Differs,
}

/// The command line is wrong in a way that its parser cannot know.
#[derive(Debug)]
struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The program: what its arguments say. Returns its exit status.
#[must_use]
pub fn main() -> ExitCode {
    let error = match run(Cli::parse()) {
        Ok(Status::Well) => return ExitCode::SUCCESS,
        Ok(Status::Damaged) => return ExitCode::from(2),
        Ok(Status::Differs) => return ExitCode::FAILURE,
        Err(error) => error,
    };
    let closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    if error.downcast_ref().is_some_and(closed) {
        // Whoever reads has seen enough.
        return ExitCode::SUCCESS;
    }
    complain(&error);
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}

/// Tells on standard error; where even that is closed, nobody is there to be told.
fn complain(what: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "nlscope: {what:#}");
}

fn run(cli: Cli) -> anyhow::Result<Status> {
    match cli.command {
        None => open(cli.open),
        Some(Command::Dump(args)) => dump::run(*args),
        Some(Command::Stats(args)) => stats::run(args),
        #[cfg(target_os = "linux")]
        Some(Command::Record(args)) => record::run(&args),
        #[cfg(target_os = "linux")]
        Some(Command::Sockets(args)) => sockets::run(&args),
        #[cfg(target_os = "linux")]
        Some(Command::Companion(args)) => live::companion(&args).map(|()| Status::Well),
        Some(Command::Schema(SchemaCommand::List(args))) => schema::list::families(&args.spec),
        Some(Command::Schema(SchemaCommand::Show { names, args })) => {
            schema::list::show(&names, &args.spec)
        }
        Some(Command::Schema(SchemaCommand::Check(args))) => {
            schema::check::run(&args.folder, &args.spec, args.reasons.as_deref())
        }
        Some(Command::Schema(SchemaCommand::Import(args))) => {
            schema::import::run(&args.specs, args.onto.as_deref())
        }
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "nlscope", &mut script);
            io::stdout().write_all(&script)?;
            Ok(Status::Well)
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            io::stdout().write_all(&page)?;
            Ok(Status::Well)
        }
    }
}

/// Opens a capture without a command: in the terminal interface, where there is a
/// terminal; else it is printed.
fn open(args: Open) -> anyhow::Result<Status> {
    if !io::stdout().is_terminal() {
        return dump::run(Dump {
            file: args.file,
            #[cfg(target_os = "linux")]
            capture: args.capture,
            known: args.known,
            shown: args.shown,
            layout: Layout::default(),
            count: false,
            quiet: false,
        });
    }
    let schema = cli::schema(&args.known.spec)?;
    args.shown.filter(&schema)?;
    let palette = palette(args.shown.color);
    #[cfg(target_os = "linux")]
    {
        if args.capture.wanted(args.file.as_deref())? {
            let options = args.capture.options(None);
            let settings = Settings {
                live: Some(usize::from(args.keep) << 20),
                ..settings(String::new(), schema, args.known, args.shown)
            };
            return watch(options, settings, palette);
        }
    }
    let input = input(args.file)?;
    let settings = settings(input.to_string(), schema, args.known, args.shown);
    let source = source::open(input, Some(source::KEPT_LIMIT))?;
    let prepared = terminal::prepare()?;
    terminal::run(&source, settings, palette, prepared)
}

/// How the interface begins.
fn settings(title: String, schema: Schema, known: Known, shown: Shown) -> Settings {
    Settings {
        title,
        filter: shown.filter.unwrap_or_default(),
        schema: Arc::new(schema),
        genl: known.genl,
        numeric: shown.numeric,
        redact: shown.redact,
        time: shown.time.into(),
        live: None,
    }
}

fn palette(color: When) -> Palette {
    match color {
        When::Never => Palette::None,
        When::Auto => Palette::of_terminal(|name| env::var(name).ok()),
        When::Always => {
            Palette::of_terminal(|name| env::var(name).ok().filter(|_| name != "NO_COLOR"))
        }
    }
}

/// Shows what this machine says, in the terminal interface.
#[cfg(target_os = "linux")]
fn watch(options: live::Options, settings: Settings, palette: Palette) -> anyhow::Result<Status> {
    let opened = live::open(options, &settings.schema)?;
    let settings = Settings {
        title: opened.title.clone(),
        ..settings
    };
    let prepared = terminal::prepare()?;
    let writes = match env::current_dir() {
        Ok(folder) => {
            opened.go_on_as_caller(&folder)?;
            live::Writes::NewFiles(folder)
        }
        Err(_) => live::Writes::Nothing,
    };
    let (live, source) = opened.start(writes)?;
    let ended = terminal::run(&source, settings, palette, prepared);
    // Nothing waits for room any more.
    drop(source);
    drop(live);
    ended
}

/// What to read: standard input where nothing is named, unless that is a terminal.
fn input(file: Option<std::path::PathBuf>) -> Result<Input, Usage> {
    match file {
        Some(path) => Ok(Input::named(path)),
        None if io::stdin().is_terminal() => Err(Usage(
            "give a capture file, or pipe one to standard input".to_owned(),
        )),
        None => Ok(Input::Stdin),
    }
}
