//! What has to be undone when the user interrupts: the child to end, the folders to remove. Shared with the signal handler.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::Utf8PathBuf;

/// Cheap to clone; all clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Mutex<State>>);

/// What is under way.
#[derive(Debug, Default)]
pub struct State {
    /// The process id of the running child.
    pub child: Option<u32>,
    /// The private folder of a sealed build that runs.
    pub sealed: Option<Utf8PathBuf>,
    /// The staging folder.
    pub staging: Option<Utf8PathBuf>,
    /// The folder of a build elsewhere.
    pub elsewhere: Option<Utf8PathBuf>,
}

impl Interrupt {
    /// The state, locked. The signal handler locks it too and then ends the process: whoever holds it cannot be interrupted, so a
    /// commit under the lock is all or nothing.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
