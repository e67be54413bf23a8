//! `workflow/imposter-commit`.

use std::collections::BTreeMap;

use crate::base::text::{counted, plain};
use crate::check::workflow::{jobs, means_action, place, releases};
use crate::check::{Facts, Rule};
use crate::config::{Level, RuleOption, Settings};
use crate::finding::{Area, Finding, Severity};
use crate::model::action_commit::{ActionCommit, Belonging};
use crate::model::workflow::{Job, Text, Workflow};

pub(super) static RULE: Rule = Rule {
    id: "workflow/imposter-commit",
    severity: Severity::High,
    area: Area::Workflows,
    summary: "a release job pins a commit that is on no branch and under no tag of the repository that it names",
    docs: r#"GitHub keeps the commits of a repository and of all its forks together, and serves each of them under the name of the original:
`uses: owner/action@COMMIT` runs a commit that a stranger pushed to his fork, or proposed in a pull request that was never merged. It looks
pinned, and it was written by somebody else.

**Behind it:** shown for GitHub Actions in 2022 (Chainguard, "What the fork? Imposter commits in GitHub Actions and CI/CD"). Whoever
proposes a harmless update of a pinned commit can name one of his own: reviewers see forty digits. The payload of tj-actions/changed-files
(2025-03-14) was a commit on no branch; bots that update pins proposed it while the tags were moved to it, and such a pin outlives the
repair of the tags.

```yaml
on: { push: { tags: ["v*"] } }
jobs:
  release:
    steps:
      - uses: owner/action@0123456789012345678901234567890123456789 # v4   # fires when no branch or tag leads there
```

Only jobs that decide about a release are looked at (see `explain workflow/cache-in-release`). GitHub is asked for the list of branches and
tags; a commit that none of them names is compared with them over the API, the likely ones first. A commit that was proved to belong is not
asked about again. What could not be asked to the end is not evaluated: it neither passes nor fires.

It fires as well for a commit that was on a tag or branch once and is not any more, because the owner moved it (`dtolnay/rust-toolchain`
does so every few weeks). That cannot be told apart from outside: pin a newer commit, or allow the action. It is silent about a commit that
a thief with the owner's rights put a tag on.

What to do: find out who wrote the line and read the commit before anything else runs with it; then pin what a tag of the repository names.

```toml
[rules]
"workflow/imposter-commit" = { allow = ["dtolnay/rust-toolchain"] }
```
"#,
    options: &[RuleOption::allow("actions whose commits may be on no branch: `owner/name`, `owner/*`")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let pinned = pinned(facts.settings, facts.workflows);
    pinned.filter_map(|one| judge(&one, facts.action_commits.get(&one.commit)?)).collect()
}

fn judge(pinned: &Pinned<'_>, belonging: &Belonging) -> Option<Finding> {
    let Belonging::ToNone { branches, tags } = belonging else { return None };
    let repository = plain(pinned.name).into_owned();
    let finding = Finding::new(
        RULE.id,
        RULE.severity,
        format!("{repository} is pinned to a commit that does not belong to the repository: {}", pinned.commit.commit()),
    )
    .at(place(pinned.workflow, pinned.uses, 0))
    .because(format!("of {} and {} none leads to it", counted_branches(*branches), counted(*tags, "tag")))
    .because("GitHub serves commits of forks and of unmerged pull requests under the name of the original")
    .because(format!("job `{}` decides about a release: {}", plain(&pinned.job.id), pinned.reason));
    Some(finding.help(
        "find out who wrote this line and read the commit; then pin a commit that a tag of the repository names, or allow the action in `[rules]`",
    ))
}

fn counted_branches(branches: usize) -> String {
    if branches == 1 { "1 branch".to_owned() } else { format!("{branches} branches") }
}

/// The commits to ask about, each with the comment behind it. None when the rule is off.
#[must_use]
pub fn pinned_commits(settings: &Settings, workflows: &[Workflow]) -> BTreeMap<ActionCommit, Option<String>> {
    if settings.rules.get(RULE.id).is_some_and(|setting| setting.level == Some(Level::Off)) {
        return BTreeMap::new();
    }
    let mut commits = BTreeMap::<_, Option<String>>::new();
    for Pinned { commit, uses, .. } in pinned(settings, workflows) {
        let comment = commits.entry(commit).or_default();
        *comment = comment.take().or_else(|| uses.comment.clone());
    }
    commits
}

struct Pinned<'w> {
    workflow: &'w Workflow,
    job: &'w Job,
    uses: &'w Text,
    /// The action as the file has it, without the commit.
    name: &'w str,
    commit: ActionCommit,
    /// Why the job decides about a release.
    reason: String,
}

/// What jobs that decide about a release pin by a full commit, and the policy does not allow.
fn pinned<'w>(settings: &'w Settings, workflows: &'w [Workflow]) -> impl Iterator<Item = Pinned<'w>> {
    let deciding = jobs(workflows).filter_map(|(workflow, job)| Some((workflow, job, releases(workflow, job)?)));
    deciding.flat_map(move |(workflow, job, reason)| {
        let used = job.steps.iter().filter_map(|step| step.uses.as_ref()).chain(&job.uses);
        used.filter_map(move |uses| {
            let commit = ActionCommit::of(&uses.text)?;
            let name = uses.text.trim().split('@').next()?;
            let is_allowed = settings.list(RULE.id, "allow").iter().any(|pattern| means_action(pattern, name));
            (!is_allowed).then(|| Pinned { workflow, job, uses, name, commit, reason: reason.clone() })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    const USES: &str = "x/y@0123456789012345678901234567890123456789";
    const RELEASE: &str = "on: {push: {tags: ['v*']}}";
    const TO_NONE: Belonging = Belonging::ToNone { branches: 1, tags: 2 };

    fn case(head: &str, uses: &str) -> Case {
        Case::new().workflow(&format!("{head}\njobs:\n  a:\n    steps:\n      - uses: {uses}\n"))
    }

    #[test]
    fn commits_of_nobody_fire_where_releases_are_made() {
        let message = |name: &str| {
            vec![format!(
                "high .github/workflows/w.yml:5: {name} is pinned to a commit that does not belong to the repository: {}",
                &USES[4..]
            )]
        };
        let allow = |what: &str| format!("[rules]\n\"workflow/imposter-commit\" = {{ allow = [\"{what}\"] }}\n");
        for (head, uses, belonging, policy, expected) in [
            (RELEASE, USES, TO_NONE, "", message("x/y")),
            (RELEASE, &USES.replace("x/y", "X/y/sub"), TO_NONE, "", message("X/y/sub")),
            (RELEASE, USES, Belonging::Proved, "", vec![]),
            (RELEASE, USES, Belonging::Unknown("no".to_owned()), "", vec![]),
            ("on: push", USES, TO_NONE, "", vec![]),
            (RELEASE, "x/y@v4", TO_NONE, "", vec![]),
            (RELEASE, &USES.replace("x/y", "x/z"), TO_NONE, "", vec![]),
            (RELEASE, USES, TO_NONE, &allow("x/*"), vec![]),
            (RELEASE, USES, TO_NONE, &allow("y/*"), message("x/y")),
        ] {
            let case = case(head, uses).pinned(USES, belonging.clone()).policy(policy);
            assert_eq!(case.run(&RULE), expected, "{head} {uses} {belonging:?} {policy}");
        }
        let called = Case::new()
            .workflow(&format!("{RELEASE}\njobs:\n  a:\n    uses: {}\n", USES.replace('@', "/.github/workflows/w.yml@")));
        assert_eq!(called.pinned(USES, TO_NONE).findings(&RULE).len(), 1);
    }

    #[test]
    fn what_is_asked_about() {
        let asked = |case: Case| {
            let commits = pinned_commits(&case.settings, &case.workflows);
            commits.into_iter().map(|(commit, comment)| format!("{commit} {}", comment.unwrap_or_default())).collect::<Vec<_>>()
        };
        let twice = format!("{USES}\n      - uses: {} # v1.2", USES.replace("x/y", "X/Y/sub"));
        assert_eq!(asked(case(RELEASE, &twice)), ["x/y@012345678901 v1.2"]);
        assert_eq!(asked(case("on: push", USES)), Vec::<String>::new());
        let off = case(RELEASE, USES).policy("[rules]\n\"workflow/imposter-commit\" = \"off\"\n");
        assert_eq!(asked(off), Vec::<String>::new());
    }
}
