//! Where the frames of all live sources come together: numbered, in batches, told apart
//! from our own.

use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nlscope_dissector::capture::{FrameAt, Time};
use nlscope_dissector::wire::LinkType;

use super::companion::Questions;
use crate::source::{
    FrameEntry, Losses, Outlet, Segment, SocketKey, SourceEvent, Stop, first_port, nlmon_header,
};

/// A batch is handed out when it has so many bytes, or when nothing more is waiting.
pub(super) const BATCH: usize = 256 << 10;
/// Length of the cooked header that nlmon puts before a message.
pub(super) const COOKED_LEN: usize = 16;
/// After how long one asks for a port anew: another program may have it.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How many bytes wait at most for earlier frames of another source.
const MAX_WAITING: usize = 16 << 20;
/// How many ports are remembered that were asked for.
const MAX_ASKED: usize = 1 << 14;

/// The ports of our own sockets: what they say is left out of the view.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnPorts(Arc<Mutex<HashSet<SocketKey>>>);

impl OwnPorts {
    /// One more.
    pub(super) fn add(&self, key: SocketKey) {
        let mut ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ports.insert(key);
    }

    fn has(&self, key: &SocketKey) -> bool {
        let ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ports.contains(key)
    }
}

/// What all sources share.
pub(super) struct Desk {
    outlet: Outlet,
    state: Mutex<State>,
    own: OwnPorts,
    show_own: bool,
    questions: Option<Questions>,
    /// How long frames wait for earlier ones that another source is late with.
    patience: Duration,
}

#[derive(Default)]
struct State {
    frames: u32,
    segments: u32,
    bytes: u64,
    asked: HashMap<SocketKey, Instant>,
    /// Our own frames that were left out, by interface.
    left_out: HashMap<u32, u64>,
    /// What came, in that order.
    waiting: VecDeque<Waiting>,
}

/// A batch that waits for those of other sources.
struct Waiting {
    batch: Batch,
    since: Instant,
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

    /// When the last of its frames was captured.
    pub(super) fn latest(&self) -> Option<Time> {
        self.frames.last().and_then(|(entry, _)| entry.frame.time)
    }

    /// The socket that one of its frames is of.
    fn user(&self, entry: &FrameEntry, protocol: u16) -> SocketKey {
        let start = entry.start + COOKED_LEN;
        let end = entry.start + entry.frame.len as usize;
        let content = self.bytes.get(start..end).unwrap_or_default();
        SocketKey {
            netns: entry.frame.netns,
            protocol,
            port: first_port(protocol, content),
        }
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
        self.bytes.extend(nlmon_header(protocol));
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
    /// Hands everything to `outlet`, what several sources bring in the order of its times: a
    /// frame waits `patience` for earlier ones. Who has a port that turns up is one of
    /// `questions`.
    pub(super) fn new(
        outlet: Outlet,
        own: OwnPorts,
        show_own: bool,
        questions: Option<Questions>,
        patience: Duration,
    ) -> Self {
        Self {
            outlet,
            state: Mutex::default(),
            own,
            show_own,
            questions,
            patience,
        }
    }

    /// Hands out what is not a frame.
    pub(super) fn tell(&self, event: SourceEvent) -> Result<(), Stop> {
        self.outlet.send(event)
    }

    /// Tells what an interface has counted; `losses` says all but how many frames were our own.
    pub(super) fn tell_losses(&self, losses: Losses) -> Result<(), Stop> {
        let left_out = self.lock().left_out.get(&losses.interface).copied();
        self.tell(SourceEvent::Losses(Losses {
            own: left_out.unwrap_or(0),
            ..losses
        }))
    }

    /// Hands out what we asked at the beginning, and the answers: to be learned from and
    /// recorded.
    pub(super) fn begin(&self, batch: Batch) -> Result<(), Stop> {
        self.hand_out(&mut self.lock(), batch, true)
    }

    /// Takes a batch, which is empty then, and hands out what has waited long enough.
    pub(super) fn take(&self, batch: &mut Batch) -> Result<(), Stop> {
        let batch = mem::take(batch);
        let mut state = self.lock();
        // At once: who has a port now may not have it any more when its frame is handed out.
        for (entry, protocol) in &batch.frames {
            let key = batch.user(entry, *protocol);
            if key.port != 0 && !self.own.has(&key) {
                self.ask(&mut state, key);
            }
        }
        if self.patience.is_zero() {
            return self.hand_out(&mut state, batch, false);
        }
        if !batch.frames.is_empty() {
            let since = Instant::now();
            state.waiting.push_back(Waiting { batch, since });
        }
        let merged = merge(&mut state.waiting, self.patience);
        self.hand_out(&mut state, merged, false)
    }

    /// How long until something has waited long enough; `None` where nothing waits.
    pub(super) fn due(&self) -> Option<Duration> {
        let state = self.lock();
        let since = state.waiting.front()?.since;
        Some(self.patience.saturating_sub(since.elapsed()))
    }

    /// Hands out all that waits.
    pub(super) fn flush(&self) -> Result<(), Stop> {
        let mut state = self.lock();
        let merged = merge(&mut state.waiting, Duration::ZERO);
        self.hand_out(&mut state, merged, false)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of our own frames those that `keep_own` remain. The state is locked until all is sent:
    /// frames have to arrive in the order of their numbers.
    fn hand_out(&self, state: &mut State, batch: Batch, keep_own: bool) -> Result<(), Stop> {
        let mut frames = Vec::with_capacity(batch.frames.len());
        for (mut entry, protocol) in batch.frames.iter().copied() {
            let own = self.own.has(&batch.user(&entry, protocol));
            if own && !self.show_own {
                if !keep_own {
                    *state.left_out.entry(entry.frame.interface).or_default() += 1;
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
            frames.push(entry);
        }
        if frames.is_empty() {
            return Ok(());
        }
        state.segments = state.segments.saturating_add(1);
        state.bytes += batch.bytes.len() as u64;
        let bytes = batch.bytes.into_boxed_slice();
        self.outlet
            .send(SourceEvent::Segment(Segment::new(bytes)))?;
        self.outlet.send(SourceEvent::Frames(frames))
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

/// Takes out what has waited for `patience`, or all if much waits, and whatever is not
/// later than that, in the order of its times.
fn merge(waiting: &mut VecDeque<Waiting>, patience: Duration) -> Batch {
    let bytes: usize = waiting.iter().map(|it| it.batch.len()).sum();
    let due = |it: &&Waiting| bytes > MAX_WAITING || it.since.elapsed() >= patience;
    // No clock is sure to go forward: the latest need not be the last.
    let times = |it: &Waiting| it.batch.frames.iter().map(|(it, _)| it.frame.time).max();
    let Some(horizon) = waiting.iter().filter(due).filter_map(times).max() else {
        return Batch::default();
    };
    let mut merged = Batch::default();
    for Waiting { batch, .. } in &mut *waiting {
        let now = (batch.frames).extract_if(.., |(entry, _)| entry.frame.time <= horizon);
        for (mut entry, protocol) in now {
            let end = entry.start + entry.frame.len as usize;
            let frame = batch.bytes.get(entry.start..end).unwrap_or_default();
            entry.start = merged.bytes.len();
            merged.bytes.extend_from_slice(frame);
            merged.frames.push((entry, protocol));
        }
    }
    waiting.retain(|it| !it.batch.frames.is_empty());
    // Those of one source stay in their order, and so do those of the same time.
    merged.frames.sort_by_key(|(entry, _)| entry.frame.time);
    merged
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

    fn desk(show_own: bool, patience: Duration) -> (Desk, Receiver<SourceEvent>) {
        let (outlet, receiver) = Outlet::new(16);
        let own = OwnPorts::default();
        own.add(SocketKey {
            netns: HERE.netns,
            protocol: 0,
            port: 77,
        });
        let desk = Desk::new(outlet, own, show_own, None, patience);
        (desk, receiver)
    }

    /// A batch of one message with this `nlmsg_pid`.
    fn one(time: i64, protocol: u16, pid: u32, group: u32) -> Batch {
        let mut batch = Batch::default();
        let group = NonZeroU32::new(group);
        batch.add_datagram(HERE, Time(time), (&message(pid), 16), protocol, group);
        batch
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
        for (show_own, expected) in [(false, "1:1/0 2:2/3"), (true, "1:1/0 2:77/0 3:2/3")] {
            let (desk, receiver) = desk(show_own, Duration::ZERO);
            for (pid, group) in [(1, 0), (77, 0), (2, 3)] {
                assert!(desk.take(&mut one(0, 0, pid, group)).is_ok());
            }
            assert_eq!(handed_out(&receiver), expected);
            let counted = Losses {
                interface: HERE.interface,
                ..Losses::default()
            };
            assert!(desk.tell_losses(counted).is_ok());
            let Some(SourceEvent::Losses(told)) = receiver.try_iter().next() else {
                panic!("no losses");
            };
            assert_eq!(told.own, u64::from(!show_own));
        }
    }

    #[test]
    fn what_we_asked_at_the_beginning_is_handed_out_without_a_number() {
        let (desk, receiver) = desk(false, Duration::ZERO);
        assert!(desk.begin(one(0, 0, 77, 0)).is_ok());
        assert!(desk.take(&mut one(0, 0, 1, 0)).is_ok());
        assert_eq!(handed_out(&receiver), "~0:77/0 1:1/0");
    }

    #[test]
    fn frames_of_another_protocol_with_the_same_port_are_of_others() {
        let (desk, receiver) = desk(false, Duration::ZERO);
        assert!(desk.take(&mut one(0, 12, 77, 0)).is_ok());
        assert_eq!(handed_out(&receiver), "1:77/0");
    }

    #[test]
    fn what_several_sources_bring_is_in_the_order_of_its_times() {
        let (desk, receiver) = desk(false, Duration::from_secs(1000));
        assert_eq!(desk.due(), None);
        let mut late = one(10, 0, 1, 0);
        let (content, at) = (message(3), Time(30));
        late.add_datagram(HERE, at, (&content, 16), 0, None);
        for batch in [&mut one(20, 0, 2, 9), &mut late, &mut one(20, 0, 4, 9)] {
            assert!(desk.take(batch).is_ok());
        }
        assert!(desk.due() > Some(Duration::from_secs(900)));
        assert_eq!(handed_out(&receiver), "", "there may be earlier ones");
        assert!(desk.flush().is_ok());
        assert_eq!(handed_out(&receiver), "1:1/0 2:2/9 3:4/9 4:3/0");
        assert_eq!(desk.due(), None);
    }

    #[test]
    fn nothing_is_left_where_the_clock_goes_back() {
        let (desk, receiver) = desk(false, Duration::from_secs(1000));
        let mut batch = one(30, 0, 1, 0);
        for (time, pid) in [(40, 2), (10, 3)] {
            batch.add_datagram(HERE, Time(time), (&message(pid), 16), 0, None);
        }
        assert!(desk.take(&mut batch).is_ok());
        assert!(desk.flush().is_ok());
        assert_eq!(handed_out(&receiver), "1:3/0 2:1/0 3:2/0");
        assert_eq!(desk.due(), None);
    }

    #[test]
    fn what_is_later_than_all_that_is_due_waits_on() {
        let (first, second) = (one(10, 0, 1, 0), one(20, 0, 2, 0));
        let since = Instant::now();
        let ago = since.checked_sub(Duration::from_secs(5)).unwrap();
        let mut waiting = VecDeque::from([
            Waiting {
                batch: second,
                since,
            },
            Waiting {
                batch: first,
                since: ago,
            },
        ]);
        let merged = merge(&mut waiting, Duration::from_secs(4));
        assert_eq!((merged.frames.len(), waiting.len()), (1, 1));
        let merged = merge(&mut waiting, Duration::ZERO);
        assert_eq!((merged.frames.len(), waiting.len()), (1, 0));
    }
}
