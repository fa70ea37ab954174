//! Capabilities, capabilities(7): which ones are missing for a task, what to do about it,
//! and giving all of them up.

use std::env;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Context as _;
use caps::{CapSet, Capability};
use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::caller;

/// What capturing on nlmon needs: the packet socket, and the device. A file has one set of
/// capabilities, so a command that gives some of them has to give all of them.
pub(crate) const NEEDED: [Capability; 2] = [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN];

/// Those of `needed` that the calling thread cannot use now: they are not in its effective
/// set.
pub(crate) fn missing(needed: &[Capability]) -> Vec<Capability> {
    let has = |it| caps::has_cap(None, CapSet::Effective, it).unwrap_or(false);
    needed.iter().copied().filter(|it| !has(*it)).collect()
}

/// Something that cannot be done for want of capabilities, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unprivileged {
    /// What was to be done, as the beginning of a sentence: `opening nlmon0`.
    pub(crate) what: &'static str,
    /// All capabilities it takes.
    pub(crate) needed: Vec<Capability>,
    /// Those of them that this process does not have; none where it has all of them and was
    /// refused all the same.
    pub(crate) missing: Vec<Capability>,
}

impl Unprivileged {
    /// For `what`, which takes the capabilities `needed`, as the calling thread is now.
    pub(crate) fn new(what: &'static str, needed: &[Capability]) -> Self {
        Self {
            what,
            needed: needed.to_vec(),
            missing: missing(needed),
        }
    }

    fn remedy(&self) -> String {
        if self.missing.is_empty() {
            // Those of a user namespace, user_namespaces(7), count only inside of it.
            return "this process has, but not for this network: a container has to be \
                    given them from outside; or run with --groups, which needs none"
                .to_owned();
        }
        let names: Vec<_> = self.missing.iter().map(ToString::to_string).collect();
        format!(
            "this process does not have (missing: {}). Give them once: {}; \
             or run with --groups, which needs none",
            names.join(", "),
            setcap(&self.needed),
        )
    }
}

impl fmt::Display for Unprivileged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, needed) = (self.what, and(&self.needed));
        write!(f, "{what} needs {needed}, which {}", self.remedy())
    }
}

impl std::error::Error for Unprivileged {}

/// `CAP_NET_RAW and CAP_NET_ADMIN`.
fn and(capabilities: &[Capability]) -> String {
    let names: Vec<_> = capabilities.iter().map(ToString::to_string).collect();
    names.join(" and ")
}

/// The setcap(8) command that gives these, and all that are useful, to this program.
fn setcap(needed: &[Capability]) -> String {
    let more = needed.iter().filter(|it| !NEEDED.contains(it));
    let names: Vec<_> = NEEDED
        .iter()
        .chain(more)
        .map(|it| it.to_string().to_ascii_lowercase())
        .collect();
    let program = match env::current_exe() {
        Ok(path) => quoted(path.as_os_str()),
        Err(_) => "\"$(command -v nlscope)\"".to_owned(),
    };
    format!("sudo setcap {}=ep {program}", names.join(","))
}

/// A path as a shell takes it as one word.
fn quoted(path: &OsStr) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%=".contains(byte);
    match path.to_str() {
        Some(text) if !text.is_empty() && text.as_bytes().iter().all(plain) => text.to_owned(),
        Some(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        // What a terminal must not see, or cannot show.
        _ => escaped(path.as_bytes()),
    }
}

/// A word in the form `$'\x1b'`, which shells know since POSIX 2024, and bash and zsh did
/// before. Octal: at most three digits are read, so a digit may follow.
fn escaped(bytes: &[u8]) -> String {
    let mut word = "$'".to_owned();
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = match byte {
            b'\'' | b'\\' => write!(word, "\\{}", char::from(*byte)),
            b' '..=b'~' => write!(word, "{}", char::from(*byte)),
            _ => write!(word, "\\{byte:03o}"),
        };
    }
    word.push('\'');
    word
}

/// Goes on as the person who called sudo(8), where that person can write in `folder`: root
/// without capabilities cannot write in the folders of others, and who records wants to read
/// it. Where nobody called sudo, or only root can write there, nothing happens. The calling
/// thread has to be the only one.
///
/// # Errors
///
/// The system does not let us.
pub(crate) fn go_on_as_caller(folder: &Path) -> anyhow::Result<()> {
    let Some((uid, gid)) = caller::of_sudo() else {
        return Ok(());
    };
    let writable = fs::metadata(folder).is_ok_and(|it| is_writable(it.uid(), it.mode(), uid));
    if !geteuid().is_root() || uid == 0 || !writable {
        return Ok(());
    }
    // It cannot be made smaller later.
    drop_bounding().context("bounding set")?;
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    set_thread_groups(&[gid])
        .and_then(|()| set_thread_res_gid(gid, gid, gid))
        .and_then(|()| set_thread_res_uid(uid, uid, uid))
        .context("cannot go on as the person who called sudo")
}

/// Whether `uid` can write in a folder of `owner` by this mode; that of the group is not
/// looked at.
fn is_writable(owner: u32, mode: u32, uid: u32) -> bool {
    let write = 0o3;
    let bits = if owner == uid { mode >> 6 } else { mode };
    bits & write == write
}

/// Gives up all capabilities of the calling thread, effective, permitted, inheritable,
/// ambient and, where it may, of the bounding set; and sets `no_new_privs`, prctl(2), so
/// that no program it starts gets them back. Threads it starts later are like it; those
/// that run already keep theirs.
///
/// # Errors
///
/// One of them could not be given up. All others were.
pub(crate) fn drop_all() -> anyhow::Result<()> {
    // Each is tried, whatever becomes of those before it. The permitted set takes the
    // effective one with it and comes last: the bounding set needs CAP_SETPCAP.
    let dropped = [
        drop_bounding().context("bounding set"),
        drop_ambient().context("ambient set"),
        caps::clear(None, CapSet::Inheritable).context("inheritable set"),
        caps::clear(None, CapSet::Permitted).context("permitted set"),
        rustix::thread::set_no_new_privs(true).context("no_new_privs"),
    ];
    dropped.into_iter().collect()
}

/// Without `CAP_SETPCAP` it cannot be made smaller; `no_new_privs` makes up for it.
fn drop_bounding() -> Result<(), caps::errors::CapsError> {
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        caps::clear(None, CapSet::Bounding)?;
    }
    Ok(())
}

/// Before Linux 4.3 there is no such set.
fn drop_ambient() -> Result<(), caps::errors::CapsError> {
    match caps::runtime::ambient_set_supported() {
        Ok(()) => caps::clear(None, CapSet::Ambient),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn what_is_missing_is_told_with_the_command_that_gives_it() {
        let refused = Unprivileged {
            what: "opening nlmon0",
            needed: vec![Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN],
            missing: vec![Capability::CAP_NET_ADMIN],
        };
        let program = quoted(env::current_exe().unwrap().as_os_str());
        assert_eq!(
            refused.to_string(),
            format!(
                "opening nlmon0 needs CAP_NET_RAW and CAP_NET_ADMIN, which this process does \
                 not have (missing: CAP_NET_ADMIN). Give them once: sudo setcap \
                 cap_net_raw,cap_net_admin=ep {program}; or run with --groups, which needs none"
            )
        );
    }

    #[test]
    fn a_command_for_one_capability_does_not_take_away_the_other() {
        let words = setcap(&[Capability::CAP_NET_ADMIN, Capability::CAP_SYS_ADMIN]);
        assert!(
            words.starts_with("sudo setcap cap_net_raw,cap_net_admin,cap_sys_admin=ep "),
            "{words}"
        );
    }

    #[test]
    fn who_has_all_and_was_refused_is_not_sent_to_setcap() {
        let refused = Unprivileged {
            what: "making nlmon0",
            needed: vec![Capability::CAP_NET_ADMIN],
            missing: Vec::new(),
        };
        let words = refused.to_string();
        assert!(
            words.starts_with("making nlmon0 needs CAP_NET_ADMIN, which this process has,"),
            "{words}"
        );
        assert!(!words.contains("setcap"), "{words}");
    }

    #[test]
    fn a_shell_reads_every_path_as_one_word() {
        assert_eq!(
            quoted(OsStr::new("/usr/local/bin/nlscope")),
            "/usr/local/bin/nlscope"
        );
        let odd = ["/a b/$HOME/it's", "/~/*?;&|<>", "", "/naïve/\u{1f50d}"];
        for path in odd {
            assert_eq!(read_by("sh", &quoted(OsStr::new(path))), path.as_bytes());
        }
    }

    #[test]
    fn a_path_cannot_write_to_the_terminal() {
        let path = OsString::from_vec(b"/\x1b[2J\n7\xff'\\".to_vec());
        let word = quoted(&path);
        assert!(
            word.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{word:?}"
        );
        match Command::new("bash").arg("-c").arg("true").status() {
            Ok(_) => assert_eq!(read_by("bash", &word), path.as_bytes()),
            Err(_) => println!("skipped: no bash"),
        }
    }

    fn read_by(shell: &str, word: &str) -> Vec<u8> {
        let command = format!("printf %s {word}");
        let said = Command::new(shell).arg("-c").arg(command).output();
        said.unwrap().stdout
    }

    #[test]
    fn a_folder_is_the_callers_or_everybodys() {
        for (owner, mode, writable) in [
            (1000, 0o40755, true),
            (1000, 0o40555, false),
            (0, 0o41777, true),
            (0, 0o40755, false),
            (1001, 0o40775, false),
        ] {
            assert_eq!(is_writable(owner, mode, 1000), writable, "{mode:o}");
        }
    }

    #[test]
    fn no_capability_is_left_after_all_are_dropped() {
        // Of this thread only; all others keep theirs.
        std::thread::spawn(|| {
            let may = caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).unwrap();
            drop_all().unwrap();
            let mut sets = vec![
                CapSet::Effective,
                CapSet::Permitted,
                CapSet::Inheritable,
                CapSet::Ambient,
            ];
            if may {
                sets.push(CapSet::Bounding);
            } else {
                println!("skipped: the bounding set, without CAP_SETPCAP");
            }
            for set in sets {
                assert!(caps::read(None, set).unwrap().is_empty(), "{set:?}");
            }
            assert!(rustix::thread::no_new_privs().unwrap());
            assert_eq!(missing(&NEEDED), NEEDED);
            let refused = Unprivileged::new("opening nlmon0", &NEEDED);
            assert_eq!(refused.missing, NEEDED);
            // A second time there is nothing to drop, which is no error.
            drop_all().unwrap();
        })
        .join()
        .unwrap();
    }
}
