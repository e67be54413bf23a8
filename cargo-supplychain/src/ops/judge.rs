//! Judges what was gathered: runs the rules over it and over what `intelligence` brings, makes the report.

use camino::Utf8PathBuf;

use super::advisories::NamedFeed;
use super::functions::Compilation;
use super::gather::{Fault, Gathered};
use super::intelligence::{self, Intelligence};
use super::progress::Stage;
use super::{Error, Progress, integrity, machine, vex_sources};
use crate::advisory::FeedInfo;
use crate::base::Context;
use crate::base::text::counted;
use crate::check::{self, Advisories, Facts, ReusedTarget, Scope};
use crate::finding::{Area, FailOn, Report};
use crate::model::Reproduction;
use crate::model::cargo_config::environment;
use crate::model::functions::FunctionFacts;
use crate::model::sandbox::SandboxFacts;

/// What `--advisory-db` and `[advisories] database` take.
pub(super) const DATABASE_HELP: &str = "name a folder that holds `crates/NAME/RUSTSEC-….md`, or a git URL";

/// How to judge.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub fail_on: Option<FailOn>,
    pub only: Vec<Area>,
    pub require: Vec<Area>,
    /// `--advisory-db`, over `[advisories] database`.
    pub advisory_db: Option<String>,
    /// The commit that the database has to be at.
    pub advisory_db_rev: Option<String>,
    /// `--feed`, over `[[advisories.source]]`.
    pub feeds: Vec<NamedFeed>,
    /// `--vex`: documents of others about vulnerabilities, besides those of the policy.
    pub vex: Vec<Utf8PathBuf>,
    /// `--registry-snapshot`: a folder that stands for crates.io, index and API.
    pub registry_snapshot: Option<Utf8PathBuf>,
    /// `--registry-api`, over `[registry] api`.
    pub registry_api: Option<String>,
    /// `build`: the target folder of an earlier build that this one would go on with.
    pub reused_target: Option<ReusedTarget>,
    /// `build --reproduce`: what the second build gave.
    pub reproduction: Option<Reproduction>,
    /// A release follows from it: sources are read as a whole, whatever was found in order before.
    pub is_release: bool,
}

/// Areas that need no plan of the build: they judge lockfile, manifests and what the registry says.
const WITHOUT_PLAN: [Area; 6] = [Area::Lock, Area::Sources, Area::Maintainers, Area::Sandbox, Area::Workflows, Area::Policy];

impl Request {
    /// Whether nothing is asked about what would be compiled.
    #[must_use]
    pub fn needs_no_plan(&self) -> bool {
        !self.only.is_empty() && self.only.iter().all(|area| WITHOUT_PLAN.contains(area))
    }
}

/// The report, and what it stands on.
#[derive(Debug)]
pub struct Judged {
    pub report: Report,
    pub feeds: Vec<FeedInfo>,
    /// What the rules looked at beyond the project itself.
    pub known: Intelligence,
    after: AfterBuild,
    scope: Scope,
}

/// What is known once something was built.
#[derive(Debug, Default)]
struct AfterBuild {
    /// What the build tried.
    sandbox: Option<SandboxFacts>,
    functions: Option<FunctionFacts>,
}

/// Judges.
pub fn judge(context: &Context, gathered: &Gathered, request: &Request, progress: &mut dyn Progress) -> Result<Judged, Error> {
    let packages = gathered.lock.lockfile().map_or(0, |lockfile| lockfile.packages.len());
    let stage = Stage::begin(progress, "check", &counted(packages, "package"));
    let mut require = gathered.settings.require.clone();
    require.extend(&request.require);
    let scope = Scope { only: request.only.clone(), require };
    let known = intelligence::bring(context, gathered, request, &scope, progress)?;
    let mut feeds = match &known.advisories {
        Advisories::Loaded { database, .. } => vec![database.info.clone()],
        Advisories::Unavailable { .. } => Vec::new(),
    };
    feeds.extend(known.sources.feeds.iter().filter_map(|feed| feed.state.as_ref().ok()).cloned());
    feeds.extend(known.sources.vex.iter().map(vex_sources::info));
    let report = report(context, gathered, request, &known, &scope, &AfterBuild::default());
    // Cargo refuses a checksum that no rule has found wrong (the rule is off, or another source stands in for the registry): without
    // a finding that would pass.
    if let Err(missing) = &gathered.plan
        && missing.fault == Fault::Checksum
        && !report.findings.iter().any(|finding| finding.id == "lock/checksum-mismatch")
    {
        gathered.planned()?;
    }
    stage.end(progress, &format!("{}, {} not evaluated", counted(report.findings.len(), "finding"), report.not_evaluated.len()));
    Ok(Judged { report, feeds, known, after: AfterBuild::default(), scope })
}

impl Judged {
    /// After the build: looks at the sources again, and at what a second build gave. When something happened to the sources, or the
    /// builds differ, the report says so; `true` then.
    pub(super) fn look_again(&mut self, context: &Context, gathered: &Gathered, request: &Request) -> bool {
        let is_changed = self.look_at_sources(context, gathered);
        let differs = request.reproduction.as_ref().is_some_and(|reproduction| !reproduction.agrees());
        if is_changed || differs {
            self.judge_again(context, gathered, request);
        }
        is_changed || differs
    }

    fn look_at_sources(&mut self, context: &Context, gathered: &Gathered) -> bool {
        let Ok(before) = &mut self.known.integrity else { return false };
        let changes = integrity::changes(context, gathered, &self.known.verified);
        let mut is_changed = false;
        for (package, changes) in changes.packages {
            match (changes, before.packages.get_mut(&package)) {
                (Ok(changes), _) if changes.is_empty() => continue,
                // It could not be compared before either, which the report says already.
                (Err(_), Some(Err(_))) => continue,
                (Ok(changes), Some(Ok(found))) => found.extend(changes),
                (changes, _) => drop(before.packages.insert(package, changes)),
            }
            is_changed = true;
        }
        is_changed
    }

    /// Judges by what encloses the build as well and, after it, by what was tried in it, whether it succeeded or not.
    pub(super) fn judge_sandbox(&mut self, context: &Context, gathered: &Gathered, request: &Request, facts: SandboxFacts) {
        self.after.sandbox = Some(facts);
        self.judge_again(context, gathered, request);
    }

    /// After the build: looks for the functions that advisories name in what was compiled. Findings say more then; which there are stays.
    pub(super) fn look_at_functions(
        &mut self,
        context: &Context,
        gathered: &Gathered,
        request: &Request,
        compilation: &Compilation,
    ) {
        let (Some(lockfile), Ok(plan)) = (gathered.lock.lockfile(), &gathered.plan) else { return };
        let root = &gathered.workspace.root;
        self.after.functions = compilation.look(&self.known.advisories, lockfile, &plan.build, root);
        if self.after.functions.is_some() {
            self.judge_again(context, gathered, request);
        }
    }

    fn judge_again(&mut self, context: &Context, gathered: &Gathered, request: &Request) {
        self.report = report(context, gathered, request, &self.known, &self.scope, &self.after);
    }
}

fn report(
    context: &Context,
    gathered: &Gathered,
    request: &Request,
    known: &Intelligence,
    scope: &Scope,
    after: &AfterBuild,
) -> Report {
    let environment = environment::shaping(&context.env);
    let machine = machine::facts(context, gathered, scope);
    let facts = Facts {
        settings: &gathered.settings,
        now: context.now,
        in_ci: context.in_ci(),
        lock: &gathered.lock,
        manifests: &gathered.manifests,
        machine: &machine,
        cargo_config: &gathered.cargo_config,
        environment: &environment,
        toolchain_file: gathered.toolchain_file.as_ref(),
        index: &known.index,
        changes: &known.changes,
        baseline: known.baseline.as_ref(),
        registry: &known.registry,
        capabilities: &known.capabilities,
        published: &known.published,
        integrity: known.integrity.as_ref().map_err(String::as_str),
        own_files_changed: gathered.base.as_ref().map_or(&[], |base| &base.own_files_changed),
        workflows: &known.workflows.read,
        unreadable_workflows: &known.workflows.unreadable,
        action_commits: &known.action_commits,
        manifests_changed: gathered.base.as_ref().is_some_and(|base| base.asks_for_others(&gathered.manifests)),
        reused_target: request.reused_target.as_ref(),
        sandbox: after.sandbox.as_ref(),
        reproduction: request.reproduction.as_ref(),
        advisories: &known.advisories,
        functions: after.functions.as_ref(),
        sources: &known.sources,
        audits: &known.audits,
        build: gathered.plan.as_ref().map(|plan| &plan.build).map_err(|missing| missing.why.lines().next().unwrap_or_default()),
        archived: None,
    };
    let fail_on = request.fail_on.unwrap_or(gathered.settings.build.fail_on);
    Report::new(check::check(&facts, scope), fail_on, context.now, context.now_is_given)
}
