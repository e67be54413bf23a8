use crate::check::case::Case;
use crate::check::release_walk::{further_crates, walks, young_crates};

/// Each release of the walk, what it is compared with and what it adds.
fn shown(case: &Case) -> Vec<String> {
    case.with(|facts| {
        let steps = |walk: super::Walk<'_>| {
            let step = |step: &super::Step<'_>| {
                let against = step.against.map_or("nothing".to_owned(), |against| against.version.to_string());
                let added: Vec<_> = step.added.iter().map(|dependency| dependency.name.as_str()).collect();
                format!("{} after {against}: {}", step.release.version, added.join(" ")).trim_end_matches(": ").to_owned()
            };
            walk.steps.iter().map(step).collect::<Vec<_>>()
        };
        walks(facts).flat_map(steps).collect()
    })
}

fn lib(now: &str, before: Option<&str>) -> Case {
    let (now, before) = (format!("lib {now}"), before.map(|before| format!("lib {before}")));
    let before = before.as_deref().map(|before| vec![before]);
    Case::new().locks(&[&now], before.as_deref())
}

#[test]
fn releases_in_between_are_walked_each_against_the_one_before_it() {
    let case = lib("1.3.0", Some("1.0.0"))
        .release("lib", "1.0.0", "2020-01-01", &["a"])
        .release("lib", "1.1.0", "2020-02-01", &["a", "b", "c dev"])
        .release("lib", "1.2.0", "2020-03-01", &["a", "c", "d ?"])
        .release("lib", "1.3.0-rc.1", "2020-03-15", &["x"])
        .release("lib", "1.3.0", "2020-04-01", &["a", "d"])
        // A backport that came later, and what is newer than the lock.
        .release("lib", "1.0.5", "2020-05-01", &["y"])
        .release("lib", "2.0.0", "2020-03-01", &["z"]);
    assert_eq!(shown(&case), ["1.1.0 after 1.0.0: b", "1.2.0 after 1.1.0: c", "1.3.0 after 1.2.0: d"]);
}

#[test]
fn what_stands_alone_is_judged_by_its_own_release() {
    let with = |case: Case| {
        case.release("lib", "1.0.0", "2020-01-01", &["a"]).release("lib", "1.1.0", "2020-02-01", &["a", "b"]).release(
            "lib",
            "1.2.0",
            "2020-03-01",
            &["a", "b", "c"],
        )
    };
    for (now, before, expected) in [
        // New here: against its predecessor.
        ("1.2.0", Some("other 1.0.0"), &["1.2.0 after 1.1.0: c"][..]),
        ("1.2.0", None, &[]),
        // A downgrade.
        ("1.1.0", Some("lib 1.2.0"), &["1.1.0 after 1.0.0: b"]),
        // Where the earlier one is gone from the index.
        ("1.2.0", Some("lib 1.0.9"), &["1.1.0 after 1.0.0: b", "1.2.0 after 1.1.0: c"]),
        // The first release adds nothing to anything.
        ("1.0.0", Some("other 1.0.0"), &["1.0.0 after nothing"]),
        // The locked release is gone from the index: what was skipped stays.
        ("1.1.5", Some("lib 1.0.0"), &["1.1.0 after 1.0.0: b"]),
    ] {
        let now = format!("lib {now}");
        let before = before.map(|before| vec![before]);
        let case = with(Case::new().locks(&[&now], before.as_deref()));
        assert_eq!(shown(&case), expected, "{now} {before:?}");
    }
}

#[test]
fn pre_releases_count_before_pre_releases_only() {
    let with = |case: Case| {
        case.release("lib", "1.0.0", "2020-01-01", &[])
            .release("lib", "2.0.0-rc.1", "2020-02-01", &["a"])
            .release("lib", "2.0.0-rc.2", "2020-03-01", &["a", "b"])
            .release("lib", "2.0.0", "2020-04-01", &["a", "b"])
    };
    assert_eq!(shown(&with(lib("2.0.0", Some("1.0.0")))), ["2.0.0 after 1.0.0: a b"]);
    let rc = with(lib("2.0.0-rc.2", Some("1.0.0")));
    assert_eq!(shown(&rc), ["2.0.0-rc.1 after 1.0.0: a", "2.0.0-rc.2 after 2.0.0-rc.1: b"]);
    assert_eq!(shown(&with(lib("2.0.0", Some("2.0.0-rc.1")))), ["2.0.0 after 1.0.0: a b"]);
}

#[test]
fn without_times_versions_alone_decide() {
    let case = lib("1.2.0", Some("1.0.0")).release("lib", "1.0.0", "", &[]).release("lib", "1.2.0", "", &["a"]).release(
        "lib",
        "1.1.0",
        "",
        &[],
    );
    assert_eq!(shown(&case), ["1.1.0 after 1.0.0", "1.2.0 after 1.1.0: a"]);
}

#[test]
fn further_crates_are_what_the_releases_add_and_what_leads_to_them() {
    let now = ["./app -> between", "between -> lib", "lib 1.2.0"];
    let case = Case::new()
        .locks(&now, Some(&["./app -> between", "between -> lib", "lib 1.0.0"]))
        .release("lib", "1.0.0", "2020-01-01", &["old"])
        .release("lib", "1.1.0", "2020-02-01", &["old", "skipped"])
        .release("lib", "1.2.0", "2020-03-01", &["old", "new"])
        .release("new", "1.0.0", "2020-03-01", &[]);
    let wanted = case.with(|facts| further_crates(facts.lock.lockfile().unwrap(), facts.changes, &facts.registry.histories));
    let names: Vec<_> = wanted.into_iter().map(|key| key.name).collect();
    assert_eq!(names, ["between", "skipped"]);
    let young = case.with(|facts| young_crates(facts.lock.lockfile().unwrap(), facts.changes, &facts.registry.histories));
    assert_eq!(young.into_iter().map(|key| key.name).collect::<Vec<_>>(), ["new"]);
}

/// One crate with as many releases as changes: nothing may be looked at once for each pair.
#[test]
fn ten_thousand_releases_are_walked_in_passing() {
    let mut case = lib("1.0.9999", Some("1.0.0"));
    for patch in 0..10_000 {
        case = case.release("lib", &format!("1.0.{patch}"), "2020-01-01", &["a"]);
    }
    assert_eq!(shown(&case).len(), 9_999);
}
