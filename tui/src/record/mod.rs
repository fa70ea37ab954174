//! Writes captures of netlink frames: pcapng with process, multicast group and losses, or
//! pcap; one file, or a sequence of files of which the oldest may be deleted.

mod block;
mod classic;
#[cfg(target_os = "linux")]
mod command;
mod error;
mod name;
mod output;
mod recording;
mod save;
mod sink;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::mem;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use block::Statistics;
#[cfg(target_os = "linux")]
pub(crate) use command::run;
pub(crate) use error::RecordError;
pub(crate) use name::numbered;
use output::Output;
pub(crate) use recording::Recording;
pub(crate) use save::save;
use sink::{Open, Sink};

use crate::clock::now;
use crate::source::Losses;

/// The link type of netlink frames, `LINKTYPE_NETLINK`.
const LINKTYPE_NETLINK: u16 = 253;
/// With so many bytes buffered, the next packet is preceded by a flush.
const FLUSH_AT: usize = 256 * 1024;
/// What a block may have besides the bytes of its packet: fields, and options of the
/// greatest length.
const BLOCK_OVERHEAD: usize = 128 * 1024;
/// What a packet of [`Recorder::preface`] takes at most besides its bytes: fields, options,
/// and the description of the recorder's own process.
const PREFACE_OVERHEAD: u64 = 128;
/// How many bytes of such packets a file has at most, besides at most half of its size.
const PREFACES: u64 = 1 << 20;
/// For how many packets a file goes on if the next one cannot be begun.
const STAY: u64 = 1000;
/// How many captures may begin a file in one second.
const SAME_NAMES: u32 = 100;
/// How many processes a file describes: readers need not remember more.
const PROCESSES: u32 = 1 << 16;

/// The format of a capture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// pcapng, with everything that is known of a packet.
    #[default]
    Pcapng,
    /// pcap with times in nanoseconds: packets only. No interface, process, group or loss
    /// has a place in it, and of each packet at most 262,144 bytes are kept.
    Pcap,
}

/// When the next file begins, and how many are kept. With none of it there is one file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rotation {
    /// The most bytes a file may have; one packet alone may have more.
    pub(crate) filesize: Option<u64>,
    /// How long after its first packet a file takes no more.
    pub(crate) duration: Option<Duration>,
    /// The most packets a file may have.
    pub(crate) packets: Option<u64>,
    /// How many files are kept, of those that this recorder created: the oldest is
    /// deleted when there is one more.
    pub(crate) files: Option<NonZeroU32>,
    /// After how many files there is no next one.
    pub(crate) last: Option<NonZeroU32>,
}

impl Rotation {
    /// Whether there are several files.
    pub(crate) fn goes_on(&self) -> bool {
        let ends = self.filesize.is_some() || self.duration.is_some() || self.packets.is_some();
        ends && self.last.is_none_or(|last| last.get() > 1)
    }
}

/// Which process sent or received a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process<'a> {
    /// Its number.
    pub(crate) pid: u32,
    /// Its name; at most 65,535 bytes of it are written.
    pub(crate) name: &'a str,
}

/// Which multicast group a packet was sent to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group<'a> {
    /// Its number in its netlink family, from 1.
    pub(crate) number: u32,
    /// Its name, where it is known: `RTNLGRP_LINK`.
    pub(crate) name: Option<&'a str>,
}

/// A packet as it was captured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet<'a> {
    /// Which of the interfaces it came from, in the order in which they were described.
    pub(crate) interface: u32,
    /// When: seconds and nanoseconds since 1970-01-01 00:00 UTC.
    pub(crate) time: (u64, u32),
    /// How long it was, header of the link layer included.
    pub(crate) wire_len: u32,
    /// What was captured of it, from the header of the link layer on (16 bytes,
    /// `LINKTYPE_NETLINK`). Wireshark refuses captures with more than 262,144.
    pub(crate) bytes: &'a [u8],
    /// The process, where it is known.
    pub(crate) process: Option<Process<'a>>,
    /// The multicast group, where it is known.
    pub(crate) group: Option<Group<'a>>,
}

/// What was written when a recorder has finished, in all files, deleted ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// How many files.
    pub(crate) files: u64,
    /// How many packets.
    pub(crate) packets: u64,
    /// How many bytes.
    pub(crate) bytes: u64,
}

/// A capture that is being written.
///
/// Packets are buffered. What [`Recorder::written`] counts has been handed to the kernel,
/// and is in the files however this process ends; a process that is killed while it writes
/// leaves a part of a packet behind those. Without [`Recorder::finish`], what is buffered
/// is lost.
pub(crate) struct Recorder {
    form: Form,
    rotation: Rotation,
    path: PathBuf,
    open: Open,
    os: String,
    comment: Option<String>,
    interfaces: Vec<Interface>,
    prefaces: Vec<Preface>,
    output: Output,
    /// The next file, where it is open already.
    next: Option<(PathBuf, Box<dyn Sink>)>,
    file: Contents,
    /// The files there are, oldest first, where the oldest is to be deleted.
    ring: VecDeque<PathBuf>,
    /// Packets and bytes of the files before the present one; files with it.
    total: Summary,
    full: bool,
    /// What kept the next file from being begun, or the oldest from being deleted, until
    /// somebody asks.
    trouble: Option<RecordError>,
}

/// An interface, which each file describes again.
struct Interface {
    name: String,
    description: String,
    losses: Option<Losses>,
    recorded: u64,
}

/// A packet that each file begins with.
struct Preface {
    interface: u32,
    time: (u64, u32),
    bytes: Box<[u8]>,
}

/// What is in the present file or buffered for it.
struct Contents {
    /// When it was created, in nanoseconds since 1970.
    created: u64,
    /// The times of the first and of the last packet.
    span: Option<(u64, u64)>,
    packets: u64,
    /// With so many packets it is tried again to begin the next file.
    stays_until: u64,
    processes: Processes,
    /// Its statistics are written, nothing may follow.
    ended: bool,
}

/// The processes that are described in a file.
#[derive(Default)]
struct Processes {
    /// By process id, the names it had and the numbers of the blocks that say so.
    known: HashMap<u32, Vec<(Box<str>, u32)>>,
    count: u32,
}

impl Recorder {
    /// Begins a capture in the file `path`, or in files named after it if there is a
    /// rotation. `-` and `/dev/stdout` are standard output. A regular file that is there
    /// is overwritten, a new one is readable by its owner only. `comment` is a comment
    /// of each file as a whole.
    ///
    /// # Errors
    ///
    /// If the file cannot be created or written to, is something that is not to be
    /// overwritten, or if the rotation makes no sense.
    pub(crate) fn create(
        path: &Path,
        form: Form,
        rotation: Rotation,
        comment: Option<String>,
    ) -> Result<Self, RecordError> {
        if !rotation.goes_on() && rotation.files.is_some() {
            return Err(RecordError::NeverRotated);
        }
        let stdout = ["-", "/dev/stdout"].map(Path::new).contains(&path);
        let (path, open): (&Path, Open) = if stdout {
            (Path::new("standard output"), sink::open_stdout)
        } else if rotation.goes_on() {
            (path, sink::open_new_file)
        } else {
            (path, sink::open_file)
        };
        if rotation.goes_on() && (stdout || !sink::names_files(path)) {
            return Err(RecordError::NotRotated { path: path.into() });
        }
        Self::begin(path, form, rotation, comment, open)
    }

    /// Begins a capture in one new file, readable by its owner only.
    ///
    /// # Errors
    ///
    /// If there is such a file, or it cannot be created or written to.
    pub(crate) fn create_new(path: &Path, comment: Option<String>) -> Result<Self, RecordError> {
        let (form, rotation) = (Form::Pcapng, Rotation::default());
        Self::begin(path, form, rotation, comment, sink::open_new_file)
    }

    /// As [`Recorder::create`], with files that `open` opens.
    fn begin(
        path: &Path,
        form: Form,
        rotation: Rotation,
        comment: Option<String>,
        open: Open,
    ) -> Result<Self, RecordError> {
        let now = now().0.max(0).unsigned_abs();
        let (first, sink) = open_file(path, rotation, 1, now, open)?;
        let output = Output::new(first.clone(), sink);
        let mut recorder = Self {
            form,
            rotation,
            path: path.into(),
            open,
            os: operating_system(),
            comment,
            interfaces: Vec::new(),
            prefaces: Vec::new(),
            output,
            next: None,
            file: Contents::new(now),
            ring: VecDeque::from([first]),
            total: Summary {
                files: 1,
                packets: 0,
                bytes: 0,
            },
            full: false,
            trouble: None,
        };
        recorder.head();
        // At once, so that the file can be read from now on.
        recorder.output.flush()?;
        Ok(recorder)
    }

    /// Describes the next interface: its name, and what it is in a few words. Interfaces
    /// are numbered from 0; one may be described at any time before its first packet.
    ///
    /// # Errors
    ///
    /// If the present file has no room for it and the next one cannot be begun: then it is
    /// not described, and a later call tries again.
    pub(crate) fn interface(&mut self, name: &str, description: &str) -> Result<(), RecordError> {
        let latest = self.file.span.map_or(self.file.created, |(_, last)| last);
        if self.file.ended && !self.full {
            self.rotate(latest)?;
        }
        if self.full {
            return Ok(());
        }
        let pending = self.output.pending();
        self.describe(name, description);
        if self.file.may_end() && self.is_over_size(self.interfaces.len() + 1) {
            self.output.withdraw(pending);
            self.rotate(latest)?;
            if self.full {
                return Ok(());
            }
            self.describe(name, description);
        }
        self.interfaces.push(Interface {
            name: name.into(),
            description: description.into(),
            losses: None,
            recorded: 0,
        });
        Ok(())
    }

    /// How many interfaces are described.
    pub(crate) fn interfaces(&self) -> u32 {
        u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX)
    }

    /// Records a packet, unless it would begin another file than the last one: then the
    /// capture is full, see [`Recorder::is_full`]. It is buffered; with 256 KiB buffered,
    /// those are put in the file first.
    ///
    /// # Errors
    ///
    /// If the interface is not described, if the packet is too long for any capture, or
    /// if what is before it cannot be written: then it is not recorded, and a later call
    /// tries again.
    pub(crate) fn packet(&mut self, packet: &Packet<'_>) -> Result<(), RecordError> {
        if self.full {
            return Ok(());
        }
        self.check(packet)?;
        let time = nanoseconds(packet.time);
        if self.file.ended || self.file.is_full(self.rotation) || self.is_over_time(time) {
            self.rotate(time)?;
        }
        if self.full {
            return Ok(());
        }
        if self.output.pending() >= FLUSH_AT {
            self.output.flush()?;
        }
        let (pending, described) = (self.output.pending(), self.file.processes.count);
        self.append(packet);
        if self.file.may_end() && self.is_over_size(self.interfaces.len()) {
            self.output.withdraw(pending);
            self.file.processes.withdraw(described);
            self.rotate(time)?;
            if self.full {
                return Ok(());
            }
            self.append(packet);
        }
        self.file.count(time);
        if let Some(interface) = self.interfaces.get_mut(packet.interface as usize) {
            interface.recorded += 1;
        }
        // The file is ended when the capture is.
        self.full = self.file.is_full(self.rotation) && self.is_last();
        Ok(())
    }

    /// Records a packet of the recorder itself that helps to read others, in this file and
    /// at the beginning of each later one. It counts for nothing. Where files have a size,
    /// such packets fill at most half of one; those beyond are left out.
    ///
    /// # Errors
    ///
    /// If the interface is not described, or the packet is too long for any capture.
    pub(crate) fn preface(&mut self, packet: &Packet<'_>) -> Result<(), RecordError> {
        self.check(packet)?;
        let preface = Preface {
            interface: packet.interface,
            time: packet.time,
            bytes: packet.bytes.into(),
        };
        if !self.file.ended {
            self.append_preface(&preface);
        }
        self.prefaces.push(preface);
        Ok(())
    }

    /// Remembers what was counted where the packets of an interface come from. It is
    /// written when a file ends. An interface that is not described is passed over.
    pub(crate) fn losses(&mut self, losses: Losses) {
        if let Some(interface) = self.interfaces.get_mut(losses.interface as usize) {
            interface.losses = Some(losses);
        }
    }

    /// Says what time it is (seconds and nanoseconds since 1970, the clock of the
    /// packets), so that a file ends in time when no packet comes. A file without a packet
    /// goes on.
    ///
    /// # Errors
    ///
    /// If the present file cannot be ended or the beginning of the next not be written.
    pub(crate) fn tick(&mut self, now: (u64, u32)) -> Result<(), RecordError> {
        let now = nanoseconds(now);
        if self.is_over_time(now) && !self.full {
            self.rotate(now)?;
        }
        Ok(())
    }

    /// Hands everything that is buffered to the kernel.
    ///
    /// # Errors
    ///
    /// If not all of it could be written. The file then ends with a whole block if it is
    /// a regular one, and a later call tries again with the rest.
    pub(crate) fn flush(&mut self) -> Result<(), RecordError> {
        self.output.flush()
    }

    /// How many packets certainly are in a file, in all files together.
    pub(crate) fn written(&self) -> u64 {
        self.total.packets + self.output.packets()
    }

    /// The file that is being written.
    pub(crate) fn path(&self) -> &Path {
        self.output.path()
    }

    /// Ends the capture: writes the statistics and everything buffered, and waits until
    /// the disk has it.
    ///
    /// # Errors
    ///
    /// If any of it failed; the error says how many packets are safe.
    pub(crate) fn finish(&mut self) -> Result<Summary, RecordError> {
        self.end_file()?;
        self.output.sync()?;
        Ok(self.so_far())
    }

    /// What went wrong with the next file or the oldest since this was asked last. The
    /// capture goes on in the present file.
    pub(crate) fn trouble(&mut self) -> Option<RecordError> {
        self.trouble.take()
    }

    /// What was written until now.
    pub(crate) fn so_far(&self) -> Summary {
        Summary {
            files: self.total.files,
            packets: self.total.packets + self.output.packets(),
            bytes: self.total.bytes + self.output.bytes(),
        }
    }

    fn check(&self, packet: &Packet<'_>) -> Result<(), RecordError> {
        if packet.interface as usize >= self.interfaces.len() {
            return Err(RecordError::NoInterface {
                interface: packet.interface,
                described: self.interfaces.len(),
            });
        }
        let length = packet.bytes.len();
        if length > (u32::MAX as usize).saturating_sub(BLOCK_OVERHEAD) {
            return Err(RecordError::TooLong { length });
        }
        Ok(())
    }

    /// Whether the file would be too long if it ended now, with so many interfaces.
    fn is_over_size(&self, interfaces: usize) -> bool {
        let statistics = match self.form {
            Form::Pcapng => block::STATISTICS_LENGTH * interfaces as u64,
            Form::Pcap => 0,
        };
        self.rotation
            .filesize
            .is_some_and(|most| self.output.size().saturating_add(statistics) > most)
    }

    /// Whether what happens at `time` belongs to the next file.
    fn is_over_time(&self, time: u64) -> bool {
        let over =
            (self.rotation.duration.zip(self.file.span)).is_some_and(|(most, (first, _))| {
                u128::from(time.saturating_sub(first)) >= most.as_nanos()
            });
        over && self.file.may_end()
    }

    /// Whether the last file has ended.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    fn is_last(&self) -> bool {
        let last = self.rotation.last.map(|last| u64::from(last.get()));
        last.is_some_and(|last| self.total.files >= last)
    }

    /// Begins the next file at `time`, if there is to be one. If it cannot be opened, the
    /// present one goes on for some packets.
    fn rotate(&mut self, time: u64) -> Result<(), RecordError> {
        if self.is_last() {
            return self.end_last();
        }
        let next = match self.next.take() {
            Some(next) => next,
            None => match self.open_next(time) {
                Ok(next) => next,
                Err(error) => {
                    self.file.stays_until = self.file.packets + STAY;
                    self.trouble.get_or_insert(error);
                    return Ok(());
                }
            },
        };
        if let Err(error) = self.end_file() {
            self.next = Some(next);
            return Err(error);
        }
        self.total = self.so_far();
        let (path, sink) = next;
        self.output.switch(path, sink);
        self.file = Contents::new(time);
        self.total.files += 1;
        self.head();
        // First of all, because it may be what makes room for the new one.
        if let Err(error) = self.close_ring() {
            self.trouble.get_or_insert(error);
        }
        self.output.flush()
    }

    fn open_next(&self, time: u64) -> Result<(PathBuf, Box<dyn Sink>), RecordError> {
        let number = self.total.files + 1;
        open_file(&self.path, self.rotation, number, time, self.open)
    }

    /// Ends the file after which there is no other.
    fn end_last(&mut self) -> Result<(), RecordError> {
        self.end_file()?;
        self.full = true;
        Ok(())
    }

    /// Buffers what a file begins with.
    fn head(&mut self) {
        match self.form {
            Form::Pcap => self.output.block(classic::header),
            Form::Pcapng => {
                let (os, comment) = (&self.os, self.comment.as_deref());
                self.output
                    .block(|buffer| block::section_header(buffer, os, comment));
                for Interface {
                    name, description, ..
                } in &self.interfaces
                {
                    self.output
                        .block(|buffer| block::interface(buffer, name, description));
                }
            }
        }
        let prefaces = mem::take(&mut self.prefaces);
        for preface in &prefaces {
            self.append_preface(preface);
        }
        self.prefaces = prefaces;
    }

    fn append_preface(&mut self, preface: &Preface) {
        let size = self.output.size() + preface.bytes.len() as u64 + PREFACE_OVERHEAD;
        let most = self
            .rotation
            .filesize
            .map_or(PREFACES, |most| PREFACES.min(most / 2));
        if size > most {
            return;
        }
        // Of a later file the times begin with it.
        let time = match self.total.files {
            1 => preface.time,
            _ => (
                self.file.created / NANOSECONDS,
                subsecond(self.file.created),
            ),
        };
        let packet = Packet {
            interface: preface.interface,
            time,
            wire_len: u32::try_from(preface.bytes.len()).unwrap_or(u32::MAX),
            bytes: &preface.bytes,
            process: Some(Process {
                pid: std::process::id(),
                name: env!("CARGO_PKG_NAME"),
            }),
            group: None,
        };
        let packet = self.encoded(&packet);
        self.output.block(packet);
    }

    fn describe(&mut self, name: &str, description: &str) {
        if self.form == Form::Pcapng {
            self.output
                .block(|buffer| block::interface(buffer, name, description));
        }
    }

    fn append(&mut self, packet: &Packet<'_>) {
        let packet = self.encoded(packet);
        self.output.packet(packet);
    }

    /// What writes the block of a packet, behind that of its process where that is new.
    fn encoded<'p>(&mut self, packet: &'p Packet<'_>) -> impl FnOnce(&mut Vec<u8>) + use<'p> {
        let form = self.form;
        let process = packet.process.filter(|_| form == Form::Pcapng);
        let process = process.and_then(|process| {
            let known = self.file.processes.number(process);
            let new = known.is_none() && self.file.processes.count < PROCESSES;
            known.or_else(|| {
                new.then(|| {
                    self.output.block(|buffer| block::process(buffer, process));
                    self.file.processes.add(process)
                })
            })
        });
        let time = nanoseconds(packet.time);
        move |buffer| match form {
            Form::Pcap => classic::packet(buffer, packet, time),
            Form::Pcapng => block::packet(buffer, packet, time, process),
        }
    }

    /// Writes what a file ends with, and everything that is buffered.
    fn end_file(&mut self) -> Result<(), RecordError> {
        if self.form == Form::Pcapng && !self.file.ended {
            let span = self
                .file
                .span
                .unwrap_or((self.file.created, self.file.created));
            for (number, interface) in (0..).zip(&self.interfaces) {
                let statistics = Statistics {
                    interface: number,
                    span,
                    losses: interface.losses,
                    recorded: interface.recorded,
                };
                self.output
                    .block(|buffer| block::statistics(buffer, &statistics));
            }
        }
        self.file.ended = true;
        self.output.flush()
    }

    /// Adds the present file to the ring, and deletes the oldest if it is one too many.
    fn close_ring(&mut self) -> Result<(), RecordError> {
        let Some(most) = self.rotation.files else {
            return Ok(());
        };
        self.ring.push_back(self.output.path().into());
        if self.ring.len() <= most.get() as usize {
            return Ok(());
        }
        let Some(path) = self.ring.pop_front() else {
            return Ok(());
        };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(RecordError::Remove { path, error })
            }
            _ => Ok(()),
        }
    }
}

impl Contents {
    fn new(created: u64) -> Self {
        Self {
            created,
            span: None,
            packets: 0,
            stays_until: 0,
            processes: Processes::default(),
            ended: false,
        }
    }

    /// Whether the next file may be begun.
    fn may_end(&self) -> bool {
        self.packets > 0 && self.packets >= self.stays_until
    }

    fn is_full(&self, rotation: Rotation) -> bool {
        self.may_end() && rotation.packets.is_some_and(|most| self.packets >= most)
    }

    fn count(&mut self, time: u64) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
        self.packets += 1;
    }
}

impl Processes {
    /// Forgets those that were described after the first `count`.
    fn withdraw(&mut self, count: u32) {
        if self.count > count {
            self.known.retain(|_, names| {
                names.retain(|(_, number)| *number < count);
                !names.is_empty()
            });
            self.count = count;
        }
    }

    /// The number of the block that describes `process`.
    fn number(&self, process: Process<'_>) -> Option<u32> {
        let names = self.known.get(&process.pid)?;
        names
            .iter()
            .find(|(name, _)| **name == *process.name)
            .map(|&(_, number)| number)
    }

    /// The number of the block that describes `process` from now on.
    fn add(&mut self, process: Process<'_>) -> u32 {
        let number = self.count;
        self.count += 1;
        self.known
            .entry(process.pid)
            .or_default()
            .push((process.name.into(), number));
        number
    }
}

/// Opens file `number`, which begins at `time`: one of several under a name that no other
/// file has.
fn open_file(
    path: &Path,
    rotation: Rotation,
    number: u64,
    time: u64,
    open: Open,
) -> Result<(PathBuf, Box<dyn Sink>), RecordError> {
    if !rotation.goes_on() {
        return Ok((path.into(), open(path)?));
    }
    let mut again = 0;
    loop {
        let path = name::numbered(path, number, time, again);
        match open(&path) {
            Err(RecordError::Exists { .. }) if again < SAME_NAMES => again += 1,
            opened => return Ok((path, opened?)),
        }
    }
}

const NANOSECONDS: u64 = 1_000_000_000;

fn subsecond(time: u64) -> u32 {
    u32::try_from(time % NANOSECONDS).unwrap_or(0)
}

fn nanoseconds((seconds, nanoseconds): (u64, u32)) -> u64 {
    seconds
        .saturating_mul(NANOSECONDS)
        .saturating_add(nanoseconds.into())
}

/// `Linux 7.2.13 x86_64`, or less of it where the kernel does not say.
fn operating_system() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    ["Linux", release.trim(), std::env::consts::ARCH]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
