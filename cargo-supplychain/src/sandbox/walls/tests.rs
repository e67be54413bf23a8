//! What a build may read and write, by the machine, the environment and the workspace.

use super::*;

fn request(environment: &[(&str, &str)]) -> Request {
    Request {
        workspace: "/home/u/app".into(),
        home: Some("/home/u".into()),
        cargo_home: Some("/home/u/.cargo".into()),
        target: "/home/u/app/target/supplychain/.build".into(),
        private: "/home/u/app/target/supplychain/.sealed".into(),
        environment: environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Request::default()
    }
}

#[test]
fn tools_of_the_environment_are_open_and_the_home_is_not() {
    let tools = |name: &str, value: &str| request(&[(name, value)]).tools().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(tools("PATH", "/usr/bin:/home/u/.pyenv/shims"), ["/usr/bin", "/usr", "/home/u/.pyenv/shims", "/home/u/.pyenv"]);
    assert_eq!(tools("PATH", "/home/u/.cargo/bin"), ["/home/u/.cargo/bin"]);
    assert_eq!(tools("PATH", "/home/u/.local/bin"), ["/home/u/.local/bin", "/home/u/.local/lib"]);
    assert_eq!(tools("PATH", "/home/u/bin"), ["/home/u/bin"], "its parent is the home");
    assert_eq!(tools("PATH", "/home/u:.:relative:/"), Vec::<String>::new());
    assert_eq!(tools("OPENSSL_DIR", "/opt/ssl"), ["/opt/ssl"]);
    assert_eq!(tools("KEY_DIR", "/home/u/.ssh"), Vec::<String>::new());
    assert_eq!(tools("ANY_DIR", "/home/u/.config"), Vec::<String>::new(), "it holds keys");
    assert_eq!(tools("CARGO_HOME", "/home/u/.cargo"), Vec::<String>::new());
    assert_eq!(tools("SOMETHING", "/home/u/x"), Vec::<String>::new());
}

#[test]
fn a_repository_that_is_the_home_does_not_open_it() {
    let mut request = request(&[]);
    for (root, counts) in [("/home/u", false), ("/home", false), ("/", false), ("/home/u/app", true), ("/home/u/code", true)] {
        request.repository = Some(root.into());
        assert_eq!(request.source_root().is_some(), counts, "{root}");
    }
}

#[test]
fn a_sealed_build_has_a_home_of_its_own() {
    let request = request(&[("HOME", "/home/u"), ("XDG_CONFIG_HOME", "/home/u/.config"), ("LANG", "C")]);
    let environment = request.sealed_environment(&request.environment);
    assert_eq!(environment["HOME"], "/home/u/app/target/supplychain/.sealed/home");
    assert_eq!(environment["TMPDIR"], "/home/u/app/target/supplychain/.sealed/tmp");
    assert_eq!(environment["CARGO_HOME"], "/home/u/.cargo");
    assert_eq!(environment["LANG"], "C");
    assert!(!environment.contains_key("XDG_CONFIG_HOME"));
}

#[test]
fn a_key_in_the_workspace_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
    for file in ["src/main.rs", "keys/release.pem", "keys/release.pub", ".git/HEAD", "a/keys/x"] {
        std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
        std::fs::write(root.join(file), "").unwrap();
    }
    let request = Request { workspace: root.clone(), hidden: vec![root.join("keys/release.pem")], ..request(&[]) };
    let walls = request.walls();
    let open: Vec<_> = walls.read.iter().filter_map(|path| path.strip_prefix(&root).ok()).collect();
    assert_eq!(open, ["a", "keys/release.pub", "src"]);
}

#[test]
fn what_lies_in_a_folder_of_the_machine_keeps_its_own_rules() {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
    for file in [
        "bin/cc",
        "lib/libc.so",
        "local/lib/x.so",
        "local/cargo/credentials.toml",
        "local/cargo/bin/cargo",
        "local/cargo/registry/src/a/lib.rs",
        "src/app/.git/config",
        "src/app/src/main.rs",
        "src/app/bin/tool",
        "src/other/x",
    ] {
        std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
        std::fs::write(root.join(file), "").unwrap();
    }
    let request = Request {
        workspace: root.join("src/app"),
        git_folders: vec![root.join("src/app/.git")],
        cargo_home: Some(root.join("local/cargo")),
        environment: [("PATH".to_owned(), format!("{root}/bin:{root}/local/cargo/bin:{root}/src/app/bin"))].into(),
        toolchain: root.clone(),
        ..request(&[])
    };
    let walls = request.walls();
    let open = |paths: &[Utf8PathBuf]| -> Vec<String> {
        paths.iter().filter(|path| path.exists()).filter_map(|path| Some(path.strip_prefix(&root).ok()?.to_string())).collect()
    };
    assert_eq!(
        open(&walls.read),
        ["bin", "lib", "local/cargo/bin", "local/cargo/registry", "local/lib", "src/app/bin", "src/app/src", "src/other"]
    );
    // Who takes cargo's home for a toolchain does not get its tokens either.
    let walls = Request { toolchain: root.join("local/cargo"), ..request.clone() }.walls();
    assert!(open(&walls.read).iter().all(|path| path != "local/cargo" && !path.contains("credentials")));
    let walls = request.walls();
    assert_eq!(open(&walls.list).into_iter().collect::<BTreeSet<_>>(), ["", "local", "src", "src/app"].map(str::to_owned).into());
}

#[test]
fn keys_of_the_system_are_closed() {
    let walls = request(&[]).walls();
    assert!(walls.read.iter().all(|path| !path.as_str().contains("shadow") && path != "/etc" && path != "/etc/ssl"));
    assert!(walls.read.iter().all(|path| path != "/etc/ssl/private" && path != "/proc"));
    assert_eq!(walls.write, ["/home/u/app/target/supplychain/.build", "/home/u/app/target/supplychain/.sealed"]);
}
