//! What the GitHub Action starts (`github-action/run.sh`): inputs from variables, our own binary as a child for the work, and everything that
//! people see of it: log, annotations, summary, outputs, files, comment. A straight line; nothing here judges, and whatever happens, the
//! outputs are written (docs/github-action.md).

mod assets;
mod child;
mod composition;
mod inputs;
mod outputs;
mod plan;
mod publish;
mod result;
mod runner;
mod work;

use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::exit::Exit;
use crate::base::Context;
use crate::collect::revision::Revision;
use crate::document::{self, run::Run};
use crate::files;
use crate::finding::Report;
use crate::ops::{self, Interrupt};
use inputs::{Inputs, Invalid};
use outputs::Outputs;
use runner::Runner;

/// One use of the action.
struct Session<'c> {
    context: &'c Context,
    runner: Runner,
    outputs: Outputs,
    notices: Vec<String>,
    /// What was told to others, for the summary.
    done: Vec<String>,
}

impl Session<'_> {
    fn annotate(&mut self, kind: &str, text: &str) {
        child::say(document::github::message(kind, "cargo supplychain", text).as_bytes());
        self.notices.push(text.to_owned());
    }

    fn notice(&mut self, text: &str) {
        self.annotate("notice", text);
    }

    fn warn(&mut self, text: &str) {
        self.annotate("warning", text);
    }

    fn error(&mut self, text: &str) {
        self.annotate("error", text);
    }
}

pub(super) fn run(context: &Context, interrupt: &Interrupt) -> Exit {
    let runner = Runner::read(context);
    let mut session = Session { context, runner, outputs: Outputs::default(), notices: Vec::new(), done: Vec::new() };
    let inputs = child::forget(&context.env)
        .map_err(Failed::io("the secrets cannot be taken out of the environment"))
        .and_then(|()| Inputs::read(&context.env, env!("CARGO_PKG_VERSION")).map_err(Failed::Input));
    let code = match inputs {
        Ok(inputs) => work::work(&mut session, &inputs, interrupt).unwrap_or_else(|failed| failed.told(&mut session)),
        Err(failed) => failed.told(&mut session),
    };
    let written = match (&session.runner.output, random_word()) {
        (None, _) => Ok(()),
        (Some(path), Ok(delimiter)) => append(path, &session.outputs.lines(code, &delimiter)),
        (Some(_), Err(error)) => Err(error),
    };
    match written {
        Ok(()) => Exit::of_code(code),
        Err(error) => {
            session.error(&format!("the outputs cannot be written: {error}"));
            Exit::Output
        }
    }
}

/// Why the work was not begun, or has no result.
enum Failed {
    Input(Invalid),
    /// A file or a process of ours.
    Io {
        what: String,
        error: std::io::Error,
    },
}

impl Failed {
    fn io(what: &str) -> impl FnOnce(std::io::Error) -> Self + use<'_> {
        move |error| Self::Io { what: what.to_owned(), error }
    }

    fn words(self) -> String {
        match self {
            Self::Input(Invalid { input, why }) => format!("input `{input}`: {why}"),
            Self::Io { what, error } => format!("{what}: {error}"),
        }
    }

    /// Tells it, and how the run ends.
    fn told(self, session: &mut Session<'_>) -> i32 {
        let exit = if matches!(self, Self::Input(_)) { Exit::Usage } else { Exit::Output };
        let message = self.words();
        child::say(document::github::message("error", "cargo supplychain", &message).as_bytes());
        let run = Run { command: "action", result: outputs::result(exit as i32), error: Some((&message, &[])), ..Run::default() };
        session.summarise(&run);
        exit as i32
    }
}

impl Session<'_> {
    /// Adds to the job's summary, which other steps write to as well.
    fn summarise(&mut self, run: &Run<'_>) {
        let Some(path) = self.runner.summary.clone() else { return };
        if let Err(error) = append(&path, &format!("{}\n", document::run::summary(run))) {
            self.warn(&format!("the summary cannot be written: {error}"));
        }
    }

    /// The report as the repository sees it: places below its root.
    fn in_repository(&self, report: &Report, root: &Utf8Path) -> Report {
        let mut report = report.clone();
        let exempted = report.exempted.iter_mut().map(|one| &mut one.finding);
        for location in report.findings.iter_mut().chain(exempted).flat_map(|finding| &mut finding.locations) {
            location.file = self.runner.in_repository(root, &location.file);
        }
        report
    }
}

fn append(path: &Utf8Path, text: &str) -> std::io::Result<()> {
    std::fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

/// A word that nobody can guess.
fn random_word() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| std::io::Error::other("this machine gives no random numbers"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The folder for the results of this use: the one that was named, else a new one that no other use has.
fn results_folder(session: &Session<'_>, inputs: &Inputs) -> Result<Utf8PathBuf, Failed> {
    if let Some(named) = &inputs.output_dir {
        let folder = files::normal(&session.runner.workspace.join(named));
        std::fs::create_dir_all(&folder).map_err(Failed::io(&format!("cannot make the folder {folder}")))?;
        return Ok(folder);
    }
    let temp = &session.runner.temp;
    std::fs::create_dir_all(temp).map_err(Failed::io(&format!("cannot make the folder {temp}")))?;
    let folder = tempfile::Builder::new().prefix("supplychain-").tempdir_in(temp);
    let folder = folder.map_err(Failed::io(&format!("cannot make a folder in {temp}")))?.keep();
    Utf8PathBuf::from_path_buf(folder)
        .map_err(|_| Failed::Io { what: "RUNNER_TEMP".into(), error: std::io::Error::other("it is not UTF-8") })
}

/// What the project is, as far as that can be told; what cannot is told by the work itself.
fn project(context: &Context, inputs: &Inputs) -> ops::project::Project {
    let found = ops::project::project(context, inputs.manifest_path.as_deref(), inputs.policy.as_deref());
    found.unwrap_or_else(|_| ops::project::Project { root: context.cwd.clone(), has_key: false })
}

fn has_commit(root: &Utf8Path, commit: &str) -> bool {
    Revision::open(root, commit).is_ok()
}
