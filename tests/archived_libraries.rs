//! C libraries that crates brought along, in archived releases and in bills of materials of others: found by the versions that were built, with the
//! real binary.

use insta::assert_snapshot;

use crate::afterlife::{found, run, start};
use crate::support::Project;

/// A CVE record that names versions of a library.
fn record(project: &Project, cve: &str, product: &str, from: &str, before: &str) {
    let affected = serde_json::json!([{"vendor": product, "product": product,
        "versions": [{"version": from, "lessThan": before, "status": "affected", "versionType": "semver"}]}]);
    let record = serde_json::json!({"dataType": "CVE_RECORD", "dataVersion": "5.1",
        "cveMetadata": {"cveId": cve, "state": "PUBLISHED", "dateUpdated": "2026-08-30T00:00:00"},
        "containers": {"cna": {"providerMetadata": {"orgId": "x"}, "title": "Something is wrong", "affected": affected}}});
    project.write(&format!("../cve/{cve}.json"), record.to_string());
}

#[test]
fn libraries_are_found_by_the_versions_that_were_built() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["openssl-sys 0.9.103 openssl@3.3.0", "freetype-sys 0.20.1 freetype@2.12.1"]);
    archive.release("2026-03-01", "app", "1.1.0", &["openssl-sys 0.9.103 openssl@3.3.2"]);
    archive.release("2026-04-01", "app", "1.2.0", &["openssl-sys 0.9.103 openssl"]);
    record(&project, "CVE-2024-6119", "OpenSSL", "3.3.0", "3.3.2");
    let cve = ["--feed", "cve=../cve"];
    let asked = |query: &str, code| run(&project, &[&["affected", query][..], &cve].concat()).expect(code);

    assert_snapshot!(asked("CVE-2024-6119", 1).text(), @"
    exit 1
    CVE-2024-6119: openssl >=3.3.0, <3.3.2: Something is wrong
    app 1.0.0 [HOST]
        pkg:cargo/openssl-sys@0.9.103 with openssl 3.3.0: linked
            artifacts/app (linked, features std)
    1 release affected: 1 linked
    ");
    assert_snapshot!(asked("pkg:generic/openssl@<=3.3.2", 1).text(), @"
    exit 1
    app 1.0.0 [HOST]
        pkg:cargo/openssl-sys@0.9.103 with openssl 3.3.0: linked
            artifacts/app (linked, features std)
    app 1.1.0 [HOST]
        pkg:cargo/openssl-sys@0.9.103 with openssl 3.3.2: linked
            artifacts/app (linked, features std)
    2 releases affected: 2 linked
    ");
    for (query, code) in
        [("pkg:generic/openssl@3.3.1", 0), ("pkg:generic/libssl3", 2), ("pkg:generic/openssl@new", 2), ("CVE-2024-9999", 4)]
    {
        asked(query, code);
    }
    assert!(run(&project, &["affected", "CVE-2024-6119"]).expect(4).stderr.contains("does not know CVE-2024-6119"));
    project.write("../broken/CVE-2024-6119.json", "{}");
    let broken = run(&project, &["affected", "CVE-2024-6119", "--feed", "cve=../broken"]).expect(4);
    assert!(broken.stderr.contains("broken: "), "{broken}");
    // Known without any source.
    let known = run(&project, &["affected", "CVE-2025-27363", "--format", "json"]).expect(1).json();
    assert_eq!(known["releases"][0]["components"][0]["library"]["purl"], "pkg:generic/freetype@2.12.1");
    assert_eq!(known["libraries"][0]["affected"], serde_json::json!(["<2.13.1"]));
    let markdown = run(&project, &["affected", "CVE-2025-27363", "--format", "markdown"]).expect(1).stdout;
    assert!(markdown.contains("freetype-sys 0.20.1 with freetype 2.12.1"), "{markdown}");

    let rescan = |more: &[&str]| run(&project, &[&["rescan", "--format", "json"], more].concat());
    assert_eq!(
        found(&rescan(&cve).expect(1)),
        ["high CVE-2024-6119 pkg:generic/openssl@3.3.0: 1.0.0", "high CVE-2025-27363 pkg:generic/freetype@2.12.1: 1.0.0"]
    );
    assert!(found(&rescan(&cve).expect(0)).is_empty(), "it is known");
    // Without the records nothing is told of what they said, least of all that it is gone.
    let without = rescan(&[]).expect(0).json();
    assert_eq!(without["disappeared"], serde_json::json!([]));
    archive.release("2026-05-01", "app", "1.3.0", &["openssl-sys 0.9.104 openssl@3.3.0"]);
    assert_eq!(found(&rescan(&cve).expect(1)), ["high CVE-2024-6119 pkg:generic/openssl@3.3.0: 1.3.0"]);
    record(&project, "CVE-2024-6119", "OpenSSL", "3.2.0", "3.3.0");
    let corrected = rescan(&cve).expect(0).json();
    assert_eq!(corrected["disappeared"][0]["purl"], "pkg:generic/openssl@3.3.0");
    let history = run(&project, &["rescan", "--history"]).expect(0).stdout;
    assert!(history.contains("CVE-2025-27363 pkg:generic/freetype@2.12.1 app"), "{history}");
}

#[test]
fn libraries_in_documents_are_found_or_told_as_unknown() {
    let (project, _) = start();
    record(&project, "CVE-2024-6119", "OpenSSL", "3.3.0", "3.3.2");
    let document = |name: &str, purls: &[&str]| {
        let component = |purl: &&str| serde_json::json!({"type": "library", "name": "x", "purl": purl});
        let components: Vec<_> = purls.iter().map(component).collect();
        let text = serde_json::json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components});
        project.write(name, text.to_string());
    };
    for (purls, code, told) in [
        (&["pkg:generic/openssl@3.3.1"][..], 1, "pkg:generic/openssl@3.3.1: included"),
        (&["pkg:generic/openssl@3.3.2"], 0, "0 of 1 SBOM affected"),
        // What the version of a crate says of the library in it, where the document does not list that.
        (&["pkg:cargo/openssl-src@300.3.0%2B3.3.0"], 1, "pkg:cargo/openssl-src@300.3.0%2B3.3.0: included"),
        (&["pkg:cargo/openssl-src@300.3.2%2B3.3.2"], 0, "0 of 1 SBOM affected"),
        (&["pkg:cargo/openssl-src@300.3.0%2B3.3.0", "pkg:generic/openssl@3.3.2"], 0, "0 of 1 SBOM affected"),
        (&["pkg:cargo/openssl-src@300.3.0"], 4, "which version of openssl came with openssl-src 300.3.0 is not known"),
        (&["pkg:generic/openssl"], 4, "pkg:generic/openssl has no version"),
    ] {
        document("a.cdx.json", purls);
        for query in ["CVE-2024-6119", "pkg:generic/openssl@>=3.3.0,<3.3.2"] {
            let outcome = project.run(&["affected", query, "--feed", "cve=../cve", "--sbom", "a.cdx.json"]).expect(code);
            assert!(format!("{outcome}").contains(told), "{query} {purls:?}: {outcome}");
        }
    }
    // Of a library that no crate is known to bring, too.
    document("a.cdx.json", &["pkg:generic/libfoo@1.2.0"]);
    project.run(&["affected", "pkg:generic/libfoo@<2", "--sbom", "a.cdx.json"]).expect(1);
}

#[test]
fn what_a_record_says_in_words_is_not_known() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["openssl-sys 0.9.103 openssl@3.3.0"]);
    record(&project, "CVE-2024-6119", "OpenSSL", "all but some", "");
    let outcome = run(&project, &["affected", "CVE-2024-6119", "--feed", "cve=../cve"]).expect(4);
    assert!(
        outcome.stderr.contains("the record of CVE-2024-6119 names versions of openssl that cannot be compared"),
        "{outcome}"
    );
    // How old a source is that says nothing of versions is no matter of this question.
    project.write(
        "../epss.csv",
        "#model_version:v2026.06.15,score_date:2020-08-30T00:00:00Z\ncve,epss,percentile\nCVE-2024-27308,0.42,0.98\n",
    );
    run(&project, &["affected", "RUSTSEC-2026-0001", "--feed", "epss=../epss.csv"]).expect(0);
}

#[test]
fn a_library_of_an_unknown_version_is_no_pass() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["openssl-sys 0.9.103 openssl+"]);
    record(&project, "CVE-2024-6119", "OpenSSL", "3.3.0", "3.3.2");
    let outcome = run(&project, &["affected", "CVE-2024-6119", "--feed", "cve=../cve"]).expect(4);
    assert!(
        outcome.stderr.contains("which version of openssl came with openssl-sys 0.9.103 is not known, in 1 release"),
        "{outcome}"
    );
}
