//! Credentials for a registry, from the files in which `docker login`, `podman login` and others leave them. Helper programs that such a file may
//! name are not started: what then is missing is said.

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use sigstore_types::PayloadBytes;

use super::Error;
use crate::attest::strict_json;
use crate::files;

const MAX_FILE: u64 = 1 << 20;
const MAX_VALUES: usize = 10_000;

/// How to present oneself.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    Nobody {
        /// The helper program that the file names for this registry, which was not asked.
        helper: Option<String>,
    },
    Password {
        user: String,
        password: String,
    },
    /// A refresh token (`identitytoken`).
    Token(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody { .. } => "Nobody",
            Self::Password { .. } => "Password",
            Self::Token(_) => "Token",
        })
    }
}

impl Credentials {
    /// Those of the first file that knows the registry: `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG/config.json`, `~/.docker/config.json`,
    /// `XDG_RUNTIME_DIR/containers/auth.json`.
    ///
    /// # Errors
    /// A file is there and cannot be read.
    pub fn find(registry: &str, env: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut helper = None;
        for path in places(env) {
            match of_file(&path, registry)? {
                Self::Nobody { helper: named } => helper = helper.or(named),
                found => return Ok(found),
            }
        }
        Ok(Self::Nobody { helper })
    }

    /// As the header says it.
    pub(super) fn basic(&self) -> Option<String> {
        let Self::Password { user, password } = self else { return None };
        Some(format!("Basic {}", PayloadBytes::from_bytes(format!("{user}:{password}").as_bytes()).to_base64()))
    }
}

fn places(env: &BTreeMap<String, String>) -> Vec<Utf8PathBuf> {
    let var = |name: &str| env.get(name).filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
    let home = var("HOME").or_else(|| var("USERPROFILE"));
    let docker = var("DOCKER_CONFIG").or_else(|| home.map(|home| home.join(".docker")));
    let podman = var("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json"));
    [var("REGISTRY_AUTH_FILE"), docker.map(|folder| folder.join("config.json")), podman].into_iter().flatten().collect()
}

fn of_file(path: &Utf8Path, registry: &str) -> Result<Credentials, Error> {
    let failed = |why: String| Error::Credentials { path: path.to_string(), why };
    let bytes = match files::read(path, MAX_FILE) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Credentials::Nobody { helper: None }),
        Err(error) => return Err(failed(format!("cannot be read: {error}"))),
    };
    let value = strict_json::parse_within(&bytes, MAX_VALUES).map_err(|error| failed(format!("is not understood: {error}")))?;
    of_config(&value, registry).map_err(|why| failed(format!("is not understood: {why}")))
}

fn of_config(value: &Value, registry: &str) -> Result<Credentials, &'static str> {
    let names: &[&str] = match registry {
        "docker.io" => &["https://index.docker.io/v1/", "index.docker.io", "docker.io"],
        _ => &[registry],
    };
    let is_it = |key: &str| {
        let host = key.split_once("://").map_or(key, |(_, rest)| rest).trim_end_matches('/');
        names.contains(&key) || names.contains(&host) || names.contains(&host.split('/').next().unwrap_or_default())
    };
    let entries = value.get("auths").and_then(Value::as_object).into_iter().flatten();
    for entry in entries.filter(|(key, _)| is_it(key)).map(|(_, entry)| entry) {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        if let Some(token) = text("identitytoken") {
            return Ok(Credentials::Token(token.to_owned()));
        }
        if let Some(auth) = text("auth") {
            let bytes = PayloadBytes::from_base64(auth).map_err(|_| "an `auth` is not base64")?.into_bytes();
            let pair = String::from_utf8(bytes).map_err(|_| "an `auth` is not UTF-8")?;
            let (user, password) = pair.split_once(':').ok_or("an `auth` is not user:password")?;
            return Ok(Credentials::Password { user: user.to_owned(), password: password.trim_end_matches('\0').to_owned() });
        }
        if let Some((user, password)) = text("username").zip(text("password")) {
            return Ok(Credentials::Password { user: user.to_owned(), password: password.to_owned() });
        }
    }
    let helpers = value.get("credHelpers").and_then(Value::as_object).into_iter().flatten();
    let own = helpers.filter(|(key, _)| is_it(key)).find_map(|(_, program)| program.as_str());
    let helper = own.or_else(|| value.get("credsStore").and_then(Value::as_str)).filter(|name| !name.is_empty());
    Ok(Credentials::Nobody { helper: helper.map(|name| format!("docker-credential-{name}")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_of_the_registry() {
        let of = |text: &str, registry: &str| of_config(&serde_json::from_str(text).unwrap(), registry);
        let password = |user: &str, password: &str| Ok(Credentials::Password { user: user.into(), password: password.into() });
        let nobody = |helper: Option<&str>| Ok(Credentials::Nobody { helper: helper.map(str::to_owned) });
        // `dTpwOnc=` is u:p:w.
        let auths = r#"{"auths":{"https://ghcr.io/v2/":{"auth":"dTpwOnc="},"https://index.docker.io/v1/":{"username":"d","password":"e"},"t":{"identitytoken":"x"}}}"#;
        assert_eq!(of(auths, "ghcr.io"), password("u", "p:w"));
        assert_eq!(of(auths, "docker.io"), password("d", "e"));
        assert_eq!(of(auths, "t"), Ok(Credentials::Token("x".into())));
        assert_eq!(of(auths, "evil.ghcr.io"), nobody(None));
        assert_eq!(of(auths, "ghcr.io:444"), nobody(None));
        let helpers = r#"{"credHelpers":{"a.example":"aws"},"credsStore":"desktop","auths":{"a.example":{}}}"#;
        assert_eq!(of(helpers, "a.example"), nobody(Some("docker-credential-aws")));
        assert_eq!(of(helpers, "b.example"), nobody(Some("docker-credential-desktop")));
        assert_eq!(of(r#"{"auths":{"a":{"auth":"!"}}}"#, "a"), Err("an `auth` is not base64"));
        assert_eq!(of(r#"{"auths":[1]}"#, "a"), nobody(None));
        assert!(!format!("{:?}", password("u", "secret")).contains("secret"));
    }
}
