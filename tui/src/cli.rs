//! The command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use nlscope_dissector::context::Context;
use nlscope_dissector::export::TimeFormat;
use nlscope_dissector::filter::Filter;
use nlscope_dissector::schema::{Schema, ynl};

use crate::Usage;

/// Shows what the Linux kernel and its programs say to each other over netlink
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    after_help = "Exit status: 0, all well; 1, it could not be done; 2, wrong usage, or the \
                  input is damaged and what could be read was shown."
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// What to open otherwise.
    #[command(flatten)]
    pub(crate) open: Open,
}

/// What can be done beside opening a capture.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print a capture as lines, trees, JSON or PDML
    Dump(Box<Dump>),
    /// Sum up a capture by family
    Stats(Stats),
    /// Show what is known of protocols
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Print a script that completes this program's arguments in a shell
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// Opening a capture in the terminal interface.
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// Capture to open, pcap or pcapng, plain, gzip or zstd; - is standard input. Where
    /// standard output is no terminal, it is printed as by dump
    #[arg(required = true, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// What is known beside the tables.
    #[command(flatten)]
    pub(crate) known: Known,
    /// What is to be shown.
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// What is known beside the built-in tables.
#[derive(Debug, Args)]
pub(crate) struct Known {
    /// Read a protocol family from a YNL specification, or all of a folder; may be given
    /// several times
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: Vec<PathBuf>,
    /// Say which generic netlink family has an id (29=nl80211); may be given several times
    #[arg(long, value_name = "ID=NAME", value_parser = genl)]
    pub(crate) genl: Vec<(u16, String)>,
}

/// Which messages are shown, and how: for the interface and for text.
#[derive(Debug, Clone, Args)]
pub(crate) struct Shown {
    /// Show only what passes a filter, as in rt-link.ifname == "eth0" && errno
    #[arg(short = 'Y', long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Mask keys and passwords
    #[arg(long)]
    pub(crate) redact: bool,
    /// Numbers instead of names
    #[arg(short, long)]
    pub(crate) numeric: bool,
    /// How times are shown
    #[arg(short, long, value_enum, default_value = "r", value_name = "FORMAT")]
    pub(crate) time: TimeArg,
    /// When to use colours.
    #[arg(
        long,
        value_enum,
        default_value = "auto",
        value_name = "WHEN",
        help = "Colours: auto means on a terminal, and not where NO_COLOR is set"
    )]
    pub(crate) color: When,
}

/// Printing a capture.
#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// Capture to print, pcap or pcapng, plain, gzip or zstd; - is standard input, and so
    /// is none. Standard input is printed as it arrives
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// What is known beside the tables.
    #[command(flatten)]
    pub(crate) known: Known,
    /// Which messages, and how.
    #[command(flatten)]
    pub(crate) shown: Shown,
    /// How it is printed.
    #[command(flatten)]
    pub(crate) layout: Layout,
    /// Print how many messages there are, and nothing else
    #[arg(long, conflicts_with_all = ["tree", "hex", "format", "line_buffered"])]
    pub(crate) count: bool,
    /// No notices of what was left out
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Summing up a capture.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Capture to sum up, pcap or pcapng; - is standard input, and so is none
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// What is known beside the tables.
    #[command(flatten)]
    pub(crate) known: Known,
    /// How much of the bytes behind the headers has a name, the family with the most
    /// nameless bytes first
    #[arg(long)]
    pub(crate) coverage: bool,
    /// What to print
    #[arg(short = 'T', long, value_enum, default_value = "text")]
    pub(crate) format: StatsFormat,
}

/// What `stats` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatsFormat {
    /// A table for people
    Text,
    /// One JSON object a family and line
    Json,
}

/// How `dump` prints.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct Layout {
    /// Every field of each message, as a tree
    #[arg(short = 'V', long)]
    pub(crate) tree: bool,
    /// The bytes of each message too
    #[arg(short = 'x', long)]
    pub(crate) hex: bool,
    /// What to print
    #[arg(short = 'T', long, value_enum, default_value = "text")]
    pub(crate) format: Format,
    /// Stop after so many messages (frames of PDML)
    #[arg(short = 'c', long = "limit", value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Write out each line at once
    #[arg(short = 'l', long)]
    pub(crate) line_buffered: bool,
    /// The byte range of each field beside it (tree and JSON)
    #[arg(long)]
    pub(crate) ranges: bool,
    /// Show a multicast once, not once for each listener
    #[arg(long)]
    pub(crate) fold: bool,
}

/// What `dump` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Lines or trees for people
    #[default]
    Text,
    /// One JSON object a message and line
    Json,
    /// Wireshark's packet details markup language
    Pdml,
}

/// How times are shown, in tshark's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeArg {
    /// Seconds since the first frame
    R,
    /// Seconds since what is shown before
    #[value(alias = "dd")]
    D,
    /// Seconds since 1970
    E,
    /// Date and time, UTC
    #[value(alias = "ud")]
    U,
    /// The same
    #[value(hide = true)]
    Ad,
}

impl From<TimeArg> for TimeFormat {
    fn from(format: TimeArg) -> Self {
        match format {
            TimeArg::R => Self::Relative,
            TimeArg::D => Self::Delta(None),
            TimeArg::E => Self::Epoch,
            TimeArg::U | TimeArg::Ad => Self::Absolute,
        }
    }
}

/// When something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// Where it makes sense
    Auto,
    /// In any case
    Always,
    /// Not at all
    Never,
}

impl When {
    /// Whether to paint what goes to a terminal, or to something else.
    #[must_use]
    pub(crate) fn colors(self, terminal: bool) -> bool {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                terminal
                    && set("NO_COLOR").is_none()
                    && set("TERM").is_none_or(|terminal| terminal != "dumb")
            }
        }
    }
}

/// Looking into the tables.
#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// List the families
    List(SchemaArgs),
    /// Show the messages and attributes of families
    Show {
        /// Their names, as `schema list` shows them.
        #[arg(required = true, value_name = "FAMILY")]
        names: Vec<String>,
        /// What is known beside the tables.
        #[command(flatten)]
        args: SchemaArgs,
    },
    /// Print the tables that the kernel's YNL specifications make, or add to those that exist
    Import(ImportArgs),
    /// List what the kernel's YNL specifications have and the tables lack or contradict
    Check(CheckArgs),
}

/// What `schema check` compares.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The folder of specifications.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Read tables from a file, or all of a folder, in place of the built-in ones; may be
    /// given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: Vec<PathBuf>,
    /// Why tables differ: lines of family, place and reason, in place of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(crate) reasons: Option<PathBuf>,
}

/// What `schema import` reads.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The specifications.
    #[arg(required = true, value_name = "SPEC")]
    pub(crate) specs: Vec<PathBuf>,
    /// Put what the tables of a folder lack into them, keep all that they have, and print
    /// what changed
    #[arg(long, value_name = "DIR")]
    pub(crate) onto: Option<PathBuf>,
}

/// What `schema` looks into.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Read a protocol family from a YNL specification, or all of a folder; may be given
    /// several times
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: Vec<PathBuf>,
}

/// An id and a name, as `29=nl80211`.
fn genl(text: &str) -> Result<(u16, String), String> {
    let (id, name) = text
        .split_once('=')
        .ok_or("write the id, = and the name the family registers with")?;
    let number = id.strip_prefix("0x").map_or_else(
        || id.parse().ok(),
        |digits| u16::from_str_radix(digits, 16).ok(),
    );
    match number {
        Some(number) if !name.is_empty() => Ok((number, name.to_owned())),
        Some(_) => Err("the name is missing".to_owned()),
        None => Err(format!("{id} is no number from 0 to 65535")),
    }
}

/// The built-in tables and those of `specs`, files or folders of files.
///
/// # Errors
///
/// A file cannot be read, or is no specification.
pub(crate) fn schema(specs: &[PathBuf]) -> anyhow::Result<Schema> {
    let mut schema = Schema::builtin();
    for path in specs {
        let texts = specifications(path).map_err(|error| {
            let words = crate::source::words(&error);
            anyhow!("{}: {words}", path.display())
        })?;
        if let [(name, text)] = texts.as_slice() {
            schema.add(ynl::load(text, name)?);
            continue;
        }
        let files: Vec<_> = texts
            .iter()
            .map(|(name, text)| (&**name, &**text))
            .collect();
        for family in ynl::load_together(&files)? {
            schema.add(family);
        }
    }
    Ok(schema)
}

/// A specification with its path, or all of a folder.
pub(crate) fn specifications(path: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        paths = std::fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()?;
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "yaml"));
        paths.sort();
    }
    paths
        .iter()
        .map(|path| Ok((path.display().to_string(), std::fs::read_to_string(path)?)))
        .collect()
}

impl Known {
    /// An empty context that knows all this.
    ///
    /// # Errors
    ///
    /// Those of [`schema`].
    pub(crate) fn context(&self) -> anyhow::Result<Context> {
        let mut context = Context::new(Arc::new(schema(&self.spec)?));
        for (id, name) in &self.genl {
            context.learn_genl(*id, name);
        }
        Ok(context)
    }
}

impl Shown {
    /// The filter, where there is one.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with a caret under the place.
    pub(crate) fn filter(&self, schema: &Schema) -> anyhow::Result<Option<Filter>> {
        let Some(text) = &self.filter else {
            return Ok(None);
        };
        match Filter::parse(text, schema) {
            Ok(filter) => Ok(Some(filter)),
            Err(error) => Err(Usage(format!("filter: {}", error.render(text))).into()),
        }
    }
}
