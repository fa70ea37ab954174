//! What is live, as far as any machine shows it. The rest is shown by a virtual machine:
//! tests/vm.

#![cfg(target_os = "linux")]

mod process;

use std::process::Command;

use process::{nlscope, text};

/// What a run prints that ends well.
#[track_caller]
fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

/// What a run complains of that ends with this status.
#[track_caller]
fn failed(command: &mut Command, status: i32) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(status));
    text(&output.stderr).to_owned()
}

#[test]
fn sockets_are_listed_with_their_programs() {
    let listed = stdout(&mut nlscope(&["sockets", "-T", "json"]));
    let own = listed.lines().find(|line| line.contains("\"sock-diag\""));
    let own: serde_json::Value = serde_json::from_str(own.unwrap()).unwrap();
    assert_eq!(own["process"], "nlscope");
    assert!(own["port"].as_u64().unwrap() > 0);
    let table = stdout(&mut nlscope(&["sockets", "--kernel"]));
    assert!(table.starts_with("protocol "), "{table}");
    assert!(
        table
            .lines()
            .any(|line| line.starts_with("route ") && line.contains("kernel"))
    );
}

#[test]
fn a_group_that_is_none_is_told() {
    let error = failed(&mut nlscope(&["dump", "--groups=nosuch"]), 1);
    assert!(error.contains("nosuch"), "{error}");
}

#[test]
fn a_network_namespace_that_is_none_is_told() {
    let error = failed(&mut nlscope(&["dump", "--groups", "--netns", "nosuch"]), 1);
    assert!(error.contains("/run/netns/nosuch"), "{error}");
}

#[test]
fn a_network_namespace_is_captured_in_once() {
    let arguments = ["dump", "--groups", "--netns", "a", "--netns", "a"];
    let error = failed(&mut nlscope(&arguments), 2);
    assert!(error.contains("a is named twice"), "{error}");
}

#[test]
fn a_file_and_the_machine_are_not_read_at_once() {
    let error = failed(&mut nlscope(&["dump", "--groups", "x.pcap"]), 2);
    assert!(error.contains("not both"), "{error}");
}

#[test]
fn bounds_are_checked_before_anything_is_opened() {
    for (bound, hint) in [
        ("filesize:0", "no number above 0"),
        ("duration:x", "no seconds"),
        ("size:5", "none of duration, filesize, packets and files"),
        ("5", "duration:60"),
    ] {
        let error = failed(&mut nlscope(&["record", "-w", "/dev/null", "-b", bound]), 2);
        assert!(error.contains(hint), "{error}");
    }
    let error = failed(
        &mut nlscope(&["record", "-w", "/dev/null", "-a", "files:2"]),
        2,
    );
    assert!(error.contains("wants -b"), "{error}");
}
