//! The nlmon device: one that is there, or one of our own that goes away again.

use std::io;
use std::os::fd::OwnedFd;
use std::process;

use anyhow::bail;
use nlscope_dissector::wire::{Attributes, NLM_F_DUMP, Order, RawMessage, protocol};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, socket_with};

use super::privilege::{NEEDED, Unprivileged};
use super::socket::{AskError, NetlinkSocket, Payload};
use crate::source::words;

// linux/rtnetlink.h, linux/if_link.h
const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const IFLA_IFNAME: u16 = 3;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_INFO_KIND: u16 = 1;
const IFINFOMSG_LEN: usize = 16;
/// `NLM_F_CREATE | NLM_F_EXCL`.
const CREATE: u16 = 0x600;

/// What the alias of a device of our own begins with; the process id follows.
const ALIAS: &str = "nlscope ";
/// How many devices are tried, if others take ours.
const NAMES: u32 = 16;

/// A device of kind nlmon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) name: String,
    pub(super) index: u32,
    up: bool,
    alias: Option<String>,
}

/// What was found, or made.
#[derive(Debug)]
pub(super) struct Opened {
    /// The name to capture on.
    pub(super) name: String,
    /// A device that has to be taken away again.
    pub(super) made: Option<Made>,
}

/// A device of our own.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) index: u32,
    /// Held by whoever will take the device away, as long as that lives.
    _lock: OwnedFd,
}

impl Made {
    /// Claims the device with this index, in the network namespace of the calling thread; `None`
    /// where somebody lives who will take it away. An abstract unix socket, unix(7), is
    /// the claim: there is one of a name in each network namespace, and it goes with its
    /// last holder.
    pub(super) fn claim(index: u32) -> io::Result<Option<Self>> {
        let flags = SocketFlags::CLOEXEC;
        let lock = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        let name = format!("nlscope-device-{index}");
        let name = SocketAddrUnix::new_abstract_name(name.as_bytes())?;
        match bind(&lock, &name) {
            Ok(()) => Ok(Some(Self { index, _lock: lock })),
            Err(Errno::ADDRINUSE) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Finds an nlmon device that is there to stay, or makes one. One that a killed run left
/// over is taken over. In the network namespace of the calling thread.
///
/// # Errors
///
/// The kernel has no nlmon, or this process may not make one.
pub(super) fn open() -> anyhow::Result<Opened> {
    let socket = NetlinkSocket::open(protocol::ROUTE)?;
    let devices = devices(&socket)?;
    if let Some(device) = devices.iter().find(|device| device.is_foreign()) {
        if !device.up {
            set(&socket, device.index, None).map_err(|error| failed(&device.name, &error))?;
        }
        return Ok(Opened {
            name: device.name.clone(),
            made: None,
        });
    }
    let mut left_over = devices.into_iter();
    let left_over = left_over.find_map(|device| Some((Made::claim(device.index).ok()??, device)));
    let (name, made) = match left_over {
        Some((made, device)) => (device.name, made),
        None => create(&socket)?,
    };
    let alias = format!("{ALIAS}{}", process::id());
    if let Err(error) = set(&socket, made.index, Some(&alias)) {
        // There is nobody to tell more than the first error.
        let _ = delete(&socket, made.index);
        return Err(failed(&name, &error));
    }
    Ok(Opened {
        name,
        made: Some(made),
    })
}

/// Takes a device away, if it is the nlmon device that the process `owner` made: a name or a
/// number may be another one's by now.
///
/// # Errors
///
/// The kernel does not.
pub(super) fn remove(socket: &NetlinkSocket, index: u32, owner: u32) -> Result<(), AskError> {
    let mut devices = devices(socket)?.into_iter();
    match devices.find(|device| device.index == index && device.owner() == Some(owner)) {
        Some(device) => delete(socket, device.index),
        None => Ok(()),
    }
}

fn delete(socket: &NetlinkSocket, index: u32) -> Result<(), AskError> {
    let request = socket.request(RTM_DELLINK, 0, &ifinfomsg(index, 0, 0));
    socket.ask(&request, |_| {})
}

/// All nlmon devices.
fn devices(socket: &NetlinkSocket) -> Result<Vec<Device>, AskError> {
    let mut devices = Vec::new();
    let request = socket.request(RTM_GETLINK, NLM_F_DUMP, &ifinfomsg(0, 0, 0));
    socket.ask(&request, |datagram| {
        devices.extend(socket.messages(datagram).filter_map(|link| device(&link)));
    })?;
    Ok(devices)
}

/// A link message as a device, if it is one.
fn device(link: &RawMessage<'_>) -> Option<Device> {
    let payload = link.payload();
    let word = |at: usize| Some(Order::NATIVE.u32(*payload.get(at..)?.first_chunk()?));
    if link.header.kind != RTM_NEWLINK {
        return None;
    }
    let (index, flags) = (word(4)?, word(8)?);
    let attributes = Attributes::new(payload.get(IFINFOMSG_LEN..)?, Order::NATIVE);
    let find = |wanted: u16| {
        let mut all = attributes.clone();
        all.find(|(number, _)| *number == wanted).map(|(_, it)| it)
    };
    let mut kind = Attributes::new(find(IFLA_LINKINFO)?, Order::NATIVE);
    let (_, kind) = kind.find(|(number, _)| *number == IFLA_INFO_KIND)?;
    (text(kind) == "nlmon").then(|| Device {
        name: find(IFLA_IFNAME).map(text).unwrap_or_default(),
        index,
        up: flags & libc::IFF_UP.cast_unsigned() != 0,
        alias: find(IFLA_IFALIAS).map(text),
    })
}

fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_end_matches('\0').to_owned()
}

impl Device {
    /// The process whose device it is.
    fn owner(&self) -> Option<u32> {
        self.alias.as_ref()?.strip_prefix(ALIAS)?.parse().ok()
    }

    /// Somebody else made it.
    fn is_foreign(&self) -> bool {
        self.owner().is_none()
    }
}

/// Makes a device: `nlmon0`, unless that is taken.
fn create(socket: &NetlinkSocket) -> anyhow::Result<(String, Made)> {
    for number in 0..NAMES {
        let name = format!("nlmon{number}");
        let kind = Payload::default().attribute(IFLA_INFO_KIND, b"nlmon");
        let link = Payload::new(&ifinfomsg(0, 0, 0))
            .attribute(IFLA_IFNAME, format!("{name}\0").as_bytes())
            .attribute(IFLA_LINKINFO, kind.bytes());
        let request = socket.request(RTM_NEWLINK, CREATE, link.bytes());
        match socket.ask(&request, |_| {}) {
            Ok(()) => {
                let made = devices(socket)?.into_iter().find(|it| it.name == name);
                let Some(device) = made else {
                    bail!("{name} is gone as soon as it was made");
                };
                return match Made::claim(device.index) {
                    Ok(Some(made)) => Ok((name, made)),
                    Ok(None) => bail!("{name} belongs to somebody else as soon as it was made"),
                    Err(error) => bail!("cannot claim {name}: {}", words(&error)),
                };
            }
            Err(error) if error.errno() == Some(libc::EEXIST) => {}
            Err(error) => return Err(failed(&name, &error)),
        }
    }
    bail!("nlmon0 to nlmon{} are taken", NAMES - 1)
}

/// Sets a device up, and its alias.
fn set(socket: &NetlinkSocket, index: u32, alias: Option<&str>) -> Result<(), AskError> {
    let up = libc::IFF_UP.cast_unsigned();
    let mut link = Payload::new(&ifinfomsg(index, up, up));
    if let Some(alias) = alias {
        link = link.attribute(IFLA_IFALIAS, alias.as_bytes());
    }
    socket.ask(&socket.request(RTM_NEWLINK, 0, link.bytes()), |_| {})
}

/// `struct ifinfomsg`.
fn ifinfomsg(index: u32, flags: u32, change: u32) -> [u8; IFINFOMSG_LEN] {
    let mut bytes = [0; IFINFOMSG_LEN];
    let words = [index, flags, change];
    for (word, place) in words.into_iter().zip(bytes[4..].chunks_exact_mut(4)) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

fn failed(name: &str, error: &AskError) -> anyhow::Error {
    match error.errno() {
        Some(libc::EPERM) => Unprivileged::new("making an nlmon device", &NEEDED).into(),
        Some(libc::EOPNOTSUPP) => anyhow::anyhow!(
            "this kernel has no nlmon (module nlmon, CONFIG_NLMON); \
             nlscope --groups listens without it"
        ),
        Some(errno) => {
            let words = words(&std::io::Error::from_raw_os_error(errno));
            anyhow::anyhow!("cannot make {name}: {words}")
        }
        None => anyhow::anyhow!("cannot make {name}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned_by(alias: Option<&str>) -> Device {
        Device {
            name: "nlmon0".to_owned(),
            index: 5,
            up: true,
            alias: alias.map(str::to_owned),
        }
    }

    #[test]
    fn the_alias_says_whose_device_it_is() {
        assert!(owned_by(None).is_foreign());
        assert!(owned_by(Some("of the monitoring")).is_foreign());
        assert_eq!(owned_by(Some("nlscope 4000000")).owner(), Some(4_000_000));
    }

    #[test]
    fn a_device_is_claimed_by_one_at_a_time() {
        // No device has such an index.
        let index = u32::MAX;
        let claim = Made::claim(index).unwrap();
        assert!(claim.is_some());
        assert!(Made::claim(index).unwrap().is_none());
        drop(claim);
        assert!(Made::claim(index).unwrap().is_some());
    }
}
