//! Captures that are written and read back.

use std::cell::Cell;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use pcap_parser::{Block, LegacyPcapSlice, PcapBlockOwned, PcapNGOption, PcapNGSlice};

use super::sink::{FileSink, Sink};
use super::*;

/// A Saturday: 2026-11-21 07:30:00 UTC.
const START: u64 = 1_795_246_200;

/// A folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("nlscope-record-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The files in it by name, which for those of a rotation is also their order.
    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Codes and values of options, the end of them left out.
type Options = Vec<(u16, Vec<u8>)>;

/// A capture as it was read back.
#[derive(Default)]
struct Capture {
    header: Options,
    interfaces: Vec<(i32, u32, Options)>,
    processes: Vec<(u32, Options)>,
    packets: Vec<Read>,
    statistics: Vec<(u32, u64, Options)>,
}

/// A packet as it was read back.
#[derive(Debug, Clone, PartialEq)]
struct Read {
    interface: u32,
    time: u64,
    wire_len: u32,
    bytes: Vec<u8>,
    options: Options,
}

fn options(read: &[PcapNGOption<'_>]) -> Options {
    let end = read.last().expect("options end");
    assert_eq!((end.code.0, end.len), (0, 0));
    let named = &read[..read.len() - 1];
    named
        .iter()
        .map(|option| {
            let padding = &option.value()[usize::from(option.len)..];
            assert!(padding.len() < 4 && padding.iter().all(|&byte| byte == 0));
            (option.code.0, option.as_bytes().unwrap().to_vec())
        })
        .collect()
}

fn time(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Reads a pcapng file, all of which has to be right.
fn read(path: &Path) -> Capture {
    let bytes = fs::read(path).unwrap();
    let mut capture = Capture::default();
    for (at, block) in PcapNGSlice::from_slice(&bytes).unwrap().enumerate() {
        let PcapBlockOwned::NG(block) = block.unwrap() else {
            panic!("{} is no pcapng file", path.display());
        };
        assert_eq!(at == 0, matches!(block, Block::SectionHeader(_)));
        capture.take(block);
    }
    capture
}

impl Capture {
    fn take(&mut self, block: Block<'_>) {
        match block {
            Block::SectionHeader(block) => {
                assert_eq!(
                    (block.major_version, block.minor_version, block.section_len),
                    (1, 0, -1)
                );
                self.header = options(&block.options);
            }
            Block::InterfaceDescription(block) => {
                self.interfaces
                    .push((block.linktype.0, block.snaplen, options(&block.options)));
            }
            Block::ProcessInformation(block) => {
                self.processes
                    .push((block.process_id, options(&block.options)));
            }
            Block::EnhancedPacket(block) => {
                let (bytes, padding) = block.data.split_at(block.caplen as usize);
                assert!(padding.len() < 4 && padding.iter().all(|&byte| byte == 0));
                self.packets.push(Read {
                    interface: block.if_id,
                    time: time(block.ts_high, block.ts_low),
                    wire_len: block.origlen,
                    bytes: bytes.to_vec(),
                    options: if block.options.is_empty() {
                        vec![]
                    } else {
                        options(&block.options)
                    },
                });
            }
            Block::InterfaceStatistics(block) => {
                let at = time(block.ts_high, block.ts_low);
                self.statistics
                    .push((block.if_id, at, options(&block.options)));
            }
            other => panic!("a block that is not written: {other:?}"),
        }
    }

    /// The first bytes of the packets, which tests number with them.
    fn numbers(&self) -> Vec<u32> {
        self.packets
            .iter()
            .map(|packet| number(&packet.bytes))
            .collect()
    }
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_ne_bytes(bytes[..4].try_into().unwrap())
}

/// A packet a second after [`START`] for each `second`, with nothing known about it.
fn plain(second: u64, bytes: &[u8]) -> Packet<'_> {
    Packet {
        interface: 0,
        time: (START + second, 0),
        wire_len: u32::try_from(bytes.len()).unwrap(),
        bytes,
        process: None,
        group: None,
    }
}

/// Records packets of `length` bytes with the given numbers, one a second.
fn record(recorder: &mut Recorder, numbers: std::ops::Range<u32>, length: usize) {
    for number in numbers {
        let mut bytes = number.to_ne_bytes().to_vec();
        bytes.resize(length, 0xaa);
        recorder.packet(&plain(number.into(), &bytes)).unwrap();
    }
}

fn recorder(path: &Path, rotation: Rotation) -> Recorder {
    let mut recorder = Recorder::create(path, Form::Pcapng, rotation, None).unwrap();
    recorder.interface("nlmon0", "all of netlink").unwrap();
    recorder
}

fn once(path: &Path) -> Recorder {
    recorder(path, Rotation::default())
}

fn refused(path: &Path, rotation: Rotation) -> String {
    let Err(error) = Recorder::create(path, Form::Pcapng, rotation, None) else {
        panic!("{} was accepted", path.display());
    };
    error.to_string()
}

fn text(value: &str) -> Vec<u8> {
    value.as_bytes().to_vec()
}

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
    recorder.losses(
        1,
        Losses {
            received: 7,
            dropped: 3,
        },
    );
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
    recorder.losses(
        0,
        Losses {
            received: 2,
            dropped: 0,
        },
    );
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

#[test]
fn files_stay_within_their_size() {
    for form in [Form::Pcapng, Form::Pcap] {
        let folder = Folder::new();
        let rotation = Rotation {
            filesize: Some(2_000),
            ..Rotation::default()
        };
        let mut recorder = Recorder::create(&folder.file("a"), form, rotation, None).unwrap();
        recorder.interface("nlmon0", "all of netlink").unwrap();
        recorder.losses(
            0,
            Losses {
                received: 1,
                dropped: 1,
            },
        );
        record(&mut recorder, 0..100, 101);
        record(&mut recorder, 100..101, 5_000);
        record(&mut recorder, 101..150, 250);
        let summary = recorder.finish().unwrap();
        let lengths: Vec<_> = folder
            .files()
            .iter()
            .map(|path| fs::metadata(path).unwrap().len())
            .collect();
        assert_eq!(lengths.iter().filter(|&&length| length > 2_000).count(), 1);
        // Full, too: two more packets would not have fitted.
        assert!(
            lengths[..5]
                .iter()
                .all(|length| (1_700..=2_000).contains(length)),
            "{lengths:?}"
        );
        assert_eq!(
            (summary.files, summary.packets),
            (lengths.len() as u64, 150)
        );
        assert_eq!(summary.bytes, lengths.iter().sum::<u64>());
        if form == Form::Pcapng {
            let captures: Vec<_> = folder.files().iter().map(|path| read(path)).collect();
            assert!(captures.iter().all(|capture| capture.interfaces.len() == 1));
            assert!(captures.iter().all(|capture| capture.statistics.len() == 1));
            let numbers: Vec<_> = captures.iter().flat_map(Capture::numbers).collect();
            assert_eq!(numbers, (0..150).collect::<Vec<_>>());
            assert!(captures.iter().any(|capture| capture.numbers() == [100]));
        }
    }
}

#[test]
fn an_interface_that_finds_no_room_is_described_in_the_next_file() {
    let folder = Folder::new();
    let rotation = Rotation {
        filesize: Some(1_800),
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    record(&mut recorder, 0..1, 1_500);
    recorder
        .interface("route", "groups of NETLINK_ROUTE")
        .unwrap();
    recorder
        .packet(&Packet {
            interface: 1,
            ..plain(1, b"abcd")
        })
        .unwrap();
    recorder.finish().unwrap();
    let files = folder.files();
    assert_eq!(files.len(), 2);
    assert!(fs::metadata(&files[0]).unwrap().len() <= 1_800);
    assert_eq!(read(&files[0]).interfaces.len(), 1);
    assert_eq!(read(&files[0]).statistics.len(), 1);
    assert_eq!(read(&files[1]).interfaces.len(), 2);
    assert_eq!(read(&files[1]).packets[0].interface, 1);
}

#[test]
fn a_file_takes_so_many_packets_and_no_more() {
    let folder = Folder::new();
    let rotation = Rotation {
        packets: Some(3),
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    recorder.losses(
        0,
        Losses {
            received: 10,
            dropped: 2,
        },
    );
    record(&mut recorder, 0..3, 40);
    assert_eq!(folder.files().len(), 1);
    record(&mut recorder, 3..7, 40);
    recorder.losses(
        0,
        Losses {
            received: 20,
            dropped: 5,
        },
    );
    let summary = recorder.finish().unwrap();
    let captures: Vec<_> = folder.files().iter().map(|path| read(path)).collect();
    let numbers: Vec<_> = captures.iter().map(Capture::numbers).collect();
    assert_eq!(numbers, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    assert_eq!((summary.files, summary.packets), (3, 7));
    // Counts go on from file to file.
    let counts: Vec<_> = captures
        .iter()
        .map(|capture| {
            capture.statistics[0].2[2..]
                .iter()
                .map(|(_, count)| count[0])
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(counts, [[10, 2, 3], [10, 2, 6], [20, 5, 7]]);
    let name = |at: usize| {
        folder.files()[at]
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(name(1), "a_00002_20261121073003.pcapng");
    assert_eq!(name(2), "a_00003_20261121073006.pcapng");
}

#[test]
fn a_file_ends_a_while_after_its_first_packet() {
    let folder = Folder::new();
    let rotation = Rotation {
        duration: Some(Duration::from_secs(10)),
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    recorder.tick((START - 100, 0)).unwrap();
    record(&mut recorder, 0..13, 40);
    // An earlier packet does not belong to an earlier file.
    recorder.packet(&plain(9, &99_u32.to_ne_bytes())).unwrap();
    recorder.tick((START + 18, 999_999_999)).unwrap();
    assert_eq!(folder.files().len(), 2);
    recorder.tick((START + 19, 0)).unwrap();
    assert_eq!(folder.files().len(), 3);
    recorder.tick((START + 60, 0)).unwrap();
    assert_eq!(folder.files().len(), 3, "a file without a packet goes on");
    record(&mut recorder, 65..66, 40);
    recorder.finish().unwrap();
    let numbers: Vec<_> = folder
        .files()
        .iter()
        .map(|path| read(path).numbers())
        .collect();
    assert_eq!(numbers, [(0..10).collect(), vec![10, 11, 12, 99], vec![65]]);
    assert!(folder.files()[2].ends_with("a_00003_20261121073019.pcapng"));
}

#[test]
fn the_ring_deletes_the_oldest_of_its_own_files_only() {
    let folder = Folder::new();
    let foreign = folder.file("a_00000_20200101000000.pcapng");
    fs::write(&foreign, "kept").unwrap();
    let files = NonZeroU32::new(2);
    let rotation = Rotation {
        packets: Some(1),
        files,
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    record(&mut recorder, 0..3, 40);
    assert_eq!(folder.files().len(), 3);
    // One that is gone already is no fault.
    fs::remove_file(&folder.files()[1]).unwrap();
    record(&mut recorder, 3..6, 40);
    let summary = recorder.finish().unwrap();
    assert_eq!((summary.files, summary.packets), (6, 6));
    let left = folder.files();
    assert_eq!(left.len(), 3);
    assert_eq!(left[0], foreign);
    assert_eq!(read(&left[1]).numbers(), [4]);
    assert_eq!(read(&left[2]).numbers(), [5]);
    assert!(left[2].ends_with("a_00006_20261121073005.pcapng"));
}

#[test]
fn a_file_of_the_ring_that_cannot_be_deleted_is_reported_and_nothing_lost() {
    let folder = Folder::new();
    let rotation = Rotation {
        packets: Some(1),
        files: NonZeroU32::new(1),
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    record(&mut recorder, 0..1, 40);
    let oldest = recorder.path().to_owned();
    fs::remove_file(&oldest).unwrap();
    fs::create_dir(&oldest).unwrap();
    let error = recorder
        .packet(&plain(1, &1_u32.to_ne_bytes()))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(&format!("cannot delete {}, the oldest", oldest.display())),
        "{error}"
    );
    record(&mut recorder, 1..2, 40);
    let last = recorder.path().to_owned();
    recorder.finish().unwrap();
    assert_eq!(read(&last).numbers(), [1]);
}

thread_local! {
    /// How many more bytes the disk of this test has room for.
    static ROOM: Cell<usize> = const { Cell::new(0) };
}

/// A file on a disk of which [`ROOM`] is left.
struct Cramped {
    file: FileSink,
    can_take_back: bool,
}

impl Sink for Cramped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = ROOM.get().min(bytes.len());
        if room == 0 {
            // ENOSPC
            return Err(io::Error::from_raw_os_error(28));
        }
        let count = self.file.write(&bytes[..room])?;
        ROOM.set(ROOM.get() - count);
        Ok(count)
    }

    fn take_back(&mut self, count: u64) -> io::Result<()> {
        if !self.can_take_back {
            return Err(io::ErrorKind::Unsupported.into());
        }
        ROOM.set(ROOM.get() + usize::try_from(count).unwrap());
        self.file.take_back(count)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}

fn open_cramped(path: &Path) -> Result<Box<dyn Sink>, RecordError> {
    Ok(Box::new(Cramped {
        file: FileSink::create(path)?,
        can_take_back: true,
    }))
}

fn open_cramped_stream(path: &Path) -> Result<Box<dyn Sink>, RecordError> {
    Ok(Box::new(Cramped {
        file: FileSink::create(path)?,
        can_take_back: false,
    }))
}

fn cramped(path: &Path, rotation: Rotation, open: Open) -> Recorder {
    ROOM.set(1_000);
    let mut recorder = Recorder::begin(path, Form::Pcapng, rotation, None, open).unwrap();
    recorder.interface("nlmon0", "all of netlink").unwrap();
    recorder.flush().unwrap();
    recorder
}

#[test]
fn a_full_disk_leaves_whole_blocks() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let process = Some(Process {
        pid: 1,
        name: "init",
    });
    let mut counts = vec![];
    for room in 0..400 {
        let mut recorder = cramped(&path, Rotation::default(), open_cramped);
        ROOM.set(room);
        for second in 0..3_u32 {
            let bytes = second.to_ne_bytes();
            recorder
                .packet(&Packet {
                    process,
                    ..plain(second.into(), &bytes)
                })
                .unwrap();
        }
        let Err(error) = recorder.flush() else {
            assert_eq!(recorder.written(), 3);
            break;
        };
        let written = recorder.written();
        let error = error.to_string();
        let said = format!(
            "writing to {} failed: No space left on device (os error 28); packets \
             written to it before: {written}; it ends with a whole block; free some space",
            path.display()
        );
        assert!(error.starts_with(&said), "{error}");
        assert_eq!(read(&path).packets.len() as u64, written);
        counts.push(written);

        ROOM.set(1_000);
        assert_eq!(recorder.finish().unwrap().packets, 3);
        let capture = read(&path);
        assert_eq!(capture.numbers(), [0, 1, 2]);
        assert_eq!((capture.processes.len(), capture.statistics.len()), (1, 1));
    }
    counts.dedup();
    assert_eq!(counts, [0, 1, 2]);
}

#[test]
fn a_full_disk_takes_no_packet_beyond_the_buffer() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let mut recorder = cramped(&path, Rotation::default(), open_cramped);
    ROOM.set(100_000);
    let bytes = [0; 10_000];
    let taken = (0..100)
        .take_while(|_| recorder.packet(&plain(0, &bytes)).is_ok())
        .count();
    assert_eq!(taken, 27);
    assert_eq!(recorder.written(), 9);
    // Nine packets less are buffered now, and as many find room.
    let taken = (0..100)
        .take_while(|_| recorder.packet(&plain(0, &bytes)).is_ok())
        .count();
    assert_eq!(taken, 9);
    assert!(recorder.finish().is_err());
    assert_eq!(read(&path).packets.len(), 9);
}

#[test]
fn a_stream_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let mut recorder = cramped(&path, Rotation::default(), open_cramped_stream);
    record(&mut recorder, 0..3, 100);
    ROOM.set(200);
    for _ in 0..2 {
        // The second time, nothing at all is taken.
        let error = recorder.flush().unwrap_err().to_string();
        assert!(
            error.contains("before: 1; it may end within a block;"),
            "{error}"
        );
    }
    assert_eq!(recorder.written(), 1);
    ROOM.set(1_000);
    assert_eq!(recorder.finish().unwrap().packets, 3);
    assert_eq!(read(&path).numbers(), [0, 1, 2]);
}

#[test]
fn a_rotation_that_failed_is_tried_again() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let rotation = Rotation {
        packets: Some(1),
        ..Rotation::default()
    };
    let mut recorder = cramped(&path, rotation, open_cramped);
    record(&mut recorder, 0..1, 100);
    for room in [0, 50, 140, 250, 500] {
        ROOM.set(room);
        if recorder.packet(&plain(1, &1_u32.to_ne_bytes())).is_ok() {
            break;
        }
        assert!(room < 500);
    }
    ROOM.set(1_000);
    let summary = recorder.finish().unwrap();
    assert_eq!((summary.files, summary.packets), (2, 2));
    let captures: Vec<_> = folder.files().iter().map(|path| read(path)).collect();
    let read: Vec<_> = captures
        .iter()
        .map(|capture| (capture.numbers(), capture.statistics.len()))
        .collect();
    assert_eq!(read, [(vec![0], 1), (vec![1], 1)]);
}

#[test]
fn a_killed_recorder_leaves_what_it_counted() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let mut recorder = once(&path);
    record(&mut recorder, 0..5_000, 100);
    let counted = recorder.written();
    assert!(
        (1_000..5_000).contains(&counted),
        "a part was flushed of itself: {counted}"
    );
    assert_eq!(read(&path).packets.len() as u64, counted);
    recorder.flush().unwrap();
    record(&mut recorder, 5_000..5_010, 100);
    assert_eq!(recorder.written(), 5_000);
    // Nothing more happens to it, as if the process had been killed.
    std::mem::forget(recorder);
    assert_eq!(read(&path).numbers(), (0..5_000).collect::<Vec<_>>());
}

#[test]
fn a_capture_can_be_read_from_its_beginning() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let recorder = once(&path);
    assert_eq!(recorder.written(), 0);
    assert!(!read(&path).header.is_empty());
}

#[test]
fn a_file_that_is_there_is_overwritten() {
    let folder = Folder::new();
    let (old, new) = (folder.file("old"), folder.file("new"));
    fs::write(&old, vec![7; 100_000]).unwrap();
    symlink(&old, folder.file("link")).unwrap();
    for path in [&old, &new, &folder.file("link")] {
        let mut recorder = once(path);
        record(&mut recorder, 0..1, 10);
        recorder.finish().unwrap();
        assert_eq!(read(path).packets.len(), 1);
    }
    // Keys go over netlink.
    assert_eq!(
        fs::metadata(&new).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn nothing_but_files_is_overwritten() {
    let folder = Folder::new();
    let socket = folder.file("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let kinds = [
        (folder.0.as_path(), "a directory"),
        (socket.as_path(), "a socket"),
        (Path::new("/dev/full"), "a character device"),
    ];
    for (path, what) in kinds {
        let said = refused(path, Rotation::default());
        assert_eq!(
            said,
            format!(
                "{} is {what}, which is not overwritten; give -w the name of a file, a FIFO, /dev/null or - \
                 (standard output)",
                path.display()
            )
        );
    }
    let nowhere = folder.file("no/such/place");
    let said = refused(&nowhere, Rotation::default());
    assert!(
        said.starts_with(&format!(
            "cannot write to {}: No such file",
            nowhere.display()
        )),
        "{said}"
    );
}

#[test]
fn the_null_device_takes_everything() {
    let mut recorder = once(Path::new("/dev/null"));
    record(&mut recorder, 0..10, 100);
    assert_eq!(recorder.finish().unwrap().packets, 10);
}

#[test]
fn a_fifo_can_be_written_to() {
    let folder = Folder::new();
    let (fifo, copy) = (folder.file("fifo"), folder.file("copy"));
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| fs::write(&copy, fs::read(&fifo).unwrap()).unwrap());
        let mut recorder = once(&fifo);
        record(&mut recorder, 0..10, 100);
        assert_eq!(recorder.finish().unwrap().packets, 10);
    });
    assert_eq!(read(&copy).numbers(), (0..10).collect::<Vec<_>>());
}

#[test]
fn what_is_no_file_is_not_rotated() {
    let folder = Folder::new();
    let rotation = Rotation {
        packets: Some(1),
        ..Rotation::default()
    };
    for path in ["-", "/dev/stdout"] {
        let said = refused(Path::new(path), rotation);
        assert_eq!(
            said,
            "standard output cannot be rotated: give -w the name of a file, or leave out -b"
        );
    }
    for path in ["/dev/null", folder.0.to_str().unwrap(), ""] {
        let said = refused(Path::new(path), rotation);
        assert!(
            said.starts_with(&format!("{path} cannot be rotated: ")),
            "{said}"
        );
    }
    let files = NonZeroU32::new(2);
    let said = refused(
        &folder.file("a"),
        Rotation {
            files,
            ..Rotation::default()
        },
    );
    assert!(
        said.contains("not when the next one begins; add a size, a duration"),
        "{said}"
    );
    assert!(folder.files().is_empty());
}

#[test]
fn a_packet_of_an_unknown_interface_is_not_recorded() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let mut recorder = once(&path);
    let error = recorder
        .packet(&Packet {
            interface: 1,
            ..plain(0, b"x")
        })
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "a packet of interface 1, of which there are 1; describe the interface first"
    );
    assert_eq!(recorder.finish().unwrap().packets, 0);
    assert!(read(&path).packets.is_empty());
}
