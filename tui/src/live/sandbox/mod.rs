//! Closes the system behind the program before it looks at bytes that others wrote:
//! capabilities, the file system (landlock(7)) and system calls (seccomp(2)). None of it
//! can be undone.
//!
//! What is open stays usable: sockets, rings, files, pipes to a child, the terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope,
    make_bitflags,
};

use super::privilege;

/// The newest rights that are asked for; a kernel that knows fewer puts those in force.
const RIGHTS: ABI = ABI::V9;

/// How often, and how far apart, it is looked for other threads.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(1);

/// Which files the program can still write. None can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Writes {
    /// None.
    Nothing,
    /// New ones below this folder. What is there stays as it is.
    NewFiles(PathBuf),
    /// All below this folder: they can be made, written, renamed and removed.
    Files(PathBuf),
}

impl Writes {
    /// The folder; the empty path is the current one, as it is the parent of a bare file name.
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Nothing => None,
            Self::NewFiles(path) | Self::Files(path) if path.as_os_str().is_empty() => {
                Some(Path::new("."))
            }
            Self::NewFiles(path) | Self::Files(path) => Some(path),
        }
    }

    /// What may be done with files below the folder: nothing is read, nothing but regular
    /// files is made. Truncating what is open takes a right of its own.
    fn rights(&self) -> BitFlags<AccessFs> {
        match self {
            Self::Nothing => BitFlags::empty(),
            Self::NewFiles(_) => make_bitflags!(AccessFs::{WriteFile | Truncate | MakeReg}),
            Self::Files(_) => make_bitflags!(
                AccessFs::{WriteFile | Truncate | MakeReg | RemoveFile | Refer}
            ),
        }
    }
}

/// What is left of the system for this program.
#[derive(Debug, Clone)]
pub(crate) struct Sandbox {
    writes: Writes,
}

impl Sandbox {
    /// In which these files can be written.
    pub(crate) fn new(writes: Writes) -> Self {
        Self { writes }
    }

    /// Gives up all capabilities and closes the file system, TCP ports and abstract unix
    /// sockets of others, for the calling thread and all that it starts later. So it has
    /// to be called while there is no other, and before [`Self::close_system_calls`].
    ///
    /// It does not fail: what could not be put in force is returned in words. What only
    /// newer kernels know of landlock is not among it, since the filter of system calls
    /// refuses the same: sockets, connections, ioctls on devices, truncation by path.
    pub(crate) fn enter_before_threads(&self) -> Vec<String> {
        let mut open = Vec::new();
        let others = other_threads();
        if others > 0 {
            open.push(format!(
                "threads that ran already keep their privileges and the file system: {others}"
            ));
        }
        if let Err(error) = privilege::drop_all() {
            open.push(format!("privileges were not given up: {error:#}"));
        }
        let folder = self.folder().unwrap_or_else(|why| {
            open.push(why);
            None
        });
        if let Err(why) = self.close_files(folder) {
            open.push(match self.writes {
                Writes::Nothing => {
                    format!("{why}: only the filter of system calls closes the file system")
                }
                Writes::NewFiles(_) => format!("{why}: new files can be made in any folder"),
                Writes::Files(_) => format!("{why}: files can be written in any folder"),
            });
        }
        open
    }

    /// The folder to write in, if this process may make files there.
    fn folder(&self) -> Result<Option<PathFd>, String> {
        let Some(path) = self.writes.folder() else {
            return Ok(None);
        };
        // Root without capabilities is a user like others.
        let wanted = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        let told = |why: String| {
            let path = path.display();
            format!("without privileges no files can be written in {path}: {why}")
        };
        rustix::fs::access(path, wanted).map_err(|errno| told(errno.to_string()))?;
        let folder = PathFd::new(path).map_err(|error| told(error.to_string()))?;
        Ok(Some(folder))
    }

    /// Lets all threads, those of now and of later, make only the system calls that a
    /// running capture needs; all others fail with `EPERM`. Opening of files is among those
    /// others where there is no folder to write to; where there is, files open for writing
    /// only.
    ///
    /// It does not fail: what could not be put in force is returned in words.
    pub(crate) fn close_system_calls(&self) -> Vec<String> {
        match filter::close(&self.writes) {
            Ok(()) => Vec::new(),
            Err(error) => vec![format!(
                "the filter of system calls is not in force ({error}): sockets and programs \
                 can be opened, and files where landlock does not close them"
            )],
        }
    }

    /// Puts landlock in force, as far as the kernel has it, with the rights below `folder` that
    /// writing takes.
    ///
    /// # Errors
    ///
    /// Why it is not in force.
    fn close_files(&self, folder: Option<PathFd>) -> Result<(), String> {
        let status = self
            .restrict(folder)
            .map_err(|error| format!("landlock refuses its rules ({error})"))?;
        match status.landlock {
            LandlockStatus::Available { .. } => Ok(()),
            LandlockStatus::NotEnabled => Err("landlock is switched off in this kernel".to_owned()),
            LandlockStatus::NotImplemented => Err("this kernel has no landlock".to_owned()),
        }
    }

    fn restrict(&self, folder: Option<PathFd>) -> Result<RestrictionStatus, RulesetError> {
        // Not the scope for signals: a child that was started before is outside of it, and could
        // not be ended any more. The filter of system calls is for signals.
        let mut ruleset = Ruleset::default()
            .handle_access(AccessFs::from_all(RIGHTS))?
            .handle_access(AccessNet::from_all(RIGHTS))?
            .scope(Scope::AbstractUnixSocket)?
            .create()?;
        if let Some(folder) = folder {
            ruleset = ruleset.add_rule(PathBeneath::new(folder, self.writes.rights()))?;
        }
        ruleset.restrict_self()
    }
}

/// How many threads this process has beside the calling one; 0 where nobody says.
fn other_threads() -> usize {
    let mut others = 0;
    // One that was waited for may be on its way out for a moment still.
    for _ in 0..LOOKS {
        let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
        others = threads.saturating_sub(1);
        if others == 0 {
            break;
        }
        thread::sleep(LOOK);
    }
    others
}

/// The filter of system calls.
#[cfg(all(
    target_pointer_width = "64",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
mod filter;

/// There is no filter for this architecture.
#[cfg(not(all(
    target_pointer_width = "64",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
)))]
mod filter {
    /// # Errors
    ///
    /// Always.
    pub(super) fn close(_writes: &super::Writes) -> Result<(), &'static str> {
        Err("there is none for this architecture")
    }
}

#[cfg(test)]
mod tests;
