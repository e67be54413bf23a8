//! `rust-toolchain.toml`, and the legacy `rust-toolchain`: which toolchain the repository asks rustup for. Pure parser of a file
//! that others can write.

use toml::de::{DeTable, DeValue};

use crate::base::span::line_column;

/// What `rust-toolchain.toml` (or `rust-toolchain`) asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolchainFile {
    /// As shown to people.
    pub file: String,
    /// `1.95.0`, `stable`, `nightly-2026-01-01`, or a custom toolchain's name.
    pub channel: Option<String>,
    /// A folder to take the toolchain from, as written.
    pub path: Option<String>,
    /// Line of the channel, else of the path; 0 when neither is there.
    pub line: u32,
}

/// Why a toolchain file could not be read; `line` counts from 1, 0: no place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidToolchainFile {
    pub line: u32,
    pub reason: String,
}

impl ToolchainFile {
    /// Parses the content of `file` (rustup book, "The toolchain file"). `legacy` is the file without extension, which may hold
    /// nothing but a channel, or an absolute path.
    ///
    /// # Errors
    /// The content is neither TOML with a `[toolchain]` table nor, in a legacy file, one line.
    pub fn parse(file: impl Into<String>, text: &str, legacy: bool) -> Result<Self, InvalidToolchainFile> {
        let file = file.into();
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        if let (true, Some((number, line)), None) = (legacy, lines.next(), lines.next()) {
            let word = line.trim();
            let line = u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
            if !word.starts_with(['[', '#']) && !word.contains('=') {
                let (channel, path) =
                    if is_absolute(word) { (None, Some(word.to_owned())) } else { (Some(word.to_owned()), None) };
                return Ok(Self { file, channel, path, line });
            }
        }
        let invalid = |reason: &str, offset: Option<usize>| InvalidToolchainFile {
            line: offset.map_or(0, |offset| line_column(text, offset).0),
            reason: reason.to_owned(),
        };
        let document =
            DeTable::parse(text).map_err(|error| invalid(error.message().trim_end(), error.span().map(|span| span.start)))?;
        let Some(toolchain) = document.get_ref().get("toolchain") else {
            return Err(invalid("no [toolchain] table", None));
        };
        let DeValue::Table(toolchain) = toolchain.get_ref() else {
            return Err(invalid("`toolchain` is not a table", Some(toolchain.span().start)));
        };
        let word = |key: &str| match toolchain.get(key) {
            None => Ok(None),
            Some(value) => match value.get_ref() {
                DeValue::String(word) => Ok(Some((word.to_string(), line_column(text, value.span().start).0))),
                _ => Err(invalid(&format!("`toolchain.{key}` is not a string"), Some(value.span().start))),
            },
        };
        let (channel, path) = (word("channel")?, word("path")?);
        let line = channel.as_ref().or(path.as_ref()).map_or(0, |(_, line)| *line);
        Ok(Self { file, channel: channel.map(|(word, _)| word), path: path.map(|(word, _)| word), line })
    }
}

/// Absolute on Unix or Windows, whatever this machine is.
fn is_absolute(word: &str) -> bool {
    let bytes = word.as_bytes();
    word.starts_with(['/', '\\']) || (bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        for (text, legacy, channel, path, line) in [
            ("[toolchain]\nchannel = \"1.95.0\"\n", false, Some("1.95.0"), None, 2),
            ("[toolchain]\npath = \"tools/rust\"\n", false, None, Some("tools/rust"), 2),
            ("[toolchain]\ncomponents = [\"rustfmt\"]\n", false, None, None, 0),
            ("toolchain.channel = 'nightly'", true, Some("nightly"), None, 1),
            ("\n nightly-2026-01-01 \n", true, Some("nightly-2026-01-01"), None, 2),
            ("/opt/rust\n", true, None, Some("/opt/rust"), 1),
            ("C:\\rust", true, None, Some("C:\\rust"), 1),
        ] {
            let file = ToolchainFile::parse("f", text, legacy).expect(text);
            assert_eq!((file.channel.as_deref(), file.path.as_deref(), file.line), (channel, path, line), "{text}");
        }
    }

    #[test]
    fn broken_files_are_refused_with_a_line() {
        for (text, legacy, line) in [
            ("stable", false, 1),
            ("\n[toolchain\n", false, 2),
            ("", false, 0),
            ("a\nb\n", true, 1),
            ("[toolchain]\nchannel = 1\n", false, 2),
            ("toolchain = 1\n", false, 1),
        ] {
            assert_eq!(ToolchainFile::parse("f", text, legacy).unwrap_err().line, line, "{text:?}");
        }
    }
}
