//! The SLSA build level with the real binary: what the evidence supports and no more, and what a policy can require.

use cargo_supplychain::attest::PROVENANCE;
use cargo_supplychain::base::{Sha256, Sha512};
use serde_json::{Value, json};

use crate::keyless::{BYTES, World, statement_of};
use crate::support::authority::Holder;

const GENERATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml";
const SHARED: &str = "https://github.com/org/shared/.github/workflows/build.yml";

fn provenance(predicate: &Value, predicate_type: &str) -> Vec<u8> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "app", "digest": { "sha256": Sha256::of(BYTES) } }],
        "predicateType": predicate_type,
        "predicate": predicate,
    });
    serde_json::to_vec(&statement).unwrap()
}

fn level(world: &World, arguments: &[&str]) -> Value {
    let all = [arguments, &["--format", "json"]].concat();
    world.verify(&all).expect(0).json()["results"][0]["verified"]["artifacts"][0]["build_level"].clone()
}

#[test]
fn the_level_is_what_the_certificate_and_the_provenance_support_together() {
    let world = World::new();
    let any = [
        "--repo",
        "org/app",
        "--workflow",
        &GENERATOR["https://github.com/".len()..],
        "--workflow",
        "org/shared/.github/workflows/build.yml",
        "--workflow",
        ".github/workflows/release.yml",
    ];
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let source = |commit: &str| {
        json!({ "buildDefinition": { "resolvedDependencies": [
            { "uri": "git+https://github.com/org/app@refs/tags/v1.2.0", "digest": { "gitCommit": commit } },
        ] } })
    };
    let older = json!({ "builder": { "id": format!("{GENERATOR}@refs/tags/v1.10.0") }, "invocation": { "configSource": { "digest": { "sha1": commit } } } });
    let v0_2 = "https://slsa.dev/provenance/v0.2";
    let hosted = Holder::github();
    let generator = || Holder::github().called(&format!("{GENERATOR}@refs/tags/v1.10.0"));
    for (what, holder, statement, expected) in [
        ("a workflow of the repository", hosted.clone(), provenance(&source(commit), PROVENANCE), 2),
        ("a commit that is not the certificate's", hosted.clone(), provenance(&source(&"0".repeat(40)), PROVENANCE), 1),
        ("no provenance", hosted.clone(), provenance(&json!({}), "https://example.org/other"), 0),
        ("self-hosted", hosted.clone().with(11, "self-hosted"), provenance(&json!({}), PROVENANCE), 1),
        ("an unknown runner", hosted.clone().with(11, ""), provenance(&json!({}), PROVENANCE), 1),
        ("an isolated builder", generator(), provenance(&older, v0_2), 3),
        ("an isolated builder of old", generator().with(11, "").with(18, ""), provenance(&older, v0_2), 3),
        ("its branch", Holder::github().called(&format!("{GENERATOR}@refs/heads/main")), provenance(&json!({}), PROVENANCE), 2),
        ("another's provenance", hosted.clone(), provenance(&older, v0_2), 1),
        (
            "a reusable workflow",
            Holder::github().called(&format!("{SHARED}@refs/tags/v3")),
            provenance(&json!({}), PROVENANCE),
            2,
        ),
    ] {
        world.put(&world.authority.bundle(&holder, &statement));
        let found = level(&world, &any);
        assert_eq!(found["level"], expected, "{what}: {found}");
        assert_eq!(found["not_higher"].is_null(), expected == 3, "{what}: {found}");
        // Required and given; required and not.
        for required in 0..=3 {
            let word = required.to_string();
            let reasons = world.reasons(&[&any[..], &["--require-build-level", &word]].concat());
            let good = if required <= expected { vec![] } else { vec!["attest/policy-builder"] };
            assert_eq!(reasons, good, "{what}: {required}");
        }
    }
}

#[test]
fn an_isolated_builder_is_one_that_the_user_names() {
    let world = World::new();
    let workflow = ["--repo", "org/app", "--workflow", "org/shared/.github/workflows/build.yml"];
    let holder = Holder::github().called(&format!("{SHARED}@refs/tags/v3"));
    world.put(&world.authority.bundle(&holder, &provenance(&json!({}), PROVENANCE)));
    let named = |builder| level(&world, &[&workflow[..], &["--isolated-builder", builder]].concat())["level"].clone();
    assert_eq!(named("org/shared/.github/workflows/build.yml"), 3);
    assert_eq!(named("org/shared/.github/workflows/build.yml@refs/tags/v*"), 3);
    assert_eq!(named("org/shared/.github/workflows/build.yml@refs/heads/*"), 2);
    assert_eq!(named("org/shared/.github/workflows/build.y"), 2);
    assert_eq!(world.verify(&[&workflow[..], &["--isolated-builder", "build.yml"]].concat()).code, 2);
    world.project.write(
        "supplychain.toml",
        "[verify]\nrepo = \"org/app\"\nworkflow = \"org/shared/.github/workflows/build.yml\"\nbuild-level = 3\n",
    );
    assert_eq!(world.reasons(&[]), ["attest/policy-builder"]);
    assert_eq!(world.reasons(&["--require-build-level", "2"]), Vec::<String>::new());
    world.project.append("supplychain.toml", "isolated-builders = [\"org/shared/.github/workflows/build.yml@refs/tags/v*\"]\n");
    assert_eq!(world.reasons(&[]), Vec::<String>::new());
    world.project.append("supplychain.toml", "min-version = \"1.0\"\n");
    world.project.run(&["verify", "app", "--trusted-root", "root.json", "--require-build-level", "4"]).expect(2);
    world.project.write("supplychain.toml", "[verify]\nrepo = \"org/app\"\nbuild-level = 4\n");
    world.project.run(&["verify", "app", "--trusted-root", "root.json"]).expect(2);
}

/// What a key signed proves no place, whatever its provenance says of itself.
#[test]
fn a_key_supports_level_one() {
    let world = World::new();
    let claim = json!({ "runDetails": { "builder": { "id": format!("{GENERATOR}@refs/tags/v1.10.0") } } });
    world.project.write("statement.json", provenance(&claim, PROVENANCE));
    world.project.run(&["key", "generate", "--output", "key.pem"]).expect(0);
    let sign = ["sign", "statement.json", "--statement", "--key", "key.pem", "--bundle", "app.sigstore.json"];
    world.project.command(&sign).writes().run().expect(0);
    let by_key = |level| ["verify", "app", "--key", "key.pub", "--require-build-level", level];
    let text = world.project.run(&by_key("1")).expect(0).text();
    assert!(text.contains("build level 1: a provenance of it was signed by the accepted signer"), "{text}");
    assert!(world.project.run(&by_key("2")).expect(3).text().contains("a key does not say where it was used"));
}

/// Provenance as npm writes it: by SHA-512, of a package URL.
#[test]
fn packages_have_a_level_too() {
    let world = World::new();
    let subject = json!([{ "name": "pkg:npm/app@1.2.0", "digest": { "sha512": Sha512::of(BYTES).to_string() } }]);
    world.put(&world.authority.bundle(&Holder::github(), &statement_of(&subject, PROVENANCE)));
    assert_eq!(level(&world, &["--repo", "org/app", "--expect-version", "1.2.0"])["level"], 2);
}
