//! What has to be asked at the beginning, so that a capture names its generic netlink
//! families and its interfaces.

use std::collections::BTreeMap;

use nlscope_dissector::wire::{GenlAnnouncement, Messages, NLM_F_DUMP, Order, protocol};

use super::socket::{AskError, NetlinkSocket};

const RTM_GETLINK: u16 = 18;
/// linux/genetlink.h
const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;

/// Asks nlctrl for all families; `take` gets the request, then the datagrams of the answer.
///
/// # Errors
///
/// The kernel does not say.
pub(super) fn families(socket: &NetlinkSocket, take: impl FnMut(&[u8])) -> Result<(), AskError> {
    let payload = [CTRL_CMD_GETFAMILY, 1, 0, 0];
    dump(socket, GENL_ID_CTRL, &payload, take)
}

/// Asks for all interfaces; `take` gets the request, then the datagrams of the answer.
///
/// # Errors
///
/// The kernel does not say.
pub(super) fn interfaces(socket: &NetlinkSocket, take: impl FnMut(&[u8])) -> Result<(), AskError> {
    dump(socket, RTM_GETLINK, &[0; 16], take)
}

fn dump(
    socket: &NetlinkSocket,
    kind: u16,
    payload: &[u8],
    mut take: impl FnMut(&[u8]),
) -> Result<(), AskError> {
    let request = socket.request(kind, NLM_F_DUMP, payload);
    take(&request);
    socket.ask(&request, take)
}

/// The multicast groups of generic netlink: `family:group` by number.
pub(crate) type GenlGroups = BTreeMap<u32, String>;

/// All there are now.
///
/// # Errors
///
/// The kernel does not say.
pub(crate) fn groups() -> anyhow::Result<GenlGroups> {
    let socket = NetlinkSocket::open(protocol::GENERIC)?;
    let mut groups = GenlGroups::new();
    families(&socket, |datagram| announced(datagram, &mut groups))?;
    Ok(groups)
}

/// Adds the groups that a datagram of nlctrl tells of.
pub(super) fn announced(datagram: &[u8], groups: &mut GenlGroups) {
    let messages = Messages::new(protocol::GENERIC, datagram, 0, Order::NATIVE);
    for family in messages.filter_map(|message| GenlAnnouncement::of(&message, Order::NATIVE)) {
        for (number, group) in family.groups() {
            groups.insert(number, format!("{}:{group}", family.family));
        }
    }
}
