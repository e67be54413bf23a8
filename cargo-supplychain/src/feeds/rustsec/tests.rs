use std::collections::BTreeSet;
use std::sync::Mutex;

use super::*;

fn advisory(number: u32, package: &str, date: &str) -> (String, String) {
    let text = format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-2026-{number:04}\"\npackage = \"{package}\"\ndate = \"{date}\"\n[versions]\npatched = [\">= 2.0.0\"]\n```\n\n# Title {number}\n\nText.\n"
    );
    (format!("crates/{package}/RUSTSEC-2026-{number:04}.md"), text)
}

struct Scene {
    folder: tempfile::TempDir,
    env: BTreeMap<String, String>,
    told: Mutex<Vec<String>>,
}

impl Scene {
    fn new() -> Self {
        let path = std::env::var("PATH").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        let env = BTreeMap::from([("PATH".to_owned(), path), ("HOME".to_owned(), home)]);
        Self { folder, env, told: Mutex::default() }
    }

    fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    fn write(&self, below: &str, path: &str, text: &str) {
        let path = self.root().join(below).join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn load(&self, database: Option<&str>, offline: bool, packages: Option<&[&str]>) -> Result<AdvisoryDatabase, Error> {
        self.request(database, offline, packages, load)
    }

    fn request<T>(
        &self,
        database: Option<&str>,
        offline: bool,
        packages: Option<&[&str]>,
        ask: impl FnOnce(&RustsecRequest<'_>) -> T,
    ) -> T {
        let packages: Option<BTreeSet<_>> = packages.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        ask(&RustsecRequest {
            revision: None,
            database,
            base: self.root(),
            cache_dir: &self.root().join("cache"),
            cargo_home: Some(&self.root().join("cargo-home")),
            workspace: None,
            env: &self.env,
            offline,
            which: packages.as_ref().map_or(Which::All, Which::OfPackages),
            progress: &|message| self.told.lock().unwrap().push(message.to_owned()),
        })
    }

    fn ids(&self, database: Option<&str>, offline: bool) -> Vec<String> {
        self.load(database, offline, None).unwrap().advisories.into_iter().map(|advisory| advisory.id).collect()
    }

    /// A git repository below `upstream` with the given files, committed.
    fn commit(&self, files: &[(String, String)], day: &str) -> String {
        let repository = git2::Repository::init(self.root().join("upstream")).unwrap();
        let mut index = repository.index().unwrap();
        for (path, text) in files {
            self.write("upstream", path, text);
            index.add_path(std::path::Path::new(path)).unwrap();
        }
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let seconds = day.parse::<Timestamp>().unwrap().unix();
        let author = git2::Signature::new("a", "a@example.org", &git2::Time::new(seconds, 0)).unwrap();
        let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<_> = parent.iter().collect();
        repository.commit(Some("HEAD"), &author, &author, "m", &tree, &parents).unwrap().to_string()
    }
}

#[test]
fn plain_folder_has_the_date_of_its_newest_advisory_and_is_cached_until_it_changes() {
    let scene = Scene::new();
    for (path, text) in [advisory(2, "b", "2026-03-01"), advisory(1, "a", "2026-05-01"), advisory(3, "a", "2026-01-01")] {
        scene.write("db", &path, &text);
    }
    scene.write("db", "crates/a/RUSTSEC-0000-0000.md", "a draft");
    scene.write("db", "README.md", "not an advisory");
    let first = scene.load(Some("db"), true, None).unwrap();
    assert_eq!(first.info.date.unwrap().date(), "2026-05-01");
    assert_eq!((first.info.origin.as_str(), first.info.revision.as_deref(), first.info.entries), ("db", None, 3));
    assert_eq!(scene.ids(Some("db"), true), ["RUSTSEC-2026-0001", "RUSTSEC-2026-0003", "RUSTSEC-2026-0002"]);
    assert_eq!(scene.root().join("cache/rustsec-parsed").read_dir_utf8().unwrap().count(), 1);
    assert_eq!(scene.load(Some("db"), true, None).unwrap(), first, "the cached form is the same");
    let some = scene.load(Some("db"), true, Some(&["b", "c"])).unwrap();
    assert_eq!((some.advisories.len(), some.info), (1, first.info.clone()));
    let (path, text) = advisory(4, "c", "2026-06-01");
    scene.write("db", &path, &text);
    let second = scene.load(Some("db"), true, Some(&["c"])).unwrap();
    assert_eq!((second.advisories.len(), second.info.entries), (1, 4));
    assert_ne!(second.info.sha256, first.info.sha256);
}

#[test]
fn cut_or_foreign_cache_files_are_made_again() {
    let scene = Scene::new();
    for (path, text) in [advisory(1, "a", "2026-05-01"), advisory(2, "b", "2026-03-01")] {
        scene.write("db", &path, &text);
    }
    let first = scene.load(Some("db"), true, None).unwrap();
    let file = scene.root().join("cache/rustsec-parsed").read_dir_utf8().unwrap().next().unwrap().unwrap().into_path();
    let text = std::fs::read_to_string(&file).unwrap();
    let without_last_line = text.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    for damaged in [
        without_last_line,
        text[..text.len() - 9].to_owned(),
        String::new(),
        "x\n".into(),
        text.replace("\"format\":2", "\"format\":0"),
    ] {
        std::fs::write(&file, damaged).unwrap();
        assert_eq!(scene.load(Some("db"), true, None).unwrap(), first);
    }
}

#[test]
fn named_and_missing_is_a_mistake_and_empty_or_broken_is_undetermined() {
    let scene = Scene::new();
    scene.write("", "file", "x");
    scene.write("empty", "crates/README", "x");
    scene.write("broken", "crates/a/RUSTSEC-2026-0001.md", "not an advisory");
    scene.write("large", "crates/a/RUSTSEC-2026-0001.md", &" ".repeat(300_000));
    for (database, expected) in [
        ("gone", "advisory database gone: no such folder"),
        ("file", "advisory database file: not a folder"),
        ("http://example.org/db", "advisory database http://example.org/db: cannot fetch by `http`: use https, ssh or file"),
        (
            "ext::sh -c date://x",
            "advisory database ext::sh -c date://x: cannot fetch by `ext::sh -c date`: use https, ssh or file",
        ),
    ] {
        let error = scene.load(Some(database), true, None).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }) && error.to_string() == expected, "{error}");
    }
    for (database, expected) in [
        ("empty", "advisory database empty has no advisories"),
        (
            "broken",
            "advisory database broken: crates/a/RUSTSEC-2026-0001.md is not readable: it does not begin with a TOML block",
        ),
        ("large", "advisory database large: crates/a/RUSTSEC-2026-0001.md is not a regular file of at most 262144 bytes"),
    ] {
        let error = scene.load(Some(database), true, None).unwrap_err();
        assert!(
            matches!(&error, Error::Unavailable { help, .. } if !help.is_empty()) && error.to_string() == expected,
            "{error}"
        );
    }
}

#[test]
fn repository_is_fetched_once_renewed_when_old_and_used_offline() {
    let scene = Scene::new();
    let first = scene.commit(&[advisory(1, "a", "2026-05-01")], "2026-05-02");
    let url = format!("file://{}/upstream", scene.root());
    let error = scene.load(Some(&url), true, None).unwrap_err();
    assert!(error.to_string().contains("no copy of the advisory database"), "{error}");
    let database = scene.load(Some(&url), false, None).unwrap();
    assert_eq!(database.info.revision.as_deref(), Some(first.as_str()));
    assert_eq!(database.info.date.unwrap().date(), "2026-05-02");
    scene.commit(&[advisory(2, "b", "2026-06-01")], "2026-06-02");
    assert_eq!(scene.ids(Some(&url), false), ["RUSTSEC-2026-0001"], "fetched today");
    assert_eq!(scene.told.lock().unwrap().len(), 1);
    let home = scene.root().join("cache/rustsec").read_dir_utf8().unwrap().next().unwrap().unwrap().into_path();
    std::fs::write(home.join("fetched"), "1\n").unwrap();
    assert_eq!(scene.ids(Some(&url), true), ["RUSTSEC-2026-0001"], "offline");
    assert_eq!(scene.ids(Some(&url), false), ["RUSTSEC-2026-0001", "RUSTSEC-2026-0002"]);
    std::fs::write(home.join("fetched"), "1\n").unwrap();
    std::fs::remove_dir_all(scene.root().join("upstream")).unwrap();
    assert_eq!(scene.ids(Some(&url), false).len(), 2, "the copy serves when upstream is gone");
    assert!(scene.told.lock().unwrap().last().unwrap().contains("could not renew"), "{:?}", scene.told);
    assert_eq!(home.read_dir_utf8().unwrap().count(), 2, "nothing but the copy and its day stays");
}

#[test]
fn unreachable_repository_is_undetermined_and_its_credentials_stay_out() {
    let scene = Scene::new();
    let url = format!("file://user:secret@localhost{}/nothing", scene.root());
    let error = scene.load(Some(&url), false, None).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(!format!("{error:?} {:?}", scene.told).contains("secret"), "{error:?}");
}

#[test]
fn checkout_names_its_commit() {
    let scene = Scene::new();
    let commit = scene.commit(&[advisory(1, "a", "2026-05-01")], "2026-05-02");
    let database = scene.load(Some("upstream"), true, None).unwrap();
    assert_eq!((database.info.revision, database.info.date.unwrap().date()), (Some(commit), "2026-05-02".to_owned()));
}

#[test]
fn cargo_audits_copy_is_the_last_resort_of_the_default() {
    let scene = Scene::new();
    let (path, text) = advisory(1, "a", "2026-05-01");
    scene.write("cargo-home/advisory-db", &path, &text);
    assert_eq!(scene.ids(None, true), ["RUSTSEC-2026-0001"]);
    assert!(scene.told.lock().unwrap()[0].ends_with("using the copy in CARGO_HOME, of 2026-05-01"), "{:?}", scene.told);
    assert!(scene.load(Some("https://example.org/other"), true, None).is_err());
}

#[test]
fn no_git_of_the_project_is_run() {
    let scene = Scene::new();
    let name = if cfg!(windows) { "git.exe" } else { "git" };
    for folder in ["workspace/bin", "elsewhere"] {
        scene.write(folder, name, "");
    }
    let workspace = scene.root().join("workspace");
    let folders = [Utf8PathBuf::from("workspace/bin"), workspace.join("bin"), scene.root().join("elsewhere")];
    let path = std::env::join_paths(&folders).unwrap().into_string().unwrap();
    let env = BTreeMap::from([("PATH".to_owned(), path)]);
    assert_eq!(crate::feeds::git::git_program(&env, Some(&workspace)), Some(folders[2].join(name)));
    assert_eq!(crate::feeds::git::git_program(&env, None), Some(folders[1].join(name)));
}

#[test]
fn an_older_state_is_not_taken_and_a_changed_checkout_is_said() {
    let scene = Scene::new();
    let first = scene.commit(&[advisory(1, "a", "2026-05-01")], "2026-05-02");
    let url = format!("file://{}/upstream", scene.root());
    let second = scene.commit(&[advisory(2, "b", "2026-06-01")], "2026-06-02");
    assert_eq!(scene.load(Some(&url), false, None).unwrap().info.revision, Some(second.clone()));
    let upstream = git2::Repository::open(scene.root().join("upstream")).unwrap();
    let set = |commit: &str| upstream.set_head_detached(git2::Oid::from_str(commit).unwrap()).unwrap();
    let home = scene.root().join("cache/rustsec").read_dir_utf8().unwrap().next().unwrap().unwrap().into_path();
    let again = || {
        std::fs::write(home.join("fetched"), "1\n").unwrap();
        scene.load(Some(&url), false, None).unwrap().info.revision
    };
    let said = || scene.request(Some(&url), false, None, rolled_back);
    assert_eq!(said(), None);
    set(&first);
    assert_eq!(again(), Some(second.clone()), "the newer copy stays");
    assert!(said().unwrap().starts_with(&format!("the server offers {first} of 2026-05-02")), "{:?}", said());
    set(&second);
    assert_eq!((again(), said()), (Some(second), None));
    let changed = || scene.request(Some("upstream"), true, None, modified);
    assert_eq!(changed(), None);
    let (path, text) = advisory(3, "c", "2026-06-01");
    scene.write("upstream", &path, &text);
    assert_eq!(changed().unwrap(), "the advisory database upstream differs from its commit in 1 file");
}

/// Folders that did not change are not listed again, and whatever happens in any of them is seen.
#[test]
fn names_are_remembered_while_they_are_the_same() {
    let scene = Scene::new();
    let put = |(path, text): (String, String)| scene.write("db", &path, &text);
    put(advisory(1, "fig", "2026-08-01"));
    put(advisory(2, "oak", "2026-08-02"));
    let ids = || {
        let loaded = scene.load(Some("db"), true, None).map_err(|error| error.to_string())?;
        Ok::<_, String>(loaded.advisories.iter().map(|one| format!("{} {}", one.id, one.date)).collect::<Vec<_>>())
    };
    let first = ids().unwrap();
    assert_eq!(first, ["RUSTSEC-2026-0001 2026-08-01", "RUSTSEC-2026-0002 2026-08-02"]);
    // A change within the tick of a file system's clock would not show: only then is anything remembered.
    std::thread::sleep(std::time::Duration::from_secs(4));
    for _ in 0..2 {
        assert_eq!(ids().unwrap(), first);
    }
    assert_eq!(scene.root().join("cache/rustsec-names-parsed").exists(), cfg!(target_os = "linux"));
    put(advisory(2, "oak", "2026-08-03"));
    assert_eq!(ids().unwrap()[1], "RUSTSEC-2026-0002 2026-08-03", "written to in its place");
    put(advisory(3, "oak", "2026-08-04"));
    put(advisory(4, "ivy", "2026-08-05"));
    assert_eq!(ids().unwrap().len(), 4);
    std::fs::remove_file(scene.root().join("db/crates/fig/RUSTSEC-2026-0001.md")).unwrap();
    assert_eq!(ids().unwrap().len(), 3);
    std::fs::remove_dir_all(scene.root().join("db/crates/oak")).unwrap();
    assert_eq!(ids().unwrap(), ["RUSTSEC-2026-0004 2026-08-05"]);
    // What is remembered of a folder says nothing of what a name has become.
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert_eq!(ids().unwrap().len(), 1);
    std::fs::write(scene.root().join("db/crates/ivy/RUSTSEC-2026-0004.md"), vec![b' '; 2 << 20]).unwrap();
    assert!(ids().unwrap_err().contains("is not a regular file of at most"));
}
