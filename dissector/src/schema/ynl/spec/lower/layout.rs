//! Structs as the C compiler lays them out.

use super::super::error::{Located, Reason, SpecError, at, unknown};
use super::super::kinds::{FieldOrder, Hint};
use super::super::model::{EnumEntry, Field, Len, Member, Model, Struct, Type};
use super::super::source::{self, Name, Scalar};
use super::fields::{Fields, Shown, array, decoder, integer};
use super::summary;
use super::symbols::Symbols;

/// Deepest struct in a struct.
const MAX_DEPTH: usize = 16;
/// Largest struct, in bytes.
const MAX_SIZE: u32 = 1 << 20;

/// Lays out the structs of all files.
pub(super) fn structs(
    sources: &[(&str, source::File)],
    symbols: &Symbols<'_>,
    model: &Model,
) -> Result<Vec<Struct>, SpecError> {
    let mut written = Vec::new();
    for (file, (path, source)) in sources.iter().enumerate() {
        for definition in &source.definitions {
            if definition.kind.value == "struct" {
                written.push((file, *path, definition));
            }
        }
    }
    let mut done: Vec<Option<Struct>> = written.iter().map(|_| None).collect();
    let mut layouts = Layouts {
        symbols,
        model,
        written: &written,
        done: &mut done,
    };
    for index in 0..written.len() {
        layouts.lay_out(index, 0)?;
    }
    Ok(done.into_iter().flatten().collect())
}

struct Layouts<'a, 's> {
    symbols: &'a Symbols<'s>,
    /// Its enums are there, its structs not yet.
    model: &'a Model,
    written: &'a [(usize, &'a str, &'a source::Definition)],
    done: &'a mut [Option<Struct>],
}

impl Layouts<'_, '_> {
    /// Size and alignment of a struct, which is laid out if it is not yet.
    fn lay_out(&mut self, index: usize, depth: usize) -> Result<(u32, u32), SpecError> {
        if let Some(Some(done)) = self.done.get(index) {
            return Ok((done.size, done.align));
        }
        let (file, path, definition) = self.written[index];
        let name = &definition.name;
        if depth > MAX_DEPTH {
            let what = "struct";
            let cyclic = Reason::Cyclic {
                what,
                name: name.value.clone(),
            };
            return Err(at(name, cyclic).in_file(path));
        }
        let members = definition.members.as_deref().unwrap_or_default();
        for member in members {
            if let Some(layout) = &member.layout {
                let inner = self.symbols.layout(&[file], layout);
                self.lay_out(inner.map_err(|error| error.in_file(path))?, depth + 1)?;
            }
        }
        let mut laid_out = self
            .members(file, members, definition)
            .and_then(|builder| builder.finish(name))
            .map_err(|error| error.in_file(path))?;
        laid_out.may_end = definition.may_end;
        laid_out.summary = summary::entries(definition.summary.as_deref(), None)
            .map_err(|error| error.in_file(path))?;
        let size = (laid_out.size, laid_out.align);
        self.done[index] = Some(laid_out);
        Ok(size)
    }

    fn fields(&self) -> Fields<'_, '_> {
        Fields {
            symbols: self.symbols,
            model: self.model,
        }
    }

    fn members(
        &self,
        file: usize,
        members: &[source::Member],
        definition: &source::Definition,
    ) -> Result<Builder, Located> {
        let mut builder = Builder {
            packed: definition.packed,
            ..Builder::default()
        };
        for member in members {
            let shown = self.fields().shown(&[file], &Shown::of_member(member))?;
            let uapi = member.c_name.clone();
            let field = Field {
                name: member.name.value.clone(),
                uapi: uapi.unwrap_or_else(|| member.name.value.replace('-', "_")),
                number: 0,
                ty: Type::Pad,
                order: shown.order,
                hint: shown.hint,
                names: shown.names,
                multi: false,
                secret: member.secret,
            };
            if builder.flexible {
                return Err(at(
                    &member.name,
                    Reason::Misplaced("nothing can follow what takes the rest of the payload"),
                ));
            }
            if let Some(width) = &member.bits {
                let lowest_first = definition.lowest_bit_first || shown.order == FieldOrder::Little;
                builder.bits(member, field, width.value, lowest_first)?;
            } else {
                self.plain(file, member, field, &mut builder)?;
            }
        }
        Ok(builder)
    }

    /// A member that is no bit-field.
    fn plain(
        &self,
        file: usize,
        member: &source::Member,
        mut field: Field,
        builder: &mut Builder,
    ) -> Result<(), Located> {
        builder.end_bits();
        let len = member.len.as_ref();
        let len = len.map(|len| self.length(file, len, builder)).transpose()?;
        let count = match &member.count {
            Some(count) if count.value == rest_word() => Some(Len::Rest),
            Some(count) => Some(self.length(file, count, builder)?),
            None if member.array_of_struct => Some(Len::Rest),
            None => None,
        };
        let (ty, size, align) = self.element(file, member, len, count)?;
        field.ty = ty;
        // Bytes that are shown as one thing are one thing.
        if matches!(field.ty, Type::Int { bytes: 1, .. })
            && member.count.is_some()
            && matches!(
                field.hint,
                Hint::Text
                    | Hint::SunPath
                    | Hint::Hex
                    | Hint::Mac
                    | Hint::Ipv4
                    | Hint::Ipv6
                    | Hint::Ip
                    | Hint::IpUnion
                    | Hint::Uuid
            )
        {
            field.ty = Type::Binary;
        }
        let total = match (count, size) {
            (None, size) => size,
            (Some(Len::Bytes(count)), Len::Bytes(size)) => Len::Bytes(
                size.checked_mul(count)
                    .filter(|total| *total <= MAX_SIZE)
                    .ok_or_else(|| too_large(&member.name))?,
            ),
            (Some(Len::Counted { by, more, .. }), Len::Bytes(each)) => {
                Len::Counted { by, more, each }
            }
            (Some(_), _) => Len::Rest,
        };
        let each = match size {
            Len::Bytes(each) => each,
            Len::Rest | Len::Counted { .. } => 1,
        };
        let scalar = matches!(field.ty, Type::Binary | Type::String) && each <= 1;
        if count.is_some() && !scalar && !fills_room(&field.ty) {
            let named = self.named(file, member)?;
            field = array(field, each.max(1), named.as_deref());
        }
        builder.push(&member.name, field, total, align)
    }

    /// The names of the elements of an array.
    fn named(
        &self,
        file: usize,
        member: &source::Member,
    ) -> Result<Option<Vec<EnumEntry>>, Located> {
        let named = member.index_enum.as_ref();
        let named =
            named.map(|name| (self.fields()).by_position(&[file], name, member.index_start));
        named.transpose()
    }

    /// What a member, or an element of it, is: type, size, alignment.
    fn element(
        &self,
        file: usize,
        member: &source::Member,
        len: Option<Len>,
        count: Option<Len>,
    ) -> Result<(Type, Len, u32), Located> {
        let kind = member.kind.value.as_str();
        if let Some((bytes, signed)) = integer(kind) {
            let size = u32::from(bytes);
            return Ok((Type::Int { bytes, signed }, Len::Bytes(size), size));
        }
        if let (Some(name), None) = (&member.layout, &member.decoder) {
            let index = self.symbols.layout(&[file], name)?;
            let Some(Some(layout)) = self.done.get(index) else {
                let (what, name) = ("struct", name.value.clone());
                return Err(at(&member.name, Reason::Cyclic { what, name }));
            };
            let size = if layout
                .members
                .iter()
                .all(|it| matches!(it.len, Len::Bytes(_)))
            {
                Len::Bytes(layout.size)
            } else {
                Len::Rest
            };
            return Ok((Type::Struct(index), size, layout.align));
        }
        let ty = match kind {
            "binary" => self.bytes(file, member)?,
            "string" => Type::String,
            "pad" => Type::Pad,
            "sub-message" => self.sub_message(file, member)?,
            "elements" => {
                let set = required(
                    member,
                    member.nested_attributes.as_ref(),
                    "nested-attributes",
                )?;
                let set = self.symbols.set(&[file], set)?;
                Type::Elements { set }
            }
            _ => {
                let known = [
                    "u8",
                    "u16",
                    "u32",
                    "u64",
                    "s8",
                    "s16",
                    "s32",
                    "s64",
                    "binary",
                    "string",
                    "pad",
                    "sub-message",
                    "elements",
                ];
                return Err(unknown("type of member", &member.kind, known));
            }
        };
        match (len, count) {
            (Some(len), _) => Ok((ty, len, 1)),
            (None, Some(_)) => Ok((ty, Len::Bytes(1), 1)),
            (None, None) => Err(missing(member, "len")),
        }
    }

    /// Bytes, or what a decoder makes of them.
    fn bytes(&self, file: usize, member: &source::Member) -> Result<Type, Located> {
        let Some(name) = &member.decoder else {
            return Ok(Type::Binary);
        };
        let layout = member.layout.as_ref();
        let layout = layout.map(|name| self.symbols.layout(&[file], name));
        let set = member.nested_attributes.as_ref();
        let set = set.map(|name| self.symbols.set(&[file], name));
        Ok(Type::Custom {
            decoder: decoder(name)?,
            header: layout.transpose()?,
            set: set.transpose()?,
        })
    }

    /// What another member or field says it is. Its variants come when they exist.
    fn sub_message(&self, file: usize, member: &source::Member) -> Result<Type, Located> {
        let formats = required(member, member.sub_message.as_ref(), "sub-message")?;
        let selector = required(member, member.selector.as_ref(), "selector")?;
        Ok(Type::SubMessage {
            formats: self.symbols.sub_message(&[file], formats)?,
            variants: Vec::new(),
            selector: self.fields().selector(&[file], selector, &[])?,
        })
    }

    /// A number of bytes or elements: a number, the constant that is one, or the member
    /// that has it.
    fn length(
        &self,
        file: usize,
        written: &serde_saphyr::Spanned<Scalar>,
        before: &Builder,
    ) -> Result<Len, Located> {
        let value = match &written.value {
            Scalar::Number(number) => *number,
            Scalar::Word(word) if let Some((by, more)) = counter(word, before) => {
                return Ok(Len::Counted { by, more, each: 1 });
            }
            Scalar::Word(word) => self.symbols.constant(file, word).ok_or_else(|| {
                at(
                    written,
                    Reason::Unknown {
                        what: "constant or earlier member",
                        name: word.clone(),
                        nearest: None,
                    },
                )
            })?,
        };
        let max = MAX_SIZE.into();
        let fits = u32::try_from(value).ok().filter(|value| *value <= MAX_SIZE);
        fits.map(Len::Bytes).ok_or_else(|| {
            let what = "length";
            at(written, Reason::Range { what, value, max })
        })
    }
}

/// The earlier member that a word names, and what is added to it: `number`, `last + 1`.
fn counter(word: &str, before: &Builder) -> Option<(usize, u32)> {
    let (name, more) = word.split_once('+').unwrap_or((word, "0"));
    Some((before.position(name.trim())?, more.trim().parse().ok()?))
}

/// Whether this takes the bytes that there are, however many.
fn fills_room(ty: &Type) -> bool {
    matches!(
        ty,
        Type::SubMessage { .. } | Type::Elements { .. } | Type::Custom { .. } | Type::Pad
    )
}

fn missing(member: &source::Member, key: &'static str) -> Located {
    at(
        &member.name,
        Reason::Missing {
            what: "member",
            name: member.name.value.clone(),
            key,
        },
    )
}

fn required<'m>(
    member: &source::Member,
    written: Option<&'m Name>,
    key: &'static str,
) -> Result<&'m Name, Located> {
    written.ok_or_else(|| missing(member, key))
}

fn rest_word() -> Scalar {
    Scalar::Word("rest".to_owned())
}

fn too_large(name: &Name) -> Located {
    at(
        name,
        Reason::Misplaced("the struct would be larger than 1 MB"),
    )
}

/// A struct so far.
#[derive(Default)]
struct Builder {
    members: Vec<Member>,
    packed: bool,
    end: u32,
    align: u32,
    flexible: bool,
    /// Its size is not known from the struct alone.
    open_ended: bool,
    run: Option<Run>,
    units: usize,
}

/// Bit-fields that share an integer.
struct Run {
    bytes: u8,
    signed: bool,
    little: u8,
    big: u8,
    parts: Vec<Field>,
    order: FieldOrder,
}

impl Builder {
    /// The index of the whole number called `name`.
    fn position(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| {
            member.field.name == name && matches!(member.field.ty, Type::Int { .. })
        })
    }

    fn push(&mut self, name: &Name, field: Field, len: Len, align: u32) -> Result<(), Located> {
        let align = if self.packed { 1 } else { align.max(1) };
        let offset = self.end.next_multiple_of(align);
        self.align = self.align.max(align);
        let end = match len {
            Len::Bytes(bytes) => offset.checked_add(bytes),
            Len::Rest | Len::Counted { .. } => Some(offset),
        };
        self.end = end
            .filter(|end| *end <= MAX_SIZE)
            .ok_or_else(|| too_large(name))?;
        self.flexible = len == Len::Rest;
        self.open_ended |= !matches!(len, Len::Bytes(_));
        self.members.push(Member { field, offset, len });
        Ok(())
    }

    /// A bit-field: in the integer of the one before it where there is room. Those of an
    /// integer in network byte order begin at its top whatever the host, and others
    /// at its bottom where `lowest_first`.
    fn bits(
        &mut self,
        member: &source::Member,
        field: Field,
        width: u8,
        lowest_first: bool,
    ) -> Result<(), Located> {
        let Some((bytes, signed)) = integer(&member.kind.value) else {
            let reason = Reason::Misplaced("a bit-field is of an integer type");
            return Err(at(&member.kind, reason));
        };
        let room = bytes * 8;
        if width == 0 || width > room {
            return Err(at(
                &member.name,
                Reason::Range {
                    what: "width of a bit-field",
                    value: width.into(),
                    max: room.into(),
                },
            ));
        }
        let (little, big) = match member.when_order.as_ref().map(|order| order.value.as_str()) {
            None => (true, true),
            Some("little") => (true, false),
            Some("big") => (false, true),
            Some(_) => {
                let order = member.when_order.as_ref().unwrap_or(&member.name);
                return Err(unknown("byte order", order, ["little", "big"]));
            }
        };
        let fits = self.run.as_ref().is_some_and(|run| {
            run.bytes == bytes
                && run.signed == signed
                && run.order == field.order
                && (!little || run.little + width <= room)
                && (!big || run.big + width <= room)
        });
        if !fits {
            self.end_bits();
        }
        let run = self.run.get_or_insert_with(|| Run {
            bytes,
            signed,
            little: 0,
            big: 0,
            parts: Vec::new(),
            order: field.order,
        });
        let network = field.order == FieldOrder::Big;
        let little = little.then(|| {
            run.little += width;
            if network {
                room - run.little
            } else {
                run.little - width
            }
        });
        let big = big.then(|| {
            run.big += width;
            if lowest_first {
                run.big - width
            } else {
                room - run.big
            }
        });
        run.add(field, little, big, width);
        Ok(())
    }

    /// Ends the integer that bit-fields share. It cannot be too large: `push` checks the
    /// member after it, and `finish` the last one.
    fn end_bits(&mut self) {
        let Some(run) = self.run.take() else { return };
        self.units += 1;
        let name = match self.units {
            1 => "bits".to_owned(),
            more => format!("bits-{more}"),
        };
        let size = u32::from(run.bytes);
        let align = if self.packed { 1 } else { size };
        let offset = self.end.next_multiple_of(align);
        self.align = self.align.max(align);
        self.end = offset.saturating_add(size);
        self.members.push(Member {
            field: Field {
                uapi: name.replace('-', "_"),
                name,
                number: 0,
                ty: Type::BitUnit {
                    bytes: run.bytes,
                    parts: run.parts,
                },
                order: run.order,
                hint: Hint::Hex,
                names: None,
                multi: false,
                secret: false,
            },
            offset,
            len: Len::Bytes(size),
        });
    }

    fn finish(mut self, name: &Name) -> Result<Struct, Located> {
        self.end_bits();
        let align = self.align.max(1);
        let size = if self.open_ended {
            self.end
        } else {
            self.end.next_multiple_of(align)
        };
        if size > MAX_SIZE {
            return Err(too_large(name));
        }
        Ok(Struct {
            name: name.value.clone(),
            size,
            align,
            members: self.members,
            may_end: false,
            summary: Vec::new(),
        })
    }
}

impl Run {
    /// Adds a part, or the place it has in the other byte order.
    fn add(&mut self, mut field: Field, little: Option<u8>, big: Option<u8>, width: u8) {
        let known = self.parts.iter_mut().find(|part| part.name == field.name);
        if let Some(Field {
            ty:
                Type::Bits {
                    little: known_little,
                    big: known_big,
                    width: known_width,
                },
            ..
        }) = known
            && *known_width == width
        {
            *known_little = known_little.or(little);
            *known_big = known_big.or(big);
            return;
        }
        field.ty = Type::Bits { little, big, width };
        self.parts.push(field);
    }
}
