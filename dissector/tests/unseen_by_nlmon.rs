//! Messages that nlmon does not pass, and some that captures rarely have: who they come from,
//! which group they went to, how they read.

mod captures;
mod netlink;

use captures::OwnedFrame;
use netlink::{LITTLE, nlmon};
use nlscope_dissector::context::Role;
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::filter::Filter;
use nlscope_dissector::schema::{Direction, Schema};

const AUDIT: u16 = 9;
const CONNECTOR: u16 = 11;
const KOBJECT_UEVENT: u16 = 15;
const GENERIC: u16 = 16;
const RDMA: u16 = 20;

fn message(kind: u16, flags: u16, port: u32, payload: &[u8]) -> Vec<u8> {
    LITTLE.message_of((7, port), kind, flags, payload)
}

/// What is told of the one message in `content`: direction, group, type and summary.
fn told(protocol: u16, content: &[u8]) -> (Direction, Option<&'static str>, String) {
    let frame = OwnedFrame::new(1, nlmon(protocol, content));
    let mut told = None;
    captures::each_message(Schema::builtin(), &[frame], |view| {
        let record = view.head.record;
        let group = record.group.map(|seen| seen.group().unwrap().name);
        assert_eq!(group.is_some(), record.role == Role::Notification);
        let line = export::line(view, &Options::PLAIN);
        let mut text = view.head.type_name().unwrap_or_default().to_owned();
        text.push(' ');
        text.extend(line.summary.iter().map(|span| span.text.as_ref()));
        told = Some((record.direction, group, text));
    });
    told.unwrap()
}

#[track_caller]
fn check(protocol: u16, content: &[u8], direction: Direction, group: Option<&str>, expected: &str) {
    let (found, seen, text) = told(protocol, content);
    assert_eq!((found, seen, text.as_str()), (direction, group, expected));
}

#[test]
fn an_audit_record_reads_as_its_fields() {
    let text = b"audit(1.2:3): pid=9 comm=\"cat\" exe=2F62696E2F61\0";
    let frame = message(1701, 0, 0, text);
    let group = Some("AUDIT_NLGRP_READLOG");
    check(
        AUDIT,
        &frame,
        Direction::FromKernel,
        group,
        "AUDIT_ANOM_ABEND cat pid 9",
    );
    let frame = OwnedFrame::new(1, nlmon(AUDIT, &frame));
    let schema = Schema::builtin();
    let finds = |filter: &str, schema: &Schema| Filter::parse(filter, schema).ok().unwrap();
    let decoded = finds("audit.record.exe == \"/bin/a\"", &schema);
    let other = finds("audit.record.exe contains \"lib\"", &schema);
    captures::each_message(schema, &[frame], |view| {
        assert!(decoded.matches(view) && !other.matches(view));
        let mut json = Vec::new();
        export::json(&mut json, view, &Options::PLAIN).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["attrs"]["record"]["exe"], "/bin/a");
        assert_eq!(json["attrs"]["record"]["pid"], "9");
    });
}

#[test]
fn an_address_in_digits_reads_the_same_everywhere() {
    let text = b"audit(1.2:3): saddr=020000500A000001";
    let frame = OwnedFrame::new(1, nlmon(AUDIT, &message(1306, 0, 0, text)));
    let schema = Schema::builtin();
    let filter = Filter::parse("audit.record.saddr == \"10.0.0.1:80\"", &schema);
    let filter = filter.ok().unwrap();
    captures::each_message(schema, &[frame], |view| {
        assert!(filter.matches(view));
        let mut json = Vec::new();
        export::json(&mut json, view, &Options::PLAIN).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["attrs"]["record"]["saddr"], "10.0.0.1:80");
    });
}

#[test]
fn an_event_is_a_message_without_a_header() {
    check(
        KOBJECT_UEVENT,
        b"add@/devices/x\0ACTION=add\0SUBSYSTEM=net\0SEQNUM=5\0",
        Direction::FromKernel,
        Some("KERNEL"),
        "kernel add@/devices/x subsystem net seqnum 5",
    );
}

#[test]
fn who_listens_to_the_connector_has_a_port() {
    let process = |len: u8, data: &[u8]| {
        let mut payload = vec![1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, len, 0, 0, 0];
        payload.extend(data);
        payload
    };
    let listen = message(3, 0, 99, &process(4, &[1, 0, 0, 0]));
    let expected = "NLMSG_DONE proc listen seq 2 ack 0";
    check(CONNECTOR, &listen, Direction::ToKernel, None, expected);
    let mut exec = vec![2, 0, 0, 0, 1, 0, 0, 0];
    exec.extend([0; 8]);
    exec.extend([200, 0, 0, 0, 200, 0, 0, 0]);
    exec.extend([0; 16]);
    check(
        CONNECTOR,
        &message(3, 0, 0, &process(40, &exec)),
        Direction::FromKernel,
        Some("CN_IDX_PROC"),
        "NLMSG_DONE proc exec process 200 cpu 1 seq 2 ack 0",
    );
}

#[test]
fn the_kernel_asks_the_services_of_rdma() {
    let mut resolve = b"mlx5_0".to_vec();
    resolve.resize(64, 0);
    resolve.extend([1, 2, 0, 0]);
    // LS_NLA_TYPE_SERVICE_ID, which must be understood (RDMA_NLA_F_MANDATORY).
    resolve.extend([12, 0, 3, 0x20, 1, 0, 0, 0, 0, 0, 0, 0]);
    check(
        RDMA,
        &message(0x1000, 1, 0, &resolve),
        Direction::FromKernel,
        Some("RDMA_NL_GROUP_LS"),
        "RDMA_NL_LS_OP_RESOLVE mlx5_0 port 1 gmp service 0x1",
    );
}

#[test]
fn an_event_that_has_the_number_of_an_answer_has_no_port() {
    let mut family = vec![1, 2, 0, 0, 6, 0, 1, 0, 40, 0, 0, 0, 12, 0, 2, 0];
    family.extend(b"thermal\0");
    let zone = [3, 1, 0, 0, 8, 0, 2, 0, 1, 0, 0, 0];
    let frames = [
        OwnedFrame::new(1, nlmon(GENERIC, &message(16, 0, 5, &family))),
        OwnedFrame::new(2, nlmon(GENERIC, &message(40, 0, 5, &zone))),
        OwnedFrame::new(3, nlmon(GENERIC, &message(40, 0, 0, &zone))),
    ];
    let mut names = Vec::new();
    captures::each_message(Schema::builtin(), &frames, |view| {
        names.push(view.head.type_name().unwrap_or_default());
        assert_eq!(
            view.mark.message.map(|message| message.uapi),
            view.head.type_name()
        );
    });
    let [_, answer, event] = names.as_slice() else {
        panic!("{names:?}");
    };
    assert_eq!(*answer, "THERMAL_GENL_CMD_TZ_GET_TEMP");
    assert_eq!(*event, "THERMAL_GENL_EVENT_TZ_DISABLE");
}
