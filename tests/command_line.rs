//! The command line as a process: what is printed where, and the exit status.

#[path = "../dissector/tests/netlink/mod.rs"]
mod netlink;
mod process;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use netlink::{LITTLE, attribute, nlmon};
use process::{Made, capture, fed, nlscope, on, text};

#[test]
fn what_cannot_be_opened_is_said() {
    let no = |words: &str| (Some(1), 0, format!("nlscope: FILE: {words}\n"));
    assert_eq!(on(&["dump"], Path::new(".")), no("is a directory"));
    let missing = Path::new("no/such/file.pcap");
    assert_eq!(on(&["dump"], missing), no("No such file or directory"));
    assert_eq!(on(&[], missing), no("No such file or directory"));
}

#[test]
fn every_message_of_a_capture_is_counted() {
    let path = capture("xfrm.pcap");
    for (args, expected) in [
        (&["dump", "--count"][..], "89\n"),
        (&["dump", "--count", "-Y", "protocol == route"], "18\n"),
    ] {
        let output = nlscope(args).arg(&path).output().unwrap();
        assert_eq!(text(&output.stdout), expected);
        assert_eq!(output.status.code(), Some(0));
    }
    let file = fs::read(path).unwrap();
    assert_eq!(text(&fed(&["dump", "--count"], &file).stdout), "89\n");
}

#[test]
fn without_a_terminal_a_file_is_printed_as_lines() {
    let path = capture("xfrm.pcap");
    assert_eq!(on(&[], &path), (Some(0), 89, String::new()));
    let plain = nlscope(&[]).arg(&path).output().unwrap();
    let dumped = nlscope(&["dump"]).arg(&path).output().unwrap();
    assert_eq!(text(&plain.stdout), text(&dumped.stdout));
    assert!(!text(&plain.stdout).contains('\x1b'));
}

#[test]
fn colours_are_only_for_those_who_want_them() {
    let path = capture("xfrm.pcap");
    let colored = |args: &[&str]| {
        let output = nlscope(args).env("NO_COLOR", "1").arg(&path).output();
        text(&output.unwrap().stdout).contains('\x1b')
    };
    assert!(colored(&["dump", "--color", "always"]));
    assert!(!colored(&["dump"]));
}

#[test]
fn the_limit_holds_for_every_form() {
    let path = capture("xfrm.pcap");
    let lines = |args: &[&str]| on(args, &path).1;
    assert_eq!(lines(&["dump", "-c", "3"]), 3);
    assert_eq!(lines(&["dump", "-c", "3", "-T", "json"]), 3);
    let output = nlscope(&["dump", "-c", "3", "-T", "pdml"])
        .arg(&path)
        .output();
    let output = output.unwrap();
    assert_eq!(text(&output.stdout).matches("<packet>").count(), 3);
    assert!(text(&output.stdout).ends_with("</pdml>\n"));
}

#[test]
fn a_frame_without_message_is_not_lost() {
    let path = capture("malformed.pcap");
    let lone = |args: &[&str]| {
        let output = nlscope(args).arg(&path).output().unwrap();
        let found = text(&output.stdout)
            .lines()
            .find(|line| line.contains("19 bytes; "));
        found.map(str::to_owned)
    };
    assert!(lone(&["dump"]).unwrap().contains("no message"));
    assert_eq!(lone(&["dump", "-Y", "frame == 135"]), None);
    let output = nlscope(&["dump", "-T", "json"])
        .arg(&path)
        .output()
        .unwrap();
    let alone = text(&output.stdout)
        .lines()
        .find(|line| line.starts_with("{\"frame\":135,"));
    let object: serde_json::Value = serde_json::from_str(alone.unwrap()).unwrap();
    assert_eq!(object["len"], 19);
    assert_eq!(object["notes"][0]["severity"], "error");
}

#[test]
fn copies_are_folded_when_asked() {
    let path = capture("rt-bridge.pcap");
    let count = |args: &[&str]| {
        let output = nlscope(args).arg(&path).output().unwrap();
        text(&output.stdout).lines().count()
    };
    assert_eq!(count(&["dump"]), 956);
    assert_eq!(count(&["dump", "--fold"]), 955);
    let output = nlscope(&["dump", "--fold"]).arg(&path).output().unwrap();
    assert_eq!(text(&output.stdout).matches("(and 1 copy)").count(), 1);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = nlscope(&["dump", "-V"])
        .arg(capture("nl80211.pcap"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_stream_is_printed_as_it_arrives() {
    use std::io::{BufRead, BufReader};
    let file = fs::read(capture("xfrm.pcap")).unwrap();
    let mut child = nlscope(&["dump"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&file[..5000]).unwrap();
    stdin.flush().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("XFRM_MSG_NEWSA"));
    stdin.write_all(&file[5000..]).unwrap();
    drop(stdin);
    assert_eq!(lines.count(), 88);
    assert!(child.wait().unwrap().success());
}

#[test]
fn wrong_usage_has_status_2() {
    let path = capture("xfrm.pcap");
    assert_eq!(on(&["dump", "--genl", "x"], &path).0, Some(2));
    assert_eq!(on(&["dump", "--count", "-V"], &path).0, Some(2));
    assert_eq!(
        nlscope(&["--nonsense"]).output().unwrap().status.code(),
        Some(2)
    );
}

#[test]
fn a_mistake_in_a_filter_is_shown_in_its_place() {
    #[track_caller]
    fn check(filter: &str, carets: &str, words: &str) {
        let (status, lines, errors) = on(&["dump", "-Y", filter], &capture("xfrm.pcap"));
        let expected = format!("nlscope: filter: {words}\n  {filter}\n  {carets}\n");
        assert_eq!((status, lines, errors), (Some(2), 0, expected));
    }
    check("xyzzy == 1", "^^^^^", "no field is called `xyzzy`");
    check(
        "errno && ifnam == \"x\"",
        "         ^^^^^",
        "no field is called `ifnam`; did you mean `ifname`?",
    );
    check(
        "rt-link.linkinfo.knd",
        "                 ^^^",
        "`linkinfo` has no field `knd`; did you mean `rt-link.linkinfo.kind`?",
    );
    check(
        "rt-addr.address == \"eth0\"",
        "                   ^^^^^^",
        "`rt-addr.address` is an IP address or prefix, not `eth0`",
    );
    check(
        "rt-link.ifname == 10.0.0.1",
        "                  ^^^^^^^^",
        "`rt-link.ifname` is text, not an address; did you mean `\"10.0.0.1\"`?",
    );
    check(
        "ifname && (type == 16",
        "          ^",
        "this parenthesis is not closed",
    );
    check(
        "ifname matches \"a[\"",
        "               ^^^^",
        "bad regular expression: unclosed character class",
    );
    check(
        "protocol == rout",
        "            ^^^^",
        "no value of `protocol` is called `rout`; did you mean `route`?",
    );
    check(
        "errno ==",
        "        ^",
        "expected a value, but the filter ends here",
    );
}

#[test]
fn the_tables_can_be_looked_into() {
    let shown = |args: &[&str]| {
        let output = nlscope(args).output().unwrap();
        (output.status.code(), text(&output.stdout).to_owned())
    };
    let (status, list) = shown(&["schema", "list"]);
    assert_eq!(status, Some(0));
    assert!(list.lines().any(|line| line.starts_with("rt-link ")));
    let (_, page) = shown(&["schema", "show", "rt-link"]);
    for name in ["RTM_NEWLINK", "IFLA_IFNAME", "STRUCT ifinfomsg"] {
        assert!(page.contains(name), "{name}");
    }
    assert_eq!(shown(&["schema", "show", "nosuch"]).0, Some(1));
}

#[test]
fn a_specification_adds_a_family() {
    let spec = Made::new(
        "toy.yaml",
        b"name: toy\nprotocol: genetlink\nattribute-sets:\n  - name: toy-attrs\n    \
          attributes: [{name: size, type: u32}]\noperations:\n  list:\n    \
          - {name: get, value: 1, attribute-set: toy-attrs, do: {request: {attributes: [size]}}}\n",
    );
    let path = spec.0.display().to_string();
    let output = nlscope(&["schema", "show", "toy", "--spec", &path])
        .output()
        .unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).contains("size"));
}

/// A specification that is refused, with its place and the reason.
#[track_caller]
fn check_spec(name: &str, spec: &[u8], expected: &str) {
    let spec = Made::new(name, spec);
    let path = spec.0.display().to_string();
    let capture = capture("xfrm.pcap").display().to_string();
    for args in [&["schema", "list"][..], &["dump", &capture]] {
        let output = nlscope(args).args(["--spec", &path]).output().unwrap();
        let errors = text(&output.stderr).replace(&path, "FILE");
        assert_eq!(errors, format!("nlscope: FILE{expected}\n"));
        assert_eq!(output.stdout, b"");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_wrong_specification_is_refused_with_line_and_reason() {
    let with = |attribute: &str| {
        format!(
            "name: toy\nprotocol: genetlink\nattribute-sets:\n  - name: attrs\n    attributes:\n      \
             - {{name: size, {attribute}}}\n"
        )
    };
    let words = ":1:7: expected string scalar";
    check_spec("syntax.yaml", b"name: [\n", words);
    let words = ": stream did not contain valid UTF-8";
    check_spec("binary.yaml", b"\xff\xfe", words);
    let spec = with("type: u33");
    let words = r#":6:28: unknown type "u33"; did you mean "u32"?"#;
    check_spec("type.yaml", spec.as_bytes(), words);
    let spec = with("type: nest, nested-attributes: atrs");
    let words = r#":6:53: unknown attribute-set "atrs"; did you mean "attrs"?"#;
    check_spec("set.yaml", spec.as_bytes(), words);
    let spec = with("type: u32, enum: \"\\e[31m\"");
    let words = r#":6:39: unknown enum "\u{1b}[31m""#;
    check_spec("enum.yaml", spec.as_bytes(), words);
    let missing = ": no operations and no multicast groups: there is no family";
    check_spec("family.yaml", with("type: u32").as_bytes(), missing);
}

#[test]
fn completions_and_manual_page_are_made() {
    for args in [&["completions", "bash"][..], &["man"]] {
        let output = nlscope(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("nlscope"));
    }
}

/// The keys that a capture holds, as hexadecimal digits.
fn keys(path: &Path) -> Vec<String> {
    let output = nlscope(&["dump", "-V"]).arg(path).output().unwrap();
    let mut keys: Vec<_> = text(&output.stdout)
        .lines()
        .filter_map(|line| line.trim_start().split_once(": "))
        .filter(|(name, _)| ["private-key", "preshared-key", "alg-key"].contains(name))
        .filter_map(|(_, value)| Some(value.split_whitespace().next()?.to_owned()))
        .filter(|key| key.bytes().any(|digit| digit != b'0'))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

#[test]
fn redacted_output_has_no_part_of_a_key() {
    for (name, count) in [("genl-wireguard.pcap", 1), ("xfrm.pcap", 3)] {
        let path = capture(name);
        let keys = keys(&path);
        assert!(keys.len() >= count, "{name}: {keys:?}");
        let parts: Vec<&str> = keys
            .iter()
            .flat_map(|key| (0..=key.len() - 12).step_by(2).map(|at| &key[at..at + 12]))
            .collect();
        let leaks = |args: &[&str]| {
            let output = nlscope(args).arg(&path).output().unwrap();
            assert_eq!(output.status.code(), Some(0));
            let shown = text(&output.stdout).replace([' ', ':'], "");
            parts.iter().filter(|part| shown.contains(**part)).count()
        };
        for form in [
            &["-V"][..],
            &["-x"],
            &["-V", "-x"],
            &["-T", "json"],
            &["-T", "pdml"],
            &[],
        ] {
            let args = [&["dump"], form].concat();
            if form.contains(&"-V") {
                assert!(leaks(&args) > 0, "{name} has keys under {form:?}");
            }
            let leaked = leaks(&[&args[..], &["--redact"]].concat());
            assert_eq!(leaked, 0, "parts of keys in {name} under {form:?}");
        }
    }
}

#[test]
fn stats_sums_up_by_family() {
    let path = capture("xfrm.pcap");
    let out = |args: &[&str]| {
        let output = nlscope(args).arg(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        text(&output.stdout).to_owned()
    };
    let table = out(&["stats"]);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["family", "messages", "bytes"]);
    assert_eq!(rows[1], ["xfrm", "71", "11915"], "most bytes first");
    assert_eq!(rows.last().unwrap(), &["all", "89", "15255"]);
    let counted = rows[1..rows.len() - 1].iter();
    let messages: u32 = counted.map(|row| row[1].parse::<u32>().unwrap()).sum();
    assert_eq!(messages, 89);

    let first = out(&["stats", "--coverage", "-T", "json"]);
    let whole = r#"{"family":"xfrm","messages":71,"bytes":11915,"named":11915}"#;
    assert!(first.lines().any(|line| line == whole), "{first}");
}

#[test]
fn stats_says_how_to_name_a_family() {
    let path = capture("genl-ethtool.pcap");
    let (status, _, errors) = on(&["stats"], &path);
    let words =
        "nothing in it says which generic netlink family has the id 24; --genl 24=NAME does";
    let expected = format!("nlscope: FILE: {words}\n");
    assert_eq!((status, errors), (Some(0), expected));
    let (status, _, errors) = on(&["stats", "--genl", "24=devlink"], &path);
    assert_eq!((status, errors), (Some(0), String::new()));
}

#[test]
fn stats_tells_what_has_no_name() {
    // RTM_NEWADDR with an attribute of the number 99, which no kernel has.
    let address = [2, 24, 0, 0, 3, 0, 0, 0];
    let attributes = attribute(99, &[1, 2, 3, 4]);
    let message = LITTLE.message(20, 0, &[&address[..], &attributes].concat());
    let frame = nlmon(0, &message);
    let len = u32::try_from(frame.len()).unwrap();
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([65535_u32, 253].map(u32::to_le_bytes).concat());
    file.extend([1, 0, len, len].map(u32::to_le_bytes).concat());
    file.extend(frame);
    let output = fed(&["stats", "--coverage"], &file);
    let row: Vec<&str> = text(&output.stdout)
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .collect();
    // The header of an attribute without a name is not named either.
    assert_eq!(row, ["rt-addr", "1", "16", "8", "50.000%"]);
}
