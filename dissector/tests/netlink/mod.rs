//! Messages by hand, in the byte order that a test asks for, and frames of them as nlmon has
//! them.
#![allow(dead_code, reason = "each test uses what it needs")]

use nlscope_dissector::wire::Order;

/// Writes integers, attributes and messages in one byte order.
#[derive(Clone, Copy)]
pub(crate) struct Writer(pub(crate) Order);

pub(crate) const LITTLE: Writer = Writer(Order::Little);
pub(crate) const BIG: Writer = Writer(Order::Big);
pub(crate) const NATIVE: Writer = Writer(Order::NATIVE);

impl Writer {
    pub(crate) fn u16(self, number: u16) -> [u8; 2] {
        match self.0 {
            Order::Little => number.to_le_bytes(),
            Order::Big => number.to_be_bytes(),
        }
    }

    pub(crate) fn u32(self, number: u32) -> [u8; 4] {
        match self.0 {
            Order::Little => number.to_le_bytes(),
            Order::Big => number.to_be_bytes(),
        }
    }

    /// `struct nlattr`, its payload and its padding.
    pub(crate) fn attribute(self, number: u16, payload: &[u8]) -> Vec<u8> {
        let len = u16::try_from(payload.len() + 4).unwrap();
        let mut bytes = [&self.u16(len), &self.u16(number), payload].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// A message with 0 as its sequence number and its port.
    pub(crate) fn message(self, kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        self.message_of((0, 0), kind, flags, payload)
    }

    /// `struct nlmsghdr` and its payload, with this `nlmsg_seq` and `nlmsg_pid`. There is no
    /// padding behind it: some tests are about what ends in the middle.
    pub(crate) fn message_of(
        self,
        (seq, pid): (u32, u32),
        kind: u16,
        flags: u16,
        payload: &[u8],
    ) -> Vec<u8> {
        let mut bytes = self
            .u32(u32::try_from(payload.len() + 16).unwrap())
            .to_vec();
        bytes.extend([self.u16(kind), self.u16(flags)].concat());
        bytes.extend([self.u32(seq), self.u32(pid)].concat());
        bytes.extend(payload);
        bytes
    }
}

/// An attribute in little-endian, as most tests have them.
pub(crate) fn attribute(number: u16, payload: &[u8]) -> Vec<u8> {
    LITTLE.attribute(number, payload)
}

/// The frame of these messages of a netlink protocol: a cooked header, always big-endian,
/// before them.
pub(crate) fn nlmon(protocol: u16, messages: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 4, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(protocol.to_be_bytes());
    bytes.extend(messages);
    bytes
}
