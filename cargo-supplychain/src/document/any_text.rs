//! For every format: text that others wrote is text and nothing else, whatever it is, and the order of the model's lists never shows.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::base::Location;
use crate::config::{DocumentSettings, SbomFormat};
use crate::finding::{FailOn, Finding, Report, ReportInput, Severity};
use crate::model::native::Import;
use crate::model::{Build, Gap};

/// The fixture with `text` wherever a manifest, a repository or a setting can bring it in.
fn build_with(text: &str) -> Build {
    let mut build = fixture::build();
    for component in build.components.values_mut() {
        text.clone_into(&mut component.name);
        text.clone_into(&mut component.version);
        component.license = Some(text.to_owned());
        component.license_file = Some(text.to_owned());
        component.authors = vec![text.to_owned(), format!("{text} <{text}>")];
        component.description = Some(text.to_owned());
        component.repository = Some(format!("https://example.org/{text}"));
    }
    for library in &mut build.artifacts[0].native {
        text.clone_into(&mut library.name);
        library.link_names = vec![text.to_owned()];
        library.import = Some(Import::Needed { name: text.to_owned() });
    }
    text.clone_into(&mut build.artifacts[0].name);
    build.source.remote = Some(format!("https://{text}.example.org/"));
    build.gaps = vec![Gap { subject: text.to_owned(), message: text.to_owned() }];
    build
}

fn report_with(text: &str) -> Report {
    let finding =
        Finding::new("dep/banned", Severity::High, text).about(text, &text).at(Location::line(text, 3)).because(text).help(text);
    Report::new(ReportInput { findings: vec![finding], ..ReportInput::default() }, FailOn::default(), fixture::stamp(), false)
}

fn sbom(format: SbomFormat, build: &Build, settings: &DocumentSettings) -> Document {
    sbom::Subject::new(format, build, &build.artifacts[0], settings).document().unwrap()
}

fn json(document: &Document) -> Value {
    serde_json::from_slice(&document.bytes).unwrap()
}

/// Arbitrary characters, and those that mean something to one of the formats more often.
fn any_text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "\n",
        "\r",
        "\t",
        "\0",
        "\u{1b}[0m",
        "|",
        "`",
        "```",
        "\"",
        "'",
        "\\",
        "::",
        "##[",
        "%0A",
        "<",
        ">",
        "&",
        "](",
        "@a",
        "(",
        ")",
        " OR ",
        "MIT",
        "/",
        "..",
        "\u{202e}",
        "\u{2028}",
        "日",
        ",",
        ":",
        "#",
    ]);
    let part = prop_oneof![special.prop_map(str::to_owned), any::<char>().prop_map(String::from)];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    // Eleven formats in each case.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn sboms_stay_valid(text in any_text()) {
        let build = build_with(&text);
        let settings = DocumentSettings { author: Some(text.clone()), supplier: Some(text), ..DocumentSettings::default() };
        for format in SbomFormat::ALL {
            let document = sbom(format, &build, &settings);
            let file = document.path.strip_prefix("sbom/").unwrap();
            prop_assert!(!file.contains(['/', '\\', '\n', '\0']) && !file.starts_with('.'), "{}", file);
            let text = str::from_utf8(&document.bytes).unwrap();
            match format {
                SbomFormat::CycloneDxJson(_) => {
                    prop_assert_eq!(json(&document)["components"].as_array().unwrap().len(), 14);
                }
                SbomFormat::CycloneDxXml(_) => prop_assert_eq!(text.matches("<component type=\"library\"").count(), 16),
                SbomFormat::SpdxJson => {
                    prop_assert!(serde_json::from_value::<spdx_rs::models::SPDX>(json(&document)).is_ok());
                }
                SbomFormat::SpdxTagValue => {
                    let read = spdx_rs::parsers::spdx_from_tag_value(text).unwrap();
                    prop_assert_eq!(read.package_information.len(), 18);
                }
                SbomFormat::Spdx3Json => {
                    let value = json(&document);
                    let packages = value["@graph"].as_array().unwrap().iter().filter(|one| one["type"] == "software_Package");
                    prop_assert_eq!(packages.count(), 18);
                }
                SbomFormat::Swid => prop_assert_eq!(text.matches("<File ").count(), 1),
            }
        }
    }

    #[test]
    fn the_order_of_lists_never_shows(seed in any::<[u8; 4]>()) {
        let build = fixture::build();
        let mut other = build.clone();
        let artifact = &mut other.artifacts[0];
        let turn = |at: usize, length: usize| usize::from(seed[at]) % length.max(1);
        let by = turn(0, artifact.linked.len());
        artifact.linked.rotate_left(by);
        let by = turn(1, artifact.host.len());
        artifact.host.rotate_left(by);
        let by = turn(2, artifact.native.len());
        artifact.native.rotate_left(by);
        for targets in artifact.dependencies.values_mut() {
            let by = turn(3, targets.len());
            targets.rotate_left(by);
        }
        let settings = DocumentSettings::default();
        for format in SbomFormat::ALL {
            prop_assert_eq!(sbom(format, &build, &settings), sbom(format, &other, &settings));
        }
        let texts = fixture::texts();
        prop_assert_eq!(notice::document(&build, &texts), notice::document(&other, &texts));
        let materials = |build: &Build| provenance::predicate(build, &fixture::report())["buildDefinition"].clone();
        prop_assert_eq!(materials(&build), materials(&other));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn lines_stay_lines(text in any_text()) {
        let report = report_with(&text);
        prop_assert_eq!(github::annotations(&report).lines().count(), 2);
        let summary = String::from_utf8(summary::document(&report).bytes).unwrap();
        for written in [github::annotations(&report), summary.clone(), String::from_utf8(report::document(&report).bytes).unwrap()] {
            prop_assert!(!written.contains("##["), "{}", written);
        }
        let row = summary.lines().filter(|line| line.starts_with("| high")).collect::<Vec<_>>();
        prop_assert_eq!(row.len(), 1);
        prop_assert_eq!(row[0].replace("\\\\", "").replace("\\|", "").matches('|').count(), 6, "{}", row[0]);
        let notice = String::from_utf8(notice::document(&build_with(&text), &fixture::texts()).bytes).unwrap();
        let expected = String::from_utf8(notice::document(&build_with("x"), &fixture::texts()).bytes).unwrap();
        prop_assert_eq!(notice.lines().count(), expected.lines().count());
    }

    #[test]
    fn sarif_keeps_its_places(text in any_text()) {
        let value = json(&sarif::document(&report_with(&text), &[]));
        let result = &value["runs"][0]["results"][0];
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
        prop_assert!(uri.bytes().all(is_plain) && !uri.starts_with('/') && !uri.split('/').any(|part| part == ".."), "{}", uri);
        prop_assert!(!result["message"]["text"].as_str().unwrap().contains("]("));
    }
}
