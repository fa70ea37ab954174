//! Capture files of every kind, whole and damaged, made here and given to the program:
//! what it shows of them, what it complains of, and its exit status. Each is read from a
//! file and from standard input, plain, as gzip and as zstd.

#[path = "../dissector/tests/netlink/mod.rs"]
mod netlink;
mod process;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use netlink::Writer;
use nlscope_dissector::wire::Order::{self, Big, Little};
use process::{Made, fed, nlscope, text};
use serde::Deserialize;
use serde_json::value::RawValue;

fn half(order: Order, number: u16) -> Vec<u8> {
    Writer(order).u16(number).to_vec()
}

fn words(order: Order, numbers: &[u32]) -> Vec<u8> {
    let bytes = |number: &u32| Writer(order).u32(*number);
    numbers.iter().flat_map(bytes).collect()
}

fn len(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A notification of a link called `name`.
fn link(order: Order, name: &str) -> Vec<u8> {
    let order = Writer(order);
    let name = order.attribute(3, &[name.as_bytes(), b"\0"].concat());
    order.message(16, 0, &[vec![0; 16], name].concat())
}

const ETHERNET: u16 = 1;
const SLL: u16 = 113;
const NETLINK: u16 = 253;
const SLL2: u16 = 276;
const NETLINK_DEVICE: u16 = 824;

/// A frame of this link type, from a device of this kind, with a link message.
fn framed(link_type: u16, device: u16, message: &[u8]) -> Vec<u8> {
    let device = device.to_be_bytes();
    let cooked = match link_type {
        SLL2 => [&[0; 8], &device[..], &[4, 0], &[0; 8]].concat(),
        _ => [&[0, 4], &device[..], &[0; 12]].concat(),
    };
    [&cooked, message].concat()
}

/// A frame with a message about the link `name`, as nlmon has it.
fn frame(name: &str) -> Vec<u8> {
    framed(NETLINK, NETLINK_DEVICE, &link(Little, name))
}

const MICRO: u32 = 0xa1b2_c3d4;
const NANO: u32 = 0xa1b2_3c4d;

/// A pcap whose frames are a second and a fraction of 5 apart.
fn pcap(order: Order, magic: u32, link_type: u16, frames: &[Vec<u8>]) -> Vec<u8> {
    let version = [half(order, 2), half(order, 4)].concat();
    let mut file = words(order, &[magic]);
    file.extend(version);
    file.extend(words(order, &[0, 0, 0x40000, link_type.into()]));
    for (seconds, frame) in (1..).zip(frames) {
        file.extend(words(order, &[seconds, 5, len(frame), len(frame)]));
        file.extend(frame);
    }
    file
}

/// A block of a pcapng.
fn block(order: Order, kind: u32, body: Vec<u8>) -> Vec<u8> {
    let body = padded(body);
    let whole = len(&body) + 12;
    [words(order, &[kind, whole]), body, words(order, &[whole])].concat()
}

fn section(order: Order) -> Vec<u8> {
    let version = [half(order, 1), half(order, 0)].concat();
    let body = [words(order, &[0x1a2b_3c4d]), version, vec![0xff; 8]];
    block(order, 0x0a0d_0d0a, body.concat())
}

/// An interface with one option, if its number is not 0.
fn interface(order: Order, link_type: u16, option: u16, value: &[u8]) -> Vec<u8> {
    let mut body = [half(order, link_type), vec![0; 6]].concat();
    body.extend([half(order, 2), half(order, 4), b"dev\x1b".to_vec()].concat());
    if option != 0 {
        let size = u16::try_from(value.len()).unwrap();
        body.extend([half(order, option), half(order, size)].concat());
        body.extend(padded(value.to_vec()));
    }
    body.extend([0; 4]);
    block(order, 1, body)
}

const RESOLUTION: u16 = 9;
const OFFSET: u16 = 14;

/// An enhanced packet block, with a comment.
fn enhanced(order: Order, interface: u32, time: u32, frame: &[u8]) -> Vec<u8> {
    let size = len(frame);
    let mut body = words(order, &[interface, 0, time, size, size]);
    body.extend(padded(frame.to_vec()));
    body.extend([half(order, 1), half(order, 5), padded(b"aside".to_vec())].concat());
    body.extend([0; 4]);
    block(order, 6, body)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What is looked at of a message.
#[derive(Deserialize)]
struct Shown<'l> {
    frame: u32,
    /// As it is written, with all its digits.
    #[serde(borrow)]
    time: &'l RawValue,
    attrs: Attributes<'l>,
}

#[derive(Deserialize)]
struct Attributes<'l> {
    ifname: &'l str,
}

/// What is expected of a file.
struct Expected<'e> {
    status: i32,
    /// Number, time and interface name of each message.
    shown: &'e [&'e str],
    /// The complaint, without program and file; none where it is empty.
    complaint: &'e str,
}

/// Both ways to read these bytes; `name` is unique among the tests.
#[track_caller]
fn check_plain(name: &str, bytes: &[u8], expected: &Expected<'_>) {
    let made = Made::new(name, bytes);
    let args = ["dump", "-T", "json"];
    let file = nlscope(&args).arg(&made.0).output().unwrap();
    let stream = fed(&[args.as_slice(), &["-"]].concat(), bytes);
    let path = made.0.display().to_string();
    for (input, output) in [(path.as_str(), file), ("standard input", stream)] {
        let shown = text(&output.stdout).lines().map(|line| {
            let Shown { frame, time, attrs } = serde_json::from_str(line).unwrap();
            format!("{frame} {time} {}", attrs.ifname)
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected.shown, "{input}");
        let complaint = match expected.complaint {
            "" => String::new(),
            words => format!("nlscope: {input}: {words}\n"),
        };
        assert_eq!(text(&output.stderr), complaint);
        assert_eq!(output.status.code(), Some(expected.status), "{input}");
    }
}

/// The same, plain and packed.
#[track_caller]
fn check(name: &str, bytes: &[u8], expected: &Expected<'_>) {
    check_plain(name, bytes, expected);
    check_plain(&format!("{name}.gz"), &gzip(bytes), expected);
    let packed = zstd::encode_all(bytes, 1).unwrap();
    check_plain(&format!("{name}.zst"), &packed, expected);
}

/// All is well.
fn well<'e>(shown: &'e [&'e str]) -> Expected<'e> {
    Expected {
        status: 0,
        shown,
        complaint: "",
    }
}

/// Nothing could be read.
fn nothing(complaint: &str) -> Expected<'_> {
    Expected {
        status: 1,
        shown: &[],
        complaint,
    }
}

/// What comes before the damage is shown.
fn damaged<'e>(shown: &'e [&'e str], complaint: &'e str) -> Expected<'e> {
    Expected {
        status: 2,
        shown,
        complaint,
    }
}

#[test]
fn pcap_of_every_order_unit_and_link_type() {
    for (outer, inner) in [(Little, Little), (Little, Big), (Big, Little), (Big, Big)] {
        for link_type in [NETLINK, SLL, SLL2] {
            let of = |name| framed(link_type, NETLINK_DEVICE, &link(inner, name));
            let frames = ["a0", "b0"].map(of);
            let name = format!("{}{}{link_type}", outer as u8, inner as u8);
            let micro = pcap(outer, MICRO, link_type, &frames);
            let shown = ["1 1.000005000 a0", "2 2.000005000 b0"];
            check_plain(&format!("micro{name}.pcap"), &micro, &well(&shown));
            let nano = pcap(outer, NANO, link_type, &frames);
            let shown = ["1 1.000000005 a0", "2 2.000000005 b0"];
            check_plain(&format!("nano{name}.pcap"), &nano, &well(&shown));
        }
    }
}

#[test]
fn pcap_plain_and_packed() {
    let file = pcap(Little, MICRO, NETLINK, &[frame("a0"), frame("b0")]);
    let shown = ["1 1.000005000 a0", "2 2.000005000 b0"];
    check("packed.pcap", &file, &well(&shown));
}

#[test]
fn both_orders_of_content_in_one_capture() {
    let of = |order, name| framed(NETLINK, NETLINK_DEVICE, &link(order, name));
    let frames = [of(Little, "a0"), of(Big, "b0"), of(Little, "c0")];
    let file = pcap(Little, MICRO, NETLINK, &frames);
    let shown = ["1 1.000005000 a0", "2 2.000005000 b0", "3 3.000005000 c0"];
    check("mixed.pcap", &file, &well(&shown));
}

#[test]
fn pcapng_sections_have_their_own_order_interfaces_and_clocks() {
    let mut file = section(Little);
    file.extend(interface(Little, NETLINK, RESOLUTION, &[9]));
    file.extend(interface(Little, SLL2, RESOLUTION, &[0x8a]));
    file.extend(enhanced(Little, 0, 1_000_000_007, &frame("a0")));
    let any = framed(SLL2, NETLINK_DEVICE, &link(Little, "b0"));
    file.extend(enhanced(Little, 1, 1024 + 512, &any));
    file.extend(block(Little, 0x0bad, b"whatever".to_vec()));
    file.extend(section(Big));
    file.extend(interface(Big, SLL, OFFSET, &(-5_i64).to_be_bytes()));
    let any = framed(SLL, NETLINK_DEVICE, &link(Big, "c0"));
    let size = len(&any);
    file.extend(enhanced(Big, 0, 7_000_000, &any));
    let simple = [words(Big, &[size]), any.clone()].concat();
    file.extend(block(Big, 3, simple));
    let old = [words(Big, &[0, 0, 6_000_001, size, size]), any].concat();
    file.extend(block(Big, 2, old));
    let shown = [
        "1 1.000000007 a0",
        "2 1.500000000 b0",
        "3 2.000000000 c0",
        "4 null c0",
        "5 1.000001000 c0",
    ];
    check("sections.pcapng", &file, &well(&shown));
}

#[test]
fn interfaces_of_other_link_types_are_left_out_and_that_is_said() {
    let mut file = section(Little);
    file.extend(interface(Little, ETHERNET, 0, b""));
    file.extend(interface(Little, NETLINK, 0, b""));
    file.extend(enhanced(Little, 0, 1, b"ethernet"));
    file.extend(enhanced(Little, 1, 2, &frame("a0")));
    file.extend(enhanced(Little, 0, 3, b"ethernet"));
    let words = r#"2 frames left out: interface "dev\x1b" is of link type 1 (Ethernet)"#;
    let expected = Expected {
        status: 0,
        shown: &["2 0.000002000 a0"],
        complaint: words,
    };
    check("interfaces.pcapng", &file, &expected);
}

#[test]
fn frames_of_other_devices_are_left_out_and_that_is_said() {
    for (name, link_type) in [("sll.pcap", SLL), ("sll2.pcap", SLL2)] {
        let other = framed(link_type, ETHERNET, &link(Little, "a0"));
        let own = framed(link_type, NETLINK_DEVICE, &link(Little, "b0"));
        let file = pcap(Little, MICRO, link_type, &[other, own]);
        let expected = Expected {
            status: 0,
            shown: &["2 2.000005000 b0"],
            complaint: "1 frame of devices other than netlink left out",
        };
        check(name, &file, &expected);
    }
}

#[test]
fn another_link_type_is_an_error_that_names_it() {
    let cannot = "cannot hold netlink (link types 253, 113 and 276 can)";
    let words = format!("link type 1 (Ethernet) {cannot}");
    let file = pcap(Little, MICRO, ETHERNET, &[b"ethernet".to_vec()]);
    check_plain("ethernet.pcap", &file, &nothing(&words));
    let mut file = section(Big);
    file.extend(interface(Big, ETHERNET, 0, b""));
    file.extend(interface(Big, 147, 0, b""));
    file.extend(enhanced(Big, 0, 1, b"ethernet"));
    let words = format!("link type 1 (Ethernet), link type 147 {cannot}");
    check_plain("ethernet.pcapng", &file, &nothing(&words));
}

#[test]
fn what_is_no_capture_is_one_clear_line() {
    check_plain("empty", b"", &nothing("the file is empty"));
    let words = "neither pcap nor pcapng";
    check_plain("text", b"some text\n", &nothing(words));
    check_plain("zeros", &[0; 500], &nothing(words));
    let words = "unpacked with gzip: neither pcap nor pcapng";
    check_plain("text.gz", &gzip(b"some text\n"), &nothing(words));
    let garbage = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff];
    let words = "gzip: corrupt deflate stream";
    check_plain("garbage.gz", &garbage, &nothing(words));
    let head = &pcap(Little, MICRO, NETLINK, &[])[..20];
    let words = "cut off inside the file header, after 20 bytes";
    check_plain("head.pcap", head, &nothing(words));
}

#[test]
fn a_cut_file_shows_what_comes_before() {
    let file = pcap(Little, MICRO, NETLINK, &[frame("a0"), frame("b0")]);
    let second = 24 + 16 + frame("a0").len();
    let shown = ["1 1.000005000 a0"];
    for (cut, missing) in [(second + 1, 15), (file.len() - 1, 1)] {
        let words = format!(
            "damaged at byte {second}: the file ends inside a record, \
             at least {missing} bytes are missing"
        );
        check_plain("cut.pcap", &file[..cut], &damaged(&shown, &words));
    }
    check_plain("short.pcap", &file[..second], &well(&shown));
}

#[test]
fn a_file_damaged_further_on_shows_what_comes_before() {
    let shown = ["1 1.000005000 a0"];
    let mut file = pcap(Little, MICRO, NETLINK, &[frame("a0"), frame("b0")]);
    let second = 24 + 16 + frame("a0").len();
    file[second + 8..second + 12].fill(0xff);
    let words =
        format!("damaged at byte {second}: a record of 4294967295 bytes, 16777216 is the most");
    check_plain("absurd.pcap", &file, &damaged(&shown, &words));

    let mut file = section(Little);
    file.extend(interface(Little, NETLINK, 0, b""));
    file.extend(enhanced(Little, 0, 1_000_005, &frame("a0")));
    let second = file.len();
    let block = enhanced(Little, 0, 2, &frame("b0"));
    file.extend(&block);
    let whole = file.len();
    file[whole - 4] += 4;
    let (size, said) = (block.len(), block.len() + 4);
    let words = format!(
        "damaged at byte {second}: a block says {size} bytes at its beginning \
         and {said} at its end"
    );
    check_plain("block.pcapng", &file, &damaged(&shown, &words));
    let words = format!(
        "damaged at byte {second}: the file ends inside a record, \
         at least 3 bytes are missing"
    );
    check_plain("cut.pcapng", &file[..whole - 3], &damaged(&shown, &words));
}

#[test]
fn what_is_left_behind_a_message_is_said_with_it() {
    let message = [link(Little, "a0"), b"left".to_vec()].concat();
    let left = framed(NETLINK, NETLINK_DEVICE, &message);
    let made = Made::new("left.pcap", &pcap(Little, MICRO, NETLINK, &[left]));
    let shown = |args: &[&str]| {
        let output = nlscope(args).arg(&made.0).output().unwrap();
        text(&output.stdout).to_owned()
    };
    let words = "the header needs 16 bytes, 4 are left";
    assert!(shown(&["dump", "-V"]).contains(words));
    assert!(shown(&["dump", "-T", "json"]).contains(words));
    assert!(shown(&["dump"]).ends_with("[malformed] a0\n"));
    assert_eq!(shown(&["dump", "--count", "-Y", "notes"]), "1\n");
}

#[test]
fn a_packed_file_that_is_cut_shows_what_comes_before() {
    let file = pcap(Little, MICRO, NETLINK, &[frame("a0")]);
    let packed = gzip(&file);
    let words = format!("gzip: unexpected end of file, after {} bytes", file.len());
    let shown = ["1 1.000005000 a0"];
    let expected = damaged(&shown, &words);
    check_plain("cut.pcap.gz", &packed[..packed.len() - 4], &expected);
}
