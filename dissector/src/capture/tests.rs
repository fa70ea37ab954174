//! Captures made by hand, whole, in pieces and damaged.

#![expect(
    clippy::cast_possible_truncation,
    reason = "test files are small, and a word is cut in halves on purpose"
)]

use super::*;
use crate::wire::Order;

/// Writes integers in one byte order.
struct Writer {
    order: Order,
    bytes: Vec<u8>,
}

impl Writer {
    fn new(order: Order) -> Self {
        Self {
            order,
            bytes: Vec::new(),
        }
    }

    fn u16(mut self, number: u16) -> Self {
        self.bytes.extend(match self.order {
            Order::Little => number.to_le_bytes(),
            Order::Big => number.to_be_bytes(),
        });
        self
    }

    fn u32(mut self, number: u32) -> Self {
        self.bytes.extend(match self.order {
            Order::Little => number.to_le_bytes(),
            Order::Big => number.to_be_bytes(),
        });
        self
    }

    fn u64(self, number: u64) -> Self {
        let (high, low) = ((number >> 32) as u32, number as u32);
        match self.order {
            Order::Little => self.u32(low).u32(high),
            Order::Big => self.u32(high).u32(low),
        }
    }

    /// With padding to a multiple of 4.
    fn padded(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    fn option(self, code: u16, value: &[u8]) -> Self {
        let len = value.len() as u16;
        self.u16(code).u16(len).padded(value)
    }

    /// As the body of a pcapng block.
    fn block(self, kind: u32) -> Vec<u8> {
        let len = self.bytes.len() as u32 + 12;
        let order = self.order;
        Self::new(order)
            .u32(kind)
            .u32(len)
            .padded(&self.bytes)
            .u32(len)
            .bytes
    }
}

fn pcap(order: Order, magic: u32, link: u32, records: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let mut file = Writer::new(order).u32(magic).u16(2).u16(4);
    file = file.u32(0).u32(0).u32(0x40000).u32(link);
    for (seconds, fraction, bytes) in records {
        let len = bytes.len() as u32;
        file = file.u32(*seconds).u32(*fraction).u32(len).u32(len + 4);
        if magic == 0xa1b2_cd34 {
            file = file.u32(0).u32(0);
        }
        file.bytes.extend(*bytes);
    }
    file.bytes
}

fn section(order: Order) -> Vec<u8> {
    let body = Writer::new(order).u32(0x1a2b_3c4d).u16(1).u16(0);
    body.u64(u64::MAX).option(4, b"a test").block(0x0a0d_0d0a)
}

fn interface(order: Order, link: u16, name: &[u8], options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = Writer::new(order).u16(link).u16(0).u32(0).option(2, name);
    for (code, value) in options {
        body = body.option(*code, value);
    }
    body.option(0, b"").block(1)
}

fn enhanced(order: Order, interface: u32, time: u64, bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u32;
    let body = Writer::new(order).u32(interface);
    let body = body.u32((time >> 32) as u32).u32(time as u32);
    let body = body.u32(len).u32(len + 1).padded(bytes);
    body.option(1, b"a comment").option(0, b"").block(6)
}

/// What a capture shows, one line each, read with `piece` bytes more at a time.
fn transcript(file: &[u8], piece: usize) -> String {
    let mut reader = Reader::new();
    let mut have = piece.min(file.len());
    let mut lines = Vec::new();
    loop {
        let rest = &file[reader.offset() as usize..have];
        match reader.next(rest, have == file.len()) {
            Ok(Step::Frame(frame)) => {
                let start = frame.offset as usize;
                let bytes = &file[start..start + frame.len as usize];
                lines.push(format!(
                    "{} {} {:?} {} {}/{} {}",
                    frame.number,
                    frame.time.map_or("-".to_owned(), |time| time.to_string()),
                    frame.link,
                    frame.interface,
                    frame.len,
                    frame.wire_len,
                    String::from_utf8_lossy(bytes),
                ));
            }
            Ok(Step::NeedMore(need)) => {
                let rest = have - reader.offset() as usize;
                assert!(need > rest, "asks for what it has");
                assert!(need <= MAX_RECORD as usize + 24, "asks for {need}");
                assert!(have < file.len(), "wants more at the end");
                have = (have + piece).min(file.len());
            }
            Ok(Step::LeftOut(left_out)) => lines.push(left_out.to_string()),
            Ok(Step::End) => lines.push("end".to_owned()),
            Err(error) => {
                let total = if error.is_total() { "nothing: " } else { "" };
                lines.push(format!("{total}{error}"));
                assert_eq!(reader.next(b"", true), Ok(Step::End));
                break;
            }
        }
        if lines.last().is_some_and(|line| line == "end") {
            break;
        }
    }
    lines.join("\n")
}

#[track_caller]
fn check(file: &[u8], expected: &str) {
    assert_eq!(transcript(file, file.len()), expected);
    for piece in [1, 7, 64] {
        assert_eq!(transcript(file, piece), expected, "in pieces of {piece}");
    }
}

const LITTLE: Order = Order::Little;
const BIG: Order = Order::Big;

#[test]
fn pcap_in_both_orders_and_units() {
    let records: &[(u32, u32, &[u8])] = &[(7, 5, b"first"), (8, 999_999, b"")];
    let expected = "1 7.000005000 Netlink 0 5/9 first\n2 8.999999000 Netlink 0 0/4 \nend";
    check(&pcap(LITTLE, 0xa1b2_c3d4, 253, records), expected);
    check(&pcap(BIG, 0xa1b2_c3d4, 253, records), expected);
    check(&pcap(LITTLE, 0xa1b2_cd34, 253, records), expected);
    let expected = "1 7.000000005 Sll 0 5/9 first\n2 8.000999999 Sll 0 0/4 \nend";
    check(&pcap(LITTLE, 0xa1b2_3c4d, 113, records), expected);
    check(&pcap(BIG, 0xa1b2_3c4d, 113, records), expected);
}

#[test]
fn the_length_of_a_checksum_is_no_part_of_the_link_type() {
    let file = pcap(LITTLE, 0xa1b2_c3d4, 0x2400_0114, &[(1, 0, b"x")]);
    check(&file, "1 1.000000000 Sll2 0 1/5 x\nend");
}

#[test]
fn what_is_no_capture_is_said() {
    check(b"", "nothing: the file is empty");
    check(b"abc", "nothing: neither pcap nor pcapng");
    check(b"# a text file\n", "nothing: neither pcap nor pcapng");
    let file = pcap(LITTLE, 0xa1b2_c3d4, 253, &[]);
    check(&file, "end");
    check(
        &file[..23],
        "nothing: cut off inside the file header, after 23 bytes",
    );
    check(
        &pcap(LITTLE, 0xa1b2_c3d4, 1, &[(0, 0, b"x")]),
        "nothing: link type 1 (Ethernet) cannot hold netlink (link types 253, 113 and 276 can)",
    );
    check(
        &section(LITTLE)[..20],
        "nothing: cut off inside the file header, after 20 bytes",
    );
}

#[test]
fn a_cut_pcap_shows_what_comes_before() {
    let file = pcap(LITTLE, 0xa1b2_c3d4, 253, &[(1, 0, b"one"), (2, 0, b"two")]);
    let one = "1 1.000000000 Netlink 0 3/7 one\n";
    let cut = |missing| {
        format!(
            "{one}damaged at byte 43: the file ends inside a record, at least {missing} bytes are missing"
        )
    };
    check(&file[..file.len() - 1], &cut(1));
    check(&file[..43 + 16], &cut(3));
    check(&file[..44], &cut(15));
    check(&file[..43], &format!("{one}end"));
}

#[test]
fn an_absurd_length_ends_the_capture() {
    let mut file = pcap(LITTLE, 0xa1b2_c3d4, 253, &[(1, 0, b"one"), (2, 0, b"two")]);
    file[43 + 8..43 + 12].fill(0xff);
    check(
        &file,
        "1 1.000000000 Netlink 0 3/7 one\n\
         damaged at byte 43: a record of 4294967295 bytes, 16777216 is the most",
    );
}

#[test]
fn pcapng_sections_have_their_own_order_and_interfaces() {
    let mut file = section(LITTLE);
    file.extend(interface(LITTLE, 253, b"nlmon0", &[(9, &[9])]));
    file.extend(interface(LITTLE, 276, b"any", &[(9, &[0x8a])]));
    file.extend(enhanced(LITTLE, 0, 1_000_000_007, b"nano"));
    file.extend(enhanced(LITTLE, 1, 1024 + 512, b"binary"));
    file.extend(Writer::new(LITTLE).padded(b"whatever").block(0x0bad));
    file.extend(section(BIG));
    let offset = (-5_i64).to_be_bytes();
    file.extend(interface(BIG, 113, b"any", &[(14, &offset)]));
    file.extend(enhanced(BIG, 0, 7_000_000, b"shifted"));
    file.extend(Writer::new(BIG).u32(6).padded(b"simple").block(3));
    let old = Writer::new(BIG).u16(0).u16(9).u32(0).u32(6_000_001);
    file.extend(old.u32(3).u32(30).padded(b"old").block(2));
    check(
        &file,
        "1 1.000000007 Netlink 0 4/5 nano\n\
         2 1.500000000 Sll2 1 6/7 binary\n\
         3 2.000000000 Sll 0 7/8 shifted\n\
         4 - Sll 0 6/6 simple\n\
         5 1.000001000 Sll 0 3/30 old\n\
         end",
    );
}

#[test]
fn a_simple_packet_is_cut_at_the_limit_of_its_interface() {
    let mut file = section(LITTLE);
    file.extend(Writer::new(LITTLE).u16(253).u16(0).u32(5).block(1));
    file.extend(Writer::new(LITTLE).u32(9).padded(b"limit").block(3));
    check(&file, "1 - Netlink 0 5/9 limit\nend");
}

#[test]
fn other_interfaces_are_left_out_and_counted() {
    let mut file = section(LITTLE);
    file.extend(interface(LITTLE, 1, b"eth\x1b0", &[]));
    file.extend(interface(LITTLE, 253, b"nlmon0", &[]));
    file.extend(interface(LITTLE, 105, b"unused", &[]));
    file.extend(enhanced(LITTLE, 0, 1, b"ethernet"));
    file.extend(enhanced(LITTLE, 1, 2, b"netlink"));
    file.extend(enhanced(LITTLE, 0, 3, b"ethernet"));
    check(
        &file,
        "2 0.000002000 Netlink 1 7/8 netlink\n\
         2 frames left out: interface \"eth\\x1b0\" is of link type 1 (Ethernet)\n\
         end",
    );
}

#[test]
fn without_any_netlink_interface_nothing_can_be_shown() {
    let mut file = section(LITTLE);
    file.extend(interface(LITTLE, 1, b"eth0", &[]));
    file.extend(interface(LITTLE, 147, b"own", &[]));
    file.extend(enhanced(LITTLE, 0, 1, b"ethernet"));
    check(
        &file,
        "nothing: link type 1 (Ethernet), link type 147 cannot hold netlink \
         (link types 253, 113 and 276 can)",
    );
    check(&section(LITTLE), "end");
}

#[test]
fn a_damaged_pcapng_shows_what_comes_before() {
    let mut start = section(LITTLE);
    start.extend(interface(LITTLE, 253, b"nlmon0", &[]));
    start.extend(enhanced(LITTLE, 0, 1, b"good"));
    let at = start.len();
    let with = |block: &[u8]| {
        let mut file = start.clone();
        file.extend(block);
        file
    };
    let damaged =
        |reason: &str| format!("1 0.000001000 Netlink 0 4/5 good\ndamaged at byte {at}: {reason}");
    let good = enhanced(LITTLE, 0, 2, b"cut");
    check(
        &with(&good[..good.len() - 3]),
        &damaged("the file ends inside a record, at least 3 bytes are missing"),
    );
    check(
        &with(&enhanced(LITTLE, 1, 2, b"lost")),
        &damaged("a packet of interface 1, which was not described"),
    );
    let mut long = good.clone();
    long[20..24].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    check(
        &with(&long),
        &damaged("a block of type 0x6 is shorter than it says"),
    );
    let mut odd = good.clone();
    odd[4] += 1;
    check(
        &with(&odd),
        &damaged(&format!("a block of {} bytes", odd[4])),
    );
    let mut huge = good.clone();
    huge[7] = 0x80;
    let len = u32::from_le_bytes([huge[4], huge[5], huge[6], huge[7]]);
    check(
        &with(&huge),
        &damaged(&format!("a record of {len} bytes, 16777216 is the most")),
    );
    let mut ends = good.clone();
    let last = ends.len() - 4;
    ends[last] += 4;
    check(
        &with(&ends),
        &damaged(&format!(
            "a block says {} bytes at its beginning and {} at its end",
            good.len(),
            good.len() + 4
        )),
    );
    let mut magic = section(BIG);
    magic[8] = 0;
    check(
        &with(&magic),
        &damaged("a section without byte-order magic"),
    );
}

/// Where frames come from: the group, the namespace and the program.
fn origins(file: &[u8]) -> String {
    let mut reader = Reader::new();
    let mut lines = Vec::new();
    while let Step::Frame(frame) = reader
        .next(&file[reader.offset() as usize..], true)
        .unwrap()
    {
        let netns = frame.netns.checked_sub(1);
        let netns = netns.map(|at| reader.namespaces()[at as usize].as_str());
        let process = frame
            .process
            .map(|at| reader.processes()[at as usize].to_string());
        lines.push(format!(
            "{:?} {netns:?} {process:?}",
            frame.group.map(u32::from)
        ));
    }
    lines.join("\n")
}

#[test]
fn what_a_recording_source_knew_is_read_back() {
    for order in [Order::Little, Order::Big] {
        let packet = |interface: u32, options: &[(u16, &[u8])]| {
            let body = Writer::new(order).u32(interface).u64(0).u32(4).u32(4);
            let mut body = body.padded(b"four");
            for (code, value) in options {
                body = body.option(*code, value);
            }
            body.option(0, b"").block(6)
        };
        let process = |pid: u32, name: &[u8]| {
            let body = Writer::new(order).u32(pid).option(2, name);
            body.option(0, b"").block(0x8000_0001)
        };
        let number = |number: u32| Writer::new(order).u32(number).bytes;
        let file = [
            section(order),
            interface(order, 253, b"nlmon0", &[]),
            interface(order, 253, b"nlmon0@blue", &[]),
            process(7, b"ip"),
            packet(
                0,
                &[
                    (1, b"multicast group 1 (RTNLGRP_LINK)"),
                    (0x8001, &number(0)),
                ],
            ),
            process(8, b"~NetworkManager"),
            packet(1, &[(1, b"a comment"), (0x8001, &number(1))]),
            packet(1, &[(1, b"multicast group 0"), (0x8001, &number(2))]),
            section(order),
            interface(order, 253, b"groups@blue", &[]),
            process(9, b"tc"),
            packet(0, &[(1, b"multicast group 77"), (0x8001, &number(0))]),
        ];
        assert_eq!(
            origins(&file.concat()),
            "Some(1) None Some(\"ip[7]\")\n\
             None Some(\"blue\") Some(\"~NetworkManager[8]\")\n\
             None Some(\"blue\") None\n\
             Some(77) Some(\"blue\") Some(\"tc[9]\")"
        );
    }
}
