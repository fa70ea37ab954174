//! Socket filters, options of neighbour discovery and requests to dump: what lies otherwise
//! than attributes do.

mod captures;
mod netlink;
mod shape;

use captures::OwnedFrame;
use netlink::{LITTLE, attribute, nlmon};
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::schema::Schema;
use proptest::prelude::*;

const SOCK_DIAG: u16 = 4;
const XFRM: u16 = 6;
const ROUTE: u16 = 0;

fn message(protocol: u16, kind: u16, flags: u16, payload: &[u8]) -> OwnedFrame {
    let message = LITTLE.message_of((1, 0), kind, flags, payload);
    OwnedFrame::new(1, nlmon(protocol, &message))
}

/// The tree of the message, from the line that begins with `from` on.
fn tree(frame: &OwnedFrame, from: &str) -> String {
    let mut text = String::new();
    captures::each_message(Schema::builtin(), std::slice::from_ref(frame), |view| {
        shape::check(view.tape, &frame.bytes);
        for line in export::tree(view, &Options::PLAIN) {
            line.write(&mut text, false);
            text.push('\n');
        }
    });
    let at = text.find(&format!("    {from}"));
    text.split_off(at.unwrap_or_else(|| panic!("no {from} in\n{text}")))
}

/// A request for TCP sockets over IPv4 that pass this filter.
fn filtered(program: &[u8]) -> OwnedFrame {
    let mut payload = vec![2, 6];
    payload.resize(56, 0);
    payload.extend(attribute(1, program));
    message(SOCK_DIAG, 20, 0x301, &payload)
}

#[test]
fn a_socket_filter_reads_as_its_operations() {
    let program = [
        &[2, 8, 12, 0, 0, 0, 0, 4][..],
        &[
            8, 16, 24, 0, 2, 8, 0, 0, 0xff, 0xff, 0xff, 0xff, 10, 0, 0, 0,
        ],
        &[9, 8, 12, 0, 3, 0, 0, 0],
        &[10, 12, 16, 0, 5, 0, 0, 0, 0xff, 0, 0, 0],
        &[1, 4, 8, 0],
    ];
    let shown = tree(&filtered(&program.concat()), "bytecode");
    let reads: Vec<_> = shown
        .lines()
        .filter_map(|line| line.trim().strip_prefix('[')?.split_once("]: "))
        .map(|(_, reads)| reads)
        .collect();
    assert_eq!(
        reads,
        [
            "s-ge 1024 else 12",
            "d-cond 10.0.0.0/8 port any else 24",
            "dev-cond 3 else 12",
            "mark-cond 0x5/0xff else 16",
            "jmp else 8",
        ],
        "{shown}"
    );
}

#[test]
fn an_operation_of_no_length_or_too_long_ends_the_filter() {
    for length in [0, 3, 12, 0xff] {
        let shown = tree(&filtered(&[2, length, 12, 0, 0, 0, 0, 4]), "bytecode");
        assert!(shown.contains("unknown: 02"), "{shown}");
        assert!(shown.contains("are announced"), "{shown}");
    }
}

#[test]
fn what_is_told_of_a_protocol_goes_by_its_length() {
    let told = |len: usize| {
        let mut payload = vec![2, 1];
        payload.resize(72, 0);
        payload.extend(attribute(2, &vec![0; len]));
        tree(&message(SOCK_DIAG, 20, 2, &payload), "info")
    };
    assert!(told(96).contains("mptcpi-token"));
    assert!(told(104).contains("tcpi-total-retrans"));
    assert!(!told(104).contains("tcpi-pacing-rate"));
    assert!(told(232).contains("tcpi-snd-wnd"));
}

#[test]
fn a_dump_of_associations_begins_with_attributes() {
    // Struct xfrm_address_filter: 10.0.0.0/8 to 10.1.0.0/16.
    let mut filter = vec![10];
    filter.resize(16, 0);
    filter.extend([10, 1]);
    filter.resize(32, 0);
    filter.extend([2, 0, 8, 16]);
    let dump = message(XFRM, 0x12, 0x301, &attribute(26, &filter));
    let shown = tree(&dump, "address-filter");
    let (first, _) = shown.split_once('\n').unwrap();
    assert_eq!(
        first,
        "    address-filter: src 10.0.0.0/8 dst 10.1.0.0/16  XFRMA_ADDRESS_FILTER"
    );
}

#[test]
fn an_address_without_a_family_goes_by_what_is_in_use() {
    // Struct xfrm_user_acquire says the family of its selector alone.
    let acquire = |address: [u8; 16]| {
        let mut payload = address.to_vec();
        payload.resize(280, 0);
        tree(&message(XFRM, 0x17, 0, &payload), "    id")
    };
    let four = [10, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let six = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    assert!(acquire(four).contains("daddr: 10.1.0.2"));
    assert!(acquire(six).contains("daddr: fd00::2"));
}

/// A name server, and the domain `a.b`.
const OPTIONS: [u8; 40] = [
    25, 3, 0, 0, 0, 0, 0, 60, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, //
    31, 2, 0, 0, 0, 0, 0, 60, 1, b'a', 1, b'b', 0, 0, 0, 0,
];

fn options(options: &[u8]) -> OwnedFrame {
    let len = u8::try_from(options.len()).unwrap();
    let mut payload = vec![10, 0, len, 0, 2, 0, 0, 0, 134];
    payload.resize(16, 0);
    payload.extend(options);
    payload.extend(attribute(1, &[0; 16]));
    message(ROUTE, 68, 0, &payload)
}

#[test]
fn options_of_neighbour_discovery_count_in_eights() {
    let shown = tree(&options(&OPTIONS), "nduseroptmsg");
    assert!(shown.contains("[0]: rdnss fd00::1 for 60 s\n"), "{shown}");
    assert!(shown.contains("[1]: dnssl"), "{shown}");
    assert!(shown.contains("\n    srcaddr: ::  NDUSEROPT_SRCADDR\n"));
    let none = tree(&options(&[25, 0, 0, 0, 0, 0, 0, 0]), "nduseroptmsg");
    assert!(none.contains("0 bytes are announced"), "{none}");
}

proptest! {
    #[test]
    fn programs_and_options_of_any_bytes_are_tiled(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        tree(&filtered(&bytes), "bytecode");
        tree(&options(&bytes), "nduseroptmsg");
    }
}
