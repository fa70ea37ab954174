//! pcapng: blocks, in sections that describe their own interfaces and byte order.

use std::collections::BTreeSet;

use pcap_parser::nom::{Err as NomErr, IResult};
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    InterfaceDescriptionBlock, OptionCode, PcapError, parse_enhancedpacketblock_be,
    parse_enhancedpacketblock_le, parse_interfacedescriptionblock_be,
    parse_interfacedescriptionblock_le, parse_sectionheaderblock, parse_simplepacketblock_be,
    parse_simplepacketblock_le, parse_unknownblock_be, parse_unknownblock_le,
};

use super::Time;
use super::reader::{Damage, MAX_RECORD, NoRecord, Packet, Record};
use crate::wire::{LinkType, Order};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
/// The obsolete packet block.
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
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
    pub(super) fn block(&mut self, input: &[u8]) -> Result<(Record<'_>, u32), NoRecord> {
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
            INTERFACE_DESCRIPTION => self.interface(block),
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
        Ok(Record::Skip)
    }

    fn interface(&mut self, block: &[u8]) -> Result<Record<'_>, Damage> {
        let parsed = match self.order {
            Order::Little => parse_interfacedescriptionblock_le(block),
            Order::Big => parse_interfacedescriptionblock_be(block),
        };
        let interface = Interface::new(&whole(INTERFACE_DESCRIPTION, parsed)?, self.order);
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
    fn new(block: &InterfaceDescriptionBlock<'_>, order: Order) -> Self {
        let option = |code| {
            let found = block.options.iter().find(|option| option.code == code);
            found.and_then(|option| option.as_bytes().ok())
        };
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
        Self {
            name: option(OptionCode::IfName).unwrap_or_default().to_vec(),
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
