//! The C compiler that build scripts are going to call, and whether it can give folders other names.

use camino::Utf8PathBuf;

use super::{process, programs};
use crate::base::Context;
use crate::model::remap::flag_variables;

/// Why a compiler is not told to give folders other names.
pub type Reason = String;

/// Whether the compiler that the crate `cc` would choose for `target` takes `-ffile-prefix-map`, as gcc 8 and clang 10 do. It is
/// started once, on nothing, outside of the project.
///
/// # Errors
/// Why not, a fragment.
pub fn takes_prefix_map(context: &Context, workspace: &camino::Utf8Path, host: &str, target: &str) -> Result<(), Reason> {
    let named = flag_variables("CC", target).into_iter().find_map(|name| context.var(&name));
    let words: Vec<&str> = match named {
        Some(text) => text.split_whitespace().collect(),
        None if host == target && !target.contains("msvc") => vec!["cc"],
        None => return Err(format!("which C compiler is used for {target} is not known (no CC for it is set)")),
    };
    let [first, rest @ ..] = words.as_slice() else { return Err("CC names no compiler".to_owned()) };
    let program: Utf8PathBuf =
        programs::place(context, workspace, first).ok_or_else(|| "the C compiler was not found in PATH".to_owned())?;
    let mut command = process::analysis(context, &program);
    command.args(rest).args(["-ffile-prefix-map=/from=/to", "-E", "-x", "c", null_device()]);
    match process::output(command) {
        Ok(_) => Ok(()),
        Err(_) => Err("the C compiler does not take -ffile-prefix-map (gcc 8 and clang 10 do)".to_owned()),
    }
}

fn null_device() -> &'static str {
    if cfg!(windows) { "NUL" } else { "/dev/null" }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn a_compiler_is_asked() {
        let guard = tempfile::tempdir().unwrap();
        let root = camino::Utf8Path::from_path(guard.path()).unwrap();
        for (name, script) in [("new-cc", "#!/bin/sh\nexit 0\n"), ("old-cc", "#!/bin/sh\nexit 1\n")] {
            std::fs::write(root.join(name), script).unwrap();
            std::fs::set_permissions(root.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let stamp = Timestamp::from_unix(0).unwrap();
        let ask = |cc: Option<&str>, target: &str| {
            let mut env = std::collections::BTreeMap::from([("PATH".to_owned(), format!("{root}:/bin:/usr/bin"))]);
            env.extend(cc.map(|cc| ("CC_some_target".to_owned(), cc.to_owned())));
            let context = Context {
                cwd: root.to_owned(),
                env,
                now: stamp,
                now_is_given: false,
                stamp,
                offline: true,
                cache_dir: root.to_owned(),
            };
            takes_prefix_map(&context, camino::Utf8Path::new("/nowhere"), "host", target)
        };
        assert_eq!(ask(Some("new-cc -m64"), "some-target"), Ok(()));
        assert!(ask(Some("old-cc"), "some-target").unwrap_err().contains("does not take"));
        assert!(ask(Some("missing-cc"), "some-target").unwrap_err().contains("not found"));
        assert!(ask(None, "some-target").unwrap_err().contains("not known"));
        assert!(ask(Some(" "), "some-target").is_err());
    }
}
