//! What a capture says about names: interfaces from link messages, generic netlink
//! ids from nlctrl.

use super::history::History;
use crate::schema::{GenlIds, Schema};
use crate::wire::{Attributes, GenlAnnouncement, Order, RawMessage};

/// Longest interface name the kernel allows, with its NUL (`IFNAMSIZ`).
const IFNAMSIZ: usize = 16;

const RTM_NEWLINK: u16 = 16;
const IFINFOMSG_LEN: usize = 16;
const IFLA_IFNAME: u16 = 3;

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
    let name = Attributes::new(rest, order).text(IFLA_IFNAME, IFNAMSIZ);
    let Some(name) = name.filter(|_| index != 0) else {
        return;
    };
    let key = (netns, index);
    let new = match interfaces.latest(key) {
        Some((since, last)) => since < frame && *last != name,
        None => true,
    };
    if new {
        interfaces.tell(key, frame, name.to_owned());
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
    let Some(announced) = GenlAnnouncement::of(message, order) else {
        return;
    };
    ids.learn(schema, announced.id, announced.family);
    for (number, group) in announced.groups() {
        ids.learn_group(schema, number, announced.family, group);
    }
}
