//! Network packets inside messages. Where a layer ends depends on its own fields and on those
//! of the layers around it, which no table can say; what its fields are, a table says
//! (`schema/packet.yaml`). The layers are found by etherparse.

use etherparse::{
    EtherType, IpNumber, LaxLinkExtSlice, LaxNetSlice, LaxSlicedPacket, LinkSlice, TransportSlice,
    ether_type, ip_number,
};

use super::Walker;
use super::scope::Scope;
use crate::schema::{AttributeSet, Type};
use crate::tape::NodeFlags;

#[cfg(test)]
mod tests;

/// Where the type of an Ethernet header lies.
const TYPE_OFFSET: usize = 12;
/// Number of the field that stands for an option that has none of its own.
const OTHER_OPTION: u16 = 256;

/// What a packet begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// An Ethernet header.
    Ethernet,
    /// The network header that `packet-hdr.hw-protocol` beside it names, or else IP of the
    /// version that its first bits say.
    Network,
    /// What follows the network header in `network-header` beside it.
    Transport,
    /// An Ethernet header or, on devices that have none, the network header: `proto` beside
    /// it says what comes after the one, or is the other.
    ByProto,
}

impl<'w> Walker<'w> {
    /// The layers of a packet from `start` to `end`, as fields of `set` called as the layers
    /// are; what is left of it is its payload, and what lies behind it its trailer.
    pub(super) fn packet(
        &mut self,
        begins: Begins,
        set: Option<&'static AttributeSet>,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let frame: &'w [u8] = self.frame;
        let bytes = frame.get(start as usize..end as usize).unwrap_or_default();
        let sliced = match begins {
            Begins::Ethernet => LaxSlicedPacket::from_ethernet(bytes).ok(),
            Begins::Network => self
                .named_protocol(scope)
                .or_else(|| version(bytes))
                .map(|protocol| LaxSlicedPacket::from_ether_type(protocol, bytes)),
            Begins::Transport => None,
            Begins::ByProto => match self.protocol(scope, "proto", None) {
                Some(protocol) if !follows_ethernet(bytes, protocol) => {
                    Some(LaxSlicedPacket::from_ether_type(protocol, bytes))
                }
                _ => LaxSlicedPacket::from_ethernet(bytes).ok(),
            },
        };
        let follows = match begins {
            Begins::Transport => self.announced(scope),
            _ => None,
        };
        let mut layers = Layers {
            walker: self,
            set,
            at: start,
            end,
            depth,
            rest: "payload",
        };
        if let Some(sliced) = sliced {
            layers.all(&sliced);
            return;
        }
        if let Some(protocol) = follows {
            layers.cut(protocol, bytes);
        }
        layers.rest();
    }

    /// The protocol that the network header near by announces.
    fn announced(&self, scope: Option<&Scope<'_>>) -> Option<IpNumber> {
        let header = scope?.find(self.frame, self.order, "network-header")?;
        let at = match version(header.payload)? {
            ether_type::IPV4 => 9,
            _ => 6,
        };
        header.payload.get(at).copied().map(IpNumber)
    }

    fn named_protocol(&self, scope: Option<&Scope<'_>>) -> Option<EtherType> {
        self.protocol(scope, "packet-hdr", Some("hw-protocol"))
            .filter(|protocol| protocol.0 != 0)
    }

    /// The protocol in the field called `name` near by, or in this member of it.
    fn protocol(
        &self,
        scope: Option<&Scope<'_>>,
        name: &str,
        member: Option<&str>,
    ) -> Option<EtherType> {
        let found = scope?.find(self.frame, self.order, name)?;
        let Some(member) = member else {
            let number = found.order.unsigned(found.payload);
            return u16::try_from(number).ok().map(EtherType);
        };
        let Type::Struct(layout) = found.field.ty else {
            return None;
        };
        let mut members = layout.members.iter();
        let at = members.find(|known| known.field.name == member)?.offset as usize;
        let number = found.payload.get(at..)?.first_chunk()?;
        Some(EtherType(u16::from_be_bytes(*number)))
    }

    /// Options as IPv4 and TCP have them: a kind, a length that counts both, and a value;
    /// the kinds 0 and 1 are a byte, and 0 is the last.
    pub(super) fn ip_options(
        &mut self,
        set: &'static AttributeSet,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let mut at = start;
        while let Some(kind) = self.bytes(at, end).first().copied() {
            let len = match kind {
                0 | 1 => 1,
                _ => self
                    .bytes(at, end)
                    .get(1)
                    .map_or(0, |len| u32::from(*len).max(1)),
            };
            let field = set
                .attribute(kind.into())
                .or_else(|| set.attribute(OTHER_OPTION));
            let Some(field) = field.filter(|_| len > u32::from(kind > 1) && len <= end - at) else {
                break;
            };
            self.node(field, at, at + len, depth, NodeFlags::NONE, scope);
            at += len;
            if kind == 0 {
                self.padding(at, end, depth);
                return;
            }
        }
        self.unknown(at, end, depth);
    }
}

/// The protocol of a packet that begins with an IP header.
fn version(bytes: &[u8]) -> Option<EtherType> {
    match bytes.first()? >> 4 {
        4 => Some(ether_type::IPV4),
        6 => Some(ether_type::IPV6),
        _ => None,
    }
}

/// Whether there is an Ethernet header before the packet of this protocol. A tag may lie
/// between them, and with a length in place of a type the number is not the packet's.
fn follows_ethernet(bytes: &[u8], protocol: EtherType) -> bool {
    let Some(found) = bytes.get(TYPE_OFFSET..).and_then(<[u8]>::first_chunk) else {
        return false;
    };
    let found = EtherType(u16::from_be_bytes(*found));
    let tag = matches!(
        found,
        ether_type::VLAN_TAGGED_FRAME
            | ether_type::PROVIDER_BRIDGING
            | ether_type::VLAN_DOUBLE_TAGGED_FRAME
    );
    found == protocol || tag || (found.0 < 0x600 && protocol.0 < 0x600)
}

/// The layers that are written, one behind the other.
struct Layers<'l, 'w> {
    walker: &'l mut Walker<'w>,
    set: Option<&'static AttributeSet>,
    at: u32,
    end: u32,
    depth: u8,
    /// What comes behind the last header.
    rest: &'static str,
}

impl Layers<'_, '_> {
    fn all(&mut self, packet: &LaxSlicedPacket<'_>) {
        if let Some(LinkSlice::Ethernet2(header)) = &packet.link {
            self.layer("ethernet", header.header_len());
        }
        for tag in &packet.link_exts {
            match tag {
                LaxLinkExtSlice::Vlan(tag) => self.layer("vlan", tag.header_len()),
                LaxLinkExtSlice::Macsec(tag) => self.layer("macsec", tag.header.header_len()),
            }
        }
        let stop = match &packet.net {
            Some(net) => self.net(net),
            None => self.end,
        };
        let stop = match &packet.transport {
            Some(transport) => self.transport(transport, stop),
            None => stop,
        };
        // What there is of a header that was cut off, as in what an ICMP error quotes.
        let payload = packet.net.as_ref().and_then(LaxNetSlice::ip_payload_ref);
        if let Some(payload) = payload.filter(|it| packet.transport.is_none() && !it.fragmented) {
            self.cut(payload.ip_number, payload.payload);
        }
        let end = std::mem::replace(&mut self.end, stop);
        self.rest();
        self.end = end;
        self.rest = "trailer";
        self.rest();
    }

    /// Returns where the packet ends.
    fn net(&mut self, net: &LaxNetSlice<'_>) -> u32 {
        let payload = match net {
            LaxNetSlice::Ipv4(ip) => {
                let header = ip.header();
                let options = header.options().len();
                self.layer("ipv4", header.slice().len() - options);
                self.layer("ipv4-options", options);
                if let Some(header) = ip.extensions().auth {
                    self.layer("ip-authentication", header.slice().len());
                }
                ip.payload()
            }
            LaxNetSlice::Ipv6(ip) => {
                self.layer("ipv6", ip.header().slice().len());
                self.extensions(ip.header().next_header(), ip.extensions().slice());
                ip.payload()
            }
            LaxNetSlice::Arp(arp) => {
                let len = arp.slice().len();
                let stop = self.after(len);
                self.layer("arp", len.min(8));
                if (arp.hw_addr_size(), arp.proto_addr_size()) == (6, 4) {
                    self.layer("arp-addresses", 20);
                }
                return stop;
            }
        };
        if matches!(payload.ip_number, ip_number::IPV4 | ip_number::IPV6) && !payload.fragmented {
            self.rest = INNER;
        }
        self.after(payload.payload.len())
    }

    /// The extension headers in `bytes`, of which `kind` is the first. The crate's own
    /// iterator does not stop where its slice does.
    fn extensions(&mut self, mut kind: IpNumber, mut bytes: &[u8]) {
        while let [next, len, ..] = bytes {
            let (name, len) = match kind {
                ip_number::IPV6_HOP_BY_HOP => ("ipv6-hop-by-hop", (usize::from(*len) + 1) * 8),
                ip_number::IPV6_ROUTE => ("ipv6-routing", (usize::from(*len) + 1) * 8),
                ip_number::IPV6_DEST_OPTIONS => ("ipv6-destination", (usize::from(*len) + 1) * 8),
                ip_number::IPV6_FRAG => ("ipv6-fragment", 8),
                ip_number::AUTH => ("ip-authentication", (usize::from(*len) + 2) * 4),
                _ => return,
            };
            self.layer(name, len);
            kind = IpNumber(*next);
            bytes = bytes.get(len..).unwrap_or_default();
        }
    }

    /// Returns where its payload ends, of a packet that ends at `stop`.
    fn transport(&mut self, transport: &TransportSlice<'_>, stop: u32) -> u32 {
        match transport {
            TransportSlice::Tcp(tcp) => {
                let options = tcp.options().len();
                self.layer("tcp", tcp.header_slice().len() - options);
                self.layer("tcp-options", options);
            }
            TransportSlice::Udp(udp) => {
                self.layer("udp", udp.header_len());
                return stop.min(self.after(udp.payload().len()));
            }
            TransportSlice::Icmpv4(icmp) => self.icmp(icmp.type_u8()),
            TransportSlice::Icmpv6(icmp) => self.icmpv6(icmp.type_u8()),
            TransportSlice::Igmp(igmp) => {
                self.layer("igmp", 4);
                if igmp.type_u8() != IGMPV3_REPORT {
                    self.layer("igmp-group", 4);
                }
            }
        }
        stop
    }

    fn icmp(&mut self, kind: u8) {
        self.layer("icmp", 4);
        match kind {
            0 | 8 => self.layer("icmp-echo", 4),
            3..=5 | 11 | 12 => self.icmp_error(),
            _ => {}
        }
    }

    fn icmpv6(&mut self, kind: u8) {
        self.layer("icmpv6", 4);
        match kind {
            128 | 129 => self.layer("icmp-echo", 4),
            1..=4 => self.icmp_error(),
            _ => {}
        }
    }

    /// The packet that is at fault comes behind a word of the error's own.
    fn icmp_error(&mut self) {
        self.layer("icmp-error", 4);
        self.rest = INNER;
    }

    /// A header of this protocol that may be cut off anywhere, at the start of `bytes`.
    fn cut(&mut self, protocol: IpNumber, bytes: &[u8]) {
        match protocol {
            ip_number::TCP => {
                let words = bytes.get(12).map_or(0, |byte| usize::from(byte >> 4));
                self.layer("tcp", 20);
                self.layer("tcp-options", (words * 4).saturating_sub(20));
            }
            ip_number::UDP => self.layer("udp", 8),
            ip_number::ICMP => self.icmp(bytes.first().copied().unwrap_or(u8::MAX)),
            ip_number::IPV6_ICMP => self.icmpv6(bytes.first().copied().unwrap_or(u8::MAX)),
            _ => {}
        }
    }

    /// What lies `len` bytes ahead, or the end.
    fn after(&self, len: usize) -> u32 {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        self.at.saturating_add(len).min(self.end)
    }

    fn rest(&mut self) {
        let len = self.end.saturating_sub(self.at);
        self.layer(self.rest, len as usize);
    }

    /// Writes the next `len` bytes as the layer called `name`, if there are any.
    fn layer(&mut self, name: &str, len: usize) {
        let to = self.after(len);
        if self.at >= to {
            return;
        }
        let mut fields = self.set.into_iter().flat_map(|set| set.attributes.iter());
        match fields.find(|field| field.name == name) {
            Some(field) => {
                self.walker
                    .node(field, self.at, to, self.depth, NodeFlags::NONE, None);
            }
            None => {
                self.walker.unknown(self.at, to, self.depth);
            }
        }
        self.at = to;
    }
}

/// A packet inside of the packet.
const INNER: &str = "inner";
/// The membership report that has a list of groups in place of one.
const IGMPV3_REPORT: u8 = 0x22;
