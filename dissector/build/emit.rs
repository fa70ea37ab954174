//! The tables as Rust text: one module a file, each thing of it a static, so that they
//! can refer to each other in circles.

use std::fmt::{self, Write as _};

use super::spec::model::{
    Enum, Family, Field, File, Message, Model, Selector, Set, Struct, SubMessage, SummaryEntry,
    Type, ValueNames,
};

/// The text of all tables.
pub(crate) fn tables(model: &Model) -> Result<String, fmt::Error> {
    let mut emitter = Emitter {
        paths: Paths::of(model),
        out: String::new(),
    };
    let out = &mut emitter.out;
    writeln!(
        out,
        "pub(in crate::schema) static FAMILIES: &[&crate::schema::Family] = &["
    )?;
    for file in &model.files {
        if file.family.is_some() {
            writeln!(out, "    &{}::FAMILY,", lower(&file.name))?;
        }
    }
    writeln!(out, "];")?;
    writeln!(emitter.out, "use crate::schema as s;")?;
    for (index, sub_message) in model.sub_messages.iter().enumerate() {
        emitter.formats(index, sub_message)?;
    }
    for file in &model.files {
        emitter.file(model, file)?;
    }
    Ok(emitter.out)
}

fn lower(name: &str) -> String {
    name.replace('-', "_")
}

fn upper(name: &str) -> String {
    lower(name).to_uppercase()
}

/// The path of each thing's static, by its index in the model.
struct Paths {
    enums: Vec<String>,
    structs: Vec<String>,
    sets: Vec<String>,
    sub_messages: Vec<String>,
}

impl Paths {
    fn of(model: &Model) -> Self {
        let mut paths = Self {
            enums: Vec::new(),
            structs: Vec::new(),
            sets: Vec::new(),
            sub_messages: Vec::new(),
        };
        // Indices count through the files in their order.
        for file in &model.files {
            let path = |kind: &str, name: &str| {
                format!("super::{}::{kind}_{}", lower(&file.name), upper(name))
            };
            for index in &file.enums {
                paths.enums.push(path("ENUM", &model.enums[*index].name));
            }
            for index in &file.structs {
                paths
                    .structs
                    .push(path("STRUCT", &model.structs[*index].name));
            }
            for index in &file.sets {
                paths.sets.push(path("SET", &model.sets[*index].name));
            }
        }
        for index in 0..model.sub_messages.len() {
            paths.sub_messages.push(format!("super::FORMATS_{index}"));
        }
        paths
    }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

struct Emitter {
    paths: Paths,
    out: String,
}

impl Emitter {
    fn file(&mut self, model: &Model, file: &File) -> fmt::Result {
        let name = lower(&file.name);
        writeln!(self.out, "pub(in crate::schema) mod {name} {{")?;
        writeln!(self.out, "use crate::schema as s;")?;
        for index in &file.enums {
            self.names(*index, &model.enums[*index])?;
        }
        for index in &file.structs {
            self.layout(*index, &model.structs[*index])?;
        }
        for index in &file.sets {
            self.set(*index, &model.sets[*index])?;
        }
        if let Some(family) = &file.family {
            self.family(file, family)?;
        }
        writeln!(self.out, "}}")
    }

    fn start(&mut self, name: &str, ty: &str) -> fmt::Result {
        let name = last(name);
        write!(self.out, "pub(in crate::schema) static {name}: {ty} = ")
    }

    fn names(&mut self, index: usize, names: &Enum) -> fmt::Result {
        self.start(&self.paths.enums[index].clone(), "s::Enum")?;
        let Enum { name, flags, .. } = names;
        writeln!(
            self.out,
            "s::Enum {{ name: {name:?}, flags: {flags}, entries: &["
        )?;
        for entry in &names.entries {
            let (name, uapi, value) = (&entry.name, &entry.uapi, entry.value);
            writeln!(
                self.out,
                "s::EnumEntry {{ name: {name:?}, uapi: {uapi:?}, value: {value} }},"
            )?;
        }
        writeln!(self.out, "] }};")
    }

    fn layout(&mut self, index: usize, layout: &Struct) -> fmt::Result {
        self.start(&self.paths.structs[index].clone(), "s::Struct")?;
        let Struct {
            name,
            size,
            may_end,
            ..
        } = layout;
        writeln!(
            self.out,
            "s::Struct {{ name: {name:?}, size: {size}, may_end: {may_end}, field: s::Field::of_struct({name:?}), members: &["
        )?;
        for member in &layout.members {
            write!(self.out, "s::Member {{ field: ")?;
            self.field(&member.field)?;
            let (offset, len) = (member.offset, member.len);
            writeln!(self.out, ", offset: {offset}, len: s::Len::{len:?} }},")?;
        }
        write!(self.out, "], ")?;
        self.summary(&layout.summary)?;
        writeln!(self.out, " }};")
    }

    fn formats(&mut self, index: usize, sub_message: &SubMessage) -> fmt::Result {
        self.start(&self.paths.sub_messages[index].clone(), "s::Formats")?;
        writeln!(self.out, "s::Formats::new(&[")?;
        for format in &sub_message.formats {
            let when = &format.when;
            write!(self.out, "s::Format {{ when: s::FormatKey::{when:?}")?;
            // These stand one module further out than everything else.
            let header = reference(&self.paths.structs, format.header).replace("super::", "");
            let set = reference(&self.paths.sets, format.set).replace("super::", "");
            writeln!(self.out, ", header: {header}, set: {set} }},")?;
        }
        writeln!(self.out, "]);")
    }

    fn set(&mut self, index: usize, set: &Set) -> fmt::Result {
        self.start(&self.paths.sets[index].clone(), "s::AttributeSet")?;
        writeln!(
            self.out,
            "s::AttributeSet {{ name: {:?}, attributes: s::Attributes::new(&[",
            set.name
        )?;
        self.fields(&set.attributes)?;
        write!(self.out, "]), any_number: {}, ", set.any_number)?;
        write!(self.out, "own_flags: {}, ", set.own_flags)?;
        self.summary(&set.summary)?;
        writeln!(self.out, " }};")
    }

    fn fields(&mut self, fields: &[Field]) -> fmt::Result {
        for field in fields {
            self.field(field)?;
            writeln!(self.out, ",")?;
        }
        Ok(())
    }

    fn field(&mut self, field: &Field) -> fmt::Result {
        let Field {
            name,
            uapi,
            number,
            order,
            hint,
            multi,
            secret,
            ..
        } = field;
        write!(
            self.out,
            "s::Field {{ name: {name:?}, uapi: {uapi:?}, number: {number}, \
             order: s::FieldOrder::{order:?}, hint: s::Hint::{hint:?}, \
             multi: {multi}, secret: {secret}, names: "
        )?;
        match field.names {
            None => write!(self.out, "None")?,
            Some(ValueNames {
                of,
                as_flags,
                in_json,
            }) => write!(
                self.out,
                "Some(s::ValueNames {{ of: &{}, as_flags: {as_flags}, in_json: {in_json} }})",
                self.paths.enums[of]
            )?,
        }
        write!(self.out, ", ty: s::Type::")?;
        self.ty(&field.ty)?;
        write!(self.out, " }}")
    }

    fn ty(&mut self, ty: &Type) -> fmt::Result {
        match ty {
            Type::Int { bytes, signed } => {
                write!(self.out, "Int {{ bytes: {bytes}, signed: {signed} }}")
            }
            Type::VarInt { signed } => write!(self.out, "VarInt {{ signed: {signed} }}"),
            Type::Bitfield32
            | Type::Flag
            | Type::String
            | Type::Binary
            | Type::Bits { .. }
            | Type::Pad
            | Type::Unused => write!(self.out, "{ty:?}"),
            Type::Struct(index) => write!(self.out, "Struct(&{})", self.paths.structs[*index]),
            Type::Array {
                element,
                stride,
                named,
            } => {
                write!(self.out, "Array {{ stride: {stride}, element: &")?;
                self.field(element)?;
                write!(self.out, ", named: &[")?;
                self.fields(named)?;
                write!(self.out, "] }}")
            }
            Type::Elements { set } => {
                let set = &self.paths.sets[*set];
                write!(self.out, "Elements {{ set: &{set} }}")
            }
            Type::Nest { header, set } => {
                let header = reference(&self.paths.structs, *header);
                let set = &self.paths.sets[*set];
                write!(self.out, "Nest {{ header: {header}, set: &{set} }}")
            }
            Type::Indexed { element } => {
                write!(self.out, "Indexed {{ element: &")?;
                self.field(element)?;
                write!(self.out, " }}")
            }
            Type::NestTypeValue { levels, set } => {
                let set = &self.paths.sets[*set];
                write!(self.out, "TypeValue {{ set: &{set}, levels: &[")?;
                self.fields(levels)?;
                write!(self.out, "] }}")
            }
            Type::SubMessage {
                formats,
                variants,
                selector,
            } => {
                let formats = self.paths.sub_messages[*formats].clone();
                write!(self.out, "SubMessage {{ formats: &{formats}, variants: &[")?;
                for variant in variants {
                    let (when, len) = (&variant.when, variant.len);
                    write!(
                        self.out,
                        "s::Variant {{ when: s::FormatKey::{when:?}, len: {len:?}, field: "
                    )?;
                    self.field(&variant.field)?;
                    writeln!(self.out, " }},")?;
                }
                write!(self.out, "], selector: s::Selector::")?;
                match selector {
                    Selector::Fields(names) => write!(self.out, "Fields(&{names:?}) }}"),
                    Selector::Together(names) => write!(self.out, "Together(&{names:?}) }}"),
                    Selector::Found(finder) => {
                        write!(self.out, "Found(s::Finder::{finder:?}) }}")
                    }
                    Selector::AttributeType => write!(self.out, "AttributeType }}"),
                    Selector::PayloadLength => write!(self.out, "PayloadLength }}"),
                }
            }
            Type::BitUnit { bytes, parts } => {
                write!(self.out, "BitUnit {{ bytes: {bytes}, parts: &[")?;
                self.fields(parts)?;
                write!(self.out, "] }}")
            }
            Type::Custom {
                decoder,
                header,
                set,
            } => {
                let header = reference(&self.paths.structs, *header);
                let set = reference(&self.paths.sets, *set);
                write!(
                    self.out,
                    "Custom {{ decoder: s::Decoder::{decoder:?}, header: {header}, set: {set} }}"
                )
            }
        }
    }

    fn family(&mut self, file: &File, family: &Family) -> fmt::Result {
        let count = family.groups.len();
        writeln!(self.out, "static GROUPS: [s::Group; {count}] = [")?;
        for group in &family.groups {
            let (name, number) = (&group.name, group.number);
            writeln!(
                self.out,
                "s::Group {{ name: {name:?}, number: {number:?} }},"
            )?;
        }
        writeln!(self.out, "];")?;
        self.start("FAMILY", "s::Family")?;
        let (name, protocol, genl) = (&file.name, family.protocol, &family.genl);
        writeln!(
            self.out,
            "s::Family {{ name: {name:?}, protocol: {protocol}, genl: {genl:?}, groups: &GROUPS,"
        )?;
        self.references("sets", |paths| &paths.sets, &file.sets)?;
        self.references("structs", |paths| &paths.structs, &file.structs)?;
        self.references("enums", |paths| &paths.enums, &file.enums)?;
        writeln!(self.out, "messages: &[")?;
        for message in &family.messages {
            self.message(message)?;
        }
        writeln!(self.out, "] }};")
    }

    fn references(
        &mut self,
        key: &str,
        paths: impl Fn(&Paths) -> &Vec<String>,
        indices: &[usize],
    ) -> fmt::Result {
        write!(self.out, "{key}: &[")?;
        for index in indices {
            write!(self.out, "&{}, ", paths(&self.paths)[*index])?;
        }
        writeln!(self.out, "],")
    }

    fn message(&mut self, message: &Message) -> fmt::Result {
        let Message {
            uapi,
            name,
            number,
            when_family,
            flags_as,
            echoes_request,
            bare_dump,
            ..
        } = message;
        let direction = match message.direction {
            None => "None".to_owned(),
            Some(direction) => format!("Some(s::Direction::{direction:?})"),
        };
        let header = reference(&self.paths.structs, message.header);
        let set = reference(&self.paths.sets, message.attributes);
        writeln!(
            self.out,
            "s::Message {{ uapi: {uapi:?}, name: {name:?}, number: {number}, \
             direction: {direction}, when_family: &{when_family:?}, \
             flags_as: s::FlagsAs::{flags_as:?}, echoes_request: {echoes_request}, \
             bare_dump: {bare_dump}, \
             header: {header}, attributes: {set}, groups: &["
        )?;
        for rule in &message.groups {
            let (group, families, flags) = (rule.group, &rule.families, rule.flags);
            let first = rule.first_attribute;
            writeln!(
                self.out,
                "s::GroupRule {{ group: &GROUPS[{group}], families: &{families:?}, flags: {flags:?}, \
                 first_attribute: {first:?} }},"
            )?;
        }
        write!(self.out, "], ")?;
        self.summary(&message.summary)?;
        writeln!(self.out, " }},")
    }

    fn summary(&mut self, entries: &[SummaryEntry]) -> fmt::Result {
        write!(self.out, "summary: &[")?;
        for entry in entries {
            let (label, joined) = (&entry.label, entry.joined);
            write!(
                self.out,
                "s::SummaryEntry {{ label: {label:?}, joined: {joined}, paths: &["
            )?;
            for path in &entry.paths {
                write!(self.out, "&{path:?}, ")?;
            }
            writeln!(self.out, "] }},")?;
        }
        write!(self.out, "]")
    }
}

fn reference(paths: &[String], index: Option<usize>) -> String {
    index.map_or_else(
        || "None".to_owned(),
        |index| format!("Some(&{})", paths[index]),
    )
}
