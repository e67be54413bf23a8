//! The predicate of SLSA provenance v1 (`https://slsa.dev/spec/v1.2/build-provenance`): how the artifacts came to be. The fields of
//! our build type are documented in `docs/build-type-v1.md`. The statement around it is `attest`'s.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::identity::public_url;
use super::{Document, HOME, TOOL_VERSION, evidence, report};
use crate::base::Sha256;
use crate::finding::Report;
use crate::model::remap::PathRemapping;
use crate::model::sandbox::{Enforcement, SandboxRecord};
use crate::model::{Build, CiRun, Component, Origin, Reproduced, Reproduction, TargetFolder};

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";

/// The build type: which parameters there are and what they mean.
#[must_use]
pub fn build_type() -> String {
    format!("{HOME}/blob/main/docs/build-type-v1.md")
}

/// The predicate over all artifacts of one build. `report` is the one that is released as `reports/report.json`.
///
/// It names no start or end: the only instant that is the same in every run of the same inputs is the stamp.
#[must_use]
pub fn predicate(build: &Build, report: &Report) -> Value {
    json!({
        "buildDefinition": {
            "buildType": build_type(),
            "externalParameters": external_parameters(build),
            "internalParameters": internal_parameters(build),
            "resolvedDependencies": resolved_dependencies(build),
        },
        "runDetails": {
            "builder": {
                "id": builder_id(build.ci.as_ref()),
                "version": {"cargo-supplychain": TOOL_VERSION},
            },
            "metadata": metadata(build.ci.as_ref()),
            "byproducts": byproducts(build, report),
        },
    })
}

/// Who ran the build, as far as we can say ourselves: on somebody's machine, or in a CI job by its own account. A builder that
/// vouches for more signs its own statement.
fn builder_id(ci: Option<&CiRun>) -> String {
    format!("{HOME}/blob/main/docs/builders/{}.md", if ci.is_some() { "ci" } else { "local" })
}

/// What the user asked for.
fn external_parameters(build: &Build) -> Value {
    let invocation = &build.invocation;
    let mut source = Map::new();
    if let Some(uri) = source_uri(build) {
        source.insert("uri".to_owned(), json!(uri));
    }
    let mut tags = build.source.tags.clone();
    tags.sort();
    source.insert("tags".to_owned(), json!(tags));
    source.insert("subdirectory".to_owned(), json!(build.source.subdirectory));
    json!({
        "source": source,
        "manifest": invocation.manifest,
        "arguments": invocation.arguments,
        "profile": invocation.profile,
        "target": invocation.target,
        "features": invocation.features,
        "allFeatures": invocation.all_features,
        "defaultFeatures": invocation.default_features,
    })
}

/// What the machine added to it.
fn internal_parameters(build: &Build) -> Value {
    let (invocation, toolchain) = (&build.invocation, &build.toolchain);
    let mut gaps = build.gaps.clone();
    gaps.sort();
    let mut fields = json!({
        "toolchain": {
            "rustc": toolchain.rustc,
            "rustcCommit": toolchain.rustc_commit,
            "cargo": toolchain.cargo,
            "llvm": toolchain.llvm,
            "host": toolchain.host,
            "channel": toolchain.channel,
        },
        "rustflags": invocation.rustflags,
        "pathRemapping": invocation.path_remapping.as_ref().map(path_remapping),
        "targetIsExplicit": invocation.target_is_explicit,
        "targetFolder": invocation.target_folder,
        "sandbox": invocation.sandbox.enforcement.word(),
        "sandboxDetails": sandbox_details(&invocation.sandbox),
        "isolation": isolation(build),
        "environment": invocation.environment,
        "sourceIsDirty": build.source.dirty,
        "stamp": build.stamp,
        "gaps": gaps,
    });
    if !invocation.profile_overrides.is_empty()
        && let Some(fields) = fields.as_object_mut()
    {
        fields.insert("profileOverrides".to_owned(), json!(invocation.profile_overrides));
    }
    if let (true, Some(fields)) = (invocation.audit_data, fields.as_object_mut()) {
        fields.insert("auditData".to_owned(), json!(true));
    }
    if let (Some(reproduction), Some(fields)) = (&build.reproduction, fields.as_object_mut()) {
        fields.insert("reproduction".to_owned(), reproduced(reproduction));
    }
    if let (Some(ci), Some(fields)) = (&build.ci, fields.as_object_mut()) {
        fields.insert("ci".to_owned(), json!({"provider": ci.provider, "facts": ci.facts}));
    }
    fields
}

/// What kept this build apart from others and from the world, and what did not. The runner is the CI system's word, the rest what we saw.
fn isolation(build: &Build) -> Value {
    let invocation = &build.invocation;
    let runner = build.ci.as_ref().and_then(|ci| ci.facts.get("RUNNER_ENVIRONMENT"));
    let (sealed, exceptions) = match &invocation.sandbox.enforcement {
        Enforcement::None { .. } => (false, &[][..]),
        Enforcement::Linux(seal) => (true, seal.exceptions.as_slice()),
    };
    let network = match (sealed, exceptions.iter().any(|exception| exception.ends_with(": network"))) {
        (false, _) => "open",
        (true, true) => "refused-with-exceptions",
        (true, false) => "refused",
    };
    let wrapper = |name: &str| invocation.environment.get(name).filter(|program| !program.is_empty());
    let wrappers: BTreeSet<_> =
        ["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"].into_iter().filter_map(wrapper).collect();
    let mut open = Vec::new();
    let mut note = |is: bool, what: &str| {
        if is {
            open.push(what.to_owned());
        }
    };
    note(build.ci.is_none(), "it ran on a machine of somebody's, not in a CI job");
    note(
        runner.is_some_and(|kind| kind == "self-hosted"),
        "the runner is the owner's own machine, which other jobs may have changed",
    );
    note(build.ci.is_some() && runner.is_none(), "the CI system does not say on which kind of runner it ran");
    note(!sealed, "build scripts and procedural macros could do what the account can, the network included");
    note(
        !exceptions.is_empty(),
        "exceptions of the policy opened files or the network to some crates (sandboxDetails.exceptions)",
    );
    note(invocation.target_folder == TargetFolder::Reused, "results of earlier builds were in the target folder");
    note(!wrappers.is_empty(), "a compiler wrapper may have taken results of other builds from its cache");
    note(true, "this statement was written by the account that ran the build");
    open.sort();
    json!({ "runner": runner, "buildScripts": if sealed { "sealed" } else { "open" }, "network": network,
        "compilerWrappers": wrappers, "notIsolated": open })
}

/// What was asked, what the kernel was asked to enforce by its own answer, and how much it refused. A list that is not there does not
/// apply; `null` is unknown.
fn sandbox_details(sandbox: &SandboxRecord) -> Value {
    let mut fields = json!({ "mode": sandbox.asked, "deniedAttempts": sandbox.denied });
    match &sandbox.enforcement {
        Enforcement::None { why, .. } => fields["why"] = json!(why),
        Enforcement::Linux(seal) => {
            fields["landlockAbi"] = json!(seal.landlock_abi);
            for (name, list) in [("rules", &seal.rules), ("refused", &seal.refused), ("exceptions", &seal.exceptions)] {
                let mut list = list.clone();
                list.sort();
                fields[name] = json!(list);
            }
        }
    }
    if sandbox.unlisted > 0 {
        fields["deniedKindsNotListed"] = json!(sandbox.unlisted);
    }
    fields
}

/// What a second build gave. The report says more of what differs.
fn reproduced(reproduction: &Reproduction) -> Value {
    let artifact =
        |one: &Reproduced| json!({"name": one.name, "sha256": one.second, "agrees": one.agrees(), "causes": one.causes()});
    json!({
        "agrees": reproduction.agrees(),
        "varied": reproduction.varied,
        "artifacts": reproduction.artifacts.iter().map(artifact).collect::<Vec<_>>(),
        "notCompared": reproduction.not_compared,
        "failed": reproduction.failed,
    })
}

/// The names that folders of the machine have in the artifacts; our own flags, apart from the project's.
fn path_remapping(remapping: &PathRemapping) -> Value {
    json!({
        "workspace": remapping.workspace,
        "cargoHome": remapping.cargo_home,
        "targetFolder": remapping.target_folder,
        "repository": remapping.repository,
        "c": remapping.c,
    })
}

/// `git+URL@COMMIT` (SPDX download location form), where both are known.
fn source_uri(build: &Build) -> Option<String> {
    let url = build.source.remote.as_deref().and_then(public_url)?;
    Some(match &build.source.commit {
        Some(commit) => format!("git+{url}@{commit}"),
        None => format!("git+{url}"),
    })
}

/// The source first, then everything that took part in any artifact, sorted by package URL.
fn resolved_dependencies(build: &Build) -> Vec<Value> {
    let mut list = Vec::new();
    if let Some(commit) = &build.source.commit {
        let mut source = Map::new();
        source.insert("name".to_owned(), json!("source"));
        if let Some(uri) = source_uri(build) {
            source.insert("uri".to_owned(), json!(uri));
        }
        source.insert("digest".to_owned(), json!({"gitCommit": commit}));
        list.push(Value::Object(source));
    }
    let parts = build.artifacts.iter().flat_map(|artifact| artifact.linked.iter().chain(&artifact.host));
    let used: BTreeSet<&str> = parts.map(|part| part.purl.as_str()).collect();
    list.extend(used.iter().filter_map(|purl| build.components.get(*purl)).filter_map(material));
    list
}

/// A package as a material. Those of the source repository itself are in the source's commit already.
fn material(component: &Component) -> Option<Value> {
    let digest = match (&component.origin, &component.checksum) {
        (Origin::Workspace { .. }, _) => return None,
        (Origin::Git { rev, .. }, _) => json!({"gitCommit": rev}),
        (_, Some(checksum)) => json!({"sha256": checksum}),
        // A digest that is not known is left out, the material is not.
        (_, None) => Value::Null,
    };
    let mut fields = Map::new();
    fields.insert("uri".to_owned(), json!(component.purl));
    if !digest.is_null() {
        fields.insert("digest".to_owned(), digest);
    }
    Some(Value::Object(fields))
}

fn metadata(ci: Option<&CiRun>) -> Value {
    match ci.and_then(|ci| ci.run_url.as_deref()) {
        Some(url) => json!({"invocationId": url}),
        None => json!({}),
    }
}

fn byproducts(build: &Build, report: &Report) -> Vec<Value> {
    let describe = |document: &Document| {
        json!({
            "name": document.path,
            "digest": {"sha256": Sha256::of(&document.bytes)},
            "mediaType": document.media_type,
        })
    };
    let mut judged = describe(&report::document(report));
    judged["annotations"] = json!({"verdict": report.verdict, "failOn": report.fail_on});
    vec![judged, describe(&evidence::build(build))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::fixture;
    use crate::model::sandbox::{SandboxMode, Seal};

    #[test]
    fn says_what_was_asked_and_what_was_used() {
        let predicate = predicate(&fixture::build(), &fixture::report());
        let definition = &predicate["buildDefinition"];
        assert_eq!(definition["externalParameters"]["arguments"], json!(["--bins", "--features", "tls"]));
        let commit = "89abcdef0123456789abcdef0123456789abcdef";
        let materials = definition["resolvedDependencies"].as_array().unwrap();
        assert_eq!(materials[0]["uri"], format!("git+https://github.com/example/demo@{commit}"));
        assert_eq!(materials[0]["digest"]["gitCommit"], commit);
        // Ten linked and build-only packages of registries, one of git; not the two of the workspace, not the resolved one.
        assert_eq!(materials.len(), 1 + 12, "{materials:#?}");
        let itoa = materials.iter().find(|one| one["uri"] == "pkg:cargo/itoa@1.0.15").unwrap();
        assert_eq!(itoa["digest"]["sha256"], Sha256::of("itoa-1.0.15.crate").to_string());
        let git = materials.iter().find(|one| one["uri"].as_str().unwrap().starts_with("pkg:cargo/parser")).unwrap();
        assert_eq!(git["digest"]["gitCommit"], "0123456789abcdef0123456789abcdef01234567");
        assert!(materials.iter().all(|one| one["uri"] != "pkg:cargo/winapi@0.3.9"));
        assert_eq!(definition["internalParameters"]["targetFolder"], "fresh");
        assert_eq!(definition["internalParameters"]["sandbox"], "none");
    }

    #[test]
    fn says_what_enclosed_the_build_and_why_nothing_did() {
        let of = |sandbox: SandboxRecord| {
            let mut build = fixture::build();
            build.invocation.sandbox = sandbox;
            let parameters = internal_parameters(&build);
            (parameters["sandbox"].clone(), parameters["sandboxDetails"].clone())
        };
        let seal = Seal {
            landlock_abi: 6,
            rules: vec!["read /usr".into(), "write <target>".into()],
            refused: vec!["no network but AF_UNIX pairs".into()],
            exceptions: vec!["openssl-sys 0.9.104: read /opt/ssl".into()],
        };
        let sealed = |denied, unlisted| {
            let enforcement = Enforcement::Linux(seal.clone());
            SandboxRecord { asked: SandboxMode::Require, enforcement, denied, unlisted }
        };
        let details = json!({
            "mode": "require",
            "landlockAbi": 6,
            "rules": ["read /usr", "write <target>"],
            "refused": ["no network but AF_UNIX pairs"],
            "exceptions": ["openssl-sys 0.9.104: read /opt/ssl"],
            "deniedAttempts": 0,
        });
        assert_eq!(of(sealed(0, 0)), (json!("landlock+seccomp"), details));
        assert_eq!(of(sealed(3, 2)).1["deniedKindsNotListed"], 2);
        let enforcement = Enforcement::None { why: "this system has no Landlock".into(), asked_off: false };
        let none = SandboxRecord { asked: SandboxMode::Auto, enforcement, denied: 0, unlisted: 0 };
        let details = json!({ "mode": "auto", "why": "this system has no Landlock", "deniedAttempts": 0 });
        assert_eq!(of(none), (json!("none"), details));
    }

    #[test]
    fn says_what_was_isolated_and_what_was_not() {
        let with = |runner: Option<&str>, seal: Option<&[&str]>, change: fn(&mut Build)| {
            let mut build = fixture::build();
            let facts = &mut build.ci.as_mut().unwrap().facts;
            facts.remove("RUNNER_ENVIRONMENT");
            facts.extend(runner.map(|runner| ("RUNNER_ENVIRONMENT".to_owned(), runner.to_owned())));
            if let Some(exceptions) = seal {
                let exceptions = exceptions.iter().map(|text| (*text).to_owned()).collect();
                let seal = Seal { landlock_abi: 6, rules: vec![], refused: vec![], exceptions };
                build.invocation.sandbox.enforcement = Enforcement::Linux(seal);
            }
            change(&mut build);
            isolation(&build)
        };
        let number = |isolation: &Value| isolation["notIsolated"].as_array().unwrap().len();
        let best = with(Some("github-hosted"), Some(&[]), |_| {});
        let own = "this statement was written by the account that ran the build";
        assert_eq!(
            best,
            json!({ "runner": "github-hosted", "buildScripts": "sealed", "network": "refused", "compilerWrappers": [], "notIsolated": [own] })
        );
        let excepted = with(Some("github-hosted"), Some(&["a 1.0.0: network"]), |_| {});
        assert_eq!((&excepted["network"], number(&excepted)), (&json!("refused-with-exceptions"), 2));
        let worst = with(Some("self-hosted"), None, |build| {
            build.invocation.target_folder = TargetFolder::Reused;
            build.invocation.environment.insert("RUSTC_WRAPPER".into(), "sccache".into());
        });
        assert_eq!((&worst["network"], &worst["compilerWrappers"], number(&worst)), (&json!("open"), &json!(["sccache"]), 5));
        let unknown = with(None, Some(&[]), |_| {});
        assert_eq!((&unknown["runner"], number(&unknown)), (&Value::Null, 2));
        let local = isolation(&fixture::planned());
        assert!(local["notIsolated"].as_array().unwrap().iter().any(|word| word.as_str().unwrap().contains("not in a CI job")));
    }

    #[test]
    fn claims_no_more_than_it_knows() {
        let in_ci = predicate(&fixture::build(), &fixture::report());
        assert!(in_ci["runDetails"]["builder"]["id"].as_str().unwrap().ends_with("/docs/builders/ci.md"));
        assert!(in_ci["runDetails"]["metadata"]["invocationId"].as_str().unwrap().ends_with("/runs/42/attempts/1"));
        assert!(in_ci["runDetails"]["metadata"].get("startedOn").is_none());
        let local = predicate(&fixture::planned(), &fixture::report());
        assert!(local["runDetails"]["builder"]["id"].as_str().unwrap().ends_with("/docs/builders/local.md"));
        assert_eq!(local["runDetails"]["metadata"], json!({}));
        assert_eq!(local["buildDefinition"]["internalParameters"]["sourceIsDirty"], Value::Null);
        assert!(local["buildDefinition"]["externalParameters"]["source"].get("uri").is_none());
    }

    #[test]
    fn byproducts_are_the_documents_that_are_released() {
        let report = fixture::report();
        let predicate = predicate(&fixture::build(), &report);
        let byproduct = &predicate["runDetails"]["byproducts"][0];
        assert_eq!(byproduct["name"], "reports/report.json");
        assert_eq!(byproduct["digest"]["sha256"], Sha256::of(report::document(&report).bytes).to_string());
        assert_eq!(byproduct["annotations"]["verdict"], "fail");
    }
}
