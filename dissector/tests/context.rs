//! What the context finds out across messages.

use std::sync::Arc;

use nlscope_dissector::capture::{Frame, Time};
use nlscope_dissector::context::{Context, Port, Record, Role};
use nlscope_dissector::schema::{Direction, Schema};
use nlscope_dissector::value::Names;
use nlscope_dissector::wire::LinkType;

const REQUEST: u16 = 1;
const MULTI: u16 = 2;
const ACK: u16 = 4;
const DUMP: u16 = 0x300;
const ROUTE: u16 = 0;
const GENERIC: u16 = 16;

struct Message {
    kind: u16,
    flags: u16,
    seq: u32,
    pid: u32,
    payload: Vec<u8>,
}

fn message(kind: u16, flags: u16, seq: u32, pid: u32) -> Message {
    Message {
        kind,
        flags,
        seq,
        pid,
        payload: vec![0; 16],
    }
}

impl Message {
    fn with(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.payload = payload.into();
        self
    }

    /// `NLMSG_ERROR` that quotes `asked`.
    fn error(errno: i32, asked: &Message, pid: u32) -> Self {
        let mut payload = (-errno).to_ne_bytes().to_vec();
        payload.extend(&asked.bytes()[..16]);
        message(2, 0x100, asked.seq, pid).with(payload)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = (u32::try_from(self.payload.len()).unwrap() + 16)
            .to_ne_bytes()
            .to_vec();
        bytes.extend(self.kind.to_ne_bytes());
        bytes.extend(self.flags.to_ne_bytes());
        bytes.extend(self.seq.to_ne_bytes());
        bytes.extend(self.pid.to_ne_bytes());
        bytes.extend(&self.payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }
}

fn attribute(number: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (u16::try_from(payload.len()).unwrap() + 4)
        .to_ne_bytes()
        .to_vec();
    bytes.extend(number.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Feeds one message a frame, a microsecond apart.
struct Feeder {
    context: Context,
    records: Vec<Record>,
    frames: u32,
}

impl Feeder {
    fn new() -> Self {
        Self {
            context: Context::new(Arc::new(Schema::builtin())),
            records: Vec::new(),
            frames: 0,
        }
    }

    fn feed(&mut self, protocol: u16, message: &Message) -> usize {
        let mut bytes = vec![0, 4, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend(protocol.to_be_bytes());
        bytes.extend(message.bytes());
        self.frames += 1;
        let frame = Frame {
            number: self.frames,
            time: Some(Time(i64::from(self.frames) * 1000)),
            link: LinkType::Netlink,
            interface: 0,
            wire_len: u32::try_from(bytes.len()).unwrap(),
            offset: 0,
            bytes: &bytes,
        };
        let mut amendments = Vec::new();
        self.context
            .feed(&frame, &mut self.records, &mut amendments);
        for amendment in amendments {
            self.records[amendment.message.index()].amend(amendment);
        }
        self.records.len() - 1
    }

    #[track_caller]
    fn answers(&self, answer: usize, request: usize, role: Role) {
        let record = &self.records[answer];
        assert_eq!(
            record.request,
            Some(self.records[request].number),
            "{record:?}"
        );
        assert_eq!(record.role, role);
        assert_eq!(record.direction, Direction::FromKernel);
    }
}

#[test]
fn an_acknowledgement_ends_its_request_and_tells_the_port() {
    let mut feeder = Feeder::new();
    let ask = message(16, REQUEST | ACK, 7, 0);
    let asked = feeder.feed(ROUTE, &ask);
    assert_eq!(feeder.records[asked].role, Role::OpenRequest);
    assert_eq!(feeder.records[asked].port, Port::Unknown);
    let ack = feeder.feed(ROUTE, &Message::error(0, &ask, 4711));
    feeder.answers(ack, asked, Role::End);
    let record = &feeder.records[asked];
    assert_eq!(
        (record.role, record.port),
        (Role::Request, Port::Known(4711))
    );
    assert_eq!(record.end, Some(feeder.records[ack].number));
    assert_eq!(record.latency.unwrap().nanoseconds(), 1000);
    assert_eq!(record.errno, 0);
}

#[test]
fn an_error_is_known_at_the_request() {
    let mut feeder = Feeder::new();
    let ask = message(16, REQUEST | ACK, 7, 0);
    let asked = feeder.feed(ROUTE, &ask);
    feeder.feed(ROUTE, &Message::error(19, &ask, 4711));
    assert_eq!(feeder.records[asked].errno, 19);
}

#[test]
fn a_dump_is_open_until_it_is_done() {
    let mut feeder = Feeder::new();
    let asked = feeder.feed(ROUTE, &message(18, REQUEST | DUMP, 9, 0));
    for _ in 0..3 {
        let part = feeder.feed(ROUTE, &message(16, MULTI, 9, 5));
        feeder.answers(part, asked, Role::Reply);
        assert_eq!(feeder.records[asked].role, Role::OpenRequest);
    }
    let done = feeder.feed(ROUTE, &message(3, MULTI, 9, 5).with([0; 4]));
    feeder.answers(done, asked, Role::End);
    assert_eq!(feeder.records[asked].role, Role::Request);
}

#[test]
fn several_messages_may_end_without_an_errno() {
    let part = |feeder: &mut Feeder| feeder.feed(GENERIC, &message(30, MULTI, 9, 5));
    let done = message(3, MULTI, 9, 5).with([]);
    for flags in [REQUEST, REQUEST | ACK] {
        let mut feeder = Feeder::new();
        let ask = message(30, flags, 9, 5);
        let asked = feeder.feed(GENERIC, &ask);
        let reply = part(&mut feeder);
        feeder.answers(reply, asked, Role::Reply);
        let end = feeder.feed(GENERIC, &done);
        feeder.answers(end, asked, Role::End);
        let last = if flags == REQUEST {
            end
        } else {
            assert_eq!(feeder.records[asked].role, Role::OpenRequest);
            feeder.feed(GENERIC, &Message::error(0, &ask, 5))
        };
        feeder.answers(last, asked, Role::End);
        let end = feeder.records[asked].end;
        assert_eq!(end, Some(feeder.records[last].number));
    }
    let mut feeder = Feeder::new();
    let unasked = feeder.feed(GENERIC, &message(3, MULTI, 0, 0).with([]));
    assert_eq!(feeder.records[unasked].role, Role::Notification);
}

#[test]
fn two_requests_with_one_sequence_number_are_told_apart() {
    let mut feeder = Feeder::new();
    let link = message(16, REQUEST | ACK, 7, 0);
    let route = message(24, REQUEST | ACK, 7, 0);
    let first = feeder.feed(ROUTE, &link);
    let second = feeder.feed(ROUTE, &route);
    let to_link = feeder.feed(ROUTE, &Message::error(0, &link, 100));
    let to_route = feeder.feed(ROUTE, &Message::error(0, &route, 200));
    feeder.answers(to_link, first, Role::End);
    feeder.answers(to_route, second, Role::End);
}

#[test]
fn a_program_may_use_one_sequence_number_for_all_its_requests() {
    let mut feeder = Feeder::new();
    for kind in [18, 22, 26] {
        let asked = feeder.feed(ROUTE, &message(kind, REQUEST | DUMP, 1, 0));
        let part = feeder.feed(ROUTE, &message(kind - 2, MULTI, 1, 5));
        let done = feeder.feed(ROUTE, &message(3, MULTI, 1, 5).with([0; 4]));
        feeder.answers(part, asked, Role::Reply);
        feeder.answers(done, asked, Role::End);
        assert_eq!(feeder.records[asked].role, Role::Request);
    }
}

#[test]
fn an_answer_without_its_request_is_an_orphan() {
    let mut feeder = Feeder::new();
    let ask = message(16, REQUEST | ACK, 7, 0);
    let orphan = feeder.feed(ROUTE, &Message::error(0, &ask, 100));
    assert_eq!(feeder.records[orphan].role, Role::Orphan);
    assert_eq!(feeder.records[orphan].port, Port::Known(100));
}

#[test]
fn a_change_goes_to_its_group_and_copies_of_it_are_known() {
    let mut feeder = Feeder::new();
    let first = feeder.feed(ROUTE, &message(16, 0, 0, 0));
    let copy = feeder.feed(ROUTE, &message(16, 0, 0, 0));
    let record = &feeder.records[first];
    assert_eq!(
        (record.role, record.port),
        (Role::Notification, Port::Everyone)
    );
    let group = record.group.unwrap();
    assert_eq!((group.group.name, group.exact), ("RTNLGRP_LINK", false));
    assert_eq!(record.copy_of, None);
    assert_eq!(feeder.records[copy].copy_of, Some(record.number));
}

#[test]
fn the_address_family_decides_the_group() {
    for (family, group) in [(2, "RTNLGRP_IPV4_IFADDR"), (10, "RTNLGRP_IPV6_IFADDR")] {
        let mut feeder = Feeder::new();
        let at = feeder.feed(
            ROUTE,
            &message(20, 0, 0, 0).with([family, 0, 0, 0, 0, 0, 0, 0]),
        );
        assert_eq!(feeder.records[at].group.unwrap().group.name, group);
    }
}

#[test]
fn a_notification_that_echoes_the_request_is_from_the_kernel() {
    let mut feeder = Feeder::new();
    let flags = REQUEST | ACK | 0x400;
    let asked = feeder.feed(ROUTE, &message(104, flags, 7, 0));
    let echo = feeder.feed(ROUTE, &message(104, flags, 7, 4711));
    assert_eq!(feeder.records[asked].direction, Direction::ToKernel);
    assert_eq!(feeder.records[echo].direction, Direction::FromKernel);
    assert_eq!(feeder.records[echo].role, Role::Notification);
    assert_eq!(
        feeder.records[echo].group.unwrap().group.name,
        "RTNLGRP_NEXTHOP"
    );
    assert_eq!(
        feeder.records[echo].request,
        Some(feeder.records[asked].number)
    );
}

#[test]
fn the_kernel_asks_its_listeners_for_a_neighbour() {
    let mut feeder = Feeder::new();
    let at = feeder.feed(
        ROUTE,
        &message(30, REQUEST, 0, 0).with([2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]),
    );
    assert_eq!(feeder.records[at].direction, Direction::FromKernel);
    assert_eq!(
        feeder.records[at].group.unwrap().group.name,
        "RTNLGRP_NEIGH"
    );
}

#[test]
fn a_route_that_is_asked_for_is_an_answer_and_no_notification() {
    let mut feeder = Feeder::new();
    let asked = feeder.feed(ROUTE, &message(26, REQUEST, 3, 0).with([2; 12]));
    let reply = feeder.feed(ROUTE, &message(24, 0, 3, 99).with([2; 12]));
    feeder.answers(reply, asked, Role::Reply);
    assert_eq!(feeder.records[reply].group, None);
    assert_eq!(
        feeder.records[asked].end,
        Some(feeder.records[reply].number)
    );
}

#[test]
fn interfaces_are_named_by_link_messages_of_the_kernel_alone() {
    let link = |index: u8, name: &[u8]| {
        let mut payload = vec![0, 0, 0, 0, index, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        payload.extend(attribute(3, name));
        payload
    };
    let mut feeder = Feeder::new();
    feeder.feed(
        ROUTE,
        &message(16, REQUEST, 1, 0).with(link(2, b"asked0\0")),
    );
    assert_eq!(feeder.context.interface(2), None);
    feeder.feed(ROUTE, &message(16, 0, 0, 0).with(link(2, b"eth0\0")));
    assert_eq!(feeder.context.interface(2), Some("eth0"));
    feeder.feed(ROUTE, &message(16, 0, 0, 0).with(link(2, b"lan0\0")));
    assert_eq!(feeder.context.interface(2), Some("lan0"));
    feeder.feed(
        ROUTE,
        &message(16, 0, 0, 0).with(link(3, b"far-too-long-for-a-name\0")),
    );
    assert_eq!(feeder.context.interface(3), None);
}

#[test]
fn generic_families_are_named_by_nlctrl() {
    let mut payload = vec![1, 2, 0, 0];
    payload.extend(attribute(2, b"nl80211\0"));
    payload.extend(attribute(1, &30_u16.to_ne_bytes()));
    let mut feeder = Feeder::new();
    assert!(feeder.context.ids().get(30).is_none());
    feeder.feed(GENERIC, &message(16, 0, 5, 4711).with(payload));
    assert_eq!(feeder.context.ids().get(30).unwrap().name, "nl80211");
}

#[test]
fn memory_stays_bounded_and_old_requests_are_forgotten() {
    let mut feeder = Feeder::new();
    let first = message(16, REQUEST | ACK, 1, 0);
    feeder.feed(ROUTE, &first);
    for seq in 2..70_000 {
        feeder.feed(ROUTE, &message(16, REQUEST | ACK, seq, 0));
    }
    let late = feeder.feed(ROUTE, &Message::error(0, &first, 100));
    assert_eq!(feeder.records[late].role, Role::Orphan);
    let last = message(16, REQUEST | ACK, 69_999, 0);
    let ack = feeder.feed(ROUTE, &Message::error(0, &last, 100));
    feeder.answers(ack, 69_998, Role::End);
}
