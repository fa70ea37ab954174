//! A checked specification as tables that live as long as the program.

use super::ynl::model;
use super::{
    AttributeSet, Attributes, Enum, EnumEntry, Family, Field, Format, FormatKey, Formats, Group,
    GroupRule, Len, Member, Message, Selector, Struct, SummaryEntry, Type, ValueNames, Variant,
};

/// The families of all files that do not only define what others use.
pub(super) fn families(model: &model::Model) -> Vec<&'static Family> {
    let tables = Tables::of(model);
    let files = model.files.iter();
    files
        .filter_map(|file| Some(family(&tables, file, file.family.as_ref()?)))
        .collect()
}

fn family(tables: &Tables, file: &model::File, family: &model::Family) -> &'static Family {
    let groups = list(family.groups.iter().map(|group| Group {
        name: text(&group.name),
        number: group.number,
    }));
    let messages = family.messages.iter().map(|message| Message {
        uapi: text(&message.uapi),
        name: text(&message.name),
        number: message.number,
        direction: message.direction,
        when_family: list(message.when_family.iter().copied()),
        flags_as: message.flags_as,
        echoes_request: message.echoes_request,
        bare_dump: message.bare_dump,
        header: message.header.and_then(|index| tables.layout(index)),
        attributes: message.attributes.and_then(|index| tables.set(index)),
        groups: list(message.groups.iter().filter_map(|rule| {
            Some(GroupRule {
                group: groups.get(rule.group)?,
                families: list(rule.families.iter().copied()),
                flags: rule.flags,
                first_attribute: rule.first_attribute,
            })
        })),
        summary: summary(&message.summary),
    });
    Box::leak(Box::new(Family {
        name: text(&file.name),
        protocol: family.protocol,
        genl: family.genl.as_deref().map(text),
        messages: list(messages),
        sets: list(file.sets.iter().filter_map(|index| tables.set(*index))),
        structs: list(
            file.structs
                .iter()
                .filter_map(|index| tables.layout(*index)),
        ),
        enums: list(
            file.enums
                .iter()
                .filter_map(|index| tables.enums.get(*index).copied()),
        ),
        groups,
    }))
}

fn text(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn list<T>(items: impl Iterator<Item = T>) -> &'static [T] {
    Box::leak(items.collect::<Vec<T>>().into_boxed_slice())
}

fn summary(entries: &[model::SummaryEntry]) -> &'static [SummaryEntry] {
    list(entries.iter().map(|entry| {
        SummaryEntry {
            label: text(&entry.label),
            joined: entry.joined,
            paths: list(
                entry
                    .paths
                    .iter()
                    .map(|path| list(path.iter().map(|name| text(name)))),
            ),
        }
    }))
}

fn when(key: &model::FormatKey) -> FormatKey {
    match key {
        model::FormatKey::Name(name) => FormatKey::Name(text(name)),
        model::FormatKey::Number(number) => FormatKey::Number(*number),
        model::FormatKey::Default => FormatKey::Default,
        model::FormatKey::Absent => FormatKey::Absent,
    }
}

static NOTHING: Formats = Formats::new(&[]);

/// What exists already, by its index in the model.
struct Tables {
    enums: Vec<&'static Enum>,
    /// A struct may refer to one with a higher index; a hole is one that is not there yet.
    structs: Vec<Option<&'static Struct>>,
    /// Those that are being made: one that is a variant of itself ends there.
    started: Vec<bool>,
    sets: Vec<&'static AttributeSet>,
    sub_messages: Vec<&'static Formats>,
}

impl Tables {
    fn of(model: &model::Model) -> Self {
        // Sets and sub-messages first without what refers to others of them.
        let set = |set: &model::Set| -> &'static AttributeSet {
            Box::leak(Box::new(AttributeSet {
                name: text(&set.name),
                attributes: Attributes::new(&[]),
                any_number: set.any_number,
                own_flags: set.own_flags,
                summary: summary(&set.summary),
            }))
        };
        let formats = |_| -> &'static Formats { Box::leak(Box::new(Formats::new(&[]))) };
        let mut tables = Self {
            enums: model.enums.iter().map(names).collect(),
            structs: vec![None; model.structs.len()],
            started: vec![false; model.structs.len()],
            sets: model.sets.iter().map(set).collect(),
            sub_messages: model.sub_messages.iter().map(formats).collect(),
        };
        for index in 0..model.structs.len() {
            tables.structure(model, index);
        }
        for (formats, written) in tables.sub_messages.iter().zip(&model.sub_messages) {
            formats.fill(list(written.formats.iter().map(|format| Format {
                when: when(&format.when),
                header: format.header.and_then(|index| tables.layout(index)),
                set: format.set.and_then(|index| tables.set(index)),
            })));
        }
        for (set, written) in tables.sets.iter().zip(&model.sets) {
            set.attributes.fill(list(
                written.attributes.iter().map(|field| tables.field(field)),
            ));
        }
        tables
    }

    fn layout(&self, index: usize) -> Option<&'static Struct> {
        self.structs.get(index).copied().flatten()
    }

    fn set(&self, index: usize) -> Option<&'static AttributeSet> {
        self.sets.get(index).copied()
    }

    /// Makes a struct, and before it those of its members; how deep is bounded by the
    /// check of the specification.
    fn structure(&mut self, model: &model::Model, index: usize) {
        let Some(layout) = model.structs.get(index) else {
            return;
        };
        match self.started.get_mut(index) {
            Some(started) if !*started => *started = true,
            _ => return,
        }
        for member in &layout.members {
            inner_structs(&member.field.ty, &mut |inner| self.structure(model, inner));
        }
        let name = text(&layout.name);
        let made: &'static Struct = Box::leak(Box::new(Struct {
            name,
            size: layout.size,
            may_end: layout.may_end,
            members: list(layout.members.iter().map(|member| Member {
                field: self.field(&member.field),
                offset: member.offset,
                len: match member.len {
                    model::Len::Bytes(bytes) => Len::Bytes(bytes),
                    model::Len::Rest => Len::Rest,
                    model::Len::Counted { by, more, each } => Len::Counted { by, more, each },
                },
            })),
            summary: summary(&layout.summary),
            field: Field::of_struct(name),
        }));
        if let Some(slot) = self.structs.get_mut(index) {
            *slot = Some(made);
        }
    }

    fn field(&self, field: &model::Field) -> Field {
        Field {
            name: text(&field.name),
            uapi: text(&field.uapi),
            number: field.number,
            ty: self.ty(&field.ty),
            order: field.order,
            hint: field.hint,
            names: field.names.and_then(|names| {
                Some(ValueNames {
                    of: self.enums.get(names.of)?,
                    as_flags: names.as_flags,
                    in_json: names.in_json,
                })
            }),
            multi: field.multi,
            secret: field.secret,
        }
    }

    fn fields(&self, fields: &[model::Field]) -> &'static [Field] {
        list(fields.iter().map(|field| self.field(field)))
    }

    fn element(&self, element: &model::Field) -> &'static Field {
        Box::leak(Box::new(self.field(element)))
    }

    /// A type. What refers to something that the model does not have, which the check
    /// of the specification rules out, is bytes.
    fn ty(&self, ty: &model::Type) -> Type {
        match *ty {
            model::Type::Int { bytes, signed } => Type::Int { bytes, signed },
            model::Type::VarInt { signed } => Type::VarInt { signed },
            model::Type::Bitfield32 => Type::Bitfield32,
            model::Type::Flag => Type::Flag,
            model::Type::String => Type::String,
            model::Type::Binary => Type::Binary,
            model::Type::Struct(index) => self.layout(index).map_or(Type::Binary, Type::Struct),
            model::Type::Array {
                ref element,
                stride,
                ref named,
            } => Type::Array {
                element: self.element(element),
                stride,
                named: self.fields(named),
            },
            model::Type::Elements { set } => self
                .set(set)
                .map_or(Type::Binary, |set| Type::Elements { set }),
            model::Type::Nest { header, set } => {
                self.set(set).map_or(Type::Binary, |set| Type::Nest {
                    header: header.and_then(|index| self.layout(index)),
                    set,
                })
            }
            model::Type::Indexed { ref element } => Type::Indexed {
                element: self.element(element),
            },
            model::Type::NestTypeValue { ref levels, set } => {
                self.set(set).map_or(Type::Binary, |set| Type::TypeValue {
                    levels: self.fields(levels),
                    set,
                })
            }
            model::Type::SubMessage {
                formats,
                ref variants,
                ref selector,
            } => Type::SubMessage {
                formats: self.sub_messages.get(formats).copied().unwrap_or(&NOTHING),
                variants: list(variants.iter().map(|variant| Variant {
                    when: when(&variant.when),
                    field: self.field(&variant.field),
                    len: variant.len,
                })),
                selector: match selector {
                    model::Selector::Fields(names) => {
                        Selector::Fields(list(names.iter().map(|name| text(name))))
                    }
                    model::Selector::Together(names) => {
                        Selector::Together(list(names.iter().map(|name| text(name))))
                    }
                    model::Selector::Found(finder) => Selector::Found(*finder),
                    model::Selector::AttributeType => Selector::AttributeType,
                    model::Selector::PayloadLength => Selector::PayloadLength,
                },
            },
            model::Type::BitUnit { bytes, ref parts } => Type::BitUnit {
                bytes,
                parts: self.fields(parts),
            },
            model::Type::Bits { little, big, width } => Type::Bits { little, big, width },
            model::Type::Pad => Type::Pad,
            model::Type::Unused => Type::Unused,
            model::Type::Custom {
                decoder,
                header,
                set,
            } => Type::Custom {
                decoder,
                header: header.and_then(|index| self.layout(index)),
                set: set.and_then(|index| self.set(index)),
            },
        }
    }
}

/// The structs that have to exist before one with a member of this type.
fn inner_structs(ty: &model::Type, visit: &mut dyn FnMut(usize)) {
    match ty {
        model::Type::Struct(index) => visit(*index),
        model::Type::Custom { header, .. } => header.iter().copied().for_each(visit),
        model::Type::Array { element, .. } => inner_structs(&element.ty, visit),
        model::Type::SubMessage { variants, .. } => {
            for variant in variants {
                inner_structs(&variant.field.ty, visit);
            }
        }
        _ => {}
    }
}

fn names(names: &model::Enum) -> &'static Enum {
    Box::leak(Box::new(Enum {
        name: text(&names.name),
        flags: names.flags,
        entries: list(names.entries.iter().map(|entry| EnumEntry {
            name: text(&entry.name),
            uapi: text(&entry.uapi),
            value: entry.value,
        })),
    }))
}
