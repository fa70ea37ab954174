//! What is wrong, or worth knowing, with a node.
//!
//! Dissecting never fails; it remarks. A note says what was expected, what was
//! there, and who set the limit.

use std::fmt;

use crate::tape::NodeIndex;

/// A remark on a node of a tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// The node.
    pub node: NodeIndex,
    /// The remark.
    pub kind: NoteKind,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Hint,
    /// Not as the schema says it should be.
    Warning,
    /// Cannot be read as what it claims to be.
    Error,
}

/// What is remarked. Lengths are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// The frame is shorter than it was on the wire: the capture's snap length.
    SnapLength {
        /// Length on the wire.
        wire: u32,
        /// Length captured.
        captured: u32,
    },
    /// A header needs more bytes than are left.
    HeaderCut {
        /// Length of the header.
        need: u32,
        /// What is left.
        left: u32,
    },
    /// `nlmsg_len` is shorter than `struct nlmsghdr` or longer than the frame.
    MessageLength {
        /// What `nlmsg_len` says.
        says: u32,
        /// What the frame has left.
        left: u32,
    },
    /// `nla_len` is shorter than `struct nlattr` or longer than what holds it.
    AttributeLength {
        /// What `nla_len` says.
        says: u16,
        /// What is left where it stands.
        left: u32,
    },
    /// A value has another length than its type.
    ValueLength {
        /// Length of the type.
        expected: u32,
        /// Length found.
        found: u32,
    },
    /// A member of a struct is longer than what is left, by the number that an earlier one has.
    MemberLength {
        /// Length by that number.
        says: u32,
        /// Bytes left.
        left: u32,
    },
    /// A struct is shorter than this table knows it: an older kernel, or a short request.
    ShortStruct {
        /// Length the table knows.
        known: u32,
        /// Length found.
        found: u32,
    },
    /// A struct is longer than this table knows it: a newer kernel.
    LongStruct {
        /// Length the table knows.
        known: u32,
        /// Length found.
        found: u32,
    },
    /// Nested deeper than is followed.
    TooDeep,
    /// More nodes in a frame than are made.
    TooMany,
    /// What selects the content was not found or says nothing known.
    NoFormat,
    /// Attributes were recognised where no table tells of any.
    Guessed,
    /// Bytes that belong to nothing.
    Trailing,
    /// No table knows the family or the message.
    UnknownMessage,
    /// The byte order of the frame is not that of the capture.
    OtherOrder,
    /// The kernel's error points here.
    Refused,
}

impl NoteKind {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::ShortStruct { .. }
            | Self::LongStruct { .. }
            | Self::Guessed
            | Self::UnknownMessage
            | Self::OtherOrder => Severity::Hint,
            Self::ValueLength { .. }
            | Self::NoFormat
            | Self::Trailing
            | Self::TooMany
            | Self::SnapLength { .. } => Severity::Warning,
            Self::HeaderCut { .. }
            | Self::MessageLength { .. }
            | Self::AttributeLength { .. }
            | Self::MemberLength { .. }
            | Self::TooDeep
            | Self::Refused => Severity::Error,
        }
    }
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SnapLength { wire, captured } => {
                write!(
                    f,
                    "captured {captured} of {wire} bytes: the capture's snap length cut the frame"
                )
            }
            Self::HeaderCut { need, left } => {
                write!(f, "the header needs {need} bytes, {left} are left")
            }
            Self::MessageLength { says, left } if says < crate::wire::NLMSG_HDRLEN => {
                write!(
                    f,
                    "nlmsg_len is {says}, less than its own header; {left} bytes are left"
                )
            }
            Self::MessageLength { says, left } => {
                write!(f, "nlmsg_len is {says}, the frame has {left} bytes left")
            }
            Self::AttributeLength { says, left } if u32::from(says) < crate::wire::NLA_HDRLEN => {
                write!(
                    f,
                    "nla_len is {says}, less than its own header; {left} bytes are left"
                )
            }
            Self::AttributeLength { says, left } => {
                write!(f, "nla_len is {says}, {left} bytes are left here")
            }
            Self::ValueLength { expected, found } => {
                write!(f, "{found} bytes where the type has {expected}")
            }
            Self::MemberLength { says, left } => {
                write!(
                    f,
                    "{says} bytes are announced for a member, {left} are left"
                )
            }
            Self::ShortStruct { known, found } => {
                write!(f, "{found} bytes of a struct known with {known}")
            }
            Self::LongStruct { known, found } => {
                write!(f, "{found} bytes, the struct is known with {known}")
            }
            Self::TooDeep => write!(
                f,
                "nested deeper than {} levels, not followed",
                crate::walk::MAX_DEPTH
            ),
            Self::TooMany => write!(
                f,
                "more than {} nodes in one frame, the rest is not dissected",
                crate::walk::MAX_NODES
            ),
            Self::NoFormat => f.write_str("nothing says what is inside"),
            Self::Guessed => f.write_str("attributes recognised by their shape, not known"),
            Self::Trailing => f.write_str("bytes that belong to nothing"),
            Self::UnknownMessage => f.write_str("no table knows this message"),
            Self::OtherOrder => f.write_str("byte order differs from the rest of the capture"),
            Self::Refused => f.write_str("the kernel's error points here"),
        }
    }
}
