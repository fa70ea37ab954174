//! Saving what the interface shows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use nlscope_dissector::capture::Frame;
use nlscope_dissector::context::{Context, GroupSeen};
use nlscope_dissector::wire::{Cooked, LinkType};

use super::recording::put;
use super::{RecordError, Recorder, Recording};
use crate::app::Messages;
use crate::source::{SourceEvent, nlmon_header};

/// Saves the frames of the messages that are listed, each once and in their order, behind
/// `beginning`, what a live source told first: interfaces, and what names families. Returns how
/// many there are.
///
/// # Errors
///
/// The file is there already, or cannot be written.
pub(crate) fn save(
    messages: &Messages,
    listed: &[u32],
    beginning: &[SourceEvent],
    path: &Path,
    comment: Option<String>,
) -> Result<u64, RecordError> {
    let recorder = Recorder::create_new(path, comment)?;
    let mut recording = Recording::new(recorder, Arc::clone(messages.context().schema()));
    for event in beginning {
        recording.take(event, None)?;
    }
    let mut recorder = recording.into_recorder()?;
    describe(&mut recorder, messages, listed)?;
    let mut before = 0;
    for message in listed {
        let Some(frame) = messages.frame(*message).filter(|it| it.number != before) else {
            continue;
        };
        before = frame.number;
        let known = messages.head(*message, |head| {
            let group = head.record.group.filter(|group| group.is_exact());
            (group.and_then(GroupSeen::number), head.process().cloned())
        });
        let (group, process) = known.unwrap_or_default();
        let bytes = as_of_nlmon(&frame);
        let frame = Frame {
            link: LinkType::Netlink,
            wire_len: wire_len(&frame, bytes.len()),
            bytes: &bytes,
            ..frame
        };
        put(
            &mut recorder,
            &frame,
            group,
            process.as_ref(),
            messages.context(),
        )?;
    }
    Ok(recorder.finish()?.packets)
}

/// Describes the interfaces that nobody told of: those of a file. What matters of their names
/// is the network namespace.
fn describe(
    recorder: &mut Recorder,
    messages: &Messages,
    listed: &[u32],
) -> Result<(), RecordError> {
    let frames = listed.iter().filter_map(|message| messages.frame(*message));
    let interfaces: BTreeMap<u32, u32> = frames
        .map(|frame| (frame.interface, frame.origin.netns))
        .collect();
    let last = interfaces.keys().next_back().copied();
    for number in recorder.interfaces()..last.map_or(0, |last| last.saturating_add(1)) {
        let netns = interfaces.get(&number).copied().unwrap_or(0);
        let name = name(messages.context(), number, netns);
        recorder.interface(&name, "netlink")?;
    }
    Ok(())
}

fn name(context: &Context, number: u32, netns: u32) -> String {
    match context.netns(netns) {
        Some(netns) => format!("interface {number}@{netns}"),
        None => format!("interface {number}"),
    }
}

/// The bytes of a frame with the header that nlmon gives it, whatever it was captured on.
fn as_of_nlmon<'f>(frame: &Frame<'f>) -> Cow<'f, [u8]> {
    let cooked = Cooked::parse(frame.link, frame.bytes);
    match cooked {
        Ok(cooked) if frame.link != LinkType::Netlink => {
            let content = frame.bytes.get(cooked.len as usize..).unwrap_or_default();
            [nlmon_header(cooked.protocol).as_slice(), content]
                .concat()
                .into()
        }
        _ => frame.bytes.into(),
    }
}

/// How long the frame was, now that `len` bytes of it are there.
fn wire_len(frame: &Frame<'_>, len: usize) -> u32 {
    let missing = (frame.wire_len as usize).saturating_sub(frame.bytes.len());
    u32::try_from(len + missing).unwrap_or(u32::MAX)
}
