//! The cooked header in front of every frame.
//!
//! nlmon's frames carry the 16 bytes of a Linux cooked capture (SLL), as do those of a
//! capture on `any`, whose newer form (SLL2) has 20. Both are big-endian. Only the
//! netlink protocol and the hardware type matter; the kernel leaves the rest as it
//! happens to be, so nothing else is looked at.

use etherparse::{ArpHardwareId, LinuxSllHeader, LinuxSllHeaderSlice};
use nom::Parser;
use nom::bytes::complete::take;
use nom::number::complete::be_u16;
use thiserror::Error;

/// The hardware type of netlink (`linux/if_arp.h`).
const ARPHRD_NETLINK: u16 = 824;
/// Length of an SLL2 header.
const SLL2_LEN: usize = 20;

/// What a capture says its frames begin with (a `DLT_*` or `LINKTYPE_*` number).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// 253, what nlmon has.
    Netlink,
    /// 113, a capture on `any`.
    Sll,
    /// 276, a capture on `any` with a newer libpcap.
    Sll2,
    /// Another, which cannot hold netlink.
    Other(u32),
}

impl LinkType {
    /// The link type with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        match number {
            253 => Self::Netlink,
            113 => Self::Sll,
            276 => Self::Sll2,
            other => Self::Other(other),
        }
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Netlink => 253,
            Self::Sll => 113,
            Self::Sll2 => 276,
            Self::Other(number) => number,
        }
    }

    /// Length of the header in front of the netlink messages, in bytes.
    #[must_use]
    pub fn header_len(self) -> usize {
        match self {
            Self::Netlink | Self::Sll => LinuxSllHeader::LEN,
            Self::Sll2 => SLL2_LEN,
            Self::Other(_) => 0,
        }
    }
}

/// What the cooked header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooked {
    /// `NETLINK_*` number.
    pub protocol: u16,
    /// Length of the header in bytes; the messages begin there.
    pub len: u32,
}

/// Why a frame holds no netlink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CookedError {
    /// The frame is shorter than the header.
    #[error("the frame has {found} bytes, its cooked header needs {need}")]
    Short {
        /// Length of the header.
        need: usize,
        /// Length of the frame.
        found: usize,
    },
    /// The frame is of another kind of device.
    #[error("hardware type {0}, netlink is {ARPHRD_NETLINK}")]
    Hardware(u16),
    /// The link type cannot hold netlink.
    #[error("link type {0} cannot hold netlink")]
    Link(u32),
}

impl Cooked {
    /// Reads the header of a frame.
    ///
    /// # Errors
    ///
    /// The frame is too short, or is no netlink frame.
    pub fn parse(link: LinkType, frame: &[u8]) -> Result<Self, CookedError> {
        let need = link.header_len();
        let short = CookedError::Short {
            need,
            found: frame.len(),
        };
        let (hardware, protocol) = match link {
            LinkType::Netlink => {
                let mut header: [u8; LinuxSllHeader::LEN] = frame
                    .get(..need)
                    .and_then(|head| head.try_into().ok())
                    .ok_or(short)?;
                // The link type alone says that this is netlink.
                header[2..4].copy_from_slice(&ARPHRD_NETLINK.to_be_bytes());
                sll(header).ok_or(short)?
            }
            LinkType::Sll => {
                let header = frame
                    .get(..need)
                    .and_then(|head| head.try_into().ok())
                    .ok_or(short)?;
                let hardware = u16::from_be_bytes([frame[2], frame[3]]);
                sll(header).ok_or(CookedError::Hardware(hardware))?
            }
            LinkType::Sll2 => {
                let fields = (be_u16, take(6_usize), be_u16).parse(frame);
                let (_, (protocol, _, hardware)) =
                    fields.map_err(|_: nom::Err<nom::error::Error<&[u8]>>| short)?;
                if frame.len() < need {
                    return Err(short);
                }
                (hardware, protocol)
            }
            LinkType::Other(number) => return Err(CookedError::Link(number)),
        };
        if hardware == ARPHRD_NETLINK {
            Ok(Self {
                protocol,
                len: u32::try_from(need).unwrap_or(0),
            })
        } else {
            Err(CookedError::Hardware(hardware))
        }
    }
}

/// Hardware type and protocol of an SLL header of a kind etherparse knows.
fn sll(mut header: [u8; LinuxSllHeader::LEN]) -> Option<(u16, u16)> {
    // etherparse refuses packet types it has no name for; this one tells nothing anyway.
    header[..2].fill(0);
    let slice = LinuxSllHeaderSlice::from_slice(&header).ok()?;
    let hardware: ArpHardwareId = slice.arp_hardware_type();
    Some((hardware.into(), slice.protocol_type().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NLMON: [u8; 16] = [0, 4, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16];

    #[test]
    fn protocol_is_read_whatever_the_unused_bytes_are() {
        let expected = Ok(Cooked {
            protocol: 16,
            len: 16,
        });
        assert_eq!(Cooked::parse(LinkType::Netlink, &NLMON), expected);
        let mut odd = [0xff; 16];
        odd[14..].copy_from_slice(&[0, 16]);
        assert_eq!(Cooked::parse(LinkType::Netlink, &odd), expected);
        let mut sll = NLMON;
        sll[..2].fill(0xff);
        assert_eq!(Cooked::parse(LinkType::Sll, &sll), expected);
    }

    #[test]
    fn sll2_has_the_protocol_first() {
        let mut frame = [0_u8; 20];
        frame[1] = 12;
        frame[8..10].copy_from_slice(&824_u16.to_be_bytes());
        assert_eq!(
            Cooked::parse(LinkType::Sll2, &frame),
            Ok(Cooked {
                protocol: 12,
                len: 20
            })
        );
        assert_eq!(
            Cooked::parse(LinkType::Sll2, &frame[..19]),
            Err(CookedError::Short {
                need: 20,
                found: 19
            })
        );
    }

    #[test]
    fn another_device_on_any_is_told_from_netlink() {
        let mut frame = NLMON;
        frame[2..4].copy_from_slice(&1_u16.to_be_bytes());
        assert_eq!(
            Cooked::parse(LinkType::Sll, &frame),
            Err(CookedError::Hardware(1))
        );
        assert_eq!(
            Cooked::parse(LinkType::Other(1), &frame),
            Err(CookedError::Link(1))
        );
        assert_eq!(
            Cooked::parse(LinkType::Netlink, &NLMON[..15]),
            Err(CookedError::Short {
                need: 16,
                found: 15
            })
        );
    }
}
