//! What the context finds out across messages.

mod netlink;

use std::sync::Arc;

use netlink::{NATIVE, nlmon};
use nlscope_dissector::capture::{Frame, Origin, Process, Time};
use nlscope_dissector::context::{Context, Port, Record, Role};
use nlscope_dissector::schema::{Direction, Schema};
use nlscope_dissector::value::Names;
use nlscope_dissector::wire::{LinkType, Order};

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
        NATIVE.message_of((self.seq, self.pid), self.kind, self.flags, &self.payload)
    }
}

fn attribute(number: u16, payload: &[u8]) -> Vec<u8> {
    NATIVE.attribute(number, payload)
}

fn frame<'a>(number: u32, bytes: &'a [u8], origin: Origin<'a>) -> Frame<'a> {
    Frame {
        number,
        time: Some(Time(i64::from(number) * 1000)),
        link: LinkType::Netlink,
        interface: 0,
        wire_len: u32::try_from(bytes.len()).unwrap(),
        offset: 0,
        bytes,
        origin,
    }
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
        self.feed_from(Origin::default(), protocol, message)
    }

    fn feed_from(&mut self, origin: Origin<'_>, protocol: u16, message: &Message) -> usize {
        let bytes = nlmon(protocol, &message.bytes());
        self.frames += 1;
        let frame = frame(self.frames, &bytes, origin);
        let mut amendments = Vec::new();
        self.context
            .feed(&frame, &mut self.records, &mut amendments);
        for amendment in amendments {
            self.records[amendment.message.index()].amend(amendment);
        }
        self.records.len() - 1
    }

    /// The name that an interface has now.
    fn name(&self, index: u32) -> Option<String> {
        self.name_in(0, index)
    }

    fn name_in(&self, netns: u32, index: u32) -> Option<String> {
        let origin = Origin {
            netns,
            ..Origin::default()
        };
        let names = self.context.names_at(&frame(self.frames, &[], origin));
        names.interface(index).map(str::to_owned)
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
    assert_eq!(
        (group.group().unwrap().name, group.is_exact()),
        ("RTNLGRP_LINK", false)
    );
    assert_eq!(record.copy_of, None);
    assert_eq!(feeder.records[copy].copy_of, Some(record.number));
}

#[test]
fn what_a_request_caused_tells_its_port_before_the_answer_does() {
    let mut feeder = Feeder::new();
    let request = message(20, REQUEST | ACK, 7, 0);
    let asked = feeder.feed(ROUTE, &request);
    let mut address = vec![2, 24, 0, 0];
    address.extend(5_u32.to_ne_bytes());
    let caused = message(20, 0, 7, 4242).with(address);
    let told = feeder.feed(ROUTE, &caused);
    assert_eq!(feeder.records[told].role, Role::Notification);
    feeder.feed(ROUTE, &Message::error(0, &request, 4242));
    assert_eq!(feeder.records[asked].port, Port::Known(4242));
}

#[test]
fn the_address_family_decides_the_group() {
    for (family, group) in [(2, "RTNLGRP_IPV4_IFADDR"), (10, "RTNLGRP_IPV6_IFADDR")] {
        let mut feeder = Feeder::new();
        let at = feeder.feed(
            ROUTE,
            &message(20, 0, 0, 0).with([family, 0, 0, 0, 0, 0, 0, 0]),
        );
        assert_eq!(
            feeder.records[at].group.unwrap().group().unwrap().name,
            group
        );
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
        feeder.records[echo].group.unwrap().group().unwrap().name,
        "RTNLGRP_NEXTHOP"
    );
    assert_eq!(
        feeder.records[echo].request,
        Some(feeder.records[asked].number)
    );
}

#[test]
fn an_echo_is_told_from_the_next_request_of_the_same_kind() {
    let mut feeder = Feeder::new();
    let flags = REQUEST | ACK | 0x400;
    // A program that neither fills in its port nor counts.
    for _ in 0..2 {
        let ask = message(104, flags, 0, 0);
        let asked = feeder.feed(ROUTE, &ask);
        assert_eq!(feeder.records[asked].direction, Direction::ToKernel);
        feeder.feed(ROUTE, &message(104, flags, 0, 4711));
        feeder.feed(ROUTE, &Message::error(0, &ask, 4711));
        assert_eq!(feeder.records[asked].role, Role::Request);
    }
    // One that fills it in.
    for _ in 0..2 {
        let ask = message(104, flags, 1, 5);
        let asked = feeder.feed(ROUTE, &ask);
        assert_eq!(feeder.records[asked].direction, Direction::ToKernel);
        feeder.feed(ROUTE, &Message::error(0, &ask, 5));
    }
}

#[test]
fn a_filter_that_is_asked_for_comes_with_the_flags_of_the_request() {
    let mut feeder = Feeder::new();
    let flags = REQUEST | 8;
    let asked = feeder.feed(ROUTE, &message(46, flags, 7, 0).with([0; 20]));
    let reply = feeder.feed(ROUTE, &message(44, flags, 7, 4711).with([0; 20]));
    feeder.answers(reply, asked, Role::Reply);
    assert_eq!(feeder.records[asked].role, Role::Request);
}

#[test]
fn one_part_of_several_answers_who_asked_for_no_end_until_an_end_comes() {
    let mut feeder = Feeder::new();
    let asked = feeder.feed(GENERIC, &message(40, REQUEST, 7, 5));
    let part = feeder.feed(GENERIC, &message(40, MULTI, 7, 5));
    let end = |feeder: &Feeder| feeder.records[asked].end;
    assert_eq!(end(&feeder), Some(feeder.records[part].number));
    let part = feeder.feed(GENERIC, &message(40, MULTI, 7, 5));
    feeder.answers(part, asked, Role::Reply);
    // devlink and team end so, without an errno.
    let done = feeder.feed(GENERIC, &message(3, MULTI, 7, 5).with([]));
    feeder.answers(done, asked, Role::End);
    assert_eq!(end(&feeder), Some(feeder.records[done].number));
    assert_eq!(feeder.records[asked].latency.unwrap().nanoseconds(), 3000);
}

#[test]
fn a_listener_of_generic_netlink_is_told_with_port_0_and_a_counter() {
    let mut feeder = Feeder::new();
    let asked = feeder.feed(GENERIC, &message(40, REQUEST, 7, 0));
    for seq in [7, 8] {
        let told = feeder.feed(GENERIC, &message(40, 0, seq, 0));
        assert_eq!(feeder.records[told].role, Role::Notification);
        assert_eq!(feeder.records[told].request, None);
    }
    let reply = feeder.feed(GENERIC, &message(40, 0, 7, 5));
    feeder.answers(reply, asked, Role::Reply);
}

#[test]
fn a_multicast_in_several_messages_may_end_with_done() {
    let mut feeder = Feeder::new();
    for message in [message(40, MULTI, 0, 0), message(3, MULTI, 0, 0).with([])] {
        let told = feeder.feed(GENERIC, &message);
        assert_eq!(feeder.records[told].role, Role::Notification);
    }
}

/// A message whose header tells no byte order says nothing of the capture's either.
#[test]
fn frames_that_tell_no_byte_order_do_not_count() {
    let mut context = Context::new(Arc::new(Schema::builtin()));
    let unclear = [vec![0, 4, 3, 0x38], vec![0; 32]].concat();
    let mut big = unclear[..16].to_vec();
    big.extend([0, 0, 0, 16, 0, 18, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    let frame = |bytes| Frame {
        number: 1,
        time: None,
        link: LinkType::Netlink,
        interface: 0,
        wire_len: 36,
        offset: 0,
        bytes,
        origin: Origin::default(),
    };
    for bytes in [&unclear, &unclear, &unclear, &big] {
        context.learn(&frame(bytes));
    }
    assert_eq!(context.order(&frame(&unclear)), Order::Big);
}

#[test]
fn either_bit_makes_a_dump_of_what_gets() {
    for flags in [0x100, 0x200] {
        let mut feeder = Feeder::new();
        let asked = feeder.feed(ROUTE, &message(18, REQUEST | flags, 9, 0));
        feeder.feed(ROUTE, &message(16, MULTI, 9, 5));
        assert_eq!(feeder.records[asked].role, Role::OpenRequest);
    }
}

#[test]
fn a_program_that_asks_for_neighbours_without_counting_is_no_kernel() {
    for flags in [REQUEST | DUMP, REQUEST | ACK] {
        let mut feeder = Feeder::new();
        let at = feeder.feed(ROUTE, &message(30, flags, 0, 0).with([2; 12]));
        assert_eq!(feeder.records[at].direction, Direction::ToKernel);
    }
}

#[test]
fn xfrm_tells_listeners_with_what_the_request_had_in_its_header() {
    let mut feeder = Feeder::new();
    let asked = feeder.feed(6, &message(16, REQUEST | ACK, 7, 0).with([0; 224]));
    let told = feeder.feed(6, &message(16, 0, 7, 0).with([0; 224]));
    let record = &feeder.records[told];
    assert_eq!(record.role, Role::Notification);
    assert_eq!(record.group.unwrap().group().unwrap().name, "XFRMNLGRP_SA");
    assert_eq!(record.request, Some(feeder.records[asked].number));
    assert_eq!(feeder.records[asked].role, Role::OpenRequest);
}

#[test]
fn an_attribute_decides_the_group_of_a_socket_that_is_gone() {
    let gone = |family: u8, protocol: u8| {
        let mut payload = vec![family];
        payload.resize(72, 0);
        payload.extend(attribute(10, &[protocol]));
        let mut feeder = Feeder::new();
        let at = feeder.feed(4, &message(20, 0, 0, 0).with(payload));
        feeder.records[at]
            .group
            .map(|seen| seen.group().unwrap().name)
    };
    assert_eq!(gone(2, 6), Some("SKNLGRP_INET_TCP_DESTROY"));
    assert_eq!(gone(2, 17), Some("SKNLGRP_INET_UDP_DESTROY"));
    assert_eq!(gone(10, 6), Some("SKNLGRP_INET6_TCP_DESTROY"));
    assert_eq!(gone(2, 132), None);
}

#[test]
fn the_connector_has_one_type_and_it_ends_nothing() {
    let mut feeder = Feeder::new();
    let at = feeder.feed(11, &message(3, 0, 0, 0).with([0; 20]));
    assert_eq!(feeder.records[at].role, Role::Notification);
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
        feeder.records[at].group.unwrap().group().unwrap().name,
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
    assert_eq!(feeder.name(2), None);
    feeder.feed(ROUTE, &message(16, 0, 0, 0).with(link(2, b"eth0\0")));
    assert_eq!(feeder.name(2).as_deref(), Some("eth0"));
    feeder.feed(ROUTE, &message(16, 0, 0, 0).with(link(2, b"lan0\0")));
    assert_eq!(feeder.name(2).as_deref(), Some("lan0"));
    let before = frame(feeder.frames - 1, &[], Origin::default());
    let before = feeder.context.names_at(&before);
    assert_eq!(
        before.interface(2),
        Some("eth0"),
        "a name holds from its message on"
    );
    feeder.feed(
        ROUTE,
        &message(16, 0, 0, 0).with(link(3, b"far-too-long-for-a-name\0")),
    );
    assert_eq!(feeder.name(3), None);
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

fn told(group: u32) -> Origin<'static> {
    Origin {
        group: std::num::NonZeroU32::new(group),
        ..Origin::default()
    }
}

#[test]
fn a_group_that_a_source_tells_is_exact_for_every_copy() {
    let mut feeder = Feeder::new();
    let up = message(16, 0, 0, 0);
    let seen = feeder.feed(ROUTE, &up);
    let group = |feeder: &Feeder, at: usize| {
        let seen = feeder.records[at].group.unwrap();
        (seen.group().unwrap().name, seen.is_exact())
    };
    assert_eq!(group(&feeder, seen), ("RTNLGRP_LINK", false));
    let heard = feeder.feed_from(told(1), ROUTE, &up);
    let later = feeder.feed(ROUTE, &up);
    for at in [seen, heard, later] {
        assert_eq!(group(&feeder, at), ("RTNLGRP_LINK", true));
    }
    for copy in [heard, later] {
        assert_eq!(
            feeder.records[copy].copy_of,
            Some(feeder.records[seen].number)
        );
    }
    // A source hears a multicast once.
    let again = feeder.feed_from(told(1), ROUTE, &up);
    assert_eq!(feeder.records[again].copy_of, None);
}

#[test]
fn a_group_without_a_table_keeps_its_number() {
    let mut feeder = Feeder::new();
    let heard = feeder.feed_from(told(77), 22, &message(40, 0, 0, 0));
    let record = feeder.records[heard];
    assert_eq!(record.port, Port::Everyone);
    assert_eq!(record.direction, Direction::FromKernel);
    let seen = record.group.unwrap();
    assert_eq!((seen.group().is_none(), seen.number()), (true, Some(77)));
}

#[test]
fn nlctrl_names_the_groups_of_generic_families() {
    let mut feeder = Feeder::new();
    let group = |name: &[u8], number: u32| {
        let inside = [attribute(1, name), attribute(2, &number.to_ne_bytes())].concat();
        attribute(1, &inside)
    };
    let mut family = vec![1, 2, 0, 0];
    family.extend(attribute(1, &30_u16.to_ne_bytes()));
    family.extend(attribute(2, b"nl80211\0"));
    family.extend(attribute(
        7,
        &[group(b"scan\0", 5), group(b"new\0", 6)].concat(),
    ));
    feeder.feed(GENERIC, &message(16, 0, 0, 0).with(family));
    let scan = feeder.feed_from(told(5), GENERIC, &message(30, 0, 0, 0).with([33, 1, 0, 0]));
    let seen = feeder.records[scan].group.unwrap();
    assert_eq!(seen.group().map(|group| group.name), Some("nl80211:scan"));
    let known = feeder.context.ids().group(6).unwrap();
    assert_eq!(known.name, "nl80211:new");
    assert!(known.group.is_none());
}

#[test]
fn network_namespaces_have_nothing_to_do_with_each_other() {
    let mut feeder = Feeder::new();
    let other = Origin {
        netns: 1,
        ..Origin::default()
    };
    let ask = message(18, REQUEST | ACK, 7, 99);
    let here = feeder.feed(ROUTE, &ask);
    let there = feeder.feed_from(other, ROUTE, &ask);
    let done = feeder.feed(ROUTE, &Message::error(0, &ask, 99));
    feeder.answers(done, here, Role::End);
    assert_eq!(feeder.records[there].role, Role::OpenRequest);

    let link = |name: &[u8]| {
        let mut payload = vec![0, 0, 1, 0];
        payload.extend(2_u32.to_ne_bytes());
        payload.extend([0; 8]);
        payload.extend(attribute(3, name));
        message(16, 0, 0, 0).with(payload)
    };
    feeder.feed(ROUTE, &link(b"eth0\0"));
    feeder.feed_from(other, ROUTE, &link(b"veth0\0"));
    assert_eq!(feeder.name(2).as_deref(), Some("eth0"));
    assert_eq!(feeder.name_in(1, 2).as_deref(), Some("veth0"));
}

#[test]
fn a_port_is_the_program_that_had_it_then() {
    let mut feeder = Feeder::new();
    let process = |pid, name: &str, exact| Process {
        pid,
        name: name.to_owned(),
        exact,
    };
    let shown = |feeder: &Feeder, number: u32, record: usize| {
        let bytes = nlmon(ROUTE, &message(18, REQUEST, 1, 99).bytes());
        let frame = frame(number, &bytes, Origin::default());
        let head = feeder
            .context
            .head(&frame, &feeder.records[record])
            .unwrap();
        head.process().map(ToString::to_string)
    };
    let ask = message(18, REQUEST, 1, 99);
    let first = feeder.feed(ROUTE, &ask);
    assert_eq!(shown(&feeder, 1, first), None);
    feeder
        .context
        .learn_port(0, ROUTE, 99, 1, &process(99, "ip", false));
    assert_eq!(shown(&feeder, 1, first).as_deref(), Some("~ip[99]"));
    // What was seen is better than what was inferred, and not the other way round.
    feeder
        .context
        .learn_port(0, ROUTE, 99, 1, &process(99, "ip", true));
    feeder
        .context
        .learn_port(0, ROUTE, 99, 1, &process(99, "sh", false));
    assert_eq!(shown(&feeder, 1, first).as_deref(), Some("ip[99]"));
    let second = feeder.feed(ROUTE, &ask);
    feeder
        .context
        .learn_port(0, ROUTE, 99, 2, &process(120, "tc\u{1b}", true));
    assert_eq!(shown(&feeder, 1, first).as_deref(), Some("ip[99]"));
    assert_eq!(shown(&feeder, 2, second).as_deref(), Some("tc\\x1b[120]"));
}
