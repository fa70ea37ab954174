//! What nlctrl tells of a generic netlink family (`linux/genetlink.h`): the id and the
//! multicast groups that the kernel has given it.

use super::{Attributes, GENL_HDRLEN, Order, RawMessage};

/// Longest name of a family or group, with its NUL (`GENL_NAMSIZ`).
const GENL_NAMSIZ: usize = 16;

const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_NEWFAMILY: u8 = 1;
const CTRL_CMD_NEWMCAST_GRP: u8 = 7;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const CTRL_ATTR_MCAST_GROUPS: u16 = 7;
const CTRL_ATTR_MCAST_GRP_NAME: u16 = 1;
const CTRL_ATTR_MCAST_GRP_ID: u16 = 2;

/// A generic netlink family, as nlctrl announces it: in answer to a question, and to its
/// listeners when one is new.
#[derive(Debug, Clone)]
pub struct GenlAnnouncement<'a> {
    /// Its id, the `nlmsg_type` of its messages.
    pub id: u16,
    /// The name it registered with.
    pub family: &'a str,
    groups: Attributes<'a>,
    order: Order,
}

impl<'a> GenlAnnouncement<'a> {
    /// What a message of the kernel announces, of generic netlink and in this byte order;
    /// `None` if it announces no family with an id and a name.
    #[must_use]
    pub fn of(message: &RawMessage<'a>, order: Order) -> Option<Self> {
        let payload = message.payload();
        let announces = [CTRL_CMD_NEWFAMILY, CTRL_CMD_NEWMCAST_GRP].contains(payload.first()?);
        if message.header.kind != GENL_ID_CTRL || !announces {
            return None;
        }
        let attributes = Attributes::new(payload.get(GENL_HDRLEN as usize..)?, order);
        let groups = attributes.value(CTRL_ATTR_MCAST_GROUPS).unwrap_or_default();
        Some(Self {
            id: order.u16(*attributes.value(CTRL_ATTR_FAMILY_ID)?.first_chunk()?),
            family: attributes.text(CTRL_ATTR_FAMILY_NAME, GENL_NAMSIZ)?,
            groups: Attributes::new(groups, order),
            order,
        })
    }

    /// Its multicast groups, number and name of each. One without either is passed over.
    pub fn groups(&self) -> impl Iterator<Item = (u32, &'a str)> {
        let order = self.order;
        self.groups.clone().filter_map(move |(_, group)| {
            let group = Attributes::new(group, order);
            let number = group.value(CTRL_ATTR_MCAST_GRP_ID)?.first_chunk()?;
            let name = group.text(CTRL_ATTR_MCAST_GRP_NAME, GENL_NAMSIZ)?;
            Some((order.u32(*number), name))
        })
    }
}
