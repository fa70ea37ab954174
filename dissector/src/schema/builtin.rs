//! The built-in tables, made from `schema/*.yaml` by `build.rs`.

use super::{AttributeSet, Enum, Family};

pub(super) static FAMILIES: &[&Family] = &[];

pub(super) mod protocols {
    use super::{AttributeSet, Enum};
    pub(in crate::schema) static ENUM_ERRNO: Enum = Enum {
        name: "errno",
        flags: false,
        entries: &[],
    };
    pub(in crate::schema) static ENUM_PROTOCOL: Enum = Enum {
        name: "protocol",
        flags: false,
        entries: &[],
    };
    pub(in crate::schema) static ENUM_CONTROL_TYPE: Enum = Enum {
        name: "control-type",
        flags: false,
        entries: &[],
    };
    pub(in crate::schema) static ENUM_NLMSG_FLAGS: Enum = Enum {
        name: "nlmsg-flags",
        flags: true,
        entries: &[],
    };
    pub(in crate::schema) static ENUM_GET_FLAGS: Enum = Enum {
        name: "get-flags",
        flags: true,
        entries: &[],
    };
    pub(in crate::schema) static ENUM_NEW_FLAGS: Enum = Enum {
        name: "new-flags",
        flags: true,
        entries: &[],
    };
    pub(in crate::schema) static ENUM_DELETE_FLAGS: Enum = Enum {
        name: "delete-flags",
        flags: true,
        entries: &[],
    };
    pub(in crate::schema) static ENUM_ACK_FLAGS: Enum = Enum {
        name: "ack-flags",
        flags: true,
        entries: &[],
    };
    pub(in crate::schema) static SET_NLMSGERR_ATTRS: AttributeSet = AttributeSet {
        name: "nlmsgerr-attrs",
        attributes: &[],
    };
}

pub(super) mod types {
    use super::Enum;
    pub(in crate::schema) static ENUM_ADDRESS_FAMILY: Enum = Enum {
        name: "address-family",
        flags: false,
        entries: &[],
    };
}
