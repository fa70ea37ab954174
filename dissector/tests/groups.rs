//! The multicast group of every notification that the kernel (7.2) sends.
//!
//! nlmon does not see the group; it follows from the message. The rows here were read from
//! the places in the kernel's source that multicast, and hold the tables against it.

mod netlink;

use std::sync::Arc;

use netlink::{NATIVE, nlmon};
use nlscope_dissector::capture::{Frame, Origin};
use nlscope_dissector::context::{Context, GroupSeen, Record, Role};
use nlscope_dissector::schema::{Direction, Family, Group, Message, Schema};
use nlscope_dissector::wire::LinkType;

const ROUTE: u16 = 0;
const SOCK_DIAG: u16 = 4;
const XFRM: u16 = 6;
const NETFILTER: u16 = 12;
const GENERIC: u16 = 16;
/// An id for whichever generic family a row is about.
const SOME_ID: u16 = 0x123;

const REQUEST: u16 = 1;
const REPLACE: u16 = 0x100;
const NEW: u16 = 0x600;

const ANY: &[u8] = &[0, 2, 10];
const INET: u8 = 2;
const BRIDGE: u8 = 7;
const INET6: u8 = 10;
const MPLS: u8 = 28;
const PHONET: u8 = 35;
const MCTP: u8 = 45;
const IPMR: u8 = 128;
const IP6MR: u8 = 129;

/// Messages, by first byte of their payload (the address family) and flags, and the group.
struct Row(
    &'static [&'static str],
    &'static [u8],
    u16,
    (&'static str, u32),
);

#[rustfmt::skip]
const ROUTE_ROWS: &[Row] = &[
    Row(&["RTM_NEWLINK", "RTM_DELLINK"], &[0, BRIDGE], 0, ("RTNLGRP_LINK", 1)),
    Row(&["RTM_NEWLINK"], &[INET6], 0, ("RTNLGRP_IPV6_IFINFO", 12)),
    Row(&["RTM_NEWADDR", "RTM_DELADDR"], &[INET], 0, ("RTNLGRP_IPV4_IFADDR", 5)),
    Row(&["RTM_NEWADDR", "RTM_DELADDR"], &[INET6], 0, ("RTNLGRP_IPV6_IFADDR", 9)),
    Row(&["RTM_NEWADDR", "RTM_DELADDR"], &[PHONET], 0, ("RTNLGRP_PHONET_IFADDR", 21)),
    Row(&["RTM_NEWADDR", "RTM_DELADDR"], &[MCTP], 0, ("RTNLGRP_MCTP_IFADDR", 34)),
    Row(&["RTM_NEWROUTE", "RTM_DELROUTE"], &[INET], 0, ("RTNLGRP_IPV4_ROUTE", 7)),
    Row(&["RTM_NEWROUTE"], &[INET], NEW, ("RTNLGRP_IPV4_ROUTE", 7)),
    Row(&["RTM_NEWROUTE", "RTM_DELROUTE"], &[INET6], 0, ("RTNLGRP_IPV6_ROUTE", 11)),
    Row(&["RTM_NEWROUTE"], &[INET6], REPLACE, ("RTNLGRP_IPV6_ROUTE", 11)),
    Row(&["RTM_NEWROUTE", "RTM_DELROUTE"], &[IPMR], 0, ("RTNLGRP_IPV4_MROUTE", 6)),
    Row(&["RTM_NEWROUTE", "RTM_DELROUTE"], &[IP6MR], 0, ("RTNLGRP_IPV6_MROUTE", 10)),
    Row(&["RTM_NEWROUTE", "RTM_DELROUTE"], &[MPLS], NEW, ("RTNLGRP_MPLS_ROUTE", 27)),
    Row(&["RTM_NEWROUTE", "RTM_DELROUTE"], &[PHONET], 0, ("RTNLGRP_PHONET_ROUTE", 22)),
    Row(&["RTM_NEWNEIGH", "RTM_DELNEIGH"], &[INET, INET6, BRIDGE], 0, ("RTNLGRP_NEIGH", 3)),
    Row(&["RTM_GETNEIGH"], &[INET, INET6], REQUEST, ("RTNLGRP_NEIGH", 3)),
    Row(&["RTM_GETNEIGH"], &[INET, BRIDGE], 0, ("RTNLGRP_NEIGH", 3)),
    Row(&["RTM_NEWRULE", "RTM_DELRULE"], &[INET, IPMR], 0, ("RTNLGRP_IPV4_RULE", 8)),
    Row(&["RTM_NEWRULE", "RTM_DELRULE"], &[INET6, IP6MR], 0, ("RTNLGRP_IPV6_RULE", 19)),
    Row(&["RTM_NEWQDISC", "RTM_DELQDISC", "RTM_NEWTCLASS", "RTM_DELTCLASS"], ANY, 0, ("RTNLGRP_TC", 4)),
    Row(&["RTM_NEWTFILTER", "RTM_DELTFILTER", "RTM_NEWCHAIN", "RTM_DELCHAIN"], ANY, 0, ("RTNLGRP_TC", 4)),
    Row(&["RTM_NEWCHAIN"], ANY, NEW, ("RTNLGRP_TC", 4)),
    Row(&["RTM_NEWACTION", "RTM_DELACTION"], ANY, 0, ("RTNLGRP_TC", 4)),
    Row(&["RTM_NEWPREFIX"], &[INET6], 0, ("RTNLGRP_IPV6_PREFIX", 18)),
    Row(&["RTM_NEWMULTICAST", "RTM_DELMULTICAST"], &[INET], 0, ("RTNLGRP_IPV4_MCADDR", 37)),
    Row(&["RTM_NEWMULTICAST", "RTM_DELMULTICAST"], &[INET6], 0, ("RTNLGRP_IPV6_MCADDR", 38)),
    Row(&["RTM_NEWANYCAST", "RTM_DELANYCAST"], &[INET6], 0, ("RTNLGRP_IPV6_ACADDR", 39)),
    Row(&["RTM_NEWNDUSEROPT"], &[INET6], 0, ("RTNLGRP_ND_USEROPT", 20)),
    Row(&["RTM_SETDCB", "RTM_GETDCB"], &[0], 0, ("RTNLGRP_DCB", 23)),
    Row(&["RTM_NEWNETCONF", "RTM_DELNETCONF"], &[INET], 0, ("RTNLGRP_IPV4_NETCONF", 24)),
    Row(&["RTM_NEWNETCONF", "RTM_DELNETCONF"], &[INET6], 0, ("RTNLGRP_IPV6_NETCONF", 25)),
    Row(&["RTM_NEWNETCONF", "RTM_DELNETCONF"], &[MPLS], 0, ("RTNLGRP_MPLS_NETCONF", 29)),
    Row(&["RTM_NEWMDB", "RTM_DELMDB"], &[BRIDGE], 0, ("RTNLGRP_MDB", 26)),
    Row(&["RTM_NEWNSID", "RTM_DELNSID"], &[0], 0, ("RTNLGRP_NSID", 28)),
    Row(&["RTM_NEWSTATS"], &[0], 0, ("RTNLGRP_STATS", 36)),
    Row(&["RTM_NEWCACHEREPORT"], &[IPMR], 0, ("RTNLGRP_IPV4_MROUTE_R", 30)),
    Row(&["RTM_NEWCACHEREPORT"], &[IP6MR], 0, ("RTNLGRP_IPV6_MROUTE_R", 31)),
    Row(&["RTM_NEWNEXTHOP", "RTM_DELNEXTHOP"], ANY, 0, ("RTNLGRP_NEXTHOP", 32)),
    Row(&["RTM_NEWNEXTHOPBUCKET"], ANY, REPLACE, ("RTNLGRP_NEXTHOP", 32)),
    Row(&["RTM_NEWVLAN", "RTM_DELVLAN"], &[BRIDGE], 0, ("RTNLGRP_BRVLAN", 33)),
    Row(&["RTM_NEWTUNNEL", "RTM_DELTUNNEL"], &[BRIDGE], 0, ("RTNLGRP_TUNNEL", 35)),
];

#[rustfmt::skip]
const XFRM_ROWS: &[Row] = &[
    Row(&["XFRM_MSG_ACQUIRE"], &[0], 0, ("XFRMNLGRP_ACQUIRE", 1)),
    Row(&["XFRM_MSG_EXPIRE", "XFRM_MSG_POLEXPIRE"], &[0], 0, ("XFRMNLGRP_EXPIRE", 2)),
    Row(&["XFRM_MSG_NEWSA", "XFRM_MSG_DELSA", "XFRM_MSG_UPDSA", "XFRM_MSG_FLUSHSA"], &[0], 0, ("XFRMNLGRP_SA", 3)),
    Row(&["XFRM_MSG_NEWPOLICY", "XFRM_MSG_DELPOLICY", "XFRM_MSG_UPDPOLICY", "XFRM_MSG_FLUSHPOLICY"], &[0], 0, ("XFRMNLGRP_POLICY", 4)),
    Row(&["XFRM_MSG_GETDEFAULT"], &[0], 0, ("XFRMNLGRP_POLICY", 4)),
    Row(&["XFRM_MSG_NEWAE"], &[0], 0, ("XFRMNLGRP_AEVENTS", 5)),
    Row(&["XFRM_MSG_REPORT"], &[0], 0, ("XFRMNLGRP_REPORT", 6)),
    Row(&["XFRM_MSG_MIGRATE", "XFRM_MSG_MIGRATE_STATE"], &[0], 0, ("XFRMNLGRP_MIGRATE", 7)),
    Row(&["XFRM_MSG_MAPPING"], &[0], 0, ("XFRMNLGRP_MAPPING", 8)),
];

#[rustfmt::skip]
const NETFILTER_ROWS: &[Row] = &[
    Row(&["IPCTNL_MSG_CT_NEW"], ANY, NEW, ("NFNLGRP_CONNTRACK_NEW", 1)),
    Row(&["IPCTNL_MSG_CT_NEW"], ANY, 0, ("NFNLGRP_CONNTRACK_UPDATE", 2)),
    Row(&["IPCTNL_MSG_CT_DELETE"], ANY, 0, ("NFNLGRP_CONNTRACK_DESTROY", 3)),
    Row(&["IPCTNL_MSG_EXP_NEW"], ANY, NEW, ("NFNLGRP_CONNTRACK_EXP_NEW", 4)),
    Row(&["IPCTNL_MSG_EXP_DELETE"], ANY, 0, ("NFNLGRP_CONNTRACK_EXP_DESTROY", 6)),
    Row(&["NFT_MSG_NEWTABLE", "NFT_MSG_DELTABLE", "NFT_MSG_NEWCHAIN", "NFT_MSG_DELCHAIN", "NFT_MSG_NEWRULE",
          "NFT_MSG_DELRULE", "NFT_MSG_NEWSET", "NFT_MSG_DELSET", "NFT_MSG_NEWSETELEM", "NFT_MSG_DELSETELEM",
          "NFT_MSG_NEWOBJ", "NFT_MSG_DELOBJ", "NFT_MSG_NEWFLOWTABLE", "NFT_MSG_DELFLOWTABLE", "NFT_MSG_NEWGEN"],
        ANY, 0, ("NFNLGRP_NFTABLES", 7)),
    Row(&["NFT_MSG_NEWTABLE", "NFT_MSG_NEWRULE"], ANY, NEW, ("NFNLGRP_NFTABLES", 7)),
    Row(&["NFNL_MSG_ACCT_OVERQUOTA"], ANY, 0, ("NFNLGRP_ACCT_QUOTA", 8)),
    Row(&["NFT_MSG_TRACE"], ANY, 0, ("NFNLGRP_NFTRACE", 9)),
];

/// Address family, `INET_DIAG_PROTOCOL`, and the group.
const SOCKET_ROWS: &[(u8, u8, (&str, u32))] = &[
    (INET, 6, ("SKNLGRP_INET_TCP_DESTROY", 1)),
    (INET, 17, ("SKNLGRP_INET_UDP_DESTROY", 2)),
    (INET6, 6, ("SKNLGRP_INET6_TCP_DESTROY", 3)),
    (INET6, 17, ("SKNLGRP_INET6_UDP_DESTROY", 4)),
];

/// Generic families that have one group, so that every event of theirs goes there.
const SINGLE: &[(&str, &str)] = &[
    ("HSR", "hsr-network"),
    ("IOAM6", "ioam6_events"),
    ("MAC80211_HWSIM", "config"),
    ("MAC802154_HWSIM", "config"),
    ("NET_DM", "events"),
    ("TCM-USER", "config"),
    ("VFS_DQUOT", "events"),
    ("acpi_event", "acpi_mc_group"),
    ("binder", "report"),
    ("cifs", "cifs_mcgrp_swn"),
    ("dev-energymodel", "event"),
    ("devlink", "config"),
    ("dpll", "monitor"),
    ("drbd", "events"),
    ("ethtool", "monitor"),
    ("gtp", "gtp"),
    ("l2tp", "l2tp"),
    ("nbd", "nbd_mc_group"),
    ("nfc", "events"),
    ("nlctrl", "notify"),
    ("ovpn", "peers"),
    ("ovs_datapath", "ovs_datapath"),
    ("ovs_flow", "ovs_flow"),
    ("ovs_vport", "ovs_vport"),
    ("pmcraid", "events"),
    ("reg_event", "reg_mc_group"),
    ("team", "change_event"),
];

/// Generic families that have several: their messages, and the group.
#[rustfmt::skip]
const SEVERAL: &[(&str, &[&str], &str)] = &[
    ("nlctrl", &["CTRL_CMD_NEWFAMILY", "CTRL_CMD_DELFAMILY", "CTRL_CMD_NEWMCAST_GRP", "CTRL_CMD_DELMCAST_GRP"], "notify"),
    ("netdev", &["NETDEV_CMD_DEV_ADD_NTF", "NETDEV_CMD_DEV_DEL_NTF", "NETDEV_CMD_DEV_CHANGE_NTF"], "mgmt"),
    ("netdev", &["NETDEV_CMD_PAGE_POOL_ADD_NTF", "NETDEV_CMD_PAGE_POOL_DEL_NTF", "NETDEV_CMD_PAGE_POOL_CHANGE_NTF"], "page-pool"),
    ("psp", &["PSP_CMD_DEV_ADD_NTF", "PSP_CMD_DEV_DEL_NTF", "PSP_CMD_DEV_CHANGE_NTF"], "mgmt"),
    ("psp", &["PSP_CMD_KEY_ROTATE_NTF"], "use"),
    ("mptcp_pm", &["MPTCP_EVENT_CREATED", "MPTCP_EVENT_ESTABLISHED", "MPTCP_EVENT_CLOSED", "MPTCP_EVENT_ANNOUNCED",
        "MPTCP_EVENT_REMOVED", "MPTCP_EVENT_SUB_ESTABLISHED", "MPTCP_EVENT_SUB_CLOSED", "MPTCP_EVENT_SUB_PRIORITY",
        "MPTCP_EVENT_LISTENER_CREATED", "MPTCP_EVENT_LISTENER_CLOSED"], "mptcp_pm_events"),
    ("psample", &["PSAMPLE_CMD_NEW_GROUP", "PSAMPLE_CMD_DEL_GROUP"], "config"),
    ("psample", &["PSAMPLE_CMD_SAMPLE"], "packets"),
    ("batadv", &["BATADV_CMD_SET_MESH", "BATADV_CMD_SET_HARDIF", "BATADV_CMD_SET_VLAN"], "config"),
    ("batadv", &["BATADV_CMD_TP_METER"], "tpmeter"),
    ("nfsd", &["NFSD_CMD_CACHE_NOTIFY"], "exportd"),
    ("sunrpc", &["SUNRPC_CMD_CACHE_NOTIFY"], "exportd"),
    ("thermal", &["THERMAL_GENL_EVENT_TZ_CREATE", "THERMAL_GENL_EVENT_TZ_TRIP_UP", "THERMAL_GENL_EVENT_CDEV_STATE_UPDATE"], "event"),
    ("thermal", &["THERMAL_GENL_SAMPLING_TEMP"], "sampling"),
    ("802.15.4 MAC", &["IEEE802154_START_CONF"], "coordinator"),
    ("nl802154", &["NL802154_CMD_TRIGGER_SCAN", "NL802154_CMD_SCAN_EVENT", "NL802154_CMD_SCAN_DONE"], "scan"),
    ("nl80211", &["NL80211_CMD_NEW_WIPHY", "NL80211_CMD_DEL_WIPHY", "NL80211_CMD_NEW_INTERFACE",
        "NL80211_CMD_DEL_INTERFACE", "NL80211_CMD_SET_INTERFACE"], "config"),
    ("nl80211", &["NL80211_CMD_TRIGGER_SCAN", "NL80211_CMD_NEW_SCAN_RESULTS", "NL80211_CMD_SCAN_ABORTED",
        "NL80211_CMD_START_SCHED_SCAN", "NL80211_CMD_SCHED_SCAN_RESULTS", "NL80211_CMD_SCHED_SCAN_STOPPED"], "scan"),
    ("nl80211", &["NL80211_CMD_REG_CHANGE", "NL80211_CMD_WIPHY_REG_CHANGE", "NL80211_CMD_REG_BEACON_HINT"], "regulatory"),
    ("nl80211", &["NL80211_CMD_NAN_MATCH", "NL80211_CMD_DEL_NAN_FUNCTION", "NL80211_CMD_NAN_CLUSTER_JOINED"], "nan"),
    ("nl80211", &["NL80211_CMD_VENDOR"], "vendor"),
    ("nl80211", &["NL80211_CMD_TESTMODE"], "testmode"),
    ("nl80211", &["NL80211_CMD_AUTHENTICATE", "NL80211_CMD_ASSOCIATE", "NL80211_CMD_DEAUTHENTICATE",
        "NL80211_CMD_DISASSOCIATE", "NL80211_CMD_CONNECT", "NL80211_CMD_ROAM", "NL80211_CMD_DISCONNECT",
        "NL80211_CMD_NEW_STATION", "NL80211_CMD_DEL_STATION", "NL80211_CMD_MICHAEL_MIC_FAILURE",
        "NL80211_CMD_REMAIN_ON_CHANNEL", "NL80211_CMD_FRAME_TX_STATUS", "NL80211_CMD_NOTIFY_CQM",
        "NL80211_CMD_CH_SWITCH_NOTIFY", "NL80211_CMD_CH_SWITCH_STARTED_NOTIFY", "NL80211_CMD_RADAR_DETECT",
        "NL80211_CMD_START_AP", "NL80211_CMD_STOP_AP", "NL80211_CMD_FT_EVENT"], "mlme"),
];

/// What nl80211 sends to the port that has registered for it, and to no group.
const UNICAST: &[&str] = &[
    "NL80211_CMD_FRAME",
    "NL80211_CMD_UNEXPECTED_FRAME",
    "NL80211_CMD_CONTROL_PORT_FRAME",
    "NL80211_CMD_EXTERNAL_AUTH",
    "NL80211_CMD_PEER_MEASUREMENT_RESULT",
    "NL80211_CMD_PEER_MEASUREMENT_COMPLETE",
];

/// What the context makes of a message that nobody has asked for.
fn unasked(context: &mut Context, protocol: u16, kind: u16, flags: u16, payload: &[u8]) -> Record {
    let bytes = nlmon(protocol, &NATIVE.message(kind, flags, payload));
    let frame = Frame {
        number: 1,
        time: None,
        link: LinkType::Netlink,
        interface: 0,
        wire_len: u32::try_from(bytes.len()).unwrap(),
        offset: 0,
        bytes: &bytes,
        origin: Origin::default(),
    };
    let mut records = Vec::new();
    context.feed(&frame, &mut records, &mut Vec::new());
    records.pop().unwrap()
}

/// The number of a message by its UAPI name.
#[track_caller]
fn number(schema: &Schema, protocol: u16, name: &str) -> u16 {
    let families = schema.families().iter();
    let mut messages = families
        .filter(|family| family.protocol == protocol)
        .flat_map(|family| family.messages);
    let found = messages.find(|message| message.uapi == name);
    found.unwrap_or_else(|| panic!("no message {name}")).number
}

fn check(wrong: &mut Vec<String>, what: &str, record: &Record, name: &str, id: Option<u32>) {
    let seen: Option<&Group> = record.group.and_then(GroupSeen::group);
    let right = seen
        .is_some_and(|group| group.name == name && id.is_none_or(|id| group.number == Some(id)));
    if !right || record.direction != Direction::FromKernel || record.role != Role::Notification {
        let found = seen.map(|group| (group.name, group.number));
        let (direction, role) = (record.direction, record.role);
        wrong.push(format!(
            "{what} goes to {name}, not {found:?} ({direction:?}, {role:?})"
        ));
    }
}

#[test]
fn classic_notifications_go_to_their_groups() {
    let schema = Arc::new(Schema::builtin());
    let mut context = Context::new(Arc::clone(&schema));
    let mut wrong = Vec::new();
    let tables = [
        (ROUTE, ROUTE_ROWS),
        (XFRM, XFRM_ROWS),
        (NETFILTER, NETFILTER_ROWS),
    ];
    for (protocol, rows) in tables {
        for Row(names, first_bytes, flags, (group, id)) in rows {
            for (name, first) in names
                .iter()
                .flat_map(|name| first_bytes.iter().map(move |first| (name, first)))
            {
                let mut payload = [0; 512];
                payload[0] = *first;
                let kind = number(&schema, protocol, name);
                let record = unasked(&mut context, protocol, kind, *flags, &payload);
                let what = format!("{name} of family {first} with flags {flags:#x}");
                check(&mut wrong, &what, &record, group, Some(*id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_destroyed_socket_is_told_to_the_group_of_its_family_and_protocol() {
    let schema = Arc::new(Schema::builtin());
    let mut context = Context::new(Arc::clone(&schema));
    let mut wrong = Vec::new();
    for (family, protocol, (group, id)) in SOCKET_ROWS {
        let mut payload = vec![0; 72];
        payload[0] = *family;
        // INET_DIAG_PROTOCOL
        payload.extend(5_u16.to_ne_bytes());
        payload.extend(10_u16.to_ne_bytes());
        payload.extend([*protocol, 0, 0, 0]);
        let record = unasked(&mut context, SOCK_DIAG, 20, 0, &payload);
        let what = format!("family {family}, protocol {protocol}");
        check(&mut wrong, &what, &record, group, Some(*id));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Events and answers may share a number; an event is what has a group.
fn told<'a>(family: &'static Family, name: &'a str) -> impl Iterator<Item = &'static Message> + 'a {
    let mut own = family.messages.iter();
    std::iter::from_fn(move || {
        own.find(|message| message.uapi == name && message.direction != Some(Direction::ToKernel))
    })
}

fn told_by(schema: &Arc<Schema>, registered: &str, message: &Message) -> Record {
    let mut context = Context::new(Arc::clone(schema));
    context.learn_genl(SOME_ID, registered);
    let command = u8::try_from(message.number).unwrap();
    let mut payload = [0; 256];
    payload[0] = command;
    unasked(&mut context, GENERIC, SOME_ID, 0, &payload)
}

#[test]
fn a_handshake_is_told_to_the_group_of_its_class() {
    let schema = Arc::new(Schema::builtin());
    let mut context = Context::new(Arc::clone(&schema));
    context.learn_genl(SOME_ID, "handshake");
    let mut wrong = Vec::new();
    for (class, group) in [(0_u32, "handshake:none"), (1, "handshake:tlshd")] {
        // HANDSHAKE_CMD_READY with HANDSHAKE_A_ACCEPT_HANDLER_CLASS
        let mut payload = vec![1, 1, 0, 0];
        payload.extend(8_u16.to_ne_bytes());
        payload.extend(2_u16.to_ne_bytes());
        payload.extend(class.to_ne_bytes());
        let record = unasked(&mut context, GENERIC, SOME_ID, 0, &payload);
        check(&mut wrong, &format!("class {class}"), &record, group, None);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn events_of_a_generic_family_with_one_group_go_there() {
    let schema = Arc::new(Schema::builtin());
    let mut wrong = Vec::new();
    for (registered, group) in SINGLE {
        let Some(family) = schema.genl_family(registered) else {
            wrong.push(format!("no family {registered}"));
            continue;
        };
        let group = format!("{registered}:{group}");
        let names: Vec<_> = family.groups.iter().map(|group| group.name).collect();
        if names != [&group] {
            wrong.push(format!("{registered} has {names:?}, not {group}"));
        }
        let events = family.messages.iter().filter(|it| !it.groups.is_empty());
        if events.clone().count() == 0 {
            wrong.push(format!("{registered} has no event"));
        }
        for event in events {
            let record = told_by(&schema, registered, event);
            check(&mut wrong, event.uapi, &record, &group, None);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn events_of_a_generic_family_with_several_groups_go_to_theirs() {
    let schema = Arc::new(Schema::builtin());
    let mut wrong = Vec::new();
    for (registered, names, group) in SEVERAL {
        let Some(family) = schema.genl_family(registered) else {
            wrong.push(format!("no family {registered}"));
            continue;
        };
        let group = format!("{registered}:{group}");
        for name in *names {
            let Some(event) = told(family, name).next() else {
                wrong.push(format!("{registered} has no {name}"));
                continue;
            };
            check(
                &mut wrong,
                name,
                &told_by(&schema, registered, event),
                &group,
                None,
            );
        }
    }
    let nl80211 = schema.genl_family("nl80211");
    for name in UNICAST {
        let Some(event) = nl80211.and_then(|family| told(family, name).next()) else {
            wrong.push(format!("nl80211 has no {name}"));
            continue;
        };
        if let Some(seen) = told_by(&schema, "nl80211", event).group {
            wrong.push(format!(
                "{name} goes to no group, not {}",
                seen.group().unwrap().name
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
