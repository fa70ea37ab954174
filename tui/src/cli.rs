//! The command line.

#[cfg(target_os = "linux")]
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use nlscope_dissector::context::Context;
use nlscope_dissector::export::TimeFormat;
use nlscope_dissector::filter::Filter;
use nlscope_dissector::schema::{Schema, ynl};
#[cfg(target_os = "linux")]
use rustix::fs::FileType;

use crate::Usage;
#[cfg(target_os = "linux")]
use crate::live::{Netns, NlmonDevice, Options, Wanted};

/// Shows what the Linux kernel and its programs say to each other over netlink
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
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
    /// Capture to a file
    #[cfg(target_os = "linux")]
    Record(Box<Record>),
    /// List the netlink sockets of this machine: who has them, which groups they joined
    #[cfg(target_os = "linux")]
    Sockets(Sockets),
    /// Look after a capture that has given up its privileges
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Companion(CompanionArgs),
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
    /// Capture to open, pcap or pcapng, plain, gzip or zstd; - is standard input. None is
    /// what this machine says now. Where standard output is no terminal, it is printed as
    /// by dump
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// What to capture.
    #[cfg(target_os = "linux")]
    #[command(flatten)]
    pub(crate) capture: Capture,
    /// How much of what is captured is kept, about; then the oldest leaves the view
    #[cfg(target_os = "linux")]
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 512,
        value_parser = clap::value_parser!(u16).range(1..),
        help_heading = "Capturing"
    )]
    pub(crate) keep: u16,
    /// What is known beside the tables.
    #[command(flatten)]
    pub(crate) known: Known,
    /// What is to be shown.
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// Capturing on this machine.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Capturing")]
pub(crate) struct Capture {
    /// Capture on this nlmon device; auto finds one or makes one, which goes away again.
    /// So does no option at all
    #[arg(short, long, value_name = "NAME")]
    pub(crate) interface: Option<String>,
    /// Listen to multicast groups instead, or with -i as well: to all of them, or to some
    /// by name of group, family or protocol (link, nl80211, route). Needs no nlmon
    /// and, for most, no privilege
    #[arg(
        long,
        value_name = "GROUP,...",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ""
    )]
    pub(crate) groups: Option<String>,
    /// In this network namespace, by its name or path; may be given several times
    #[arg(long, value_name = "NAME|PATH", value_parser = netns)]
    pub(crate) netns: Vec<Netns>,
    /// With --groups: also hear the network namespaces that have an id in this one
    #[arg(long, requires = "groups")]
    pub(crate) all_nsid: bool,
    /// Show what nlscope itself asks the kernel, too
    #[arg(long)]
    pub(crate) show_own: bool,
    /// Size of the kernel's buffer, for each source
    #[arg(
        short = 'B',
        long,
        value_name = "MIB",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    pub(crate) buffer: u16,
    /// Keep all privileges, files and system calls, to debug nlscope itself
    #[arg(long)]
    pub(crate) no_sandbox: bool,
}

/// The name or path of a network namespace.
#[cfg(target_os = "linux")]
fn netns(text: &str) -> Result<Netns, String> {
    match text {
        "" => Err("the name is empty".to_owned()),
        name => Ok(Netns {
            name: name.to_owned(),
        }),
    }
}

/// Whether somebody pipes something in: standard input is neither a terminal nor
/// `/dev/null`.
#[cfg(target_os = "linux")]
fn is_piped() -> bool {
    let about = rustix::fs::fstat(io::stdin());
    about.is_ok_and(|about| !FileType::from_raw_mode(about.st_mode).is_char_device())
}

/// After how many milliseconds a frame is shown at the latest.
#[cfg(target_os = "linux")]
const SOON: i32 = 5;

#[cfg(target_os = "linux")]
impl Capture {
    /// Whether capturing is asked for, and not reading `file`: by an option, or because there
    /// is nothing to read.
    ///
    /// # Errors
    ///
    /// Both are asked for.
    pub(crate) fn wanted(&self, file: Option<&Path>) -> Result<bool, Usage> {
        let asked = self.interface.is_some() || self.groups.is_some() || !self.netns.is_empty();
        match file {
            Some(_) if asked => Err(Usage(
                "a file is read or the machine is listened to, not both".to_owned(),
            )),
            Some(_) => Ok(false),
            None => Ok(asked || !is_piped()),
        }
    }

    /// What to capture. Of the protocols only those that `filter` may pass.
    #[must_use]
    pub(crate) fn options(&self, filter: Option<&Filter>) -> Options {
        let named = |names: &String| match names.as_str() {
            "" => Wanted::All,
            names => Wanted::Named(names.split(',').map(str::to_owned).collect()),
        };
        let groups = self.groups.as_ref().map(named);
        let device = match self.interface.as_deref() {
            Some("auto") => Some(NlmonDevice::Any),
            None => groups.is_none().then_some(NlmonDevice::Any),
            Some(name) => Some(NlmonDevice::Named(name.to_owned())),
        };
        // Netlink has 32 protocols (MAX_LINKS in linux/netlink.h).
        let passing = |filter: &Filter| (0..32).filter(|it| filter.may_pass(*it)).collect();
        let protocols: Option<Vec<u16>> = filter.map(passing);
        Options {
            nlmon: device,
            groups,
            netns: self.netns.clone(),
            all_nsid: self.all_nsid,
            show_own: self.show_own,
            buffer: self.buffer,
            delay: SOON,
            protocols: protocols.filter(|some| some.len() < 32),
            sandbox: !self.no_sandbox,
        }
    }
}

/// Capturing to a file.
#[cfg(target_os = "linux")]
#[derive(Debug, Args)]
pub(crate) struct Record {
    /// File to write; - is standard output. With -b it is the pattern of their names
    #[arg(short, long, value_name = "FILE")]
    pub(crate) write: PathBuf,
    /// What to capture.
    #[command(flatten)]
    pub(crate) capture: Capture,
    /// Capture only the protocols that a filter may let pass, and all of these
    #[arg(short = 'Y', long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// What to write
    #[arg(short = 'F', long, value_enum, default_value = "pcapng")]
    pub(crate) form: RecordForm,
    /// Stop after so many frames
    #[arg(short = 'c', long = "limit", value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Stop after duration:SECONDS, filesize:KB, packets:N or files:N; may be given several
    /// times
    #[arg(short = 'a', long, value_name = "WHEN")]
    pub(crate) autostop: Vec<Bound>,
    /// Begin another file after duration:SECONDS, filesize:KB or packets:N, and keep files:N;
    /// may be given several times
    #[arg(short = 'b', long, value_name = "WHEN")]
    pub(crate) ring: Vec<Bound>,
    /// Keep so many files, the latest (-b files:N)
    #[arg(short = 'W', long, value_name = "N")]
    pub(crate) files: Option<std::num::NonZeroU32>,
    /// Comment in the file
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What `record` writes.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordForm {
    /// With process, multicast group and drop counts
    Pcapng,
    /// Frames alone
    Pcap,
}

/// A bound in dumpcap's words: `filesize:1000`.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// So long.
    Duration(std::time::Duration),
    /// So many bytes.
    Filesize(u64),
    /// So many frames.
    Packets(u64),
    /// So many files.
    Files(std::num::NonZeroU32),
}

#[cfg(target_os = "linux")]
impl std::str::FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, value) = text
            .split_once(':')
            .ok_or("write what, : and how much, as in duration:60")?;
        let number = || match value.parse::<u64>() {
            Ok(0) | Err(_) => Err(format!("\"{value}\" is no number above 0")),
            Ok(number) => Ok(number),
        };
        Ok(match what {
            "duration" => {
                let seconds = value.parse().ok().filter(|seconds| *seconds > 0.0);
                let duration =
                    seconds.and_then(|it| std::time::Duration::try_from_secs_f64(it).ok());
                Self::Duration(duration.ok_or(format!("\"{value}\" are no seconds"))?)
            }
            // dumpcap's kilobytes are of 1000 bytes.
            "filesize" => Self::Filesize(number()?.saturating_mul(1000)),
            "packets" => Self::Packets(number()?),
            "files" => Self::Files(
                value
                    .parse()
                    .map_err(|_| format!("\"{value}\" is no number of files"))?,
            ),
            _ => {
                return Err(format!(
                    "\"{what}\" is none of duration, filesize, packets and files"
                ));
            }
        })
    }
}

/// Listing sockets.
#[cfg(target_os = "linux")]
#[derive(Debug, Args)]
pub(crate) struct Sockets {
    /// Go on, with a line for each that is opened, changed or released
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// What to print
    #[arg(short = 'T', long, value_enum, default_value = "text")]
    pub(crate) format: StatsFormat,
    /// In this network namespace, by its name or path; may be given several times
    #[arg(long, value_name = "NAME|PATH", value_parser = netns)]
    pub(crate) netns: Vec<Netns>,
    /// Sockets of the kernel too
    #[arg(long)]
    pub(crate) kernel: bool,
}

/// What the companion does.
#[cfg(target_os = "linux")]
#[derive(Debug, Args)]
pub(crate) struct CompanionArgs {
    /// The network namespaces of the capture.
    #[arg(long, value_parser = netns)]
    pub(crate) netns: Vec<Netns>,
    /// Devices to take away in the end: number of the network namespace, and index.
    #[arg(long, value_parser = device)]
    pub(crate) remove: Vec<(u32, u32)>,
}

/// `0:17`.
#[cfg(target_os = "linux")]
fn device(text: &str) -> Result<(u32, u32), String> {
    let numbers = text.split_once(':');
    let parsed =
        numbers.and_then(|(netns, index)| Some((netns.parse().ok()?, index.parse().ok()?)));
    parsed.ok_or_else(|| "write NETNS:INDEX".to_owned())
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
    /// Capture to print, pcap or pcapng, plain, gzip or zstd; - is standard input, which is
    /// printed as it arrives. None is what this machine says now, unless something is piped
    /// in
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// What to capture.
    #[cfg(target_os = "linux")]
    #[command(flatten)]
    pub(crate) capture: Capture,
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
