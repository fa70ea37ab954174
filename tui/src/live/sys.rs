//! The few calls on netlink sockets that no safe interface has.

#![expect(
    unsafe_code,
    reason = "recvmsg(2) and socket options of netlink take raw pointers"
)]

use std::ffi::c_int;
use std::io;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Room for the control messages of a datagram: a `struct nl_pktinfo` and an `int`, each
/// with its header.
const CONTROL: usize = 16;

/// How many `SK_MEMINFO_*` numbers there are, and which of them counts drops
/// (`linux/sock_diag.h`).
const MEMINFO_LEN: usize = 9;
const SK_MEMINFO_DROPS: usize = 8;

/// What came with a datagram.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Received {
    /// How long it is; longer than the buffer where it was cut.
    pub(super) len: usize,
    /// The multicast group (`NETLINK_PKTINFO`), 0 for none.
    pub(super) group: u32,
    /// The network namespace it is from, as this one numbers it
    /// (`NETLINK_LISTEN_ALL_NSID`); `None` for this one itself.
    pub(super) nsid: Option<i32>,
}

/// Sets an integer option of a socket, `setsockopt(2)`.
///
/// # Errors
///
/// Those of the system.
pub(super) fn set_option(
    socket: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: c_int,
) -> io::Result<()> {
    let len = libc::socklen_t::try_from(size_of::<c_int>()).unwrap_or(4);
    // SAFETY: the pointer is to an integer that lives until the call returns, of the
    // length that is said.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            len,
        )
    };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// How many datagrams the kernel could not put into the socket's buffer (`SO_MEMINFO`,
/// socket(7)).
///
/// # Errors
///
/// Those of the system.
pub(super) fn drops(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut numbers = [0_u32; MEMINFO_LEN];
    let mut len = libc::socklen_t::try_from(size_of_val(&numbers)).unwrap_or(0);
    // SAFETY: the kernel writes at most `len` bytes, which is the size of `numbers`, and
    // any bytes are integers.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            (&raw mut numbers).cast(),
            &raw mut len,
        )
    };
    if done == 0 {
        Ok(numbers[SK_MEMINFO_DROPS])
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Receives a datagram without waiting, `recvmsg(2)`.
///
/// # Errors
///
/// Those of the system: `WouldBlock` where there is none, `ENOBUFS` where some were lost.
pub(super) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received> {
    let mut control = [MaybeUninit::<libc::cmsghdr>::uninit(); CONTROL];
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: all zeros is a `msghdr` that points nowhere.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    // The type of the length is another one in every libc.
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_fallible_conversions,
        reason = "it is not in all of them"
    )]
    {
        message.msg_controllen = size_of_val(&control).try_into().unwrap_or(0);
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
    // SAFETY: `message` describes `buffer` and `control`, which live until the call
    // returns, by their true lengths; nobody else looks at them meanwhile.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) };
    let Ok(len) = usize::try_from(len) else {
        return Err(io::Error::last_os_error());
    };
    let mut received = Received {
        len,
        ..Received::default()
    };
    // SAFETY: the kernel has set length and content of `control`, which is aligned as its
    // headers want it; the macros stay inside of it.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !header.is_null() {
        // SAFETY: the header is not null, so it lies in `control` as a whole.
        let (level, kind) = unsafe { ((*header).cmsg_level, (*header).cmsg_type) };
        if level == libc::SOL_NETLINK {
            // SAFETY: both kinds of message carry an integer of 32 bits, `struct
            // nl_pktinfo` nothing else.
            let number = unsafe { libc::CMSG_DATA(header).cast::<c_int>().read_unaligned() };
            match kind {
                libc::NETLINK_PKTINFO => received.group = number.cast_unsigned(),
                libc::NETLINK_LISTEN_ALL_NSID => received.nsid = Some(number),
                _ => {}
            }
        }
        // SAFETY: as above; the macro ends with null at the end of `control`.
        header = unsafe { libc::CMSG_NXTHDR(&raw const message, header) };
    }
    Ok(received)
}
