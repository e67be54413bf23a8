//! `advisory/db-modified`: the advisory database is not what its commit says.

use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "advisory/db-modified",
    severity: Severity::High,
    area: Area::Advisories,
    summary: "the checkout of the advisory database was changed",
    docs: "\
The database is a git checkout, and its advisories differ from those of the commit that it is at: some were changed, added or removed. The report
names that commit as what was judged by, and that would not be true. A folder that is no checkout has nothing to be compared with; a copy in the cache is
read from git's objects, which cannot differ.

No incident is behind this finding: it is how somebody would silence one advisory on a build machine.

```text
high  advisory/db-modified
      the advisory database advisory-db differs from its commit in 1 file
```

**What to do:** bring the checkout back to its commit (`git checkout`, `git clean`), and ask who changed it. Advisories of your own belong into a database of
your own.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let modified = facts.sources.database_modified.iter();
    modified
        .map(|what| {
            Finding::new(RULE.id, RULE.severity, what.clone())
                .help("bring the checkout back to its commit, or name another database with `--advisory-db`")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn a_changed_checkout_is_told() {
        let mut case = Case::new();
        assert!(case.run(&RULE).is_empty());
        case.sources.database_modified = Some("the advisory database db differs from its commit in 1 file".into());
        assert_eq!(case.run(&RULE), ["high : the advisory database db differs from its commit in 1 file"]);
    }
}
