//! The leaves of the format: headers, as nom parsers on complete buffers.
//!
//! Every parser takes the bytes it is given and never reads past them; what does
//! not fit is an error of the parser, and the caller decides what that means.

mod cooked;
mod nlattr;
mod nlctrl;
mod nlmsg;
mod order;

pub use cooked::{Cooked, CookedError, LinkType};
pub use nlattr::{
    Attributes, NLA_F_NESTED, NLA_F_NET_BYTEORDER, NLA_HDRLEN, NLA_TYPE_MASK, Nlattr, nlattr,
};
pub use nlctrl::GenlAnnouncement;
pub use nlmsg::{
    GENL_HDRLEN, Genlmsghdr, Messages, NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP,
    NLM_F_DUMP_INTR, NLM_F_ECHO, NLM_F_MULTI, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NLMSG_HDRLEN,
    NLMSG_MIN_TYPE, NLMSG_NOOP, NLMSG_OVERRUN, Nlmsghdr, RawMessage, done_has_errno, ends, errno,
    genlmsghdr, is_control, nlmsghdr,
};
pub use order::{Order, OrderGuess, guess_order};

/// Rounds up to the alignment of messages and attributes (`NLMSG_ALIGN`, `NLA_ALIGN`).
#[must_use]
pub const fn align(len: u32) -> u32 {
    len.saturating_add(3) & !3
}

/// `NETLINK_*` numbers that the code itself has to tell apart.
pub mod protocol {
    /// rtnetlink.
    pub const ROUTE: u16 = 0;
    /// Whatever programs agree on among themselves.
    pub const USERSOCK: u16 = 2;
    /// Socket monitoring.
    pub const SOCK_DIAG: u16 = 4;
    /// IP security: its policies and associations.
    pub const XFRM: u16 = 6;
    /// Open-iSCSI.
    pub const ISCSI: u16 = 8;
    /// Route look-ups for programs.
    pub const FIB_LOOKUP: u16 = 10;
    /// The kernel connector.
    pub const CONNECTOR: u16 = 11;
    /// Netfilter.
    pub const NETFILTER: u16 = 12;
    /// Kernel events, which are text without a netlink header.
    pub const KOBJECT_UEVENT: u16 = 15;
    /// Generic netlink.
    pub const GENERIC: u16 = 16;
    /// RDMA.
    pub const RDMA: u16 = 20;
}
