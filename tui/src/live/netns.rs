//! Network namespaces: doing something inside of one.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::{io, thread};

use anyhow::{Context as _, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::source::words;

/// Where `ip netns` keeps the names (ip-netns(8)).
const NAMED: &str = "/run/netns";

/// A network namespace to capture in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Netns {
    /// As it was asked for.
    pub(crate) name: String,
}

impl Netns {
    /// Its file: what is no path is one of `ip netns`.
    fn path(&self) -> PathBuf {
        if self.name.contains('/') {
            PathBuf::from(&self.name)
        } else {
            Path::new(NAMED).join(&self.name)
        }
    }
}

/// A network namespace by the file that names it, as long as there is that file.
#[derive(Debug)]
pub(super) struct NamedFile {
    path: PathBuf,
    /// Device and inode: not an open file, which would keep the namespace alive.
    identity: (u64, u64),
}

impl NamedFile {
    /// That of `netns`; `None` where there is none, or where it goes with a process: the
    /// namespace may have others.
    pub(super) fn of(netns: &Netns) -> Option<Self> {
        let path = netns.path();
        let identity = identity(&path).filter(|_| !path.starts_with("/proc"))?;
        Some(Self { path, identity })
    }

    /// Whether it was deleted, or names another one by now.
    pub(super) fn is_gone(&self) -> bool {
        identity(&self.path) != Some(self.identity)
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Does `work` in a network namespace, or in the own one: on a thread of its own, since a
/// thread that has entered another one stays there. What is opened there belongs to it for
/// good.
///
/// # Errors
///
/// There is no such namespace, it may not be entered, or the work failed.
pub(super) fn inside<T: Send>(
    netns: Option<&Netns>,
    work: impl FnOnce() -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    let Some(netns) = netns else {
        return work();
    };
    let path = netns.path();
    let file = File::open(&path)
        .map_err(|error| anyhow!("network namespace {}: {}", path.display(), words(&error)))?;
    thread::scope(|scope| {
        let inside = thread::Builder::new().spawn_scoped(scope, || {
            let kind = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(file.as_fd(), kind)
                .map_err(|errno| entering(netns, &io::Error::from(errno)))?;
            work()
        });
        inside
            .context("cannot start a thread")?
            .join()
            .map_err(|_| anyhow!("a mistake in the program"))?
    })
}

fn entering(netns: &Netns, error: &io::Error) -> anyhow::Error {
    let hint = if error.kind() == io::ErrorKind::PermissionDenied {
        "; it needs CAP_SYS_ADMIN, so run it as root"
    } else {
        ""
    };
    let name = &netns.name;
    anyhow!("entering network namespace {name}: {}{hint}", words(error))
}
