//! The older pcap format, with times in nanoseconds, in the byte order of this machine
//! (draft-ietf-opsawg-pcap).

use super::{LINKTYPE_NETLINK, Packet};

const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const VERSION: (u16, u16) = (2, 4);
/// How much of a packet is kept: the format wants a limit, and libpcap allows no higher one.
const SNAPLEN: u32 = 262_144;
const NANOSECONDS: u64 = 1_000_000_000;

/// The head of a file.
pub(super) fn header(buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(&MAGIC_NANOSECONDS.to_ne_bytes());
    buffer.extend_from_slice(&VERSION.0.to_ne_bytes());
    buffer.extend_from_slice(&VERSION.1.to_ne_bytes());
    // Two fields that were never used: the time zone and the accuracy of times.
    words(buffer, [0, 0, SNAPLEN, u32::from(LINKTYPE_NETLINK)]);
}

/// A packet at `time` (nanoseconds since 1970).
pub(super) fn packet(buffer: &mut Vec<u8>, packet: &Packet<'_>, time: u64) {
    let kept = packet.bytes.len().min(SNAPLEN as usize);
    let kept = packet.bytes.get(..kept).unwrap_or_default();
    let [seconds, nanoseconds, length] =
        [time / NANOSECONDS, time % NANOSECONDS, kept.len() as u64]
            .map(|value| u32::try_from(value).unwrap_or(u32::MAX));
    words(buffer, [seconds, nanoseconds, length, packet.wire_len]);
    buffer.extend_from_slice(kept);
}

fn words<const N: usize>(buffer: &mut Vec<u8>, words: [u32; N]) {
    for word in words {
        buffer.extend_from_slice(&word.to_ne_bytes());
    }
}
