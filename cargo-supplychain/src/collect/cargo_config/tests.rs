use std::fs;

use super::*;
use crate::model::ConfigEntry;

/// A folder tree: `repo/` (the repository and workspace), `home/` (`$CARGO_HOME`).
struct Tree {
    folder: tempfile::TempDir,
    env: BTreeMap<String, String>,
    args: Vec<String>,
    cwd: &'static str,
    home: &'static str,
    workspace: &'static str,
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tree = Self { folder, env: BTreeMap::new(), args: vec![], cwd: "repo", home: "home", workspace: "repo" };
        for folder in ["repo", "home", "elsewhere"] {
            fs::create_dir_all(tree.path(folder)).unwrap();
        }
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    fn path(&self, path: &str) -> Utf8PathBuf {
        canonical_root(self.folder.path()).join(path)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self) -> Result<CargoConfig, Error> {
        read(&ConfigRequest {
            cwd: &self.path(self.cwd),
            workspace_root: &self.path(self.workspace),
            repository_root: Some(&self.path("repo")),
            cargo_home: Some(&self.path(self.home)),
            env: &self.env,
            config_args: &self.args,
        })
    }

    /// `key = value @ place, scope`, strongest first, with the temporary folder as `T`.
    fn shown(&self) -> Vec<String> {
        let show = |entry: &ConfigEntry| {
            let mark = if entry.effective { "" } else { ", not effective" };
            format!("{} = {} @ {} {:?}{mark}", entry.dotted(), entry.value, entry.location, entry.scope)
        };
        self.read().unwrap().entries.iter().map(|entry| show(entry).replace(self.path("").as_str(), "T/")).collect()
    }

    fn error(&self) -> String {
        self.read().unwrap_err().to_string().replace(self.path("").as_str(), "T/")
    }
}

fn canonical_root(path: &std::path::Path) -> Utf8PathBuf {
    paths::canonical(Utf8Path::from_path(path).unwrap())
}

const WRAPPER: &str = "[build]\nrustc-wrapper = 'w'\n";

#[test]
fn each_place_is_found_with_its_scope() {
    for (path, expected) in [
        ("repo/.cargo/config.toml", "build.rustc-wrapper = \"w\" @ .cargo/config.toml:2:1 Repository"),
        ("repo/.cargo/config", "build.rustc-wrapper = \"w\" @ .cargo/config:2:1 Repository"),
        (".cargo/config.toml", "build.rustc-wrapper = \"w\" @ T/.cargo/config.toml:2:1 Parent"),
        ("home/config.toml", "build.rustc-wrapper = \"w\" @ $CARGO_HOME/config.toml:2:1 User"),
        ("home/config", "build.rustc-wrapper = \"w\" @ $CARGO_HOME/config:2:1 User"),
    ] {
        assert_eq!(Tree::new(&[(path, WRAPPER)]).shown(), [expected], "{path}");
    }
    for path in ["repo/config.toml", "repo/.cargo/credentials.toml", "home/.cargo/config.toml", "elsewhere/.cargo/config.toml"] {
        assert!(Tree::new(&[(path, WRAPPER)]).shown().is_empty(), "{path}");
    }
}

#[test]
fn strongest_first_and_the_legacy_name_wins() {
    let mut tree = Tree::new(&[
        ("repo/.cargo/config", "a = 1"),
        ("repo/.cargo/config.toml", "a = 2"),
        (".cargo/config.toml", "a = 3"),
        ("home/config.toml", "a = 4"),
    ]);
    tree.env.insert("RUSTC_WRAPPER".into(), "w".into());
    tree.args = vec!["a = 5".into(), "a = 6".into()];
    assert_eq!(
        tree.shown(),
        [
            "a = 6 @ --config CommandLine",
            "a = 5 @ --config CommandLine",
            "build.rustc-wrapper = \"w\" @ environment variable RUSTC_WRAPPER Environment",
            "a = 1 @ .cargo/config:1:1 Repository",
            "a = 3 @ T/.cargo/config.toml:1:1 Parent",
            "a = 4 @ $CARGO_HOME/config.toml:1:1 User",
        ]
    );
    assert_eq!(tree.read().unwrap().files.len(), 3);
}

#[test]
fn the_home_above_the_project_counts_once_and_inside_it_is_the_repositorys() {
    let mut tree = Tree::new(&[(".cargo/config.toml", "a = 1")]);
    tree.home = ".cargo";
    assert_eq!(tree.shown(), ["a = 1 @ $CARGO_HOME/config.toml:1:1 User"]);
    assert!(!tree.read().unwrap().cargo_home_in_repository);

    let mut tree = Tree::new(&[("repo/.cargo/config.toml", "a = 1")]);
    tree.home = "repo/.cargo";
    assert_eq!(tree.shown(), ["a = 1 @ .cargo/config.toml:1:1 Repository"]);
    assert!(tree.read().unwrap().cargo_home_in_repository);
}

#[test]
fn both_starting_points_are_judged_and_only_the_working_folders_is_effective() {
    let mut tree = Tree::new(&[
        ("repo/.cargo/config.toml", "a = 1"),
        ("repo/sub/.cargo/config.toml", "a = 2"),
        ("elsewhere/.cargo/config.toml", "a = 3"),
        ("home/config.toml", "a = 4"),
    ]);
    tree.cwd = "elsewhere";
    let elsewhere = [
        "a = 3 @ T/elsewhere/.cargo/config.toml:1:1 Parent",
        "a = 4 @ $CARGO_HOME/config.toml:1:1 User",
        "a = 1 @ .cargo/config.toml:1:1 Repository, not effective",
    ];
    assert_eq!(tree.shown(), elsewhere);
    assert_eq!(tree.read().unwrap().get(&["a"]).unwrap().value.as_integer(), Some(3));
    tree.cwd = "repo/sub";
    assert_eq!(
        tree.shown(),
        [
            "a = 2 @ sub/.cargo/config.toml:1:1 Repository",
            "a = 1 @ .cargo/config.toml:1:1 Repository",
            "a = 4 @ $CARGO_HOME/config.toml:1:1 User",
        ]
    );
    // A workspace below the repository's root: what lies between belongs to the repository.
    (tree.cwd, tree.workspace) = ("repo/sub", "repo/sub");
    assert_eq!(tree.shown()[1], "a = 1 @ T/repo/.cargo/config.toml:1:1 Repository");
}

#[test]
fn includes_are_weaker_than_the_file_and_the_last_is_the_strongest() {
    let tree = Tree::new(&[
        ("repo/.cargo/config.toml", "include = ['a.toml', 'b.toml']\nx = 0"),
        ("repo/.cargo/a.toml", "x = 1"),
        ("repo/.cargo/b.toml", "include = [{ path = '../../c.toml' }, { path = 'no.toml', optional = true }]\nx = 2"),
        ("c.toml", "x = 3"),
    ]);
    let values: Vec<_> = tree.shown().into_iter().filter(|line| line.starts_with("x")).collect();
    assert_eq!(
        values,
        [
            "x = 0 @ .cargo/config.toml:2:1 Repository",
            "x = 2 @ .cargo/b.toml:2:1 Repository",
            "x = 3 @ T/c.toml:1:1 Repository",
            "x = 1 @ .cargo/a.toml:1:1 Repository",
        ]
    );
    // Tried with cargo 1.95.0: the base is the lexical grandparent of the path as joined.
    let config = tree.read().unwrap();
    let bases: Vec<_> = config.entries.iter().map(|entry| paths::canonical(Utf8Path::new(&entry.base))).collect();
    assert!(bases.iter().all(|base| *base == tree.path("repo")), "{bases:?}");
}

#[test]
fn what_the_user_includes_is_the_users_unless_it_lies_in_the_repository() {
    for (include, expected) in
        [("x.toml", "a = 1 @ $CARGO_HOME/x.toml:1:1 User"), ("../repo/x.toml", "a = 1 @ x.toml:1:1 Repository")]
    {
        let tree = Tree::new(&[
            ("home/config.toml", &format!("include = ['{include}']")),
            ("home/x.toml", "a = 1"),
            ("repo/x.toml", "a = 1"),
        ]);
        assert_eq!(tree.shown()[1], expected);
    }
}

#[test]
fn broken_input_is_named_with_its_place() {
    let config = "repo/.cargo/config.toml";
    let big = format!("a = '{}'", "x".repeat(1024 * 1024));
    let deep: Vec<_> = (0..18).map(|n| (format!("repo/.cargo/{n}.toml"), format!("include = ['{}.toml']", n + 1))).collect();
    let mut nested: Vec<_> = deep.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    nested.push((config, "include = ['0.toml']"));
    for (files, expected) in [
        (vec![(config, "[build\n")], ".cargo/config.toml:1:7: invalid cargo configuration: "),
        (vec![("home/config.toml", "a = 1\na = 2")], "$CARGO_HOME/config.toml:2:1: invalid cargo configuration: duplicate key"),
        (vec![(config, &*big)], ".cargo/config.toml: larger than the limit of 1048576 bytes"),
        (vec![("repo/.cargo/config/x", "")], ".cargo/config: not a regular file"),
        (
            vec![(config, "\ninclude = 'a.toml'"), ("repo/.cargo/a.toml", "a = ")],
            ".cargo/a.toml:1:5: invalid cargo configuration: ",
        ),
        (vec![(config, "\ninclude = ['a.toml']")], ".cargo/a.toml: cannot read the cargo configuration: "),
        (vec![(config, "\ninclude = ['a.txt']")], ".cargo/config.toml:2: include `a.txt`: the name must end with .toml"),
        (vec![(config, "include = [1]")], ".cargo/config.toml:1: include: expected a list of paths"),
        (
            vec![(config, "include = ['config.toml']")],
            ".cargo/config.toml:1: include `config.toml`: included twice, or in a circle",
        ),
        (
            vec![
                (config, "include = ['a.toml']"),
                ("repo/.cargo/a.toml", "include = ['b.toml']"),
                ("repo/.cargo/b.toml", "\ninclude = ['a.toml']"),
            ],
            ".cargo/b.toml:2: include `a.toml`: included twice, or in a circle",
        ),
        (nested, ".cargo/15.toml:1: includes are nested deeper than 16"),
    ] {
        let error = Tree::new(&files).error();
        assert!(error.starts_with(expected), "{error}\n{expected}");
        assert!(!error.contains('\n'), "{error}");
    }
    let tree = Tree::new(&[]);
    tree.write(config, b"a = '\xff'");
    assert_eq!(tree.error(), ".cargo/config.toml: not UTF-8 text");
}

#[test]
fn many_includes_are_refused() {
    let list: Vec<_> = (0..130).map(|n| format!("'{n}.toml'")).collect();
    let tree = Tree::new(&[("repo/.cargo/config.toml", &format!("include = [{}]", list.join(",")))]);
    (0..130).for_each(|n| tree.write(&format!("repo/.cargo/{n}.toml"), ""));
    assert!(tree.error().ends_with("more than 128 configuration files"), "{}", tree.error());
}

#[test]
fn many_settings_in_many_files_are_refused() {
    // Each file within its limit: 128 of them with long keys would take gigabytes.
    let settings: String = (0..4000).map(|number| format!("k{number} = 1\n")).collect();
    let tree = Tree::new(&[("repo/.cargo/config.toml", "include = ['0.toml', '1.toml', '2.toml']")]);
    (0..3).for_each(|number| tree.write(&format!("repo/.cargo/{number}.toml"), &settings));
    assert!(tree.error().ends_with("more than 10000 settings in all configuration files"), "{}", tree.error());
}

#[test]
fn arguments_are_keys_or_files_and_their_values_stay_out_of_messages() {
    let mut tree = Tree::new(&[("repo/extra.cfg", "a = 1"), ("repo/i.toml", "b = 2")]);
    tree.args = vec!["extra.cfg".into(), "include = ['i.toml']".into(), "build.\"rustc\" = './x'".into()];
    assert_eq!(
        tree.shown(),
        [
            "build.rustc = \"./x\" @ --config CommandLine",
            "include = [\"i.toml\"] @ --config CommandLine",
            "b = 2 @ i.toml:1:1 CommandLine",
            "a = 1 @ extra.cfg:1:1 CommandLine",
        ]
    );
    for (argument, expected) in [
        ("missing.toml", "--config `missing.toml`: neither a file nor KEY=VALUE in TOML"),
        ("registries.x.token='hunter2'", "--config `registries.x.token`: cargo takes no credentials on the command line"),
        ("a='hunter2'\nb=1", "--config `a`: expected one KEY=VALUE"),
        ("a=hunter2", "--config `a`: neither a file nor KEY=VALUE in TOML"),
        ("", "--config ``: expected one KEY=VALUE"),
    ] {
        tree.args = vec![argument.into()];
        assert_eq!(tree.error(), expected);
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_as_cargo_does() {
    let tree = Tree::new(&[("elsewhere/real.toml", "a = 1")]);
    fs::create_dir_all(tree.path("repo/.cargo")).unwrap();
    std::os::unix::fs::symlink(tree.path("nowhere"), tree.path("repo/.cargo/config")).unwrap();
    std::os::unix::fs::symlink(tree.path("elsewhere/real.toml"), tree.path("repo/.cargo/config.toml")).unwrap();
    assert_eq!(tree.shown(), ["a = 1 @ .cargo/config.toml:1:1 Repository"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_not_opened() {
    let tree = Tree::new(&[("repo/.cargo/config.toml", "include = ['pipe.toml']")]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        tree.path("repo/.cargo/pipe.toml").as_std_path(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    assert_eq!(tree.error(), ".cargo/pipe.toml: not a regular file");
}

#[test]
fn the_home_of_cargo() {
    let env = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let of = |pairs: &[(&str, &str)]| cargo_home(&env(pairs), Utf8Path::new("/w")).map(|path| path.as_str().replace('\\', "/"));
    assert_eq!(of(&[("CARGO_HOME", "/c"), (home, "/u")]).as_deref(), Some("/c"));
    assert_eq!(of(&[("CARGO_HOME", "c")]).as_deref(), Some("/w/c"));
    assert_eq!(of(&[("CARGO_HOME", ""), (home, "/u")]).as_deref(), Some("/u/.cargo"));
    assert_eq!(of(&[]), None);
}
