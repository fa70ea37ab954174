//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng), in the byte order of this
//! machine, each appended to a buffer.
//!
//! Which process sent a packet is said in Apple's way, the one that Wireshark shows: a
//! Darwin process information block for each process, counted from 0, and an option of
//! the packet with the number of that block.

use std::fmt;
use std::io::Write;

use super::{Group, LINKTYPE_NETLINK, Packet, Process};
use crate::source::Losses;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const DARWIN_PROCESS: u32 = 0x8000_0001;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// The length of a section that says it has none.
const UNKNOWN_LENGTH: u64 = u64::MAX;
/// `if_tsresol` of nanoseconds: 10 to the power of -9.
const NANOSECONDS: u8 = 9;

const OPT_END: u16 = 0;
const OPT_COMMENT: u16 = 1;
const SHB_OS: u16 = 3;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_TSRESOL: u16 = 9;
const ISB_STARTTIME: u16 = 2;
const ISB_ENDTIME: u16 = 3;
const ISB_IFRECV: u16 = 4;
const ISB_IFDROP: u16 = 5;
const ISB_USRDELIV: u16 = 8;
const DARWIN_PROCESS_NAME: u16 = 2;
const EPB_DARWIN_PROCESS: u16 = 0x8001;

/// The most bytes that [`statistics`] appends.
pub(super) const STATISTICS_LENGTH: u64 = 88;

/// What is said of an interface when a file ends.
pub(super) struct Statistics {
    /// The interface.
    pub(super) interface: u32,
    /// When the file begins and ends, in nanoseconds since 1970.
    pub(super) span: (u64, u64),
    /// What the source of the packets counted, if it said.
    pub(super) losses: Option<Losses>,
    /// How many packets of it were recorded in all files.
    pub(super) recorded: u64,
}

/// The head of a file: which system and program wrote it, and a comment.
pub(super) fn section_header(buffer: &mut Vec<u8>, os: &str, comment: Option<&str>) {
    let mut block = Block::begin(buffer, SECTION_HEADER);
    block.u32(BYTE_ORDER_MAGIC);
    block.u16(1);
    block.u16(0);
    block.u64(UNKNOWN_LENGTH);
    if let Some(comment) = comment {
        block.option(OPT_COMMENT, comment.as_bytes());
    }
    block.option(SHB_OS, os.as_bytes());
    block.option(
        SHB_USERAPPL,
        concat!("nlscope ", env!("CARGO_PKG_VERSION")).as_bytes(),
    );
    block.end();
}

/// A source of netlink packets of any length, with times in nanoseconds.
pub(super) fn interface(buffer: &mut Vec<u8>, name: &str, description: &str) {
    let mut block = Block::begin(buffer, INTERFACE_DESCRIPTION);
    block.u16(LINKTYPE_NETLINK);
    block.u16(0);
    block.u32(0);
    block.option(IF_NAME, name.as_bytes());
    block.option(IF_DESCRIPTION, description.as_bytes());
    block.option(IF_TSRESOL, &[NANOSECONDS]);
    block.end();
}

/// A process, to which packets refer by how many of these are before it.
pub(super) fn process(buffer: &mut Vec<u8>, process: Process<'_>) {
    let mut block = Block::begin(buffer, DARWIN_PROCESS);
    block.u32(process.pid);
    block.option(DARWIN_PROCESS_NAME, process.name.as_bytes());
    block.end();
}

/// A packet at `time` (nanoseconds since 1970), of process number `process`.
pub(super) fn packet(buffer: &mut Vec<u8>, packet: &Packet<'_>, time: u64, process: Option<u32>) {
    let mut block = Block::begin(buffer, ENHANCED_PACKET);
    block.u32(packet.interface);
    block.time(time);
    block.u32(length(packet.bytes.len()));
    block.u32(packet.wire_len);
    block.padded(packet.bytes);
    match packet.group {
        None => {}
        Some(Group { number, name: None }) => {
            block.written_option(OPT_COMMENT, format_args!("multicast group {number}"));
        }
        Some(Group {
            number,
            name: Some(name),
        }) => {
            block.written_option(
                OPT_COMMENT,
                format_args!("multicast group {number} ({name})"),
            );
        }
    }
    if let Some(process) = process {
        block.option(EPB_DARWIN_PROCESS, &process.to_ne_bytes());
    }
    block.end();
}

/// What was counted of an interface, at the end of a file.
pub(super) fn statistics(buffer: &mut Vec<u8>, statistics: &Statistics) {
    let (start, end) = statistics.span;
    let mut block = Block::begin(buffer, INTERFACE_STATISTICS);
    block.u32(statistics.interface);
    block.time(end);
    block.option(ISB_STARTTIME, &halves(start));
    block.option(ISB_ENDTIME, &halves(end));
    if let Some(losses) = statistics.losses {
        // What was counted last may be older than the last packet.
        let least = statistics.recorded.saturating_add(losses.dropped);
        block.option(ISB_IFRECV, &losses.received.max(least).to_ne_bytes());
        block.option(ISB_IFDROP, &losses.dropped.to_ne_bytes());
    }
    block.option(ISB_USRDELIV, &statistics.recorded.to_ne_bytes());
    block.end();
}

/// A block that is being appended.
struct Block<'a> {
    buffer: &'a mut Vec<u8>,
    start: usize,
    options: bool,
}

impl<'a> Block<'a> {
    fn begin(buffer: &'a mut Vec<u8>, kind: u32) -> Self {
        let start = buffer.len();
        let mut block = Self {
            buffer,
            start,
            options: false,
        };
        block.u32(kind);
        // The length, which is not known yet.
        block.u32(0);
        block
    }

    fn u16(&mut self, value: u16) {
        self.buffer.extend_from_slice(&value.to_ne_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.buffer.extend_from_slice(&value.to_ne_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.buffer.extend_from_slice(&value.to_ne_bytes());
    }

    fn time(&mut self, time: u64) {
        self.buffer.extend_from_slice(&halves(time));
    }

    fn padded(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        self.pad();
    }

    /// Blocks and what is in them have lengths that are multiples of four.
    fn pad(&mut self) {
        let length = (self.buffer.len() - self.start).next_multiple_of(4);
        self.buffer.resize(self.start + length, 0);
    }

    /// An option, whose value is cut off where an option can hold no more.
    fn option(&mut self, code: u16, value: &[u8]) {
        let length = option_length(value);
        self.u16(code);
        self.u16(length);
        self.padded(value.get(..usize::from(length)).unwrap_or(value));
        self.options = true;
    }

    /// An option whose value is written in place.
    fn written_option(&mut self, code: u16, text: fmt::Arguments<'_>) {
        self.u16(code);
        let length_at = self.buffer.len();
        self.u16(0);
        let value_at = self.buffer.len();
        // Writing to memory does not fail.
        let _ = self.buffer.write_fmt(text);
        let length = option_length(self.buffer.get(value_at..).unwrap_or_default());
        self.buffer.truncate(value_at + usize::from(length));
        self.patch(length_at, &length.to_ne_bytes());
        self.pad();
        self.options = true;
    }

    fn end(mut self) {
        if self.options {
            self.u16(OPT_END);
            self.u16(0);
        }
        let total = length(self.buffer.len() - self.start + size_of::<u32>());
        self.u32(total);
        self.patch(self.start + size_of::<u32>(), &total.to_ne_bytes());
    }

    fn patch(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.buffer.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// How much of `value` an option can hold, in whole characters of UTF-8.
fn option_length(value: &[u8]) -> u16 {
    let continues = |at: u16| {
        value
            .get(usize::from(at))
            .is_some_and(|byte| byte & 0xc0 == 0x80)
    };
    u16::try_from(value.len()).unwrap_or_else(|_| {
        (0..=u16::MAX)
            .rev()
            .find(|&at| !continues(at))
            .unwrap_or(u16::MAX)
    })
}

/// A length that was found to fit when the packet was handed over.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A time as pcapng has it: the upper 32 bits, then the lower ones.
fn halves(time: u64) -> [u8; 8] {
    let upper_first = if cfg!(target_endian = "little") {
        time.rotate_left(32)
    } else {
        time
    };
    upper_first.to_ne_bytes()
}
