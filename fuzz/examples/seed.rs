//! Fills `corpus/` with what the targets start from: pieces of the captures, of the
//! schema, and filters.
//!
//! `cargo run --example seed`, in this folder.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Longer seeds slow the fuzzer down more than they tell it.
const LONGEST: usize = 2048;

const FILTERS: &[&str] = &[
    "protocol == route",
    "type == RTM_NEWLINK && flags.dump",
    "group == RTNLGRP_LINK or errno == ENODEV",
    "rt-link.linkinfo.kind == \"vlan\" && rt-link.linkinfo.data.id in {1, 5, 10..20}",
    "rt-route.dst in {10.0.0.0/8, fd00::/8} and not (metrics.mtu < 1400)",
    "ifname matches \"^eth[0-9]+$\" || ifname contains \"br\"",
    "!(latency > 0.5) && direction != to-kernel",
    "rt-link.address == 02:00:00:00:00:01",
];

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in files(&here.join("../captures"), &["pcap", "pcapng"])? {
        let file = fs::read(&path)?;
        let name = path.file_name().ok_or("a file has a name")?;
        let name = name.to_string_lossy();
        write(here, "capture", &name, &file[..file.len().min(LONGEST)])?;
        if name.ends_with(".pcapng") {
            write(here, "capture", "big-endian.pcapng", last_section(&file))?;
            continue;
        }
        for (number, piece) in pieces(&file).enumerate() {
            write(here, "screen", &format!("{name}-{number:03}"), &piece)?;
        }
    }
    for path in files(&here.join("../dissector/schema"), &["yaml"])? {
        let text = fs::read_to_string(&path)?;
        let name = path.file_name().ok_or("a file has a name")?;
        let cut = text.floor_char_boundary(LONGEST);
        let cut = text[..cut].rfind('\n').unwrap_or(cut);
        write(
            here,
            "ynl",
            &name.to_string_lossy(),
            &text.as_bytes()[..cut],
        )?;
    }
    for (number, filter) in FILTERS.iter().enumerate() {
        write(here, "filter", &number.to_string(), filter.as_bytes())?;
    }
    Ok(())
}

fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| {
        extensions
            .iter()
            .any(|wanted| path.extension().is_some_and(|ext| ext == *wanted))
    });
    paths.sort();
    Ok(paths)
}

fn write(here: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = here.join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)?;
    Ok(())
}

/// The section of a pcapng file that begins last.
fn last_section(file: &[u8]) -> &[u8] {
    let at = file
        .windows(4)
        .rposition(|bytes| bytes == [0x0a, 0x0d, 0x0d, 0x0a]);
    let section = &file[at.unwrap_or(0)..];
    &section[..section.len().min(LONGEST)]
}

/// The frames of a pcap file as the target `screen` takes them, some at a time.
fn pieces(file: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let little = file[0] == 0xd4;
    let mut rest = &file[24..];
    std::iter::from_fn(move || {
        let mut piece = vec![8];
        while let Some((header, after)) = rest.split_at_checked(16) {
            let len: [u8; 4] = header[8..12].try_into().ok()?;
            let len = if little {
                u32::from_le_bytes(len)
            } else {
                u32::from_be_bytes(len)
            } as usize;
            if piece.len() > 1 && piece.len() + len + 3 > LONGEST {
                break;
            }
            rest = &after[len..];
            if let Ok(short) = u16::try_from(len) {
                piece.push(0);
                piece.extend(short.to_le_bytes());
                piece.extend(&after[..len]);
            }
        }
        (piece.len() > 1).then_some(piece)
    })
}
