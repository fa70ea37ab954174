//! A capture that runs: its threads, what the companion says, and how it ends.

use std::collections::HashMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use rustix::pipe::{PipeFlags, pipe_with};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe;

use super::companion::{Answer, Companion, Questions};
use super::desk::{Desk, Place};
use super::opened::{Source, What};
use crate::source::{Outlet, SourceError, SourceEvent, Stop};

/// After how long a further signal is a second one.
const SECOND_SIGNAL: Duration = Duration::from_millis(500);

/// What the threads of the sources share.
pub(super) struct Running {
    desk: Desk,
    /// How many of them run.
    left: AtomicUsize,
    nsids: Mutex<Nsids>,
    /// Names of network namespaces, from number 1.
    namespaces: Vec<String>,
}

/// Network namespaces that have an id in another one, by that one's number and it.
struct Nsids {
    places: HashMap<(u32, i32), Place>,
    next: Place,
}

impl Running {
    /// So many sources, which hand their frames to `desk`. `namespaces` are the names of network
    /// namespaces from number 1; one that turns up later is at `next`.
    pub(super) fn new(desk: Desk, sources: usize, namespaces: Vec<String>, next: Place) -> Self {
        let places = HashMap::new();
        Self {
            desk,
            left: AtomicUsize::new(sources),
            nsids: Mutex::new(Nsids { places, next }),
            namespaces,
        }
    }

    /// Runs a source to its end; the last one to end ends it all.
    pub(super) fn run(&self, source: Source, stop: &OwnedFd) {
        let ended = match source.what {
            What::Nlmon(nlmon) => nlmon.run(source.place, &self.desk, stop),
            What::Groups(groups) => {
                let elsewhere = |nsid| self.place(source.place, nsid);
                groups.run(source.place, &self.desk, stop, elsewhere)
            }
        };
        let last = self.left.fetch_sub(1, Ordering::AcqRel) == 1;
        // Nobody may come by again to hand out what it had.
        let flushed = self.desk.flush();
        let ended = ended.and(flushed);
        let end = match ended {
            Ok(()) => Ok(()),
            Err(Stop::Error(error)) => Err(error),
            Err(Stop::Gone) => return,
        };
        // If nobody listens any more, nobody needs to know.
        let _ = match end {
            end if last => self.desk.tell(SourceEvent::End(end)),
            Err(SourceError::Unusable(text) | SourceError::Damaged(text)) => {
                self.desk.tell(SourceEvent::Notice(text))
            }
            Ok(()) => Ok(()),
        };
    }

    /// Where a message comes from that was heard at `place` and is from the network
    /// namespace with this id there. It is an interface of its own.
    fn place(&self, place: Place, nsid: i32) -> Place {
        let mut nsids = self.nsids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = nsids.places.get(&(place.netns, nsid)) {
            return *known;
        }
        let new = nsids.next;
        nsids.next.netns = nsids.next.netns.saturating_add(1);
        nsids.next.interface = nsids.next.interface.saturating_add(1);
        nsids.places.insert((place.netns, nsid), new);
        let of = name_of(&self.namespaces, place.netns);
        let of = of.map_or(String::new(), |name| format!(" of {name}"));
        let name = format!("nsid {nsid}{of}");
        // If nobody listens any more, nobody needs to know.
        let _ = self.desk.tell(SourceEvent::Netns(name.clone()));
        let _ = self
            .desk
            .tell(SourceEvent::Interface(format!("groups@{name}")));
        new
    }
}

/// Hands on what the companion says.
pub(super) struct Teller {
    pub(super) outlet: Outlet,
    /// What stops the sources in a network namespace, by its number.
    pub(super) stoppers: HashMap<u32, Arc<OwnedFd>>,
    /// Names of network namespaces, from number 1.
    pub(super) namespaces: Vec<String>,
    /// Whether the companion has a device to take away.
    pub(super) made: bool,
    /// See [`Live::stopping`].
    pub(super) stopping: Arc<AtomicBool>,
}

impl Teller {
    /// To the end; and stops what captures in a network namespace that was deleted.
    pub(super) fn tell(&self, answers: impl Iterator<Item = Answer>) {
        for answer in answers {
            let event = match answer {
                Answer::Port(port) => SourceEvent::Port(port),
                Answer::Socket(change) => SourceEvent::Socket(change),
                Answer::Trouble(text) => SourceEvent::Notice(text),
                Answer::Deleted(number) => {
                    if let Some(stopper) = self.stoppers.get(&number) {
                        stop(stopper);
                    }
                    let name = name_of(&self.namespaces, number);
                    let name = name.map_or(String::new(), |name| format!(" {name}"));
                    SourceEvent::Notice(format!(
                        "network namespace{name} was deleted, it is not captured in any more"
                    ))
                }
                Answer::Own(..) | Answer::Ready | Answer::Looked => continue,
            };
            if self.outlet.send(event).is_err() {
                return;
            }
        }
        if !self.stopping.load(Ordering::Relaxed) {
            let stays = if self.made {
                ", and nobody takes the nlmon device away"
            } else {
                ""
            };
            let text = format!("the second process was ended: programs are not known{stays}");
            // If nobody listens any more, nobody needs to know.
            let _ = self.outlet.send(SourceEvent::Notice(text));
        }
    }
}

/// The name of network namespace number `number`.
fn name_of(namespaces: &[String], number: u32) -> Option<&String> {
    namespaces.get(usize::try_from(number.checked_sub(1)?).ok()?)
}

/// The signals that end a program from outside. SIGHUP stays ignored where it is, as by
/// nohup(1); not SIGINT, which a shell lets all ignore that it starts in the background.
fn ending_signals() -> Vec<i32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let hangs_up = ignored.unwrap_or(0) >> (SIGHUP - 1) & 1 == 0;
    let mut signals = vec![SIGINT, SIGTERM];
    signals.extend(hangs_up.then_some(SIGHUP));
    signals
}

/// Starts a thread.
pub(super) fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> anyhow::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .context("cannot start a thread")
}

/// Stops what captures in one network namespace.
fn stop(stopper: &OwnedFd) {
    // It has room for more than the few bytes that are ever written.
    let _ = rustix::io::write(stopper, &[0]);
}

/// A running capture. It ends when this is dropped.
pub(crate) struct Live {
    /// Those of all network namespaces.
    stoppers: Vec<Arc<OwnedFd>>,
    /// A pipe for the first of the signals to be heard through.
    first_signal: (OwnedFd, OwnedFd),
    /// See [`ending_signals`].
    signals: Vec<i32>,
    stopping: Arc<AtomicBool>,
    companion: Option<Companion>,
    threads: Vec<JoinHandle<()>>,
}

impl Live {
    /// One without threads yet.
    ///
    /// # Errors
    ///
    /// A pipe cannot be made.
    pub(super) fn new(
        stoppers: Vec<Arc<OwnedFd>>,
        companion: Option<Companion>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            stoppers,
            first_signal: pipe_with(PipeFlags::CLOEXEC).context("cannot make a pipe")?,
            signals: ending_signals(),
            stopping: Arc::default(),
            companion,
            threads: Vec::new(),
        })
    }

    /// One more thread, which ends when the capture is stopped.
    pub(super) fn add(&mut self, thread: JoinHandle<()>) {
        self.threads.push(thread);
    }

    /// Where to ask who has a port.
    pub(super) fn questions(&self) -> Option<Questions> {
        self.companion.as_ref().map(Companion::questions)
    }

    /// Set when somebody wants it to end.
    pub(super) fn stopping(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopping)
    }

    /// Stops capturing: what was captured by then still arrives, then the end.
    pub(crate) fn stop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.stoppers.drain(..).for_each(|stopper| stop(&stopper));
    }

    /// Stops capturing, too, when somebody wants the program to end. At a second signal it
    /// ends at once.
    ///
    /// # Errors
    ///
    /// The system does not let us listen for signals.
    pub(crate) fn stop_at_signals(&self) -> anyhow::Result<()> {
        let failed = "cannot listen for signals";
        let at_once = Arc::new(AtomicBool::new(false));
        let (first, heard) = &self.first_signal;
        let first = first.try_clone().context(failed)?;
        for signal in self.signals.iter().copied() {
            flag::register_conditional_default(signal, Arc::clone(&at_once)).context(failed)?;
            flag::register(signal, Arc::clone(&self.stopping)).context(failed)?;
            pipe::register(signal, heard.try_clone().context(failed)?).context(failed)?;
            for stopper in &self.stoppers {
                let stopper = stopper.try_clone().context(failed)?;
                pipe::register(signal, stopper).context(failed)?;
            }
        }
        // It lasts as long as the process. timeout(1) sends a signal twice in a row and means
        // one.
        spawn("signals", move || {
            let _ = rustix::io::read(first, &mut [0]);
            thread::sleep(SECOND_SIGNAL);
            at_once.store(true, Ordering::Relaxed);
        })?;
        Ok(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop();
        // Waits until a device that was made is taken away.
        self.companion = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}
