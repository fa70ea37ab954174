//! Byte order of the netlink content.
//!
//! A capture's header tells the order of the machine that wrote the file, which
//! need not be the one that spoke. The content tells: read in the wrong order, a
//! chain of message lengths runs off the frame at once.

use super::nlmsg::{NLMSG_HDRLEN, Nlmsghdr, nlmsghdr};

/// The byte order of integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// Least significant byte first.
    #[default]
    Little,
    /// Most significant byte first.
    Big,
}

impl Order {
    /// That of the machine the program runs on: what its own kernel sends.
    pub const NATIVE: Self = if cfg!(target_endian = "big") {
        Self::Big
    } else {
        Self::Little
    };

    /// The other one.
    #[must_use]
    pub fn swapped(self) -> Self {
        match self {
            Self::Little => Self::Big,
            Self::Big => Self::Little,
        }
    }

    /// Reads two bytes.
    #[must_use]
    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    /// Reads four bytes.
    #[must_use]
    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// Reads an unsigned integer of up to eight bytes; of more, the last eight count
    /// in big-endian and the first eight in little-endian.
    #[must_use]
    pub fn unsigned(self, bytes: &[u8]) -> u64 {
        let push = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        match self {
            Self::Little => bytes.iter().take(8).rev().fold(0, push),
            Self::Big => {
                let last = bytes.len().saturating_sub(8);
                bytes.iter().skip(last).fold(0, push)
            }
        }
    }

    /// Reads a two's complement integer of up to eight bytes.
    #[must_use]
    #[expect(
        clippy::cast_possible_wrap,
        reason = "two's complement is what is meant"
    )]
    pub fn signed(self, bytes: &[u8]) -> i64 {
        let unused = 64 - 8 * u32::try_from(bytes.len().min(8)).unwrap_or(8);
        if unused == 64 {
            return 0;
        }
        ((self.unsigned(bytes) << unused) as i64) >> unused
    }

    /// nom's name for it.
    #[must_use]
    pub fn endianness(self) -> nom::number::Endianness {
        match self {
            Self::Little => nom::number::Endianness::Little,
            Self::Big => nom::number::Endianness::Big,
        }
    }
}

/// What the content of a frame says of its byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderGuess {
    /// Only this order makes sense.
    Sure(Order),
    /// Both or neither do.
    Unclear,
}

/// Looks at the chain of message lengths in `content`, the bytes after the cooked
/// header. `wire_len` is how long they were on the wire.
#[must_use]
pub fn guess_order(content: &[u8], wire_len: usize) -> OrderGuess {
    let little = plausibility(content, Order::Little, wire_len);
    let big = plausibility(content, Order::Big, wire_len);
    match little.cmp(&big) {
        std::cmp::Ordering::Greater => OrderGuess::Sure(Order::Little),
        std::cmp::Ordering::Less => OrderGuess::Sure(Order::Big),
        std::cmp::Ordering::Equal => OrderGuess::Unclear,
    }
}

/// How well the chain holds in one order: 3 to the end, 2 the first message fits,
/// 1 its length and type are small enough to be meant, 0 not at all.
fn plausibility(content: &[u8], order: Order, wire_len: usize) -> u8 {
    let Ok((_, first)) = nlmsghdr(order)(content) else {
        return 0;
    };
    if chain_holds(content, order, first, wire_len) {
        return 3;
    }
    let fits = first.len >= NLMSG_HDRLEN && first.len as usize <= content.len();
    // A wrong order turns the small numbers of a header into huge ones.
    match (fits, first.len < 1 << 20) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    }
}

fn chain_holds(content: &[u8], order: Order, first: Nlmsghdr, wire_len: usize) -> bool {
    let missing = wire_len.saturating_sub(content.len());
    let mut header = first;
    let mut rest = content;
    loop {
        if header.len < NLMSG_HDRLEN {
            return false;
        }
        let step = super::align(header.len) as usize;
        match rest.get(step..) {
            Some(after) if after.len() >= NLMSG_HDRLEN as usize => rest = after,
            Some(_) => return true,
            None => return header.len as usize <= rest.len().saturating_add(missing),
        }
        match nlmsghdr(order)(rest) {
            Ok((_, next)) => header = next,
            Err(_) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(order: Order, len: u32, kind: u16) -> Vec<u8> {
        let mut bytes = match order {
            Order::Little => len.to_le_bytes().to_vec(),
            Order::Big => len.to_be_bytes().to_vec(),
        };
        bytes.extend(match order {
            Order::Little => kind.to_le_bytes(),
            Order::Big => kind.to_be_bytes(),
        });
        bytes.resize((len as usize).max(16), 0);
        bytes
    }

    #[track_caller]
    fn check(content: &[u8], wire_len: usize, expected: OrderGuess) {
        assert_eq!(guess_order(content, wire_len), expected);
    }

    #[test]
    fn a_chain_that_ends_with_the_frame_tells_the_order() {
        for order in [Order::Little, Order::Big] {
            let mut chain = message(order, 20, 16);
            chain.extend(message(order, 32, 3));
            check(&chain, chain.len(), OrderGuess::Sure(order));
        }
    }

    #[test]
    fn a_frame_cut_by_the_snap_length_still_tells() {
        for order in [Order::Little, Order::Big] {
            let long = message(order, 4000, 16);
            check(&long[..100], long.len(), OrderGuess::Sure(order));
        }
    }

    #[test]
    fn a_length_beyond_the_frame_tells_by_its_size() {
        for order in [Order::Little, Order::Big] {
            let mut wrong = message(order, 16, 16);
            let len = 400_u32;
            wrong[..4].copy_from_slice(&if order == Order::Little {
                len.to_le_bytes()
            } else {
                len.to_be_bytes()
            });
            check(&wrong, wrong.len(), OrderGuess::Sure(order));
        }
    }

    #[test]
    fn nothing_to_go_by_is_unclear() {
        check(&[], 0, OrderGuess::Unclear);
        check(&[0; 16], 16, OrderGuess::Unclear);
        check(&[0xff; 15], 15, OrderGuess::Unclear);
    }

    #[test]
    fn integers_of_any_length() {
        assert_eq!(Order::Little.unsigned(&[1, 2, 3]), 0x03_0201);
        assert_eq!(Order::Big.unsigned(&[1, 2, 3]), 0x01_0203);
        assert_eq!(Order::Big.signed(&[0xff, 0xfe]), -2);
        assert_eq!(Order::Little.signed(&[0xfe, 0xff, 0xff, 0xff]), -2);
        assert_eq!(Order::Little.signed(&[]), 0);
    }
}
