//! What a verb tells while it works. The CLI shows it; tests and other callers may ignore it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Hears of the stages of a verb.
pub trait Progress: Send {
    /// A stage begins: `check`, `build`, …, with what it works on.
    fn begin(&mut self, stage: &'static str, detail: &str);
    /// The stage that began last has ended.
    fn end(&mut self, took: Duration, outcome: &str);
    /// A line on the way, from cargo or git: `Downloading crates ...`.
    fn status(&mut self, line: &str);
    /// Something that the user should know.
    fn note(&mut self, line: &str);
}

/// Tells nobody.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _: &'static str, _: &str) {}
    fn end(&mut self, _: Duration, _: &str) {}
    fn status(&mut self, _: &str) {}
    fn note(&mut self, _: &str) {}
}

/// One listener for what is done at the same time.
pub(super) struct Shared<'a>(Mutex<&'a mut dyn Progress>);

impl<'a> Shared<'a> {
    pub(super) fn new(progress: &'a mut dyn Progress) -> Self {
        Self(Mutex::new(progress))
    }

    fn tell(&self, say: impl FnOnce(&mut dyn Progress)) {
        say(*self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Progress for &Shared<'_> {
    fn begin(&mut self, stage: &'static str, detail: &str) {
        self.tell(|progress| progress.begin(stage, detail));
    }
    fn end(&mut self, took: Duration, outcome: &str) {
        self.tell(|progress| progress.end(took, outcome));
    }
    fn status(&mut self, line: &str) {
        self.tell(|progress| progress.status(line));
    }
    fn note(&mut self, line: &str) {
        self.tell(|progress| progress.note(line));
    }
}

/// Measures one stage.
pub(super) struct Stage(Instant);

impl Stage {
    #[expect(clippy::disallowed_methods, reason = "stage times are shown, nothing is judged by them")]
    pub(super) fn begin(progress: &mut dyn Progress, name: &'static str, detail: &str) -> Self {
        progress.begin(name, detail);
        Self(Instant::now())
    }

    pub(super) fn end(self, progress: &mut dyn Progress, outcome: &str) {
        progress.end(self.0.elapsed(), outcome);
    }
}
