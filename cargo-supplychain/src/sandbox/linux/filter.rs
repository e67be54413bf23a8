//! The seccomp filter: which calls of a sealed process pass, which are refused at once, and which the supervisor hears of first.
//! A program of the kernel's packet filter over call number and arguments, never over memory. Pure.

use libc::{
    AF_UNIX, BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW,
    SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF, SOCK_DGRAM, c_long, sock_filter,
};

/// Calls that name a file or folder, or start a program: the supervisor judges the path.
const PATHS: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_unlinkat,
    libc::SYS_truncate,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_execve,
    libc::SYS_execveat,
    SETXATTRAT,
    REMOVEXATTRAT,
];

/// Newer than what `libc` knows for every architecture; calls from 424 on have one number everywhere.
pub(super) const FCHMODAT2: c_long = 452;
pub(super) const SETXATTRAT: c_long = 463;
pub(super) const REMOVEXATTRAT: c_long = 466;

/// The same for older calls, which newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const OLD_PATHS: &[c_long] = &[
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_mknod,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_unlink,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_PATHS: &[c_long] = &[libc::SYS_renameat];

/// Calls that a build has no reason to make: other processes' memory, keys of the kernel, other namespaces, the machine itself.
pub(super) const REFUSED: &[(c_long, &str)] = &[
    (libc::SYS_connect, "connect"),
    (libc::SYS_io_uring_setup, "io_uring_setup"),
    (libc::SYS_ptrace, "ptrace"),
    (libc::SYS_process_vm_readv, "process_vm_readv"),
    (libc::SYS_process_vm_writev, "process_vm_writev"),
    (libc::SYS_pidfd_getfd, "pidfd_getfd"),
    (libc::SYS_kcmp, "kcmp"),
    (libc::SYS_keyctl, "keyctl"),
    (libc::SYS_add_key, "add_key"),
    (libc::SYS_request_key, "request_key"),
    (libc::SYS_bpf, "bpf"),
    (libc::SYS_perf_event_open, "perf_event_open"),
    (libc::SYS_userfaultfd, "userfaultfd"),
    (libc::SYS_unshare, "unshare"),
    (libc::SYS_setns, "setns"),
    (libc::SYS_chroot, "chroot"),
    (libc::SYS_mount, "mount"),
    (libc::SYS_umount2, "umount2"),
    (libc::SYS_pivot_root, "pivot_root"),
    (libc::SYS_open_tree, "open_tree"),
    (libc::SYS_move_mount, "move_mount"),
    (libc::SYS_fsopen, "fsopen"),
    (libc::SYS_fsconfig, "fsconfig"),
    (libc::SYS_fsmount, "fsmount"),
    (libc::SYS_fspick, "fspick"),
    (libc::SYS_mount_setattr, "mount_setattr"),
    (libc::SYS_open_by_handle_at, "open_by_handle_at"),
    (libc::SYS_fanotify_init, "fanotify_init"),
    (libc::SYS_swapon, "swapon"),
    (libc::SYS_swapoff, "swapoff"),
    (libc::SYS_reboot, "reboot"),
    (libc::SYS_init_module, "init_module"),
    (libc::SYS_finit_module, "finit_module"),
    (libc::SYS_delete_module, "delete_module"),
    (libc::SYS_kexec_load, "kexec_load"),
    (libc::SYS_quotactl, "quotactl"),
    (libc::SYS_acct, "acct"),
    (libc::SYS_syslog, "syslog"),
    (libc::SYS_settimeofday, "settimeofday"),
    (libc::SYS_clock_settime, "clock_settime"),
    (libc::SYS_adjtimex, "adjtimex"),
    (libc::SYS_sethostname, "sethostname"),
    (libc::SYS_setdomainname, "setdomainname"),
];

/// `AUDIT_ARCH_*` of the calls that are judged; those of another architecture (32-bit programs) have other numbers.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// The bit that x86-64 sets in the numbers of its x32 calls.
const X32: u32 = 0x4000_0000;
/// Namespaces that `clone` can make: a process in one of its own sees other paths than we do.
const NAMESPACES: u32 = 0x7e02_0000;
/// Terminal requests that type into the terminal of whoever runs us: `TIOCSTI`, `TIOCLINUX`.
const TYPING: [u32; 2] = [0x5412, 0x541c];
const PR_SET_DUMPABLE: u32 = 4;

const GO: u32 = SECCOMP_RET_ALLOW;
const TELL: u32 = SECCOMP_RET_USER_NOTIF;

const fn refuse(error: i32) -> u32 {
    SECCOMP_RET_ERRNO | error.cast_unsigned()
}

/// The program.
pub(super) fn program() -> Vec<sock_filter> {
    let mut code = Code::default();
    code.load(4); // architecture
    code.equal(ARCHITECTURE, 1, 0);
    code.end(refuse(libc::ENOSYS));
    code.load(0); // number
    if cfg!(target_arch = "x86_64") {
        code.any_bit(X32, 0, 1);
        code.end(refuse(libc::ENOSYS));
    }
    for call in PATHS.iter().chain(OLD_PATHS).chain(REFUSED.iter().map(|(call, _)| call)) {
        code.on(*call, &[Step::End(TELL)]);
    }
    // Pairs and streams of AF_UNIX are how processes of one build talk (job servers); where a stream leads is judged at `connect`.
    // A datagram socket could send to anywhere.
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        code.on(
            call,
            &[
                Step::Load(0),
                Step::NotEqual(AF_UNIX.cast_unsigned(), TELL),
                Step::Load(1),
                Step::Mask(0xf),
                Step::Equal(SOCK_DGRAM.cast_unsigned(), TELL),
                Step::End(GO),
            ],
        );
    }
    code.on(
        libc::SYS_ioctl,
        &[Step::Load(1), Step::Equal(TYPING[0], refuse(libc::EPERM)), Step::Equal(TYPING[1], refuse(libc::EPERM)), Step::End(GO)],
    );
    // A process that hides its memory could not be heard.
    code.on(libc::SYS_prctl, &[Step::Load(0), Step::Equal(PR_SET_DUMPABLE, refuse(libc::EPERM)), Step::End(GO)]);
    code.on(libc::SYS_clone, &[Step::Load(0), Step::AnyBit(NAMESPACES, refuse(libc::EPERM)), Step::End(GO)]);
    // Its flags are in memory, out of the filter's sight; callers fall back to `clone`.
    code.on(libc::SYS_clone3, &[Step::End(refuse(libc::ENOSYS))]);
    for call in [libc::SYS_io_uring_enter, libc::SYS_io_uring_register] {
        code.on(call, &[Step::End(refuse(libc::ENOSYS))]);
    }
    code.end(GO);
    code.0
}

/// What is done about one call.
enum Step {
    /// Loads the low half of an argument.
    Load(u8),
    Mask(u32),
    Equal(u32, u32),
    NotEqual(u32, u32),
    AnyBit(u32, u32),
    End(u32),
}

#[derive(Default)]
struct Code(Vec<sock_filter>);

impl Code {
    fn push(&mut self, code: u32, jt: u8, jf: u8, k: u32) {
        self.0.push(sock_filter { code: u16::try_from(code).unwrap_or(u16::MAX), jt, jf, k });
    }

    /// Loads 32 bits of `struct seccomp_data`.
    fn load(&mut self, offset: u32) {
        self.push(BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
    }

    fn equal(&mut self, value: u32, yes: u8, no: u8) {
        self.push(BPF_JMP | BPF_JEQ | BPF_K, yes, no, value);
    }

    fn any_bit(&mut self, bits: u32, yes: u8, no: u8) {
        self.push(BPF_JMP | BPF_JSET | BPF_K, yes, no, bits);
    }

    fn end(&mut self, result: u32) {
        self.push(BPF_RET | BPF_K, 0, 0, result);
    }

    /// The steps for one call; the last one ends.
    fn on(&mut self, call: c_long, steps: &[Step]) {
        let Ok(number) = u32::try_from(call) else { return };
        let length: usize =
            steps.iter().map(|step| if matches!(step, Step::Load(_) | Step::Mask(_) | Step::End(_)) { 1 } else { 2 }).sum();
        self.equal(number, 0, u8::try_from(length).unwrap_or(u8::MAX));
        for step in steps {
            match *step {
                // `args` begin at byte 16, eight bytes each, the low half first.
                Step::Load(argument) => self.load(16 + 8 * u32::from(argument)),
                Step::Mask(mask) => self.push(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask),
                Step::Equal(value, result) => {
                    self.equal(value, 0, 1);
                    self.end(result);
                }
                Step::NotEqual(value, result) => {
                    self.equal(value, 1, 0);
                    self.end(result);
                }
                Step::AnyBit(bits, result) => {
                    self.any_bit(bits, 0, 1);
                    self.end(result);
                }
                Step::End(result) => self.end(result),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program as the kernel does.
    fn run(number: c_long, arguments: [u64; 3], architecture: u32) -> u32 {
        let program = program();
        let (mut at, mut value) = (0, 0);
        loop {
            let one = &program[at];
            at += 1;
            let code = u32::from(one.code);
            if code == BPF_LD | BPF_W | BPF_ABS {
                value = match one.k {
                    0 => u32::try_from(number).unwrap(),
                    4 => architecture,
                    offset => arguments[(offset as usize - 16) / 8] as u32,
                };
            } else if code == BPF_ALU | BPF_AND | BPF_K {
                value &= one.k;
            } else if code == BPF_JMP | BPF_JEQ | BPF_K {
                at += usize::from(if value == one.k { one.jt } else { one.jf });
            } else if code == BPF_JMP | BPF_JSET | BPF_K {
                at += usize::from(if value & one.k != 0 { one.jt } else { one.jf });
            } else {
                return one.k;
            }
        }
    }

    #[test]
    fn calls_pass_are_told_or_are_refused() {
        let inet = 2;
        let unix = AF_UNIX as u64;
        let (stream, datagram, cloexec) = (1, 2, 0o2_000_000);
        for (call, arguments, expected) in [
            (libc::SYS_read, [0, 0, 0], GO),
            (libc::SYS_openat, [0, 0, 0], TELL),
            (libc::SYS_execve, [0, 0, 0], TELL),
            (libc::SYS_socket, [unix, stream, 0], GO),
            (libc::SYS_socket, [unix, stream | cloexec, 0], GO),
            (libc::SYS_socket, [unix, datagram | cloexec, 0], TELL),
            (libc::SYS_socketpair, [unix, stream, 0], GO),
            (libc::SYS_socket, [inet, stream, 0], TELL),
            (libc::SYS_socket, [16, 3, 0], TELL),
            // The upper half of an argument is not looked at by the kernel either.
            (libc::SYS_socket, [(1 << 32) | inet, stream, 0], TELL),
            (libc::SYS_connect, [0, 0, 0], TELL),
            (libc::SYS_io_uring_setup, [0, 0, 0], TELL),
            (libc::SYS_io_uring_enter, [0, 0, 0], refuse(libc::ENOSYS)),
            (libc::SYS_ptrace, [0, 0, 0], TELL),
            (libc::SYS_ioctl, [0, 0x5412, 0], refuse(libc::EPERM)),
            (libc::SYS_ioctl, [0, 0x5401, 0], GO),
            (libc::SYS_prctl, [4, 0, 0], refuse(libc::EPERM)),
            (libc::SYS_prctl, [15, 0, 0], GO),
            (libc::SYS_clone, [0x1000_0000, 0, 0], refuse(libc::EPERM)),
            (libc::SYS_clone, [0x0000_4111, 0, 0], GO),
            (libc::SYS_clone3, [0, 0, 0], refuse(libc::ENOSYS)),
        ] {
            assert_eq!(run(call, arguments, ARCHITECTURE), expected, "{call} {arguments:?}");
        }
        assert_eq!(run(libc::SYS_read, [0; 3], 0x4000_0003), refuse(libc::ENOSYS), "another architecture");
        if cfg!(target_arch = "x86_64") {
            assert_eq!(run(c_long::from(X32) | libc::SYS_read, [0; 3], ARCHITECTURE), refuse(libc::ENOSYS));
        }
        assert!(program().len() < 4096, "the kernel's limit");
    }
}
