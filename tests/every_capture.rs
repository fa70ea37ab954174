//! What holds for every capture of the repository, whatever is in it: all of it is shown,
//! in every form, and no form hands anything to a terminal but text.

#[path = "../dissector/tests/captures/mod.rs"]
mod captures;
#[path = "../dissector/tests/netlink/mod.rs"]
mod netlink;
mod process;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::LazyLock;

use netlink::{LITTLE, attribute, nlmon};
use process::{Made, capture, nlscope, text};
use regex::Regex;
use roxmltree::{Document, Node};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// A row of the table in `captures/README.md`.
struct Row {
    file: String,
    frames: usize,
    messages: usize,
    /// How many messages of each protocol.
    protocols: BTreeMap<String, usize>,
}

fn table() -> Vec<Row> {
    let page = std::fs::read_to_string(capture("README.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let ["", file, _, frames, messages, protocols, ""] = columns[..] else {
            return None;
        };
        let protocols = protocols.split(", ").filter_map(|part| {
            let (name, count) = part.split_once(' ')?;
            Some((name.replace('_', "-"), count.parse().ok()?))
        });
        Some(Row {
            file: file.to_owned(),
            frames: frames.parse().ok()?,
            messages: messages.parse().ok()?,
            protocols: protocols.collect(),
        })
    });
    rows.collect()
}

/// What is printed of a file; all must be well.
#[track_caller]
fn dump(args: &[&str], path: &Path) -> String {
    let output = nlscope(&["dump"]).args(args).arg(path).output().unwrap();
    let place = format!("{} {args:?}", path.display());
    assert_eq!(output.status.code(), Some(0), "{place}");
    assert_eq!(text(&output.stderr), "", "{place}");
    String::from_utf8(output.stdout).expect("text is UTF-8")
}

/// Any JSON, refused where an object has a key twice.
struct Distinct;

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Distinct {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(Self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, Self)) = map.next_entry::<String, Self>()? {
            if let Some(twice) = keys.replace(key) {
                return Err(A::Error::custom(format!("key {twice} is there twice")));
            }
        }
        Ok(self)
    }
}

#[test]
fn the_table_has_every_capture() {
    let described: BTreeSet<_> = table().into_iter().map(|row| row.file).collect();
    let there = captures::files();
    let there = there.iter().map(|path| path.file_name().unwrap());
    assert_eq!(
        there
            .map(|name| name.to_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>(),
        described
    );
}

#[test]
fn every_message_is_shown() {
    for Row {
        file,
        frames,
        messages,
        protocols,
    } in table()
    {
        let path = capture(&file);
        assert_eq!(dump(&["--count"], &path), format!("{messages}\n"), "{file}");
        let mut shown = BTreeSet::new();
        let (mut found, mut alone) = (BTreeMap::new(), 0);
        for line in dump(&["-T", "json"], &path).lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            shown.insert(object["frame"].as_u64().unwrap());
            if object["type"].is_null() {
                alone += 1;
            } else {
                let protocol = object["protocol"].as_str().unwrap();
                *found.entry(protocol.to_owned()).or_insert(0) += 1;
            }
        }
        assert_eq!(found, protocols, "{file}");
        assert!(shown.into_iter().eq(1..=frames as u64), "{file}: frames");
        assert_eq!(dump(&[], &path).lines().count(), messages + alone, "{file}");
        let trees = dump(&["-V"], &path);
        assert_eq!(trees.matches("\n\n").count(), messages + alone, "{file}");
    }
}

/// Headers that every object of JSON has.
const HEADERS: [&str; 15] = [
    "frame",
    "time",
    "protocol",
    "family",
    "message",
    "type",
    "flags",
    "seq",
    "port",
    "pid",
    "group",
    "direction",
    "len",
    "errno",
    "notes",
];

#[test]
fn json_is_valid_line_by_line_and_has_the_headers() {
    for Row { file, .. } in table() {
        for line in dump(&["-T", "json"], &capture(&file)).lines() {
            if let Err(error) = serde_json::from_str::<Distinct>(line) {
                panic!("{file}: {error}: {line}");
            }
            let object: Value = serde_json::from_str(line).unwrap();
            for key in HEADERS {
                assert!(object.get(key).is_some(), "{file}: no {key} in {line}");
            }
            if ["reply", "end"].contains(&object["role"].as_str().unwrap_or_default()) {
                assert!(object["request"].is_u64(), "{file}: {line}");
            }
            assert!(object["notes"].is_array(), "{file}: {line}");
        }
    }
}

/// Fails where a terminal would act on something, not show it, or turn it around.
#[track_caller]
fn check_printable(shown: &str, place: &str) {
    static BAD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]").unwrap());
    // Nearly every line is of printable ASCII, which is quickly seen.
    let plain = |line: &&str| line.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    for line in shown.split('\n').filter(|line| !plain(line)) {
        assert!(!BAD.is_match(line), "{place}: {line:?}");
    }
}

/// Text without its colours; fails on any other sequence.
#[track_caller]
fn unpainted(shown: &str, place: &str) -> String {
    let mut pieces = shown.split('\x1b');
    let mut plain = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let paint = piece
            .strip_prefix('[')
            .and_then(|rest| rest.split_once('m'));
        let (codes, rest) = paint.unwrap_or_else(|| panic!("{place}: {piece:?}"));
        let code = |c| matches!(c, '0'..='9' | ';');
        assert!(codes.chars().all(code), "{place}: {piece:?}");
        plain.push_str(rest);
    }
    plain
}

#[test]
fn no_form_hands_a_terminal_anything_but_text() {
    // Names that act on a terminal, hide, or turn the reading direction around.
    let bad: String = ('\u{1}'..'\u{20}')
        .chain(
            "\u{7f}\u{9b}31m\u{9d}0;x\u{9c}\u{ad}\u{200b}\u{200e}\u{202e}\u{2028}\u{2066}".chars(),
        )
        .chain("\u{feff}\u{e000}\u{e0041}<&\"'>]]>".chars())
        .collect();
    let hostile = Made::new("hostile.pcap", &hostile(bad.as_bytes()));
    let files = table().into_iter().map(|row| capture(&row.file));
    for path in files.chain([hostile.0.clone()]) {
        let place = path.display().to_string();
        for args in [&[][..], &["-V", "-x"], &["-T", "json"], &["-T", "pdml"]] {
            check_printable(&dump(args, &path), &place);
        }
        let colored = dump(&["-V", "--color", "always"], &path);
        assert!(colored.contains('\x1b'), "{place}");
        let plain = unpainted(&colored, &place);
        check_printable(&plain, &place);
        assert!(
            plain == dump(&["-V"], &path),
            "{place}: colour changes the text"
        );
    }
}

/// A capture of one `RTM_NEWLINK`, whose interface name, kind, alias and unknown
/// attributes are `name`.
fn hostile(name: &[u8]) -> Vec<u8> {
    let name = [name, b"\xff\x80\0"].concat();
    let kind = attribute(1, &name);
    let attributes = [(3, &name), (20, &name), (18, &kind), (0x3fff, &name)];
    let attributes = attributes.map(|(number, payload)| attribute(number, payload));
    let body = [vec![0; 16], attributes.concat()].concat();
    let frame = nlmon(0, &LITTLE.message_of((1, 0), 16, 0, &body));
    let len = u32::try_from(frame.len()).unwrap();
    let words = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0x40000, 253, 0, 0, len, len];
    let mut file: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    file.extend(frame);
    file
}

/// Names of bytes that belong to no field.
const FILLERS: [&str; 3] = ["nlscope.padding", "nlscope.trailing", "nlscope.unknown"];

/// What PDML says of some bytes: where they are, and the bytes.
fn leaf<'d>(node: Node<'d, '_>, place: &str) -> (&'d str, usize, Vec<u8>) {
    let said = |name| {
        let of = node.attribute("name").unwrap_or_default();
        node.attribute(name)
            .unwrap_or_else(|| panic!("{place}: {of} has no {name}"))
    };
    let (name, value) = (said("name"), said("value"));
    let size: usize = said("size").parse().unwrap();
    assert_eq!(value.len(), 2 * size, "{place}: {name}");
    assert!(node.has_attribute("show"), "{place}: {name}");
    let digits = value.as_bytes().chunks_exact(2);
    let bytes = digits.map(|pair| u8::from_str_radix(text(pair), 16).unwrap());
    (name, said("pos").parse().unwrap(), bytes.collect())
}

/// Checks that the leaves of a packet, one after the other, are the bytes of the frame.
/// Notes which names they have.
#[track_caller]
fn check_packet(packet: Node<'_, '_>, frame: &[u8], names: &mut BTreeSet<String>, place: &str) {
    let mut at = 0;
    // The first is about the frame; Wireshark gives it values that are no bytes.
    let rest = packet.children().filter(Node::is_element).skip(1);
    let leaves = rest.flat_map(|proto| proto.descendants()).filter(|node| {
        node.has_tag_name("field") && !node.children().any(|child| child.is_element())
    });
    for (name, start, bytes) in leaves.map(|node| leaf(node, place)) {
        if bytes.is_empty() {
            continue;
        }
        assert_eq!(start, at, "{place}: {name}");
        at += bytes.len();
        assert_eq!(frame.get(start..at), Some(&*bytes), "{place}: {name}");
        names.insert(name.to_owned());
    }
    assert_eq!(at, frame.len(), "{place}");
}

#[test]
fn the_leaves_of_pdml_are_the_frame() {
    let mut names = BTreeSet::new();
    for (path, (file, frames)) in captures::files().iter().zip(captures::all()) {
        let shown = dump(&["-T", "pdml"], path);
        let document = Document::parse(&shown).unwrap();
        let root = document.root_element();
        assert!(root.has_tag_name("pdml"));
        let packets: Vec<_> = root.children().filter(Node::is_element).collect();
        assert_eq!(packets.len(), frames.len(), "{file}");
        for (packet, frame) in packets.into_iter().zip(frames) {
            let place = format!("{file}, frame {}", frame.number);
            check_packet(packet, &frame.bytes, &mut names, &place);
        }
    }
    let name = Regex::new(r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$").unwrap();
    let odd: Vec<_> = names.iter().filter(|found| !name.is_match(found)).collect();
    assert!(odd.is_empty(), "{odd:?}");
    names.retain(|name| name.starts_with("nlscope."));
    assert!(names.iter().eq(FILLERS), "{names:?}");
}
