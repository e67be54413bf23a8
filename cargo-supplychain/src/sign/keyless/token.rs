//! Identity tokens (OpenID Connect): where a CI system gives one, and what ours claims. The token is a secret: it is sent to the
//! certificate authority, and never shown, recorded or written.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use pkcs8::der::zeroize::Zeroizing;
use serde_json::Value;
use sigstore_types::PayloadBytes;

use super::Failure;
use crate::attest::strict_json;
use crate::base::http::{Call, Request};
use crate::base::text::plain;
use crate::base::{Context, Http};
use crate::sign::process;

/// What the token is for.
const AUDIENCE: &str = "sigstore";
/// The variable that GitLab's `id_tokens` fill, and that other signers read as well.
const VARIABLE: &str = "SIGSTORE_ID_TOKEN";
/// Larger than any identity token.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;
const PROVIDER: &str = "the identity provider";

/// Where a token comes from.
pub enum TokenSource {
    /// It is here already; and from where, for people.
    Given { token: Zeroizing<String>, from: String },
    /// GitHub Actions gives one for each request.
    GitHub { url: String, token: Zeroizing<String> },
    /// A CI system's agent program prints one.
    Program { name: &'static str, path: Utf8PathBuf, arguments: Vec<String>, env: BTreeMap<String, String> },
}

impl TokenSource {
    /// The identity that the surroundings offer, where they do: `SIGSTORE_ID_TOKEN` (GitLab and others), GitHub Actions, Buildkite,
    /// CircleCI.
    #[must_use]
    pub fn ambient(context: &Context) -> Option<Self> {
        let secret = |name: &str| context.var(name).map(|value| Zeroizing::new(value.to_owned()));
        if let Some(token) = secret(VARIABLE) {
            return Some(Self::Given { token, from: VARIABLE.to_owned() });
        }
        if let (Some(url), Some(token)) = (context.var("ACTIONS_ID_TOKEN_REQUEST_URL"), secret("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
        {
            return Some(Self::GitHub { url: url.to_owned(), token });
        }
        let program = |name: &'static str, arguments: &[&str]| {
            let path = process::find(context, name)?;
            let arguments = arguments.iter().map(|one| (*one).to_owned()).collect();
            Some(Self::Program { name, path, arguments, env: context.env.clone() })
        };
        if context.var("BUILDKITE") == Some("true") && context.var("BUILDKITE_AGENT_ACCESS_TOKEN").is_some() {
            return program("buildkite-agent", &["oidc", "request-token", "--audience", AUDIENCE]);
        }
        if context.var("CIRCLECI") == Some("true") {
            // A ready token is for another audience; the program gives one for ours.
            let ready =
                secret("CIRCLE_OIDC_TOKEN_V2").map(|token| Self::Given { token, from: "CIRCLE_OIDC_TOKEN_V2".to_owned() });
            let claims = format!("{{\"aud\":\"{AUDIENCE}\"}}");
            ready.as_ref()?;
            return program("circleci", &["run", "oidc", "get", "--root-issuer", "--claims", &claims]).or(ready);
        }
        None
    }

    /// A token in a file, or with `env:NAME` in a variable.
    ///
    /// # Errors
    /// It is not there, or is no token; a fragment without it.
    pub fn given(context: &Context, place: &str) -> Result<Self, String> {
        let (text, from) = match place.strip_prefix("env:") {
            Some(name) => {
                let value = context.var(name).ok_or_else(|| format!("the variable {name} is not set"))?;
                (Zeroizing::new(value.to_owned()), name.to_owned())
            }
            None => {
                let path = context.cwd.join(place);
                let bytes =
                    crate::files::read(&path, MAX_TOKEN_BYTES as u64).map_err(|error| format!("cannot read {path}: {error}"))?;
                let bytes = Zeroizing::new(bytes);
                let text = std::str::from_utf8(&bytes).map_err(|_| format!("{path} holds no identity token"))?;
                (Zeroizing::new(text.trim().to_owned()), path.into_string())
            }
        };
        Token::parse(&text).map_err(|why| format!("{from} holds no identity token: {why}"))?;
        Ok(Self::Given { token: text, from })
    }

    /// Where it comes from, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Given { from, .. } => format!("the identity token in {from}"),
            Self::GitHub { .. } => "the identity of this GitHub Actions job".to_owned(),
            Self::Program { name, .. } => format!("the identity that `{name}` gives"),
        }
    }

    /// A token that is good now.
    pub(super) fn fetch(&self, http: &dyn Http, within: Duration) -> Result<Token, Failure> {
        let text = match self {
            Self::Given { token, .. } => token.clone(),
            Self::GitHub { url, token } => of_github(http, url, token, within)?,
            Self::Program { name, path, arguments, env } => {
                let program = process::Program { path, arguments, env, quiet: true };
                let out = program.run(&[], within).map_err(|why| Failure::of(PROVIDER, format!("`{name}`: {why}"), true))?;
                let out = Zeroizing::new(out);
                let text = std::str::from_utf8(&out).unwrap_or_default().trim();
                Zeroizing::new(text.to_owned())
            }
        };
        // A token that was given does not change by asking again.
        let is_fresh = !matches!(self, Self::Given { .. });
        Token::parse(&text).map_err(|why| Failure::of(PROVIDER, format!("its token cannot be used: {why}"), is_fresh))
    }
}

/// <https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments>: a GET with the request token.
fn of_github(http: &dyn Http, url: &str, token: &str, within: Duration) -> Result<Zeroizing<String>, Failure> {
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}audience={AUDIENCE}");
    let authorization = Zeroizing::new(format!("bearer {token}"));
    let headers = [("authorization", authorization.as_str()), ("accept", "application/json")];
    let request = Request { url: &url, headers: &headers, limit: MAX_TOKEN_BYTES as u64 * 2 };
    let answer = super::ask::answered(PROVIDER, http.call(&Call { request, body: None, within }))?;
    let value = strict_json::parse(&answer).ok().and_then(|value| value.get("value")?.as_str().map(str::to_owned));
    value.map(Zeroizing::new).ok_or_else(|| Failure::of(PROVIDER, "its answer holds no token", true))
}

/// A token and what it claims. Nothing of it is believed: the claims only say what a certificate for it has to look like.
pub(super) struct Token {
    pub(super) text: Zeroizing<String>,
    /// What the proof of possession is made over: the e-mail address, else the subject.
    pub(super) subject: String,
    /// The issuer that the certificate has to name.
    pub(super) issuer: String,
    /// The identity that the certificate has to name, as far as the claims tell.
    pub(super) identity: Expected,
}

/// What the certificate's subject alternative name has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    Exactly(String),
    /// A URL with this path, on the CI system's own host.
    EndsWith(String),
    /// Such a token's claims do not tell.
    Unknown,
}

impl Expected {
    pub(super) fn is_met(&self, identity: &str) -> bool {
        match self {
            Self::Exactly(expected) => identity == expected,
            Self::EndsWith(path) => identity
                .strip_suffix(path.as_str())
                .is_some_and(|host| host.strip_prefix("https://").is_some_and(|host| !host.is_empty() && !host.contains('/'))),
            Self::Unknown => true,
        }
    }
}

impl Token {
    /// Reads the claims of a JSON Web Token (RFC 7519).
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        let parts: Vec<_> = text.split('.').collect();
        let [_, claims, _] = parts.as_slice() else { return Err("not a JSON Web Token".to_owned()) };
        if text.len() > MAX_TOKEN_BYTES || parts.iter().any(|part| part.is_empty() || !is_plain(part)) {
            return Err("not a JSON Web Token".to_owned());
        }
        let padding = "=".repeat((4 - claims.len() % 4) % 4);
        let standard = claims.replace('-', "+").replace('_', "/") + &padding;
        let bytes = PayloadBytes::from_base64(&standard).map_err(|_| "its claims are not base64".to_owned())?;
        let claims = strict_json::parse(bytes.as_bytes()).map_err(|_| "its claims are not JSON".to_owned())?;
        let word = |key: &str| claims.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
        let claimed = |key: &str| word(key).ok_or_else(|| format!("it has no claim `{key}`"));
        // Fulcio takes the address only where its issuer says that it was verified, as a boolean or as its text.
        let is_verified = match claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(text)) => text == "true",
            _ => false,
        };
        let email = word("email").filter(|_| is_verified);
        let connector = claims.get("federated_claims").and_then(|claims| claims.get("connector_id")).and_then(Value::as_str);
        let identity = if let Some(email) = email {
            Expected::Exactly(email.to_owned())
        } else if let Some(workflow) = word("job_workflow_ref") {
            Expected::EndsWith(format!("/{workflow}"))
        } else if let Some(config) = word("ci_config_ref_uri") {
            Expected::Exactly(format!("https://{config}"))
        } else if let (Some(organisation), Some(pipeline)) = (word("organization_slug"), word("pipeline_slug")) {
            Expected::EndsWith(format!("/{organisation}/{pipeline}"))
        } else {
            Expected::Unknown
        };
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            subject: email.map_or_else(|| claimed("sub").map(str::to_owned), |email| Ok(email.to_owned()))?,
            issuer: plain(connector.filter(|_| email.is_some()).map_or_else(|| claimed("iss"), Ok)?).into_owned(),
            identity,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    fn jwt(claims: &str) -> String {
        let part = |text: &str| {
            PayloadBytes::from_bytes(text.as_bytes())
                .to_base64()
                .replace('+', "-")
                .replace('/', "_")
                .trim_end_matches('=')
                .to_owned()
        };
        format!("{}.{}.c2ln", part("{\"alg\":\"RS256\"}"), part(claims))
    }

    fn context(variables: &[(&str, &str)]) -> Context {
        let stamp = Timestamp::from_unix(0).unwrap();
        Context {
            cwd: "/".into(),
            env: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            now: stamp,
            now_is_given: false,
            stamp,
            offline: true,
            cache_dir: "/".into(),
        }
    }

    #[test]
    fn claims_tell_what_the_certificate_has_to_name() {
        let github = r#"{"iss":"https://token.actions.githubusercontent.com","sub":"repo:o/r:ref:x","job_workflow_ref":"o/r/.github/workflows/w.yml@refs/tags/v1"}"#;
        let token = Token::parse(&jwt(github)).unwrap();
        assert_eq!(
            (token.subject.as_str(), token.issuer.as_str()),
            ("repo:o/r:ref:x", "https://token.actions.githubusercontent.com")
        );
        assert!(token.identity.is_met("https://github.com/o/r/.github/workflows/w.yml@refs/tags/v1"));
        assert!(!token.identity.is_met("https://github.com/evil/o/r/.github/workflows/w.yml@refs/tags/v1"));
        assert!(!token.identity.is_met("https://github.com/o/r2/.github/workflows/w.yml@refs/tags/v1"));

        let gitlab = r#"{"iss":"https://gitlab.com","sub":"project_path:o/r","ci_config_ref_uri":"gitlab.com/o/r//.gitlab-ci.yml@refs/heads/main"}"#;
        assert!(Token::parse(&jwt(gitlab)).unwrap().identity.is_met("https://gitlab.com/o/r//.gitlab-ci.yml@refs/heads/main"));

        let mail = r#"{"iss":"https://oauth2.sigstore.dev/auth","sub":"x","email":"a@b.org","email_verified":true,"federated_claims":{"connector_id":"https://accounts.google.com"}}"#;
        let token = Token::parse(&jwt(mail)).unwrap();
        assert_eq!((token.subject.as_str(), token.issuer.as_str()), ("a@b.org", "https://accounts.google.com"));
        assert_eq!(token.identity, Expected::Exactly("a@b.org".into()));
        let unverified = mail.replace("true", "false");
        assert_eq!(Token::parse(&jwt(&unverified)).unwrap().subject, "x");
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_shown() {
        for (text, why) in [
            ("", "not a JSON Web Token"),
            ("a.b", "not a JSON Web Token"),
            ("a..c", "not a JSON Web Token"),
            ("a.b\n.c", "not a JSON Web Token"),
            ("a.e30.c", "no claim `sub`"),
            ("secretsecret.bm90IGpzb24.c", "not JSON"),
            (jwt(r#"{"sub":"x"}"#).as_str(), "no claim `iss`"),
            (jwt(r#"{"sub":"x","sub":"y","iss":"z"}"#).as_str(), "not JSON"),
        ] {
            let error = Token::parse(text).err().unwrap();
            assert!(error.contains(why), "{text}: {error}");
            assert!(!error.contains("secretsecret"));
        }
    }

    #[test]
    fn the_surroundings_offer_an_identity_or_none() {
        let of = |variables: &[(&str, &str)]| TokenSource::ambient(&context(variables)).map(|source| source.describe());
        assert_eq!(of(&[("CI", "true"), ("GITHUB_ACTIONS", "true")]), None);
        assert_eq!(of(&[("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x.org")]), None);
        let github = [("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x.org"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t0ken")];
        assert_eq!(of(&github).as_deref(), Some("the identity of this GitHub Actions job"));
        assert_eq!(of(&[("SIGSTORE_ID_TOKEN", "t0ken")]).as_deref(), Some("the identity token in SIGSTORE_ID_TOKEN"));
        assert_eq!(of(&[("CIRCLECI", "true")]), None);
        assert_eq!(
            of(&[("CIRCLECI", "true"), ("CIRCLE_OIDC_TOKEN_V2", "x")]).as_deref(),
            Some("the identity token in CIRCLE_OIDC_TOKEN_V2")
        );
        assert_eq!(of(&[("BUILDKITE", "true")]), None);
    }

    /// A server that says this.
    struct Says(Result<(u16, String), crate::base::http::Error>);

    impl Http for Says {
        fn get(&self, _: &Request<'_>) -> Result<crate::base::http::Response, crate::base::http::Error> {
            unreachable!("a token is asked for by a deadline")
        }

        fn call(&self, call: &Call<'_>) -> Result<crate::base::http::Response, crate::base::http::Error> {
            assert_eq!(call.request.url, "https://x.org?audience=sigstore");
            assert_eq!(call.request.headers[0], ("authorization", "bearer t0ken"));
            let (status, body) = self.0.clone()?;
            Ok(crate::base::http::Response { status, headers: Vec::new(), body: body.into_bytes() })
        }
    }

    const WITHIN: Duration = Duration::from_secs(5);
    const CLAIMS: &str = r#"{"iss":"https://agent.buildkite.com","sub":"organization:o:pipeline:p"}"#;

    #[test]
    fn github_gives_a_token_or_says_why_not() {
        let variables = [("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x.org"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t0ken")];
        let source = TokenSource::ambient(&context(&variables)).unwrap();
        let of = |answer| source.fetch(&Says(answer), WITHIN);
        let good = format!("{{\"value\":\"{}\"}}", jwt(CLAIMS));
        assert_eq!(of(Ok((200, good))).unwrap().subject, "organization:o:pipeline:p");
        // (answer, a word of the failure, whether it is asked again)
        for (answer, why, may_pass) in [
            (Ok((200, "{}".to_owned())), "holds no token", true),
            (Ok((200, "<html>".to_owned())), "holds no token", true),
            (Ok((200, r#"{"value":"x"}"#.to_owned())), "not a JSON Web Token", true),
            (Ok((403, r#"{"message":"no id-token permission"}"#.to_owned())), "403: no id-token permission", false),
            (Ok((503, String::new())), "503", true),
            (Err(crate::base::http::Error::TimedOut), "no answer in time", true),
            (Err(crate::base::http::Error::Refused), "neither https nor http", false),
        ] {
            let failure = of(answer).err().unwrap();
            assert!(failure.to_string().contains(why) && !failure.to_string().contains("t0ken"), "{failure}");
            assert_eq!(failure.may_pass, may_pass, "{failure}");
        }
    }

    /// Buildkite and CircleCI have programs that print a token.
    #[cfg(unix)]
    #[test]
    fn programs_of_ci_systems_give_a_token_or_say_why_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = &*format!("{}:/usr/bin:/bin", folder.path().display());
        let program = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        let none = Says(Err(crate::base::http::Error::Refused));
        let buildkite = [("PATH", path), ("BUILDKITE", "true"), ("BUILDKITE_AGENT_ACCESS_TOKEN", "t0ken")];
        assert!(TokenSource::ambient(&context(&buildkite)).is_none(), "the agent is not there");
        let token = jwt(CLAIMS);
        let asked = r#"[ "$*" = "oidc request-token --audience sigstore" ] && [ -n "$BUILDKITE_AGENT_ACCESS_TOKEN" ]"#;
        program("buildkite-agent", &format!("{asked} && echo {token}"));
        let source = TokenSource::ambient(&context(&buildkite)).unwrap();
        assert_eq!(source.describe(), "the identity that `buildkite-agent` gives");
        assert_eq!(source.fetch(&none, WITHIN).unwrap().issuer, "https://agent.buildkite.com");
        for (text, why) in [
            ("echo refused >&2; exit 3", "`buildkite-agent`: it failed"),
            ("echo", "not a JSON Web Token"),
            ("echo a.b.c", "not base64"),
            ("exec sleep 60", "`buildkite-agent`: it did not end in time"),
            ("exec yes", "`buildkite-agent`: its answer is larger than"),
        ] {
            program("buildkite-agent", text);
            let begin = std::time::Instant::now();
            let failure = source.fetch(&none, Duration::from_secs(1)).err().unwrap();
            assert!(failure.to_string().contains(why) && failure.may_pass, "{text}: {failure}");
            assert!(begin.elapsed() < Duration::from_secs(10), "{text} took {:?}", begin.elapsed());
        }

        let circle = [("PATH", path), ("CIRCLECI", "true"), ("CIRCLE_OIDC_TOKEN_V2", "ready")];
        let ready = TokenSource::ambient(&context(&circle)).unwrap();
        assert_eq!(ready.describe(), "the identity token in CIRCLE_OIDC_TOKEN_V2");
        let failure = ready.fetch(&none, WITHIN).err().unwrap();
        assert!(
            !failure.may_pass && !failure.to_string().contains("ready"),
            "a token that was given stays what it is: {failure}"
        );
        let claims = r#"run oidc get --root-issuer --claims {"aud":"sigstore"}"#;
        program("circleci", &format!("[ \"$*\" = '{claims}' ] && echo {token}"));
        let source = TokenSource::ambient(&context(&circle)).unwrap();
        assert_eq!(source.describe(), "the identity that `circleci` gives");
        assert_eq!(source.fetch(&none, WITHIN).unwrap().subject, "organization:o:pipeline:p");
    }
}
