//! Where the frames of all live sources come together: numbered, in batches, told apart
//! from our own.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nlscope_dissector::capture::{FrameAt, Time};
use nlscope_dissector::wire::{LinkType, Order, nlmsghdr};

use super::companion::Questions;
use crate::source::{FrameEntry, Outlet, Segment, SocketKey, SourceEvent, Stop};

/// A batch is handed out when it has so many bytes, or when nothing more is waiting.
pub(super) const BATCH: usize = 256 << 10;
/// Length of the cooked header that nlmon puts before a message.
const COOKED_LEN: usize = 16;
/// After how long one asks for a port anew: another program may have it.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How many ports are remembered that were asked for.
const MAX_ASKED: usize = 1 << 14;

/// The ports of our own sockets: what they say is left out of the view.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnPorts(Arc<Mutex<HashSet<(u16, u32)>>>);

impl OwnPorts {
    /// One more.
    pub(super) fn add(&self, protocol: u16, port: u32) {
        let mut ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ports.insert((protocol, port));
    }

    fn has(&self, protocol: u16, port: u32) -> bool {
        let ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ports.contains(&(protocol, port))
    }
}

/// What all sources share.
pub(super) struct Desk {
    outlet: Outlet,
    state: Mutex<State>,
    own: OwnPorts,
    show_own: bool,
    questions: Option<Questions>,
}

#[derive(Default)]
struct State {
    frames: u32,
    segments: u32,
    bytes: u64,
    asked: HashMap<SocketKey, Instant>,
}

/// The frames that one source has and has not handed out.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    frames: Vec<(FrameEntry, u16)>,
}

/// Where a frame comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Number of the interface.
    pub(super) interface: u32,
    /// Number of the network namespace.
    pub(super) netns: u32,
}

impl Batch {
    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a frame that has its cooked header.
    pub(super) fn add(&mut self, place: Place, time: Time, bytes: &[u8], wire_len: u32) {
        let protocol = bytes.get(COOKED_LEN - 2..).and_then(<[u8]>::first_chunk);
        let protocol = protocol.map_or(0, |bytes| u16::from_be_bytes(*bytes));
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.end_frame(start, place, time, wire_len, (protocol, None));
    }

    /// Adds a datagram, with the header that nlmon would give it. `len` is how long it was,
    /// where it was cut.
    pub(super) fn add_datagram(
        &mut self,
        place: Place,
        time: Time,
        (datagram, len): (&[u8], usize),
        protocol: u16,
        group: Option<NonZeroU32>,
    ) {
        let start = self.bytes.len();
        // PACKET_OUTGOING and ARPHRD_NETLINK, as nlmon has them.
        self.bytes.extend([0, 4, 3, 0x38]);
        self.bytes.extend([0; 10]);
        self.bytes.extend(protocol.to_be_bytes());
        self.bytes.extend_from_slice(datagram);
        let wire_len = u32::try_from(COOKED_LEN + len).unwrap_or(u32::MAX);
        self.end_frame(start, place, time, wire_len, (protocol, group));
    }

    /// What lies behind `start` is a frame.
    fn end_frame(
        &mut self,
        start: usize,
        place: Place,
        time: Time,
        wire_len: u32,
        (protocol, group): (u16, Option<NonZeroU32>),
    ) {
        let frame = FrameAt {
            number: 0,
            time: Some(time),
            link: LinkType::Netlink,
            interface: place.interface,
            wire_len,
            offset: 0,
            len: u32::try_from(self.bytes.len() - start).unwrap_or(0),
            netns: place.netns,
            group,
            process: None,
        };
        let entry = FrameEntry {
            frame,
            segment: 0,
            start,
            own: false,
        };
        self.frames.push((entry, protocol));
    }
}

impl Desk {
    /// Hands everything to `outlet`. Who has a port that turns up is one of `questions`.
    pub(super) fn new(
        outlet: Outlet,
        own: OwnPorts,
        show_own: bool,
        questions: Option<Questions>,
    ) -> Self {
        Self {
            outlet,
            state: Mutex::default(),
            own,
            show_own,
            questions,
        }
    }

    /// Hands out what is not a frame.
    pub(super) fn tell(&self, event: SourceEvent) -> Result<(), Stop> {
        self.outlet.send(event)
    }

    /// Hands out a batch, which is empty then. Of our own frames those that `keep_own`
    /// remain, to be learned from and recorded; how many were left out is returned.
    pub(super) fn hand_out(&self, batch: &mut Batch, keep_own: bool) -> Result<u64, Stop> {
        if batch.frames.is_empty() {
            return Ok(0);
        }
        let mut left_out = 0;
        let bytes = mem::take(&mut batch.bytes);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut frames = Vec::with_capacity(batch.frames.len());
        for (mut entry, protocol) in batch.frames.drain(..) {
            let start = entry.start + COOKED_LEN;
            let content = bytes.get(start..entry.start + entry.frame.len as usize);
            let port = content.map_or(0, port);
            let own = self.own.has(protocol, port);
            if own && !self.show_own {
                if !keep_own {
                    left_out += 1;
                    continue;
                }
                entry.own = true;
            }
            // Our own have no number, so that those of others count from 1.
            if !entry.own {
                state.frames = state.frames.saturating_add(1);
                entry.frame.number = state.frames;
            }
            entry.frame.offset = state.bytes + entry.start as u64;
            entry.segment = state.segments;
            if port != 0 && !own {
                self.ask(
                    &mut state,
                    SocketKey {
                        netns: entry.frame.netns,
                        protocol,
                        port,
                    },
                );
            }
            frames.push(entry);
        }
        if frames.is_empty() {
            return Ok(left_out);
        }
        state.segments = state.segments.saturating_add(1);
        state.bytes += bytes.len() as u64;
        // Still locked: frames have to arrive in the order of their numbers.
        self.outlet
            .send(SourceEvent::Segment(Segment::new(bytes.into_boxed_slice())))?;
        self.outlet.send(SourceEvent::Frames(frames))?;
        Ok(left_out)
    }

    fn ask(&self, state: &mut State, key: SocketKey) {
        let Some(questions) = &self.questions else {
            return;
        };
        let now = Instant::now();
        let recent = |asked: &Instant| now.duration_since(*asked) < ASK_AGAIN;
        if state.asked.get(&key).is_some_and(recent) {
            return;
        }
        if state.asked.len() >= MAX_ASKED {
            state.asked.retain(|_, asked| recent(asked));
        }
        if state.asked.len() < MAX_ASKED {
            state.asked.insert(key, now);
            questions.who_has(key);
        }
    }
}

/// `nlmsg_pid` of the first message.
fn port(content: &[u8]) -> u32 {
    nlmsghdr(Order::NATIVE)(content).map_or(0, |(_, header)| header.pid)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use super::*;

    const HERE: Place = Place {
        interface: 1,
        netns: 2,
    };

    /// A message of this protocol with this `nlmsg_pid`.
    fn message(pid: u32) -> Vec<u8> {
        let mut bytes = 16_u32.to_ne_bytes().to_vec();
        bytes.extend([18, 0, 1, 0, 0, 0, 0, 0]);
        bytes.extend(pid.to_ne_bytes());
        bytes
    }

    fn desk(show_own: bool) -> (Desk, Receiver<SourceEvent>) {
        let (outlet, receiver) = Outlet::new(16);
        let own = OwnPorts::default();
        own.add(0, 77);
        (Desk::new(outlet, own, show_own, None), receiver)
    }

    /// Numbers of the frames that were handed out, after `~` those of our own, and the first
    /// byte of their content.
    fn handed_out(receiver: &Receiver<SourceEvent>) -> String {
        let mut segment = None;
        let mut lines = Vec::new();
        for event in receiver.try_iter() {
            match event {
                SourceEvent::Segment(new) => segment = Some(new),
                SourceEvent::Frames(frames) => {
                    let segment = segment.take().unwrap();
                    for entry in frames {
                        let frame = entry.frame_in(segment.bytes(), None).unwrap();
                        let own = if entry.own { "~" } else { "" };
                        let group = frame.origin.group.map_or(0, NonZeroU32::get);
                        assert_eq!((frame.interface, frame.origin.netns), (1, 2));
                        assert_eq!(frame.bytes[..4], [0, 4, 3, 0x38]);
                        assert_eq!(frame.wire_len as usize, frame.bytes.len());
                        let (number, pid) = (frame.number, frame.bytes[28]);
                        lines.push(format!("{own}{number}:{pid}/{group}"));
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        lines.join(" ")
    }

    #[test]
    fn what_we_ask_ourselves_is_left_out_unless_it_is_wanted() {
        let group = NonZeroU32::new(3);
        for (show_own, keep_own, expected) in [
            (false, false, "1:1/0 2:2/3"),
            (false, true, "1:1/0 ~0:77/0 2:2/3"),
            (true, false, "1:1/0 2:77/0 3:2/3"),
        ] {
            let (desk, receiver) = desk(show_own);
            let mut batch = Batch::default();
            for (pid, group) in [(1, None), (77, None), (2, group)] {
                batch.add_datagram(HERE, Time(0), (&message(pid), 16), 0, group);
            }
            let left_out = desk.hand_out(&mut batch, keep_own).ok();
            assert_eq!(left_out, Some(u64::from(!show_own && !keep_own)));
            assert_eq!(handed_out(&receiver), expected);
            assert_eq!(batch.len(), 0);
        }
    }

    #[test]
    fn frames_of_another_protocol_with_the_same_port_are_of_others() {
        let (desk, receiver) = desk(false);
        let mut batch = Batch::default();
        batch.add_datagram(HERE, Time(0), (&message(77), 16), 12, None);
        assert!(desk.hand_out(&mut batch, false).is_ok());
        assert_eq!(handed_out(&receiver), "1:77/0");
    }
}
