//! Decoders for what no table can say.

use std::cell::Cell;

use super::packet::Begins;
use super::scope::Scope;
use super::{MAX_NODES, Walker};
use crate::note::NoteKind;
use crate::schema::{AttributeSet, Decoder, Struct};
use crate::tape::{NodeFlags, NodeIndex};
use crate::wire::{NLA_HDRLEN, align};

/// A custom decoder where it stands: the struct and the attributes that its table names.
#[derive(Debug, Clone, Copy)]
pub(super) struct CustomField {
    pub(super) decoder: Decoder,
    pub(super) header: Option<&'static Struct>,
    pub(super) set: Option<&'static AttributeSet>,
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
        let room = (start, end);
        match (custom.decoder, custom.set) {
            (Decoder::Rtnexthop, _) => self.rtnexthops(custom, parent, room, depth, scope),
            (Decoder::InetDiagBytecode, _) => {
                self.self_sized(custom, 1, parent, room, depth, scope);
            }
            (Decoder::NdOptions, _) => self.self_sized(custom, 8, parent, room, depth, scope),
            (Decoder::PacketEthernet, set) => {
                self.packet(Begins::Ethernet, set, room, depth, scope);
            }
            (Decoder::PacketIp, set) => self.packet(Begins::Network, set, room, depth, scope),
            (Decoder::PacketTransport, set) => {
                self.packet(Begins::Transport, set, room, depth, scope);
            }
            (Decoder::PacketByProto, set) => self.packet(Begins::ByProto, set, room, depth, scope),
            (Decoder::TipcTlv, set) => self.tipc_tlvs(set, parent, room, depth, scope),
            (Decoder::IpOptions, Some(set)) => self.ip_options(set, room, depth, scope),
            (Decoder::AuditRecord, Some(set)) => self.audit_record(set, room, depth, scope),
            (Decoder::Uevent, Some(set)) => self.uevent(set, room, depth, scope),
            (Decoder::IpOptions | Decoder::AuditRecord | Decoder::Uevent, None) => {
                self.unknown(start, end, depth);
            }
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
        // Not even an empty struct of somebody's specification holds the loop.
        let least = header.size.max(4);
        let mut at = start;
        while end.saturating_sub(at) >= least {
            let length = self.bytes(at, at + 2);
            let says = length
                .first_chunk()
                .map_or(0, |bytes| self.order.u16(*bytes));
            let left = end - at;
            if u32::from(says) < least || u32::from(says) > left {
                self.tape
                    .note(parent, NoteKind::AttributeLength { says, left });
                break;
            }
            let to = at + u32::from(says);
            let node = self.tape.open(&header.field, at, depth, NodeFlags::UNNAMED);
            let inside = self.members(
                header,
                node,
                (at, at + header.size),
                depth.saturating_add(1),
                outer,
            );
            let scope = Scope {
                outer,
                previous: Cell::new(0),
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
            at = at.saturating_add(align(u32::from(says))).min(end);
            self.padding(to, at, depth);
        }
        self.unknown(at, end, depth);
    }

    /// TIPC's old messages: big-endian, the length of an element with its header, its type,
    /// and what it holds, each element padded to 4 bytes. Attributes have neither that order
    /// of bytes nor, on most machines, that of the two numbers.
    fn tipc_tlvs(
        &mut self,
        set: Option<&'static AttributeSet>,
        parent: NodeIndex,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let mut at = start;
        while at < end && self.tape.index() < MAX_NODES {
            let Some([a, b, c, d]) = self.bytes(at, end).first_chunk().copied() else {
                break;
            };
            let (says, kind) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let left = end - at;
            let len = u32::from(says);
            if len < NLA_HDRLEN || len > left {
                self.tape
                    .note(parent, NoteKind::AttributeLength { says, left });
                break;
            }
            let to = at + len;
            match set.and_then(|set| set.attribute(kind)) {
                Some(field) => self.node(field, at, to, depth, NodeFlags::TLV, scope),
                None => drop(self.unknown(at, to, depth)),
            }
            at = at.saturating_add(align(len)).min(end);
            self.padding(to, at, depth);
        }
        self.unknown(at, end, depth);
    }
}
