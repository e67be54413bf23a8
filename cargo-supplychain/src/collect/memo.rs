//! A memory of answers that processes gave, in the cache folder: the toolchain's words and `cargo metadata`. An answer counts only while
//! everything that determined it is the same. Never read in CI, where a cache restored from elsewhere could speak for the machine.

use std::fs;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::base::{Context, Sha256};
use crate::files;

/// The largest answer that is kept or read.
const LIMIT: u64 = 256 << 20;
/// So many answers are kept; the oldest go.
const KEPT: usize = 64;
/// The largest file whose content is a witness.
const WITNESS_LIMIT: u64 = 16 << 20;

/// Something that determined an answer, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Witness {
    /// A file's content; `None`: there was no such file.
    Content(Utf8PathBuf, Option<Sha256>),
    /// A file's size, time of change and inode: for files that are not ours to hash each time.
    Stat(Utf8PathBuf, String),
    /// The names in a folder with their kinds; `None`: there was no such folder.
    Names(Utf8PathBuf, Option<Sha256>),
}

impl Witness {
    /// The content of the file, now.
    pub fn content(path: Utf8PathBuf) -> Self {
        let digest = files::read(&path, WITNESS_LIMIT).ok().map(Sha256::of);
        Self::Content(path, digest)
    }

    /// Size, time and inode of the file, now.
    pub fn stat(path: Utf8PathBuf) -> Self {
        let text = stat(&path).unwrap_or_else(|error| error.kind().to_string());
        Self::Stat(path, text)
    }

    /// The names in the folder, now.
    pub fn names(path: Utf8PathBuf) -> Self {
        let digest = names(&path).ok().map(|names| Sha256::of(names.join("\n")));
        Self::Names(path, digest)
    }

    fn holds(&self) -> bool {
        *self
            == match self {
                Self::Content(path, _) => Self::content(path.clone()),
                Self::Stat(path, _) => Self::stat(path.clone()),
                Self::Names(path, _) => Self::names(path.clone()),
            }
    }
}

/// Size, modification time in nanoseconds and inode.
pub fn stat(path: &Utf8Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    let nanoseconds = metadata.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Ok(format!("{} {nanoseconds} {inode}", metadata.len()))
}

fn names(path: &Utf8Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        // A folder becomes a member of a workspace by a pattern once it has a manifest, and a binary once it has a `main.rs`.
        let inside = ["Cargo.toml", "main.rs"].into_iter().filter(|name| entry.path().join(name).exists());
        let mark = if kind.is_file() { String::new() } else { format!("/{}", inside.collect::<Vec<_>>().join("+")) };
        names.push(format!("{}{mark}", entry.file_name().to_string_lossy()));
    }
    names.sort();
    Ok(names)
}

/// The answer to `question`, remembered while its witnesses hold; else `ask` is asked, and says what the answer depends on.
pub fn remembered<E>(
    context: &Context,
    kind: &str,
    question: &str,
    ask: impl FnOnce() -> Result<String, E>,
    witnesses: impl FnOnce(&str) -> Vec<Witness>,
) -> Result<String, E> {
    if context.in_ci() {
        return ask();
    }
    let key = Sha256::of(format!("{}\n{kind}\n{question}", env!("CARGO_PKG_VERSION")));
    let folder = context.cache_dir.join("memo");
    let path = folder.join(format!("{kind}-{key}"));
    if let Some(answer) = recall(&path) {
        return Ok(answer);
    }
    // Taken before the answer is kept: what changes while we ask makes the answer stale, never fresh. A cache that cannot be written
    // costs time only.
    let begun = SystemTime::now();
    let answer = ask()?;
    let witnesses = witnesses(&answer);
    if !changed_since(&witnesses, begun) {
        let _ = keep(&folder, &path, &witnesses, &answer);
    }
    Ok(answer)
}

/// Whether a witness was changed while the question was being asked, or in the second before, within which a clock may not tell.
fn changed_since(witnesses: &[Witness], begun: SystemTime) -> bool {
    let limit = begun - std::time::Duration::from_secs(1);
    witnesses.iter().any(|witness| match witness {
        Witness::Stat(path, _) => fs::metadata(path).and_then(|one| one.modified()).is_ok_and(|time| time >= limit),
        Witness::Content(path, Some(_)) => fs::metadata(path).and_then(|one| one.modified()).is_ok_and(|time| time >= begun),
        _ => false,
    })
}

/// First line: the witnesses as JSON. The rest: the answer.
fn recall(path: &Utf8Path) -> Option<String> {
    let text = String::from_utf8(files::read(path, LIMIT).ok()?).ok()?;
    let (head, answer) = text.split_once('\n')?;
    let witnesses: Vec<Witness> = serde_json::from_str(head).ok()?;
    witnesses.iter().all(Witness::holds).then(|| answer.to_owned())
}

fn keep(folder: &Utf8Path, path: &Utf8Path, witnesses: &[Witness], answer: &str) -> io::Result<()> {
    let head = serde_json::to_string(witnesses)?;
    if (head.len() + answer.len()) as u64 >= LIMIT {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, format!("{head}\n{answer}").as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    forget_oldest(folder)
}

fn forget_oldest(folder: &Utf8Path) -> io::Result<()> {
    let mut answers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        answers.push((entry.metadata()?.modified()?, entry.path()));
    }
    answers.sort();
    let surplus = answers.len().saturating_sub(KEPT);
    answers.into_iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::Timestamp;

    fn context(root: &Utf8Path, ci: bool) -> Context {
        let stamp = Timestamp::from_unix(0).unwrap();
        let env = if ci { BTreeMap::from([("CI".to_owned(), "true".to_owned())]) } else { BTreeMap::new() };
        Context {
            cwd: root.to_owned(),
            env,
            now: stamp,
            now_is_given: false,
            stamp,
            offline: true,
            cache_dir: root.join("cache"),
        }
    }

    #[test]
    fn an_answer_counts_while_its_witnesses_hold() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::create_dir(root.join("src")).unwrap();
        fs::write(root.join("a.toml"), "a").unwrap();
        fs::write(root.join("b.toml"), "b").unwrap();
        let old = SystemTime::now() - std::time::Duration::from_secs(60);
        for file in ["a.toml", "b.toml"] {
            fs::File::options().write(true).open(root.join(file)).unwrap().set_modified(old).unwrap();
        }
        let asked = Cell::new(0);
        let ask = |ci: bool| {
            let witnesses = |_: &str| {
                vec![
                    Witness::content(root.join("a.toml")),
                    Witness::stat(root.join("b.toml")),
                    Witness::names(root.join("src")),
                    Witness::content(root.join("absent")),
                ]
            };
            let answer = || {
                asked.set(asked.get() + 1);
                Ok::<_, ()>("answer\nof two lines".to_owned())
            };
            assert_eq!(remembered(&context(root, ci), "test", "q", answer, witnesses).unwrap(), "answer\nof two lines");
            asked.replace(0)
        };
        assert_eq!((ask(false), ask(false), ask(true)), (1, 0, 1));
        let changes: [(&str, &dyn Fn()); 4] = [
            ("content", &|| fs::write(root.join("a.toml"), "x").unwrap()),
            ("stat", &|| fs::write(root.join("b.toml"), "longer").unwrap()),
            ("names", &|| fs::write(root.join("src/new.rs"), "").unwrap()),
            ("absence", &|| fs::write(root.join("absent"), "").unwrap()),
        ];
        for (what, change) in changes {
            change();
            for file in ["a.toml", "b.toml", "absent"] {
                if let Ok(file) = fs::File::options().write(true).open(root.join(file)) {
                    file.set_modified(old).unwrap();
                }
            }
            assert_eq!((ask(false), ask(false)), (1, 0), "{what}");
        }
    }
}
