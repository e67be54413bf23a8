//! The inputs of the action, from the variables that action.yml sets: each is judged before anything is done, also where the command does
//! not need it. Pure.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::base::text::plain;

/// What the variables of the inputs begin with. None of them reaches a child.
pub(super) const PREFIX: &str = "SUPPLYCHAIN_ACTION_";
/// Longer lines are no input of anybody's.
const MAX_LINE: usize = 4096;
const MAX_LINES: usize = 256;

/// An input that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    /// As action.yml names it.
    pub(super) input: &'static str,
    pub(super) why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Build,
    Check,
    Sbom,
    Archive,
    Verify,
    /// Of the sub-action: signs what lies here.
    Attest,
}

impl Command {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Check => "check",
            Self::Sbom => "sbom",
            Self::Archive => "archive",
            Self::Verify => "verify",
            Self::Attest => "attest",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attest {
    Auto,
    GitHub,
    Sigstore,
    Key,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comment {
    Never,
    OnFailure,
    Always,
}

/// What a change is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Baseline {
    /// A pull request's base, where the checkout has it.
    Auto,
    None,
    Revision(String),
}

/// How files to publish are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AssetNames {
    /// As cargo calls them.
    Plain,
    /// With the target in them, so that those of several targets are told apart.
    Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SbomFormat {
    CycloneDx,
    Spdx,
}

/// All of them, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inputs {
    pub(super) command: Command,
    pub(super) working_directory: Option<String>,
    pub(super) manifest_path: Option<Utf8PathBuf>,
    pub(super) args: Vec<String>,
    pub(super) policy: Option<Utf8PathBuf>,
    /// `None`: as the policy says.
    pub(super) fail_on: Option<&'static str>,
    pub(super) advisory_db: Option<String>,
    pub(super) advisory_db_rev: Option<String>,
    pub(super) offline: bool,
    pub(super) baseline: Baseline,
    pub(super) sbom_formats: Vec<SbomFormat>,
    pub(super) output_dir: Option<String>,
    pub(super) subject_path: Vec<String>,
    pub(super) attest: Attest,
    pub(super) archive: Option<String>,
    pub(super) comment: Comment,
    pub(super) upload_artifact: bool,
    pub(super) artifact_name: String,
    pub(super) upload_sarif: bool,
    pub(super) upload_release_assets: bool,
    pub(super) asset_names: AssetNames,
    pub(super) release_tag: Option<String>,
    /// Never shown.
    pub(super) token: Option<String>,
}

const COMMANDS: [(&str, Command); 6] = [
    ("build", Command::Build),
    ("check", Command::Check),
    ("sbom", Command::Sbom),
    ("archive", Command::Archive),
    ("verify", Command::Verify),
    ("attest", Command::Attest),
];
const FAIL_ON: [(&str, Option<&str>); 6] = [
    ("policy", None),
    ("none", Some("none")),
    ("low", Some("low")),
    ("medium", Some("medium")),
    ("high", Some("high")),
    ("critical", Some("critical")),
];
const ATTEST: [(&str, Attest); 5] = [
    ("auto", Attest::Auto),
    ("github", Attest::GitHub),
    ("sigstore", Attest::Sigstore),
    ("key", Attest::Key),
    ("none", Attest::None),
];
const COMMENT: [(&str, Comment); 3] =
    [("never", Comment::Never), ("on-failure", Comment::OnFailure), ("always", Comment::Always)];
const ASSET_NAMES: [(&str, AssetNames); 2] = [("plain", AssetNames::Plain), ("target", AssetNames::Target)];
const SBOM_FORMATS: [(&str, SbomFormat); 2] = [("cyclonedx-json", SbomFormat::CycloneDx), ("spdx-json", SbomFormat::Spdx)];

/// Options that are inputs of their own, or that the action needs for itself.
const OURS: [(&str, &str); 12] = [
    ("--format", "it is how the action reads the result"),
    ("--color", "the action's log has no colours"),
    ("--offline", "use the input `offline`"),
    ("--release-dir", "use the input `output-dir`"),
    ("--output", "use the input `output-dir`"),
    ("-o", "use the input `output-dir`"),
    ("--manifest-path", "use the input `manifest-path`"),
    ("--policy", "use the input `policy`"),
    ("--fail-on", "use the input `fail-on`"),
    ("--base", "use the input `baseline`"),
    ("--advisory-db", "use the input `advisory-db`"),
    ("--advisory-db-rev", "use the input `advisory-db-rev`"),
];

impl Inputs {
    /// Reads them; `own` is the version of this binary.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub(super) fn read(env: &BTreeMap<String, String>, own: &str) -> Result<Self, Invalid> {
        let reader = Reader(env);
        let formats = reader.lines("sbom-formats")?;
        let formats = formats.iter().flat_map(|line| line.split(',')).map(str::trim).filter(|word| !word.is_empty());
        let formats: Vec<_> = formats.map(|word| choice("sbom-formats", word, &SBOM_FORMATS)).collect::<Result<_, _>>()?;
        reader.version(own)?;
        Ok(Self {
            command: reader.word("command", "build", &COMMANDS)?,
            working_directory: reader.line("working-directory")?,
            manifest_path: reader.line("manifest-path")?.map(Utf8PathBuf::from),
            args: reader.arguments()?,
            policy: reader.line("policy")?.map(Utf8PathBuf::from),
            fail_on: reader.word("fail-on", "policy", &FAIL_ON)?,
            advisory_db: reader.line("advisory-db")?,
            advisory_db_rev: reader.commit("advisory-db-rev")?,
            offline: reader.flag("offline")?,
            baseline: reader.baseline()?,
            sbom_formats: if formats.is_empty() { vec![SbomFormat::CycloneDx, SbomFormat::Spdx] } else { formats },
            output_dir: reader.line("output-dir")?,
            subject_path: reader.lines("subject-path")?,
            attest: reader.word("attest", "auto", &ATTEST)?,
            archive: reader.line("archive")?,
            comment: reader.word("comment", "never", &COMMENT)?,
            upload_artifact: reader.flag("upload-artifact")?,
            artifact_name: reader.artifact_name()?,
            upload_sarif: reader.flag("upload-sarif")?,
            upload_release_assets: reader.flag("upload-release-assets")?,
            asset_names: reader.word("asset-names", "plain", &ASSET_NAMES)?,
            release_tag: reader.revision("release-tag")?,
            token: reader.token()?,
        })
    }
}

struct Reader<'e>(&'e BTreeMap<String, String>);

impl Reader<'_> {
    /// The value, without white space around it; an empty one counts as left out.
    fn value(&self, input: &'static str) -> Option<&str> {
        let name = format!("{PREFIX}{}", input.to_ascii_uppercase().replace('-', "_"));
        self.0.get(&name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn line(&self, input: &'static str) -> Result<Option<String>, Invalid> {
        self.value(input).map(|value| one_line(input, value)).transpose()
    }

    fn lines(&self, input: &'static str) -> Result<Vec<String>, Invalid> {
        let lines = self.value(input).unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<_> = lines.map(|line| one_line(input, line)).collect::<Result<_, _>>()?;
        if lines.len() > MAX_LINES {
            return Err(Invalid { input, why: format!("it has more than {MAX_LINES} lines") });
        }
        Ok(lines)
    }

    fn word<T: Copy>(&self, input: &'static str, default: &str, choices: &[(&str, T)]) -> Result<T, Invalid> {
        choice(input, self.value(input).unwrap_or(default), choices)
    }

    fn flag(&self, input: &'static str) -> Result<bool, Invalid> {
        self.word(input, "false", &[("true", true), ("false", false)])
    }

    fn commit(&self, input: &'static str) -> Result<Option<String>, Invalid> {
        let Some(value) = self.value(input) else { return Ok(None) };
        if value.len() == 40 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Some(value.to_owned()));
        }
        Err(Invalid { input, why: format!("{} is no commit of 40 hexadecimal digits", shown(value)) })
    }

    /// A branch, tag or commit, as git allows their names.
    fn revision(&self, input: &'static str) -> Result<Option<String>, Invalid> {
        let Some(value) = self.line(input)? else { return Ok(None) };
        let is_odd = value.starts_with('-') || value.contains("..") || value.contains([' ', ':', '?', '*', '[', '\\']);
        if is_odd { Err(Invalid { input, why: format!("{} is no name of a revision", shown(&value)) }) } else { Ok(Some(value)) }
    }

    fn baseline(&self) -> Result<Baseline, Invalid> {
        Ok(match self.revision("baseline")? {
            None => Baseline::Auto,
            Some(word) if word == "auto" => Baseline::Auto,
            Some(word) if word == "none" => Baseline::None,
            Some(revision) => Baseline::Revision(revision),
        })
    }

    fn arguments(&self) -> Result<Vec<String>, Invalid> {
        let arguments = self.lines("args")?;
        for argument in &arguments {
            let name = argument.split('=').next().unwrap_or_default();
            if let Some((_, why)) = OURS.iter().find(|(ours, _)| *ours == name) {
                return Err(Invalid { input: "args", why: format!("{} is not passed on: {why}", shown(argument)) });
            }
        }
        Ok(arguments)
    }

    /// What GitHub takes for the name of an artifact.
    fn artifact_name(&self) -> Result<String, Invalid> {
        let name = self.line("artifact-name")?.unwrap_or_else(|| "supplychain".to_owned());
        match name.contains(['"', ':', '<', '>', '|', '*', '?', '\\', '/']) {
            true => {
                Err(Invalid { input: "artifact-name", why: format!("{} has a character that names cannot have", shown(&name)) })
            }
            false => Ok(name),
        }
    }

    /// An exact version, and that of this binary: another one is not what was asked for.
    fn version(&self, own: &str) -> Result<(), Invalid> {
        let Some(value) = self.value("version") else { return Ok(()) };
        let why = match semver::Version::parse(value) {
            Ok(_) if value == own => return Ok(()),
            Ok(_) => format!("the binary is version {own}, not {}", shown(value)),
            Err(_) => format!("{} is no exact version, for example {own}", shown(value)),
        };
        Err(Invalid { input: "version", why })
    }

    fn token(&self) -> Result<Option<String>, Invalid> {
        let Some(value) = self.value("token") else { return Ok(None) };
        if value.len() > MAX_LINE || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Invalid { input: "token", why: "it is no token".to_owned() });
        }
        Ok(Some(value.to_owned()))
    }
}

fn one_line(input: &'static str, value: &str) -> Result<String, Invalid> {
    if value.len() > MAX_LINE {
        return Err(Invalid { input, why: format!("a line is longer than {MAX_LINE} bytes") });
    }
    match value.contains(char::is_control) {
        true => Err(Invalid { input, why: format!("{} has a control character or a second line", shown(value)) }),
        false => Ok(value.to_owned()),
    }
}

fn choice<T: Copy>(input: &'static str, word: &str, choices: &[(&str, T)]) -> Result<T, Invalid> {
    let found = choices.iter().find(|(choice, _)| *choice == word).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(|(choice, _)| *choice).collect();
        Invalid { input, why: format!("{} is none of {}", shown(word), words.join(", ")) }
    })
}

/// What was given, for people, in short.
fn shown(value: &str) -> String {
    let short: String = value.chars().take(60).collect();
    let more = if short.len() < value.len() { "…" } else { "" };
    format!("`{}{more}`", plain(&short))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Inputs, String> {
        let env = pairs.iter().map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned())).collect();
        Inputs::read(&env, "1.2.3").map_err(|invalid| format!("{}: {}", invalid.input, invalid.why))
    }

    #[test]
    fn defaults() {
        let inputs = read(&[]).unwrap();
        assert_eq!((inputs.command, inputs.attest, inputs.comment), (Command::Build, Attest::Auto, Comment::Never));
        assert_eq!((inputs.baseline, inputs.fail_on, inputs.sbom_formats.len()), (Baseline::Auto, None, 2));
        assert_eq!(read(&[("COMMAND", " "), ("ARGS", "\n\n"), ("TOKEN", "")]), read(&[]));
    }

    #[test]
    fn each_line_is_one_argument_as_it_is() {
        let inputs = read(&[("ARGS", "-p\r\napp\n; rm -rf /\n$(id) `x`\n")]).unwrap();
        assert_eq!(inputs.args, ["-p", "app", "; rm -rf /", "$(id) `x`"]);
        assert_eq!(read(&[("ARGS", "--format-sbom\nx")]).unwrap().args.len(), 2);
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (name, value, told) in [
            ("COMMAND", "publish", "command: `publish` is none of build, check, sbom, archive, verify, attest"),
            ("FAIL_ON", "High", "fail-on: `High` is none of policy, none, low, medium, high, critical"),
            ("ASSET_NAMES", "triple", "asset-names: `triple` is none of plain, target"),
            ("OFFLINE", "yes", "offline: `yes` is none of true, false"),
            ("POLICY", "a\nb", "policy: `a\\u{a}b` has a control character or a second line"),
            ("ARGS", "--format=json", "args: `--format=json` is not passed on: it is how the action reads the result"),
            ("ARGS", "a\u{1b}[31m", "args: `a\\u{1b}[31m` has a control character or a second line"),
            ("VERSION", "latest", "version: `latest` is no exact version, for example 1.2.3"),
            ("VERSION", "1", "version: `1` is no exact version, for example 1.2.3"),
            ("VERSION", "1.2.3\n", ""),
            ("VERSION", "9.9.9", "version: the binary is version 1.2.3, not `9.9.9`"),
            ("ADVISORY_DB_REV", "main", "advisory-db-rev: `main` is no commit of 40 hexadecimal digits"),
            ("BASELINE", "--upload-pack=x", "baseline: `--upload-pack=x` is no name of a revision"),
            ("RELEASE_TAG", "v1 ::x", "release-tag: `v1 ::x` is no name of a revision"),
            ("ARTIFACT_NAME", "a/b", "artifact-name: `a/b` has a character that names cannot have"),
            ("SBOM_FORMATS", "spdx-json, xml", "sbom-formats: `xml` is none of cyclonedx-json, spdx-json"),
            ("TOKEN", "a b", "token: it is no token"),
        ] {
            let outcome = read(&[(name, value)]).map(drop);
            assert_eq!(outcome.err().unwrap_or_default(), told, "{name}={value:?}");
        }
    }
}
