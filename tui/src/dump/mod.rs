//! `nlscope dump`: a capture as text.
//!
//! A file is read whole first: what a later message tells of an earlier one (the name
//! behind a generic netlink id, the port of a request, its latency) is known before
//! anything is printed. Standard input is printed as it arrives, with what is known by
//! then, and in bounded memory.

mod lone;
mod output;
mod printer;

use std::collections::HashMap;
use std::io::{self, IsTerminal};

use anyhow::{anyhow, bail};
use nlscope_dissector::context::{Context, MessageNo, Record};

use crate::cli::Dump;
use crate::source::{self, FrameStore, Input, SourceError, SourceEvent};
use crate::whole::WholeCapture;
use crate::{Status, complain, input};
use output::Output;
use printer::{Next, Printer};

/// How many bytes of a stream are kept, to find requests in.
const RECENT: usize = 64 << 20;

/// Prints a capture.
///
/// # Errors
///
/// Nothing could be read, or not be written.
pub(crate) fn run(args: Dump) -> anyhow::Result<Status> {
    let input = input(args.file)?;
    let context = args.known.context()?;
    let filter = args.shown.filter(context.schema())?;
    let terminal = io::stdout().is_terminal();
    let output = Output::new(io::stdout(), &args.shown, args.layout, terminal);
    let printer = Printer::new(output, filter, args.count);
    let teller = Teller {
        input: input.to_string(),
        quiet: args.quiet,
    };
    match input {
        Input::File(_) => whole(input, context, printer, &teller),
        Input::Stdin => stream(context, printer, &teller),
    }
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
        mut printer: Printer<W>,
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
        return teller.end(printer, end);
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
    teller.end(printer, end)
}

/// How many copies there are of the messages that have any.
fn copies(records: &[Record]) -> HashMap<MessageNo, u32> {
    let mut copies = HashMap::new();
    for original in records.iter().filter_map(|record| record.copy_of) {
        *copies.entry(original).or_insert(0) += 1;
    }
    copies
}

/// Prints standard input as it arrives.
fn stream<W: io::Write>(
    mut context: Context,
    mut printer: Printer<W>,
    teller: &Teller,
) -> anyhow::Result<Status> {
    let mut store = FrameStore::latest(RECENT);
    let mut records = Vec::new();
    let mut amendments = Vec::new();
    for event in source::open(Input::Stdin, None)? {
        let frames = match event {
            SourceEvent::Segment(segment) => {
                store.add_segment(segment);
                continue;
            }
            SourceEvent::Frames(frames) => frames,
            SourceEvent::Processes(processes) => {
                store.add_processes(processes);
                continue;
            }
            SourceEvent::Netns(name) => {
                context.learn_netns(name);
                continue;
            }
            SourceEvent::Progress { .. } => continue,
            SourceEvent::Notice(text) => {
                teller.notice(&text);
                continue;
            }
            SourceEvent::End(end) => return teller.end(printer, end),
        };
        store.add_frames(&frames);
        printer.begin(&teller.input)?;
        for entry in frames {
            let Some(frame) = store.frame(entry.frame.number) else {
                continue;
            };
            records.clear();
            // What has been printed cannot be mended.
            amendments.clear();
            context.feed(&frame, &mut records, &mut amendments);
            if printer.frame(&context, &store, &frame, &records)? == Next::Enough {
                return teller.end(printer, Ok(()));
            }
        }
        printer.flush()?;
    }
    Err(anyhow!("{}: reading broke off", teller.input))
}
