//! `baseline refresh`: looks up owners and publishers that the baseline does not know. In parts: what was looked up is kept by the cache
//! of the registry's answers and, crate by crate, in the file, so that an interrupted run goes on where it ended.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::super::progress::Stage;
use super::{Request, known, missing, no_lockfile, path, read, today, workspace, write};
use crate::base::Context;
use crate::base::text::counted;
use crate::model::baseline::{Baseline, Difference};
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::{CrateKey, NoRecord};
use crate::ops::{Error, Progress};

/// Crates between two writes of the file: a minute's worth of requests.
const PART: usize = 20;

/// What was looked up.
#[derive(Debug)]
pub struct Refreshed {
    pub path: Utf8PathBuf,
    pub difference: Difference,
    /// What the registry says otherwise than what was accepted, by crate. It is left as it was.
    pub differs: BTreeMap<String, Vec<String>>,
    /// Crates that nobody told anything about, with the reason.
    pub unknown: BTreeMap<String, String>,
    /// Locked crates that the baseline does not have.
    pub not_accepted: Vec<String>,
    pub written: bool,
}

/// Looks up the crates of the baseline that are locked and come from crates.io.
pub fn refresh(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<Refreshed, Error> {
    if context.offline && request.registry_snapshot.is_none() {
        return Err(Error::usage(&"--offline leaves nobody to ask about owners and publishers")
            .with_help("run it without --offline, or name a snapshot with --registry-snapshot"));
    }
    let gathered = workspace(context, request, progress)?;
    let before = read(&gathered)?.ok_or_else(|| missing(&gathered))?;
    let lockfile = gathered.lock.lockfile().ok_or_else(no_lockfile)?;
    let locked: BTreeSet<_> = lockfile.packages.iter().filter_map(crate::model::LockedPackage::crate_key).collect();
    let (accepted, new): (Vec<_>, Vec<_>) = locked.into_iter().partition(|key| before.crates.contains_key(key));
    let asked: Vec<_> = accepted.into_iter().filter(|key| key.source == CRATES_IO[0]).collect();
    let stage = Stage::begin(progress, "fetch", &format!("owners and publishers of {}", counted(asked.len(), "crate")));
    let mut run = Run { context, baseline: before.clone(), differs: BTreeMap::new(), unknown: BTreeMap::new() };
    let (mut written, mut rest) = (false, asked.as_slice());
    while let Some((part, more)) = split(rest) {
        let crates = part.iter().cloned().collect();
        let changes = known::those(lockfile, &crates);
        let now = known::look_up(context, request, &gathered, lockfile, &crates, &changes, progress)?;
        let told = run.take(part, &now);
        written |= write(&gathered, &run.baseline)?;
        rest = more;
        // Nobody answers: asking on would take a minute for each part, and say the same.
        if told == 0 {
            let why = run.unknown.values().next().cloned().unwrap_or_default();
            rest.iter().for_each(|key| drop(run.unknown.insert(key.name.clone(), why.clone())));
            break;
        }
    }
    stage.end(progress, &format!("{} not known", counted(run.unknown.len(), "crate")));
    let Run { baseline, differs, unknown, .. } = run;
    let difference = Difference::between(&before, &baseline);
    let not_accepted = new.into_iter().map(|key| key.name).collect();
    Ok(Refreshed { path: path(&gathered), difference, differs, unknown, not_accepted, written })
}

fn split(rest: &[CrateKey]) -> Option<(&[CrateKey], &[CrateKey])> {
    if rest.is_empty() { None } else { Some(rest.split_at(PART.min(rest.len()))) }
}

struct Run<'c> {
    context: &'c Context,
    baseline: Baseline,
    differs: BTreeMap<String, Vec<String>>,
    unknown: BTreeMap<String, String>,
}

impl Run<'_> {
    /// Takes what was said of these crates; of how many anything was.
    fn take(&mut self, crates: &[CrateKey], now: &known::Now) -> usize {
        let mut told = 0;
        for key in crates {
            let (record, known) = match (now.registry.records.get(key), self.baseline.crates.get_mut(key)) {
                (Some(Ok(record)), Some(known)) => (record, known),
                (answer, _) => {
                    let why = match answer {
                        Some(Err(NoRecord::Gone)) => "the crate is gone from the registry".to_owned(),
                        Some(Err(NoRecord::NotFound)) => "the registry's API does not know it".to_owned(),
                        Some(Err(NoRecord::Unknown(why))) => why.clone(),
                        _ => "it was not asked about".to_owned(),
                    };
                    told += usize::from(matches!(answer, Some(Err(NoRecord::Gone | NoRecord::NotFound))));
                    self.unknown.insert(key.name.clone(), why);
                    continue;
                }
            };
            told += 1;
            let completed = known.completed(record, today(self.context));
            *known = completed.known;
            if !completed.differs.is_empty() {
                self.differs.insert(key.name.clone(), completed.differs);
            }
            if record.owners.is_none() {
                self.unknown.insert(key.name.clone(), "the registry's API did not tell its owners".to_owned());
            }
        }
        told
    }
}
