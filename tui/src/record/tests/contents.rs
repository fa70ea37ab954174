//! What is in the files: everything that was said of a capture.

use super::*;

#[test]
fn everything_about_a_capture_can_be_read_back() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let comment = Some("while the link went down".to_owned());
    let mut recorder = Recorder::create(&path, Form::Pcapng, Rotation::default(), comment).unwrap();
    recorder.interface("nlmon0", "all of netlink").unwrap();
    recorder
        .interface("route", "groups of NETLINK_ROUTE")
        .unwrap();
    let packet = Packet {
        interface: 1,
        time: (START, 123_456_789),
        wire_len: 99,
        bytes: b"abcde",
        process: Some(Process {
            pid: 1234,
            name: "ip",
        }),
        group: Some(Group {
            number: 1,
            name: Some("RTNLGRP_LINK"),
        }),
    };
    recorder.packet(&packet).unwrap();
    let group = Some(Group {
        number: 33,
        name: None,
    });
    recorder
        .packet(&Packet {
            time: (START + 5, 0),
            process: None,
            group,
            ..packet
        })
        .unwrap();
    recorder.losses(losses(1, 7, 3));
    let summary = recorder.finish().unwrap();

    let length = fs::metadata(&path).unwrap().len();
    assert_eq!(
        summary,
        Summary {
            files: 1,
            packets: 2,
            bytes: length
        }
    );
    let capture = read(&path);
    let version = concat!("nlscope ", env!("CARGO_PKG_VERSION"));
    assert_eq!(capture.header[0], (1, text("while the link went down")));
    assert_eq!(capture.header[1].0, 3);
    assert!(capture.header[1].1.starts_with(b"Linux "));
    assert_eq!(capture.header[2], (4, text(version)));
    let described = |name, description| {
        (
            253,
            0,
            vec![(2, text(name)), (3, text(description)), (9, vec![9])],
        )
    };
    assert_eq!(
        capture.interfaces,
        [
            described("nlmon0", "all of netlink"),
            described("route", "groups of NETLINK_ROUTE")
        ]
    );
    assert_eq!(capture.processes, [(1234, vec![(2, text("ip"))])]);
    let first = Read {
        interface: 1,
        time: START * 1_000_000_000 + 123_456_789,
        wire_len: 99,
        bytes: text("abcde"),
        options: vec![
            (1, text("multicast group 1 (RTNLGRP_LINK)")),
            (0x8001, 0_u32.to_ne_bytes().to_vec()),
        ],
    };
    let second = Read {
        time: (START + 5) * 1_000_000_000,
        options: vec![(1, text("multicast group 33"))],
        ..first.clone()
    };
    assert_eq!(capture.packets, [first.clone(), second.clone()]);
    assert_statistics(&capture, first.time, second.time);
}

/// Of two interfaces, of which the first has no packets and did not say what it counted.
fn assert_statistics(capture: &Capture, start: u64, end: u64) {
    let halves = |time: u64| {
        let halves = [time >> 32, time & 0xffff_ffff].map(|half| u32::try_from(half).unwrap());
        halves.map(u32::to_ne_bytes).concat()
    };
    let count = |count: u64| count.to_ne_bytes().to_vec();
    let times = [(2, halves(start)), (3, halves(end))];
    let silent = [&times[..], &[(8, count(0))]].concat();
    let counted = [&times[..], &[(4, count(7)), (5, count(3)), (8, count(2))]].concat();
    assert_eq!(capture.statistics, [(0, end, silent), (1, end, counted)]);
}

#[test]
fn bytes_and_names_of_any_length_are_padded() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let names = ["", "a", "ab", "abc", "abcd", "abcde"];
    let mut recorder = Recorder::create(&path, Form::Pcapng, Rotation::default(), None).unwrap();
    for name in names {
        recorder.interface(name, name).unwrap();
    }
    for (pid, name) in (1..).zip(names) {
        recorder
            .packet(&Packet {
                process: Some(Process { pid, name }),
                group: Some(Group {
                    number: 5,
                    name: Some(name),
                }),
                ..plain(0, name.as_bytes())
            })
            .unwrap();
    }
    recorder.finish().unwrap();
    let capture = read(&path);
    assert_eq!(capture.interfaces.len(), 6);
    for (at, name) in names.into_iter().enumerate() {
        assert_eq!(capture.interfaces[at].2[0], (2, text(name)));
        assert_eq!(capture.processes[at].1, [(2, text(name))]);
        assert_eq!(capture.packets[at].bytes, name.as_bytes());
        assert_eq!(
            capture.packets[at].options[0].1,
            text(&format!("multicast group 5 ({name})"))
        );
    }
}

#[test]
fn a_name_too_long_for_an_option_is_cut_off_between_characters() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let long = format!("a{}", "é".repeat(40_000));
    let longest = "b".repeat(65_535);
    let mut recorder = Recorder::create(&path, Form::Pcapng, Rotation::default(), None).unwrap();
    recorder.interface(&format!("a{long}"), &longest).unwrap();
    let process = Some(Process {
        pid: 1,
        name: &long,
    });
    let group = Some(Group {
        number: 1,
        name: Some(&long),
    });
    recorder
        .packet(&Packet {
            process,
            group,
            ..plain(0, b"x")
        })
        .unwrap();
    recorder.finish().unwrap();
    let capture = read(&path);
    // With one more byte before the characters of two bytes, the last of them has no room.
    assert_eq!(
        capture.interfaces[0].2[0].1,
        text(&format!("a{long}")[..65_534])
    );
    assert_eq!(capture.interfaces[0].2[1].1, text(&longest));
    assert_eq!(capture.processes[0].1[0].1, text(&long[..65_535]));
    let comment = format!("multicast group 1 ({long})");
    assert_eq!(capture.packets[0].options[0].1, text(&comment[..65_534]));
    assert_eq!(capture.packets[0].options[1], (0x8001, vec![0; 4]));
}

#[test]
fn a_process_is_described_once_in_each_file() {
    let folder = Folder::new();
    let rotation = Rotation {
        packets: Some(5),
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    let seen = [
        (1, "init"),
        (2, "ip"),
        (1, "init"),
        (1, "systemd"),
        (2, "ip"),
        (2, "ip"),
    ];
    for (pid, name) in seen {
        let process = Some(Process { pid, name });
        recorder
            .packet(&Packet {
                process,
                ..plain(0, b"x")
            })
            .unwrap();
    }
    recorder.finish().unwrap();
    let files: Vec<_> = folder.files().iter().map(|path| read(path)).collect();
    let described = |at: usize| -> Vec<_> {
        let name = |options: &Options| String::from_utf8(options[0].1.clone()).unwrap();
        files[at]
            .processes
            .iter()
            .map(|(pid, options)| (*pid, name(options)))
            .collect()
    };
    let numbers = |at: usize| -> Vec<_> {
        files[at]
            .packets
            .iter()
            .map(|packet| number(&packet.options[0].1))
            .collect()
    };
    assert_eq!(
        described(0),
        [(1, "init".into()), (2, "ip".into()), (1, "systemd".into())]
    );
    assert_eq!(numbers(0), [0, 1, 0, 2, 1]);
    assert_eq!(described(1), [(2, "ip".into())]);
    assert_eq!(numbers(1), [0]);
}

#[test]
fn pcap_has_packets_with_nanoseconds() {
    let folder = Folder::new();
    let path = folder.file("a.pcap");
    let mut recorder =
        Recorder::create(&path, Form::Pcap, Rotation::default(), Some("lost".into())).unwrap();
    recorder.interface("nlmon0", "").unwrap();
    let process = Some(Process {
        pid: 1,
        name: "init",
    });
    let packet = Packet {
        process,
        time: (START, 123_456_789),
        ..plain(0, b"abcde")
    };
    recorder.packet(&packet).unwrap();
    let long = vec![7; 262_145];
    recorder.packet(&plain(1, &long)).unwrap();
    recorder.losses(losses(0, 2, 0));
    let summary = recorder.finish().unwrap();

    let bytes = fs::read(&path).unwrap();
    assert_eq!(
        summary,
        Summary {
            files: 1,
            packets: 2,
            bytes: bytes.len() as u64
        }
    );
    let capture = LegacyPcapSlice::from_slice(&bytes).unwrap();
    assert!(capture.header.is_nanosecond_precision());
    assert_eq!(
        (capture.header.version_major, capture.header.version_minor),
        (2, 4)
    );
    assert_eq!(
        (capture.header.snaplen, capture.header.network.0),
        (262_144, 253)
    );
    let packets: Vec<_> = capture
        .map(|block| match block.unwrap() {
            PcapBlockOwned::Legacy(packet) => (
                u64::from(packet.ts_sec),
                packet.ts_usec,
                packet.caplen,
                packet.origlen,
                packet.data.to_vec(),
            ),
            _ => panic!("no packet"),
        })
        .collect();
    assert_eq!(
        packets,
        [
            (START, 123_456_789, 5, 5, text("abcde")),
            (START + 1, 0, 262_144, 262_145, vec![7; 262_144])
        ]
    );
}
