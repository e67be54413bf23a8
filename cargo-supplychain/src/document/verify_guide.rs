//! `VERIFY.md`: how a reader verifies the release, with our tool and without it, and which signer they have to know from elsewhere.

use std::fmt::Write as _;

use super::Document;
use super::markdown::{shell_word, text};
use crate::base::Sha256;
use crate::base::text::plain;
use crate::model::release::Signing;

/// What the guide tells.
#[derive(Debug, Clone)]
pub struct Guide<'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub target: &'a str,
    pub signing: Signing,
    pub signer: Signer<'a>,
    /// Paths within the release, `artifacts/rg`, in the order to be shown.
    pub artifacts: &'a [String],
    pub attestations: &'a [Attestation<'a>],
}

/// Who signed.
#[derive(Debug, Clone, Copy)]
pub enum Signer<'a> {
    /// SHA-256 of the public key (DER SubjectPublicKeyInfo).
    Key(Sha256),
    /// Whom the certificates name.
    Identity { name: &'a str, issuer: &'a str },
    /// Nobody yet.
    Unknown,
}

/// One bundle of `attestations/`.
#[derive(Debug, Clone, Copy)]
pub struct Attestation<'a> {
    /// Path within the release.
    pub bundle: &'a str,
    pub predicate_type: &'a str,
    /// Path of the subject within the release.
    pub subject: &'a str,
}

/// The guide. It stands in the release and is therefore no anchor itself: it says so.
#[must_use]
pub fn document(guide: &Guide<'_>) -> Document {
    let mut out = String::new();
    let mut line = |words: &str| writeln!(out, "{words}").expect("writing to a string cannot fail");
    line(&format!("# Verifying {} {} ({})\n", text(guide.name), text(guide.version), text(guide.target)));
    english(guide, &mut line);
    japanese(guide, &mut line);
    Document::text("VERIFY.md", "text/markdown; charset=utf-8", out)
}

fn english(guide: &Guide<'_>, line: &mut impl FnMut(&str)) {
    match guide.signing {
        Signing::Signed => {}
        Signing::Pending => line(
            "**Signatures of this release were pending when this was written.** Until its publisher has completed them\n\
             (`cargo supplychain sign --pending`), verification is rejected.\n",
        ),
        Signing::Unsigned => line(
            "**This release was not signed when this was written** (`--no-sign`). Until somebody has signed it\n\
             (`cargo supplychain sign`), its checksums find accidents, not forgery, and verification is rejected.\n",
        ),
    }
    know_the_signer(guide.signer, line);
    line("## With cargo-supplychain, offline\n");
    line(&format!("    cargo supplychain verify . {}\n", ours(guide.signer)));
    line(
        "It verifies every signature, recomputes every digest, and refuses files that are missing or not listed. Exit code 0\n\
         means verified, 3 rejected. It needs no network and takes nothing in this folder for an anchor.\n",
    );
    line("## With cosign\n");
    let by = match guide.signer {
        Signer::Identity { .. } => "by an identity",
        Signer::Key(_) | Signer::Unknown => "with the key and without a transparency log",
    };
    line(&format!(
        "Each attestation is a DSSE envelope in a Sigstore bundle, signed {by} (cosign 3;\n\
         add `--new-bundle-format` for 2.4 and later):\n",
    ));
    for attestation in guide.attestations {
        line(&cosign(attestation, guide.signer));
    }
    line("");
    line("## Checksums only\n");
    line("    sha256sum --check SHA256SUMS\n");
    line("This finds damaged files. It proves nothing about who made them.\n");
    line("## What is here\n");
    for artifact in guide.artifacts {
        line(&format!("- {}", text(artifact)));
    }
    line("- `sbom/`: what each artifact contains, as CycloneDX and SPDX");
    line("- `reports/`: what was found when it was built");
    line("- `evidence/`: the model of the build, its lockfile and the state of the data that it was judged with");
    line("- `attestations/`: signed statements over all of it; `*.pending.json` wait for their signatures");
    line("- `release.json`: the list of all files with their digests");
}

/// The anchor: it cannot come from here.
fn know_the_signer(signer: Signer<'_>, line: &mut impl FnMut(&str)) {
    match signer {
        Signer::Key(key) => {
            line(
                "Know the signer first. Get the publisher's public key, `signer.pub`, from a place other than this folder: the\n\
                 publisher's website, their repository, an earlier release that you trust. The key in `evidence/signer.pub` is a\n\
                 convenience; whoever could change this folder could change it too.\n",
            );
            line(&format!(
                "SHA-256 of the key (DER) that this release was signed with, to compare with what you know:\n\n    {key}\n"
            ));
        }
        Signer::Identity { name, issuer } => {
            line(
                "Know the signer first: which workflow or person may sign this publisher's releases, from a place other than\n\
                 this folder. This one was signed by the identity\n",
            );
            line(&format!("    {}\n    {}\n", plain(name), plain(issuer)));
            line(
                "(the certificate's name, and who vouched for it), to compare with what you know. The trust root in\n\
                 `evidence/trusted_root.json` is a convenience and no anchor either.\n",
            );
        }
        Signer::Unknown => line(
            "Know the signer first: the publisher's public key, or the identity that may sign their releases, from a place other\n\
             than this folder.\n",
        ),
    }
}

/// How our tool is told whom to accept.
fn ours(signer: Signer<'_>) -> String {
    match signer {
        Signer::Identity { name, issuer } => format!("--identity {} --issuer {}", argument(name), argument(issuer)),
        Signer::Key(_) | Signer::Unknown => "--key /path/to/signer.pub".to_owned(),
    }
}

/// Flags as its reference documents them; the Sigstore bundle is what it expects by default from 3.0 on.
fn cosign(attestation: &Attestation<'_>, signer: Signer<'_>) -> String {
    let by = match signer {
        Signer::Identity { name, issuer } => {
            format!("--certificate-identity {} --certificate-oidc-issuer {}", argument(name), argument(issuer))
        }
        Signer::Key(_) | Signer::Unknown => "--key /path/to/signer.pub --insecure-ignore-tlog=true".to_owned(),
    };
    format!(
        "    cosign verify-blob-attestation {by} \\\n      --type {} --bundle {} {}",
        argument(attestation.predicate_type),
        argument(attestation.bundle),
        argument(attestation.subject)
    )
}

/// Control characters can neither be shown nor pasted: such a name is shown escaped.
fn argument(word: &str) -> String {
    shell_word(&plain(word))
}

fn japanese(guide: &Guide<'_>, line: &mut impl FnMut(&str)) {
    line("\n# 検証の手順\n");
    match guide.signing {
        Signing::Signed => {}
        Signing::Pending => line("このリリースの署名は、この文書の作成時点では保留中です。完了するまで検証は失敗します。\n"),
        Signing::Unsigned => line(
            "**このリリースは、この文書の作成時点では署名されていません**（`--no-sign`）。チェックサムで分かるのは破損だけで、改ざんは検出できません。\n",
        ),
    }
    match guide.signer {
        Signer::Key(_) | Signer::Unknown => line(
            "まず署名者を確かめてください。公開鍵 `signer.pub` は、このフォルダー以外の場所（発行元のウェブサイトやリポジトリ、\n\
             信頼済みの過去のリリースなど）から入手します。`evidence/signer.pub` は利便のための写しであり、信頼の起点にはなりません。\n",
        ),
        Signer::Identity { .. } => line(
            "まず署名者を確かめてください。どのワークフローや人物が署名してよいかは、このフォルダー以外の場所で確認します。\n\
             このフォルダーの中の情報は、信頼の起点にはなりません。\n",
        ),
    }
    match guide.signer {
        Signer::Key(key) => line(&format!("署名に使われた公開鍵（DER）の SHA-256:\n\n    {key}\n")),
        Signer::Identity { name, issuer } => {
            line(&format!("署名に使われた証明書の名義と発行者:\n\n    {}\n    {}\n", plain(name), plain(issuer)));
        }
        Signer::Unknown => {}
    }
    line("cargo-supplychain による検証（オフライン）:\n");
    line(&format!("    cargo supplychain verify . {}\n", ours(guide.signer)));
    line("終了コード 0 は検証成功、3 は拒否です。cosign による検証コマンドは上の英語の節を参照してください。\n");
    line("チェックサムのみの確認（作成者の証明にはなりません）:\n");
    line("    sha256sum --check SHA256SUMS");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::fixture::HOSTILE;

    fn guide<'a>(signing: Signing, artifacts: &'a [String], attestations: &'a [Attestation<'a>]) -> Guide<'a> {
        Guide {
            name: "demo",
            version: "1.2.0",
            target: "x86_64-unknown-linux-gnu",
            signing,
            signer: Signer::Key(Sha256::of("key")),
            artifacts,
            attestations,
        }
    }

    fn render(guide: &Guide<'_>) -> String {
        String::from_utf8(document(guide).bytes).unwrap()
    }

    #[test]
    fn names_the_commands_and_the_signer_from_elsewhere() {
        let artifacts = ["artifacts/demo".to_owned()];
        let attestations = [Attestation {
            bundle: "attestations/demo.provenance.sigstore.json",
            predicate_type: "https://slsa.dev/provenance/v1",
            subject: "artifacts/demo",
        }];
        let text = render(&guide(Signing::Signed, &artifacts, &attestations));
        for expected in [
            "cargo supplychain verify . --key /path/to/signer.pub",
            "sha256sum --check SHA256SUMS",
            "--type https://slsa.dev/provenance/v1 --bundle attestations/demo.provenance.sigstore.json artifacts/demo",
            "from a place other than this folder",
            &Sha256::of("key").to_string(),
            "信頼の起点にはなりません",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn an_unsigned_release_says_so_and_promises_nothing() {
        let text = render(&guide(Signing::Unsigned, &[], &[]));
        assert!(text.contains("**This release was not signed when this was written**") && text.contains("署名されていません"));
        assert!(render(&guide(Signing::Pending, &[], &[])).contains("were pending when this was written"));
    }

    #[test]
    fn an_identity_is_what_the_commands_ask_for() {
        let attestations = [Attestation { bundle: "b", predicate_type: "t", subject: "s" }];
        let signer = Signer::Identity { name: "https://github.com/o/r/w.yml@refs/tags/v1", issuer: "https://issuer.example" };
        let text = render(&Guide { signer, ..guide(Signing::Signed, &[], &attestations) });
        for expected in [
            "cargo supplychain verify . --identity https://github.com/o/r/w.yml@refs/tags/v1 --issuer https://issuer.example",
            "--certificate-identity https://github.com/o/r/w.yml@refs/tags/v1 --certificate-oidc-issuer https://issuer.example",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains("signer.pub"), "{text}");
    }

    #[test]
    fn hostile_names_can_be_pasted_without_harm() {
        let artifacts = [HOSTILE.to_owned()];
        let attestations = [Attestation { bundle: HOSTILE, predicate_type: HOSTILE, subject: HOSTILE }];
        let text = render(&Guide { name: HOSTILE, ..guide(Signing::Signed, &artifacts, &attestations) });
        assert!(!text.contains(['\r', '\u{1b}', '\0', '\u{202e}']));
        let command = text.lines().find(|line| line.trim_start().starts_with("--type")).unwrap();
        // Within single quotes a shell expands nothing; the only way out is the closing quote, which is escaped.
        assert!(command.contains("'x\"'\\''\\u{d}"), "{command}");
        assert_eq!(text.lines().filter(|line| line.starts_with("- ")).count(), 6, "{text}");
    }
}
