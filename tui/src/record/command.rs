//! `nlscope record`: what a live source brings, into a file.

use std::fmt;
use std::io::{self, IsTerminal};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nlscope_dissector::filter::Filter;
use signal_hook::flag;

use super::{Form, RecordError, Recorder, Recording, Rotation};
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
    if filter.as_ref().is_some_and(|it| !it.is_of_protocols()) && !args.quiet {
        complain(
            &"-Y leaves out protocols that its filter does not let pass; of the others all is \
              recorded, for nlscope dump -Y to choose from",
        );
    }
    let options = live::Options {
        delay: LATE,
        ..args.capture.options(filter.as_ref())
    };
    let bounds = Bounds::new(args)?;
    // Writing beyond the limit of setrlimit(2) then is an error like others.
    flag::register(libc::SIGXFSZ, Arc::default()).context("cannot listen for signals")?;
    let opened = live::open(options, &schema)?;
    let form = match args.form {
        RecordForm::Pcapng => Form::Pcapng,
        RecordForm::Pcap => Form::Pcap,
    };
    let folder = folder(&args.write);
    let writes = if bounds.rotation.goes_on() {
        opened.go_on_as_caller(&folder)?;
        live::Writes::Files(folder)
    } else {
        live::Writes::Nothing
    };
    let recorder = Recorder::create(&args.write, form, bounds.rotation, args.comment.clone())?;
    let mut recording = Recording::new(recorder, Arc::new(schema));
    let title = opened.title.clone();
    let (mut live, events) = opened.start(writes)?;
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
        said: None,
    };
    let ended = session.record(&events, || live.stop());
    let ended = ended.and_then(|status| {
        session.recording.finish()?;
        Ok(status)
    });
    if ended.is_err() {
        live.stop();
        session.lose(&events);
    }
    session.end_line();
    drop(events);
    drop(live);
    if !args.quiet {
        let (written, tally) = (recording.written(), recording.tally());
        complain(&format_args!("{written} frames written, {tally}"));
    }
    ended
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
                // Of several files it is the size of each, as in dumpcap.
                Bound::Filesize(bytes) => bounds.rotation.filesize = Some(bytes),
                Bound::Packets(frames) => bounds.frames = Some(frames),
                Bound::Files(files) => bounds.rotation.last = Some(files),
            }
        }
        if args.ring.is_empty() {
            bounds.rotation.last = NonZeroU32::new(1);
        }
        if bounds.rotation.files.is_some() && !bounds.rotation.goes_on() {
            return Err(Usage(RecordError::NeverRotated.to_string()));
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
    /// When it was said how many there are, in a line that goes on.
    said: Option<Instant>,
}

impl Session<'_> {
    fn record(
        &mut self,
        events: &Receiver<SourceEvent>,
        mut stop: impl FnMut(),
    ) -> anyhow::Result<Status> {
        let mut stopped = false;
        loop {
            match events.recv_timeout(PATIENCE) {
                Ok(SourceEvent::End(Ok(()))) | Err(RecvTimeoutError::Disconnected) => {
                    return Ok(Status::Well);
                }
                Ok(SourceEvent::End(Err(
                    SourceError::Unusable(text) | SourceError::Damaged(text),
                ))) => bail!(text),
                Ok(SourceEvent::Notice(text)) => self.notice(&text),
                Ok(event) => self.take(&event)?,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.recording.flush_in_time()?;
            self.recording.tick()?;
            if let Some(trouble) = self.recording.trouble() {
                self.notice(&trouble);
            }
            if !stopped && self.is_over() {
                stopped = true;
                stop();
            }
            self.count();
        }
    }

    /// Takes of what still comes, to the end, only how much it is.
    fn lose(&mut self, events: &Receiver<SourceEvent>) {
        for event in events {
            match event {
                SourceEvent::Losses(losses) => self.recording.lose(losses),
                SourceEvent::End(_) => return,
                _ => {}
            }
        }
    }

    fn notice(&mut self, text: &dyn fmt::Display) {
        if !self.quiet {
            self.end_line();
            complain(text);
        }
    }

    /// Says how many there are, now and then, where somebody watches.
    fn count(&mut self) {
        let due = self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY);
        if self.quiet || !due || !io::stderr().is_terminal() {
            return;
        }
        self.said = Some(Instant::now());
        let (written, tally) = (self.recording.written(), self.recording.tally());
        eprint!("\r{written} frames written, {} dropped ", tally.dropped());
    }

    /// Ends the line that says how many there are.
    fn end_line(&mut self) {
        if self.said.take().is_some() {
            eprintln!();
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
        self.bounds
            .duration
            .is_some_and(|most| self.begun.elapsed() >= most)
            || self
                .bounds
                .frames
                .is_some_and(|most| recording.taken() >= most)
            || recording.is_full()
    }
}
