//! Opening what is to be captured, with all privileges and one thread; and giving up the one
//! for the others.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{self, ChildStdout};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail};
use nlscope_dissector::schema::Schema;
use nlscope_dissector::wire::protocol;
use rustix::pipe::{PipeFlags, pipe_with};

use super::companion::{self, Answer, Companion, Questions};
use super::desk::{Batch, Desk, OwnPorts, Place};
use super::device::{self, Made};
use super::groups::Groups;
use super::names::{self, GenlGroups};
use super::netns::{self, Netns};
use super::nlmon::Nlmon;
use super::privilege;
use super::running::{Live, Running, Teller, spawn};
use super::sandbox::{Sandbox, Writes};
use super::socket::NetlinkSocket;
use super::{Namespaces, NlmonDevice, Options};
use crate::Usage;
use crate::clock::now;
use crate::source::{Outlet, SourceEvent};

/// How many events wait at most until somebody takes them; a batch of frames is two.
const QUEUE: usize = 256;
/// How late one source may be with what another has already, beside the delay of nlmon.
const LATE: Duration = Duration::from_millis(25);

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
pub(super) struct Source {
    pub(super) what: What,
    pub(super) place: Place,
}

/// What a source listens with.
pub(super) enum What {
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
            let groups_plural = if count == 1 { "" } else { "s" };
            self.say(&format!(
                "{count} group{groups_plural} of {protocols} protocol{plural}{at}"
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
        let mut live = Live::new(stoppers.values().cloned().collect(), companion)?;
        if self.options.sandbox {
            let sandbox = Sandbox::new(writes);
            self.notices.extend(sandbox.enter_before_threads());
            self.notices.extend(sandbox.close_system_calls());
        }
        let teller = Teller {
            outlet: outlet.clone(),
            stoppers,
            namespaces: self.namespaces.clone(),
            made: self.made,
            stopping: live.stopping(),
        };
        for thread in self.begin(&outlet, &stops, live.questions())? {
            live.add(thread);
        }
        if let Some(answers) = answers {
            live.add(spawn("companion", move || teller.tell(answers))?);
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
            batch.add_datagram(place, now(), whole, protocol, None);
        }
        let _ = desk.begin(batch);
        let running = Running::new(desk, self.sources.len(), self.namespaces, next);
        let running = Arc::new(running);
        let mut threads = Vec::new();
        for source in self.sources {
            let Some(stop) = stops.get(&source.place.netns).map(Arc::clone) else {
                continue;
            };
            let running = Arc::clone(&running);
            threads.push(spawn("source", move || running.run(source, &stop))?);
        }
        Ok(threads)
    }
}
