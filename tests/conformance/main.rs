//! The client protocol of the public Sigstore conformance suite (<https://github.com/sigstore/sigstore-conformance>, `docs/cli_protocol.md`)
//! over this project's library, for that suite and for `tests/trial/conformance.py`. Exit 0: accepted; 1: rejected; 2: usage.
//!
//!     cargo build --example conformance
//!     CONFORMANCE_ENTRYPOINT=target/debug/examples/conformance
//!
//! Names of files are not judged here, since the protocol knows none: the suite offers the same artifact under names of its own.

#![allow(clippy::disallowed_methods, reason = "a program of the tests does IO")]

use std::process::ExitCode;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_supplychain::base::Sha256;
use cargo_supplychain::collect::release_folder::{read_digest, read_file};
use cargo_supplychain::sign::read_public_key;
use cargo_supplychain::verify::{IdentityConditions, IdentityPolicy, TrustRoots, VerificationPolicy, file};

const USAGE: &str = "usage: conformance verify-bundle [--staging] --bundle FILE [--key FILE | --certificate-identity IDENTITY \
                     --certificate-oidc-issuer URL] [--trusted-root FILE] FILE_OR_DIGEST";

/// The options of `verify-bundle`.
#[derive(Default)]
struct Options {
    is_staging: bool,
    bundle: Option<Utf8PathBuf>,
    key: Option<Utf8PathBuf>,
    identity: Option<String>,
    issuer: Option<String>,
    trusted_root: Option<Utf8PathBuf>,
    artifact: Option<String>,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let options = match arguments.next().as_deref() {
        Some("verify-bundle") => options(arguments),
        _ => Err(USAGE.to_owned()),
    };
    let outcome = options.and_then(|options| verify(&options));
    match outcome {
        Ok(Ok(line)) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Ok(Err(rejection)) => {
            eprintln!("{rejection}");
            ExitCode::from(1)
        }
        Err(usage) => {
            eprintln!("{usage}");
            ExitCode::from(2)
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"));
        match argument.as_str() {
            "--staging" => options.is_staging = true,
            "--bundle" => options.bundle = Some(value()?.into()),
            "--key" => options.key = Some(value()?.into()),
            "--certificate-identity" => options.identity = Some(value()?),
            "--certificate-oidc-issuer" => options.issuer = Some(value()?),
            "--trusted-root" => options.trusted_root = Some(value()?.into()),
            other if other.starts_with("--") || options.artifact.is_some() => return Err(format!("{other}?\n{USAGE}")),
            _ => options.artifact = Some(argument),
        }
    }
    Ok(options)
}

/// The outer error is one of usage, the inner one a rejection.
fn verify(options: &Options) -> Result<Result<String, String>, String> {
    let (Some(bundle), Some(artifact)) = (&options.bundle, &options.artifact) else { return Err(USAGE.to_owned()) };
    let roots = match (&options.trusted_root, options.is_staging) {
        (Some(path), _) => {
            let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
            TrustRoots::parse(path.as_str(), &bytes)
        }
        (None, true) => TrustRoots::parse("staging", sigstore_trust_root::SIGSTORE_STAGING_TRUSTED_ROOT.as_bytes()),
        (None, false) => Ok(TrustRoots::embedded()),
    };
    let roots = roots.map_err(|error| error.to_string())?;
    let policy = match (&options.key, &options.identity, &options.issuer) {
        (Some(key), None, None) => {
            VerificationPolicy::new(read_public_key(key).map_err(|error| error.to_string())?).with_roots(roots)
        }
        (None, Some(identity), Some(issuer)) => {
            let signer = IdentityConditions {
                identity: Some(identity.clone()),
                issuer: Some(issuer.clone()),
                ..IdentityConditions::default()
            };
            let signer = IdentityPolicy::new(&signer).map_err(|error| error.to_string())?;
            VerificationPolicy::keyless(signer, roots)
        }
        _ => return Err(USAGE.to_owned()),
    };
    let bundles = [bundle.clone()];
    let digest = artifact.strip_prefix("sha256:").and_then(|hex| hex.parse::<Sha256>().ok());
    let evidence = match digest.filter(|_| !Utf8Path::new(artifact).exists()) {
        Some(digest) => read_digest(digest, &bundles),
        None => read_file(Utf8Path::new(artifact), &bundles),
    };
    let mut evidence = evidence.map_err(|error| error.to_string())?;
    evidence.name = None;
    let verified = file(&evidence, &policy).map_err(|rejection| rejection.to_string());
    Ok(verified.map(|verified| format!("verified: {}", verified.signer())))
}
