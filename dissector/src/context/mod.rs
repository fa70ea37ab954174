//! What needs memory across messages.
//!
//! [`Context`] is fed every frame in order. For each message it returns a
//! [`Record`]: who is at the other end, which request it answers, which group it went
//! to, whether it is a copy. What turns out later of an earlier message is an
//! [`Amendment`], so that whoever keeps records can mend them and whoever prints and
//! forgets can leave them. Its own memory is bounded.
//!
//! All of it is inferred, since nlmon's header tells neither direction nor group:
//!
//! - A message with `NLM_F_REQUEST` goes to the kernel, unless its type is one whose
//!   notifications echo the request's flags and that request was seen, or the kernel
//!   asks its listeners itself (`RTM_GETNEIGH` with neither port nor sequence number, RDMA
//!   services without a port). To the connector goes also what only has a port.
//! - A message from the kernel answers the request with the same protocol, port and
//!   sequence number, unless that request changed something and the message is of a
//!   type that goes to a group: then the request caused it.

mod copies;
mod history;
mod learned;
mod record;
mod transactions;
mod view;

use std::num::NonZeroU32;
use std::sync::Arc;

pub use record::{Amendment, Change, GroupSeen, Latency, MessageNo, Port, Record, Role};
pub use view::{Head, MessageView, RequestView};

use copies::Copies;
use history::History;
use learned::Interfaces;
use transactions::{Answer, Asked, State, Transactions};

use crate::capture::{Frame, Process, Time};
use crate::schema::{Direction, FlagsAs, GenlIds, Message, Schema};
use crate::tape::Tape;
use crate::value::Names;
use crate::walk::{FrameShape, Known, NftSets, dissect};
use crate::wire::{
    Cooked, GENL_HDRLEN, Messages, NLA_HDRLEN, NLM_F_ACK, NLM_F_DUMP, NLM_F_MULTI, NLM_F_REQUEST,
    NLMSG_DONE, NLMSG_ERROR, Nlmsghdr, Order, OrderGuess, RawMessage, align, ends, errno,
    guess_order, is_control, nlattr, nlmsghdr, protocol,
};

/// The flags from 0x100 to 0x800, whose meaning depends on the message.
const HIGH_FLAGS: u16 = 0xf00;

/// The memory across messages.
#[derive(Debug)]
pub struct Context {
    schema: Arc<Schema>,
    ids: GenlIds,
    nft_sets: NftSets,
    interfaces: Interfaces,
    /// The programs behind ports.
    ports: History<PortKey, Process>,
    /// Names of network namespaces but the first, which is number 0.
    namespaces: Vec<String>,
    transactions: Transactions,
    copies: Copies,
    /// Frames seen that were certainly little-endian, less those certainly big-endian.
    little: i64,
    messages: u32,
}

/// A port: of a network namespace, and of a protocol in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct PortKey {
    netns: u32,
    protocol: u16,
    port: u32,
}

/// A message as the context looks at it.
#[derive(Clone, Copy)]
struct Seen<'a> {
    frame: &'a Frame<'a>,
    raw: RawMessage<'a>,
    protocol: u16,
    order: Order,
    number: MessageNo,
}

/// What the context makes of a message.
struct Part {
    role: Role,
    port: Port,
    group: Option<GroupSeen>,
    request: Option<Asked>,
}

impl Context {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(schema: Arc<Schema>) -> Self {
        let ids = GenlIds::fixed(&schema);
        Self {
            schema,
            ids,
            nft_sets: NftSets::default(),
            interfaces: Interfaces::default(),
            ports: History::default(),
            namespaces: Vec::new(),
            transactions: Transactions::default(),
            copies: Copies::default(),
            little: 0,
            messages: 0,
        }
    }

    /// The tables.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The generic netlink ids seen or given.
    #[must_use]
    pub fn ids(&self) -> &GenlIds {
        &self.ids
    }

    /// The names that held at the time of `frame`, in its network namespace.
    #[must_use]
    pub fn names_at(&self, frame: &Frame<'_>) -> NamesAt<'_> {
        NamesAt {
            context: self,
            netns: frame.origin.netns,
            frame: frame.number,
        }
    }

    /// The name of a network namespace; the first one, number 0, has none.
    #[must_use]
    pub fn netns(&self, number: u32) -> Option<&str> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.namespaces.get(at).map(String::as_str)
    }

    /// Names the next network namespace: at the first call number 1.
    pub fn learn_netns(&mut self, name: String) {
        self.namespaces.push(name);
    }

    /// Says who uses a port, from frame number `since` on; what is said first of a port
    /// also stands for the frames before.
    pub fn learn_port(
        &mut self,
        netns: u32,
        protocol: u16,
        port: u32,
        since: u32,
        process: &Process,
    ) {
        let key = PortKey {
            netns,
            protocol,
            port,
        };
        match self.ports.latest(key) {
            // What was seen takes the place of the same, inferred.
            Some((_, last)) if last.pid == process.pid => {
                if process.exact || !last.exact {
                    last.clone_from(process);
                }
            }
            _ => self.ports.tell(key, since, process.clone()),
        }
    }

    /// Says that the family registered as `family` has its multicast group `group` under
    /// this number.
    pub fn learn_group(&mut self, number: u32, family: &str, group: &str) {
        self.ids.learn_group(&self.schema, number, family, group);
    }

    /// The name of a multicast group, not escaped.
    #[must_use]
    pub fn group_name(&self, protocol: u16, number: u32) -> Option<&str> {
        if protocol == protocol::GENERIC {
            return self.ids.group(number).map(|known| known.name.as_str());
        }
        self.schema.group(protocol, number).map(|group| group.name)
    }

    /// Says that `id` is the family registered as `name` (`--genl id=name`).
    pub fn learn_genl(&mut self, id: u16, name: &str) {
        self.ids.learn(&self.schema, id, name);
    }

    /// Takes from a frame only what helps to read others: generic netlink ids and
    /// interface names, byte order. The first pass over a file.
    pub fn learn(&mut self, frame: &Frame<'_>) {
        self.names_of(frame);
    }

    /// Takes a frame, the next in order: appends a record for each of its messages to
    /// `records`, and what it tells of earlier ones to `amendments`. A frame that is no
    /// netlink has none.
    pub fn feed(
        &mut self,
        frame: &Frame<'_>,
        records: &mut Vec<Record>,
        amendments: &mut Vec<Amendment>,
    ) {
        self.names_of(frame);
        let Some((protocol, order, messages)) = self.messages(frame) else {
            return;
        };
        let from = records.len();
        for (nth, raw) in (0..).zip(messages) {
            let Some(number) = self.messages.checked_add(1).and_then(NonZeroU32::new) else {
                return;
            };
            self.messages = number.get();
            let seen = Seen {
                frame,
                raw,
                protocol,
                order,
                number: MessageNo(number),
            };
            records.push(self.record(seen, nth, amendments));
        }
        let records = records.get_mut(from..).unwrap_or_default();
        self.mark_copies(frame, protocol, records, amendments);
    }

    /// Byte order of a frame's netlink content: its own where it shows one, else that
    /// of most frames so far.
    #[must_use]
    pub fn order(&self, frame: &Frame<'_>) -> Order {
        let Ok(cooked) = Cooked::parse(frame.link, frame.bytes) else {
            return self.usual_order();
        };
        let content = frame.bytes.get(cooked.len as usize..).unwrap_or_default();
        self.order_of(frame, content)
    }

    /// Dissects a frame onto `tape`. `records` are those of its messages, in order;
    /// without them a message's direction is taken from its flags.
    pub fn dissect(&self, frame: &Frame<'_>, records: &[Record], tape: &mut Tape) {
        // What was unclear may look clearer by now; the records were made as it was then.
        let order = records
            .first()
            .map_or_else(|| self.order(frame), |record| record.order);
        let shape = FrameShape {
            link: frame.link,
            wire_len: frame.wire_len,
            order,
            other_order: self.little != 0 && order != self.usual_order(),
        };
        let direction = |nth: u32| records.get(nth as usize).map(|record| record.direction);
        let known = Known {
            ids: &self.ids,
            nft_sets: Some(&self.nft_sets),
        };
        dissect(&self.schema, known, frame.bytes, shape, direction, tape);
    }

    fn usual_order(&self) -> Order {
        if self.little < 0 {
            Order::Big
        } else {
            Order::Little
        }
    }

    fn order_of(&self, frame: &Frame<'_>, content: &[u8]) -> Order {
        sure_order(frame, content).unwrap_or_else(|| self.usual_order())
    }

    /// Cooked header and content of a frame that holds netlink messages.
    fn content<'a>(frame: &Frame<'a>) -> Option<(Cooked, &'a [u8])> {
        let cooked = Cooked::parse(frame.link, frame.bytes).ok()?;
        Some((cooked, frame.bytes.get(cooked.len as usize..)?))
    }

    /// Protocol, byte order and messages of a frame that holds netlink messages.
    fn messages<'a>(&self, frame: &Frame<'a>) -> Option<(u16, Order, Messages<'a>)> {
        let (cooked, content) = Self::content(frame)?;
        let order = self.order_of(frame, content);
        Some((
            cooked.protocol,
            order,
            Messages::new(cooked.protocol, content, cooked.len, order),
        ))
    }

    fn names_of(&mut self, frame: &Frame<'_>) {
        let Some((cooked, content)) = Self::content(frame) else {
            return;
        };
        let told = sure_order(frame, content);
        self.little = self.little.saturating_add(match told {
            Some(Order::Little) => 1,
            Some(Order::Big) => -1,
            None => 0,
        });
        let protocol = cooked.protocol;
        let order = told.unwrap_or_else(|| self.usual_order());
        let messages = Messages::new(protocol, content, cooked.len, order);
        let is_told = |message: &RawMessage<'_>| !message.header.has(NLM_F_REQUEST);
        if let Some(process) = frame.origin.process {
            let port = messages.clone().next().map_or(0, |first| first.header.pid);
            if port != 0 {
                self.learn_port(frame.origin.netns, protocol, port, frame.number, process);
            }
        }
        let place = (frame.origin.netns, frame.number);
        match protocol {
            protocol::ROUTE => {
                for message in messages.filter(is_told) {
                    learned::learn_interface(&mut self.interfaces, &message, order, place);
                }
            }
            protocol::GENERIC => {
                for message in messages.filter(is_told) {
                    learned::learn_genl(&mut self.ids, &self.schema, &message, order);
                }
            }
            // A transaction declares its sets in requests.
            protocol::NETFILTER => {
                for message in messages {
                    let kind = message.header.kind;
                    self.nft_sets.learn(kind, message.payload(), order);
                }
            }
            _ => {}
        }
    }

    fn record(&mut self, seen: Seen<'_>, nth: u32, amendments: &mut Vec<Amendment>) -> Record {
        let direction = self.direction(seen);
        let part = match direction {
            Direction::ToKernel => self.request(seen),
            Direction::FromKernel => self.told_by_kernel(seen, amendments),
        };
        let answers = matches!(part.role, Role::Reply | Role::End);
        let latency = part
            .request
            .filter(|_| answers)
            .and_then(|asked| latency(asked.time, seen.frame.time));
        Record {
            number: seen.number,
            frame: seen.frame.number,
            offset: seen.raw.offset,
            nth,
            order: seen.order,
            direction,
            role: part.role,
            port: part.port,
            group: part.group,
            request: part.request.map(|asked| asked.number),
            request_frame: part.request.map_or(0, |asked| asked.frame),
            request_kind: part.request.map_or(0, |asked| asked.kind),
            request_first: part.request.map_or(0, |asked| asked.first),
            end: None,
            latency,
            copy_of: None,
            errno: 0,
        }
    }

    fn meaning(&self, seen: Seen<'_>, direction: Direction) -> Option<&'static Message> {
        let header = seen.raw.header;
        self.ids
            .resolve(
                &self.schema,
                seen.protocol,
                header.kind,
                header.pid,
                direction,
                seen.raw.payload(),
            )
            .1
    }

    fn direction(&self, seen: Seen<'_>) -> Direction {
        let header = seen.raw.header;
        if seen.frame.origin.group.is_some() {
            return Direction::FromKernel;
        }
        // What a program sends to the connector need not be a request, but has a port.
        let told = seen.protocol == protocol::CONNECTOR && header.pid != 0;
        if !header.has(NLM_F_REQUEST) && !told {
            return Direction::FromKernel;
        }
        let Some(message) = self.meaning(seen, Direction::FromKernel) else {
            return Direction::ToKernel;
        };
        // What goes to a group carries the port of whoever caused it.
        let echo = message.echoes_request
            && (header.pid != 0 || message.groups.is_empty())
            && self
                .transactions
                .is_echo(seen.frame.origin.netns, seen.protocol, header);
        let may_ask = match seen.protocol {
            protocol::ROUTE => {
                (header.pid, header.seq, header.flags) == (0, 0, NLM_F_REQUEST)
                    && message.flags_as == FlagsAs::Get
            }
            // Its programs always have a port.
            protocol::RDMA => header.pid == 0,
            _ => false,
        };
        let asks_listeners = may_ask && group_of(message, seen).is_some();
        if echo || asks_listeners {
            Direction::FromKernel
        } else {
            Direction::ToKernel
        }
    }

    fn request(&mut self, seen: Seen<'_>) -> Part {
        let header = seen.raw.header;
        let message = self.meaning(seen, Direction::ToKernel);
        let get = message.is_some_and(|message| message.flags_as == FlagsAs::Get);
        let dump = is_dump(seen.protocol, header, message);
        let wants_end = dump || header.has(NLM_F_ACK);
        self.transactions.ask(Asked {
            number: seen.number,
            frame: seen.frame.number,
            netns: seen.frame.origin.netns,
            time: seen.frame.time,
            protocol: seen.protocol,
            port: header.pid,
            seq: header.seq,
            kind: header.kind,
            first: seen.raw.payload().first().copied().unwrap_or(0),
            get: get || dump,
            wants_end,
            flags: header.flags,
            state: State::Open,
        });
        Part {
            role: if wants_end || get {
                Role::OpenRequest
            } else {
                Role::Request
            },
            port: if header.pid == 0 {
                Port::Unknown
            } else {
                Port::Known(header.pid)
            },
            group: None,
            request: None,
        }
    }

    fn told_by_kernel(&mut self, seen: Seen<'_>, amendments: &mut Vec<Amendment>) -> Part {
        let header = seen.raw.header;
        let ends = ends(header, seen.protocol);
        let message = self.meaning(seen, Direction::FromKernel);
        let exact = self.exact_group(seen);
        let group = exact.or_else(|| message.and_then(|message| group_of(message, seen)));
        // A multicast in several messages ends with NLMSG_DONE, too.
        let refuses = ends && header.kind == NLMSG_ERROR;
        let unasked = header.pid == 0 && header.seq == 0 && !refuses;
        let found = if unasked {
            None
        } else {
            self.transactions.answered(answer_of(seen))
        };
        // What it caused may tell the port of a request before its answer does.
        if let Some((_, asked)) = found.filter(|(_, asked)| asked.port == 0 && header.pid != 0) {
            amendments.push(Amendment {
                message: asked.number,
                change: Change::Port(header.pid),
            });
        }
        let caused = !ends && group.is_some() && found.is_none_or(|(_, asked)| !asked.get);
        // A listener is told with port 0 and a counter, whoever asks hears its own port.
        let told =
            header.pid == 0 && !ends && (found.is_none() || seen.protocol == protocol::GENERIC);
        let caused = caused && !header.has(NLM_F_MULTI);
        if exact.is_some() || unasked || told || caused {
            let cause = found.filter(|_| !told).map(|(_, asked)| asked);
            return notification(group, cause);
        }
        let port = if header.pid == 0 {
            Port::Unknown
        } else {
            Port::Known(header.pid)
        };
        let Some((id, asked)) = found else {
            return Part {
                role: Role::Orphan,
                port,
                group: None,
                request: None,
            };
        };
        // The last of several messages that are no dump, as devlink and team send them.
        let bare = header.kind == NLMSG_DONE && seen.raw.payload().is_empty();
        let state = match (ends, asked.wants_end) {
            (true, true) if bare => State::Open,
            (false, true) => State::Open,
            (false, false) if header.has(NLM_F_MULTI) => State::PerhapsEnded,
            _ => State::Ended,
        };
        if state > State::Open && asked.state < State::Ended {
            let change = Change::End {
                by: seen.number,
                latency: latency(asked.time, seen.frame.time),
                errno: errno(header, seen.protocol, seen.raw.payload(), seen.order).unwrap_or(0),
            };
            amendments.push(Amendment {
                message: asked.number,
                change,
            });
            if let Some(asked) = self.transactions.get_mut(id) {
                asked.state = state;
            }
        }
        Part {
            role: if ends { Role::End } else { Role::Reply },
            port,
            group: None,
            request: Some(asked),
        }
    }

    /// A frame is a multicast where all its messages are notifications to groups. Of
    /// generic netlink a family without a table counts too; elsewhere a notification
    /// without a group goes to the one port that asked for it.
    fn mark_copies(
        &mut self,
        frame: &Frame<'_>,
        protocol: u16,
        records: &mut [Record],
        amendments: &mut Vec<Amendment>,
    ) {
        let multicast = records.iter().all(|record| {
            record.role == Role::Notification
                && (record.group.is_some() || protocol == protocol::GENERIC)
        });
        let Some(first) = records
            .first()
            .filter(|_| multicast)
            .map(|record| record.number)
        else {
            return;
        };
        let Some(original) = self.copies.original(frame, first) else {
            return;
        };
        let exact = original.group.map(|number| self.group(protocol, number));
        for record in records {
            record.copy_of = original.first.0.checked_add(record.nth).map(MessageNo);
            let told = record.group.is_some_and(GroupSeen::is_exact);
            record.group = exact.or(record.group);
            if let (true, Some(group), Some(message)) = (told, exact, record.copy_of) {
                let change = Change::Group(group);
                amendments.push(Amendment { message, change });
            }
        }
    }

    /// The group that the source told of a message's frame.
    fn exact_group(&self, seen: Seen<'_>) -> Option<GroupSeen> {
        let number = seen.frame.origin.group?;
        Some(self.group(seen.protocol, number))
    }

    fn group(&self, protocol: u16, number: NonZeroU32) -> GroupSeen {
        let group = if protocol == protocol::GENERIC {
            self.ids.group(number.get()).and_then(|known| known.group)
        } else {
            self.schema.group(protocol, number.get())
        };
        GroupSeen::Exact { number, group }
    }
}

/// The names that held at the time of a frame: see [`Context::names_at`].
#[derive(Debug, Clone, Copy)]
pub struct NamesAt<'c> {
    context: &'c Context,
    netns: u32,
    frame: u32,
}

impl Names for NamesAt<'_> {
    fn interface(&self, index: u32) -> Option<&str> {
        let names = &self.context.interfaces;
        names
            .at((self.netns, index), self.frame)
            .map(String::as_str)
    }
}

/// The byte order that the content of a frame shows, where it does.
fn sure_order(frame: &Frame<'_>, content: &[u8]) -> Option<Order> {
    let missing = (frame.wire_len as usize).saturating_sub(frame.bytes.len());
    match guess_order(content, content.len().saturating_add(missing)) {
        OrderGuess::Sure(order) => Some(order),
        OrderGuess::Unclear => None,
    }
}

/// Whether a request wants all there is. Generic netlink takes both bits of `NLM_F_DUMP`
/// for that, on whatever command; what gets elsewhere takes either.
fn is_dump(protocol: u16, header: Nlmsghdr, message: Option<&'static Message>) -> bool {
    match message {
        Some(message) if protocol != protocol::GENERIC => {
            message.flags_as == FlagsAs::Get && header.flags & NLM_F_DUMP != 0
        }
        _ => header.has(NLM_F_DUMP),
    }
}

fn notification(group: Option<GroupSeen>, request: Option<Asked>) -> Part {
    let port = if group.is_some() {
        Port::Everyone
    } else {
        Port::Unknown
    };
    Part {
        role: Role::Notification,
        port,
        group,
        request,
    }
}

/// What a message carries that says which request it belongs to.
fn answer_of(seen: Seen<'_>) -> Answer {
    let header = seen.raw.header;
    let quoted = seen
        .raw
        .payload()
        .get(4..)
        .filter(|_| header.kind == NLMSG_ERROR && is_control(seen.protocol, header.kind))
        .and_then(|quoted| nlmsghdr(seen.order)(quoted).ok())
        .map(|(_, quoted)| quoted);
    Answer {
        netns: seen.frame.origin.netns,
        protocol: seen.protocol,
        port: header.pid,
        seq: header.seq,
        kind: quoted.map_or(header.kind, |quoted| quoted.kind),
        quoted_port: quoted.map(|quoted| quoted.pid).filter(|port| *port != 0),
    }
}

/// The group a notification goes to, by the table of its type.
fn group_of(message: &'static Message, seen: Seen<'_>) -> Option<GroupSeen> {
    let family = if seen.protocol == protocol::GENERIC {
        None
    } else {
        seen.raw.payload().first()
    };
    let flags = seen.raw.header.flags & HIGH_FLAGS;
    let rule = message.groups.iter().find(|rule| {
        let fits =
            rule.families.is_empty() || family.is_some_and(|family| rule.families.contains(family));
        fits && rule.flags.is_none_or(|wanted| wanted == flags)
            && (rule.first_attribute)
                .is_none_or(|wanted| first_attribute(message, seen) == Some(wanted))
    })?;
    Some(GroupSeen::Inferred(rule.group))
}

/// Number and value of the attribute that a message begins with.
fn first_attribute(message: &'static Message, seen: Seen<'_>) -> Option<(u16, u64)> {
    let generic = if seen.protocol == protocol::GENERIC {
        GENL_HDRLEN
    } else {
        0
    };
    let header = message.header.map_or(0, |header| align(header.size));
    let rest = (seen.raw.payload()).get((generic + header) as usize..)?;
    let (payload, first) = nlattr(seen.order)(rest).ok()?;
    let len = u32::from(first.len).checked_sub(NLA_HDRLEN)?;
    let value = payload.get(..len as usize)?;
    Some((first.number(), seen.order.unsigned(value)))
}

fn latency(from: Option<Time>, to: Option<Time>) -> Option<Latency> {
    u64::try_from(to?.since(from?)).ok().map(Latency::new)
}
