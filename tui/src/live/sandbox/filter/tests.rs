//! What each call is answered, asked of the programs themselves.

use std::path::PathBuf;

use libc::{SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS};

use super::*;

const REFUSED: u32 = SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned();

fn files() -> Writes {
    Writes::Files(PathBuf::new())
}

/// What the kernel would answer to a call: both filters, the stricter one counts.
fn answer(writes: &Writes, call: c_long, arguments: &[u64]) -> u32 {
    let (first, second) = (first().unwrap(), second(writes).unwrap());
    let architecture = first[1].k;
    let call = u32::try_from(call).unwrap();
    let data = record(call, architecture, arguments);
    match run(&first, &data) {
        SECCOMP_RET_ALLOW => run(&second, &data),
        other => other,
    }
}

/// `struct seccomp_data` of linux/seccomp.h, in words.
fn record(call: u32, architecture: u32, arguments: &[u64]) -> Vec<u32> {
    let mut words = vec![call, architecture, 0, 0];
    for argument in arguments {
        words.push(u32::try_from(argument & 0xffff_ffff).unwrap());
        words.push(u32::try_from(argument >> 32).unwrap());
    }
    words.resize(16, 0);
    words
}

/// Runs a filter: the instructions of classic BPF that filters here consist of.
fn run(program: &BpfProgram, data: &[u32]) -> u32 {
    let (mut at, mut word) = (0, 0);
    loop {
        let it = &program[at];
        at += 1;
        let jump = |taken: bool| usize::from(if taken { it.jt } else { it.jf });
        match it.code {
            0x05 => at += usize::try_from(it.k).unwrap(),
            0x06 => return it.k,
            0x15 => at += jump(word == it.k),
            0x20 => word = data[usize::try_from(it.k / 4).unwrap()],
            0x54 => word &= it.k,
            other => panic!("instruction {other:#x}"),
        }
    }
}

fn both(call: c_long, arguments: &[u64]) -> u32 {
    let [without, with] = [&Writes::Nothing, &files()].map(|it| answer(it, call, arguments));
    assert_eq!(without, with, "{call}");
    with
}

fn number(value: c_int) -> u64 {
    u64::from(value.cast_unsigned())
}

#[test]
fn calls_that_open_something_new_are_refused() {
    let calls = [
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_setns,
        libc::SYS_unshare,
        libc::SYS_mount,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_open_by_handle_at,
        libc::SYS_openat2,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_keyctl,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_userfaultfd,
        libc::SYS_memfd_create,
        libc::SYS_pidfd_getfd,
        libc::SYS_pidfd_send_signal,
        libc::SYS_truncate,
        libc::SYS_mkdirat,
        libc::SYS_linkat,
        libc::SYS_pkey_mprotect,
        libc::SYS_seccomp,
    ];
    for call in calls {
        assert_eq!(both(call, &[]), REFUSED, "{call}");
    }
}

#[test]
fn only_threads_are_cloned() {
    // As C libraries start threads, and fork(2).
    let thread = libc::CLONE_VM
        | libc::CLONE_FS
        | libc::CLONE_FILES
        | libc::CLONE_SIGHAND
        | libc::CLONE_THREAD
        | libc::CLONE_SYSVSEM
        | libc::CLONE_SETTLS
        | libc::CLONE_PARENT_SETTID
        | libc::CLONE_CHILD_CLEARTID;
    let fork = libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
    let spawn = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    assert_eq!(both(libc::SYS_clone, &[number(thread)]), SECCOMP_RET_ALLOW);
    for flags in [fork, spawn, thread | libc::CLONE_NEWUSER] {
        assert_eq!(both(libc::SYS_clone, &[number(flags)]), REFUSED);
    }
    let missing = SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
    assert_eq!(both(libc::SYS_clone3, &[]), missing);
}

#[test]
fn no_memory_becomes_executable() {
    let data = number(libc::PROT_READ | libc::PROT_WRITE);
    let code = number(libc::PROT_READ | libc::PROT_EXEC);
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        assert_eq!(both(call, &[0, 4096, data]), SECCOMP_RET_ALLOW);
        assert_eq!(both(call, &[0, 4096, 0]), SECCOMP_RET_ALLOW);
        assert_eq!(both(call, &[0, 4096, code]), REFUSED);
        // What the kernel does not look at does not help.
        assert_eq!(both(call, &[0, 4096, code | 1 << 40]), REFUSED);
    }
}

#[test]
fn signals_go_to_ourselves_only() {
    let own = number(rustix::process::getpid().as_raw_nonzero().get());
    let stop = number(libc::SIGSTOP);
    assert_eq!(both(libc::SYS_kill, &[own, stop]), SECCOMP_RET_ALLOW);
    assert_eq!(both(libc::SYS_kill, &[0, stop]), SECCOMP_RET_ALLOW);
    assert_eq!(both(libc::SYS_tgkill, &[own, own, stop]), SECCOMP_RET_ALLOW);
    // To process 1, to all, to another group.
    for process in [1, number(-1), number(-2)] {
        assert_eq!(both(libc::SYS_kill, &[process, stop]), REFUSED);
        assert_eq!(both(libc::SYS_tgkill, &[process, own, stop]), REFUSED);
    }
}

#[test]
fn files_open_for_writing_only_and_only_where_there_is_a_folder() {
    let (nothing, new, files) = (Writes::Nothing, Writes::NewFiles(PathBuf::new()), files());
    let create = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_CLOEXEC;
    let here = number(libc::AT_FDCWD);
    let open = |writes: &Writes, flags| answer(writes, libc::SYS_openat, &[here, 0, number(flags)]);
    assert_eq!(open(&files, create), SECCOMP_RET_ALLOW);
    assert_eq!(
        open(&files, libc::O_WRONLY | libc::O_APPEND),
        SECCOMP_RET_ALLOW
    );
    assert_eq!(open(&nothing, create), REFUSED);
    assert_eq!(open(&new, create), REFUSED);
    assert_eq!(open(&new, create | libc::O_EXCL), SECCOMP_RET_ALLOW);
    let reading = [
        libc::O_RDONLY,
        libc::O_RDWR,
        libc::O_PATH,
        libc::O_PATH | create,
    ];
    for flags in reading {
        assert_eq!(open(&files, flags), REFUSED, "{flags:#x}");
        assert_eq!(open(&new, flags | libc::O_EXCL), REFUSED, "{flags:#x}");
    }
    for call in [libc::SYS_unlinkat, libc::SYS_renameat2] {
        assert_eq!(answer(&files, call, &[]), SECCOMP_RET_ALLOW);
        assert_eq!(answer(&new, call, &[]), REFUSED);
        assert_eq!(answer(&nothing, call, &[]), REFUSED);
    }
}

#[test]
#[allow(
    clippy::cast_sign_loss,
    clippy::unnecessary_cast,
    reason = "their type is another one in every libc"
)]
fn a_terminal_is_set_but_not_typed_into() {
    let requests = [
        libc::TCGETS as u64,
        libc::TCSETS as u64,
        libc::TIOCGWINSZ as u64,
        libc::FIONREAD as u64,
        libc::FIONBIO as u64,
    ];
    for request in requests {
        assert_eq!(both(libc::SYS_ioctl, &[0, request]), SECCOMP_RET_ALLOW);
    }
    // TIOCSTI, TIOCLINUX, SIOCSIFFLAGS.
    for request in [0x5412, 0x541c, 0x8914] {
        assert_eq!(both(libc::SYS_ioctl, &[0, request]), REFUSED);
    }
}

#[test]
fn sockets_join_groups_and_nothing_else() {
    let set = |level, option| {
        let arguments = [3, number(level), number(option)];
        both(libc::SYS_setsockopt, &arguments)
    };
    let join = libc::NETLINK_ADD_MEMBERSHIP;
    assert_eq!(set(libc::SOL_NETLINK, join), SECCOMP_RET_ALLOW);
    assert_eq!(set(libc::SOL_PACKET, join), REFUSED);
    assert_eq!(
        set(libc::SOL_NETLINK, libc::NETLINK_LISTEN_ALL_NSID),
        REFUSED
    );
    assert_eq!(set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER), REFUSED);
}

#[test]
fn nothing_is_sent_to_an_address() {
    assert_eq!(both(libc::SYS_sendto, &[3, 1 << 40, 8]), SECCOMP_RET_ALLOW);
    assert_eq!(
        both(libc::SYS_sendto, &[3, 1 << 40, 8, 0, 1 << 40, 20]),
        REFUSED
    );
    assert_eq!(both(libc::SYS_sendmsg, &[3, 1 << 40]), REFUSED);
}

#[test]
fn a_process_changes_nothing_of_itself_but_names() {
    let set = |option| both(libc::SYS_prctl, &[number(option)]);
    assert_eq!(set(libc::PR_SET_NAME), SECCOMP_RET_ALLOW);
    assert_eq!(set(libc::PR_SET_DUMPABLE), REFUSED);
    assert_eq!(set(libc::PR_SET_PTRACER), REFUSED);
    assert_eq!(both(libc::SYS_prlimit64, &[0, 7, 0, 1]), SECCOMP_RET_ALLOW);
    assert_eq!(both(libc::SYS_prlimit64, &[0, 7, 1]), REFUSED);
    assert_eq!(both(libc::SYS_prlimit64, &[0, 7, 1 << 32]), REFUSED);
    assert_eq!(both(libc::SYS_prlimit64, &[1, 7, 0, 1]), REFUSED);
    assert_eq!(both(libc::SYS_fcntl, &[3, number(libc::F_SETOWN)]), REFUSED);
}

#[test]
fn calls_of_another_architecture_end_the_process() {
    let program = second(&files()).unwrap();
    let read = u32::try_from(libc::SYS_read).unwrap();
    // AUDIT_ARCH_I386, for `int 0x80`.
    assert_eq!(
        run(&program, &record(read, 0x4000_0003, &[])),
        SECCOMP_RET_KILL_PROCESS
    );
    // The numbers of x32 are refused like unknown ones.
    assert_eq!(both(0x4000_0000 | libc::SYS_read, &[]), REFUSED);
}
