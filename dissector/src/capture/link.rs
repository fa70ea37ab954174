//! Names of link types, so that a capture of something else is told by name.

/// What a link type (a `LINKTYPE_*` number) is, in a word or two; `None` for the
/// less usual ones.
#[must_use]
pub fn link_name(number: u32) -> Option<&'static str> {
    Some(match number {
        0 | 108 => "BSD loopback",
        1 => "Ethernet",
        6 => "Token Ring",
        8 => "SLIP",
        9 => "PPP",
        10 => "FDDI",
        50 => "PPP over HDLC",
        101 | 228 | 229 => "raw IP",
        104 => "Cisco HDLC",
        105 => "IEEE 802.11",
        113 => "Linux cooked",
        119 => "IEEE 802.11 with Prism header",
        127 => "IEEE 802.11 with radiotap",
        187 | 201 => "Bluetooth HCI",
        189 | 220 => "USB",
        195 | 215 | 230 | 283 => "IEEE 802.15.4",
        227 => "CAN",
        239 => "NFLOG",
        249 => "USBPcap",
        251 | 256 => "Bluetooth Low Energy",
        252 => "Wireshark upper PDU",
        253 => "netlink",
        254 => "Bluetooth monitor",
        271 => "vsock",
        276 => "Linux cooked v2",
        _ => return None,
    })
}
