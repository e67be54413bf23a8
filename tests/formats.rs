//! SBOM formats: every name that help and documentation say works, in `sbom` and in a release; the bytes depend on nothing but the inputs.

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8Path;
use serde_json::Value;

use crate::support::{Project, files};

/// `FORMAT@VERSION`, all of them, as the help of `sbom` lists them: `cyclonedx-json[@1.7|1.6], …`.
fn named_by_help(project: &Project) -> Vec<String> {
    let help = project.run(&["sbom", "--help"]).expect(0).stdout;
    let words = help.split_whitespace().map(|word| word.trim_matches([',', ' ']));
    let lists = words.filter_map(|word| word.strip_suffix(']')?.split_once("[@"));
    let mut names: Vec<String> =
        lists.flat_map(|(name, versions)| versions.split('|').map(move |version| format!("{name}@{version}"))).collect();
    names.retain(|name| name.contains(|one: char| one.is_ascii_digit()));
    names.sort();
    names.dedup();
    names
}

/// The last part of the path of a format's file.
fn file(format: &str, name: &str) -> String {
    let (format, version) = format.split_once('@').unwrap();
    match (format, version) {
        ("cyclonedx-json", "1.7") => format!("{name}.cdx.json"),
        ("cyclonedx-json", _) => format!("{name}.cdx-{version}.json"),
        ("cyclonedx-xml", "1.6") => format!("{name}.cdx.xml"),
        ("cyclonedx-xml", _) => format!("{name}.cdx-{version}.xml"),
        ("spdx-json", "2.3") => format!("{name}.spdx.json"),
        ("spdx-json", _) => format!("{name}.spdx-{version}.json"),
        ("spdx-tag-value", _) => format!("{name}.spdx"),
        ("swid", _) => format!("{name}.swidtag"),
        _ => panic!("{format} has no file name here"),
    }
}

#[test]
fn every_format_that_help_and_documentation_name_works() {
    let project = Project::example("minimal");
    let formats = named_by_help(&project);
    assert_eq!(formats.len(), 11, "{formats:?}");
    let documentation = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sbom.md")).unwrap();
    for format in &formats {
        let (name, version) = format.split_once('@').unwrap();
        let row = documentation.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
        assert!(row.contains(version), "{format}: {row}");
        let outcome = project.run(&["sbom", "--format-sbom", format]);
        if name == "swid" {
            assert!(outcome.expect(2).text().contains("swid describes released files"));
            continue;
        }
        let text = outcome.expect(0).stdout;
        assert!(text.contains("itoa") && text.contains("pkg:cargo/itoa@"), "{format}: {text}");
        // Without a version the first one counts.
        if ["1.7", "2.3"].contains(&version) || format == "cyclonedx-xml@1.6" {
            assert_eq!(project.run(&["sbom", "--format-sbom", name]).expect(0).stdout, text, "{format}");
        }
    }
    let outcome = project.run(&["sbom", "--format-sbom", "cyclonedx-json@1.3"]).expect(2);
    assert!(outcome.stderr.contains("none of cyclonedx-json[@1.7|1.6|1.5|1.4]"), "{outcome}");
}

#[test]
fn a_release_has_the_formats_that_the_policy_asks_for() {
    let project = Project::example("minimal");
    let formats = named_by_help(&project);
    let list = formats.iter().map(|format| format!("\"{format}\"")).collect::<Vec<_>>().join(", ");
    let documents = "author = \"Example KK\"\nauthor-contact = \"sbom@example.org\"\nsupplier = \"Example KK\"\n";
    project.append("supplychain.toml", &format!("\n[documents]\n{documents}formats = [{list}]\n"));
    project.run(&["build", "--sandbox", "off"]).expect(0);
    let release = project.release();
    let mut expected: Vec<String> = formats.iter().map(|format| format!("sbom/{}", file(format, "minimal"))).collect();
    expected.sort();
    let found: Vec<String> = files(&release).into_iter().filter(|path| path.starts_with("sbom/")).collect();
    assert_eq!(found, expected);
    let manifest: Value = serde_json::from_slice(&fs::read(release.join("release.json")).unwrap()).unwrap();
    let listed = manifest["files"].as_array().unwrap().iter().filter(|file| file["role"] == "sbom");
    assert_eq!(listed.count(), expected.len());
    let key = project.root().join("config/cargo-supplychain/key.pub");
    project.run(&["verify", release.as_str(), "--key", key.as_str()]).expect(0);
    // All are about the same file, and say who signed where.
    let digest = cargo_supplychain::base::Sha256::of(fs::read(release.join("artifacts/minimal")).unwrap()).to_string();
    for format in &formats {
        let text = fs::read_to_string(release.join("sbom").join(file(format, "minimal"))).unwrap();
        assert!(text.contains(&digest) && text.contains("Example KK"), "{format}");
        let place = match format.as_str() {
            "cyclonedx-json@1.7" => "attestations/minimal.cyclonedx.sigstore.json",
            "spdx-json@2.3" => "attestations/minimal.spdx.sigstore.json",
            _ => "attestations/release.sigstore.json",
        };
        assert_eq!(text.contains(place), format != "swid@2015", "{format}");
        assert!(release.join(place).is_file());
    }
}

/// Every format of a project, as a user would have it elsewhere.
fn everywhere(project: &Project, environment: &[(&str, &str)]) -> BTreeMap<String, String> {
    let formats = named_by_help(project);
    let formats = formats.iter().filter(|format| !format.starts_with("swid"));
    let text = |format: &String| {
        let mut command = project.command(&["sbom", "--format-sbom", format]);
        for (name, value) in environment {
            command = command.env(name, value);
        }
        (format.clone(), command.run().expect(0).stdout)
    };
    formats.map(text).collect()
}

#[test]
fn the_bytes_depend_on_neither_place_nor_user_nor_time_zone() {
    let (one, other) = (Project::example("minimal"), Project::example("minimal"));
    assert_ne!(one.folder(), other.folder());
    let stamp = ("SOURCE_DATE_EPOCH", "1764000000");
    let first = everywhere(&one, &[stamp, ("TZ", "UTC"), ("LANG", "C"), ("USER", "alice")]);
    let second = everywhere(&other, &[stamp, ("TZ", "Asia/Tokyo"), ("LANG", "ja_JP.UTF-8"), ("USER", "bob")]);
    assert_eq!(first, second);
    assert!(first.values().all(|text| text.contains("2025-11-24T16:00:00Z")), "{first:?}");
    let folder = Utf8Path::new(one.root()).as_str();
    assert!(first.values().all(|text| !text.contains(folder)));
}

#[test]
fn a_limit_of_depth_is_stated_in_every_format() {
    let project = Project::example("workspace");
    let arguments = ["sbom", "--bin", "report", "--depth", "1", "--format-sbom"];
    for (format, words) in [
        ("cyclonedx-json", "further away than that are not listed"),
        ("cyclonedx-xml", "<aggregate>incomplete</aggregate>"),
        ("spdx-json", "The lists are incomplete: depth 1:"),
        ("spdx-tag-value", "DEPENDS_ON NOASSERTION"),
        ("spdx-json@3.0.1", "\"completeness\": \"incomplete\""),
    ] {
        let text = project.run(&[&arguments[..], &[format]].concat()).expect(0).stdout;
        assert!(text.contains(words), "{format}: {text}");
    }
    project.run(&["sbom", "--depth", "0"]).expect(2);
}
