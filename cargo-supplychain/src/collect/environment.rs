//! The environment of build children: everything but secrets, and the part of it that is recorded.
//!
//! A build script of the same user can still read what that user can read, the user's files included; only a sealed build or a separate
//! signing job closes that (ARCHITECTURE.md, invariant 8).

use std::collections::BTreeMap;

use crate::base::text;

/// Ends of names that hold secrets by the habit of the field.
const SECRET_ENDS: [&str; 12] = [
    "TOKEN",
    "SECRET",
    "SECRETS",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "CREDENTIALS",
    "PRIVATE_KEY",
    "API_KEY",
    "ACCESS_KEY",
    "AUTH",
];
/// Beginnings of names that belong to a CI system's or a cloud's identity machinery.
const SECRET_BEGINNINGS: [&str; 15] = [
    "ACTIONS_",
    "INPUT_",
    "SIGSTORE_",
    "COSIGN_",
    "SUPPLYCHAIN_",
    "AWS_",
    "AZURE_",
    "GOOGLE_",
    "GCP_",
    "VAULT_",
    "CI_JOB_JWT",
    "CI_JOB_TOKEN",
    "CI_REGISTRY_",
    "BUILDKITE_AGENT_ACCESS",
    "CIRCLE_OIDC",
];
/// Single names: sockets that lend keys, and the runner's command files, by which a child could speak for the workflow.
const SECRET_NAMES: [&str; 11] = [
    "SSH_AUTH_SOCK",
    "GPG_AGENT_INFO",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_OUTPUT",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "NETRC",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// Whether a variable is kept from build children.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET_NAMES.contains(&name.as_str())
        || SECRET_ENDS.iter().any(|end| name.ends_with(end))
        || SECRET_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || name.contains("_TOKEN_")
        || name.contains("_SECRET_")
}

/// What build children see.
#[must_use]
pub fn for_build(environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    environment.iter().filter(|(name, _)| !is_secret(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What is written into the provenance: variables that shape a build and whose values are no secrets and no machine's paths.
#[must_use]
pub fn recorded(environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let recorded = |name: &str| {
        name.starts_with("CARGO_PROFILE_")
            || (name.starts_with("CARGO_TARGET_") && (name.ends_with("_LINKER") || name.ends_with("_RUSTFLAGS")))
            || matches!(
                name,
                "RUSTFLAGS"
                    | "CARGO_ENCODED_RUSTFLAGS"
                    | "CARGO_BUILD_RUSTFLAGS"
                    | "CARGO_BUILD_TARGET"
                    | "CARGO_INCREMENTAL"
                    | "RUSTC_WRAPPER"
                    | "RUSTC_WORKSPACE_WRAPPER"
                    | "CARGO_BUILD_RUSTC_WRAPPER"
                    | "RUSTC"
                    | "RUSTC_BOOTSTRAP"
                    | "SOURCE_DATE_EPOCH"
                    | "CC"
                    | "CXX"
                    | "AR"
                    | "CFLAGS"
                    | "CXXFLAGS"
                    | "LDFLAGS"
                    | "MACOSX_DEPLOYMENT_TARGET"
            )
    };
    environment
        .iter()
        .filter(|(name, _)| recorded(name) && !is_secret(name))
        .map(|(name, value)| (name.clone(), without_credentials(value)))
        .collect()
}

/// Only words that hold a URL can hold its credentials; `#` and `?` in other flags are theirs.
fn without_credentials(value: &str) -> String {
    let is_separator = |character: char| character.is_whitespace() || character == '\u{1f}';
    let clean = |part: &str| {
        let word = part.trim_end_matches(is_separator);
        let shown = if word.contains("://") { text::without_credentials(word) } else { word.to_owned() };
        format!("{shown}{}", &part[word.len()..])
    };
    value.split_inclusive(is_separator).map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_recorded_whole_and_urls_without_secrets() {
        for (value, shown) in [
            ("--cfg a=\"#?\" -C b", "--cfg a=\"#?\" -C b"),
            ("--cfg\u{1f}x#y", "--cfg\u{1f}x#y"),
            ("-la  -Lx=https://u:p@host/r?token=1 -O", "-la  -Lx=https://host/r -O"),
        ] {
            let environment = BTreeMap::from([("RUSTFLAGS".to_owned(), value.to_owned())]);
            assert_eq!(recorded(&environment)["RUSTFLAGS"], shown);
        }
    }

    #[test]
    fn secrets_are_kept_from_children() {
        for secret in [
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_REGISTRIES_CORP_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "ACTIONS_RUNTIME_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "INPUT_ARGS",
            "SUPPLYCHAIN_KEY_PASSPHRASE",
            "SSH_AUTH_SOCK",
            "npm_token",
            "GITHUB_ENV",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for plain in ["PATH", "HOME", "RUSTFLAGS", "CARGO_TERM_COLOR", "GITHUB_SHA", "CI", "CC", "OPENSSL_DIR", "TOKENIZERS"] {
            assert!(!is_secret(plain), "{plain}");
        }
    }
}
