//! Secrets stay out (DESIGN.md, invariant 8): of build children, of the release, of what is shown.

use std::fs;

use crate::support::Project;

/// Every value holds this word, which must not appear anywhere.
const CANARY: &str = "canary-7f3a";

const SECRETS: [&str; 14] = [
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "CARGO_REGISTRY_TOKEN",
    "CARGO_REGISTRIES_CORP_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_RUNTIME_TOKEN",
    "SUPPLYCHAIN_KEY_PASSPHRASE",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "NPM_TOKEN",
    "DATABASE_PASSWORD",
    "SSH_AUTH_SOCK",
    "GITHUB_ENV",
];

#[test]
fn no_secret_reaches_a_build_script_or_the_release() {
    let project = Project::app();
    let seen = project.root().join("seen");
    project.write(
        "build.rs",
        format!(
            "fn main() {{\n    let all: String = std::env::vars().map(|(name, value)| format!(\"{{name}}={{value}}\\n\")).collect();\n    std::fs::write({seen:?}, &all).unwrap();\n    std::fs::write(std::env::var(\"OUT_DIR\").unwrap() + \"/env\", &all).unwrap();\n}}\n"
        ),
    );
    project.write(
        "pack.sh",
        format!("set -e\nenv > {}\nmkdir -p target/dist\nenv > target/dist/env.txt\n", project.root().join("seen-by-pack")),
    );
    project.append("supplychain.toml", "[release]\npackage = [\"sh\", \"pack.sh\"]\nartifacts = [\"target/dist/env.txt\"]\n");
    let repository = git2::Repository::init(project.folder()).unwrap();
    repository.remote("origin", &format!("https://user:{CANARY}@example.org/org/app.git")).unwrap();
    let mut build = project.command(&["build", "--offline", "--format", "json", "--verbose", "--sandbox", "off"]);
    for name in SECRETS {
        build = build.env(name, format!("{CANARY}-{name}"));
    }
    let url = format!("https://user:{CANARY}@example.org/");
    let outcome = build.env("GITHUB_SHA", "0123").env("RUSTFLAGS", "--cfg x").env("CFLAGS", url).run().expect(0);
    for (what, text) in [("standard output", &outcome.stdout), ("standard error", &outcome.stderr)] {
        assert!(!text.contains(CANARY), "{what}: {text}");
    }

    for who in ["seen", "seen-by-pack"] {
        let seen = fs::read_to_string(project.root().join(who)).unwrap();
        for name in SECRETS {
            assert!(!seen.contains(&format!("{name}=")), "{who} {name}");
        }
        // Everything else is there, so that builds work.
        for name in ["PATH=", "HOME=", "GITHUB_SHA=0123", "CFLAGS=https"] {
            assert!(seen.contains(name), "{who} {name}\n{seen}");
        }
    }

    let release = project.release();
    let files = project.contents(&release);
    for (path, bytes) in &files {
        // What the user's own command wrote into its own artifact is the user's.
        if path == "artifacts/env.txt" {
            continue;
        }
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(CANARY), "{path}");
        if path.starts_with("attestations/") {
            let statement = crate::line::statement(&release.join(path));
            assert!(!statement.to_string().contains(CANARY), "{path}");
        }
    }
    let build = String::from_utf8_lossy(&files["evidence/build.json"]).into_owned();
    assert!(build.contains("https://example.org/org/app.git"), "{build}");
    assert!(!project.read("target/dist/env.txt").contains("_TOKEN="));
}

#[test]
fn credentials_in_urls_and_configuration_are_not_shown() {
    let project = Project::app();
    project.write(
        ".cargo/config.toml",
        format!("[source.crates-io]\nreplace-with = \"x\"\n[source.x]\nregistry = \"sparse+https://user:{CANARY}@x.example/\"\n[registries.y]\nindex = \"sparse+https://user:{CANARY}@y.example/\"\n[http]\nproxy = \"http://user:{CANARY}@proxy.example\"\n"),
    );
    let database = format!("https://user:{CANARY}@db.example/db");
    for format in ["human", "json", "sarif", "github", "gitlab", "markdown"] {
        let outcome = project.run(&[
            "check",
            "--verbose",
            "--format",
            format,
            "--advisory-db",
            &database,
            "--config",
            &format!("registries.z.index=\"sparse+https://user:{CANARY}@z.example/\""),
        ]);
        assert!(!outcome.stdout.contains(CANARY) && !outcome.stderr.contains(CANARY), "{format}: {outcome}");
        assert!(outcome.stdout.contains("x.example") || outcome.stderr.contains("x.example"), "{format}: {outcome}");
    }
    let fetched = project.command(&["fetch", "--advisory-db", &format!("file://user:{CANARY}@/nowhere")]).run().expect(4);
    assert!(!fetched.stderr.contains(CANARY), "{fetched}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_build_script_cannot_look_into_the_parent() {
    let project = Project::app();
    let seen = project.root().join("seen");
    // cargo is the parent, and we are cargo's.
    project.write(
        "build.rs",
        format!(
            "fn main() {{\n    let status = |id: &str| std::fs::read_to_string(format!(\"/proc/{{id}}/status\")).unwrap();\n    let parent = |id: &str| status(id).lines().find_map(|line| line.strip_prefix(\"PPid:\").map(|id| id.trim().to_owned())).unwrap();\n    let ours = parent(&parent(\"self\"));\n    let name = status(&ours).lines().next().unwrap().to_owned();\n    let environment = std::fs::read(format!(\"/proc/{{ours}}/environ\")).map_err(|error| error.kind());\n    std::fs::write({seen:?}, format!(\"{{name}}\\n{{}}\", environment.is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains({CANARY:?})))).unwrap();\n}}\n"
        ),
    );
    project.command(&["build", "--offline", "--no-sign", "--sandbox", "off"]).env("MY_SECRET", CANARY).run().expect(0);
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.starts_with("Name:\tcargo-supplycha"), "{seen}");
    // The superuser may look into any process; for everybody else the kernel refuses.
    let is_root = fs::read_to_string("/proc/self/status").unwrap().lines().any(|line| line.starts_with("Uid:\t0\t"));
    assert!(is_root || seen.ends_with("false"), "{seen}");
}
