//! The registers of a rule, expression by expression. The numbers are those of
//! `linux/netfilter/nf_tables.h`.

use super::Chain;
use super::kinds::{
    ADDRESS, ADDRTYPE, ARP_OP, BOOLEAN, CGROUP2, CLASSID, CT_DIR, CT_EVENT, CT_LABEL, CT_STATE,
    CT_STATUS, DATE, DAY, DEVGROUP, ETHER, ETHER_TYPE, GID, HOUR, ICMP_CODE, ICMP_TYPE,
    ICMPV6_CODE, ICMPV6_TYPE, IFINDEX, IFNAME, IFTYPE, IGMP_TYPE, INET_PROTO, IPV4, IPV6, MARK,
    MILLISECONDS, NFPROTO, PKT_TYPE, REALM, SERVICE, TCP_FLAG, TEXT, U8, U16, U32, U64, UID,
    big_endian, length, of_host,
};
use crate::schema::FormatKey;

/// Registers of 4 bytes (`NFT_REG32_COUNT`).
const REGISTERS: usize = 16;

const NFPROTO_IPV4: u32 = 2;
const NFPROTO_ARP: u8 = 3;
const NFPROTO_IPV6: u32 = 10;

const IPPROTO_ICMP: u8 = 1;
const IPPROTO_IGMP: u8 = 2;
const IPPROTO_ICMPV6: u8 = 58;

const NFT_CMP_EQ: u32 = 0;
const NFT_BITWISE_LSHIFT: u32 = 1;
const NFT_BITWISE_RSHIFT: u32 = 2;
const NFT_BYTEORDER_NTOH: u32 = 0;
const NFTA_FIB_F_PRESENT: u32 = 1 << 5;

/// One expression.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expression<'f> {
    pub(super) name: &'f [u8],
    parameters: Chain<'f>,
}

impl<'f> Expression<'f> {
    /// That of which these are the attributes.
    pub(super) fn of(attributes: Chain<'f>) -> Option<Self> {
        let parameters = attributes.attribute(2).unwrap_or_default();
        Some(Self {
            name: attributes.text(1)?,
            parameters: attributes.within(parameters),
        })
    }

    /// The register of 4 bytes that the attribute with this number names.
    pub(super) fn register(&self, number: u16) -> Option<usize> {
        let register = self.number(number)? as usize;
        match register {
            1..=4 => Some((register - 1) * 4),
            8..=23 => Some(register - 8),
            _ => None,
        }
    }

    /// The one that looks into a tunnel, if this is about one.
    fn within(&self) -> Option<Self> {
        if self.name != b"inner" {
            return None;
        }
        let inside = self.parameters.attribute(5)?;
        Self::of(self.parameters.within(inside))
    }

    fn number(&self, number: u16) -> Option<u32> {
        self.parameters.number(number)
    }

    fn takes(&self, number: u16, register: usize) -> bool {
        self.register(number) == Some(register)
    }
}

/// What is known in the middle of a rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// Address family of the table.
    family: u8,
    /// What the value that begins in each register is.
    kinds: [Option<FormatKey>; REGISTERS],
    /// The protocol that was compared with last.
    protocol: Option<u8>,
}

impl Rule {
    pub(super) fn of_family(family: u8) -> Self {
        Self {
            family,
            kinds: [None; REGISTERS],
            protocol: None,
        }
    }

    /// What the value in a register is.
    pub(super) fn holds(&self, register: usize) -> Option<FormatKey> {
        self.kinds.get(register).copied().flatten()
    }

    /// What an expression leaves in its registers.
    pub(super) fn run(&mut self, it: &Expression<'_>) {
        match it.within() {
            Some(it) if it.name != b"inner" => self.step(&it),
            _ => self.step(it),
        }
    }

    fn step(&mut self, it: &Expression<'_>) {
        let loads = |key: u16, kind: fn(u32) -> Option<FormatKey>| it.number(key).and_then(kind);
        let (register, kind) = match it.name {
            b"cmp" => {
                self.compares(it);
                return;
            }
            b"payload" => (1, self.payload(it)),
            b"meta" => (1, loads(2, meta)),
            b"ct" => (1, loads(2, connection)),
            b"rt" => (1, loads(2, route)),
            b"xfrm" => (1, loads(2, transformation)),
            b"socket" => (2, loads(1, socket)),
            b"tunnel" => (2, loads(1, tunnel)),
            b"fib" => (1, forwarding(it)),
            b"exthdr" => (1, extension(it)),
            b"osf" => (1, Some(TEXT)),
            b"numgen" => (1, Some(U32)),
            b"hash" => (2, Some(U32)),
            b"immediate" => (1, None),
            b"lookup" => (3, None),
            b"bitwise" => (2, self.changed(it)),
            b"byteorder" => (2, turned(it)),
            _ => return,
        };
        let slot = it.register(register);
        if let Some(slot) = slot.and_then(|slot| self.kinds.get_mut(slot)) {
            *slot = kind;
        }
    }

    /// What an expression takes the value in a register for.
    pub(super) fn takes(&self, it: &Expression<'_>, register: usize) -> Option<FormatKey> {
        let one_of = |numbers: &[u16]| numbers.iter().any(|number| it.takes(*number, register));
        match it.name {
            b"nat" if one_of(&[3, 4]) => address(it.number(2)),
            b"nat" if one_of(&[5, 6]) => Some(SERVICE),
            b"masq" if one_of(&[2, 3]) => Some(SERVICE),
            b"redir" if one_of(&[1, 2]) => Some(SERVICE),
            b"tproxy" if one_of(&[2]) => address(it.number(1)),
            b"tproxy" if one_of(&[3]) => Some(SERVICE),
            b"dup" if one_of(&[1]) => Some(ADDRESS),
            b"dup" if one_of(&[2]) => Some(IFINDEX),
            b"fwd" if one_of(&[1]) => Some(IFINDEX),
            b"fwd" if one_of(&[2]) => address(it.number(3)),
            b"meta" if one_of(&[3]) => it.number(2).and_then(meta),
            b"ct" if one_of(&[4]) => it.number(2).and_then(connection),
            b"payload" if one_of(&[5]) => self.payload(it),
            b"exthdr" if one_of(&[7]) => it.number(4).and_then(big_endian),
            b"queue" if one_of(&[4]) => Some(U16),
            _ => None,
        }
    }

    /// A comparison with a protocol says what the headers behind are.
    fn compares(&mut self, it: &Expression<'_>) {
        let kind = it.register(1).and_then(|register| self.holds(register));
        if kind == Some(INET_PROTO) && it.number(2) == Some(NFT_CMP_EQ) {
            let data = it.parameters.attribute(3).unwrap_or_default();
            let value = it.parameters.within(data).attribute(1);
            self.protocol = value.and_then(|value| value.first()).copied();
        }
    }

    /// What was loaded from a packet.
    fn payload(&self, it: &Expression<'_>) -> Option<FormatKey> {
        let (base, offset, len) = (it.number(2)?, it.number(3)?, it.number(4)?);
        let known = match base {
            0 => match (offset, len) {
                (0 | 6, 6) => Some(ETHER),
                (12 | 16, 2) => Some(ETHER_TYPE),
                _ => None,
            },
            1 => self.network(offset, len),
            2 => self.transport(offset, len),
            _ => None,
        };
        known.or_else(|| big_endian(len))
    }

    /// In the header of IPv4, IPv6 or ARP: their fields have different places and lengths.
    fn network(&self, offset: u32, len: u32) -> Option<FormatKey> {
        match (offset, len) {
            (6, 2) if self.family == NFPROTO_ARP => Some(ARP_OP),
            (2, 2) if self.family == NFPROTO_ARP => Some(ETHER_TYPE),
            (14 | 24, 4) if self.family == NFPROTO_ARP => Some(IPV4),
            (8 | 18, 6) => Some(ETHER),
            (12 | 16, 4) => Some(IPV4),
            (8 | 24, 16) => Some(IPV6),
            (9 | 6, 1) => Some(INET_PROTO),
            _ => None,
        }
    }

    fn transport(&self, offset: u32, len: u32) -> Option<FormatKey> {
        match (self.protocol, offset, len) {
            (Some(IPPROTO_ICMP), 0, 1) => Some(ICMP_TYPE),
            (Some(IPPROTO_ICMP), 1, 1) => Some(ICMP_CODE),
            (Some(IPPROTO_ICMPV6), 0, 1) => Some(ICMPV6_TYPE),
            (Some(IPPROTO_ICMPV6), 1, 1) => Some(ICMPV6_CODE),
            (Some(IPPROTO_IGMP), 0, 1) => Some(IGMP_TYPE),
            (Some(IPPROTO_ICMP | IPPROTO_ICMPV6 | IPPROTO_IGMP), ..) => None,
            (_, 0 | 2, 2) => Some(SERVICE),
            (_, 13, 1) => Some(TCP_FLAG),
            _ => None,
        }
    }

    /// Masks leave a value what it is; shifts leave an integer.
    fn changed(&self, it: &Expression<'_>) -> Option<FormatKey> {
        let before = self.holds(it.register(1)?)?;
        match it.number(6) {
            Some(NFT_BITWISE_LSHIFT | NFT_BITWISE_RSHIFT) => of_host(length(before)?),
            _ => Some(before),
        }
    }
}

fn address(family: Option<u32>) -> Option<FormatKey> {
    match family? {
        NFPROTO_IPV4 => Some(IPV4),
        NFPROTO_IPV6 => Some(IPV6),
        _ => None,
    }
}

/// A value whose bytes were turned round is an integer.
fn turned(it: &Expression<'_>) -> Option<FormatKey> {
    let size = it.number(4)?;
    match it.number(3)? {
        NFT_BYTEORDER_NTOH => of_host(size),
        _ => big_endian(size),
    }
}

fn forwarding(it: &Expression<'_>) -> Option<FormatKey> {
    if it.number(3).unwrap_or(0) & NFTA_FIB_F_PRESENT != 0 {
        return Some(BOOLEAN);
    }
    match it.number(2)? {
        1 => Some(IFINDEX),
        2 => Some(IFNAME),
        3 => Some(ADDRTYPE),
        _ => None,
    }
}

fn extension(it: &Expression<'_>) -> Option<FormatKey> {
    if it.number(5).unwrap_or(0) & 1 != 0 {
        return Some(BOOLEAN);
    }
    big_endian(it.number(4)?)
}

/// `enum nft_meta_keys`.
fn meta(key: u32) -> Option<FormatKey> {
    Some(match key {
        0 | 14 | 20 | 23 | 24 => U32,
        1 | 29 => ETHER_TYPE,
        2 => CLASSID,
        3 => MARK,
        4 | 5 | 33 => IFINDEX,
        6 | 7 | 17 | 18 | 34 => IFNAME,
        8 | 9 => IFTYPE,
        10 => UID,
        11 => GID,
        12 | 35 => U8,
        13 => REALM,
        15 => NFPROTO,
        16 => INET_PROTO,
        19 => PKT_TYPE,
        21 | 22 => DEVGROUP,
        25 => BOOLEAN,
        26 | 27 => TEXT,
        28 => U16,
        30 => DATE,
        31 => DAY,
        32 => HOUR,
        37 => ETHER,
        _ => return None,
    })
}

/// `enum nft_ct_keys`.
fn connection(key: u32) -> Option<FormatKey> {
    Some(match key {
        0 => CT_STATE,
        1 => CT_DIR,
        2 => CT_STATUS,
        3 => MARK,
        4 | 23 => U32,
        5 => MILLISECONDS,
        6 => TEXT,
        7 => NFPROTO,
        8 | 9 => ADDRESS,
        10 => INET_PROTO,
        11 | 12 => SERVICE,
        13 => CT_LABEL,
        14..=16 => U64,
        17 => U16,
        18 => CT_EVENT,
        19 | 20 => IPV4,
        21 | 22 => IPV6,
        _ => return None,
    })
}

/// `enum nft_rt_keys`.
fn route(key: u32) -> Option<FormatKey> {
    Some(match key {
        0 => REALM,
        1 => IPV4,
        2 => IPV6,
        3 => U16,
        4 => BOOLEAN,
        _ => return None,
    })
}

/// `enum nft_socket_keys`.
fn socket(key: u32) -> Option<FormatKey> {
    Some(match key {
        0 | 2 => U8,
        1 => MARK,
        3 => CGROUP2,
        _ => return None,
    })
}

/// `enum nft_tunnel_keys`.
fn tunnel(key: u32) -> Option<FormatKey> {
    Some(match key {
        0 => BOOLEAN,
        1 => U32,
        _ => return None,
    })
}

/// `enum nft_xfrm_keys`.
fn transformation(key: u32) -> Option<FormatKey> {
    Some(match key {
        1 | 3 => IPV4,
        2 | 4 => IPV6,
        5 => U32,
        6 => super::kinds::BE32,
        _ => return None,
    })
}
