//! Where a sub-message's selector is looked for: the sets and structs around it.

use crate::schema::{AttributeSet, Field, Struct};
use crate::value::order_of;
use crate::wire::{NLA_F_NET_BYTEORDER, NLA_HDRLEN, Order, align, nlattr};

/// How many attributes of a set are searched for a selector. The kernel puts it first
/// or second; the cap keeps the cost of a hostile message linear.
const SEARCHED: usize = 64;

/// One level around the attribute at hand: bytes `start` to `end` of the frame hold
/// attributes of `set`, and `header` lies before them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'p> {
    pub(super) outer: Option<&'p Scope<'p>>,
    pub(super) set: Option<&'static AttributeSet>,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) header: Option<(&'static Struct, u32)>,
}

/// A selector's field and its payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selected<'f> {
    pub(super) field: &'static Field,
    pub(super) payload: &'f [u8],
    /// Byte order of its integers.
    pub(super) order: Order,
}

impl Scope<'_> {
    /// The field called `name`, in this level or the nearest one around it.
    pub(super) fn find<'f>(
        &self,
        frame: &'f [u8],
        order: Order,
        name: &str,
    ) -> Option<Selected<'f>> {
        let mut scope = Some(self);
        while let Some(level) = scope {
            if let Some(found) = level
                .attribute(frame, order, name)
                .or_else(|| level.member(frame, order, name))
            {
                return Some(found);
            }
            scope = level.outer;
        }
        None
    }

    fn attribute<'f>(&self, frame: &'f [u8], order: Order, name: &str) -> Option<Selected<'f>> {
        let field = self
            .set?
            .attributes
            .iter()
            .find(|field| field.name == name)?;
        let mut rest = frame.get(self.start as usize..self.end as usize)?;
        for _ in 0..SEARCHED {
            let (_, header) = nlattr(order)(rest).ok()?;
            let payload = rest.get(NLA_HDRLEN as usize..usize::from(header.len))?;
            if header.number() == field.number {
                let host = if header.kind & NLA_F_NET_BYTEORDER == 0 {
                    order
                } else {
                    Order::Big
                };
                return Some(Selected {
                    field,
                    payload,
                    order: order_of(field, host),
                });
            }
            rest = rest.get(align(u32::from(header.len)) as usize..)?;
        }
        None
    }

    fn member<'f>(&self, frame: &'f [u8], order: Order, name: &str) -> Option<Selected<'f>> {
        let (layout, start) = self.header?;
        let member = layout
            .members
            .iter()
            .find(|member| member.field.name == name)?;
        let from = start.checked_add(member.offset)? as usize;
        let payload = frame.get(from..from.checked_add(member.len? as usize)?)?;
        Some(Selected {
            field: &member.field,
            payload,
            order: order_of(&member.field, order),
        })
    }
}
