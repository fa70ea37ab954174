//! What a person reads of sockets.

use std::sync::Arc;

use nlscope_dissector::capture::Process;
use nlscope_dissector::schema::Schema;

use super::*;

fn socket(name: &str, groups: &[u32], drops: u32) -> Socket {
    Socket {
        key: SocketKey {
            netns: 0,
            protocol: 0,
            port: 512,
        },
        inode: 1,
        process: Some(Process {
            pid: 512,
            name: name.to_owned(),
            exact: true,
        }),
        groups: groups.to_vec(),
        received: 0,
        receive_limit: 0,
        sent: 0,
        drops,
    }
}

#[track_caller]
fn check(before: &Socket, now: &Socket, expected: Option<&str>) {
    let context = Context::new(Arc::new(Schema::builtin()));
    let change = SocketChange::Changed(now.clone());
    let told = Words(&context).change(&change, Some(before));
    assert_eq!(told.as_deref(), expected);
}

#[test]
fn what_changed_is_told_first_and_nothing_else() {
    check(
        &socket("ip", &[1, 2], 931),
        &socket("ip", &[1, 2], 2679),
        Some("changed  route 512 ip[512] 931 -> 2679 dropped"),
    );
    check(
        &socket("ip", &[1, 5], 0),
        &socket("ip", &[1, 9], 0),
        Some("changed  route 512 ip[512] joined RTNLGRP_IPV6_IFADDR, left RTNLGRP_IPV4_IFADDR"),
    );
    check(
        &socket("sh", &[], 0),
        &socket("ip", &[], 0),
        Some("changed  route 512 ip[512] before sh[512]"),
    );
    let more = Socket {
        received: 1000,
        ..socket("ip", &[], 0)
    };
    check(&socket("ip", &[], 0), &more, None);
}

#[test]
fn our_own_sockets_are_last_and_have_so_many_groups() {
    let context = Context::new(Arc::new(Schema::builtin()));
    let all = [
        socket("nlscope", &[1, 2, 3], 0),
        socket("ip", &[1, 5], 0),
        socket("nlscope", &[1], 0),
    ];
    let (_, rows) = Words(&context).table(&in_order(all.iter()));
    let groups = rows.iter().map(|row| row.rsplit("  ").next().unwrap());
    let expected = [
        "RTNLGRP_LINK,RTNLGRP_IPV4_IFADDR",
        "3 groups",
        "RTNLGRP_LINK",
    ];
    assert!(groups.eq(expected), "{rows:#?}");
    check(
        &all[2],
        &all[0],
        Some("changed  route 512 nlscope[512] joined 2 groups"),
    );
}
