//! Calls of the kernel that no library of ours wraps: a seccomp filter with a listener, what is said over the listener, and a look into the
//! memory of whoever waits there. The only file of the crate with unsafe code: each block hands the kernel a structure of the `libc` crate that outlives the call.
//!
//! Sources: `seccomp_unotify(2)`, `process_vm_readv(2)`.

#![expect(unsafe_code, reason = "system calls that rustix and the landlock crate do not offer")]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// One call of a sealed process that waits for our answer.
pub(super) type Notification = libc::seccomp_notif;

/// Enforces the filter on this thread and all that it starts, for ever; the listener hears of every call that the filter passes on.
/// The thread has given up new privileges before.
pub(super) fn install(filter: &[libc::sock_filter]) -> io::Result<OwnedFd> {
    // A signal must not restart a call that we answer already; kernels before 5.19 do not know the flag.
    let flags = [libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0].map(|flag| libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | flag);
    let length = u16::try_from(filter.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let program = libc::sock_fprog { len: length, filter: filter.as_ptr().cast_mut() };
    let mut result = Err(io::Error::from(io::ErrorKind::Unsupported));
    for flags in flags {
        // SAFETY: `program` and the slice behind it live until the call returns; the kernel only reads them.
        let fd = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
        match i32::try_from(fd) {
            // SAFETY: a new descriptor that nobody else knows.
            Ok(fd) if fd >= 0 => return Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
            _ => result = Err(io::Error::last_os_error()),
        }
    }
    result
}

/// Lets the kernel switch to us and back at once, which halves what an answer costs; kernels before 6.6 do without.
pub(super) fn answer_in_step(listener: BorrowedFd<'_>) {
    let step: u64 = 1;
    // SAFETY: the flag is passed by value; an unknown request is an error that changes nothing.
    let _ = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, step) };
}

/// Whether [`receive`] ends with an error when nobody is left who could call. Linux does since 6.11; before, only `poll` tells. One more
/// release is left for those that took a part of it.
pub(super) fn receive_tells_the_end() -> bool {
    let name = rustix::system::uname();
    let mut numbers = name.release().to_str().unwrap_or_default().split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(12))
}

/// The next call; waits for one.
pub(super) fn receive(listener: BorrowedFd<'_>) -> io::Result<Notification> {
    // SAFETY: all zeroes is what the kernel asks for; the structure holds integers only.
    let mut notification: Notification = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one structure of this type.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut notification) };
    if result == 0 { Ok(notification) } else { Err(io::Error::last_os_error()) }
}

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The kernel makes the call, with all its other checks.
    Go,
    /// The caller hears this error number.
    Refuse(i32),
    /// It was done: the caller hears 0.
    Done,
}

/// Ends the call. That the caller has died meanwhile is nobody's fault.
pub(super) fn answer(listener: BorrowedFd<'_>, id: u64, answer: Answer) {
    let (error, flags) = match answer {
        Answer::Go => (0, 1), // SECCOMP_USER_NOTIF_FLAG_CONTINUE
        Answer::Refuse(number) => (-number, 0),
        Answer::Done => (0, 0),
    };
    let response = libc::seccomp_notif_resp { id, val: 0, error, flags };
    // SAFETY: the kernel reads one structure of this type.
    let _ = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const response) };
}

/// Ends an `open` with a file that we opened for the caller.
pub(super) fn give(listener: BorrowedFd<'_>, id: u64, file: BorrowedFd<'_>, close_on_exec: bool) -> io::Result<()> {
    let newfd_flags = if close_on_exec { libc::O_CLOEXEC.cast_unsigned() } else { 0 };
    let srcfd = file.as_raw_fd().cast_unsigned();
    let add = libc::seccomp_notif_addfd { id, flags: 2, srcfd, newfd: 0, newfd_flags }; // SECCOMP_ADDFD_FLAG_SEND
    // SAFETY: the kernel reads one structure of this type and duplicates the descriptor.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD, &raw const add) };
    if result >= 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads the memory of a process (or of a thread's), as far as it is mapped; how many bytes, 0 where nothing can be read.
pub(super) fn read_memory(process: u32, address: u64, bytes: &mut [u8]) -> usize {
    read_from(process, &[piece(address, bytes.len())], bytes)
}

/// Reads a piece at each address, all as long as each other, one after the other into `bytes`; how many bytes, up to the first piece that
/// is not mapped. At most [`PIECES_MAX`] addresses.
pub(super) fn read_pieces(process: u32, addresses: &[u64], bytes: &mut [u8]) -> usize {
    let Some(length) = bytes.len().checked_div(addresses.len()) else { return 0 };
    let there: Vec<_> = addresses.iter().map(|address| piece(*address, length)).collect();
    read_from(process, &there, bytes)
}

/// A piece of another process's memory.
fn piece(address: u64, length: usize) -> libc::iovec {
    // No address of a process is larger than ours can be; if one were, nothing is mapped at the largest.
    let address = usize::try_from(address).unwrap_or(usize::MAX);
    libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: length }
}

fn read_from(process: u32, there: &[libc::iovec], bytes: &mut [u8]) -> usize {
    let Ok(id) = libc::pid_t::try_from(process) else { return 0 };
    let here = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: the kernel writes at most `iov_len` bytes to `bytes`, which has as many, and only looks at the addresses of the other process.
    let read = unsafe { libc::process_vm_readv(id, &raw const here, 1, there.as_ptr(), there.len() as libc::c_ulong, 0) };
    usize::try_from(read).unwrap_or(0)
}

/// The kernel's `IOV_MAX` is 1024.
pub(super) const PIECES_MAX: usize = 64;
