//! Who called sudo(8): what is made on their behalf is to be theirs.

use std::env;

/// User and group id of the person who called sudo; `None` where nobody did.
pub(crate) fn of_sudo() -> Option<(u32, u32)> {
    let number = |name| env::var(name).ok()?.parse().ok();
    Some((number("SUDO_UID")?, number("SUDO_GID")?))
}
