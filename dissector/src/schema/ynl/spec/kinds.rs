//! The words of the tables that are a choice among a few: shared by the types of the
//! schema and by the loader, which `build.rs` compiles too.

/// Towards which side a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A request.
    ToKernel,
    /// An answer or a notification.
    FromKernel,
}

/// Which names the flags from 0x100 to 0x800 have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagsAs {
    /// `NLM_F_ROOT`, `NLM_F_MATCH`, `NLM_F_ATOMIC`.
    Get,
    /// `NLM_F_REPLACE`, `NLM_F_EXCL`, `NLM_F_CREATE`, `NLM_F_APPEND`.
    New,
    /// `NLM_F_NONREC`, `NLM_F_BULK`.
    Delete,
}

/// Byte order of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldOrder {
    /// That of the machine that sent it.
    Host,
    /// Network order.
    Big,
    /// Little-endian whatever the host.
    Little,
}

/// The custom decoders; what each does is said where it is written: `walk::custom` calls them
/// all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoder {
    /// `struct rtnexthop` after `struct rtnexthop`, each with attributes.
    Rtnexthop,
    /// A network packet from its Ethernet header on.
    PacketEthernet,
    /// A network packet from its IP or ARP header on.
    PacketIp,
    /// A network packet from the header on that `network-header` beside it announces.
    PacketTransport,
    /// A network packet that begins with what a protocol beside it says.
    PacketByProto,
    /// The options of an IPv4 or TCP header.
    IpOptions,
    /// The program of a socket filter: `struct inet_diag_bc_op`, each with operands.
    InetDiagBytecode,
    /// Options of neighbour discovery, their lengths in units of 8 bytes.
    NdOptions,
    /// The text of an audit record.
    AuditRecord,
    /// The text of an event of a kernel object.
    Uevent,
    /// `struct tlv_desc` of TIPC, with what follows each.
    TipcTlv,
}

impl Decoder {
    /// Every decoder with its name in the schema.
    pub const ALL: &'static [(&'static str, Decoder)] = &[
        ("rtnexthop", Decoder::Rtnexthop),
        ("packet-ethernet", Decoder::PacketEthernet),
        ("packet-ip", Decoder::PacketIp),
        ("packet-transport", Decoder::PacketTransport),
        ("packet-by-proto", Decoder::PacketByProto),
        ("ip-options", Decoder::IpOptions),
        ("inet-diag-bytecode", Decoder::InetDiagBytecode),
        ("nd-options", Decoder::NdOptions),
        ("audit-record", Decoder::AuditRecord),
        ("uevent", Decoder::Uevent),
        ("tipc-tlv", Decoder::TipcTlv),
    ];
}

/// How many fields may select together.
pub const MAX_TOGETHER: usize = 3;

/// What tells which format a sub-message has where no field does; what each does is said
/// where it is written, in `walk::nft`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finder {
    /// What an `nf_tables` register holds.
    Register,
    /// What the keys of an `nf_tables` set are.
    SetKey,
    /// What the elements of an `nf_tables` map lead to.
    SetData,
}

impl Finder {
    /// Every finder with its name in the schema.
    pub const ALL: &'static [(&'static str, Finder)] = &[
        ("nft-register", Finder::Register),
        ("nft-set-key", Finder::SetKey),
        ("nft-set-data", Finder::SetData),
    ];
}

/// How a value is shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// As its type suggests.
    None,
    /// In hexadecimal.
    Hex,
    /// In octal.
    Octal,
    /// A link-layer address.
    Mac,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An IPv4 or IPv6 address, by its length.
    Ip,
    /// An IPv4 or IPv6 address in the room of the latter: IPv4 where only its first four
    /// bytes are in use.
    IpUnion,
    /// A UUID.
    Uuid,
    /// An interface index: with its name where known.
    Ifindex,
    /// A traffic control handle, `1:10`.
    TcHandle,
    /// What an action of traffic control decides, where that has a number in it.
    TcAction,
    /// A netlink port.
    PortId,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
    /// Hundredths of a second (`USER_HZ`).
    ClockTicks,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
    /// Bits a second.
    BitsPerSecond,
    /// Kilobits a second.
    KilobitsPerSecond,
    /// Hundreds of kilobits a second.
    HundredKilobitsPerSecond,
    /// Megabits a second.
    MegabitsPerSecond,
    /// A frequency or its width.
    Megahertz,
    /// A frequency or its width.
    Kilohertz,
    /// A power, in decibels over a milliwatt.
    Dbm,
    /// A power, in hundredths of that.
    Mbm,
    /// Seconds since 1970, UTC.
    UnixSeconds,
    /// Nanoseconds since 1970, UTC.
    UnixNanoseconds,
    /// Seconds, or for ever where all bits are set.
    Lifetime,
    /// Bytes that are text.
    Text,
    /// The address of a Unix socket: a path, or an abstract name after a NUL.
    SunPath,
    /// Text between quotes, or in hexadecimal digits where it has other characters.
    Untrusted,
    /// A socket address in hexadecimal digits.
    HexSockaddr,
    /// A network namespace id.
    NetnsId,
    /// An errno.
    Errno,
}

impl Hint {
    /// Every hint with its name in the schema.
    pub const ALL: &'static [(&'static str, Hint)] = &[
        ("hex", Hint::Hex),
        ("octal", Hint::Octal),
        ("mac", Hint::Mac),
        ("fddi", Hint::Mac),
        ("ipv4", Hint::Ipv4),
        ("ipv6", Hint::Ipv6),
        ("ipv4-or-v6", Hint::Ip),
        ("ip-union", Hint::IpUnion),
        ("uuid", Hint::Uuid),
        ("ifindex", Hint::Ifindex),
        ("tc-handle", Hint::TcHandle),
        ("tc-action", Hint::TcAction),
        ("port-id", Hint::PortId),
        ("seconds", Hint::Seconds),
        ("milliseconds", Hint::Milliseconds),
        ("microseconds", Hint::Microseconds),
        ("nanoseconds", Hint::Nanoseconds),
        ("clock-ticks", Hint::ClockTicks),
        ("bytes", Hint::Bytes),
        ("bytes-per-second", Hint::BytesPerSecond),
        ("bits-per-second", Hint::BitsPerSecond),
        ("kilobits-per-second", Hint::KilobitsPerSecond),
        (
            "hundred-kilobits-per-second",
            Hint::HundredKilobitsPerSecond,
        ),
        ("megabits-per-second", Hint::MegabitsPerSecond),
        ("megahertz", Hint::Megahertz),
        ("kilohertz", Hint::Kilohertz),
        ("dbm", Hint::Dbm),
        ("mbm", Hint::Mbm),
        ("unix-seconds", Hint::UnixSeconds),
        ("unix-nanoseconds", Hint::UnixNanoseconds),
        ("lifetime", Hint::Lifetime),
        ("text", Hint::Text),
        ("sun-path", Hint::SunPath),
        ("untrusted", Hint::Untrusted),
        ("hex-sockaddr", Hint::HexSockaddr),
        ("netns-id", Hint::NetnsId),
        ("errno", Hint::Errno),
    ];
}
