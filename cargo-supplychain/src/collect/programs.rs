//! Which file a program's name stands for, and its digest: what the policy allows to wrap the compiler is compared with what is there.

use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::base::digest::Hasher;
use crate::base::{Context, Sha256};
use crate::files;
use crate::model::machine::Program;

/// The largest program that is hashed, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// The program of this word: an absolute path, or a name that is looked up in `PATH`, where folders of the workspace do not count.
/// Otherwise why there is none.
pub fn find(context: &Context, workspace: &Utf8Path, word: &str) -> Result<Program, String> {
    let path = place(context, workspace, word).ok_or_else(|| "it is not in PATH".to_owned())?;
    let sha256 = digest(&path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    Ok(Program { path: path.into_string(), sha256 })
}

pub(super) fn place(context: &Context, workspace: &Utf8Path, word: &str) -> Option<Utf8PathBuf> {
    if Utf8Path::new(word).is_absolute() {
        return Some(word.into());
    }
    let file = format!("{word}{}", std::env::consts::EXE_SUFFIX);
    if word.is_empty() || word.contains(['/', '\\']) {
        return None;
    }
    let folders = std::env::split_paths(context.var("PATH")?).filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok());
    let folders = folders.map(|folder| files::normal(&folder));
    let outside = folders.filter(|folder| folder.is_absolute() && !folder.starts_with(workspace));
    outside.map(|folder| folder.join(&file)).find(|path| path.is_file())
}

fn digest(path: &Utf8Path) -> io::Result<Sha256> {
    let mut hasher = Hasher::default();
    let read = io::copy(&mut files::open(path)?.take(MAX_BYTES + 1), &mut hasher)?;
    if read > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than the limit of {MAX_BYTES} bytes")));
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_outside_of_the_workspace() {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(guard.path()).unwrap();
        for folder in ["ws/bin", "bin"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
            std::fs::write(root.join(folder).join(format!("wrap{}", std::env::consts::EXE_SUFFIX)), folder).unwrap();
        }
        let path = std::env::join_paths([root.join("ws/bin"), root.join("bin/../ws/bin"), root.join("ws/../bin")])
            .unwrap()
            .into_string()
            .unwrap();
        let stamp = crate::base::Timestamp::from_unix(0).unwrap();
        let context = Context {
            cwd: root.to_owned(),
            env: [("PATH".to_owned(), path)].into(),
            now: stamp,
            now_is_given: false,
            stamp,
            offline: true,
            cache_dir: root.to_owned(),
        };
        let look = |word: &str| find(&context, &root.join("ws"), word);
        let found = look("wrap").unwrap();
        assert_eq!((found.sha256, found.path.contains("ws")), (Sha256::of("bin"), false));
        assert_eq!(look(&found.path).unwrap(), found);
        assert_eq!(look("none").unwrap_err(), "it is not in PATH");
        assert_eq!(look("./wrap").unwrap_err(), "it is not in PATH");
        assert!(look(root.join("bin").as_str()).unwrap_err().ends_with("cannot be read: not a regular file"));
    }
}
