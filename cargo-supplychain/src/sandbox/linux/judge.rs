//! What happens to one call of a sealed process: it goes on to the kernel, where Landlock decides; it is refused and told; or it is
//! given a file that we opened for it.
//!
//! A path that is judged here can be another one when the kernel looks (the caller has threads): nothing that Landlock has to hold
//! depends on this file. What does: who may read `.git`, which is why those files are handed over open; and which crate may write
//! where inside the target folder, which docs/sandbox.md says can be raced.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::actors::{Actors, Place};
use super::paths::{RealFolders, Roots, canonical, real, real_for_writing};
use super::process::Process;
use super::target_folder::may_write;
use crate::model::sandbox::Act;
use crate::sandbox::walls::{Exception, Request, SECRET_HOME, Walls};

/// What a call asks for, with the path as the caller gave it, absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    Read(PathBuf),
    /// `follows`: through a link at its end, as `open` does and `unlink` does not.
    Write {
        path: PathBuf,
        follows: bool,
    },
    /// A folder.
    Make(PathBuf),
    Run(PathBuf),
    Network(String),
    /// A stream of `AF_UNIX` to this place.
    Connect(PathBuf),
    System(&'static str),
    /// Refused as on a kernel that does not have it.
    Unknown,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Verdict {
    Go,
    /// Refused; nobody needs to hear of it: programs ask as a matter of course and do without.
    Quiet(i32),
    Tell(Act, i32),
    /// The kernel answers (there is nothing), and it is told that somebody looked.
    TellAndGo(Act),
    Give(File),
    /// It was done for the caller.
    Done,
}

/// Who asks: looked up only where it matters, because each answer costs some calls.
pub(super) trait Who {
    /// Whether it is cargo itself, which is cheaper to tell.
    fn is_cargo(&self, process: Process) -> bool;

    fn place(&self, process: Process) -> Place;
}

impl Who for Actors {
    fn is_cargo(&self, process: Process) -> bool {
        Self::is_cargo(self, process)
    }

    fn place(&self, process: Process) -> Place {
        Self::place(self, process)
    }
}

/// Everything that is fixed for one build.
pub(super) struct Judge {
    /// Roots that nobody in the build can change: a path below them needs no second look.
    stable: Roots,
    /// Those of them that hold programs of the machine and no sources of crates.
    tools: Roots,
    read: Roots,
    write: Roots,
    /// Folders whose names may be listed.
    list: HashSet<PathBuf>,
    target: PathBuf,
    private_home: PathBuf,
    home: Option<PathBuf>,
    git: Vec<PathBuf>,
    members: HashSet<(String, String)>,
    exceptions: Vec<Exception>,
    /// Cargo's own credentials, wherever its home is.
    credentials: Vec<PathBuf>,
    /// Files in which cargo notes that it is at work and what it used. A cargo that a build script starts (`cargo metadata`) asks for
    /// them, is refused, and does without, as it does in a home that cannot be written.
    notes_of_cargo: Vec<PathBuf>,
    /// What is above the folders of `PATH`: cmake lists them (`~/.cargo` among them) on its way to packages.
    prefixes: Vec<PathBuf>,
    /// Files with keys or tokens that only cargo may read.
    hidden: Vec<PathBuf>,
}

impl Judge {
    pub(super) fn new(request: &Request, walls: &Walls) -> Self {
        // As named, and as it really is: both spellings of a path are met.
        let mut folders = RealFolders::default();
        let mut both = |paths: &[camino::Utf8PathBuf]| -> HashSet<PathBuf> {
            let paths = paths.iter().map(|path| path.as_std_path());
            paths.flat_map(|path| [Some(path.to_owned()), folders.real(path)]).flatten().collect()
        };
        let mut read = both(&walls.read);
        read.extend(both(&walls.devices));
        let write = both(&walls.write);
        let exceptions: Vec<_> = request.exceptions.iter().map(real_exception).collect();
        let excepted = exceptions.iter().flat_map(|one| one.read.iter().chain(&one.write));
        let changeable: Vec<_> =
            [Some(&request.workspace), request.repository.as_ref()].into_iter().flatten().chain(excepted).collect();
        let stable: HashSet<PathBuf> = read
            .iter()
            .filter(|root| !changeable.iter().any(|folder| root.starts_with(folder)))
            // A link in a folder that the build writes can lead anywhere.
            .filter(|root| !write.iter().any(|folder| folder.starts_with(root)))
            .cloned()
            .collect();
        let cargo_home = request.cargo_home.as_ref().map(|home| canonical(home.as_std_path()));
        let tools = stable.iter().filter(|root| !cargo_home.as_ref().is_some_and(|home| canonical(root).starts_with(home)));
        let in_cargo_home =
            |names: &[&str]| -> Vec<PathBuf> { names.iter().filter_map(|name| Some(cargo_home.as_ref()?.join(name))).collect() };
        Self {
            tools: Roots::new(tools.cloned()),
            stable: Roots::new(stable),
            read: Roots::new(read),
            write: Roots::new(write),
            list: both(&walls.list),
            target: canonical(request.target.as_std_path()),
            private_home: canonical(request.private_home().as_std_path()),
            home: request.home.as_ref().map(|home| home.as_std_path().to_owned()),
            git: request.git_folders.iter().map(|folder| canonical(folder.as_std_path())).collect(),
            members: request.members.iter().cloned().collect(),
            exceptions,
            hidden: request.hidden.iter().map(|file| canonical(file.as_std_path())).collect(),
            credentials: in_cargo_home(&["credentials", "credentials.toml"]),
            notes_of_cargo: in_cargo_home(&NOTES_OF_CARGO),
            prefixes: request
                .environment
                .get("PATH")
                .into_iter()
                .flat_map(std::env::split_paths)
                .filter_map(|folder| real(folder.parent()?))
                .collect(),
        }
    }

    /// Whether a running program is the machine's own of that name, which nobody in the build can have written.
    pub(super) fn is_tool(&self, program: &Path, name: &str) -> bool {
        program.file_name().is_some_and(|file| file == name) && self.tools.hold(program)
    }

    /// Judges.
    pub(super) fn judge(&self, process: Process, wish: &Wish, who: &dyn Who) -> Verdict {
        match wish {
            Wish::Read(path) => self.read(process, path, false, who),
            Wish::Run(path) => self.read(process, path, true, who),
            Wish::Write { path, follows } => self.write(process, path, *follows, who),
            Wish::Make(path) => self.write(process, path, false, who),
            Wish::Network(family) => match who.place(process) {
                Place::Cargo => Verdict::Quiet(libc::EACCES),
                place if self.exceptions_of(&place).any(|exception| exception.net) => Verdict::Go,
                _ => Verdict::Tell(Act::Network { family: family.clone() }, libc::EACCES),
            },
            Wish::Connect(path) => self.connect(path, &who.place(process)),
            Wish::Unknown => Verdict::Quiet(libc::ENOSYS),
            Wish::System(call) => Verdict::Tell(Act::System { call: (*call).to_owned() }, libc::EPERM),
        }
    }

    fn read(&self, process: Process, path: &Path, runs: bool, who: &dyn Who) -> Verdict {
        let is_plain = !path.as_os_str().as_bytes().windows(3).any(|word| word == b"/..");
        // What is hidden is never far from what is open.
        let may_be_hidden = self.hidden.iter().any(|file| file.file_name() == path.file_name());
        if is_plain && !may_be_hidden && self.stable.hold(path) {
            return Verdict::Go;
        }
        if let Ok(rest) = path.strip_prefix("/proc") {
            return self.proc(process, rest, who);
        }
        // Cargo looks at every file that it has made. What Landlock lets it read needs no second look.
        if is_plain && !may_be_hidden && self.write.hold(path) && who.is_cargo(process) {
            return Verdict::Go;
        }
        let Some(real) = real(path) else { return self.absent(path) };
        // Programs look at the terminal for its width, and ask nobody who is not there.
        if real == Path::new("/dev/tty") || (real.starts_with("/dev/pts") && !is_own_stream(path)) {
            return Verdict::Quiet(libc::ENXIO);
        }
        if real.starts_with("/proc") || real.starts_with("/dev/pts") {
            // Links like /dev/stdin: the kernel judges where they lead for the caller.
            return if is_own_stream(path) { Verdict::Go } else { self.told_read(&real) };
        }
        if self.git.iter().any(|folder| real.starts_with(folder)) {
            return self.git(&real, runs, &who.place(process));
        }
        if self.hidden.contains(&real) {
            return if who.is_cargo(process) {
                open_for_reading(&real).map_or(Verdict::Quiet(libc::EACCES), Verdict::Give)
            } else {
                self.told_read(&real)
            };
        }
        if self.read.hold(&real) || self.write.hold(&real) {
            let excepted =
                self.exceptions.iter().flat_map(|one| one.read.iter().chain(&one.write)).any(|open| real.starts_with(open));
            if !excepted || self.is_open_without_exceptions(&real) {
                return Verdict::Go;
            }
            let place = who.place(process);
            let its_own =
                self.exceptions_of(&place).flat_map(|one| one.read.iter().chain(&one.write)).any(|open| real.starts_with(open));
            return if its_own || place == Place::Cargo { Verdict::Go } else { self.told_read(&real) };
        }
        if self.list.contains(&real) {
            return Verdict::Go;
        }
        let is_idle = self.notes_of_cargo.contains(&real) || real.starts_with(LIBRARY_CACHE);
        let is_on_the_way = is_harmless_folder(&real) || self.prefixes.contains(&real) && self.secret_place(&real).is_none();
        if !runs && (is_idle || is_on_the_way && real.is_dir()) {
            return Verdict::Quiet(libc::EACCES);
        }
        if who.is_cargo(process) { Verdict::Quiet(libc::EACCES) } else { self.told_read(&real) }
    }

    /// Whether a path that an exception names is open to everybody anyway.
    fn is_open_without_exceptions(&self, real: &Path) -> bool {
        let named: HashSet<&Path> =
            self.exceptions.iter().flat_map(|one| one.read.iter().chain(&one.write)).map(|path| path.as_std_path()).collect();
        real.ancestors().any(|folder| (self.read.contains(folder) || self.write.contains(folder)) && !named.contains(folder))
    }

    /// Nothing is there: the kernel says so. That keys were looked for is told all the same.
    fn absent(&self, path: &Path) -> Verdict {
        match self.secret_place(path) {
            Some(shown) => Verdict::TellAndGo(Act::Read { path: shown, is_secret: true }),
            None => Verdict::Go,
        }
    }

    fn told_read(&self, real: &Path) -> Verdict {
        let secret = self.secret_place(real);
        let is_secret = secret.is_some();
        Verdict::Tell(Act::Read { path: secret.unwrap_or_else(|| self.shown(real)), is_secret }, libc::EACCES)
    }

    /// `~/.ssh/id_ed25519` where the path is one at which keys are kept, in the real home or in the private one.
    fn secret_place(&self, path: &Path) -> Option<String> {
        if self.credentials.iter().chain(&self.hidden).any(|file| file == path) {
            return Some(self.shown(path));
        }
        let homes = [Some(&self.private_home), self.home.as_ref()];
        let below = homes.iter().flatten().find_map(|home| path.strip_prefix(home).ok())?;
        SECRET_HOME.iter().any(|secret| below.starts_with(secret)).then(|| format!("~/{}", below.display()))
    }

    fn shown(&self, path: &Path) -> String {
        match self.home.as_ref().and_then(|home| path.strip_prefix(home).ok()) {
            Some(below) => format!("~/{}", below.display()),
            None => path.display().to_string(),
        }
    }

    /// Git's own data: the workspace's own packages may read it (`git describe` in a build script), dependencies may not without an
    /// exception.
    fn git(&self, real: &Path, runs: bool, place: &Place) -> Verdict {
        let is_own = match place {
            Place::Cargo => true,
            Place::In(unit, _) => self.members.contains(&(unit.actor.name.clone(), unit.actor.version.clone())),
            Place::Lost => false,
        };
        let is_excepted = || self.exceptions_of(place).flat_map(|one| &one.read).any(|open| real.starts_with(open));
        if runs || !(is_own || is_excepted()) {
            return self.told_read(real);
        }
        open_for_reading(real).map_or_else(|error| Verdict::Quiet(error.raw_os_error().unwrap_or(libc::EACCES)), Verdict::Give)
    }

    /// `/proc`: of a process's own folder only what is harmless, opened by us, because Landlock cannot tell one process's from
    /// another's.
    fn proc(&self, process: Process, rest: &Path, who: &dyn Who) -> Verdict {
        let mut words = rest.components().filter_map(|part| part.as_os_str().to_str());
        let own = process.group();
        let id = match words.next() {
            None => return Verdict::Quiet(libc::EACCES),
            Some("self" | "thread-self") => own,
            Some(word) => match word.parse::<u32>() {
                Ok(id) => Some(id),
                // About the machine; Landlock has a list.
                Err(_) => return if word == "mounts" { self.own_file(own, "mounts") } else { Verdict::Go },
            },
        };
        let Some(id) = id else { return Verdict::Quiet(libc::EACCES) };
        let words: Vec<_> = words.collect();
        let is_secret = matches!(words.first(), Some(&("environ" | "mem" | "fd" | "cmdline")));
        let shown = || Act::Read { path: format!("/proc/{id}/{}", words.join("/")), is_secret };
        // The job of another process is nobody's business; those of the same crate may look at each other.
        if Some(id) != own && !same_crate(&who.place(process), &who.place(Process(id))) {
            return if Process(id).stat().is_some() { Verdict::Tell(shown(), libc::EACCES) } else { Verdict::Go };
        }
        match words.as_slice() {
            ["exe"] => Verdict::Go,
            ["fd", _] | ["cwd" | "root", ..] => match led(id, &words) {
                Some(path) if !path.starts_with("/proc") => self.read(process, &path, false, who),
                // A pipe or a socket of its own.
                _ => Verdict::Go,
            },
            ["task", thread, file] if thread.parse::<u32>().is_ok() && OWN.contains(file) => {
                self.own_file(Some(id), &format!("task/{thread}/{file}"))
            }
            ["task" | "fd"] => self.own_file(Some(id), words[0]),
            [file] if OWN.contains(file) => self.own_file(Some(id), file),
            ["mem" | "environ" | "pagemap", ..] => Verdict::Tell(shown(), libc::EACCES),
            _ => Verdict::Quiet(libc::EACCES),
        }
    }

    fn own_file(&self, id: Option<u32>, name: &str) -> Verdict {
        let Some(id) = id else { return Verdict::Quiet(libc::EACCES) };
        match open_for_reading(Path::new(&format!("/proc/{id}/{name}"))) {
            Ok(file) => Verdict::Give(file),
            Err(error) => Verdict::Quiet(error.raw_os_error().unwrap_or(libc::EACCES)),
        }
    }

    fn write(&self, process: Process, path: &Path, follows: bool, who: &dyn Who) -> Verdict {
        if DEVICES.iter().any(|device| path == Path::new(device)) {
            return Verdict::Go;
        }
        if is_own_stream(path) {
            return Verdict::Go;
        }
        if path.starts_with("/dev") {
            return Verdict::Quiet(libc::EACCES);
        }
        if let Ok(rest) = path.strip_prefix("/proc") {
            let words: Vec<_> = rest.components().filter_map(|part| part.as_os_str().to_str()).collect();
            let led = match words.as_slice() {
                ["self" | "thread-self", words @ ..] => process.group().and_then(|id| led(id, words)),
                _ => None,
            };
            return match led {
                Some(path) if !path.starts_with("/proc") => self.write(process, &path, follows, who),
                _ => Verdict::Quiet(libc::EACCES),
            };
        }
        if who.is_cargo(process) {
            return Verdict::Go;
        }
        let Some(real) = real_for_writing(path, follows) else { return Verdict::Go };
        // By another name, or through a link: Landlock has a rule for it.
        if DEVICES.iter().any(|device| real == Path::new(device)) {
            return Verdict::Go;
        }
        let place = who.place(process);
        let Place::In(unit, _) = &place else {
            return match place {
                Place::Cargo => Verdict::Go,
                _ if self.write.hold(&real) => Verdict::Go,
                _ => self.told_write(&real),
            };
        };
        let excepted = |one: &Exception| one.write.iter().any(|open| real.starts_with(open));
        if self.exceptions_of(&place).any(excepted) {
            return Verdict::Go;
        }
        if self.exceptions.iter().any(excepted) && !real.starts_with(&self.target) {
            return self.told_write(&real);
        }
        if self.git.iter().any(|folder| real.starts_with(folder)) {
            // `git describe --dirty` would like to refresh its index, and does without.
            let is_own = self.members.contains(&(unit.actor.name.clone(), unit.actor.version.clone()));
            return if is_own { Verdict::Quiet(libc::EROFS) } else { self.told_write(&real) };
        }
        if !self.write.hold(&real) {
            if self.notes_of_cargo.contains(&real) {
                return Verdict::Quiet(libc::EROFS);
            }
            return self.told_write(&real);
        }
        if let Ok(inside) = real.strip_prefix(&self.target)
            && !may_write(unit, &real, inside)
        {
            return self.told_write(&real);
        }
        Verdict::Go
    }

    fn told_write(&self, real: &Path) -> Verdict {
        Verdict::Tell(Act::Write { path: self.shown(real) }, libc::EACCES)
    }

    fn connect(&self, path: &Path, place: &Place) -> Verdict {
        // The C library asks these for users and groups, and goes on without.
        const NAMES: [&str; 4] = ["/var/run/nscd", "/run/nscd", "/run/systemd/userdb", "/var/lib/sss"];
        if NAMES.iter().any(|folder| path.starts_with(folder)) {
            return Verdict::Quiet(libc::ENOENT);
        }
        if self.exceptions_of(place).any(|exception| exception.net) {
            return Verdict::Go;
        }
        // Between processes of one build, through a socket that they made themselves.
        let inside = path.parent().and_then(real).is_some_and(|folder| self.write.hold(&folder));
        if inside {
            return Verdict::Go;
        }
        Verdict::Tell(Act::Network { family: format!("AF_UNIX {}", self.shown(path)) }, libc::EACCES)
    }

    fn exceptions_of<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Exception> {
        let actor = match place {
            Place::In(unit, _) => Some(&unit.actor),
            _ => None,
        };
        self.exceptions
            .iter()
            .filter(move |one| actor.is_some_and(|actor| actor.name == one.name && actor.version == one.version))
    }
}

const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];

/// Where `ldconfig`, which libtool starts, remembers libraries. It does without.
const LIBRARY_CACHE: &str = "/var/cache/ldconfig";
/// In cargo's home.
const NOTES_OF_CARGO: [&str; 6] = [
    ".package-cache",
    ".package-cache-mutate",
    ".global-cache",
    ".global-cache-journal",
    ".global-cache-wal",
    ".global-cache-shm",
];

/// `/dev/stderr` and its like: what the caller has open already.
fn is_own_stream(path: &Path) -> bool {
    ["/dev/stdin", "/dev/stdout", "/dev/stderr"].iter().any(|stream| path == Path::new(stream)) || path.starts_with("/dev/fd")
}

/// Where a link of a process's own folder in `/proc` leads; none where that is no path.
fn led(id: u32, words: &[&str]) -> Option<PathBuf> {
    let process = Process(id);
    let base = match words {
        ["fd", descriptor] => process.file(descriptor.parse().ok()?)?,
        ["cwd", ..] => process.folder()?,
        ["root", ..] => PathBuf::from("/"),
        _ => return None,
    };
    let rest = if words.first() == Some(&"fd") { &[] } else { words.get(1..)? };
    let path = rest.iter().fold(base, |path, word| path.join(word));
    path.is_absolute().then_some(path)
}

/// Files of a process's own folder in `/proc` that programs read about themselves.
const OWN: [&str; 17] = [
    "maps",
    "smaps_rollup",
    "cgroup",
    "mountinfo",
    "mounts",
    "status",
    "stat",
    "statm",
    "auxv",
    "limits",
    "cmdline",
    "comm",
    "environ",
    "oom_score",
    "sched",
    "schedstat",
    "io",
];

/// Whether two processes work for the same crate.
fn same_crate(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::In(one, _), Place::In(other, _)) => {
            one.actor.name == other.actor.name && one.actor.version == other.actor.version
        }
        _ => false,
    }
}

/// Folders that programs list in passing on their way to another one.
fn is_harmless_folder(folder: &Path) -> bool {
    ["/", "/home", "/tmp", "/var", "/run", "/dev", "/sys", "/mnt", "/srv", "/media", "/var/tmp"]
        .iter()
        .any(|one| folder == Path::new(one))
}

/// With the places as they really are.
fn real_exception(exception: &Exception) -> Exception {
    let real = |paths: &[camino::Utf8PathBuf]| {
        paths.iter().map(|path| path.canonicalize_utf8().unwrap_or_else(|_| path.clone())).collect()
    };
    Exception { read: real(&exception.read), write: real(&exception.write), ..exception.clone() }
}

/// Never waits for a writer of a pipe, never becomes a terminal of ours.
fn open_for_reading(path: &Path) -> std::io::Result<File> {
    File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

#[cfg(test)]
mod tests;
