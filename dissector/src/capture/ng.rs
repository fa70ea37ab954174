//! pcapng: blocks, in sections that describe their own interfaces and byte order.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;

use pcap_parser::nom::{Err as NomErr, IResult};
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    EnhancedPacketBlock, InterfaceDescriptionBlock, OptionCode, PcapError, PcapNGOption,
    parse_enhancedpacketblock_be, parse_enhancedpacketblock_le, parse_interfacedescriptionblock_be,
    parse_interfacedescriptionblock_le, parse_processinformationblock_be,
    parse_processinformationblock_le, parse_sectionheaderblock, parse_simplepacketblock_be,
    parse_simplepacketblock_le, parse_unknownblock_be, parse_unknownblock_le,
};

use super::reader::{Damage, MAX_RECORD, NoRecord, Packet, Record};
use super::{Process, Time};
use crate::wire::{LinkType, Order};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
/// The obsolete packet block.
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// The block in which Darwin's tcpdump names a process, and which Wireshark shows.
const PROCESS: u32 = 0x8000_0001;
/// Its option with the name.
const PROCESS_NAME: OptionCode = OptionCode(2);
/// The option of a packet that says the number of such a block in the section.
const PACKET_PROCESS: OptionCode = OptionCode(0x8001);
/// What a comment begins with that says the number of the multicast group.
const GROUP_COMMENT: &str = "multicast group ";
/// What stands between the name of an interface and that of its network namespace.
const NETNS_MARK: char = '@';
/// How many processes, and how many network namespaces, are told apart.
const MAX_NAMED: usize = 1 << 16;
/// Where a packet's bytes begin in an enhanced or an old packet block.
const PACKET_START: u32 = 28;
/// Where they begin in a simple one.
const SIMPLE_START: u32 = 12;
/// Smallest block: type, length, length.
const MIN_BLOCK: u32 = 12;
/// How many different link types are remembered for an error message.
const MAX_LINKS: usize = 8;

type Parsed<'a, T> = IResult<&'a [u8], T, PcapError<&'a [u8]>>;

/// An interface of the current section.
struct Interface {
    name: Vec<u8>,
    link: LinkType,
    snap_len: u32,
    resolution: Resolution,
    /// Added to every time, in seconds.
    offset: i64,
    netns: u32,
}

/// What a capture has named so far.
#[derive(Default)]
pub(super) struct Named {
    pub(super) processes: Vec<Process>,
    /// Network namespaces: the first of these is number 1.
    pub(super) namespaces: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Named {
    /// The number of a network namespace.
    fn netns(&mut self, name: &str) -> u32 {
        if let Some(known) = self.numbers.get(name) {
            return *known;
        }
        if self.namespaces.len() >= MAX_NAMED {
            return 0;
        }
        self.namespaces.push(name.to_owned());
        let number = u32::try_from(self.namespaces.len()).unwrap_or(0);
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// Unit of an interface's times.
#[derive(Clone, Copy)]
enum Resolution {
    /// 10 to the power of minus this, seconds.
    Decimal(u8),
    /// 2 to the power of minus this, seconds.
    Binary(u8),
}

/// The state of a pcapng file.
#[derive(Default)]
pub(super) struct PcapNg {
    order: Order,
    interfaces: Vec<Interface>,
    /// Where each process that the section has named is in [`Named::processes`].
    processes: Vec<u32>,
    /// Some interface, of any section, may hold netlink.
    netlink: bool,
    /// Link types of those that cannot.
    others: BTreeSet<u32>,
}

impl PcapNg {
    /// Whether a pcapng begins here.
    pub(super) fn begins(input: &[u8]) -> Result<bool, NoRecord> {
        let magic = input.first_chunk().ok_or(NoRecord::Short(4))?;
        Ok(u32::from_le_bytes(*magic) == SECTION_HEADER)
    }

    /// The link types, if there are interfaces and none of them may hold netlink.
    pub(super) fn only_others(&self) -> Option<Vec<u32>> {
        (!self.netlink && !self.others.is_empty()).then(|| self.others.iter().copied().collect())
    }

    /// Reads the block at the beginning of `input`; gives its length too.
    pub(super) fn block(
        &mut self,
        input: &[u8],
        named: &mut Named,
    ) -> Result<(Record<'_>, u32), NoRecord> {
        let kind = u32_at(input, 0, self.order)?;
        if kind == SECTION_HEADER {
            // Said by its own third word, for its length already.
            self.order = section_order(input)?;
        }
        let len = u32_at(input, 4, self.order)?;
        if len < MIN_BLOCK || !len.is_multiple_of(4) {
            return Err(Damage::BlockLength(len).into());
        }
        if len > MAX_RECORD {
            return Err(Damage::TooLong(len).into());
        }
        let block = input.get(..len as usize).ok_or(NoRecord::Short(len))?;
        let last = u32_at(block, len as usize - 4, self.order)?;
        if last != len {
            return Err(Damage::Lengths { first: len, last }.into());
        }
        let record = match kind {
            SECTION_HEADER => self.section(block),
            INTERFACE_DESCRIPTION => self.interface(block, named),
            PROCESS => self.process(block, named),
            ENHANCED_PACKET => self.enhanced(block),
            SIMPLE_PACKET => self.simple(block),
            OLD_PACKET => self.old(block),
            _ => Ok(Record::Skip),
        };
        Ok((record?, len))
    }

    /// A new section: its interfaces are numbered from 0 again.
    fn section(&mut self, block: &[u8]) -> Result<Record<'_>, Damage> {
        let section = whole(SECTION_HEADER, parse_sectionheaderblock(block))?;
        if section.major_version != 1 {
            return Err(Damage::Version(
                section.major_version,
                section.minor_version,
            ));
        }
        self.interfaces.clear();
        self.processes.clear();
        Ok(Record::Skip)
    }

    fn interface(&mut self, block: &[u8], named: &mut Named) -> Result<Record<'_>, Damage> {
        let parsed = match self.order {
            Order::Little => parse_interfacedescriptionblock_le(block),
            Order::Big => parse_interfacedescriptionblock_be(block),
        };
        let block = whole(INTERFACE_DESCRIPTION, parsed)?;
        let interface = Interface::new(&block, self.order, named);
        match interface.link {
            LinkType::Other(number) if self.others.len() < MAX_LINKS => {
                self.others.insert(number);
            }
            LinkType::Other(_) => {}
            _ => self.netlink = true,
        }
        self.interfaces.push(interface);
        Ok(Record::Skip)
    }

    /// A process that packets of the section refer to. One that cannot be read is none.
    fn process(&mut self, block: &[u8], named: &mut Named) -> Result<Record<'_>, Damage> {
        let parsed = match self.order {
            Order::Little => parse_processinformationblock_le(block),
            Order::Big => parse_processinformationblock_be(block),
        };
        let place = u32::try_from(named.processes.len()).unwrap_or(u32::MAX);
        if self.processes.len() >= MAX_NAMED || named.processes.len() >= MAX_NAMED {
            return Ok(Record::Skip);
        }
        let process = whole(PROCESS, parsed)?;
        let name = option(&process.options, PROCESS_NAME).unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        // nlscope marks what it inferred as it shows it.
        let (name, exact) = match name.strip_prefix('~') {
            Some(name) => (name.to_owned(), false),
            None => (name.into_owned(), true),
        };
        self.processes.push(place);
        named.processes.push(Process {
            pid: process.process_id,
            name,
            exact,
        });
        Ok(Record::Skip)
    }

    /// The process that a packet refers to.
    fn process_of(&self, packet: &EnhancedPacketBlock<'_>) -> Option<u32> {
        let number = option(&packet.options, PACKET_PROCESS)?.first_chunk()?;
        let number = usize::try_from(self.order.u32(*number)).ok()?;
        self.processes.get(number).copied()
    }

    fn enhanced(&self, block: &[u8]) -> Result<Record<'_>, Damage> {
        let parsed = match self.order {
            Order::Little => parse_enhancedpacketblock_le(block),
            Order::Big => parse_enhancedpacketblock_be(block),
        };
        let packet = whole(ENHANCED_PACKET, parsed)?;
        let time = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
        self.packet(packet.if_id, |interface| Packet {
            time: interface.time(time),
            link: interface.link,
            interface: packet.if_id,
            wire_len: packet.origlen,
            start: PACKET_START,
            len: packet.caplen,
            netns: interface.netns,
            group: group(&packet.options),
            process: self.process_of(&packet),
        })
    }

    /// A packet of the first interface, without a time, cut at the interface's limit.
    fn simple(&self, block: &[u8]) -> Result<Record<'_>, Damage> {
        let parsed = match self.order {
            Order::Little => parse_simplepacketblock_le(block),
            Order::Big => parse_simplepacketblock_be(block),
        };
        let packet = whole(SIMPLE_PACKET, parsed)?;
        let stored = u32::try_from(packet.packet_data().len()).unwrap_or(u32::MAX);
        self.packet(0, |interface| Packet {
            time: None,
            link: interface.link,
            interface: 0,
            wire_len: packet.origlen,
            start: SIMPLE_START,
            len: match interface.snap_len {
                0 => stored,
                limit => stored.min(limit),
            },
            netns: interface.netns,
            group: None,
            process: None,
        })
    }

    fn old(&self, block: &[u8]) -> Result<Record<'_>, Damage> {
        let parsed = match self.order {
            Order::Little => parse_unknownblock_le(block),
            Order::Big => parse_unknownblock_be(block),
        };
        let body = whole(OLD_PACKET, parsed)?.data;
        let short = |_| Damage::Block(OLD_PACKET);
        let word = |at| u32_at(body, at, self.order).map_err(short);
        let id = body.first_chunk().map(|bytes| self.order.u16(*bytes));
        let id = u32::from(id.ok_or(Damage::Block(OLD_PACKET))?);
        let time = u64::from(word(4)?) << 32 | u64::from(word(8)?);
        let (len, wire_len) = (word(12)?, word(16)?);
        if body.len().saturating_sub(20) < len as usize {
            return Err(Damage::Block(OLD_PACKET));
        }
        self.packet(id, |interface| Packet {
            time: interface.time(time),
            link: interface.link,
            interface: id,
            wire_len,
            start: PACKET_START,
            len,
            netns: interface.netns,
            group: None,
            process: None,
        })
    }

    fn packet(
        &self,
        id: u32,
        packet: impl FnOnce(&Interface) -> Packet,
    ) -> Result<Record<'_>, Damage> {
        let interface = self.interfaces.get(id as usize);
        let interface = interface.ok_or(Damage::Interface(id))?;
        Ok(match interface.link {
            LinkType::Other(link) => Record::Other {
                name: &interface.name,
                link,
            },
            _ => Record::Packet(packet(interface)),
        })
    }
}

impl Interface {
    fn new(block: &InterfaceDescriptionBlock<'_>, order: Order, named: &mut Named) -> Self {
        let option = |code| option(&block.options, code);
        let resolution = match option(OptionCode::IfTsresol).and_then(<[u8]>::first) {
            Some(binary @ 0x80..) => Resolution::Binary(binary & 0x7f),
            Some(decimal) => Resolution::Decimal(*decimal),
            None => Resolution::Decimal(6),
        };
        let offset = option(OptionCode::IfTsoffset).and_then(<[u8]>::first_chunk::<8>);
        let offset = offset.map_or(0, |bytes| match order {
            Order::Little => i64::from_le_bytes(*bytes),
            Order::Big => i64::from_be_bytes(*bytes),
        });
        let name = option(OptionCode::IfName).unwrap_or_default();
        let netns = std::str::from_utf8(name).ok();
        let netns = netns.and_then(|name| name.split_once(NETNS_MARK));
        Self {
            name: name.to_vec(),
            netns: netns.map_or(0, |(_, netns)| named.netns(netns)),
            link: LinkType::from_number(block.linktype.0.cast_unsigned()),
            snap_len: block.snaplen,
            resolution,
            offset,
        }
    }

    /// `None` for a time that no clock shows.
    fn time(&self, units: u64) -> Option<Time> {
        let nanoseconds = self.resolution.nanoseconds(units);
        let offset = i128::from(self.offset) * 1_000_000_000;
        let nanoseconds = i128::try_from(nanoseconds).ok()?.checked_add(offset)?;
        i64::try_from(nanoseconds).ok().map(Time)
    }
}

impl Resolution {
    /// So many units as nanoseconds, rounded down.
    fn nanoseconds(self, units: u64) -> u128 {
        let billionths = u128::from(units) * 1_000_000_000;
        match self {
            Self::Binary(bits) => billionths >> bits,
            Self::Decimal(digits) => match 10_u128.checked_pow(u32::from(digits)) {
                Some(unit) => billionths / unit,
                None => 0,
            },
        }
    }
}

/// The first option with this code.
fn option<'o>(options: &'o [PcapNGOption<'_>], code: OptionCode) -> Option<&'o [u8]> {
    let found = options.iter().find(|option| option.code == code);
    found.and_then(|option| option.as_bytes().ok())
}

/// The multicast group that a comment says: `multicast group 1 (RTNLGRP_LINK)`.
fn group(options: &[PcapNGOption<'_>]) -> Option<NonZeroU32> {
    let comments = options
        .iter()
        .filter(|option| option.code == OptionCode::Comment);
    let mut texts = comments.filter_map(|comment| comment.as_str().ok());
    texts.find_map(|text| {
        let number = text.strip_prefix(GROUP_COMMENT)?;
        let end = number.find(|c: char| !c.is_ascii_digit());
        number.get(..end.unwrap_or(number.len()))?.parse().ok()
    })
}

/// The byte order of the section that begins here.
fn section_order(input: &[u8]) -> Result<Order, NoRecord> {
    const MAGIC: u32 = 0x1a2b_3c4d;
    let magic = u32_at(input, 8, Order::Little)?;
    if magic == MAGIC {
        Ok(Order::Little)
    } else if magic == MAGIC.swap_bytes() {
        Ok(Order::Big)
    } else {
        Err(Damage::Magic.into())
    }
}

/// The number at `at`, or the length that the input would have to have.
fn u32_at(input: &[u8], at: usize, order: Order) -> Result<u32, NoRecord> {
    let bytes = input.get(at..).and_then(<[u8]>::first_chunk);
    let need = u32::try_from(at.saturating_add(4)).unwrap_or(u32::MAX);
    bytes
        .map(|bytes| order.u32(*bytes))
        .ok_or(NoRecord::Short(need.max(MIN_BLOCK)))
}

/// A block that is there completely, so that whatever keeps it from being read is
/// its own fault.
fn whole<T>(kind: u32, parsed: Parsed<'_, T>) -> Result<T, Damage> {
    parsed
        .map(|(_, block)| block)
        .map_err(|_: NomErr<_>| Damage::Block(kind))
}
