//! What has to be asked at the beginning, so that a capture names its generic netlink
//! families and its interfaces.

use std::collections::BTreeMap;

use nlscope_dissector::wire::{
    Attributes, GENL_HDRLEN, Messages, NLM_F_DUMP, Order, RawMessage, protocol,
};

use super::socket::{AskError, NetlinkSocket};

const RTM_GETLINK: u16 = 18;
/// linux/genetlink.h
const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const CTRL_ATTR_MCAST_GROUPS: u16 = 7;
const CTRL_ATTR_MCAST_GRP_NAME: u16 = 1;
const CTRL_ATTR_MCAST_GRP_ID: u16 = 2;

/// Asks nlctrl for all families; `take` gets the datagrams of the answer.
///
/// # Errors
///
/// The kernel does not say.
pub(super) fn families(socket: &NetlinkSocket, take: impl FnMut(&[u8])) -> Result<(), AskError> {
    let payload = [CTRL_CMD_GETFAMILY, 1, 0, 0];
    socket.ask(GENL_ID_CTRL, NLM_F_DUMP, &payload, take)
}

/// Asks for all interfaces; `take` gets the datagrams of the answer.
///
/// # Errors
///
/// The kernel does not say.
pub(super) fn interfaces(socket: &NetlinkSocket, take: impl FnMut(&[u8])) -> Result<(), AskError> {
    socket.ask(RTM_GETLINK, NLM_F_DUMP, &[0; 16], take)
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
    for message in Messages::new(protocol::GENERIC, datagram, 0, Order::NATIVE) {
        if message.header.kind == GENL_ID_CTRL {
            of_family(&message, groups);
        }
    }
}

fn of_family(message: &RawMessage<'_>, groups: &mut GenlGroups) -> Option<()> {
    let attributes = message.payload().get(GENL_HDRLEN as usize..)?;
    let find = |bytes, wanted: u16| {
        let mut all = Attributes::new(bytes, Order::NATIVE);
        all.find(|(number, _)| *number == wanted).map(|(_, it)| it)
    };
    let text = |bytes| {
        String::from_utf8_lossy(bytes)
            .trim_end_matches('\0')
            .to_owned()
    };
    let family = find(attributes, CTRL_ATTR_FAMILY_NAME).map(text)?;
    let listed = find(attributes, CTRL_ATTR_MCAST_GROUPS)?;
    for (_, group) in Attributes::new(listed, Order::NATIVE) {
        let number = find(group, CTRL_ATTR_MCAST_GRP_ID)?;
        let number = Order::NATIVE.u32(*number.first_chunk()?);
        let name = find(group, CTRL_ATTR_MCAST_GRP_NAME).map(text)?;
        groups.insert(number, format!("{family}:{name}"));
    }
    Some(())
}
