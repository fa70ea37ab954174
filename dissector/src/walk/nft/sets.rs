//! What the declarations of sets say of their elements. A transaction declares a set and fills
//! it right after, often with a number and a name that the kernel has yet to complete; elements
//! that are listed later name a set that was declared in another frame.

use std::collections::HashMap;

use super::kinds::{big_endian, of_host};
use super::{Chain, MAX_NAME, text};
use crate::schema::FormatKey;
use crate::walk::Walker;
use crate::walk::scope::Scope;
use crate::wire::{Order, protocol};

/// How many sets of one frame are remembered.
const MAX_SETS: usize = 16;
/// How many sets of a capture are remembered, so that a hostile one cannot fill the memory.
const MAX_LEARNED: usize = 1 << 14;
/// `NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET`.
const NEWSET: u16 = 0xa09;
/// Bits of one data type among several.
const TYPE_BITS: u32 = 6;
/// How many data types one number has room for.
const MAX_PARTS: u32 = 5;
/// nft's number for integers of any length.
const TYPE_INTEGER: u32 = 4;
const NFTNL_UDATA_SET_KEYBYTEORDER: u8 = 0;
const NFTNL_UDATA_SET_DATABYTEORDER: u8 = 1;
const BYTEORDER_BIG_ENDIAN: u64 = 2;
/// Length of `struct nfgenmsg`.
const NFGENMSG_LEN: usize = 4;

/// A set: which it is, and what is in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Set<'f> {
    family: u8,
    table: &'f [u8],
    name: &'f [u8],
    id: Option<u32>,
    types: Types,
}

/// The data types of a set's keys and of what they lead to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Types {
    pub(super) key: DataType,
    pub(super) data: DataType,
}

/// What nft says of values: a number, and in user data the byte order of integers.
#[derive(Debug, Clone, Copy)]
pub(super) struct DataType {
    number: u32,
    is_big: bool,
}

impl DataType {
    /// What a value of `len` bytes is.
    pub(super) fn kind(self, len: u32) -> Option<FormatKey> {
        match self.number {
            TYPE_INTEGER if self.is_big => big_endian(len),
            TYPE_INTEGER => of_host(len),
            number => Some(FormatKey::Number(number.into())),
        }
    }

    /// The types of the parts, first to last: 6 bits each.
    pub(super) fn parts(self) -> impl Iterator<Item = FormatKey> {
        let number = if self.number < 1 << (MAX_PARTS * TYPE_BITS) {
            self.number
        } else {
            0
        };
        (0..MAX_PARTS)
            .rev()
            .map(move |part| (number >> (part * TYPE_BITS)) & ((1 << TYPE_BITS) - 1))
            .filter(|part| *part != 0)
            .map(|part| FormatKey::Number(part.into()))
    }
}

impl<'f> Set<'f> {
    /// The set that the payload of a message declares.
    fn of(payload: &'f [u8], order: Order) -> Option<Self> {
        let attributes = Chain {
            rest: payload.get(NFGENMSG_LEN..)?,
            order,
        };
        let userdata = attributes.attribute(13).unwrap_or_default();
        let of = |number, userdata_type| {
            Some(DataType {
                number: attributes.number(number)?,
                is_big: is_big(userdata, userdata_type, order),
            })
        };
        Some(Self {
            family: *payload.first()?,
            table: attributes.text(1)?,
            name: attributes.text(2)?,
            id: attributes.number(10),
            types: Types {
                key: of(4, NFTNL_UDATA_SET_KEYBYTEORDER)?,
                data: of(6, NFTNL_UDATA_SET_DATABYTEORDER).unwrap_or(DataType {
                    number: 0,
                    is_big: false,
                }),
            },
        })
    }
}

/// Whether user data says that integers are in network order.
fn is_big(userdata: &[u8], number: u8, order: Order) -> bool {
    let mut rest = userdata;
    while let [found, len, after @ ..] = rest {
        let Some((value, next)) = after.split_at_checked(usize::from(*len)) else {
            return false;
        };
        if *found == number {
            return order.unsigned(value) == BYTEORDER_BIG_ENDIAN;
        }
        rest = next;
    }
    false
}

/// The sets declared last.
#[derive(Debug, Default)]
pub(in crate::walk) struct Sets<'f> {
    latest: [Option<Set<'f>>; MAX_SETS],
    next: usize,
}

impl<'w> Walker<'w> {
    /// Remembers the set that a message declares.
    pub(in crate::walk) fn declares(&mut self, of: u16, kind: u16, (start, end): (u32, u32)) {
        if of != protocol::NETFILTER || kind != NEWSET {
            return;
        }
        let frame: &'w [u8] = self.frame;
        let payload = frame.get(start as usize..end as usize).unwrap_or_default();
        let set = Set::of(payload, self.order);
        if let Some(slot) = self.sets.latest.get_mut(self.sets.next % MAX_SETS) {
            *slot = set;
            self.sets.next = (self.sets.next + 1) % MAX_SETS;
        }
    }

    /// The set that the elements around belong to.
    pub(super) fn types_of(&self, scope: &Scope<'_>) -> Option<Types> {
        let find = |name| scope.find(self.frame, self.order, name);
        let family = *find("nfgen-family")?.payload.first()?;
        let table = text(find("table")?.payload);
        let id = find("set-id").and_then(|id| id.payload.first_chunk().copied());
        let id = id.map(u32::from_be_bytes);
        let name = find("set").map(|name| text(name.payload));
        let newest = (1..=MAX_SETS).filter_map(|back| {
            let at = (self.sets.next + MAX_SETS - back) % MAX_SETS;
            self.sets.latest.get(at).copied().flatten()
        });
        // By the number if there is one: names may be patterns, with several sets to each.
        let here = newest
            .filter(|set| set.family == family && set.table == table)
            .find(|set| match id {
                Some(id) => set.id == Some(id),
                None => name == Some(set.name),
            });
        here.map(|set| set.types)
            .or_else(|| self.nft_sets?.get(family, table, name?))
    }
}

type ByName<T> = HashMap<Vec<u8>, T>;

/// The sets of `nf_tables` that a capture declares, and the data types of what is in them.
#[derive(Debug, Clone, Default)]
pub struct NftSets {
    /// By address family, table and name.
    sets: HashMap<u8, ByName<ByName<Types>>>,
    learned: usize,
}

impl NftSets {
    /// Takes the set that a message declares, if it does: one of nfnetlink with this type
    /// and payload.
    pub fn learn(&mut self, kind: u16, payload: &[u8], order: Order) {
        if kind != NEWSET || self.learned >= MAX_LEARNED {
            return;
        }
        let Some(set) = Set::of(payload, order) else {
            return;
        };
        if set.table.len() >= MAX_NAME || set.name.len() >= MAX_NAME || set.name.contains(&b'%') {
            return;
        }
        let tables = self.sets.entry(set.family).or_default();
        let sets = tables.entry(set.table.to_vec()).or_default();
        if sets.insert(set.name.to_vec(), set.types).is_none() {
            self.learned += 1;
        }
    }

    fn get(&self, family: u8, table: &[u8], name: &[u8]) -> Option<Types> {
        (self.sets.get(&family)?.get(table)?.get(name)).copied()
    }
}
