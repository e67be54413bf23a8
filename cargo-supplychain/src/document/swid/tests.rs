use super::*;
use crate::config::{DocumentSettings, SbomFormat};
use crate::document::fixture;
use crate::model::Build;

fn render(build: &Build, settings: &DocumentSettings) -> Result<String, Error> {
    let document = Subject::new(SbomFormat::Swid, build, &build.artifacts[0], settings).document()?;
    Ok(String::from_utf8(document.bytes).unwrap())
}

#[test]
fn a_tag_names_file_makers_and_parts() {
    let settings = DocumentSettings {
        author: Some("Example KK".to_owned()),
        author_contact: Some("sbom@example.org".to_owned()),
        supplier: Some("Example KK".to_owned()),
        ..DocumentSettings::default()
    };
    let build = fixture::build();
    let text = render(&build, &settings).unwrap();
    let digest = build.artifacts[0].file.as_ref().unwrap().sha256;
    for expected in [
        "xml:lang=\"en\" name=\"demo\" tagId=\"",
        "tagVersion=\"0\" version=\"1.2.0\" versionScheme=\"semver\"",
        "<Entity name=\"Example KK\" regid=\"example.org\" role=\"tagCreator softwareCreator\"/>",
        "<Link rel=\"component\" href=\"pkg:cargo/serde@1.0.228\"/>",
        "<Link rel=\"component\" href=\"pkg:generic/rust-std@1.95.0\"/>",
        &format!("<File name=\"demo\" size=\"4242424\" SHA256:hash=\"{digest}\"/>"),
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(!text.contains("serde_derive"), "{text}");
}

#[test]
fn unknown_makers_are_said_to_be_unknown() {
    let text = render(&fixture::build(), &DocumentSettings::default()).unwrap();
    assert!(text.contains("<Entity name=\"unknown\" regid=\"invalid.unavailable\" role=\"tagCreator\"/>"), "{text}");
    assert!(text.contains("<Entity name=\"unknown\" regid=\"invalid.unavailable\" role=\"softwareCreator\"/>"), "{text}");
}

#[test]
fn the_tag_of_other_bytes_is_another() {
    let build = fixture::build();
    let mut other = build.clone();
    other.artifacts[0].file.as_mut().unwrap().sha256 = crate::base::Sha256::of("other");
    let id = |build: &Build| {
        let text = render(build, &DocumentSettings::default()).unwrap();
        text.split("tagId=\"").nth(1).unwrap()[..36].to_owned()
    };
    assert_ne!(id(&build), id(&other));
    assert_eq!(id(&build), id(&fixture::build()));
}

#[test]
fn what_is_not_built_has_no_tag() {
    let error = render(&fixture::planned(), &DocumentSettings::default()).unwrap_err();
    assert!(error.to_string().contains("not built"), "{error}");
}
