use crate::check::case::{Case, owner_of};
use crate::check::kin::{Family, related};
use crate::check::publishers::Publications;
use crate::check::release_walk::walks;
use crate::model::baseline::{KnownCrate, KnownOwner};
use crate::model::capability::Capabilities;

/// `lib` 1.0.1 of 2026-08-20 by user 10 adds `helper`.
fn case(helper: &str) -> Case {
    Case::new()
        .locks(&["lib 1.0.1"], Some(&["lib 1.0.0"]))
        .release("lib", "1.0.0", "2026-01-01", &[])
        .release("lib", "1.0.1", "2026-08-20", &[helper])
        .release(helper, "0.1.0", "2026-08-19", &[])
}

/// How the one newcomer is related, and what was not known.
fn kin(case: &Case) -> String {
    case.with(|facts| {
        let family = Family::of(facts);
        let walk = walks(facts).next().unwrap();
        let publications = Publications::of(facts, &walk.key);
        let newcomer = family.newcomers(&walk, &publications, &walk.steps[0]).young.remove(0);
        let unknown = newcomer.unknown.map(|what| format!(", not known: {what}")).unwrap_or_default();
        format!("{:?}{unknown}", newcomer.kin)
    })
}

fn both(case: Case, url: &str) -> Case {
    let of = |case: Case, name: &str| case.record(name, |record| record.repository = Some(url.into()));
    of(of(case, "lib"), "helper")
}

#[test]
fn people_that_the_registry_names_decide() {
    let by = |parent: &str, helper: &str| case("helper").publisher("lib", "1.0.1", parent).publisher("helper", "0.1.0", helper);
    assert_eq!(kin(&by("10", "10")), "Same");
    assert_eq!(kin(&by("10", "11")), "Foreign");
    assert_eq!(kin(&by("github:org/foo", "github:Org/foo")), "Same");
    assert_eq!(kin(&by("10", "11").owned("lib", &["10", "team 11"]).owned("helper", &["team 11"])), "Same");
    // Users and teams are numbered apart.
    assert_eq!(kin(&by("10", "11").owned("lib", &["10", "team 11"])), "Foreign");
}

#[test]
fn repository_and_name_are_claims_that_do_not_help_against_people() {
    let url = "https://github.com/org/lib";
    let known = both(case("helper"), url).publisher("lib", "1.0.1", "10").publisher("helper", "0.1.0", "11");
    assert_eq!(kin(&known), "Foreign");
    let named = case("lib-helper").publisher("lib", "1.0.1", "10").publisher("lib-helper", "0.1.0", "11");
    assert_eq!(kin(&named), "Foreign");
}

#[test]
fn without_people_names_and_repositories_count_as_claims() {
    let unknown = ", not known: owners and publishers of helper";
    assert_eq!(kin(&case("helper")), format!("Foreign{unknown}"));
    let named = "Assumed(\"their names are related\"), not known: owners and publishers of lib-helper";
    assert_eq!(kin(&case("lib-helper")), named);
    let repository = format!("Assumed(\"both name one repository\"){unknown}");
    assert_eq!(kin(&both(case("helper"), "https://github.com/org/lib")), repository);
    let source = |url: &str| Capabilities { repository: Some(url.into()), ..Capabilities::default() };
    let sources = case("helper").capable("lib", "1.0.1", source("https://github.com/org/lib")).capable(
        "helper",
        "0.1.0",
        source("http://github.com/Org/lib.git"),
    );
    assert_eq!(kin(&sources), repository);
    // What looks like a known name is not helped by its first word.
    let like = Case::new()
        .locks(&["serde 1.0.1"], Some(&["serde 1.0.0"]))
        .release("serde", "1.0.0", "2026-01-01", &[])
        .release("serde", "1.0.1", "2026-08-20", &["serde_derlve"])
        .release("serde_derlve", "0.1.0", "2026-08-19", &[]);
    assert_eq!(kin(&like), "Foreign, not known: owners and publishers of serde_derlve");
}

/// Who came with this very release does not vouch for a crate of his own.
#[test]
fn a_new_publisher_and_a_new_owner_are_not_the_crates_people() {
    let taken = case("helper").publisher("lib", "1.0.0", "10").publisher("lib", "1.0.1", "77").publisher("helper", "0.1.0", "77");
    assert_eq!(kin(&taken), "Foreign");
    assert_eq!(kin(&taken.owned("lib", &["10", "77"])), "Foreign");
    let known = KnownOwner { owner: owner_of("10"), first_seen: "2020-01-01".parse().unwrap() };
    let added = case("helper")
        .publisher("lib", "1.0.1", "10")
        .owned("lib", &["10", "77"])
        .publisher("helper", "0.1.0", "77")
        .known("lib", KnownCrate { owners: Some(vec![known]), ..KnownCrate::default() });
    assert_eq!(kin(&added), "Foreign");
    // The twin: the new one works with those who were there.
    let handed =
        case("helper").publisher("lib", "1.0.0", "10").publisher("lib", "1.0.1", "77").publisher("helper", "0.1.0", "77");
    assert_eq!(kin(&handed.owned("lib", &["10", "77"]).owned("helper", &["10", "77"])), "Same");
}

#[test]
fn related_names() {
    for (one, other, expected) in [
        ("serde", "serde_core", true),
        ("serde_json", "serde-derive", true),
        ("tokio-util", "tokio", true),
        ("serde", "serder", false),
        ("rust-foo", "rust-evil", false),
        ("rust-foo", "rust-foo-core", true),
        ("proc-macro2", "proc-macro1", false),
        ("cargo", "cargo-evil", false),
        ("aref", "proc-macro1", false),
        ("", "", true),
    ] {
        assert_eq!(related(one, other), expected, "{one} {other}");
        assert_eq!(related(other, one), expected, "{other} {one}");
    }
}
