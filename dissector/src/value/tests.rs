//! How bytes are decoded, and values shown.

use std::fmt;

use super::show::show;
use super::*;
use crate::schema::FieldOrder;

struct Eth0;

impl Names for Eth0 {
    fn interface(&self, index: u32) -> Option<&str> {
        (index == 2).then_some("eth0")
    }
}

fn field(ty: Type, hint: Hint) -> Field {
    Field {
        ty,
        hint,
        ..Field::of_struct("field")
    }
}

const fn int(bytes: u8, signed: bool) -> Type {
    Type::Int { bytes, signed }
}

struct Once<'t>(&'t Field, Value<'t>);

impl fmt::Display for Once<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = Show {
            names: &Eth0,
            numeric: false,
            redact: false,
        };
        show(f, self.0, self.1, how)
    }
}

/// `bytes` as little-endian `ty`.
#[track_caller]
fn check(ty: Type, hint: Hint, bytes: &[u8], expected: &str) {
    let field = field(ty, hint);
    let value = decode(&field, bytes, Order::Little, Order::Little);
    assert_eq!(Once(&field, value).to_string(), expected, "{value:?}");
}

#[test]
fn numbers_of_every_length_and_sign() {
    check(int(1, false), Hint::None, &[0xff], "255");
    check(int(1, true), Hint::None, &[0xff], "-1");
    check(int(2, false), Hint::None, &[1, 2], "513");
    check(int(4, true), Hint::None, &[0xfe, 0xff, 0xff, 0xff], "-2");
    check(
        int(8, false),
        Hint::None,
        &[0xff; 8],
        "18446744073709551615",
    );
    check(int(8, true), Hint::None, &[0xff; 8], "-1");
    check(
        Type::VarInt { signed: false },
        Hint::None,
        &[5, 0, 0, 0],
        "5",
    );
    check(Type::VarInt { signed: true }, Hint::None, &[0xff; 8], "-1");
    check(int(4, false), Hint::None, &[], "");
    check(int(4, false), Hint::None, &[1; 9], "010101010101010101");
}

#[test]
fn hints_say_what_a_number_means() {
    let word = |hint, number: u32, expected: &str| {
        check(int(4, false), hint, &number.to_le_bytes(), expected);
    };
    word(Hint::Hex, 255, "0xff");
    word(Hint::Octal, 8, "0o10");
    word(Hint::Ifindex, 2, "2 (eth0)");
    word(Hint::Ifindex, 3, "3");
    word(Hint::PortId, 3, "3");
    word(Hint::TcHandle, 0x1_0010, "1:10");
    word(Hint::TcHandle, 0x1_0000, "1:");
    word(Hint::TcHandle, u32::MAX, "root");
    word(Hint::TcHandle, 0xffff_fff1, "ingress");
    word(Hint::TcHandle, 0, "none");
    word(Hint::TcAction, 0x1000_0002, "jump 2");
    word(Hint::TcAction, 0x2000_0005, "goto chain 5");
    word(Hint::Seconds, 7, "7 s");
    word(Hint::Milliseconds, 7, "7 ms");
    word(Hint::Microseconds, 7, "7 us");
    word(Hint::Nanoseconds, 7, "7 ns");
    word(Hint::ClockTicks, 7, "70 ms");
    word(Hint::Lifetime, 7, "7 s");
    word(Hint::Lifetime, u32::MAX, "forever");
    word(
        Hint::UnixSeconds,
        1_795_204_618,
        "2026-11-20 19:56:58.000000000 UTC",
    );
    word(Hint::Bytes, 7, "7 B");
    word(Hint::BytesPerSecond, 7, "7 B/s");
    word(Hint::BitsPerSecond, 7, "7 bit/s");
    word(Hint::MegabitsPerSecond, 7, "7 Mbit/s");
    word(Hint::HundredKilobitsPerSecond, 65, "6.5 Mbit/s");
    word(Hint::Kilohertz, 7, "7 kHz");
    word(Hint::Mbm, 2005, "20.05 dBm");
    let signed = Type::Int {
        bytes: 4,
        signed: true,
    };
    check(signed, Hint::Mbm, &(-45_i32).to_le_bytes(), "-0.45 dBm");
    check(signed, Hint::Dbm, &(-45_i32).to_le_bytes(), "-45 dBm");
    word(Hint::NetnsId, u32::MAX, "none");
    word(Hint::Errno, 19, "ENODEV");
    check(
        int(4, true),
        Hint::Errno,
        &(-19_i32).to_le_bytes(),
        "ENODEV",
    );
    check(
        int(8, false),
        Hint::ClockTicks,
        &[0xff; 8],
        "18446744073709551615 ms",
    );
}

#[test]
fn addresses_of_every_kind() {
    let ip6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    check(Type::Binary, Hint::Ipv4, &[10, 0, 0, 1], "10.0.0.1");
    check(Type::Binary, Hint::Ip, &[10, 0, 0, 1], "10.0.0.1");
    check(Type::Binary, Hint::Ip, &ip6, "2001:db8::1");
    check(Type::Binary, Hint::Ipv6, &ip6, "2001:db8::1");
    check(Type::Binary, Hint::Ipv6, &[1, 2], "0102");
    check(Type::Binary, Hint::IpUnion, &ip6, "2001:db8::1");
    let ip4 = [10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    check(Type::Binary, Hint::IpUnion, &ip4, "10.0.0.1");
    check(Type::Binary, Hint::IpUnion, &[0; 16], "0.0.0.0");
    check(Type::Binary, Hint::Mac, &[0, 0x1b, 0x21], "00:1b:21");
    check(
        Type::Binary,
        Hint::Uuid,
        &ip6,
        "20010db8-0000-0000-0000-000000000001",
    );
    let big = Field {
        order: FieldOrder::Big,
        ..field(int(4, false), Hint::Ipv4)
    };
    let value = decode(&big, &[10, 0, 0, 1], Order::Big, Order::Little);
    assert_eq!(Once(&big, value).to_string(), "10.0.0.1");
}

#[test]
fn text_bytes_flags_and_bits() {
    check(Type::String, Hint::None, b"eth0\0junk", "eth0");
    check(Type::String, Hint::None, b"\x1b[2J", "\\x1b[2J");
    check(Type::Binary, Hint::Text, b"dummy\0", "dummy");
    check(Type::Binary, Hint::SunPath, b"/run/x\0", "/run/x");
    check(Type::Binary, Hint::SunPath, b"\0bus", "\\x00bus");
    check(Type::Binary, Hint::SunPath, b"\0", "");
    check(Type::Binary, Hint::None, &[0xde, 0xad], "dead");
    check(Type::Flag, Hint::None, &[], "true");
    check(Type::Flag, Hint::None, &[1], "01");
    check(
        Type::Bitfield32,
        Hint::None,
        &[1, 0, 0, 0, 3, 0, 0, 0],
        "0x1/0x3",
    );
    check(Type::Bitfield32, Hint::None, &[1, 0], "0100");
    let bits = |little, width| Type::Bits {
        little: Some(little),
        big: None,
        width,
    };
    check(bits(4, 3), Hint::None, &[0b0101_0000], "5");
    check(bits(0, 64), Hint::None, &[0xff; 8], "18446744073709551615");
}
