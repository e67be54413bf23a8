//! Verification summaries with the real binary: written after a success and in no other case, signed by the verifier, and read back by the
//! same `verify`.

use cargo_supplychain::attest::{Bundle, Statement};
use cargo_supplychain::base::Sha256;
use serde_json::{Value, json};

use crate::keyless::{BYTES, World};
use crate::support::Outcome;
use crate::support::authority::{Holder, base64};

const VSA: &str = "https://slsa.dev/verification_summary/v1";

fn world() -> World {
    let world = World::new();
    world.project.run(&["key", "generate", "--output", "verifier.pem"]).expect(0);
    world
}

fn summarise(world: &World, arguments: &[&str]) -> Outcome {
    let start = [
        "verify",
        "app",
        "--trusted-root",
        "root.json",
        "--repo",
        "org/app",
        "--vsa",
        "app.vsa.json",
        "--signing-key",
        "verifier.pem",
    ];
    world.project.command(&[&start, arguments].concat()).writes().run()
}

fn predicate(world: &World) -> Value {
    let bundle = Bundle::parse(world.project.read("app.vsa.json").as_bytes()).unwrap();
    let statement = Statement::parse(&bundle.payload).unwrap();
    assert_eq!(statement.predicate_type, VSA);
    assert_eq!((statement.subjects.len(), statement.subjects[0].sha256), (1, Sha256::of(BYTES)));
    statement.predicate
}

#[test]
fn a_success_is_summarised_and_the_summary_can_be_verified() {
    let world = world();
    let outcome = summarise(&world, &["--require-build-level", "2"]).expect(0);
    assert!(outcome.text().contains("Summarised app.vsa.json by key SHA256:"), "{outcome}");
    let found = predicate(&world);
    assert_eq!(found["verificationResult"], "PASSED");
    assert_eq!(found["verifiedLevels"], json!(["SLSA_BUILD_LEVEL_2"]));
    assert_eq!(found["resourceUri"], "pkg:generic/app");
    assert_eq!(found["timeVerified"], crate::support::NOW);
    let bundle = Sha256::of(world.project.read("app.sigstore.json"));
    assert_eq!(found["inputAttestations"], json!([{ "digest": { "sha256": bundle }, "name": "app.sigstore.json" }]));
    let policy = json!({
        "signer": { "issuer": "https://token.actions.githubusercontent.com", "repository": "https://github.com/org/app" },
        "requirePredicates": [], "expectVersion": null, "oldestVersion": null, "requireFreshTarget": false,
        "requireBuildLevel": 2, "isolatedBuilders": [],
    });
    assert_eq!(found["policy"]["content"], base64(policy.to_string().as_bytes()));
    assert_eq!(found["policy"]["digest"]["sha256"], json!(Sha256::of(policy.to_string())));
    let by_verifier = ["verify", "app", "--bundle", "app.vsa.json", "--key", "verifier.pub", "--require-predicate", VSA];
    world.project.run(&by_verifier).expect(0);
    world.project.write("app", "other");
    world.project.run(&by_verifier).expect(3);
}

#[test]
fn names_of_verifier_and_resource_can_be_given() {
    let world = world();
    let names = ["--resource-uri", "https://example.org/app-1.2.0", "--verifier-id", "https://example.org/verifier"];
    let json = summarise(&world, &[&names[..], &["--format", "json"]].concat()).expect(0).json();
    assert_eq!(json["summary"]["path"], "app.vsa.json");
    let found = predicate(&world);
    assert_eq!((&found["resourceUri"], &found["verifier"]["id"]), (&json!(names[1]), &json!(names[3])));
    world.project.write("supplychain.toml", "[verify]\nverifier-id = \"https://example.org/policy\"\n");
    summarise(&world, &[]).expect(0);
    assert_eq!(predicate(&world)["verifier"]["id"], "https://example.org/policy");
    for bad in [["--resource-uri", "app"], ["--verifier-id", "me and you"]] {
        summarise(&world, &bad).expect(2);
    }
}

#[test]
fn nothing_is_summarised_but_a_success() {
    let world = world();
    world.sign(&Holder::github().with(11, "self-hosted"));
    summarise(&world, &["--require-build-level", "2"]).expect(3);
    summarise(&world, &["b"]).expect(2);
    world.project.run(&["verify", "app", "--repo", "org/app", "--signing-key", "verifier.pem"]).expect(2);
    assert!(!world.project.path("app.vsa.json").exists());
    summarise(&world, &[]).expect(0);
    assert_eq!(predicate(&world)["verifiedLevels"], json!(["SLSA_BUILD_LEVEL_1"]));
}
