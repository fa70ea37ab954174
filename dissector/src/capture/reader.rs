//! Reads a capture of either format, whole or piece by piece.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;

use thiserror::Error;

use super::classic::Pcap;
use super::ng::{Named, PcapNg};
use super::{Process, Time, link_name};
use crate::text::Escaped;
use crate::wire::LinkType;

/// Longest packet record or block that is believed, in bytes. Netlink messages stay
/// far below it; a longer one is a length that was overwritten.
pub const MAX_RECORD: u32 = 16 << 20;

/// What the reader found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A frame that may hold netlink.
    Frame(FrameAt),
    /// The input must reach at least this many bytes past [`Reader::offset`]; never
    /// more than [`MAX_RECORD`] and a header.
    NeedMore(usize),
    /// Frames that were left out, said once for each kind of interface at the end.
    LeftOut(LeftOut),
    /// The regular end.
    End,
}

/// A frame, and where its bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameAt {
    /// Its number in the capture, from 1; those left out count too.
    pub number: u32,
    /// When it was captured; `None` where the file does not say.
    pub time: Option<Time>,
    /// What it begins with.
    pub link: LinkType,
    /// Number of the interface in its section, from 0; 0 in a pcap file.
    pub interface: u32,
    /// Length on the wire in bytes.
    pub wire_len: u32,
    /// Where its bytes begin in the uncompressed capture.
    pub offset: u64,
    /// How many bytes were captured.
    pub len: u32,
    /// Number of the network namespace, 0 for the first one: in [`Reader::namespaces`] the
    /// others begin.
    pub netns: u32,
    /// The multicast group, where the capture says it.
    pub group: Option<NonZeroU32>,
    /// The program at the user's side, where the capture says it: its place in
    /// [`Reader::processes`].
    pub process: Option<u32>,
}

/// The frames of an interface whose link type cannot hold netlink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Name of the interface, empty where the file has none.
    pub interface: Vec<u8>,
    /// `LINKTYPE_*` number.
    pub link: u32,
    /// How many frames.
    pub frames: u64,
}

/// Numbers and names of link types.
struct Links<'a>(&'a [u32]);

impl fmt::Display for Links<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, &number) in self.0.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}link type {number}")?;
            if let Some(name) = link_name(number) {
                write!(f, " ({name})")?;
            }
        }
        Ok(())
    }
}

/// `12 frames left out: interface "eth0" is of link type 1 (Ethernet)`.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.frames == 1 { "" } else { "s" };
        write!(f, "{} frame{plural} left out: ", self.frames)?;
        if self.interface.is_empty() {
            f.write_str("an interface without name")?;
        } else {
            write!(f, "interface \"{}\"", Escaped(&self.interface))?;
        }
        write!(f, " is of {}", Links(&[self.link]))
    }
}

/// Why a capture cannot be read, or not further.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CaptureError {
    /// There is not one byte.
    #[error("the file is empty")]
    Empty,
    /// Not a capture.
    #[error("neither pcap nor pcapng")]
    Format,
    /// The file ends inside its own header.
    #[error("cut off inside the file header, after {0} bytes")]
    Header(u64),
    /// No interface can hold netlink; the link types that there are.
    #[error("{} cannot hold netlink (link types 253, 113 and 276 can)", Links(.0))]
    Links(Vec<u32>),
    /// What was read so far is right, the rest is not readable.
    #[error("damaged at byte {offset}: {reason}")]
    Damaged {
        /// Where the record or block begins that could not be read.
        offset: u64,
        /// What is wrong with it.
        reason: Damage,
    },
}

impl CaptureError {
    /// Whether nothing at all could be read.
    #[must_use]
    pub fn is_total(&self) -> bool {
        !matches!(self, Self::Damaged { offset: 1.., .. })
    }
}

/// What is wrong with a record or block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Damage {
    /// The file ends inside it.
    #[error("the file ends inside a record, at least {missing} bytes are missing")]
    Cut {
        /// How many bytes at least.
        missing: u64,
    },
    /// Its length is impossible.
    #[error("a record of {0} bytes, {MAX_RECORD} is the most")]
    TooLong(u32),
    /// A pcapng block is shorter than its own header, or not a multiple of 4.
    #[error("a block of {0} bytes")]
    BlockLength(u32),
    /// The two lengths of a pcapng block differ.
    #[error("a block says {first} bytes at its beginning and {last} at its end")]
    Lengths {
        /// Before the block's body.
        first: u32,
        /// After it.
        last: u32,
    },
    /// What a block says does not fit into it.
    #[error("a block of type {0:#x} is shorter than it says")]
    Block(u32),
    /// A packet of an interface that was not described.
    #[error("a packet of interface {0}, which was not described")]
    Interface(u32),
    /// The byte-order magic of a section is none.
    #[error("a section without byte-order magic")]
    Magic,
    /// A version of the format that is not known.
    #[error("version {0}.{1} of the file format")]
    Version(u16, u16),
}

/// What one record or block of the file turned out to be.
pub(super) enum Record<'a> {
    /// A packet of an interface that may hold netlink.
    Packet(Packet),
    /// A packet of an interface that cannot.
    Other {
        /// Name of the interface, as long as the file has it.
        name: &'a [u8],
        /// Its link type.
        link: u32,
    },
    /// Nothing to show.
    Skip,
}

/// A packet inside its record.
pub(super) struct Packet {
    pub(super) time: Option<Time>,
    pub(super) link: LinkType,
    pub(super) interface: u32,
    pub(super) wire_len: u32,
    /// Offset of the bytes from the start of the record.
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) netns: u32,
    pub(super) group: Option<NonZeroU32>,
    pub(super) process: Option<u32>,
}

/// Why a record is not there.
pub(super) enum NoRecord {
    /// It takes so many bytes in all.
    Short(u32),
    /// It cannot be read.
    Bad(Damage),
}

impl From<Damage> for NoRecord {
    fn from(damage: Damage) -> Self {
        Self::Bad(damage)
    }
}

enum Format {
    /// Nothing read yet.
    Unknown,
    Pcap(Pcap),
    PcapNg(PcapNg),
    /// Nothing comes any more but this.
    Over(Option<CaptureError>),
}

/// How many kinds of interface are told apart when frames are left out; a hostile
/// file could have millions.
const MAX_LEFT_OUT: usize = 32;

/// Reads a capture.
///
/// ```
/// use nlscope_dissector::capture::{CaptureError, Reader, Step};
///
/// fn frames(file: &[u8]) -> Result<u32, CaptureError> {
///     let mut reader = Reader::new();
///     let mut frames = 0;
///     loop {
///         let at = usize::try_from(reader.offset()).unwrap_or(usize::MAX);
///         match reader.next(file.get(at..).unwrap_or_default(), true)? {
///             Step::Frame(_) => frames += 1,
///             Step::LeftOut(_) | Step::NeedMore(_) => {}
///             Step::End => return Ok(frames),
///         }
///     }
/// }
/// assert_eq!(frames(b""), Err(CaptureError::Empty));
/// ```
pub struct Reader {
    format: Format,
    offset: u64,
    frames: u32,
    left_out: VecDeque<LeftOut>,
    named: Named,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("offset", &self.offset)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// At the beginning of a capture.
    #[must_use]
    pub fn new() -> Self {
        Self {
            format: Format::Unknown,
            offset: 0,
            frames: 0,
            left_out: VecDeque::new(),
            named: Named::default(),
        }
    }

    /// How many bytes were consumed: where the next input has to begin.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The programs that the capture has named so far; none is taken away.
    #[must_use]
    pub fn processes(&self) -> &[Process] {
        &self.named.processes
    }

    /// The network namespaces but the first that the capture has named so far; none is
    /// taken away.
    #[must_use]
    pub fn namespaces(&self) -> &[String] {
        &self.named.namespaces
    }

    /// Goes on. `input` are the capture's bytes from [`Reader::offset`] on, as far as
    /// they are there; `at_end` says that no more will come, and then the answer is
    /// never [`Step::NeedMore`].
    ///
    /// # Errors
    ///
    /// Why the capture cannot be read further. The frames so far stay valid, and the
    /// reader is at its end.
    pub fn next(&mut self, input: &[u8], at_end: bool) -> Result<Step, CaptureError> {
        let mut rest = input;
        loop {
            if let Format::Over(error) = &mut self.format {
                return match (self.left_out.pop_front(), error.take()) {
                    (Some(left_out), kept) => {
                        *error = kept;
                        Ok(Step::LeftOut(left_out))
                    }
                    (None, Some(error)) => Err(error),
                    (None, None) => Ok(Step::End),
                };
            }
            if rest.is_empty() && at_end {
                let empty = matches!(self.format, Format::Unknown);
                self.end(empty.then_some(CaptureError::Empty));
                continue;
            }
            match self.record(rest) {
                Ok((found, len)) => {
                    self.offset += u64::from(len);
                    rest = rest.get(len as usize..).unwrap_or_default();
                    if let Some(frame) = found {
                        return Ok(Step::Frame(frame));
                    }
                }
                Err(NoRecord::Short(need)) if at_end => self.cut(need, rest.len() as u64),
                Err(NoRecord::Short(need)) => return Ok(Step::NeedMore(need as usize)),
                Err(NoRecord::Bad(reason)) => {
                    let offset = self.offset;
                    self.end(Some(CaptureError::Damaged { offset, reason }));
                }
            }
        }
    }

    /// The next record or block at the beginning of `input`, and its length.
    fn record(&mut self, input: &[u8]) -> Result<(Option<FrameAt>, u32), NoRecord> {
        let (record, len) = match &mut self.format {
            Format::Unknown => {
                let len = self.begin(input)?;
                return Ok((None, len));
            }
            Format::Pcap(pcap) => pcap.record(input)?,
            Format::PcapNg(ng) => ng.block(input, &mut self.named)?,
            Format::Over(_) => return Ok((None, 0)),
        };
        let frame = match record {
            Record::Skip => None,
            Record::Other { name, link } => {
                self.frames = self.frames.saturating_add(1);
                leave_out(&mut self.left_out, name, link);
                None
            }
            Record::Packet(packet) => {
                self.frames = self.frames.saturating_add(1);
                Some(FrameAt {
                    number: self.frames,
                    time: packet.time,
                    link: packet.link,
                    interface: packet.interface,
                    wire_len: packet.wire_len,
                    offset: self.offset + u64::from(packet.start),
                    len: packet.len,
                    netns: packet.netns,
                    group: packet.group,
                    process: packet.process,
                })
            }
        };
        Ok((frame, len))
    }

    /// Finds out the format. A pcapng begins with an ordinary block, so that nothing
    /// of it is consumed.
    fn begin(&mut self, input: &[u8]) -> Result<u32, NoRecord> {
        if PcapNg::begins(input)? {
            self.format = Format::PcapNg(PcapNg::default());
            return Ok(0);
        }
        match Pcap::begin(input)? {
            None => self.end(Some(CaptureError::Format)),
            Some((pcap, len)) if matches!(pcap.link(), LinkType::Other(_)) => {
                self.end(Some(CaptureError::Links(vec![pcap.link().number()])));
                return Ok(len);
            }
            Some((pcap, len)) => {
                self.format = Format::Pcap(pcap);
                return Ok(len);
            }
        }
        Ok(0)
    }

    /// The file ends inside a record of `need` bytes, of which there are `have`.
    fn cut(&mut self, need: u32, have: u64) {
        let error = match &self.format {
            // Not even enough for a magic number.
            Format::Unknown if have < 4 => CaptureError::Format,
            _ if self.offset == 0 => CaptureError::Header(have),
            _ => CaptureError::Damaged {
                offset: self.offset,
                reason: Damage::Cut {
                    missing: u64::from(need).saturating_sub(have),
                },
            },
        };
        self.end(Some(error));
    }

    /// Nothing more is read.
    fn end(&mut self, error: Option<CaptureError>) {
        let format = std::mem::replace(&mut self.format, Format::Over(error));
        if let Format::PcapNg(ng) = format
            && let Some(links) = ng.only_others()
        {
            self.left_out.clear();
            self.format = Format::Over(Some(CaptureError::Links(links)));
        }
    }
}

/// Counts a frame that is left out.
fn leave_out(left_out: &mut VecDeque<LeftOut>, interface: &[u8], link: u32) {
    let full = left_out.len() >= MAX_LEFT_OUT;
    let same = left_out
        .iter_mut()
        .rev()
        .find(|known| known.link == link && (full || known.interface == interface));
    match same {
        Some(known) => known.frames += 1,
        None if full => {}
        None => left_out.push_back(LeftOut {
            interface: interface.to_vec(),
            link,
            frames: 1,
        }),
    }
}
