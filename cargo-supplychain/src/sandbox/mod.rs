//! Layer 3: the sealed build: cargo and all that it starts can read and write only what a build needs, reach no network and no
//! other process, and what they try all the same is told.
//!
//! Never here: what the policy says (`config`), what an attempt means (`check`), how cargo is called (`collect`).

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "none.rs"]
mod linux;
mod walls;

use std::fmt;
use std::io;
use std::process::{Child, Command};

use camino::Utf8Path;

use crate::model::sandbox::{Enforcement, SandboxFacts};

pub use walls::{Exception, Request};

/// The first argument that makes a program of ours the launcher of a sealed build.
pub const LAUNCH: &str = "__sealed-launcher";

/// Why a build could not be sealed.
#[derive(Debug)]
pub enum Error {
    /// This system has no such thing, or not enough of it: a fragment for people.
    Unavailable(String),
    Start(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => f.write_str(why),
            Self::Start(error) => write!(f, "cannot start the sealed build: {error}"),
        }
    }
}

impl std::error::Error for Error {}

/// Tries whether builds can be sealed here, by sealing a thread that does nothing.
///
/// # Errors
/// They cannot, with the reason.
pub fn probe() -> Result<(), Error> {
    linux::probe().map(|_| ())
}

/// A process of ours that waits to become a sealed build. Nothing of the build has to be known to start it, and starting it takes longer
/// than to raise the walls: whoever starts it before the walls are known does not wait for it.
///
/// One that is dropped ends.
pub struct Launcher(linux::Launcher);

/// A sealed build that runs.
pub struct Sealed(linux::Guard);

impl Launcher {
    /// Starts it. The program that calls this has to call [`launch`] when its first argument is [`LAUNCH`].
    ///
    /// # Errors
    /// The system does not start it.
    pub fn start() -> Result<Self, Error> {
        linux::Launcher::start().map(Self)
    }

    /// Has it become `command` inside the walls. The environment is taken as it stands in the command and nothing else; standard output is a
    /// pipe, standard input empty.
    ///
    /// # Errors
    /// The private folders cannot be made, or the build cannot be sealed.
    pub fn run(self, command: &Command, request: &Request) -> Result<(Child, Sealed), Error> {
        for folder in [request.private_home(), request.temporary()] {
            fresh(&folder).map_err(Error::Start)?;
        }
        self.0.run(command, request).map(|(child, guard)| (child, Sealed(guard)))
    }
}

impl Sealed {
    /// After the child has ended: ends what is left of the build, empties its private folders, and tells what was refused.
    #[must_use]
    pub fn finish(self, request: &Request) -> SandboxFacts {
        let (seal, attempts, unlisted) = self.0.finish();
        // What cannot be removed is overwritten by the next build.
        let _ = std::fs::remove_dir_all(&request.private);
        SandboxFacts { enforcement: Enforcement::Linux(seal), attempts, unlisted }
    }
}

/// Ends every sealed process at once: the run is interrupted.
pub fn end_all() {
    linux::end_orphans();
}

/// Becomes the program that the calling process names, inside the walls that it hands over. Returns only when that failed, or when nothing
/// was handed over (`None`): the build came to its end before it was compiled.
#[must_use]
pub fn launch() -> Option<io::Error> {
    linux::launcher::launch()
}

/// An empty folder that only we can look into.
fn fresh(folder: &Utf8Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::create_dir_all(folder)
}
