//! `nlscope dump`: a capture as text.
//!
//! A file is read whole first: what a later message tells of an earlier one (the name
//! behind a generic netlink id, the port of a request, its latency) is known before
//! anything is printed. Standard input is printed as it arrives, and what is captured a
//! moment later, with what is known by then, and in bounded memory.

mod lone;
mod output;
mod printer;
mod stream;

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::bail;
use nlscope_dissector::context::{Context, MessageNo, Record};

use crate::cli::Dump;
#[cfg(target_os = "linux")]
use crate::live;
use crate::source::{self, Input, SourceError};
use crate::whole::WholeCapture;
use crate::{Status, complain, input};
use output::Output;
use printer::{Next, Printer};
use stream::Stream;

/// Prints a capture.
///
/// # Errors
///
/// Nothing could be read, or not be written.
pub(crate) fn run(args: Dump) -> anyhow::Result<Status> {
    let context = args.known.context()?;
    let filter = args.shown.filter(context.schema())?;
    #[cfg(target_os = "linux")]
    let live = {
        let wanted = args.capture.wanted(args.file.as_deref())?;
        wanted.then(|| args.capture.options(filter.as_ref()))
    };
    let terminal = io::stdout().is_terminal();
    let output = Output::new(io::stdout(), &args.shown, args.layout, terminal);
    let printer = Printer::new(output, filter, args.count);
    let quiet = args.quiet;
    #[cfg(target_os = "linux")]
    if let Some(options) = live {
        return capture(options, context, printer, quiet);
    }
    let input = input(args.file)?;
    let teller = Teller {
        input: input.to_string(),
        quiet,
    };
    match input {
        Input::File(_) => whole(input, context, printer, &teller),
        Input::Stdin => {
            let events = source::open(input, None)?;
            Stream::new(context, printer, Duration::ZERO).print(&events, &teller)
        }
    }
}

/// How long what is captured waits for what is still to be found out: who has a port, and
/// what the kernel answers.
#[cfg(target_os = "linux")]
const FOUND_OUT: Duration = Duration::from_millis(30);

/// Prints what this machine says, until it is interrupted.
#[cfg(target_os = "linux")]
fn capture<W: io::Write>(
    options: live::Options,
    context: Context,
    printer: Printer<W>,
    quiet: bool,
) -> anyhow::Result<Status> {
    let opened = live::open(options, context.schema())?;
    let teller = Teller {
        input: opened.title.clone(),
        quiet,
    };
    let (mut live, events) = opened.start(live::Writes::Nothing)?;
    live.stop_at_signals()?;
    if !quiet {
        complain(&format_args!("capturing on {}", teller.input));
    }
    let mut stream = Stream::new(context, printer, FOUND_OUT);
    let status = stream.print(&events, &teller);
    live.stop();
    stream.count_rest(&events);
    // Nothing waits for room any more.
    drop(events);
    drop(live);
    if !quiet {
        complain(&format_args!("frames: {}", stream.tally()));
    }
    status
}

/// Tells what is not output.
struct Teller {
    input: String,
    quiet: bool,
}

impl Teller {
    fn notice(&self, text: &str) {
        if !self.quiet {
            complain(&format_args!("{}: {text}", self.input));
        }
    }

    fn end<W: io::Write>(
        &self,
        printer: &mut Printer<W>,
        end: Result<(), SourceError>,
    ) -> anyhow::Result<Status> {
        if let Err(SourceError::Unusable(text)) = end {
            bail!("{}: {text}", self.input);
        }
        let elsewhere = printer.finish(&self.input)?;
        if elsewhere > 0 {
            let plural = if elsewhere == 1 { "" } else { "s" };
            let text = format!("{elsewhere} frame{plural} of devices other than netlink left out");
            self.notice(&text);
        }
        Ok(match end {
            Err(SourceError::Damaged(text)) => {
                complain(&format_args!("{}: {text}", self.input));
                Status::Damaged
            }
            _ => Status::Well,
        })
    }
}

/// Prints a file.
fn whole<W: io::Write>(
    input: Input,
    mut context: Context,
    mut printer: Printer<W>,
    teller: &Teller,
) -> anyhow::Result<Status> {
    let (capture, end) = WholeCapture::read(input, &mut context, |text| teller.notice(text))?;
    if matches!(end, Err(SourceError::Unusable(_))) {
        return teller.end(&mut printer, end);
    }
    if printer.folds() {
        printer.count_copies(copies(capture.records()));
    }
    printer.begin(&teller.input)?;
    for (frame, records) in capture.frames() {
        if printer.frame(&context, capture.store(), &frame, records)? == Next::Enough {
            break;
        }
    }
    teller.end(&mut printer, end)
}

/// How many copies there are of the messages that have any.
fn copies(records: &[Record]) -> HashMap<MessageNo, u32> {
    let mut copies = HashMap::new();
    for original in records.iter().filter_map(|record| record.copy_of) {
        *copies.entry(original).or_insert(0) += 1;
    }
    copies
}
