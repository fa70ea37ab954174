//! Captures that are written and read back.

mod contents;
mod disk;
mod place;
mod rotation;
mod save;

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

/// What was counted of an interface.
fn losses(interface: u32, received: u64, dropped: u64) -> Losses {
    Losses {
        interface,
        received,
        dropped,
        own: 0,
    }
}
