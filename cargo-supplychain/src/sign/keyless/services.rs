//! Where a keyless signer asks: the services of a signing configuration
//! (<https://github.com/sigstore/protobuf-specs>, `sigstore_trustroot.proto`, `SigningConfig` v0.2). Pure.

use std::collections::BTreeSet;

use serde_json::json;
use sigstore_verify::trust_root::{ServiceConfiguration, ServiceEndpoint, ServiceSelector, SigningConfig, SigstoreInstance};

use crate::attest::strict_json;
use crate::base::http::is_allowed;
use crate::base::text::plain;

/// More than any signing configuration needs.
pub const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// The services that one signature needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    /// Issues the certificate (Fulcio).
    pub fulcio: String,
    /// The transparency log; an instance for private repositories has none.
    pub log: Option<Log>,
    /// The timestamp authority (RFC 3161).
    pub tsa: Option<String>,
}

/// A transparency log (Rekor).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub url: String,
    pub version: LogVersion,
}

/// What a log speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogVersion {
    V1,
    V2,
}

impl Services {
    /// The services of a signing configuration that are valid now: of each kind the highest version, of those the one that became valid last,
    /// of those the first.
    ///
    /// # Errors
    /// Why it cannot be used, a fragment.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value = strict_json::parse(bytes).map_err(|error| format!("not JSON: {error}"))?;
        let text = value.to_string();
        let config = SigningConfig::from_json(&text).map_err(|error| plain(&error.to_string()).into_owned())?;
        Self::of(&config)
    }

    /// Those of the public good instance as of the release of `sigstore-trust-root` that is built in.
    ///
    /// # Errors
    /// The embedded configuration has no service that is valid now.
    pub fn public_good() -> Result<Self, String> {
        let config = SigstoreInstance::PublicGood.embedded_signing_config().map_err(|error| error.to_string())?;
        Self::of(&config.ok_or("there is no embedded signing configuration")?)
    }

    /// Signing configuration and trusted root, as JSON, of the instance by which GitHub signs for private repositories: no log, a timestamp
    /// authority. For the `GITHUB_SERVER_URL` of a data residency the services are those beside it.
    #[must_use]
    pub fn of_github(server: &str) -> (String, String) {
        let host = server.split("://").nth(1).unwrap_or(server).split(['/', ':']).next().unwrap_or_default();
        let host = if host == "github.com" { "githubapp.com" } else { host };
        let service = |url: String| json!([{ "url": url, "majorApiVersion": 1, "validFor": { "start": "2020-01-01T00:00:00Z" }, "operator": "github.com" }]);
        let config = json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": service(format!("https://fulcio.{host}")),
            "oidcUrls": [],
            "rekorTlogUrls": [],
            "rekorTlogConfig": { "selector": "ANY" },
            "tsaUrls": service(format!("https://timestamp.{host}/api/v1/timestamp")),
            "tsaConfig": { "selector": "ANY" },
        });
        (config.to_string(), SigstoreInstance::GitHub.embedded_trusted_root_json().to_owned())
    }

    fn of(config: &SigningConfig) -> Result<Self, String> {
        let authorities = config.eligible_fulcio_urls();
        let fulcio = newest(&authorities).ok_or("it names no certificate authority (caUrls) that is valid now")?.url.clone();
        let logs = config.eligible_rekor_urls(None);
        one_is_enough("rekorTlogConfig", &config.rekor_tlog_config, &logs)?;
        let tsas = config.eligible_tsa_urls();
        one_is_enough("tsaConfig", &config.tsa_config, &tsas)?;
        let log = newest(&logs).map(|log| Log {
            url: log.url.clone(),
            version: if log.major_api_version == 2 { LogVersion::V2 } else { LogVersion::V1 },
        });
        let tsa = newest(&tsas).map(|tsa| tsa.url.clone());
        let has_v1 = log.as_ref().is_some_and(|log| log.version == LogVersion::V1);
        if tsa.is_none() && !has_v1 {
            return Err(
                "it names no timestamp authority (tsaUrls) that is valid now, and only a log of version 1 tells the time".into(),
            );
        }
        if log.is_none() && !config.rekor_tlog_urls.is_empty() {
            return Err("none of its transparency logs (rekorTlogUrls) is valid now and of version 1 or 2".into());
        }
        let services = Self { fulcio, log, tsa };
        if let Some(url) = services.urls().find(|url| !is_allowed(url)) {
            return Err(format!("it names {:?}: neither https nor http on this machine", plain(url)));
        }
        Ok(services)
    }

    /// All of them.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        let log = self.log.as_ref().map(|log| log.url.as_str());
        [Some(self.fulcio.as_str()), log, self.tsa.as_deref()].into_iter().flatten()
    }

    /// Whether all of them are the public good instance's, whose trust root is embedded.
    #[must_use]
    pub fn are_public_good(&self) -> bool {
        let host = |url: &str| url.split("://").nth(1).and_then(|rest| rest.split('/').next()).map(str::to_owned);
        self.urls().all(|url| host(url).is_some_and(|host| host.ends_with(".sigstore.dev")))
    }
}

/// The service of the highest version that became valid last, the first of equals.
fn newest<'a>(eligible: &[&'a ServiceEndpoint]) -> Option<&'a ServiceEndpoint> {
    let rank = |one: &ServiceEndpoint| (one.major_api_version, one.valid_for.start);
    // `max_by_key` takes the last of equals.
    eligible.iter().rev().copied().max_by_key(|one| rank(one))
}

/// One service of a kind is asked; a configuration that wants more is refused rather than half followed.
fn one_is_enough(key: &str, config: &ServiceConfiguration, eligible: &[&ServiceEndpoint]) -> Result<(), String> {
    let is_enough = match config.selector {
        ServiceSelector::Any => true,
        ServiceSelector::Exact => config.count == Some(1),
        // Of each operator one is asked.
        ServiceSelector::All => eligible.iter().map(|one| &one.operator).collect::<BTreeSet<_>>().len() <= 1,
        _ => false,
    };
    if is_enough { Ok(()) } else { Err(format!("`{key}` asks for more than one service, which is not supported")) }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_instance_of_private_repositories() {
        let (config, root) = Services::of_github("https://github.com");
        let services = Services::parse(config.as_bytes()).unwrap();
        assert_eq!(services.fulcio, "https://fulcio.githubapp.com");
        assert_eq!((services.log, services.tsa.as_deref()), (None, Some("https://timestamp.githubapp.com/api/v1/timestamp")));
        assert!(super::super::TrustRoot::parse(root.as_bytes()).is_ok());
    }

    fn config() -> Value {
        let service = |url: &str, version: u32| json!({ "url": url, "majorApiVersion": version, "validFor": { "start": "2020-01-01T00:00:00Z" } });
        json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service("https://fulcio.example.org", 1)],
            "rekorTlogUrls": [service("https://rekor1.example.org", 1), service("https://rekor2.example.org", 2)],
            "tsaUrls": [service("https://tsa.example.org/api/v1/timestamp", 1)],
            "rekorTlogConfig": { "selector": "ANY" },
            "tsaConfig": { "selector": "ANY" },
        })
    }

    fn read(value: &Value) -> Result<Services, String> {
        Services::parse(value.to_string().as_bytes())
    }

    #[test]
    fn the_newest_log_and_the_first_of_the_others() {
        let services = read(&config()).unwrap();
        assert_eq!(services.log, Some(Log { url: "https://rekor2.example.org".into(), version: LogVersion::V2 }));
        assert!(!services.are_public_good());
        assert!(Services::public_good().unwrap().are_public_good());
        let mut old = config();
        old["rekorTlogUrls"][1]["validFor"]["end"] = json!("2021-01-01T00:00:00Z");
        assert_eq!(read(&old).unwrap().log.unwrap().version, LogVersion::V1);
        // Of one version the one that became valid last, wherever it stands; one of the future is none.
        let mut several = config();
        for (year, name) in [(2024, "b"), (2025, "c"), (2023, "d"), (2999, "e")] {
            let valid = json!({ "start": format!("{year}-01-01T00:00:00Z") });
            let one = json!({ "url": format!("https://{name}.example.org"), "majorApiVersion": 1, "validFor": valid });
            several["caUrls"].as_array_mut().unwrap().push(one.clone());
            several["tsaUrls"].as_array_mut().unwrap().push(one);
        }
        several["rekorTlogConfig"] = json!({ "selector": "ALL" });
        several["tsaConfig"] = json!({ "selector": "EXACT", "count": 1 });
        let services = read(&several).unwrap();
        let newest = "https://c.example.org";
        assert_eq!((services.fulcio.as_str(), services.tsa.as_deref()), (newest, Some(newest)));
        let mut private = config();
        private["rekorTlogUrls"] = json!([]);
        assert_eq!(read(&private).unwrap().log, None);
    }

    #[test]
    fn what_cannot_give_a_verifiable_bundle_is_refused() {
        /// What is wrong, how it came to be, and a word of the message.
        type Case = (&'static str, fn(&mut Value), &'static str);
        let cases: [Case; 8] = [
            ("media type", |c| c["mediaType"] = json!("text/plain"), "media type"),
            ("no authority", |c| c["caUrls"] = json!([]), "caUrls"),
            ("plain http", |c| c["caUrls"][0]["url"] = json!("http://fulcio.example.org"), "neither https"),
            ("a file", |c| c["tsaUrls"][0]["url"] = json!("file:///etc/passwd"), "neither https"),
            ("no time", |c| c["tsaUrls"] = json!([]), "tsaUrls"),
            (
                "no log is valid",
                |c| {
                    let from = json!({ "start": "2020-01-01T00:00:00Z" });
                    c["rekorTlogUrls"] = json!([{ "url": "https://x.org", "majorApiVersion": 3, "validFor": from }]);
                },
                "rekorTlogUrls",
            ),
            ("two logs", |c| c["rekorTlogConfig"] = json!({ "selector": "EXACT", "count": 2 }), "more than one"),
            (
                "all logs",
                |c| {
                    c["rekorTlogConfig"] = json!({ "selector": "ALL" });
                    c["rekorTlogUrls"][0]["operator"] = json!("another");
                },
                "more than one",
            ),
        ];
        for (what, change, why) in cases {
            let mut bad = config();
            change(&mut bad);
            let error = read(&bad).unwrap_err();
            assert!(error.contains(why), "{what}: {error}");
        }
        let twice = config().to_string().replacen("\"caUrls\"", "\"tsaUrls\":[],\"caUrls\"", 1);
        assert!(Services::parse(twice.as_bytes()).is_err());
    }
}
