//! Decoders for what no table can say.

use super::Walker;
use super::scope::Scope;
use crate::note::NoteKind;
use crate::schema::{
    AttributeSet, Decoder, Field, FieldOrder, Hint, Struct, Type, ValueNames, base,
};
use crate::tape::{NodeFlags, NodeIndex};

/// A custom decoder where it stands: the struct and the attributes that its table names.
#[derive(Debug, Clone, Copy)]
pub(super) struct CustomField {
    pub(super) decoder: Decoder,
    pub(super) header: Option<&'static Struct>,
    pub(super) set: Option<&'static AttributeSet>,
}

/// The fields that a decoder makes beside those its table names, so that a filter can
/// name them.
pub(crate) fn fields(decoder: Decoder) -> Vec<&'static Field> {
    match decoder {
        Decoder::Rtnexthop => Vec::new(),
        Decoder::Rtvia => vec![&RTVIA_FAMILY, &RTVIA_ADDR],
        Decoder::MplsLabels => MPLS_PARTS.iter().collect(),
    }
}

impl Walker<'_> {
    /// Decodes the payload `start..end` of the open node `parent` below it.
    pub(super) fn custom(
        &mut self,
        custom: CustomField,
        parent: NodeIndex,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        match custom.decoder {
            Decoder::Rtnexthop => self.rtnexthops(custom, parent, (start, end), depth, scope),
            Decoder::Rtvia => self.rtvia(parent, start, end, depth),
            Decoder::MplsLabels => self.mpls_labels(start, end, depth),
        }
    }

    /// `RTA_MULTIPATH`: a struct whose own length says where its attributes end and the
    /// next one begins, which a nest cannot express.
    fn rtnexthops(
        &mut self,
        custom: CustomField,
        parent: NodeIndex,
        (start, end): (u32, u32),
        depth: u8,
        outer: Option<&Scope<'_>>,
    ) {
        let Some(header) = custom.header else {
            self.unknown(start, end, depth);
            return;
        };
        let mut at = start;
        while end.saturating_sub(at) >= header.size {
            let length = self.bytes(at, at + 2);
            let says = length
                .first_chunk()
                .map_or(0, |bytes| self.order.u16(*bytes));
            let left = end - at;
            if u32::from(says) < header.size || u32::from(says) > left {
                self.tape
                    .note(parent, NoteKind::AttributeLength { says, left });
                break;
            }
            let to = at + u32::from(says);
            let node = self.tape.open(&header.field, at, depth, NodeFlags::UNNAMED);
            let inside = self.members(header, node, at, at + header.size, depth.saturating_add(1));
            let scope = Scope {
                outer,
                set: custom.set,
                start: inside,
                end: to,
                header: Some((header, at)),
            };
            self.attributes(
                custom.set,
                inside,
                to,
                depth.saturating_add(1),
                Some(&scope),
                false,
            );
            self.tape.close(node, to);
            at = to.saturating_add(3).min(end) & !3;
            at = at.max(to);
            self.padding(to, at, depth);
        }
        self.unknown(at, end, depth);
    }

    /// `struct rtvia`: the address has the length of its family, which the table of the
    /// struct cannot know.
    fn rtvia(&mut self, parent: NodeIndex, start: u32, end: u32, depth: u8) {
        let family_end = start.saturating_add(2);
        if family_end > end {
            self.tape.note(
                parent,
                NoteKind::HeaderCut {
                    need: 2,
                    left: end - start,
                },
            );
            self.unknown(start, end, depth);
            return;
        }
        self.node(
            &RTVIA_FAMILY,
            start,
            family_end,
            depth,
            NodeFlags::NONE,
            None,
        );
        if family_end < end {
            self.node(&RTVIA_ADDR, family_end, end, depth, NodeFlags::NONE, None);
        }
    }

    /// A stack of MPLS labels, as many as the payload has. Bit-fields of big-endian
    /// words, whatever the host: C's bit-fields in a table follow the host.
    fn mpls_labels(&mut self, start: u32, end: u32, depth: u8) {
        let mut at = start;
        while end.saturating_sub(at) >= 4 {
            let entry = self.tape.open(&MPLS_ENTRY, at, depth, NodeFlags::UNNAMED);
            for part in &MPLS_PARTS {
                self.tape
                    .leaf(part, at, 4, depth.saturating_add(1), NodeFlags::BITS);
            }
            self.tape.close(entry, at + 4);
            at += 4;
        }
        self.unknown(at, end, depth);
    }
}

const fn part(name: &'static str, ty: Type, order: FieldOrder, hint: Hint) -> Field {
    Field {
        name,
        uapi: name,
        number: 0,
        ty,
        order,
        hint,
        names: None,
        multi: false,
        secret: false,
    }
}

/// `rtvia_family` of `struct rtvia` (`linux/rtnetlink.h`).
static RTVIA_FAMILY: Field = {
    let mut field = part(
        "rtvia-family",
        Type::Int {
            bytes: 2,
            signed: false,
        },
        FieldOrder::Host,
        Hint::None,
    );
    field.uapi = "rtvia_family";
    field.names = Some(ValueNames {
        of: base::ADDRESS_FAMILIES,
        as_flags: false,
        in_json: false,
    });
    field
};
/// `rtvia_addr`.
static RTVIA_ADDR: Field = {
    let mut field = part("rtvia-addr", Type::Binary, FieldOrder::Host, Hint::Ip);
    field.uapi = "rtvia_addr";
    field
};

/// `struct mpls_label` (`linux/mpls.h`, RFC 3032).
static MPLS_ENTRY: Field = part(
    "entry",
    Type::BitUnit {
        bytes: 4,
        parts: &[],
    },
    FieldOrder::Big,
    Hint::Hex,
);
static MPLS_PARTS: [Field; 4] = [
    mpls_part("label", 12, 20),
    mpls_part("tc", 9, 3),
    mpls_part("bos", 8, 1),
    mpls_part("ttl", 0, 8),
];

const fn mpls_part(name: &'static str, shift: u8, width: u8) -> Field {
    part(
        name,
        Type::Bits {
            little: Some(shift),
            big: Some(shift),
            width,
        },
        FieldOrder::Big,
        Hint::None,
    )
}
