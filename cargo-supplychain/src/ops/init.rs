//! `init`: a policy file with every setting explained and none changed.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Class, Error, workspace};
use crate::base::Context;
use crate::files;

/// The file, as it is written. A test holds that it parses and equals the defaults.
pub const TEMPLATE: &str = include_str!("init/supplychain.toml");

/// Writes `supplychain.toml` at the workspace root; one that is there is left alone.
pub fn init(context: &Context, manifest_path: Option<&Utf8Path>) -> Result<Utf8PathBuf, Error> {
    let path = workspace::find(context, manifest_path)?.root.join("supplychain.toml");
    if path.exists() {
        return Err(Error::usage(&format!("{path} is there already")).with_help("it is yours; delete it first to start anew"));
    }
    files::write(&path, TEMPLATE.as_bytes())
        .map_err(|error| Error::new(Class::Output, &format!("cannot write {path}: {error}")))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::TEMPLATE;
    use crate::config::{Settings, parse};

    #[test]
    fn the_template_changes_nothing() {
        let known: Vec<_> = crate::check::rules::known().collect();
        let settings = parse("supplychain.toml", TEMPLATE, &known).unwrap();
        assert_eq!(settings, Settings { file: Some("supplychain.toml".to_owned()), ..Settings::default() });
        // With the comment signs of the settings taken away it is still a policy.
        let uncommented: String =
            TEMPLATE.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).map(|line| format!("{line}\n")).collect();
        parse("supplychain.toml", &uncommented, &known).unwrap();
    }
}
