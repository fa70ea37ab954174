//! Messages: their numbers, directions and names.

use std::collections::HashMap;

use super::super::error::{Located, Reason, at, unknown};
use super::super::kinds::{Direction, FlagsAs};
use super::super::model::{Family, Group, GroupRule, Message, Model};
use super::super::source::{self, Name, Operation, Operations};
use super::symbols::Symbols;
use super::{summary, upper};

/// `NETLINK_ROUTE`.
const ROUTE: u16 = 0;
/// `NETLINK_GENERIC`.
const GENERIC: u16 = 16;

/// The protocol of a file's family, and the name it registers with in generic netlink.
fn protocol(source: &source::File) -> Result<(u16, Option<String>), Located> {
    let protocols = [
        "genetlink",
        "genetlink-c",
        "genetlink-legacy",
        "netlink-raw",
    ];
    let kind = source.protocol.as_ref();
    Ok(match kind.map_or("genetlink", |kind| kind.value.as_str()) {
        "netlink-raw" => {
            let number = source.protonum.as_ref().ok_or_else(|| {
                at(
                    &source.name,
                    Reason::Missing {
                        what: "netlink-raw family",
                        name: source.name.value.clone(),
                        key: "protonum",
                    },
                )
            })?;
            (number.value, None)
        }
        known if protocols.contains(&known) => {
            let registered = source.genl_family.as_ref().unwrap_or(&source.name.value);
            (GENERIC, Some(registered.clone()))
        }
        _ => {
            let kind = kind.unwrap_or(&source.name);
            return Err(unknown("protocol", kind, protocols));
        }
    })
}

/// The family that a file describes; none where it only defines what others use.
pub(super) fn family(
    symbols: &Symbols<'_>,
    model: &Model,
    file: usize,
    source: &source::File,
) -> Result<Option<Family>, Located> {
    if source.operations.is_none() && source.mcast_groups.is_none() {
        return Ok(None);
    }
    let (protocol, genl) = protocol(source)?;
    let written = source.mcast_groups.as_ref();
    let written = written.map_or(&[][..], |groups| &groups.list);
    let groups = written.iter().map(|group| Group {
        name: match &genl {
            Some(family) => format!("{family}:{}", group.name.value),
            None => upper(&group.name.value),
        },
        number: group.value,
    });
    let groups: Vec<Group> = groups.collect();
    let mut lowering = Lowering {
        symbols,
        model,
        file,
        protocol,
        groups: written,
        messages: Vec::new(),
        lines: Vec::new(),
    };
    if let Some(operations) = &source.operations {
        lowering.operations(&source.name.value, operations)?;
    }
    Ok(Some(Family {
        protocol,
        genl,
        messages: lowering.messages,
        groups,
    }))
}

/// The number of a message in each direction, and whether it was counted.
#[derive(Clone, Copy)]
struct Numbers {
    request: Option<u64>,
    reply: Option<u64>,
    /// The number of the reply was counted, not written: replies have an enum of
    /// their own, and names of their own.
    counted: bool,
}

struct Lowering<'a, 's> {
    symbols: &'a Symbols<'s>,
    model: &'a Model,
    file: usize,
    protocol: u16,
    groups: &'a [source::Group],
    messages: Vec<Message>,
    /// The line of each message.
    lines: Vec<u64>,
}

impl Lowering<'_, '_> {
    fn operations(&mut self, family: &str, operations: &Operations) -> Result<(), Located> {
        let directional = match &operations.enum_model {
            None => false,
            Some(model) => match model.value.as_str() {
                "unified" => false,
                "directional" => true,
                _ => return Err(unknown("enum-model", model, ["unified", "directional"])),
            },
        };
        let prefix = operations.name_prefix.clone();
        let prefix = prefix.unwrap_or_else(|| format!("{family}-cmd-"));
        let async_prefix = operations.async_prefix.as_ref().unwrap_or(&prefix);
        let numbers = if directional {
            directional_numbers(&operations.list)?
        } else {
            unified_numbers(&operations.list)
        };
        let uapi = |operation: &Operation| {
            let unasked = operation.notify.is_some() || operation.event.is_some();
            let prefix = if unasked { async_prefix } else { &prefix };
            let name = operation.c_name.clone();
            name.unwrap_or_else(|| upper(&format!("{prefix}{}", operation.name.value)))
        };
        // A reply that has a request's number has its name as well; an event has its own.
        let requests: HashMap<u64, &Operation> = numbers
            .iter()
            .zip(&operations.list)
            .rev()
            .filter_map(|(numbers, operation)| Some((numbers.request?, operation)))
            .collect();
        let by_name: HashMap<&str, &Operation> = operations
            .list
            .iter()
            .map(|operation| (operation.name.value.as_str(), operation))
            .collect();
        names_once(&operations.list)?;
        for (numbers, operation) in numbers.iter().zip(&operations.list) {
            let like = match &operation.notify {
                Some(name) => Some(
                    *by_name
                        .get(name.value.as_str())
                        .ok_or_else(|| unknown("operation", name, by_name.keys().copied()))?,
                ),
                None => None,
            };
            let message = self.message(operations, operation, like)?;
            let own = uapi(operation);
            if numbers.request.is_some() && numbers.request == numbers.reply && !directional {
                self.add(operation, message, None, numbers.request, own)?;
                continue;
            }
            let reply = match numbers.reply {
                Some(_) if numbers.counted && numbers.request.is_some() => {
                    format!("{own}_REPLY")
                }
                Some(number)
                    if !numbers.counted
                        && operation.c_name.is_none()
                        && operation.event.is_none() =>
                {
                    requests
                        .get(&number)
                        .map_or_else(|| own.clone(), |of| uapi(of))
                }
                _ => own.clone(),
            };
            let (to, from) = (Some(Direction::ToKernel), Some(Direction::FromKernel));
            let answer = message.clone();
            self.add(operation, message, to, numbers.request, own)?;
            self.add(operation, answer, from, numbers.reply, reply)?;
        }
        summary::check(self.model, operations, &mut self.messages)
    }

    /// A message without its number, direction and UAPI name.
    fn message(
        &self,
        operations: &Operations,
        operation: &Operation,
        like: Option<&Operation>,
    ) -> Result<Message, Located> {
        let scope = [self.file];
        let set = operation.attribute_set.as_ref();
        let set = set.or_else(|| like?.attribute_set.as_ref());
        let header = operation.fixed_header.as_ref();
        let header = header
            .or_else(|| like?.fixed_header.as_ref())
            .or(operations.fixed_header.as_ref());
        let flags_as = match &operation.flags_as {
            None => None,
            Some(word) => Some(match word.value.as_str() {
                "get" => FlagsAs::Get,
                "new" => FlagsAs::New,
                "delete" => FlagsAs::Delete,
                _ => return Err(unknown("flags-as", word, ["get", "new", "delete"])),
            }),
        };
        let set = set.map(|name| self.symbols.set(&scope, name)).transpose()?;
        let mut groups = Vec::new();
        for rule in &operation.groups {
            groups.push(GroupRule {
                group: self.group(&rule.group)?,
                families: rule.family.clone(),
                flags: rule.flags,
                first_attribute: rule
                    .first_attribute
                    .as_ref()
                    .map(|first| self.first_attribute(set, first))
                    .transpose()?,
            });
        }
        if let Some(group) = &operation.mcgrp {
            groups.push(GroupRule {
                group: self.group(group)?,
                families: Vec::new(),
                flags: None,
                first_attribute: None,
            });
        }
        Ok(Message {
            uapi: String::new(),
            name: operation.name.value.clone(),
            number: 0,
            direction: None,
            when_family: operation.when_family.clone(),
            flags_as: flags_as.unwrap_or_else(|| by_name(&operation.name.value)),
            echoes_request: operation.echoes_request,
            bare_dump: operation.bare_dump,
            header: header
                .map(|name| self.symbols.layout(&scope, name))
                .transpose()?,
            attributes: set,
            groups,
            summary: summary::entries(operation.summary.as_deref(), operations.summary.as_deref())?,
        })
    }

    /// Number and value of the attribute that a notification has to begin with.
    fn first_attribute(
        &self,
        set: Option<usize>,
        first: &source::FirstAttribute,
    ) -> Result<(u16, u64), Located> {
        let set = set.and_then(|index| self.model.sets.get(index));
        let attributes = set.map_or(&[][..], |set| &set.attributes);
        let named = attributes
            .iter()
            .find(|field| field.name == first.name.value);
        let field = named.ok_or_else(|| {
            let known = attributes.iter().map(|field| field.name.as_str());
            unknown("attribute", &first.name, known)
        })?;
        Ok((field.number, first.value))
    }

    fn group(&self, name: &Name) -> Result<usize, Located> {
        let found = self
            .groups
            .iter()
            .position(|group| group.name.value == name.value);
        found.ok_or_else(|| {
            let known = self.groups.iter().map(|group| group.name.value.as_str());
            unknown("multicast group", name, known)
        })
    }

    /// Adds a message where it has a number in this direction.
    fn add(
        &mut self,
        operation: &Operation,
        mut message: Message,
        direction: Option<Direction>,
        number: Option<u64>,
        uapi: String,
    ) -> Result<(), Located> {
        let Some(number) = number else { return Ok(()) };
        let max = if self.protocol == GENERIC {
            0xff
        } else {
            0xffff
        };
        let fits = u16::try_from(number).ok().filter(|number| *number <= max);
        message.number = fits.ok_or_else(|| {
            at(
                &operation.name,
                Reason::Range {
                    what: "message number",
                    value: number.into(),
                    max: max.into(),
                },
            )
        })?;
        message.uapi = uapi;
        message.direction = direction;
        if self.protocol == ROUTE && operation.flags_as.is_none() && message.number >= 16 {
            message.flags_as = match message.number & 3 {
                1 => FlagsAs::Delete,
                2 => FlagsAs::Get,
                _ => FlagsAs::New,
            };
        }
        let same = self.messages.iter().position(|known| {
            known.number == message.number
                && known.direction == message.direction
                && known.when_family == message.when_family
        });
        let Some(known) = same else {
            self.messages.push(message);
            self.lines.push(operation.name.referenced.line());
            return Ok(());
        };
        // Several requests may have the same answer, which may also be a notification.
        if direction == Some(Direction::FromKernel) {
            if let Some(known) = self.messages.get_mut(known)
                && known.groups.is_empty()
            {
                known.groups = message.groups;
            }
            return Ok(());
        }
        Err(at(
            &operation.name,
            Reason::Duplicate {
                what: "message number",
                name: number.to_string(),
                first: self.lines.get(known).copied().unwrap_or(0),
            },
        ))
    }
}

/// What the flags of a message mean, by its name.
fn by_name(name: &str) -> FlagsAs {
    let is = |words: &[&str]| name.split('-').any(|word| words.contains(&word));
    let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if is(&["get", "dump"]) {
        FlagsAs::Get
    } else if is(&["del", "delete", "flush"]) {
        FlagsAs::Delete
    } else if begins(&["get", "dump"]) {
        FlagsAs::Get
    } else if begins(&["del", "flush"]) {
        FlagsAs::Delete
    } else {
        FlagsAs::New
    }
}

fn values(operation: &Operation) -> (Option<u64>, Option<u64>) {
    let exchanges = [operation.does.as_ref(), operation.dump.as_ref()];
    let of = |half: fn(&source::Exchange) -> Option<&source::Half>| {
        let mut halves = exchanges.into_iter().flatten().filter_map(half);
        halves.find_map(|half| half.value.as_ref().map(|value| value.value))
    };
    (
        of(|exchange| exchange.request.as_ref()),
        of(|exchange| exchange.reply.as_ref()),
    )
}

/// Numbers where requests and answers share them. An operation that says the number of
/// its request or of its reply has only those.
fn unified_numbers(list: &[Operation]) -> Vec<Numbers> {
    let mut next = 1;
    let mut numbers = Vec::with_capacity(list.len());
    for operation in list {
        let (request, reply) = values(operation);
        let unasked = operation.notify.is_some() || operation.event.is_some();
        if operation.value.is_none() && (request.is_some() || reply.is_some()) {
            numbers.push(Numbers {
                request,
                reply,
                counted: false,
            });
            continue;
        }
        if let Some(value) = &operation.value {
            next = value.value;
        }
        numbers.push(Numbers {
            request: Some(next).filter(|_| !unasked),
            reply: Some(next),
            counted: operation.value.is_none(),
        });
        next = next.saturating_add(1);
    }
    numbers
}

/// Numbers where requests and answers count on their own.
fn directional_numbers(list: &[Operation]) -> Result<Vec<Numbers>, Located> {
    let (mut request, mut reply) = (1_u64, 1_u64);
    let mut numbers = Vec::with_capacity(list.len());
    for operation in list {
        if operation.notify.is_some() || operation.event.is_some() {
            reply = operation.value.as_ref().map_or(reply, |value| value.value);
            numbers.push(Numbers {
                request: None,
                reply: Some(reply),
                counted: operation.value.is_none(),
            });
            reply = reply.saturating_add(1);
            continue;
        }
        let exchange = operation.does.as_ref().or(operation.dump.as_ref());
        let exchange = exchange.ok_or_else(|| {
            let reason = "with enum-model directional an operation has do, dump, notify or event";
            at(&operation.name, Reason::Misplaced(reason))
        })?;
        let (asked, answered) = values(operation);
        request = asked.unwrap_or(request);
        reply = answered.unwrap_or(reply);
        let answers = exchange.reply.is_some() || answered.is_some();
        numbers.push(Numbers {
            request: Some(request),
            reply: Some(reply).filter(|_| answers),
            counted: answers && answered.is_none(),
        });
        request = request.saturating_add(1);
        if answers {
            reply = reply.saturating_add(1);
        }
    }
    Ok(numbers)
}

/// Refuses two operations of one name.
fn names_once(list: &[Operation]) -> Result<(), Located> {
    let mut lines: HashMap<&str, u64> = HashMap::new();
    for operation in list {
        let name = &operation.name;
        if let Some(first) = lines.insert(&name.value, name.referenced.line()) {
            let (what, name_twice) = ("operation", name.value.clone());
            return Err(at(
                name,
                Reason::Duplicate {
                    what,
                    name: name_twice,
                    first,
                },
            ));
        }
    }
    Ok(())
}
