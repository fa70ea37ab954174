//! The captures, for tests that look at every frame.

use nlscope_dissector::capture::{Reader, Step};
use nlscope_dissector::wire::LinkType;

/// Name, link type and frames of every pcap file.
pub(crate) fn all() -> impl Iterator<Item = (String, LinkType, Vec<Vec<u8>>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../captures");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "pcap"));
    paths.sort();
    paths.into_iter().map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (
            name,
            LinkType::Netlink,
            frames(&std::fs::read(&path).unwrap()),
        )
    })
}

fn frames(file: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = Reader::new();
    let mut frames = Vec::new();
    loop {
        let rest = &file[usize::try_from(reader.offset()).unwrap()..];
        match reader.next(rest, true).unwrap() {
            Step::Frame(at) => {
                let start = usize::try_from(at.offset).unwrap();
                frames.push(file[start..start + at.len as usize].to_vec());
            }
            Step::LeftOut(_) | Step::NeedMore(_) => {}
            Step::End => return frames,
        }
    }
}
