//! `nlscope record`: what a live source brings, into a file.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use nlscope_dissector::filter::Filter;

use super::{Form, Recorder, Recording, Rotation};
use crate::cli::{self, Bound, Record, RecordForm};
use crate::live;
use crate::source::{SourceError, SourceEvent};
use crate::{Status, Usage, complain};

/// How long is waited for frames before it is looked whether a file is to be ended.
const PATIENCE: Duration = Duration::from_millis(200);
/// After how many milliseconds the kernel hands over frames at the latest: nobody waits for
/// them, and its buffer is used best.
const LATE: i32 = 200;
/// How often is said how many there are.
const SAY_EVERY: Duration = Duration::from_millis(500);

/// Records until a bound is reached or somebody interrupts it.
///
/// # Errors
///
/// What cannot be captured or written.
pub(crate) fn run(args: &Record) -> anyhow::Result<Status> {
    let schema = cli::schema(&[])?;
    let filter = match &args.filter {
        Some(text) => Some(
            Filter::parse(text, &schema)
                .map_err(|error| Usage(format!("filter: {}", error.render(text))))?,
        ),
        None => None,
    };
    if args.write == Path::new("-") && io::stdout().is_terminal() {
        bail!(Usage(
            "a capture is not for a terminal: give -w a file".to_owned()
        ));
    }
    let options = live::Options {
        delay: LATE,
        ..args.capture.options(filter.as_ref())
    };
    let bounds = Bounds::new(args)?;
    let opened = live::open(options, &schema)?;
    let form = match args.form {
        RecordForm::Pcapng => Form::Pcapng,
        RecordForm::Pcap => Form::Pcap,
    };
    let folder = folder(&args.write);
    opened.go_on_as_caller(&folder)?;
    let recorder = Recorder::create(&args.write, form, bounds.rotation, args.comment.clone())?;
    let mut recording = Recording::new(recorder, Arc::new(schema));
    let title = opened.title.clone();
    let (mut live, events) = opened.start(live::Writes::Files(folder))?;
    live.stop_at_signals()?;
    if !args.quiet {
        complain(&format_args!(
            "capturing on {title}, into {}",
            args.write.display()
        ));
    }
    let mut session = Session {
        recording: &mut recording,
        bounds,
        begun: Instant::now(),
        quiet: args.quiet,
    };
    let ended = session.record(&events, || live.stop());
    drop(events);
    drop(live);
    let tally = recording.tally().clone();
    let written = recording.written();
    let finished = recording.finish();
    if !args.quiet {
        let written = finished.as_ref().map_or(written, |summary| summary.packets);
        complain(&format_args!("{written} frames written, {tally}"));
    }
    let status = ended?;
    finished?;
    Ok(status)
}

/// The folder that files are written in.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// When to begin another file, and when to stop.
struct Bounds {
    rotation: Rotation,
    duration: Option<Duration>,
    bytes: Option<u64>,
    frames: Option<u64>,
}

impl Bounds {
    fn new(args: &Record) -> Result<Self, Usage> {
        let mut bounds = Self {
            rotation: Rotation {
                files: args.files,
                ..Rotation::default()
            },
            duration: None,
            bytes: None,
            frames: args.limit,
        };
        for bound in &args.ring {
            match *bound {
                Bound::Duration(duration) => bounds.rotation.duration = Some(duration),
                Bound::Filesize(bytes) => bounds.rotation.filesize = Some(bytes),
                Bound::Packets(frames) => bounds.rotation.packets = Some(frames),
                Bound::Files(files) => bounds.rotation.files = Some(files),
            }
        }
        for bound in &args.autostop {
            match *bound {
                Bound::Duration(duration) => bounds.duration = Some(duration),
                Bound::Filesize(bytes) => bounds.bytes = Some(bytes),
                Bound::Packets(frames) => bounds.frames = Some(frames),
                Bound::Files(files) => bounds.rotation.last = Some(files),
            }
        }
        if args.autostop.iter().any(|it| matches!(it, Bound::Files(_))) && args.ring.is_empty() {
            return Err(Usage(
                "-a files:N wants -b, which begins another file".to_owned(),
            ));
        }
        Ok(bounds)
    }
}

/// One run of `record`.
struct Session<'a> {
    recording: &'a mut Recording,
    bounds: Bounds,
    begun: Instant,
    quiet: bool,
}

impl Session<'_> {
    fn record(
        &mut self,
        events: &Receiver<SourceEvent>,
        mut stop: impl FnMut(),
    ) -> anyhow::Result<Status> {
        let mut stopped = false;
        let mut said = Instant::now();
        loop {
            match events.recv_timeout(PATIENCE) {
                Ok(SourceEvent::End(Ok(()))) | Err(RecvTimeoutError::Disconnected) => {
                    return Ok(Status::Well);
                }
                Ok(SourceEvent::End(Err(
                    SourceError::Unusable(text) | SourceError::Damaged(text),
                ))) => bail!(text),
                Ok(SourceEvent::Notice(text)) if !self.quiet => complain(&text),
                Ok(event) => self.take(&event)?,
                Err(RecvTimeoutError::Timeout) => self.recording.tick(now())?,
            }
            self.recording.flush_in_time()?;
            if !stopped && self.is_over() {
                stopped = true;
                stop();
            }
            if !self.quiet && io::stderr().is_terminal() && said.elapsed() >= SAY_EVERY {
                said = Instant::now();
                let (written, dropped) =
                    (self.recording.written(), self.recording.tally().dropped());
                eprint!("\r{written} frames written, {dropped} dropped ");
            }
        }
    }

    fn take(&mut self, event: &SourceEvent) -> anyhow::Result<()> {
        let left = self
            .bounds
            .frames
            .map(|limit| limit.saturating_sub(self.recording.taken()));
        self.recording.take(event, left)?;
        Ok(())
    }

    /// Whether it is enough.
    fn is_over(&self) -> bool {
        let recording = &*self.recording;
        let summary = recording.so_far();
        self.bounds
            .duration
            .is_some_and(|most| self.begun.elapsed() >= most)
            || self
                .bounds
                .frames
                .is_some_and(|most| recording.taken() >= most)
            || self.bounds.bytes.is_some_and(|most| summary.bytes >= most)
            || recording.is_full()
    }
}

fn now() -> (u64, u32) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or((0, 0), |since| (since.as_secs(), since.subsec_nanos()))
}
