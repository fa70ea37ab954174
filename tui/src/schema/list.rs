//! `nlscope schema`: what is known of a family, one fact a line.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;
use nlscope_dissector::schema::{
    AttributeSet, Decoder, Direction, Enum, Family, Field, FieldOrder, Finder, Format, FormatKey,
    Hint, Message, Schema, Selector, Struct, Type, base,
};

use crate::{Status, cli};

/// Lists the families.
///
/// # Errors
///
/// A specification cannot be read, or the list not be written.
pub(crate) fn families(specs: &[PathBuf]) -> anyhow::Result<Status> {
    let schema = cli::schema(specs)?;
    let mut rows =
        vec![["family", "protocol", "messages", "attributes", "groups"].map(str::to_owned)];
    for family in schema.families() {
        let attributes: usize = Reached::from(family)
            .sets
            .iter()
            .map(|it| it.attributes.len())
            .sum();
        rows.push([
            family.name.to_owned(),
            protocol(family),
            family.messages.len().to_string(),
            attributes.to_string(),
            family.groups.len().to_string(),
        ]);
    }
    rows[1..].sort();
    let mut text = String::new();
    table(&mut text, "", &rows);
    print(&text)
}

/// Shows families.
///
/// # Errors
///
/// A specification cannot be read, there is no such family, or it cannot be written.
pub(crate) fn show(names: &[String], specs: &[PathBuf]) -> anyhow::Result<Status> {
    let schema = cli::schema(specs)?;
    let mut text = String::new();
    for name in names {
        let Some(family) = find(&schema, name) else {
            bail!("no family is called {name}; nlscope schema list names them");
        };
        if !text.is_empty() {
            text.push('\n');
        }
        page(&mut text, family);
    }
    print(&text)
}

/// By name, or by the name it registers with.
fn find(schema: &Schema, name: &str) -> Option<&'static Family> {
    schema.family(name).or_else(|| schema.genl_family(name))
}

pub(super) fn print(text: &str) -> anyhow::Result<Status> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Status::Well)
}

/// `route`, `generic (nl80211)`.
fn protocol(family: &Family) -> String {
    let name = base::protocol_entry(family.protocol).map_or_else(
        || family.protocol.to_string(),
        |entry| entry.name.to_owned(),
    );
    match family.genl {
        Some(registered) => format!("{name} ({registered})"),
        None => name,
    }
}

/// Everything that can occur in a family's messages, in the order in which it is met.
#[derive(Default)]
struct Reached {
    sets: Vec<&'static AttributeSet>,
    structs: Vec<&'static Struct>,
    enums: Vec<&'static Enum>,
    seen: HashSet<*const ()>,
}

impl Reached {
    fn from(family: &'static Family) -> Self {
        let mut reached = Self::default();
        let mut open: Vec<&'static AttributeSet> = Vec::new();
        for message in family.messages {
            reached.structure(message.header, &mut open);
            reached.set(message.attributes, &mut open);
        }
        for set in family.sets {
            reached.set(Some(set), &mut open);
        }
        // What is met inside of a set comes after all that was met before.
        let mut next = 0;
        while let Some(&set) = open.get(next) {
            next += 1;
            for field in set.attributes.iter() {
                reached.field(field, &mut open);
            }
        }
        reached.sets = open;
        reached
    }

    fn is_new<T>(&mut self, it: &'static T) -> bool {
        self.seen.insert(std::ptr::from_ref(it).cast())
    }

    fn set(&mut self, set: Option<&'static AttributeSet>, open: &mut Vec<&'static AttributeSet>) {
        if let Some(set) = set.filter(|set| self.is_new(*set)) {
            open.push(set);
        }
    }

    fn structure(&mut self, it: Option<&'static Struct>, open: &mut Vec<&'static AttributeSet>) {
        let Some(it) = it.filter(|it| self.is_new(*it)) else {
            return;
        };
        self.structs.push(it);
        for member in it.members {
            self.field(&member.field, open);
        }
    }

    fn field(&mut self, field: &'static Field, open: &mut Vec<&'static AttributeSet>) {
        if let Some(names) = field.names
            && self.is_new(names.of)
        {
            self.enums.push(names.of);
        }
        match field.ty {
            Type::Struct(it) => self.structure(Some(it), open),
            Type::Array { element, .. } | Type::Indexed { element } => self.field(element, open),
            Type::Nest { header, set } => {
                self.structure(header, open);
                self.set(Some(set), open);
            }
            Type::TypeValue { levels, set } => {
                for level in levels {
                    self.field(level, open);
                }
                self.set(Some(set), open);
            }
            Type::Elements { set } => self.set(Some(set), open),
            Type::SubMessage {
                formats, variants, ..
            } => {
                for variant in variants {
                    self.field(&variant.field, open);
                }
                for format in formats.items() {
                    self.structure(format.header, open);
                    self.set(format.set, open);
                }
            }
            Type::BitUnit { parts, .. } => {
                for part in parts {
                    self.field(part, open);
                }
            }
            Type::Custom { header, set, .. } => {
                self.structure(header, open);
                self.set(set, open);
            }
            _ => {}
        }
    }
}

/// A family like a page of a manual.
fn page(out: &mut String, family: &'static Family) {
    let reached = Reached::from(family);
    // Writing to a string does not fail.
    let _ = writeln!(out, "family {}, protocol {}", family.name, protocol(family));
    out.push_str("\nMESSAGES\n");
    let rows: Vec<_> = family.messages.iter().map(message).collect();
    table(out, "  ", &rows);
    if !family.groups.is_empty() {
        out.push_str("\nGROUPS\n");
        for group in family.groups {
            let number = group.number.map_or("-".to_owned(), |it| it.to_string());
            let _ = writeln!(out, "  {number:>4}  {}", group.name);
        }
    }
    for set in &reached.sets {
        let _ = writeln!(out, "\nATTRIBUTES {}", set.name);
        let rows: Vec<_> = set.attributes.iter().map(attribute).collect();
        table(out, "  ", &rows);
        for field in set.attributes.iter() {
            formats(out, field);
        }
    }
    for it in &reached.structs {
        let _ = writeln!(out, "\nSTRUCT {}, {} bytes", it.name, it.size);
        let mut rows = Vec::new();
        for member in it.members {
            let field = &member.field;
            rows.push([
                member.offset.to_string(),
                field.name.to_owned(),
                kind(field),
            ]);
            if let Type::BitUnit { parts, .. } = field.ty {
                rows.extend(parts.iter().map(|part| {
                    let name = format!("  {}", part.name);
                    [String::new(), name, kind(part)]
                }));
            }
        }
        table(out, "  ", &rows);
    }
    for it in &reached.enums {
        let what = if it.flags { "FLAGS" } else { "VALUES" };
        let _ = writeln!(out, "\n{what} {}", it.name);
        let rows: Vec<_> = it
            .entries
            .iter()
            .map(|entry| {
                let number = if it.flags && entry.value < 64 {
                    format!("{:#x}", 1_u64 << entry.value)
                } else {
                    entry.value.to_string()
                };
                [number, entry.name.to_owned(), entry.uapi.to_owned()]
            })
            .collect();
        table(out, "  ", &rows);
    }
}

fn message(message: &'static Message) -> [String; 5] {
    let direction = match message.direction {
        Some(Direction::ToKernel) => " (request)",
        Some(Direction::FromKernel) => " (answer)",
        None => "",
    };
    let families: Vec<_> = message.when_family.iter().map(u8::to_string).collect();
    let families = match families.as_slice() {
        [] => String::new(),
        some => format!(", address family {}", some.join(" or ")),
    };
    let mut parts = Vec::new();
    parts.extend(message.header.map(|it| format!("struct {}", it.name)));
    parts.extend(
        message
            .attributes
            .map(|it| format!("attributes {}", it.name)),
    );
    let mut groups: Vec<_> = message.groups.iter().map(|rule| rule.group.name).collect();
    groups.dedup();
    let groups = match groups.as_slice() {
        [] => String::new(),
        some => format!("to {}", some.join(", ")),
    };
    [
        message.number.to_string(),
        message.name.to_owned(),
        format!("{}{direction}{families}", message.uapi),
        parts.join(", "),
        groups,
    ]
}

fn attribute(field: &'static Field) -> [String; 4] {
    [
        field.number.to_string(),
        field.name.to_owned(),
        field.uapi.to_owned(),
        kind(field),
    ]
}

/// A field's type with what else is to be known of it: `u32, big-endian, ipv4`.
fn kind(field: &Field) -> String {
    let mut text = type_name(&field.ty);
    match field.order {
        FieldOrder::Host => {}
        FieldOrder::Big => text.push_str(", big-endian"),
        FieldOrder::Little => text.push_str(", little-endian"),
    }
    let hint = Hint::ALL.iter().find(|(_, hint)| *hint == field.hint);
    if let Some((name, _)) = hint.filter(|_| field.hint != Hint::None) {
        let _ = write!(text, ", {name}");
    }
    if let Some(names) = field.names {
        let what = if names.as_flags { "flags" } else { "values" };
        let _ = write!(text, ", {what} {}", names.of.name);
    }
    if field.multi {
        text.push_str(", several");
    }
    if field.secret {
        text.push_str(", secret");
    }
    text
}

fn type_name(ty: &Type) -> String {
    let sign = |signed: bool| if signed { "s" } else { "u" };
    match *ty {
        Type::Int { bytes, signed } => format!("{}{}", sign(signed), u32::from(bytes) * 8),
        Type::VarInt { signed } => format!("{}int", if signed { "s" } else { "u" }),
        Type::Bitfield32 => "bitfield32".to_owned(),
        Type::Flag => "flag".to_owned(),
        Type::String => "string".to_owned(),
        Type::Binary => "binary".to_owned(),
        Type::Struct(it) => format!("struct {}", it.name),
        Type::Members => "members".to_owned(),
        Type::Array { element, .. } => format!("array of {}", kind(element)),
        Type::Nest { header, set } => match header {
            Some(header) => format!("struct {}, nest {}", header.name, set.name),
            None => format!("nest {}", set.name),
        },
        Type::Elements { set } => format!("elements {}", set.name),
        Type::Indexed { element } => format!("indexed array of {}", kind(element)),
        Type::TypeValue { levels, set } => {
            let levels: Vec<_> = levels.iter().map(|level| level.name).collect();
            format!("nest {} by {}", set.name, levels.join(" and "))
        }
        Type::SubMessage { selector, .. } => match selector {
            Selector::Fields(names) => format!("depends on {}", names.join(" or ")),
            Selector::Together(names) => format!("depends on {}", names.join(" and ")),
            Selector::Found(finder) => {
                let known = Finder::ALL.iter().find(|(_, it)| *it == finder);
                format!("depends on {}", known.map_or("", |(name, _)| name))
            }
            Selector::AttributeType => "depends on its index".to_owned(),
            Selector::PayloadLength => "depends on its length".to_owned(),
        },
        Type::BitUnit { bytes, .. } => format!("bit-fields of {} bits", u32::from(bytes) * 8),
        Type::Bits { width, .. } => format!("{width} bits"),
        Type::Pad => "padding".to_owned(),
        Type::Unused => "unused".to_owned(),
        Type::Custom { decoder, .. } => {
            let known = Decoder::ALL.iter().find(|(_, it)| *it == decoder);
            known.map_or("binary", |(name, _)| *name).to_owned()
        }
    }
}

/// The formats of a field that depends on another, one a line.
fn formats(out: &mut String, field: &'static Field) {
    let Type::SubMessage {
        formats, variants, ..
    } = field.ty
    else {
        return;
    };
    let _ = writeln!(out, "  {} is", field.name);
    let one_value = variants
        .iter()
        .map(|variant| [when(variant.when), kind(&variant.field)]);
    let rows: Vec<_> = one_value.chain(formats.iter().map(format)).collect();
    table(out, "    ", &rows);
}

fn when(key: FormatKey) -> String {
    match key {
        FormatKey::Name(name) => name.to_owned(),
        FormatKey::Number(number) => number.to_string(),
        FormatKey::Default => "(anything else)".to_owned(),
        FormatKey::Absent => "(nothing)".to_owned(),
    }
}

fn format(format: &'static Format) -> [String; 2] {
    let mut parts = Vec::new();
    parts.extend(format.header.map(|it| format!("struct {}", it.name)));
    parts.extend(format.set.map(|it| format!("nest {}", it.name)));
    [when(format.when), parts.join(", ")]
}

/// Aligned columns: numbers to the right, the last one as long as it is.
fn table<const N: usize>(out: &mut String, indent: &str, rows: &[[String; N]]) {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let mut line = indent.to_owned();
        for (cell, width) in row.iter().zip(widths) {
            let number = cell.bytes().all(|byte| byte.is_ascii_digit());
            let _ = if number {
                write!(line, "{cell:>width$}  ")
            } else {
                write!(line, "{cell:<width$}  ")
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}
