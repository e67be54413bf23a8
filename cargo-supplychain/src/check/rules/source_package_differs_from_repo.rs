//! `source/package-differs-from-repo`: the published package is not what its repository holds.

use crate::base::{Location, text};
use crate::check::pattern::is_named;
use crate::check::{Facts, Rule};
use crate::config::{RuleOption, Settings};
use crate::finding::{Area, Finding, Severity};
use crate::model::published::{Comparison, Weight, weight};
use crate::model::{LockedPackage, Lockfile};

/// The option that lists crates.
const CRATES: &str = "crates";
/// So many files are named.
const NAMED: usize = 5;

pub(super) static RULE: Rule = Rule {
    id: "source/package-differs-from-repo",
    severity: Severity::High,
    area: Area::Sources,
    summary: "a published package has files that its repository does not have at the commit that it names",
    docs: "\
What is reviewed is the repository; what is compiled is the package. Cargo writes the commit into each package
(`.cargo_vcs_info.json`), and so the two can be compared, file by file. Line endings do not count, nor does what cargo itself makes:
`Cargo.lock`, and `Cargo.toml`, in whose place the author's own is compared (`Cargo.toml.orig`; a dependency that only the generated
manifest has is told). `README` and `LICENSE` may come from a folder above. Low where only text for people differs.

It fetches repositories, so it is made for crates that the policy lists, and of these for the changed ones:

```toml
[rules]
\"source/package-differs-from-repo\" = { crates = [\"*\"] }
```

Not evaluated: packages without a commit, packaged with uncommitted changes, without a repository over https, or with a commit that it no
longer has (a rewritten branch). Files of submodules are not compared, which is said. The author chose the commit: that it is in the
project's own history is not proved, and GitHub serves the commits of forks too.

**Behind it:** xz 5.6.0 (2024): the line that started the backdoor was in the released archive and never in the repository. The same holds
for `event-stream` (2018), whose published `flatmap-stream` had code that its repository lacked. Innocent reasons are common: files that are
generated before publishing, and releases from a branch that was rebased.

```text
lib 1.0.1: build.rs is not in https://github.com/org/lib at 5f1c9d0e…
```

**What to do:** read the files that are named, in the package and not on the repository's pages; ask the maintainers how they came into it.
Stay with the version before until you know.
",
    options: &[RuleOption::list(CRATES, "names of crates that are compared with their repositories when they change; `*` stands for any text")],
    run,
};

/// Whether the policy asks for anything to be compared.
pub(in crate::check) fn is_asked_for(settings: &Settings) -> bool {
    !settings.list(RULE.id, CRATES).is_empty()
}

/// Whether the policy asks for this crate to be compared with its repository.
#[must_use]
pub fn is_to_be_compared(settings: &Settings, name: &str) -> bool {
    settings.list(RULE.id, CRATES).iter().any(|pattern| is_named(pattern, name))
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let changed = facts.changes.changes.iter().filter_map(|change| lockfile.packages.get(change.package));
    changed
        .filter_map(|package| {
            let known = facts.published.get(&(package.crate_key()?, package.version.clone()))?;
            judge(lockfile, package, known.as_ref().ok()?)
        })
        .collect()
}

fn judge(lockfile: &Lockfile, package: &LockedPackage, found: &Comparison) -> Option<Finding> {
    let mut files: Vec<(Weight, &str, &str)> = Vec::new();
    files.extend(found.only_in_package.iter().map(|path| (weight(path), path.as_str(), "is not in the repository")));
    files.extend(found.different.iter().map(|path| (weight(path), path.as_str(), "differs")));
    files.sort_unstable();
    let heaviest = files.first().map(|(weight, ..)| *weight);
    let has_dependencies = !found.further_dependencies.is_empty();
    let severity = match heaviest {
        None if !has_dependencies => return None,
        Some(Weight::Document) if !has_dependencies => Severity::Low,
        _ => RULE.severity,
    };
    let commit = &found.commit[..found.commit.len().min(12)];
    let what = match heaviest {
        Some(Weight::Script) => "its build script",
        Some(Weight::Source) => "its source code",
        Some(Weight::Other) => "its files",
        None => "its manifest",
        Some(Weight::Document) if has_dependencies => "its manifest",
        Some(Weight::Document) => "text for people",
    };
    let message = format!(
        "{} {} is not what its repository holds at the commit {} that it names: {what}",
        package.name,
        package.version,
        text::plain(commit)
    );
    let mut finding = Finding::new(RULE.id, severity, message)
        .about(&package.name, &package.version)
        .at(Location::line(&lockfile.path, package.line))
        .because(format!("compared with {}", text::plain(&found.url)));
    for (_, path, how) in files.iter().take(NAMED) {
        finding = finding.because(format!("{} {how}", text::plain(path)));
    }
    if files.len() > NAMED {
        finding = finding.because(format!("and {} more; {} files are the same", files.len() - NAMED, found.same));
    }
    if has_dependencies {
        let names = found.further_dependencies.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        finding = finding.because(format!("only the generated Cargo.toml depends on {names}"));
    }
    for (place, count) in found.unknown.iter().take(NAMED) {
        finding = finding.because(format!("{count} files not compared: {place}"));
    }
    let version = format!("{}/{}", package.name, package.version);
    Some(finding.help(format!(
        "read what differs in https://docs.rs/crate/{version}/source/ and ask the maintainers how it came into the package; until then \
         stay with the version before"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};
    use crate::check::gained::fixture::key;

    fn case(comparison: Result<Comparison, String>) -> Case {
        let mut case = Case::new().lock(&lock_with_lib("1.0.1")).before(&lock_with_lib("1.0.0"));
        case.published.insert((key(), "1.0.1".parse().unwrap()), comparison);
        case
    }

    fn paths(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn what_differs_fires_by_weight_and_what_is_the_same_does_not() {
        for (only, different, dependencies, expected) in [
            (&["build.rs"][..], &[][..], &[][..], Some("high its build script")),
            (&[], &["src/lib.rs"], &[], Some("high its source code")),
            (&["README.md"], &["src/lib.rs"], &[], Some("high its source code")),
            (&["m4/host.m4"], &[], &[], Some("high its files")),
            (&[], &["README.md"], &[], Some("low text for people")),
            (&[], &["README.md"], &["evil"], Some("high its manifest")),
            (&[], &[], &["evil"], Some("high its manifest")),
            (&[], &[], &[], None),
        ] {
            let comparison = Comparison {
                url: "https://example.org/lib".into(),
                commit: "0123456789012345678901234567890123456789".into(),
                same: 3,
                different: paths(different),
                only_in_package: paths(only),
                further_dependencies: paths(dependencies),
                unknown: [("the submodule x".to_owned(), 2)].into(),
            };
            let found = case(Ok(comparison)).run(&RULE);
            let expected = expected.map(|expected| {
                let (severity, what) = expected.split_once(' ').unwrap();
                let message = "lib 1.0.1 is not what its repository holds at the commit 012345678901 that it names";
                format!("{severity} Cargo.lock:3: {message}: {what}")
            });
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{only:?} {different:?}");
        }
        assert!(case(Err("its manifest names no repository".into())).run(&RULE).is_empty());
    }

    #[test]
    fn five_files_are_named_and_what_was_not_compared_is_said() {
        let comparison = Comparison {
            same: 9,
            only_in_package: paths(&["src/a.rs", "src/b.rs", "src/c.rs", "src/d.rs"]),
            different: paths(&["build.rs", "x.c"]),
            unknown: [("the submodule y".to_owned(), 2)].into(),
            ..Comparison::default()
        };
        let findings = case(Ok(comparison)).with(|facts| (RULE.run)(facts));
        let evidence = findings[0].evidence.join("; ");
        assert!(evidence.contains("build.rs differs; src/a.rs is not in the repository"), "{evidence}");
        assert!(evidence.ends_with("and 1 more; 9 files are the same; 2 files not compared: the submodule y"), "{evidence}");
    }

    #[test]
    fn only_what_is_listed_is_compared() {
        for (policy, name, expected) in [
            ("", "lib", false),
            ("[rules]\n\"source/package-differs-from-repo\" = { crates = [\"*\"] }\n", "lib", true),
            ("[rules]\n\"source/package-differs-from-repo\" = { crates = [\"a*\", \"li*\"] }\n", "lib", true),
            ("[rules]\n\"source/package-differs-from-repo\" = { crates = [\"a*\"] }\n", "lib", false),
        ] {
            assert_eq!(is_to_be_compared(&Case::new().policy(policy).settings, name), expected, "{policy}");
        }
    }
}
