//! Attestations from the API of a repository's host, with the real binary and a server on this machine: asked for only where nothing lies
//! beside the file, judged as strictly, and what the server does not say is not known.

use std::fs;

use cargo_supplychain::attest::PROVENANCE;
use cargo_supplychain::base::Sha256;
use serde_json::{Value, json};

use crate::keyless::{BYTES, World, statement};
use crate::support::Outcome;
use crate::support::authority::Holder;
use crate::support::server::{Answer, Server};

/// `app` without a bundle, and a server that stands for the API.
struct Host {
    world: World,
    server: Server,
}

impl Host {
    fn new() -> Self {
        let world = World::new();
        fs::remove_file(world.project.path("app.sigstore.json")).unwrap();
        let server = Server::new(world.project.root().join("nothing"));
        Self { world, server }
    }

    fn path(query: &str) -> String {
        format!("/repos/org/app/attestations/sha256:{}{query}", Sha256::of(BYTES))
    }

    /// The first page is this.
    fn answer(&self, status: u16, headers: &str, body: &str) {
        self.server.answer(&Self::path("?per_page=100"), Answer::Whole(status, headers.to_owned(), body.as_bytes().to_vec()));
    }

    fn offer(&self, bundles: &[Value]) {
        let list: Vec<_> = bundles.iter().map(|bundle| json!({ "bundle": bundle, "repository_id": 1001 })).collect();
        self.answer(200, "", &json!({ "attestations": list }).to_string());
    }

    fn bundle(&self, holder: &Holder) -> Value {
        self.world.authority.bundle(holder, &statement("app", BYTES, PROVENANCE))
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        let all = [&["verify", "app", "--trusted-root", "root.json", "--repo", "org/app"], arguments].concat();
        self.world.project.command(&all).env("GITHUB_API_URL", &self.server.url).writes().run()
    }
}

fn evil() -> Holder {
    Holder::github().with(12, "https://github.com/org/evil")
}

#[test]
fn a_repository_is_enough_where_its_host_knows_the_attestations() {
    let host = Host::new();
    host.offer(&[host.bundle(&evil()), host.bundle(&Holder::github())]);
    let outcome = host.run(&["--format", "json"]).expect(0);
    let result = &outcome.json()["results"][0];
    assert_eq!(result["attestations"]["count"], 2);
    assert_eq!(result["attestations"]["repository"], "org/app");
    // It says which of them was accepted: the second.
    let signatures = result["verified"]["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 1);
    assert!(signatures[0]["bundle"].as_str().unwrap().ends_with("#2"), "{signatures:?}");
    assert_eq!(host.server.asked(), [Host::path("?per_page=100")]);
    assert!(host.server.credentials().is_empty());
    let text = host.run(&[]).expect(0).text();
    assert!(text.contains("which offers 2 attestations"), "{text}");
    // All of them are somebody else's.
    host.offer(&[host.bundle(&evil())]);
    assert!(host.run(&[]).expect(3).text().contains("attest/wrong-repository"));
    // Good for other bytes, offered for these.
    let other = host.world.authority.bundle(&Holder::github(), &statement("app", b"other", PROVENANCE));
    host.offer(&[other]);
    host.run(&[]).expect(3);
}

#[test]
fn nobody_is_asked_where_a_bundle_is_at_hand() {
    let host = Host::new();
    host.offer(&[host.bundle(&Holder::github())]);
    let bundle = host.bundle(&Holder::github()).to_string();
    host.world.project.write("given.json", &bundle);
    host.run(&["--bundle", "given.json"]).expect(0);
    host.run(&["--offline"]).expect(3);
    host.world.project.write("app.sigstore.json", host.bundle(&evil()).to_string());
    // A bad one beside it is an answer as well.
    assert!(host.run(&[]).expect(3).text().contains("attest/wrong-repository"));
    fs::remove_file(host.world.project.path("app.sigstore.json")).unwrap();
    host.world.project.write("key.pem", "");
    let elsewhere = ["verify", "app", "--trusted-root", "root.json", "--repo", "gitlab.com/org/app"];
    host.world.project.command(&elsewhere).env("GITHUB_API_URL", &host.server.url).run().expect(3);
    assert!(host.server.asked().is_empty());
}

#[test]
fn bundles_that_lie_elsewhere_come_compressed_and_without_the_token() {
    let host = Host::new();
    let packed = snap::raw::Encoder::new().compress_vec(host.bundle(&Holder::github()).to_string().as_bytes()).unwrap();
    host.server.answer("/blobs/1.json.sn", Answer::Whole(200, "content-type: application/x-snappy\r\n".into(), packed));
    let url = format!("{}/blobs/1.json.sn", host.server.url);
    let next = format!("link: <{}/other?per_page=100&after=Y>; rel=\"next\"\r\n", host.server.url);
    host.answer(200, &next, &json!({ "attestations": [{ "bundle": host.bundle(&evil()) }] }).to_string());
    let page = json!({ "attestations": [{ "bundle": null, "bundle_url": url }] }).to_string();
    host.server.answer(&Host::path("?per_page=100&after=Y"), Answer::Whole(200, String::new(), page.into_bytes()));
    let all = ["verify", "app", "--trusted-root", "root.json", "--repo", "org/app"];
    let run = |name: &str| {
        host.world.project.command(&all).env("GITHUB_API_URL", &host.server.url).env(name, "ghs_t0ken").run().expect(0)
    };
    let outcome = run("GITHUB_TOKEN");
    assert!(!outcome.text().contains("ghs_t0ken"));
    let asked = [Host::path("?per_page=100"), Host::path("?per_page=100&after=Y"), "/blobs/1.json.sn".to_owned()];
    assert_eq!(host.server.asked(), asked);
    let with_token: Vec<_> = host.server.credentials();
    assert_eq!(with_token, asked[..2].iter().map(|path| (path.clone(), "Bearer ghs_t0ken".to_owned())).collect::<Vec<_>>());
    run("GH_TOKEN");
    assert_eq!(host.server.credentials().len(), 2);
    // Another API by option: the token is not for it.
    let given = [&all[..], &["--attestation-api", &host.server.url]].concat();
    host.world.project.command(&given).env("GITHUB_TOKEN", "ghs_t0ken").run().expect(0);
    assert!(host.server.credentials().is_empty());
}

#[test]
fn what_the_host_does_not_say_is_not_known() {
    let host = Host::new();
    for (status, headers, body, code, word) in [
        (404, "", "{\"message\":\"Not Found\"}", 3, "attest/missing"),
        (200, "", "{\"attestations\":[]}", 3, "knows no attestation of this file for org/app"),
        (403, "x-ratelimit-remaining: 0\r\n", "", 4, "wait for an hour; a token in GITHUB_TOKEN lets more be asked"),
        (429, "", "", 4, "answers no more requests for a while"),
        (403, "", "", 4, "a private repository needs a token"),
        (401, "", "", 4, "refused to answer (401)"),
        (500, "", "", 4, "answered 500"),
        (502, "", "", 4, "--bundle FILE"),
        (200, "", "<html>", 4, "answered no list of attestations"),
        (200, "", "{\"attestations\":[{\"bundle_url\":\"ftp://x/y\"}]}", 4, "is not one that is asked"),
        (200, "", "{\"attestations\":[{\"bundle\":{},\"bundle\":{}}]}", 4, "answered no list of attestations"),
    ] {
        host.answer(status, headers, body);
        let outcome = host.run(&[]);
        assert_eq!(outcome.code, code, "{status} {body} {outcome}");
        assert!(outcome.text().contains(word), "{status} {body} {outcome}");
        let json = host.run(&["--format", "json"]).json();
        assert_eq!(json["exit_code"], code);
        assert_eq!(json["verdict"], if code == 3 { "rejected" } else { "undetermined" });
    }
    for answer in [Answer::Garbage, Answer::Endless, Answer::Redirect("https://example.org/")] {
        host.server.answer(&Host::path("?per_page=100"), answer);
        host.run(&[]).expect(4);
    }
    // One that is rejected outweighs one that is not known.
    host.world.project.write("b", "b");
    host.world.project.write("b.sigstore.json", "{}");
    let both = ["verify", "app", "b", "--trusted-root", "root.json", "--repo", "org/app"];
    let outcome = host.world.project.command(&both).env("GITHUB_API_URL", &host.server.url).run().expect(3);
    assert!(outcome.text().contains("Undetermined app"), "{outcome}");
}

#[test]
fn what_was_fetched_can_be_kept_and_is_remembered() {
    let host = Host::new();
    host.offer(&[host.bundle(&evil()), host.bundle(&Holder::github())]);
    host.run(&["--save-bundle", "all.json"]).expect(2);
    host.run(&["--save-bundle", "all.jsonl"]).expect(0);
    assert_eq!(fs::read_to_string(host.world.project.path("all.jsonl")).unwrap().lines().count(), 2);
    host.server.asked();
    host.run(&["--offline", "--bundle", "all.jsonl"]).expect(0);
    let remembered = host.run(&["--offline", "--format", "json"]).expect(0).json();
    assert_eq!(remembered["results"][0]["attestations"]["remembered"], true);
    assert!(host.server.asked().is_empty());
    // What is remembered is judged again.
    host.world.project.write("app", b"other");
    assert!(host.run(&["--offline"]).expect(3).text().contains("was not asked about this file before"));
}

#[test]
fn a_digest_will_do() {
    let host = Host::new();
    host.offer(&[host.bundle(&Holder::github())]);
    let digest = format!("sha256:{}", Sha256::of(BYTES));
    let run = |arguments: &[&str]| {
        let all = [&["verify", "--trusted-root", "root.json", "--digest", digest.as_str()], arguments].concat();
        host.world.project.command(&all).env("GITHUB_API_URL", &host.server.url).run()
    };
    run(&["--repo", "org/app"]).expect(0);
    run(&["--repo", "gitlab.com/org/app"]).expect(2);
    assert!(run(&["--repo", "org/app", "--attestation-api", "http://example.org"]).expect(2).text().contains("neither https"));
}

/// The forms in which others keep bundles: PEP 740 beside a file and as a provenance object, and an answer that was saved.
#[test]
fn collections_of_others_are_read() {
    let host = Host::new();
    let bundle = host.bundle(&Holder::github());
    let material = &bundle["verificationMaterial"];
    let attestation = json!({
        "version": 1,
        "verification_material": {
            "certificate": material["certificate"]["rawBytes"], "transparency_entries": material["tlogEntries"],
        },
        "envelope": {
            "statement": bundle["dsseEnvelope"]["payload"], "signature": bundle["dsseEnvelope"]["signatures"][0]["sig"],
        },
    });
    let provenance = json!({ "version": 1, "attestation_bundles": [{ "publisher": {}, "attestations": [attestation] }] });
    let answer = json!({ "attestations": [{ "predicateType": "x", "bundle": host.bundle(&evil()) }, { "bundle": bundle }] });
    for (name, text) in [("app.publish.attestation", &attestation), ("app.provenance", &provenance)] {
        host.world.project.write(name, text.to_string());
        host.run(&["--offline"]).expect(0);
        let mut broken = text.to_string();
        broken = broken.replacen("\"signature\":\"M", "\"signature\":\"N", 1);
        host.world.project.write(name, broken);
        host.run(&["--offline"]).expect(3);
        fs::remove_file(host.world.project.path(name)).unwrap();
    }
    host.world.project.write("saved.json", answer.to_string());
    host.run(&["--bundle", "saved.json"]).expect(0);
    host.world.project.write("saved.json", json!({ "attestations": [{ "bundle": host.bundle(&evil()) }] }).to_string());
    host.run(&["--bundle", "saved.json"]).expect(3);
    assert!(host.server.asked().is_empty());
}
