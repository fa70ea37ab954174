//! Which answer belongs to which request.
//!
//! The kernel answers with the port and the sequence number of the request. A request
//! often carries port 0 and lets the kernel fill in the sender's, so its port comes
//! from the answer. The table holds the requests seen last, answered ones too, since
//! notifications that a request caused may follow its acknowledgement.

use std::collections::{HashMap, VecDeque};

use super::MessageNo;
use crate::capture::Time;
use crate::wire::{Nlmsghdr, is_control, protocol};

/// How many requests are remembered.
const REMEMBERED: usize = 1 << 16;
/// How many requests with port 0 and the same sequence number are told apart.
const CANDIDATES: usize = 8;

/// A request that was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) number: MessageNo,
    pub(super) frame: u32,
    pub(super) netns: u32,
    pub(super) time: Option<Time>,
    pub(super) protocol: u16,
    /// `nlmsg_pid`, or the port that an answer told; 0 while nobody knows.
    pub(super) port: u32,
    pub(super) seq: u32,
    /// `nlmsg_type`.
    pub(super) kind: u16,
    /// First byte of the payload: the address family, or the command.
    pub(super) first: u8,
    /// Asks for something, rather than to change something.
    pub(super) get: bool,
    /// Wants an acknowledgement, or the end of a dump.
    pub(super) wants_end: bool,
    /// `nlmsg_flags`.
    pub(super) flags: u16,
    pub(super) state: State,
}

/// How far the answer to a request is, from what is likeliest to be answered next to
/// what is least likely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It has not ended.
    Open,
    /// It may have: one part of several came where no end was asked for. netfilter marks
    /// its single replies so, other families end them with `NLMSG_DONE`.
    PerhapsEnded,
    /// It has ended.
    Ended,
}

/// What an answer carries that says which request it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) netns: u32,
    pub(super) protocol: u16,
    pub(super) port: u32,
    pub(super) seq: u32,
    /// `nlmsg_type`; of an error, that of the quoted request.
    pub(super) kind: u16,
    /// `nlmsg_pid` of the request that an error quotes.
    pub(super) quoted_port: Option<u32>,
}

type Id = u64;
/// Network namespace, protocol, port and sequence number.
type Key = (u32, u16, u32, u32);

/// The requests seen last.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// Slot `id` is at index `id - oldest`.
    slots: VecDeque<(Asked, Option<Id>)>,
    oldest: Id,
    /// The newest request with this protocol, port and sequence number; each slot has
    /// the next older one.
    newest: HashMap<Key, Id>,
}

impl Transactions {
    /// Remembers a request.
    pub(super) fn ask(&mut self, asked: Asked) {
        if self.slots.len() >= REMEMBERED {
            self.forget_oldest();
        }
        let id = self.oldest + self.slots.len() as u64;
        let older = self
            .newest
            .insert((asked.netns, asked.protocol, asked.port, asked.seq), id);
        self.slots.push_back((asked, older));
    }

    fn forget_oldest(&mut self) {
        let Some((asked, _)) = self.slots.pop_front() else {
            return;
        };
        let id = self.oldest;
        self.oldest += 1;
        for key in [
            (asked.netns, asked.protocol, asked.port, asked.seq),
            (asked.netns, asked.protocol, 0, asked.seq),
        ] {
            if self.newest.get(&key) == Some(&id) {
                self.newest.remove(&key);
            }
        }
    }

    fn slot(&self, id: Id) -> Option<&(Asked, Option<Id>)> {
        self.slots
            .get(usize::try_from(id.checked_sub(self.oldest)?).ok()?)
    }

    /// The request that `answer` belongs to, an open one before an answered one: some
    /// programs give all their requests one sequence number. A request without a port
    /// gets the answer's. Returns the request as it was before.
    pub(super) fn answered(&mut self, answer: Answer) -> Option<(Id, Asked)> {
        let ports = [
            (answer.port != 0).then_some(answer.port),
            Some(0),
            answer.quoted_port,
        ];
        let key = |port| (answer.netns, answer.protocol, port, answer.seq);
        let found = ports.map(|port| self.candidate(key(port?), answer));
        let found = found.into_iter().flatten();
        let found = found.min_by_key(|id| self.slot(*id).map(|(asked, _)| asked.state))?;
        let before = self.slot(found)?.0;
        if before.port == 0 && answer.port != 0 {
            self.newest.insert(key(answer.port), found);
            if let Some(asked) = self.get_mut(found) {
                asked.port = answer.port;
            }
        }
        Some((found, before))
    }

    /// The newest request under `key` that fits `answer` and is not another port's;
    /// the one whose answer has got least far, of equals the newest.
    fn candidate(&self, key: Key, answer: Answer) -> Option<Id> {
        let mut at = self.newest.get(&key).copied();
        let mut best: Option<(State, Id)> = None;
        for _ in 0..CANDIDATES {
            let Some(id) = at else { break };
            let Some((asked, older)) = self.slot(id) else {
                break;
            };
            let own = asked.port == key.2 || asked.port == answer.port;
            if own && same_kind(answer.protocol, asked.kind, answer.kind) {
                if asked.state == State::Open {
                    return Some(id);
                }
                if best.is_none_or(|(state, _)| asked.state < state) {
                    best = Some((asked.state, id));
                }
            }
            at = *older;
        }
        best.map(|(_, id)| id)
    }

    /// The request in slot `id`, to be changed.
    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut Asked> {
        let index = usize::try_from(id.checked_sub(self.oldest)?).ok()?;
        self.slots.get_mut(index).map(|(asked, _)| asked)
    }

    /// Whether a message with `NLM_F_REQUEST` is the kernel's echo of a request that was
    /// seen and not answered yet: with the same sequence number and flags, of the same
    /// type or the reply to a get.
    pub(super) fn is_echo(&self, netns: u32, protocol: u16, header: Nlmsghdr) -> bool {
        [header.pid, 0].into_iter().any(|asking| {
            let newest = self
                .newest
                .get(&(netns, protocol, asking, header.seq))
                .and_then(|id| self.slot(*id));
            newest.is_some_and(|(asked, _)| {
                let kind = asked.kind == header.kind
                    || asked.get && same_kind(protocol, asked.kind, header.kind);
                kind && asked.flags == header.flags
                    && asked.state == State::Open
                    && (asked.port == header.pid || asked.port == 0)
            })
        })
    }
}

/// Whether a message of type `answer` can answer, or be caused by, a request of type
/// `request`: both lie in the same group of types.
fn same_kind(protocol: u16, request: u16, answer: u16) -> bool {
    let control = is_control(protocol, answer);
    match protocol {
        // Four types an object: new, delete, get, set.
        protocol::ROUTE => request >> 2 == answer >> 2 || control,
        // The subsystem is in the upper byte.
        protocol::NETFILTER => request >> 8 == answer >> 8 || control,
        protocol::GENERIC => request == answer || control,
        _ => true,
    }
}
