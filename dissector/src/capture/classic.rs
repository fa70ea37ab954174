//! pcap: a file header, then packet records.

use pcap_parser::{
    LegacyPcapBlock, PcapError, PcapHeader, parse_pcap_frame, parse_pcap_frame_be,
    parse_pcap_frame_modified, parse_pcap_header,
};

use super::Time;
use super::reader::{Damage, MAX_RECORD, NoRecord, Packet, Record};
use crate::wire::{LinkType, Order};

/// Length of the file header.
const FILE_HEADER: u32 = 24;
/// The bits of the header's last field that are the link type; those above may say
/// how long a frame check sequence is.
const LINK_MASK: u32 = 0x03ff_ffff;

/// What the file header says.
pub(super) struct Pcap {
    order: Order,
    /// The records of a variant by A. Kuznetzov, with 8 bytes more in their headers.
    modified: bool,
    /// Nanoseconds in the unit of the second half of a time.
    unit: i64,
    link: LinkType,
}

impl Pcap {
    /// Reads the file header; gives its length too. `None` if it is none.
    pub(super) fn begin(input: &[u8]) -> Result<Option<(Self, u32)>, NoRecord> {
        let header = match parse_pcap_header(input) {
            Ok((_, header)) => header,
            Err(pcap_parser::nom::Err::Incomplete(_)) => return Err(NoRecord::Short(FILE_HEADER)),
            Err(_) => return Ok(None),
        };
        if header.version_major != 2 {
            return Err(Damage::Version(header.version_major, header.version_minor).into());
        }
        Ok(Some((Self::new(&header), FILE_HEADER)))
    }

    fn new(header: &PcapHeader) -> Self {
        Self {
            order: if header.is_bigendian() {
                Order::Big
            } else {
                Order::Little
            },
            modified: header.is_modified_format(),
            unit: if header.is_nanosecond_precision() {
                1
            } else {
                1000
            },
            link: LinkType::from_number(header.network.0.cast_unsigned() & LINK_MASK),
        }
    }

    /// What all frames begin with.
    pub(super) fn link(&self) -> LinkType {
        self.link
    }

    /// Reads the record at the beginning of `input`; gives its length too.
    pub(super) fn record<'a>(&self, input: &'a [u8]) -> Result<(Record<'a>, u32), NoRecord> {
        let header: u32 = if self.modified { 24 } else { 16 };
        let Some(len) = input.get(8..).and_then(<[u8]>::first_chunk::<4>) else {
            return Err(NoRecord::Short(header));
        };
        let len = self.order.u32(*len);
        if len > MAX_RECORD {
            return Err(Damage::TooLong(len).into());
        }
        // With a length that is believed, only bytes can be missing.
        let Ok((_, block)) = self.parse(input) else {
            return Err(NoRecord::Short(header + len));
        };
        let nanoseconds = i64::from(block.ts_sec) * 1_000_000_000
            + i64::from(block.ts_usec).saturating_mul(self.unit);
        let packet = Packet {
            time: Some(Time(nanoseconds)),
            link: self.link,
            interface: 0,
            wire_len: block.origlen,
            start: header,
            len,
            netns: 0,
            group: None,
            process: None,
        };
        Ok((Record::Packet(packet), header + len))
    }

    fn parse<'a>(
        &self,
        input: &'a [u8],
    ) -> pcap_parser::nom::IResult<&'a [u8], LegacyPcapBlock<'a>, PcapError<&'a [u8]>> {
        match (self.order, self.modified) {
            (Order::Little, false) => parse_pcap_frame(input),
            (Order::Big, _) => parse_pcap_frame_be(input),
            (Order::Little, true) => parse_pcap_frame_modified(input),
        }
    }
}
