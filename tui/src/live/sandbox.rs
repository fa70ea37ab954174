//! Closing the system behind us: bytes that anybody may have written are looked at only
//! where there is nothing to be had.
//!
//! First, while there is one thread, [`Sandbox::enter`] gives up all capabilities and
//! closes the file system (landlock(7)); the threads that start then have it so from the
//! beginning. [`Sandbox::close_system_calls`] then leaves all threads only the calls that
//! they need (seccomp(2)). What a kernel lacks is said and is not fatal.

use std::collections::BTreeMap;
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, RestrictionStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetStatus, make_bitflags,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

use super::privilege;

/// The newest landlock that was looked at; an older kernel does what it can.
const LANDLOCK: ABI = ABI::V6;

/// What stays open.
pub(super) struct Sandbox {
    folder: Option<PathBuf>,
}

impl Sandbox {
    /// Nothing stays open but what is already, and files below `folder`.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Gives up capabilities and closes the file system for this thread and those that it
    /// will start. Returns, in words, what is not in force.
    pub(super) fn enter(&self) -> Vec<String> {
        let mut open = Vec::new();
        if let Err(error) = privilege::give_up() {
            open.push(format!("privileges are kept: {error:#}"));
        }
        match self.close_files() {
            Ok(status) if status.ruleset == RulesetStatus::NotEnforced => {
                open.push("this kernel has no landlock: the file system stays open".to_owned());
            }
            Ok(_) => {}
            Err(error) => open.push(format!("the file system stays open: {error:#}")),
        }
        open
    }

    fn close_files(&self) -> anyhow::Result<RestrictionStatus> {
        let all = AccessFs::from_all(LANDLOCK);
        let rules = Ruleset::default()
            .handle_access(all)?
            .handle_access(AccessNet::from_all(LANDLOCK))?
            .create()?;
        let Some(folder) = &self.folder else {
            return Ok(rules.restrict_self()?);
        };
        // Enough to begin further files of a recording and to delete its oldest.
        let writing: BitFlags<AccessFs> =
            make_bitflags!(AccessFs::{WriteFile | Truncate | MakeReg | RemoveFile});
        let below = PathBeneath::new(PathFd::new(folder)?, writing);
        Ok(rules.add_rule(below)?.restrict_self()?)
    }

    /// Leaves all threads the system calls that they need. Returns, in words, why that is
    /// not in force.
    #[expect(clippy::unused_self, reason = "it is entered first")]
    pub(super) fn close_system_calls(&self) -> Vec<String> {
        let closed = filters().and_then(|filters| {
            for filter in filters {
                apply_filter_all_threads(&filter)?;
            }
            Ok(())
        });
        match closed {
            Ok(()) => Vec::new(),
            Err(error) => vec![format!("all system calls stay open: {error:#}")],
        }
    }
}

/// Two filters; of their answers the stricter one counts.
fn filters() -> anyhow::Result<[BpfProgram; 2]> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let refuse = |errno: i32| SeccompAction::Errno(errno.cast_unsigned());
    // A C library that hears of no clone3 uses clone, whose arguments can be looked at.
    let newer = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let newer = SeccompFilter::new(newer, SeccompAction::Allow, refuse(libc::ENOSYS), arch)?;
    // What is not needed fails, rather than ends the program: another C library may try
    // something else first.
    let needed = SeccompFilter::new(needed()?, refuse(libc::EPERM), SeccompAction::Allow, arch)?;
    Ok([newer.try_into()?, needed.try_into()?])
}

/// An argument of a system call that is looked at: which, how, and what it has to be.
type Argument = (u8, SeccompCmpOp, u64);

/// The system calls that are needed, and under which conditions.
fn needed() -> anyhow::Result<BTreeMap<i64, Vec<SeccompRule>>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in PLAIN.iter().chain(OLD) {
        rules.insert(*call, Vec::new());
    }
    let mut only = |call: i64, (place, how, value): Argument| -> anyhow::Result<()> {
        let wanted = SeccompCondition::new(place, SeccompCmpArgLen::Dword, how, value)?;
        let rule = SeccompRule::new(vec![wanted])?;
        rules.entry(call).or_default().push(rule);
        Ok(())
    };
    let bits = |bits: i32| u64::from(bits.cast_unsigned());
    // Memory, but none that can be run.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        let executable = SeccompCmpOp::MaskedEq(bits(libc::PROT_EXEC));
        only(call, (2, executable, 0))?;
    }
    // Threads, but no processes.
    let thread = bits(libc::CLONE_THREAD);
    only(libc::SYS_clone, (0, SeccompCmpOp::MaskedEq(thread), thread))?;
    // Signals to ourselves.
    let own = u64::from(std::process::id());
    only(libc::SYS_tgkill, (0, SeccompCmpOp::Eq, own))?;
    only(libc::SYS_kill, (0, SeccompCmpOp::Eq, own))?;
    // The terminal, and how much waits in a pipe.
    for request in [
        libc::TCGETS,
        libc::TCSETS,
        libc::TCSETSW,
        libc::TCSETSF,
        libc::TIOCGWINSZ,
        libc::TIOCGPGRP,
        libc::FIONREAD,
        libc::FIONBIO,
    ] {
        // The type of the constants differs from one C library to another.
        #[allow(clippy::unnecessary_cast, reason = "it is needed for musl")]
        let request = request as u64;
        only(
            libc::SYS_ioctl,
            (1, SeccompCmpOp::Eq, request & 0xffff_ffff),
        )?;
    }
    // The name of a thread.
    let name = bits(libc::PR_SET_NAME);
    only(libc::SYS_prctl, (0, SeccompCmpOp::Eq, name))?;
    Ok(rules)
}

/// System calls that are needed whatever their arguments.
const PLAIN: &[i64] = &[
    // What is open: reading, writing, waiting.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_pipe2,
    libc::SYS_eventfd2,
    // Sockets that are open: receiving, joining groups, counting drops.
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_getsockname,
    libc::SYS_shutdown,
    // Files of a recording, as far as landlock lets.
    libc::SYS_openat,
    libc::SYS_unlinkat,
    libc::SYS_ftruncate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_getcwd,
    // Memory.
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    // Threads, and the end.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Let through to be refused as unknown by the other filter.
    libc::SYS_clone3,
    // Signals.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // Waiting for the companion.
    libc::SYS_wait4,
    libc::SYS_waitid,
    // Time and chance.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
];

/// The older forms of some of these, which newer architectures never had.
#[cfg(target_arch = "x86_64")]
const OLD: &[i64] = &[
    libc::SYS_open,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_wait,
    libc::SYS_unlink,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[i64] = &[];
