//! What a value may be: the keys of the formats of `nft-value`.

use crate::schema::FormatKey;

// Data types of nft, by their number.
pub(super) const NFPROTO: FormatKey = FormatKey::Number(2);
pub(super) const TEXT: FormatKey = FormatKey::Number(5);
pub(super) const IPV4: FormatKey = FormatKey::Number(7);
pub(super) const IPV6: FormatKey = FormatKey::Number(8);
pub(super) const ETHER: FormatKey = FormatKey::Number(9);
pub(super) const ETHER_TYPE: FormatKey = FormatKey::Number(10);
pub(super) const ARP_OP: FormatKey = FormatKey::Number(11);
pub(super) const INET_PROTO: FormatKey = FormatKey::Number(12);
pub(super) const SERVICE: FormatKey = FormatKey::Number(13);
pub(super) const ICMP_TYPE: FormatKey = FormatKey::Number(14);
pub(super) const TCP_FLAG: FormatKey = FormatKey::Number(15);
pub(super) const MARK: FormatKey = FormatKey::Number(19);
pub(super) const IFINDEX: FormatKey = FormatKey::Number(20);
pub(super) const IFTYPE: FormatKey = FormatKey::Number(21);
pub(super) const REALM: FormatKey = FormatKey::Number(22);
pub(super) const CLASSID: FormatKey = FormatKey::Number(23);
pub(super) const UID: FormatKey = FormatKey::Number(24);
pub(super) const GID: FormatKey = FormatKey::Number(25);
pub(super) const CT_STATE: FormatKey = FormatKey::Number(26);
pub(super) const CT_DIR: FormatKey = FormatKey::Number(27);
pub(super) const CT_STATUS: FormatKey = FormatKey::Number(28);
pub(super) const ICMPV6_TYPE: FormatKey = FormatKey::Number(29);
pub(super) const CT_LABEL: FormatKey = FormatKey::Number(30);
pub(super) const PKT_TYPE: FormatKey = FormatKey::Number(31);
pub(super) const ICMP_CODE: FormatKey = FormatKey::Number(32);
pub(super) const ICMPV6_CODE: FormatKey = FormatKey::Number(33);
pub(super) const DEVGROUP: FormatKey = FormatKey::Number(35);
pub(super) const ADDRTYPE: FormatKey = FormatKey::Number(38);
pub(super) const BOOLEAN: FormatKey = FormatKey::Number(39);
pub(super) const CT_EVENT: FormatKey = FormatKey::Number(40);
pub(super) const IFNAME: FormatKey = FormatKey::Number(41);
pub(super) const IGMP_TYPE: FormatKey = FormatKey::Number(42);
pub(super) const DATE: FormatKey = FormatKey::Number(43);
pub(super) const HOUR: FormatKey = FormatKey::Number(44);
pub(super) const DAY: FormatKey = FormatKey::Number(45);
pub(super) const CGROUP2: FormatKey = FormatKey::Number(46);

// Integers of which only length and byte order are known.
pub(super) const U8: FormatKey = FormatKey::Name("u8");
pub(super) const U16: FormatKey = FormatKey::Name("u16");
pub(super) const U32: FormatKey = FormatKey::Name("u32");
pub(super) const U64: FormatKey = FormatKey::Name("u64");
pub(super) const BE16: FormatKey = FormatKey::Name("be16");
pub(super) const BE32: FormatKey = FormatKey::Name("be32");
pub(super) const BE64: FormatKey = FormatKey::Name("be64");
/// An IPv4 or IPv6 address, by its length.
pub(super) const ADDRESS: FormatKey = FormatKey::Name("address");
/// Milliseconds in 4 bytes; the data type has 8.
pub(super) const MILLISECONDS: FormatKey = FormatKey::Name("milliseconds");

/// Those whose bits have names.
pub(super) const FLAGS: [FormatKey; 4] = [TCP_FLAG, CT_STATE, CT_STATUS, CT_EVENT];

/// An integer of `len` bytes in network order.
pub(super) fn big_endian(len: u32) -> Option<FormatKey> {
    match len {
        1 => Some(U8),
        2 => Some(BE16),
        4 => Some(BE32),
        8 => Some(BE64),
        _ => None,
    }
}

/// An integer of `len` bytes in the order of the host.
pub(super) fn of_host(len: u32) -> Option<FormatKey> {
    match len {
        1 => Some(U8),
        2 => Some(U16),
        4 => Some(U32),
        8 => Some(U64),
        _ => None,
    }
}

/// How many bytes a value of this kind has, where they all have as many.
pub(super) fn length(kind: FormatKey) -> Option<u32> {
    match kind {
        FormatKey::Number(
            2 | 12 | 14 | 15 | 16 | 17 | 27 | 29 | 31..=34 | 36 | 37 | 39 | 42 | 45,
        )
        | U8 => Some(1),
        FormatKey::Number(10 | 11 | 13 | 21) | U16 | BE16 => Some(2),
        FormatKey::Number(7 | 19 | 20 | 22..=26 | 28 | 35 | 38 | 40 | 44)
        | U32
        | BE32
        | MILLISECONDS => Some(4),
        ETHER => Some(6),
        FormatKey::Number(18 | 43 | 46) | U64 | BE64 => Some(8),
        IPV6 | CT_LABEL | IFNAME => Some(16),
        _ => None,
    }
}

/// Whether `room` bytes can be a value of this kind. A name that is compared up to its
/// wildcard is shorter.
pub(super) fn has_length(kind: FormatKey, room: u32) -> bool {
    match kind {
        IFNAME => room <= 16,
        ADDRESS => room == 4 || room == 16,
        kind => length(kind).is_none_or(|length| length == room),
    }
}
