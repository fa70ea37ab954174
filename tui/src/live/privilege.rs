//! What the kernel wants to see before it lets a process capture, and what to do where
//! it does not.

use std::fmt;
use std::path::PathBuf;

use caps::{CapSet, Capability};

/// What capturing on nlmon needs: the packet socket, and the device.
const NEEDED: [Capability; 2] = [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN];

/// This process may not do something.
#[derive(Debug)]
pub(super) struct Unprivileged {
    what: &'static str,
    missing: Vec<Capability>,
    program: PathBuf,
}

impl Unprivileged {
    /// What it may not do, in words: it may not `capture`.
    pub(super) fn to(what: &'static str) -> Self {
        let has = |it: &Capability| caps::has_cap(None, CapSet::Effective, *it).unwrap_or(false);
        Self {
            what,
            missing: NEEDED.into_iter().filter(|it| !has(it)).collect(),
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("nlscope")),
        }
    }
}

impl fmt::Display for Unprivileged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this process may not {}", self.what)?;
        if self.missing.is_empty() {
            // It has all, but in a user namespace that does not own the network.
            return f.write_str(" in this network namespace");
        }
        f.write_str(": it lacks ")?;
        for (at, capability) in self.missing.iter().enumerate() {
            let and = if at > 0 { " and " } else { "" };
            write!(f, "{and}{capability}")?;
        }
        let program = shell_word(&self.program.to_string_lossy());
        write!(
            f,
            ". Run it as root; or give it what it needs, once:\n\
             \x20 sudo setcap cap_net_raw,cap_net_admin=ep {program}\n\
             or listen to multicast groups, which needs nothing: nlscope --groups"
        )
    }
}

impl std::error::Error for Unprivileged {}

/// As one has to write it for a shell.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Gives up every capability of this thread, for good: also what it could get back by
/// running another program.
///
/// # Errors
///
/// The kernel does not take them.
pub(super) fn give_up() -> anyhow::Result<()> {
    // Dropping from the bounding set needs a capability itself; without it, it is
    // `no_new_privs` that keeps from getting any back.
    for capability in caps::all() {
        let _ = caps::drop(None, CapSet::Bounding, capability);
    }
    let _ = caps::clear(None, CapSet::Ambient);
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        caps::clear(None, set)?;
    }
    rustix::thread::set_no_new_privs(true)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_type_is_safe_to_type() {
        assert_eq!(shell_word("/usr/bin/nlscope"), "/usr/bin/nlscope");
        assert_eq!(shell_word("/tmp/a b/it's"), r"'/tmp/a b/it'\''s'");
    }

    #[test]
    fn what_is_missing_is_said_with_what_to_do() {
        let refused = Unprivileged {
            what: "capture",
            missing: NEEDED.to_vec(),
            program: PathBuf::from("/usr/bin/nlscope"),
        };
        let text = refused.to_string();
        assert!(
            text.contains("lacks CAP_NET_RAW and CAP_NET_ADMIN"),
            "{text}"
        );
        assert!(text.contains("sudo setcap cap_net_raw,cap_net_admin=ep /usr/bin/nlscope\n"));
        assert!(text.contains("nlscope --groups"));
    }
}
