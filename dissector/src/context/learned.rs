//! What a capture says about names: interfaces from link messages, generic netlink
//! ids from nlctrl.

use super::history::History;
use crate::schema::{GenlIds, Schema};
use crate::wire::{Attributes, GENL_HDRLEN, Order, RawMessage};

/// Longest interface name the kernel allows, with its NUL (`IFNAMSIZ`).
const IFNAMSIZ: usize = 16;
/// Longest name of a generic netlink family, with its NUL (`GENL_NAMSIZ`).
const GENL_NAMSIZ: usize = 16;

const RTM_NEWLINK: u16 = 16;
const IFINFOMSG_LEN: usize = 16;
const IFLA_IFNAME: u16 = 3;

const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_NEWFAMILY: u8 = 1;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const CTRL_ATTR_MCAST_GROUPS: u16 = 7;
const CTRL_ATTR_MCAST_GRP_NAME: u16 = 1;
const CTRL_ATTR_MCAST_GRP_ID: u16 = 2;

/// Interface names, by network namespace and index.
pub(super) type Interfaces = History<(u32, u32), String>;

/// Takes the name from a link message of the kernel in frame number `frame`, in a network
/// namespace. A frame that was looked at before tells nothing new.
pub(super) fn learn_interface(
    interfaces: &mut Interfaces,
    message: &RawMessage<'_>,
    order: Order,
    (netns, frame): (u32, u32),
) {
    let payload = message.payload();
    if message.header.kind != RTM_NEWLINK {
        return;
    }
    let (Some(index), Some(rest)) = (payload.get(4..8), payload.get(IFINFOMSG_LEN..)) else {
        return;
    };
    let index = u32::try_from(order.unsigned(index)).unwrap_or(0);
    let name = attribute(rest, order, IFLA_IFNAME).and_then(|name| text(name, IFNAMSIZ));
    let Some(name) = name.filter(|_| index != 0) else {
        return;
    };
    let key = (netns, index);
    let new = match interfaces.latest(key) {
        Some((since, last)) => since < frame && *last != name,
        None => true,
    };
    if new {
        interfaces.tell(key, frame, name);
    }
}

/// Takes a generic netlink id and the numbers of the family's multicast groups from an
/// nlctrl message of the kernel.
pub(super) fn learn_genl(
    ids: &mut GenlIds,
    schema: &Schema,
    message: &RawMessage<'_>,
    order: Order,
) {
    let payload = message.payload();
    if message.header.kind != GENL_ID_CTRL || payload.first() != Some(&CTRL_CMD_NEWFAMILY) {
        return;
    }
    let Some(rest) = payload.get(GENL_HDRLEN as usize..) else {
        return;
    };
    let id = attribute(rest, order, CTRL_ATTR_FAMILY_ID)
        .and_then(|id| id.first_chunk())
        .map(|id| order.u16(*id));
    let name =
        attribute(rest, order, CTRL_ATTR_FAMILY_NAME).and_then(|name| text(name, GENL_NAMSIZ));
    if let (Some(id), Some(name)) = (id, name) {
        ids.learn(schema, id, &name);
        let groups = attribute(rest, order, CTRL_ATTR_MCAST_GROUPS).unwrap_or_default();
        for (_, group) in Attributes::new(groups, order) {
            let number = attribute(group, order, CTRL_ATTR_MCAST_GRP_ID);
            let number = number.and_then(|number| number.first_chunk());
            let group = attribute(group, order, CTRL_ATTR_MCAST_GRP_NAME);
            let group = group.and_then(|group| text(group, GENL_NAMSIZ));
            if let (Some(number), Some(group)) = (number, group) {
                ids.learn_group(schema, order.u32(*number), &name, &group);
            }
        }
    }
}

/// The payload of the first attribute with this number.
fn attribute(rest: &[u8], order: Order, number: u16) -> Option<&[u8]> {
    Attributes::new(rest, order)
        .find(|(found, _)| *found == number)
        .map(|(_, payload)| payload)
}

/// Text up to its NUL, unless it is empty, too long or no UTF-8.
fn text(bytes: &[u8], size: usize) -> Option<String> {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    let name = std::str::from_utf8(bytes.get(..end)?).ok()?;
    (!name.is_empty() && name.len() < size).then(|| name.to_owned())
}
