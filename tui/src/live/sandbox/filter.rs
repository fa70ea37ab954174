//! The filter of system calls: two programs for seccomp(2), of which the stricter answer
//! counts.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::ffi::c_int;

use libc::c_long;
use seccompiler::SeccompAction::{Allow, Errno};
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};

use super::Writes;

/// Rules by the number of the call. One of them has to hold, or there is none.
type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Calls that are let through whatever their arguments.
const OPEN: &[&[c_long]] = &[
    // Reading and writing what is open: files, pipes, terminal, event counters.
    &[
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_pread64,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_pwrite64,
        libc::SYS_lseek,
        libc::SYS_close,
    ],
    // Output that has to be whole on the disk, and how much there is of it.
    &[
        libc::SYS_fsync,
        libc::SYS_fdatasync,
        libc::SYS_ftruncate,
        libc::SYS_fallocate,
        libc::SYS_fstat,
        libc::SYS_newfstatat,
        libc::SYS_statx,
    ],
    // Waiting for several of them: each libc and library has its favourite.
    &[
        libc::SYS_ppoll,
        libc::SYS_pselect6,
        libc::SYS_epoll_create1,
        libc::SYS_epoll_ctl,
        libc::SYS_epoll_pwait,
        libc::SYS_epoll_pwait2,
    ],
    // Sockets that are open: netlink, the packet ring. Sending: see below.
    &[
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_getsockopt,
        libc::SYS_getsockname,
        libc::SYS_shutdown,
    ],
    // Memory, but for making it executable: see below.
    &[
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
    ],
    // Threads, but for starting them: see below.
    &[
        libc::SYS_futex,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ],
    // Handlers of signals, but for sending them: see below.
    &[
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigpending,
        libc::SYS_rt_sigtimedwait,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
    ],
    // How a child ended.
    &[libc::SYS_wait4, libc::SYS_waitid],
    // Time, where it does not come without the kernel.
    &[
        libc::SYS_clock_gettime,
        libc::SYS_clock_getres,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_gettimeofday,
    ],
    // Who and where we are; seeds of hash maps.
    &[
        libc::SYS_getpid,
        libc::SYS_getppid,
        libc::SYS_gettid,
        libc::SYS_getpgid,
        libc::SYS_getuid,
        libc::SYS_geteuid,
        libc::SYS_getgid,
        libc::SYS_getegid,
        libc::SYS_uname,
        libc::SYS_getrandom,
    ],
    // See FIRST.
    &[libc::SYS_clone3],
];

/// Older forms of the same calls.
#[cfg(target_arch = "x86_64")]
const OPEN_HERE: &[c_long] = &[
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_wait,
    libc::SYS_time,
    libc::SYS_getpgrp,
];
/// There are none.
#[cfg(not(target_arch = "x86_64"))]
const OPEN_HERE: &[c_long] = &[];

/// What changes names in a folder; landlock says in which.
const FOLDER: &[c_long] = &[libc::SYS_unlinkat, libc::SYS_renameat2];
/// Older forms of the same calls.
#[cfg(target_arch = "x86_64")]
const FOLDER_HERE: &[c_long] = &[libc::SYS_unlink, libc::SYS_rename, libc::SYS_renameat];
/// Older forms of the same calls.
#[cfg(target_arch = "aarch64")]
const FOLDER_HERE: &[c_long] = &[libc::SYS_renameat];
/// There are none.
#[cfg(target_arch = "riscv64")]
const FOLDER_HERE: &[c_long] = &[];

/// Requests of ioctl(2), from asm-generic/ioctls.h and asm-generic/termbits.h, the same
/// on all three architectures. What feeds a terminal with input, `TIOCSTI` and
/// `TIOCLINUX`, is not among them.
const IOCTLS: [u32; 17] = [
    0x5401,      // TCGETS
    0x5402,      // TCSETS
    0x5403,      // TCSETSW
    0x5404,      // TCSETSF
    0x802c_542a, // TCGETS2: glibc since 2.42
    0x402c_542b, // TCSETS2
    0x402c_542c, // TCSETSW2
    0x402c_542d, // TCSETSF2
    0x540f,      // TIOCGPGRP
    0x5413,      // TIOCGWINSZ
    0x5414,      // TIOCSWINSZ
    0x5429,      // TIOCGSID
    0x541b,      // FIONREAD
    0x5421,      // FIONBIO
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
    0x8913,      // SIOCGIFFLAGS: libpcap asks why a device gives no more
];

/// Commands of fcntl(2): copies and flags, no owners, leases or locks.
const FCNTLS: [c_int; 5] = [
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
];

/// Options of prctl(2): the name of a thread, and questions.
const PRCTLS: [c_int; 6] = [
    libc::PR_SET_NAME,
    libc::PR_GET_NAME,
    libc::PR_GET_DUMPABLE,
    libc::PR_GET_NO_NEW_PRIVS,
    libc::PR_GET_SECCOMP,
    libc::PR_GET_TIMERSLACK,
];

/// Options of netlink sockets, netlink(7): joining and leaving groups.
const NETLINK: [c_int; 2] = [libc::NETLINK_ADD_MEMBERSHIP, libc::NETLINK_DROP_MEMBERSHIP];

/// Namespaces of their own are for no thread.
const NAMESPACES: c_int = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

/// Puts the filter in force for all threads; `writes` says which files can be opened.
///
/// # Errors
///
/// The kernel has no such filters, or one of the threads has another one.
pub(super) fn close(writes: &Writes) -> Result<(), Error> {
    let (first, second) = (first()?, second(writes)?);
    apply_filter_all_threads(&first)?;
    apply_filter_all_threads(&second)
}

/// Arguments of clone3(2) are out of reach for a filter. It is said not to be there, so
/// that the C library takes clone(2). A filter has one answer beside letting through,
/// so this is one of its own; the stricter answer of the two counts.
pub(super) fn first() -> Result<BpfProgram, BackendError> {
    let rules = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    SeccompFilter::new(rules, Allow, errno(libc::ENOSYS), ARCH.try_into()?)?.try_into()
}

/// The filter proper.
pub(super) fn second(writes: &Writes) -> Result<BpfProgram, BackendError> {
    let rules = rules(writes)?;
    SeccompFilter::new(rules, errno(libc::EPERM), Allow, ARCH.try_into()?)?.try_into()
}

fn rules(writes: &Writes) -> Result<Rules, BackendError> {
    let open = OPEN.iter().copied().flatten().chain(OPEN_HERE);
    let mut rules: Rules = open.map(|call| (*call, Vec::new())).collect();
    rules.extend(by_arguments()?);
    if let Writes::Files(_) = writes {
        let folder = FOLDER.iter().chain(FOLDER_HERE);
        rules.extend(folder.map(|call| (*call, Vec::new())));
    }
    let opens: fn(u8) -> Result<SeccompRule, BackendError> = match writes {
        Writes::Nothing => return Ok(rules),
        Writes::NewFiles(_) => for_writing_anew,
        Writes::Files(_) => for_writing,
    };
    rules.insert(libc::SYS_openat, vec![opens(2)?]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, vec![opens(1)?]);
    Ok(rules)
}

/// Calls that are let through with some arguments only.
fn by_arguments() -> Result<Rules, BackendError> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let executable = without(2, libc::PROT_EXEC)?;
    let mut rules = Rules::from([
        (libc::SYS_ioctl, one_of(1, &IOCTLS)?),
        (
            libc::SYS_fcntl,
            one_of(1, &FCNTLS.map(c_int::cast_unsigned))?,
        ),
        (
            libc::SYS_prctl,
            one_of(0, &PRCTLS.map(c_int::cast_unsigned))?,
        ),
        (libc::SYS_setsockopt, joining()?),
        (libc::SYS_sendto, vec![to_nobody()?]),
        (libc::SYS_mmap, vec![executable.clone()]),
        (libc::SYS_mprotect, vec![executable]),
        (libc::SYS_clone, vec![thread()?]),
        // To ourselves and, as a shell expects of a job that stops, to the own group.
        (libc::SYS_kill, one_of(0, &[own.cast_unsigned(), 0])?),
        (libc::SYS_tgkill, one_of(0, &[own.cast_unsigned()])?),
        (libc::SYS_prlimit64, vec![own_limit()?]),
    ]);
    if cfg!(target_env = "musl") {
        // Its raise(3), which cannot be told from a signal to another process.
        rules.insert(libc::SYS_tkill, Vec::new());
    }
    Ok(rules)
}

/// The argument is one of these.
fn one_of(argument: u8, values: &[u32]) -> Result<Vec<SeccompRule>, BackendError> {
    let rule = |value: &u32| {
        let is = SeccompCondition::new(argument, Dword, Eq, u64::from(*value))?;
        SeccompRule::new(vec![is])
    };
    values.iter().map(rule).collect()
}

/// Of the bits `mask` of the argument, those of `value` are set and no others.
fn bits(argument: u8, mask: c_int, value: c_int) -> Result<SeccompRule, BackendError> {
    let [mask, value] = [mask, value].map(|it| u64::from(it.cast_unsigned()));
    let is = SeccompCondition::new(argument, Dword, MaskedEq(mask), value)?;
    SeccompRule::new(vec![is])
}

/// None of these bits is set in the argument.
fn without(argument: u8, mask: c_int) -> Result<SeccompRule, BackendError> {
    bits(argument, mask, 0)
}

/// Flags that open a file for writing and not for reading.
fn for_writing(argument: u8) -> Result<SeccompRule, BackendError> {
    bits(argument, libc::O_ACCMODE | libc::O_PATH, libc::O_WRONLY)
}

/// Flags that make a file for writing, where there is none.
fn for_writing_anew(argument: u8) -> Result<SeccompRule, BackendError> {
    let anew = libc::O_CREAT | libc::O_EXCL;
    bits(
        argument,
        libc::O_ACCMODE | libc::O_PATH | anew,
        libc::O_WRONLY | anew,
    )
}

/// Flags of clone(2) that start a thread of this process.
fn thread() -> Result<SeccompRule, BackendError> {
    bits(0, libc::CLONE_THREAD | NAMESPACES, libc::CLONE_THREAD)
}

/// setsockopt(2) that joins or leaves a group.
fn joining() -> Result<Vec<SeccompRule>, BackendError> {
    let rule = |option: &c_int| {
        let level = u64::from(libc::SOL_NETLINK.cast_unsigned());
        let option = u64::from(option.cast_unsigned());
        SeccompRule::new(vec![
            SeccompCondition::new(1, Dword, Eq, level)?,
            SeccompCondition::new(2, Dword, Eq, option)?,
        ])
    };
    NETLINK.iter().map(rule).collect()
}

/// sendto(2) without an address, to whom the socket is connected: with one, anything could
/// be sent on any device by the socket that captures.
fn to_nobody() -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(4, Qword, Eq, 0)?])
}

/// prlimit64(2) that asks for a limit of this process: no other process, no new limit.
fn own_limit() -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![
        SeccompCondition::new(0, Dword, Eq, 0)?,
        SeccompCondition::new(2, Qword, Eq, 0)?,
    ])
}

fn errno(number: c_int) -> seccompiler::SeccompAction {
    Errno(number.cast_unsigned())
}

#[cfg(test)]
mod tests;
