//! `workflow/cache-in-release`.

use crate::base::text::plain;
use crate::check::workflow::{jobs, place, releases};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::workflow::Step;

pub(super) static RULE: Rule = Rule {
    id: "workflow/cache-in-release",
    severity: Severity::High,
    area: Area::Workflows,
    summary: "a job that decides about a release restores a cache that other jobs write",
    docs: r#"A cache of the default branch is written by every job that runs on it, and is restored without any proof of who wrote what. What a poisoned
target folder holds is linked into the release: cargo looks at times, not at contents.

**Behind it:** Ultralytics (2024-12-04) and TanStack (2026-05-11): a pull request wrote the cache, the release read it.

```yaml
on: { push: { tags: ["v*"] } }
jobs:
  release:
    steps:
      - uses: Swatinem/rust-cache@0123456789012345678901234567890123456789   # fires
      - run: cargo publish
```

A job decides about a release when it publishes, uploads or attests, may write `id-token`, `attestations` or `packages`, or when its
workflow runs for tags or releases. Caches in other jobs are silent, as are caching actions told not to restore (`cache: false`,
`lookup-only: true`, `actions/cache/save`).

What to do: build releases without a restored cache (`cargo supplychain build` compiles into a fresh folder in CI); or allow an action:

```toml
[rules]
"workflow/cache-in-release" = { allow = ["actions/setup-node"] }
```
"#,
    options: &[RuleOption::allow("caching actions that release jobs may use: `owner/name`")],
    run,
};

/// Actions that restore a cache unless an input says no: name, the input, and what it says then.
const CACHING: [(&str, Option<(&str, &str)>); 9] = [
    ("actions/cache", Some(("lookup-only", "true"))),
    ("actions/cache/restore", Some(("lookup-only", "true"))),
    ("swatinem/rust-cache", Some(("lookup-only", "true"))),
    ("actions-rust-lang/setup-rust-toolchain", Some(("cache", "false"))),
    ("actions/setup-go", Some(("cache", "false"))),
    ("mozilla-actions/sccache-action", None),
    ("leafo/gh-actions-lua", Some(("buildcache", "false"))),
    ("awalsh128/cache-apt-pkgs-action", None),
    ("hendrikmuhs/ccache-action", Some(("save", "never"))),
];

/// Actions that restore a cache when an input asks for it.
const CACHING_ON_REQUEST: [(&str, &str); 5] = [
    ("actions/setup-node", "cache"),
    ("actions/setup-python", "cache"),
    ("actions/setup-java", "cache"),
    ("ruby/setup-ruby", "bundler-cache"),
    ("docker/build-push-action", "cache-from"),
];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let allowed = facts.settings.list(RULE.id, "allow");
    let mut findings = Vec::new();
    for (workflow, job) in jobs(facts.workflows) {
        let Some(reason) = releases(workflow, job) else { continue };
        for step in job.steps.iter().filter(|step| restores(step)) {
            let (Some(action), Some(uses)) = (step.action(), &step.uses) else { continue };
            if allowed.iter().any(|one| one.eq_ignore_ascii_case(action)) {
                continue;
            }
            let message = format!("job `{}` decides about a release and restores a cache with {}", plain(&job.id), plain(action));
            findings.push(
                Finding::new(RULE.id, RULE.severity, message)
                    .at(place(workflow, uses, 0))
                    .because(reason.clone())
                    .help("build the release without a restored cache"),
            );
        }
    }
    findings
}

fn restores(step: &Step) -> bool {
    let Some(action) = step.action().map(str::to_ascii_lowercase) else { return false };
    let says = |input: &str, word: &str| step.input(input).is_some_and(|value| value.text.trim().eq_ignore_ascii_case(word));
    if let Some((_, switch)) = CACHING.iter().find(|(name, _)| *name == action) {
        return !switch.is_some_and(|(input, off)| says(input, off));
    }
    let on_request = CACHING_ON_REQUEST.iter().find(|(name, _)| *name == action);
    on_request.is_some_and(|(_, input)| step.input(input).is_some_and(|value| !matches!(value.text.trim(), "" | "false")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn caches_where_releases_are_made() {
        let tags = "on: {push: {tags: ['v*']}}";
        for (head, steps, expected) in [
            (tags, "[{uses: Swatinem/rust-cache@v2}, {run: cargo build}]", 1),
            ("on: push", "[{uses: actions/cache@v4}, {run: cargo publish}]", 1),
            ("on: push", "[{uses: actions/setup-node@v4, with: {cache: npm}}, {run: 'gh release create'}]", 1),
            (tags, "[{uses: actions/setup-node@v4}, {uses: actions/cache/save@v4}]", 0),
            (tags, "[{uses: actions-rust-lang/setup-rust-toolchain@v1, with: {cache: false}}]", 0),
            ("on: push", "[{uses: Swatinem/rust-cache@v2}, {run: cargo test}]", 0),
            ("on: push", "[{uses: Swatinem/rust-cache@v2}, {run: cargo publish --dry-run}]", 0),
        ] {
            let case = Case::new().workflow(&format!("{head}\njobs:\n  a:\n    steps: {steps}\n"));
            assert_eq!(case.findings(&RULE).len(), expected, "{head} {steps}");
        }
    }
}
