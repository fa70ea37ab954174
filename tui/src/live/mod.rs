//! What this machine says over netlink now: nlmon devices, multicast groups, and what
//! belongs to both. Only on Linux.
//!
//! Everything that needs a privilege is opened first ([`open`]); then the program gives
//! its privileges up and closes the system behind itself, and only then the threads
//! start that see captured bytes ([`Opened::start`]).

mod companion;
mod desk;
mod device;
mod groups;
mod names;
mod netns;
mod nlmon;
mod privilege;
mod sandbox;
mod scan;
mod socket;
mod sys;

pub(crate) use companion::{run as companion, watch_sockets};
pub(crate) use groups::Wanted;
pub(crate) use names::groups as genl_groups;
pub(crate) use netns::Netns;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{self, ChildStdout};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, bail};
use nlscope_dissector::schema::Schema;
use nlscope_dissector::wire::protocol;
use rustix::pipe::{PipeFlags, pipe_with};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe;

use crate::Usage;
use crate::source::{Outlet, SourceError, SourceEvent, Stop};
use companion::{Answer, Companion, Questions};
use desk::{Batch, Desk, OwnPorts, Place};
use device::Made;
use groups::Groups;
use names::GenlGroups;
use nlmon::Nlmon;
use sandbox::Sandbox;
pub(crate) use sandbox::Writes;
use socket::NetlinkSocket;

/// How many events wait at most until somebody takes them; a batch of frames is two.
const QUEUE: usize = 256;
/// How late one source may be with what another has already, beside the delay of nlmon.
const LATE: Duration = Duration::from_millis(25);

/// What to capture, and how.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Capture on nlmon.
    pub(crate) nlmon: Option<NlmonDevice>,
    /// Listen to multicast groups.
    pub(crate) groups: Option<Wanted>,
    /// In these network namespaces; none is the own one.
    pub(crate) netns: Vec<Netns>,
    /// Also hear groups of the network namespaces that have an id here.
    pub(crate) all_nsid: bool,
    /// Our own questions are shown like those of others.
    pub(crate) show_own: bool,
    /// Size of kernel buffers in MiB.
    pub(crate) buffer: u16,
    /// After how many milliseconds frames are handed over at the latest: the more, the
    /// fuller the buffer can get.
    pub(crate) delay: i32,
    /// Only these protocols, `NETLINK_*`; `None` for all.
    pub(crate) protocols: Option<Vec<u16>>,
    /// Give up privileges and close the system behind us.
    pub(crate) sandbox: bool,
}

/// Which nlmon device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NlmonDevice {
    /// The one with this name.
    Named(String),
    /// One that is found, or else made.
    Any,
}

/// The network namespaces that were asked for. One alone is number 0 and needs no name;
/// several have numbers from 1.
#[derive(Clone, Copy)]
struct Namespaces<'a>(&'a [Netns]);

impl<'a> Namespaces<'a> {
    /// Each with its number.
    fn numbered(self) -> impl Iterator<Item = (u32, Option<&'a Netns>)> {
        let own = self.0.is_empty().then_some((0, None));
        let first = u32::from(self.0.len() > 1);
        own.into_iter()
            .chain((first..).zip(self.0.iter().map(Some)))
    }

    /// Does something in the one with this number.
    fn inside<T: Send>(
        self,
        number: u32,
        work: impl FnOnce() -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        let found = self.numbered().find(|(it, _)| *it == number);
        netns::inside(found.and_then(|(_, netns)| netns), work)
    }
}

/// Everything is open and nothing runs yet.
pub(crate) struct Opened {
    /// What is captured, in words: `nlmon0`, `19 groups`.
    pub(crate) title: String,
    sources: Vec<Source>,
    /// Our own questions and the answers: protocol and datagram.
    beginning: Vec<(Place, u16, Vec<u8>)>,
    interfaces: Vec<String>,
    /// Names of network namespaces, from number 1.
    namespaces: Vec<String>,
    notices: Vec<String>,
    own: OwnPorts,
    // The output ends before the companion is waited for.
    companion: Option<(ChildStdout, Companion)>,
    genl: GenlGroups,
    options: Options,
    /// Whether a device was made.
    made: bool,
}

/// One of the sources, and where its frames come from.
struct Source {
    what: What,
    place: Place,
}

enum What {
    Nlmon(Box<Nlmon>),
    Groups(Groups),
}

/// Opens what `options` ask for.
///
/// # Errors
///
/// What cannot be opened, and what to do about it.
pub(crate) fn open(options: Options, schema: &Schema) -> anyhow::Result<Opened> {
    let mut names = HashSet::new();
    if let Some(twice) = options.netns.iter().find(|it| !names.insert(&it.name)) {
        let name = &twice.name;
        bail!(Usage(format!("network namespace {name} is named twice")));
    }
    let mut opened = Opened {
        title: String::new(),
        sources: Vec::new(),
        beginning: Vec::new(),
        interfaces: Vec::new(),
        namespaces: Vec::new(),
        notices: Vec::new(),
        own: OwnPorts::default(),
        companion: None,
        genl: names::groups()?,
        options,
        made: false,
    };
    let netns = opened.options.netns.clone();
    let mut made = Vec::new();
    for (number, netns) in Namespaces(&netns).numbered() {
        let inside = netns::inside(netns, || opened.open_in(number, netns, schema, &mut made));
        if let Err(error) = inside {
            // Devices that were made are taken away although something cannot be opened.
            opened.take_away(&indexes(&made));
            return Err(error);
        }
    }
    opened.made = !made.is_empty();
    let devices = indexes(&made);
    match Companion::start(&opened.options.netns, made) {
        Ok(started) => opened.companion = Some(started),
        Err(error) if devices.is_empty() => opened
            .notices
            .push(format!("processes are not known: {error:#}")),
        Err(error) => {
            opened.take_away(&devices);
            return Err(error);
        }
    }
    Ok(opened)
}

/// Number of the network namespace, and index, of devices that were made.
fn indexes(made: &[(u32, Made)]) -> Vec<(u32, u32)> {
    let index = |(netns, made): &(u32, Made)| (*netns, made.index);
    made.iter().map(index).collect()
}

impl Opened {
    /// Opens the sources in one network namespace, on a thread that is in it. A device that has
    /// to be taken away is one more of those `made`.
    fn open_in(
        &mut self,
        number: u32,
        netns: Option<&Netns>,
        schema: &Schema,
        made: &mut Vec<(u32, Made)>,
    ) -> anyhow::Result<()> {
        let at = netns.map_or(String::new(), |netns| format!("@{}", netns.name));
        if let (true, Some(netns)) = (number > 0, netns) {
            self.namespaces.push(netns.name.clone());
        }
        if let Some(wanted) = self.options.nlmon.clone() {
            let name = match wanted {
                NlmonDevice::Named(name) => name,
                NlmonDevice::Any => {
                    let device = device::open()?;
                    made.extend(device.made.map(|device| (number, device)));
                    device.name
                }
            };
            let bytes = i32::from(self.options.buffer).saturating_mul(1 << 20);
            let nlmon = Nlmon::open(
                &name,
                bytes,
                self.options.delay,
                self.options.protocols.as_deref(),
            )?;
            let place = self.interface(number, format!("{name}{at}"));
            self.say(&format!("{name}{at}"));
            self.sources.push(Source {
                what: What::Nlmon(Box::new(nlmon)),
                place,
            });
        }
        if let Some(wanted) = self.options.groups.clone() {
            let groups = Groups::open(
                wanted,
                &self.genl,
                schema,
                usize::from(self.options.buffer) << 20,
                self.options.all_nsid,
                (&self.own, number),
                self.options.protocols.as_deref(),
            )?;
            let place = self.interface(number, format!("groups{at}"));
            let (count, protocols) = groups.count();
            let plural = if protocols == 1 { "" } else { "s" };
            self.say(&format!(
                "{count} groups of {protocols} protocol{plural}{at}"
            ));
            self.notices.extend(groups.refused());
            self.sources.push(Source {
                what: What::Groups(groups),
                place,
            });
        }
        self.ask(number)
    }

    fn interface(&mut self, netns: u32, name: String) -> Place {
        let interface = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        self.interfaces.push(name);
        Place { interface, netns }
    }

    fn say(&mut self, what: &str) {
        let comma = if self.title.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(self.title, "{comma}{what}");
    }

    /// Asks for the names of families and interfaces. Where nlmon shows our own questions
    /// like those of others, it shows the answers too.
    fn ask(&mut self, netns: u32) -> anyhow::Result<()> {
        let place = Place {
            interface: u32::try_from(self.interfaces.len().saturating_sub(1)).unwrap_or(0),
            netns,
        };
        let shown = self.options.show_own && self.options.nlmon.is_some();
        let mut heard = Vec::new();
        for number in [protocol::GENERIC, protocol::ROUTE] {
            let socket = NetlinkSocket::open(number)?;
            self.own.add(socket.key(netns));
            let take = |datagram: &[u8]| {
                if !shown {
                    heard.push((place, number, datagram.to_vec()));
                }
            };
            let asked = if number == protocol::GENERIC {
                names::families(&socket, take)
            } else {
                names::interfaces(&socket, take)
            };
            if let Err(error) = asked {
                self.notices
                    .push(format!("names are not known at the beginning: {error}"));
            }
        }
        self.beginning.append(&mut heard);
        Ok(())
    }

    /// Takes away devices that were made, because it does not come to anything: number of the
    /// network namespace, and index.
    fn take_away(&self, devices: &[(u32, u32)]) {
        for (netns, index) in devices {
            // There is nobody to tell more than the first error.
            let _ = Namespaces(&self.options.netns).inside(*netns, || {
                let socket = NetlinkSocket::open(protocol::ROUTE)?;
                Ok(device::remove(&socket, *index, process::id())?)
            });
        }
    }

    /// Goes on as the person who called sudo, if that person can write in `folder`: what is
    /// made there from now on is theirs. Privileges stay with the companion.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub(crate) fn go_on_as_caller(&self, folder: &Path) -> anyhow::Result<()> {
        if self.options.sandbox {
            privilege::go_on_as_caller(folder)?;
        }
        Ok(())
    }

    /// Gives up all privileges, closes the system behind us but for what `writes` says, and
    /// starts to capture. What could not be closed is told as a notice. Whoever takes the
    /// events has to drop the receiver before what runs: threads may wait for room.
    ///
    /// # Errors
    ///
    /// A thread or a pipe cannot be made.
    pub(crate) fn start(mut self, writes: Writes) -> anyhow::Result<(Live, Receiver<SourceEvent>)> {
        let (outlet, receiver) = Outlet::new(QUEUE);
        let (mut stops, mut stoppers) = (HashMap::new(), HashMap::new());
        for (number, _) in Namespaces(&self.options.netns).numbered() {
            let (stop, stopper) = pipe_with(PipeFlags::CLOEXEC).context("cannot make a pipe")?;
            stops.insert(number, Arc::new(stop));
            stoppers.insert(number, Arc::new(stopper));
        }
        let (companion, mut answers) = match self.companion.take() {
            Some((output, companion)) => (Some(companion), Some(companion::answers(output))),
            None => (None, None),
        };
        for answer in answers.iter_mut().flatten() {
            match answer {
                Answer::Own(key) => self.own.add(key),
                Answer::Trouble(text) => self.notices.push(text),
                Answer::Ready => break,
                Answer::Port(_) | Answer::Socket(_) | Answer::Deleted(_) | Answer::Looked => {}
            }
        }
        let mut live = Live {
            stoppers: stoppers.values().cloned().collect(),
            signals: ending_signals(),
            stopping: Arc::default(),
            companion,
            threads: Vec::new(),
        };
        if self.options.sandbox {
            let sandbox = Sandbox::new(writes);
            self.notices.extend(sandbox.enter_before_threads());
            self.notices.extend(sandbox.close_system_calls());
        }
        let questions = live.companion.as_ref().map(Companion::questions);
        let teller = Teller {
            outlet: outlet.clone(),
            stoppers,
            namespaces: self.namespaces.clone(),
            made: self.made,
            stopping: Arc::clone(&live.stopping),
        };
        live.threads = self.begin(&outlet, &stops, questions)?;
        if let Some(answers) = answers {
            let thread = spawn("companion", move || teller.tell(answers))?;
            live.threads.push(thread);
        }
        Ok((live, receiver))
    }

    /// Tells what is known at the beginning, and starts the sources.
    fn begin(
        self,
        outlet: &Outlet,
        stops: &HashMap<u32, Arc<OwnedFd>>,
        questions: Option<Questions>,
    ) -> anyhow::Result<Vec<JoinHandle<()>>> {
        // What has a name is numbered from 1.
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let next = Place {
            interface: number(self.interfaces.len()),
            netns: number(self.namespaces.len()).saturating_add(1),
        };
        // None of it waits: the queue is long.
        for interface in self.interfaces {
            let _ = outlet.send(SourceEvent::Interface(interface));
        }
        for name in &self.namespaces {
            let _ = outlet.send(SourceEvent::Netns(name.clone()));
        }
        for notice in self.notices {
            let _ = outlet.send(SourceEvent::Notice(notice));
        }
        // Several sources are not in step: nlmon hands over what it has now and then.
        let patience = match self.sources.len() {
            0 | 1 => Duration::ZERO,
            _ => LATE + Duration::from_millis(self.options.delay.unsigned_abs().into()),
        };
        let desk = Desk::new(
            outlet.clone(),
            self.own,
            self.options.show_own,
            questions,
            patience,
        );
        let mut batch = Batch::default();
        for (place, protocol, datagram) in self.beginning {
            let whole = (datagram.as_slice(), datagram.len());
            batch.add_datagram(place, groups::now(), whole, protocol, None);
        }
        let _ = desk.begin(batch);
        let shared = Arc::new(Shared {
            desk,
            running: AtomicUsize::new(self.sources.len()),
            nsids: Mutex::new(Nsids {
                places: HashMap::new(),
                next,
            }),
            namespaces: self.namespaces,
        });
        let mut threads = Vec::new();
        for source in self.sources {
            let Some(stop) = stops.get(&source.place.netns).map(Arc::clone) else {
                continue;
            };
            let shared = Arc::clone(&shared);
            threads.push(spawn("source", move || shared.run(source, &stop))?);
        }
        Ok(threads)
    }
}

/// What the threads of the sources share.
struct Shared {
    desk: Desk,
    /// How many of them run.
    running: AtomicUsize,
    nsids: Mutex<Nsids>,
    /// Names of network namespaces, from number 1.
    namespaces: Vec<String>,
}

/// Network namespaces that have an id in another one, by that one's number and it.
struct Nsids {
    places: HashMap<(u32, i32), Place>,
    next: Place,
}

impl Shared {
    /// Runs a source to its end; the last one to end ends it all.
    fn run(&self, source: Source, stop: &OwnedFd) {
        let ended = match source.what {
            What::Nlmon(nlmon) => nlmon.run(source.place, &self.desk, stop),
            What::Groups(groups) => {
                let elsewhere = |nsid| self.place(source.place, nsid);
                groups.run(source.place, &self.desk, stop, elsewhere)
            }
        };
        let last = self.running.fetch_sub(1, Ordering::AcqRel) == 1;
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
struct Teller {
    outlet: Outlet,
    stoppers: HashMap<u32, Arc<OwnedFd>>,
    /// Names of network namespaces, from number 1.
    namespaces: Vec<String>,
    /// Whether the companion has a device to take away.
    made: bool,
    stopping: Arc<AtomicBool>,
}

impl Teller {
    /// To the end; and stops what captures in a network namespace that was deleted.
    fn tell(&self, answers: impl Iterator<Item = Answer>) {
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

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
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
    /// See [`ending_signals`].
    signals: Vec<i32>,
    stopping: Arc<AtomicBool>,
    companion: Option<Companion>,
    threads: Vec<JoinHandle<()>>,
}

impl Live {
    /// Stops capturing: what was captured by then still arrives, then the end.
    pub(crate) fn stop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.stoppers.drain(..).for_each(|stopper| stop(&stopper));
    }

    /// Stops capturing, too, when somebody wants the program to end. At the second signal it
    /// ends at once.
    ///
    /// # Errors
    ///
    /// The system does not let us listen for signals.
    pub(crate) fn stop_at_signals(&self) -> anyhow::Result<()> {
        for signal in self.signals.iter().copied() {
            // In this order: the second signal finds what the first has set.
            let twice = Arc::clone(&self.stopping);
            flag::register_conditional_default(signal, twice)
                .and_then(|_| flag::register(signal, Arc::clone(&self.stopping)))
                .context("cannot listen for signals")?;
            for stopper in &self.stoppers {
                let stopper = stopper.try_clone().context("cannot listen for signals")?;
                pipe::register(signal, stopper).context("cannot listen for signals")?;
            }
        }
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
