//! `advisory/db-rollback`: a source of advisories offers an older state than it had.

use crate::advisory::RUSTSEC;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "advisory/db-rollback",
    severity: Severity::Critical,
    area: Area::Advisories,
    summary: "a source of advisories went back to an older state",
    docs: "\
What a server offers is older than what it offered before. It is not taken: the newer copy in the cache is judged by. A source that goes back in
time hides what has been published since, and nobody does that by accident more than once.

**Behind it:** rollback and freeze attacks, as The Update Framework names them (its specification, section 1.5.2): who stands between a project
and its source of advisories cannot forge them, but can show an old state.

```text
critical  advisory/db-rollback
          KEV catalogue: the server offers KEV catalogue of 2025-08-01, the copy is of 2025-08-25
```

**What to do:** ask the publisher, look who answers for the URL (a proxy, a mirror that stands still), and compare with the copy in the cache. If the
older state is meant, name it as a file: `--feed KIND=FILE`.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let of_sources =
        facts.sources.feeds.iter().filter_map(|feed| Some((feed.kind.name(), feed.place.as_str(), feed.rolled_back.as_ref()?)));
    let of_database = facts.sources.database_rolled_back.iter().map(|offered| (RUSTSEC, "the advisory database", offered));
    of_database
        .chain(of_sources)
        .map(|(name, place, offered)| {
            Finding::new(RULE.id, RULE.severity, format!("{name}: {offered}"))
                .because(format!("source {place}"))
                .help("look who answers for the source; what is newer stays in the cache and was judged by")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Feed;
    use crate::check::case::Case;
    use crate::config::MaxAge;
    use crate::model::feed::FeedKind;

    #[test]
    fn what_went_back_is_told() {
        for (rolled_back, expected) in [
            (None, &[][..]),
            (Some("the server offers it of 2025-08-01"), &["critical : KEV catalogue: the server offers it of 2025-08-01"]),
        ] {
            let mut case = Case::new();
            case.sources.feeds.push(Feed {
                kind: FeedKind::Kev,
                place: "https://example.org/kev.json".into(),
                max_age: MaxAge::Days(30),
                state: Err((String::new(), String::new())),
                rolled_back: rolled_back.map(str::to_owned),
            });
            assert_eq!(case.run(&RULE), expected);
        }
    }
}
