//! The command line as a process: what is printed where, and the exit status.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A capture that is in the repository.
fn capture(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("../captures").join(name)
}

/// A file made for a test, gone when it ends.
struct Made(PathBuf);

impl Made {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // What is left over is overwritten the next time.
        let _ = fs::remove_file(&self.0);
    }
}

fn nlscope(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nlscope"));
    command
        .args(args)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// Runs with `path` as the last argument: exit status, lines on standard output, and
/// standard error with the path replaced by FILE.
fn on(args: &[&str], path: &Path) -> (Option<i32>, usize, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = nlscope(args).arg(path).output().unwrap();
    let errors = text(&stderr).replace(&path.display().to_string(), "FILE");
    (status.code(), text(&stdout).lines().count(), errors)
}

/// Runs with these bytes on standard input.
fn fed(args: &[&str], bytes: &[u8]) -> Output {
    let mut child = nlscope(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    // Whoever does not read to the end closes the pipe.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

/// A file of these bytes: one line on standard error, and the same through standard input.
#[track_caller]
fn check(name: &str, bytes: &[u8], status: i32, lines: usize, expected: &str) {
    let made = Made::new(name, bytes);
    let shown = on(&["dump"], &made.0);
    let complaint = |input| format!("nlscope: {input}: {expected}\n");
    assert_eq!(shown, (Some(status), lines, complaint("FILE")));
    let output = fed(&["dump", "-"], bytes);
    assert_eq!(output.status.code(), Some(status));
    assert_eq!(text(&output.stdout).lines().count(), lines);
    assert_eq!(text(&output.stderr), complaint("standard input"));
}

#[test]
fn what_is_no_capture_is_one_clear_line() {
    check("empty", b"", 1, 0, "the file is empty");
    check("text", b"some text\n", 1, 0, "neither pcap nor pcapng");
    check("zeros", &[0; 500], 1, 0, "neither pcap nor pcapng");
    let head = &fs::read(capture("xfrm.pcap")).unwrap()[..20];
    let words = "cut off inside the file header, after 20 bytes";
    check("head", head, 1, 0, words);
    let garbage = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff];
    check("garbage.gz", &garbage, 1, 0, "gzip: corrupt deflate stream");
}

#[test]
fn what_cannot_be_opened_is_said() {
    let no = |words: &str| (Some(1), 0, format!("nlscope: FILE: {words}\n"));
    assert_eq!(on(&["dump"], Path::new(".")), no("is a directory"));
    let missing = Path::new("no/such/file.pcap");
    assert_eq!(on(&["dump"], missing), no("No such file or directory"));
    assert_eq!(on(&[], missing), no("No such file or directory"));
}

#[test]
fn another_link_type_is_named() {
    let mut file = fs::read(capture("xfrm.pcap")).unwrap();
    file[20] = 1;
    let words = "link type 1 (Ethernet) cannot hold netlink (link types 253, 113 and 276 can)";
    check("ethernet.pcap", &file, 1, 0, words);
}

#[test]
fn a_cut_file_shows_what_comes_before() {
    let file = fs::read(capture("xfrm.pcap")).unwrap();
    let words = "damaged at byte 4952: the file ends inside a record, \
                 at least 20 bytes are missing";
    check("cut.pcap", &file[..5000], 2, 18, words);
}

#[test]
fn a_length_that_was_overwritten_ends_the_capture() {
    let mut file = fs::read(capture("xfrm.pcap")).unwrap();
    file[4952 + 8..4952 + 12].fill(0xff);
    let words = "damaged at byte 4952: a record of 4294967295 bytes, 16777216 is the most";
    check("absurd.pcap", &file, 2, 18, words);
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
fn json_is_valid_line_by_line_and_nothing_reaches_the_terminal() {
    let path = capture("malformed.pcap");
    let control = |c: char| c.is_control() && c != '\n';
    for args in [
        &["dump", "-T", "json"][..],
        &["dump"],
        &["dump", "-V", "-x"],
    ] {
        let output = nlscope(args).arg(&path).output().unwrap();
        let shown = text(&output.stdout);
        assert!(!shown.contains(control), "{args:?}");
        if args.contains(&"json") {
            for line in shown.lines() {
                serde_json::from_str::<serde_json::Value>(line).unwrap();
            }
        }
    }
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
    let (status, _, errors) = on(&["dump", "-Y", "foo == 1"], &path);
    assert_eq!(status, Some(2));
    assert!(errors.starts_with("nlscope: filter: "), "{errors}");
    assert!(errors.ends_with("\n  foo == 1\n  ^^^\n"), "{errors}");
    assert_eq!(on(&["dump", "--genl", "x"], &path).0, Some(2));
    assert_eq!(on(&["dump", "--count", "-V"], &path).0, Some(2));
    assert_eq!(nlscope(&[]).output().unwrap().status.code(), Some(2));
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
    let broken = Made::new("broken.yaml", b"name: [\n");
    let (status, _, errors) = on(&["schema", "list", "--spec"], &broken.0);
    assert_eq!(status, Some(1));
    assert!(errors.starts_with("nlscope: FILE:"), "{errors}");
}

#[test]
fn completions_and_manual_page_are_made() {
    for args in [&["completions", "bash"][..], &["man"]] {
        let output = nlscope(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("nlscope"));
    }
}
