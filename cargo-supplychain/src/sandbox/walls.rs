//! The walls of a sealed build: what cargo and all that it starts may read and write. Made from the machine and the workspace by
//! an allow list; what is not named is closed. The system's folders are those of the Filesystem Hierarchy Standard 3.0.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::model::sandbox::Seal;

/// What a build is sealed with; made by `ops`. All paths are absolute.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub workspace: Utf8PathBuf,
    /// The root of the work tree around the workspace.
    pub repository: Option<Utf8PathBuf>,
    /// Where git keeps its own data: `.git`, and the common folder of a linked work tree.
    pub git_folders: Vec<Utf8PathBuf>,
    /// Folders of path dependencies outside the workspace, and single files that cargo has to read (its configuration).
    pub further: Vec<Utf8PathBuf>,
    pub cargo_home: Option<Utf8PathBuf>,
    pub rustup_home: Option<Utf8PathBuf>,
    /// The toolchain's root: it holds `bin/rustc`.
    pub toolchain: Utf8PathBuf,
    /// Our target folder; has to exist.
    pub target: Utf8PathBuf,
    /// A folder of ours for the private home and the temporary folder; has to exist.
    pub private: Utf8PathBuf,
    pub home: Option<Utf8PathBuf>,
    /// The environment of the build.
    pub environment: BTreeMap<String, String>,
    pub exceptions: Vec<Exception>,
    /// Name and version of the workspace's own packages: their build scripts may read `.git`.
    pub members: BTreeSet<(String, String)>,
    /// Name and version of every package of the build.
    pub packages: Vec<(String, String)>,
    /// `[sandbox] read`.
    pub read: Vec<Utf8PathBuf>,
    /// Files that hold keys or tokens, wherever they lie: only cargo may read them.
    pub hidden: Vec<Utf8PathBuf>,
}

/// What the policy allows one crate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exception {
    pub name: String,
    pub version: String,
    pub read: Vec<Utf8PathBuf>,
    pub write: Vec<Utf8PathBuf>,
    pub net: bool,
}

/// The walls that the kernel enforces, for all processes alike. Paths that do not exist are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walls {
    /// Read and run.
    pub read: Vec<Utf8PathBuf>,
    /// Only the names in it.
    pub list: Vec<Utf8PathBuf>,
    /// Everything.
    pub write: Vec<Utf8PathBuf>,
    /// Devices without a memory.
    pub devices: Vec<Utf8PathBuf>,
    /// An exception opens the network: then seccomp alone decides, crate by crate.
    pub network: bool,
}

const SYSTEM: [&str; 16] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/run/current-system",
    "/snap",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm",
    "/var/lib/dpkg/alternatives",
];
/// Of `/proc`, what is about the machine and not about its processes. A process's own folder is opened by the supervisor.
const PROC: [&str; 11] =
    ["cpuinfo", "devices", "filesystems", "loadavg", "meminfo", "modules", "stat", "sys", "uptime", "version", "vmstat"];
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// What of `/etc` holds keys, passwords or another machine's secrets by the habit of the field.
const SECRET_ETC: [&str; 32] = [
    "shadow",
    "shadow-",
    "gshadow",
    "gshadow-",
    "sudoers",
    "sudoers.d",
    "security",
    "ssh",
    "krb5.keytab",
    "krb5.conf.d",
    "docker",
    "containers",
    "kubernetes",
    "rancher",
    "cni",
    "letsencrypt",
    "wireguard",
    "openvpn",
    "ipsec.secrets",
    "ipsec.d",
    "ppp",
    "NetworkManager",
    "wpa_supplicant",
    "netrc",
    "fstab",
    "crypttab",
    "vault",
    "consul.d",
    "nomad.d",
    "salt",
    "puppetlabs",
    "chef",
];
/// Of these folders of `/etc` only what is below them without private keys.
const PUBLIC_PARTS: [(&str, &[&str]); 2] =
    [("ssl", &["private"]), ("pki", &["tls/private", "nssdb", "CA", "consumer", "entitlement"])];

/// Variables that name a tool, a library or a folder of either for build scripts.
const TOOL_ENDS: [&str; 12] =
    ["_DIR", "_ROOT", "_HOME", "_PREFIX", "_PATH", "_INCLUDE", "_LIB", "_BIN", "_SYSROOT", "_LINKER", "_SDK", "_TOOLCHAIN_FILE"];
const TOOL_NAMES: [&str; 28] = [
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CC",
    "CXX",
    "AR",
    "LD",
    "NM",
    "RANLIB",
    "STRIP",
    "CMAKE",
    "CMAKE_PREFIX_PATH",
    "PKG_CONFIG",
    "PKG_CONFIG_PATH",
    "PROTOC",
    "PYTHON",
    "PERL",
    "MAKE",
    "NASM",
    "YASM",
    "SDKROOT",
    "SYSROOT",
    "INCLUDE",
    "LIB",
    "LIBRARY_PATH",
    "CPATH",
    "NIX_STORE",
];
/// Variables of that form that name a place of the user's or ours.
const NO_TOOLS: [&str; 12] = [
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "GNUPGHOME",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "GIT_DIR",
];

impl Request {
    /// The private home folder of the build.
    #[must_use]
    pub fn private_home(&self) -> Utf8PathBuf {
        self.private.join("home")
    }

    /// Its temporary folder.
    #[must_use]
    pub fn temporary(&self) -> Utf8PathBuf {
        self.private.join("tmp")
    }

    /// The environment of a sealed build: a home and a temporary folder of its own; where cargo and rustup keep theirs is said, because
    /// they can no longer tell by the home.
    #[must_use]
    pub fn sealed_environment(&self, environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut environment = environment.clone();
        environment.insert("HOME".to_owned(), self.private_home().into_string());
        for name in ["TMPDIR", "TMP", "TEMP"] {
            environment.insert(name.to_owned(), self.temporary().into_string());
        }
        for (name, folder) in [("CARGO_HOME", &self.cargo_home), ("RUSTUP_HOME", &self.rustup_home)] {
            if let Some(folder) = folder {
                environment.insert(name.to_owned(), folder.to_string());
            }
        }
        // They lead past the private home.
        environment.retain(|name, _| !name.starts_with("XDG_") && name != "GNUPGHOME");
        environment
    }

    pub(super) fn walls(&self) -> Walls {
        let mut walls = Walls {
            read: Vec::new(),
            list: vec!["/etc".into()],
            write: vec![self.target.clone(), self.private.clone()],
            devices: DEVICES.iter().map(Utf8PathBuf::from).collect(),
            network: self.exceptions.iter().any(|exception| exception.net),
        };
        let tokens = self.cargo_home.iter().flat_map(|home| ["credentials", "credentials.toml"].map(|name| home.join(name)));
        let closed = self.hidden.iter().chain(&self.git_folders).cloned().chain(tokens);
        let closed: Vec<_> = closed.map(|path| real(&path)).collect();
        let apart = self.apart();
        for place in self.shared() {
            walls.open_around(&place, &closed, &apart);
        }
        let around = self.source_root().filter(|root| **root != self.workspace);
        for root in [Some(&self.workspace), around].into_iter().flatten() {
            walls.list.push(root.clone());
            for entry in entries(root).into_iter().filter(|path| path.file_name() != Some(".git")) {
                walls.open(&entry, &closed);
            }
        }
        // What is further is named from several folders on.
        for place in self.further.iter().chain(&self.read).collect::<BTreeSet<_>>() {
            walls.open(place, &closed);
        }
        walls.read.extend(PROC.iter().map(|name| Utf8PathBuf::from("/proc").join(name)));
        // More than all the rest: to ask where each leads would be the larger part of a start.
        let is_in_etc = closed.iter().any(|path| path.starts_with("/etc"));
        for entry in etc() {
            if is_in_etc || entry.is_symlink() { walls.open(&entry, &closed) } else { walls.read.push(entry) }
        }
        walls.read.sort();
        walls.read.dedup();
        for exception in &self.exceptions {
            // Git's own files are handed over one by one: nobody else is to have a way to them.
            let is_gits = |path: &Utf8PathBuf| self.git_folders.iter().any(|git| real(path).starts_with(real(git)));
            walls.read.extend(exception.read.iter().filter(|path| !is_gits(path)).cloned());
            walls.write.extend(exception.write.iter().cloned());
        }
        walls
    }

    /// What is recorded: the walls by what they are, not by where this machine has them.
    pub(super) fn seal(&self, abi: u32) -> Seal {
        let mut rules: Vec<String> = [
            "read the system's folders, /etc without key material",
            "read the toolchain",
            "read the sources of cargo's registry and git folders",
            "read the workspace and its repository without .git",
            "write the target folder",
            "write a private home and a private temporary folder",
        ]
        .map(str::to_owned)
        .into();
        rules.extend(self.read.iter().map(|path| format!("read {path}")));
        rules.sort();
        let refused = [
            "network of every family; between processes only streams and pairs of AF_UNIX",
            "memory, environment and descriptors of other processes",
            "keys of the kernel, other namespaces, mounts, io_uring, tracing",
        ];
        let exceptions = self.exceptions.iter().flat_map(|one| {
            let read = one.read.iter().map(|path| format!("read {path}"));
            let write = one.write.iter().map(|path| format!("write {path}"));
            let net = one.net.then(|| "network".to_owned());
            read.chain(write).chain(net).map(|what| format!("{} {}: {what}", one.name, one.version))
        });
        Seal { landlock_abi: abi, rules, refused: refused.map(str::to_owned).into(), exceptions: exceptions.collect() }
    }

    /// Folders of the machine, of the toolchain and of cargo, for everybody in the build.
    fn shared(&self) -> BTreeSet<Utf8PathBuf> {
        let mut shared: BTreeSet<_> = SYSTEM.iter().map(Utf8PathBuf::from).collect();
        shared.extend(self.tools());
        shared.insert(self.toolchain.clone());
        if let Some(home) = &self.rustup_home {
            shared.extend(["toolchains", "settings.toml", "downloads", "update-hashes"].map(|name| home.join(name)));
        }
        if let Some(home) = &self.cargo_home {
            shared.extend(["registry", "git", "bin", "config", "config.toml", "env"].map(|name| home.join(name)));
            shared.extend(linked_sources(home));
        }
        shared
    }

    /// What can lie in a folder of the machine and has rules of its own: official images have cargo's home, with its credentials, in
    /// `/usr/local` and the sources in `/usr/src`; services have homes in `/opt`.
    fn apart(&self) -> Vec<Utf8PathBuf> {
        let some = [self.home.as_ref(), self.cargo_home.as_ref(), self.repository.as_ref()];
        some.into_iter().flatten().chain([&self.workspace, &self.target, &self.private]).map(|path| real(path)).collect()
    }

    /// The work tree, unless it is the user's home or holds it: then the workspace is all.
    fn source_root(&self) -> Option<&Utf8PathBuf> {
        self.repository.as_ref().filter(|root| !self.holds_home(root))
    }

    fn holds_home(&self, folder: &Utf8Path) -> bool {
        folder == "/" || self.home.as_ref().is_some_and(|home| home.starts_with(folder))
    }

    /// Folders of programs and libraries that the environment names: `PATH`, `LIBCLANG_PATH`, `OPENSSL_DIR`, `CC`, ….
    fn tools(&self) -> Vec<Utf8PathBuf> {
        let mut tools = Vec::new();
        for (name, value) in &self.environment {
            let is_path = name == "PATH" || name == "LD_LIBRARY_PATH";
            let is_tool = TOOL_NAMES.contains(&name.as_str()) || TOOL_ENDS.iter().any(|end| name.ends_with(end));
            if !(is_path || is_tool) || NO_TOOLS.contains(&name.as_str()) {
                continue;
            }
            for part in value.split([':', ' ', ';']).filter(|part| part.starts_with('/')) {
                let place = Utf8Path::new(part);
                tools.push(place.to_owned());
                // A tool of the user's brings its libraries beside it.
                let beside = place.parent().filter(|_| is_path && matches!(place.file_name(), Some("bin" | "shims" | "sbin")));
                match beside {
                    Some(prefix) if prefix.ends_with(".local") => tools.push(prefix.join("lib")),
                    Some(prefix) if Some(prefix) != self.cargo_home.as_deref() => tools.push(prefix.to_owned()),
                    _ => {}
                }
            }
        }
        tools.retain(|tool| !self.holds_home(tool) && !holds_keys(tool, self.home.as_deref()));
        tools
    }
}

impl Walls {
    /// Opens a place for reading, all but what is closed in it or stands apart. Who names a place inside of what stands apart means it.
    fn open_around(&mut self, place: &Utf8Path, closed: &[Utf8PathBuf], apart: &[Utf8PathBuf]) {
        let there = real(place);
        let apart = apart.iter().filter(|path| !there.starts_with(path));
        self.open_there(place, &there, &closed.iter().chain(apart).cloned().collect::<Vec<_>>());
    }

    /// Opens a place for reading, all but what is closed in it.
    fn open(&mut self, place: &Utf8Path, closed: &[Utf8PathBuf]) {
        self.open_there(place, &real(place), closed);
    }

    /// `there`: where the place really is.
    fn open_there(&mut self, place: &Utf8Path, there: &Utf8Path, closed: &[Utf8PathBuf]) {
        if closed.iter().any(|path| there.starts_with(path)) {
            return;
        }
        if !closed.iter().any(|path| path.starts_with(there)) {
            self.read.push(place.to_owned());
            return;
        }
        self.list.push(place.to_owned());
        for entry in entries(place) {
            self.open(&entry, closed);
        }
    }
}

fn real(path: &Utf8Path) -> Utf8PathBuf {
    path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned())
}

/// Whether a folder of the home is one where keys are kept, or holds one.
fn holds_keys(folder: &Utf8Path, home: Option<&Utf8Path>) -> bool {
    let Some(below) = home.and_then(|home| folder.strip_prefix(home).ok()) else { return false };
    SECRET_HOME.iter().any(|secret| Utf8Path::new(secret).starts_with(below) || below.starts_with(secret))
}

/// Where keys are kept in a home folder, by the habit of the field.
pub(super) const SECRET_HOME: [&str; 38] = [
    ".ssh",
    ".aws",
    ".azure",
    ".gnupg",
    ".kube",
    ".docker",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".yarnrc",
    ".pypirc",
    ".gem/credentials",
    ".git-credentials",
    ".config/git/credentials",
    ".config/gh",
    ".config/glab-cli",
    ".config/gcloud",
    ".config/hub",
    ".config/op",
    ".config/sops",
    ".config/containers",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".terraform.d",
    ".vault-token",
    ".age",
    ".password-store",
    ".local/share/keyrings",
    ".config/google-chrome",
    ".config/chromium",
    ".mozilla",
    ".bitcoin",
    ".ethereum",
    ".electrum",
    ".config/solana",
    ".bash_history",
    ".zsh_history",
    ".config/cargo-supplychain",
];

/// Sources of cargo's home that are links to somewhere else (a cache that several homes share).
fn linked_sources(home: &Utf8Path) -> Vec<Utf8PathBuf> {
    let folders = ["registry/index", "registry/cache", "registry/src", "git/db", "git/checkouts"];
    let entries = folders.iter().flat_map(|folder| entries(&home.join(folder)));
    entries.filter(|entry| entry.is_symlink()).filter_map(|entry| entry.canonicalize_utf8().ok()).collect()
}

/// What of `/etc` may be read.
fn etc() -> Vec<Utf8PathBuf> {
    let mut open = Vec::new();
    for entry in entries(Utf8Path::new("/etc")) {
        let name = entry.file_name().unwrap_or_default();
        if SECRET_ETC.contains(&name) {
            continue;
        }
        match PUBLIC_PARTS.iter().find(|(folder, _)| *folder == name) {
            None => open.push(entry),
            Some((_, closed)) => open.extend(parts(&entry, closed)),
        }
    }
    open
}

/// What is below a folder, without the parts that are closed.
fn parts(folder: &Utf8Path, closed: &[&str]) -> Vec<Utf8PathBuf> {
    let mut open = Vec::new();
    for entry in entries(folder) {
        let name = entry.file_name().unwrap_or_default().to_owned();
        if closed.contains(&name.as_str()) {
            continue;
        }
        let below: Vec<_> = closed.iter().filter_map(|path| path.strip_prefix(&name)?.strip_prefix('/')).collect();
        if below.is_empty() { open.push(entry) } else { open.extend(parts(&entry, &below)) }
    }
    open
}

/// What a folder holds, sorted; nothing where it cannot be read.
fn entries(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(list) = folder.read_dir_utf8() else { return Vec::new() };
    let mut entries: Vec<_> = list.filter_map(|entry| Some(entry.ok()?.into_path())).collect();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests;
