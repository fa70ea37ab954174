//! Packets as the kernel hands them to a queue, cut off and with nonsense in them.

use etherparse::{
    EtherType, IpFragOffset, IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6FragmentHeader, Ipv6Header,
    PacketBuilder, TcpOptionElement, VlanId, ether_type, ip_number,
};

use super::super::tests::{same, shown};
use super::super::{FrameShape, dissect};
use super::{follows_ethernet, version};
use crate::netlink::{LITTLE, nlmon};
use crate::schema::{GenlIds, Schema};
use crate::tape::Tape;
use crate::wire::{LinkType, Order, protocol};

/// `NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET`
const NFQNL_MSG_PACKET: u16 = 3 << 8;
const NFQA_PACKET_HDR: u16 = 1;
const NFQA_PAYLOAD: u16 = 10;
const NFQA_L2HDR: u16 = 20;

/// A message with the packet in an attribute of this number.
fn message(attribute: u16, packet: &[u8]) -> Vec<u8> {
    let nfgenmsg = vec![2, 0, 0, 0];
    LITTLE.message(
        NFQNL_MSG_PACKET,
        0,
        &[nfgenmsg, LITTLE.attribute(attribute, packet)].concat(),
    )
}

/// What the packet in an attribute of this number reads as; `expected` is what stands
/// below the attribute.
#[track_caller]
fn check(attribute: u16, packet: &[u8], expected: &str) {
    let text = shown(
        Order::Little,
        protocol::NETFILTER,
        &message(attribute, packet),
    );
    let below = text.lines().skip_while(|line| {
        let name = line.trim_start();
        name != "payload" && name != "l2hdr"
    });
    let below = below.skip(1).filter(|line| !line.ends_with("padding 00"));
    same(&below.collect::<Vec<_>>().join("\n"), expected);
}

fn built(builder: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut packet = Vec::new();
    builder(&mut packet);
    packet
}

fn syn() -> Vec<u8> {
    built(|packet| {
        PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(1234, 80, 7, 512)
            .syn()
            .options(&[
                TcpOptionElement::MaximumSegmentSize(1460),
                TcpOptionElement::SelectiveAcknowledgementPermitted,
                TcpOptionElement::Timestamp(5, 6),
                TcpOptionElement::Noop,
                TcpOptionElement::WindowScale(7),
            ])
            .unwrap()
            .write(packet, &[])
            .unwrap();
    })
}

fn fragment_of_ipv6() -> Vec<u8> {
    built(|packet| {
        let fragment = Ipv6FragmentHeader::new(ip_number::UDP, IpFragOffset::ZERO, false, 3);
        Ipv6Header {
            traffic_class: 0,
            flow_label: Ipv6FlowLabel::ZERO,
            payload_length: 8 + 8 + 1,
            next_header: ip_number::IPV6_FRAGMENTATION_HEADER,
            hop_limit: 1,
            source: [1; 16],
            destination: [2; 16],
        }
        .write(packet)
        .unwrap();
        fragment.write(packet).unwrap();
        packet.extend([0, 1, 0, 2, 0, 9, 0, 0, 0xaa]);
    })
}

fn tagged() -> Vec<u8> {
    built(|packet| {
        PacketBuilder::ethernet2([2; 6], [4; 6])
            .single_vlan(VlanId::try_new(100).unwrap())
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .udp(1, 2)
            .write(packet, &[1, 2, 3])
            .unwrap();
        // What a short frame is filled up with.
        packet.extend([0, 0]);
    })
}

fn arp() -> Vec<u8> {
    let mut packet = vec![0, 1, 8, 0, 6, 4, 0, 1];
    packet.extend([2, 0, 0, 0, 0, 1, 10, 0, 0, 1]);
    packet.extend([0, 0, 0, 0, 0, 0, 10, 0, 0, 2]);
    packet
}

#[test]
fn a_segment_has_its_options_by_name() {
    check(
        NFQA_PAYLOAD,
        &syn(),
        "
        ipv4
          bits
            version 4
            ihl 5
          bits-2
            dscp cs0
            ecn not-ect
          total-len 60
          id 0
          bits-3
            flags dont-fragment
            fragment-offset 0
          ttl 64
          protocol tcp
          checksum 0x26ba
          src 10.0.0.1
          dst 10.0.0.2
        tcp
          sport 1234
          dport 80
          sequence 7
          ack-sequence 0
          bits
            data-offset 10
            reserved 0
            ae 0
          flags syn
          window 512
          checksum 0x2cca
          urgent 0
        tcp-options
          mss
            kind 2
            len 4
            mss 1460
          sack-permitted
            kind 4
            len 2
          timestamps
            kind 8
            len 10
            value 5
            echo 6
          nop 1
          window-scale
            kind 3
            len 3
            shift 7
        ",
    );
}

#[test]
fn what_lies_behind_a_tagged_packet_is_its_trailer() {
    let text = shown(
        Order::Little,
        protocol::NETFILTER,
        &message(NFQA_L2HDR, &tagged()),
    );
    for line in [
        "ethernet",
        "vlan",
        "vid 100",
        "type ip",
        "udp",
        "payload 010203",
        "trailer 0000",
    ] {
        assert!(text.lines().any(|it| it.trim() == line), "{line}\n{text}");
    }
    assert!(!text.contains("unknown"), "{text}");
}

#[test]
fn extension_headers_lie_before_the_datagram() {
    let text = shown(
        Order::Little,
        protocol::NETFILTER,
        &message(NFQA_PAYLOAD, &fragment_of_ipv6()),
    );
    let (_, packet) = text.split_once("  payload\n").unwrap();
    let layers = packet.lines().filter_map(|line| line.strip_prefix("    "));
    let layers: Vec<_> = layers.filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(layers, ["ipv6", "ipv6-fragment", "udp", "payload aa"]);
}

#[test]
fn a_packet_inside_of_a_packet_is_taken_apart_too() {
    let unreachable = built(|packet| {
        let quoted = &syn()[..28];
        PacketBuilder::ipv4([10, 0, 0, 9], [10, 0, 0, 1], 64)
            .icmpv4_raw(3, 1, [0, 0, 5, 220])
            .write(packet, quoted)
            .unwrap();
    });
    let tunnel = built(|packet| {
        let inner = syn();
        let len = u16::try_from(inner.len()).unwrap();
        let header = Ipv4Header::new(len, 64, ip_number::IPV4, [1, 1, 1, 1], [2, 2, 2, 2]);
        header.unwrap().write(packet).unwrap();
        packet.extend(inner);
    });
    for (packet, expected) in [
        (
            unreachable,
            &["ipv4", "icmp", "icmp-error 0x5dc", "inner", "ipv4", "tcp"][..],
        ),
        (tunnel, &["ipv4", "inner", "ipv4", "tcp", "tcp-options"]),
    ] {
        let text = shown(
            Order::Little,
            protocol::NETFILTER,
            &message(NFQA_PAYLOAD, &packet),
        );
        let (_, packet) = text.split_once("  payload\n").unwrap();
        let names = ["ipv4", "icmp", "icmp-error", "inner", "tcp", "tcp-options"];
        let layers: Vec<_> = packet
            .lines()
            .map(str::trim)
            .filter(|line| names.contains(&line.split(' ').next().unwrap()))
            .collect();
        assert_eq!(layers, expected, "{text}");
        assert!(text.contains("dst 10.0.0.2"), "{text}");
    }
}

#[test]
fn the_protocol_beside_the_packet_says_what_it_is() {
    let header = LITTLE.attribute(NFQA_PACKET_HDR, &[0, 0, 0, 1, 8, 6, 0]);
    let payload = [
        vec![3, 0, 0, 0],
        header,
        LITTLE.attribute(NFQA_PAYLOAD, &arp()),
    ];
    let content = LITTLE.message(NFQNL_MSG_PACKET, 0, &payload.concat());
    let text = shown(Order::Little, protocol::NETFILTER, &content);
    assert!(text.contains("operation request"), "{text}");
    assert!(text.contains("target-ip 10.0.0.2"), "{text}");
    // Without it, it is not IP of any version.
    check(
        NFQA_PAYLOAD,
        &[0, 1, 8, 0],
        "
        payload 00010800
        ",
    );
}

#[test]
fn a_header_that_is_cut_off_is_payload() {
    check(
        NFQA_PAYLOAD,
        &[0x45, 0, 0, 60],
        "
        payload 4500003c
        ",
    );
    check(
        NFQA_L2HDR,
        &[1, 2, 3],
        "
        payload 010203
        ",
    );
}

#[test]
fn options_with_wrong_lengths_are_left() {
    let mut packet = syn();
    // The second option says that it is longer than all of them.
    packet[45] = 200;
    let text = shown(
        Order::Little,
        protocol::NETFILTER,
        &message(NFQA_PAYLOAD, &packet),
    );
    assert!(
        text.contains("unknown 04c8080a000000050000000601030307"),
        "{text}"
    );
    packet[45] = 0;
    let text = shown(
        Order::Little,
        protocol::NETFILTER,
        &message(NFQA_PAYLOAD, &packet),
    );
    assert!(text.contains("unknown 0400"), "{text}");
}

#[test]
fn what_a_sample_begins_with_is_seen_from_its_protocol() {
    let ip = syn();
    let ethernet = tagged();
    assert!(!follows_ethernet(&ip, ether_type::IPV4));
    assert!(follows_ethernet(&ethernet, ether_type::IPV4));
    assert!(follows_ethernet(&ethernet, ether_type::VLAN_TAGGED_FRAME));
    // A frame with a length in place of the type is ETH_P_802_2.
    let mut llc = vec![0; 12];
    llc.extend([0, 38, 0x42, 0x42, 3]);
    assert!(follows_ethernet(&llc, EtherType(4)));
    assert!(!follows_ethernet(&[], ether_type::IPV4));
    assert_eq!(version(&[]), None);
}

/// Every byte is in one leaf, whatever the packet.
#[test]
fn no_packet_is_too_strange() {
    let schema = Schema::builtin();
    let ids = GenlIds::fixed(&schema);
    let mut tape = Tape::new();
    let mut tiled = |attribute: u16, packet: &[u8]| {
        let frame = nlmon(protocol::NETFILTER, &message(attribute, packet));
        let wire_len = u32::try_from(frame.len()).unwrap();
        let shape = FrameShape {
            link: LinkType::Netlink,
            wire_len,
            order: Order::Little,
            other_order: false,
        };
        dissect(&schema, &ids, &frame, shape, |_| None, &mut tape);
        let mut at = 0;
        for leaf in tape.leaves() {
            assert_eq!(leaf.start, at, "{packet:?}");
            at += leaf.len;
        }
        assert_eq!(at, wire_len, "{packet:?}");
    };
    let mut authenticated = Ipv4Header::new(28, 1, IpNumber(51), [1; 4], [2; 4])
        .unwrap()
        .to_bytes()
        .to_vec();
    authenticated.extend([6, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 9, 9]);
    let mut macsec = vec![0; 12];
    macsec.extend([0x88, 0xe5, 0, 0, 0, 0, 0, 1, 8, 0, 0x45, 0]);
    let behind_ethernet = |packet: Vec<u8>, kind: [u8; 2]| [vec![1; 12], kind.to_vec(), packet];
    let packets = [
        (NFQA_PAYLOAD, syn()),
        (NFQA_PAYLOAD, fragment_of_ipv6()),
        (NFQA_PAYLOAD, authenticated),
        (NFQA_L2HDR, tagged()),
        (NFQA_L2HDR, macsec),
        (NFQA_L2HDR, behind_ethernet(arp(), [8, 6]).concat()),
    ];
    for (attribute, packet) in packets {
        for len in 0..=packet.len() {
            tiled(attribute, &packet[..len]);
        }
        for at in 0..packet.len() {
            for value in 0..=255 {
                let mut other = packet.clone();
                other[at] = value;
                tiled(attribute, &other);
            }
        }
    }
}
