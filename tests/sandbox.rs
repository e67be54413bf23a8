//! The sealed build: what build scripts and procedural macros try is refused and told, with the crate that tried; their benign twins
//! build. Where the kernel cannot seal a build these tests say so and look at that instead.

use std::fs;

use serde_json::Value;

use crate::support::{Outcome, Project, files};

/// Whether this machine can seal builds; the tests need Linux with Landlock.
fn can_seal() -> bool {
    let probe = Project::app();
    let outcome = probe.run(&["build", "--dry-run", "--sandbox", "require"]);
    assert!(matches!(outcome.code, 0 | 4), "{outcome}");
    if outcome.code == 4 {
        eprintln!("not tried, this kernel cannot seal a build: {}", outcome.stderr);
    }
    outcome.code == 0
}

/// A member `dep` 0.2.0 of the build whose build script does this, and canaries in the home.
fn with_script(body: &str) -> Project {
    let project = Project::app();
    project.append("Cargo.toml", "\n[dependencies]\ndep = { path = \"../dep\" }\n");
    project.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"dep\",\n]\n\n[[package]]\nname = \"dep\"\nversion = \"0.2.0\"\n");
    project.write("../dep/Cargo.toml", "[package]\nname = \"dep\"\nversion = \"0.2.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n");
    project.write("../dep/src/lib.rs", "");
    project.write("../dep/build.rs", format!("fn main() {{\n{body}\n}}\n"));
    project.append("supplychain.toml", "\n[rules]\n\"source/path-outside-workspace\" = \"off\"\n");
    for canary in [".ssh/id_rsa", ".aws/credentials", ".cargo/credentials.toml", ".bashrc"] {
        project.write(&format!("../home/{canary}"), "canary");
    }
    project
}

fn build(project: &Project) -> Outcome {
    project.run(&["build", "--no-sign", "--format", "json", "--sandbox", "require"])
}

/// What was tried by whom: `high sandbox/denied-read dep 0.2.0: ~/.ssh/id_rsa (…)`, one a line of evidence.
fn tried(outcome: &Outcome) -> Vec<String> {
    let report = outcome.report();
    let findings = report["findings"].as_array().unwrap().clone();
    let of = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let head = format!("{} {} {} {}", text("severity"), text("id"), text("package"), text("version"));
        let evidence = finding["evidence"].as_array().unwrap().clone();
        evidence
            .iter()
            .map(|line| line.as_str().unwrap().to_owned())
            .filter(|line| line != "it was refused")
            .map(|line| format!("{head}: {line}"))
            .collect::<Vec<_>>()
    };
    let sandbox = findings.iter().filter(|finding| finding["id"].as_str().unwrap().starts_with("sandbox/"));
    sandbox.flat_map(of).collect()
}

/// Builds, expects exit 1 and no release, and hands over what was told.
fn refused(project: &Project) -> Vec<String> {
    let outcome = build(project).expect(1);
    assert!(project.releases().is_empty(), "{outcome}");
    tried(&outcome)
}

/// Asserts that each line is among what was told.
fn assert_told(told: &[String], expected: &[&str]) {
    for line in expected {
        assert!(told.iter().any(|one| one.contains(line)), "{line}\nis not in\n{}", told.join("\n"));
    }
}

/// BLD-01: keys are not to be had, whether the script asks by `$HOME`, by the real home, through a link or through a program; and
/// the build ends with 1 although the script has swallowed every error.
#[test]
fn keys_are_not_read() {
    if !can_seal() {
        return;
    }
    let project = with_script(
        r#"extern "C" { fn open(path: *const u8, flags: i32) -> i32; }
        let real = std::env::var("CANARY_HOME").unwrap();
        let home = std::env::var("HOME").unwrap();
        let out = std::env::var("OUT_DIR").unwrap();
        let mut got = String::new();
        for path in [format!("{home}/.ssh/id_rsa"), format!("{real}/.ssh/id_rsa"), format!("{real}/.aws/credentials"), format!("{real}/.cargo/credentials.toml")] {
            got += &std::fs::read_to_string(path).unwrap_or_default();
        }
        std::os::unix::fs::symlink(format!("{real}/.bashrc"), format!("{out}/link")).unwrap();
        got += &std::fs::read_to_string(format!("{out}/link")).unwrap_or_default();
        let _ = std::fs::hard_link(format!("{real}/.bashrc"), format!("{out}/hard"));
        got += &std::fs::read_to_string(format!("{out}/hard")).unwrap_or_default();
        let stdin = unsafe { open(format!("{real}/.bashrc\0").as_ptr(), 0o10_000_000) };
        got += &std::fs::read_to_string(format!("/proc/self/fd/{stdin}")).unwrap_or_default();
        got += &std::fs::read_to_string(format!("/proc/self/root{real}/.aws/credentials")).unwrap_or_default();
        let cat = std::process::Command::new("cat").arg(format!("{real}/.ssh/id_rsa")).output().unwrap();
        got += &String::from_utf8_lossy(&cat.stdout);
        assert_eq!(got, "");"#,
    );
    let told = |project: &Project| {
        let arguments = ["build", "--offline", "--no-sign", "--format", "json"];
        tried(&project.command(&arguments).env("CANARY_HOME", project.root().join("home")).run().expect(1))
    };
    assert_told(
        &told(&project),
        &[
            "high sandbox/denied-read dep 0.2.0: ~/.ssh/id_rsa (a place where keys are kept), 2 times, by build-script-build",
            "high sandbox/denied-read dep 0.2.0: ~/.aws/credentials (a place where keys are kept), 2 times, by build-script-build",
            "high sandbox/denied-read dep 0.2.0: ~/.cargo/credentials.toml (a place where keys are kept)",
            "high sandbox/denied-read dep 0.2.0: ~/.bashrc, 3 times",
            "high sandbox/denied-read dep 0.2.0: ~/.ssh/id_rsa (a place where keys are kept), by cat",
        ],
    );
    assert!(project.releases().is_empty());
}

/// Nor are they where the project itself keeps them: a signing key in the workspace, a token in cargo's configuration. Cargo reads the latter.
#[test]
fn keys_of_the_project_are_not_read() {
    if !can_seal() {
        return;
    }
    let project = with_script(
        r#"let root = std::env::var("CANARY_ROOT").unwrap();
        for path in ["project/keys/release.pem", "cargo/config.toml", "project/.cargo/config.toml"] {
            assert!(std::fs::read(format!("{root}/{path}")).is_err(), "{path}");
        }
        std::fs::read(format!("{root}/project/keys/release.pub")).unwrap();"#,
    );
    project.write("../cargo/config.toml", "[registries.corp]\nindex = \"sparse+https://corp.example/\"\ntoken = \"canary\"\n");
    project.write(".cargo/config.toml", "[http]\nproxy = \"http://user:canary@proxy.example\"\n[term]\nquiet = true\n");
    project.run(&["key", "generate", "--output", "keys/release.pem"]).expect(0);
    let arguments = ["build", "--offline", "--key", "keys/release.pem", "--format", "json"];
    let outcome = project.command(&arguments).env("CANARY_ROOT", project.root()).run().expect(1);
    assert_told(
        &tried(&outcome),
        &[
            "high sandbox/denied-read dep 0.2.0: ",
            "/project/keys/release.pem (a place where keys are kept)",
            "/cargo/config.toml (a place where keys are kept)",
            "/project/.cargo/config.toml (a place where keys are kept)",
        ],
    );
}

/// The twin: what a build reads as a matter of course.
#[test]
fn what_builds_need_is_there() {
    if !can_seal() {
        return;
    }
    let project = with_script(
        r#"let out = std::env::var("OUT_DIR").unwrap();
        for path in ["/etc/os-release", "/proc/self/status", "/proc/cpuinfo", "/dev/null", "../project/Cargo.toml", "build.rs"] {
            std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        std::fs::read_dir("/proc/self/fd").unwrap();
        std::fs::write(format!("{out}/a.c"), "\x23include <stdio.h>\nint f(void) { return 1; }\n").unwrap();
        let cc = std::process::Command::new("cc").args(["-c", "-o", &format!("{out}/a.o"), &format!("{out}/a.c")]).status().unwrap();
        assert!(cc.success());
        std::fs::write(std::env::temp_dir().join("x"), "x").unwrap();
        std::fs::write(format!("{}/.config", std::env::var("HOME").unwrap()), "x").unwrap();
        std::fs::rename(format!("{out}/a.o"), format!("{out}/b.o")).unwrap();
        std::fs::remove_file(format!("{out}/b.o")).unwrap();
        std::fs::create_dir_all(format!("{out}/d/e")).unwrap();
        std::os::unix::net::UnixStream::pair().unwrap();
        assert!(std::process::Command::new("sh").args(["-c", "echo x >/dev/stderr; echo y >/dev/stdout; echo | cat >/dev/null"]).status().unwrap().success());
        assert!(std::thread::available_parallelism().unwrap().get() > 0);"#,
    );
    let outcome = build(&project).expect(0);
    assert_eq!(tried(&outcome), Vec::<String>::new());
    let release = project.release();
    let model: Value = serde_json::from_slice(&project.contents(&release)["evidence/build.json"]).unwrap();
    let sandbox = &model["invocation"]["sandbox"];
    assert_eq!(sandbox["asked"], "require");
    assert_eq!(sandbox["enforcement"]["kind"], "linux");
    assert!(sandbox["enforcement"]["landlock_abi"].as_u64().unwrap() >= 2, "{sandbox}");
    // Nothing of the private folders is left.
    assert!(!project.path("target/supplychain/.sealed").exists());
}

/// A build script that asks what the compiler can do, with the answer to nowhere (rustix before 1.0.8): the compiler wants a folder beside
/// the sources for that, and gets one elsewhere. The twin makes such a folder itself.
#[test]
fn the_compiler_is_asked_beside_the_sources() {
    if !can_seal() {
        return;
    }
    let project = with_script(
        r#"use std::io::Write as _;
        let can_compile = |source: &str| {
            let mut asked = std::process::Command::new(std::env::var("RUSTC").unwrap());
            asked.args(["--crate-type=rlib", "--emit=metadata", "-o", "-", "-"]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
            let mut asked = asked.spawn().unwrap();
            asked.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
            asked.wait().unwrap().success()
        };
        assert!(can_compile("pub fn f() {}"));
        assert!(can_compile("pub fn g() {}"));
        assert!(!can_compile("pub fn f() { nothing() }"));"#,
    );
    assert_eq!(tried(&build(&project).expect(0)), Vec::<String>::new());
    assert_eq!(files(&project.path("../dep")), ["Cargo.toml", "build.rs", "src/lib.rs"]);
    let project = with_script(r#"std::fs::create_dir("rmetaAbCdEf").unwrap_err();"#);
    assert_told(&refused(&project), &["high sandbox/denied-write dep 0.2.0: ", "/dep/rmetaAbCdEf"]);
}

/// BLD-02: no family of sockets, by any way, and by no child.
#[test]
fn the_network_is_closed() {
    if !can_seal() {
        return;
    }
    let project = with_script(
        r#"use std::net::{TcpListener, TcpStream, UdpSocket};
        extern "C" { fn socket(family: i32, kind: i32, protocol: i32) -> i32; fn syscall(number: i64, ...) -> i64; }
        assert!(TcpStream::connect("127.0.0.1:9").is_err());
        assert!(TcpListener::bind("127.0.0.1:0").is_err());
        assert!(UdpSocket::bind("[::1]:0").is_err());
        assert!(std::os::unix::net::UnixStream::connect("/run/docker.sock").is_err());
        assert!(std::os::unix::net::UnixDatagram::unbound().is_err());
        for family in [16, 17, 38, 40] {
            assert!(unsafe { socket(family, 3, 0) } < 0, "{family}");
        }
        assert!(unsafe { syscall(425, 8, 0) } < 0, "io_uring");
        let _ = std::process::Command::new("sh").args(["-c", "exec 3<>/dev/tcp/127.0.0.1/9"]).output();
        let _ = std::process::Command::new("bash").args(["-c", "exec 3<>/dev/tcp/127.0.0.1/9"]).output();"#,
    );
    assert_told(
        &refused(&project),
        &[
            "high sandbox/denied-network dep 0.2.0: AF_INET, 2 times, by build-script-build",
            "high sandbox/denied-network dep 0.2.0: AF_INET6, by build-script-build",
            "high sandbox/denied-network dep 0.2.0: AF_UNIX /run/docker.sock, by build-script-build",
            "high sandbox/denied-network dep 0.2.0: AF_UNIX datagram, by build-script-build",
            "high sandbox/denied-network dep 0.2.0: AF_NETLINK, by build-script-build",
            "high sandbox/denied-network dep 0.2.0: AF_PACKET, by build-script-build",
            "high sandbox/denied-network dep 0.2.0: AF_ALG, by build-script-build",
            "high sandbox/denied-network dep 0.2.0: AF_VSOCK, by build-script-build",
            "high sandbox/denied-network dep 0.2.0: io_uring, by build-script-build",
            "high sandbox/denied-network dep 0.2.0: AF_INET, by bash",
        ],
    );
}

/// BLD-03: nothing is written outside of the crate's own folder and the temporary one.
#[test]
fn nothing_is_written_elsewhere() {
    if !can_seal() {
        return;
    }
    let project = with_script(
        r#"use std::fs;
        let root = std::env::var("CANARY_ROOT").unwrap();
        let out = std::env::var("OUT_DIR").unwrap();
        let other = format!("{out}/../../other-0123456789abcdef");
        for path in ["src/lib.rs".to_owned(), format!("{root}/project/src/main.rs"), format!("{root}/home/.bashrc"), format!("{root}/home/.new"),
            format!("{root}/project/.git/hooks/pre-commit"), format!("{root}/project/target/evil"), format!("{out}/../../../deps/libapp-0123456789abcdef.rlib"),
            format!("{out}/../../../.fingerprint/x"), other] {
            assert!(fs::write(&path, "evil").is_err(), "{path}");
        }
        assert!(fs::rename("src/lib.rs", "src/lib2.rs").is_err());
        assert!(fs::remove_file(format!("{root}/home/.bashrc")).is_err());
        assert!(fs::create_dir(format!("{root}/home/.evil")).is_err());
        assert!(fs::set_permissions(format!("{root}/home/.bashrc"), std::os::unix::fs::PermissionsExt::from_mode(0o777)).is_err());
        assert!(std::os::unix::fs::symlink("/", format!("{root}/home/link")).is_err());
        assert!(fs::hard_link("src/lib.rs", format!("{out}/lib.rs")).is_err());
        std::os::unix::fs::symlink(format!("{root}/home/.bashrc"), format!("{out}/link")).unwrap();
        assert!(fs::write(format!("{out}/link"), "evil").is_err());
        assert!(fs::OpenOptions::new().write(true).open("src/lib.rs").is_err());"#,
    );
    project.write(".git/hooks/pre-commit", "");
    let arguments = ["build", "--offline", "--no-sign", "--format", "json"];
    let before = fs::read_dir(project.root().join("home")).unwrap().count();
    let outcome = project.command(&arguments).env("CANARY_ROOT", project.root()).run().expect(1);
    let told = tried(&outcome);
    assert_told(
        &told,
        &[
            "high sandbox/denied-write dep 0.2.0: ~/.bashrc",
            "high sandbox/denied-write dep 0.2.0: ~/.new",
            "high sandbox/denied-write dep 0.2.0: ~/link",
            "/dep/src/lib.rs",
            "/project/src/main.rs",
            "/project/target/evil",
            "/deps/libapp-0123456789abcdef.rlib",
            "/other-0123456789abcdef",
        ],
    );
    assert_eq!(fs::read_to_string(project.root().join("home/.bashrc")).unwrap(), "canary");
    assert_eq!(fs::read_to_string(project.root().join("dep/src/lib.rs")).unwrap(), "");
    assert_eq!(fs::read_dir(project.root().join("home")).unwrap().count(), before);
}

/// The same from a procedural macro, in the compiler: told as the macro's, not as that of the crate that uses it.
#[test]
fn a_procedural_macro_is_named() {
    if !can_seal() {
        return;
    }
    let project = Project::app();
    project.append("Cargo.toml", "\n[dependencies]\nmac = { path = \"../mac\" }\n\n[workspace]\n");
    project.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"mac\",\n]\n\n[[package]]\nname = \"mac\"\nversion = \"0.3.0\"\n");
    project.write("src/main.rs", "mac::look!();\nfn main() {}\n");
    project.write(
        "../mac/Cargo.toml",
        "[package]\nname = \"mac\"\nversion = \"0.3.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n[lib]\nproc-macro = true\n",
    );
    project.append("supplychain.toml", "\n[rules]\n\"source/path-outside-workspace\" = \"off\"\n");
    let home = project.root().join("home");
    project.write("../home/.ssh/id_rsa", "canary");
    project.write(
        "../mac/src/lib.rs",
        format!(
            "use proc_macro::TokenStream;\n#[proc_macro]\npub fn look(_: TokenStream) -> TokenStream {{\n    let _ = std::fs::read(\"{home}/.ssh/id_rsa\");\n    let _ = std::net::TcpStream::connect(\"127.0.0.1:9\");\n    let _ = std::fs::write(\"{home}/evil\", \"\");\n    let _ = std::process::Command::new(\"cat\").arg(\"{home}/.ssh/id_rsa\").output();\n    std::thread::spawn(|| std::fs::read(\"/etc/shadow\")).join().unwrap().ok();\n    TokenStream::new()\n}}\n"
        ),
    );
    assert_told(
        &refused(&project),
        &[
            "high sandbox/denied-read mac 0.3.0: ~/.ssh/id_rsa (a place where keys are kept), by rustc",
            "high sandbox/denied-read mac 0.3.0: ~/.ssh/id_rsa (a place where keys are kept), by cat",
            "high sandbox/denied-read mac 0.3.0: /etc/shadow, by rustc",
            "high sandbox/denied-network mac 0.3.0: AF_INET, by rustc",
            "high sandbox/denied-write mac 0.3.0: ~/evil, by rustc",
        ],
    );
    // A macro that an earlier build has compiled is named as well.
    project.write("src/main.rs", "mac::look!();\nfn main() { println!() }\n");
    assert_told(&refused(&project), &["high sandbox/denied-network mac 0.3.0: AF_INET, by rustc"]);
    // And the crate itself, when it asks the compiler for the file.
    project.write(
        "src/main.rs",
        format!("const KEY: &[u8] = include_bytes!(\"{home}/.ssh/id_rsa\");\nfn main() {{ println!(\"{{}}\", KEY.len()) }}\n"),
    );
    assert_told(
        &refused(&project),
        &["high sandbox/denied-read app 1.0.0: ~/.ssh/id_rsa (a place where keys are kept), by rustc"],
    );
}

/// Other processes and what a privileged call could do.
#[test]
fn other_processes_are_out_of_reach() {
    if !can_seal() {
        return;
    }
    let project = with_script(
        r#"extern "C" { fn syscall(number: i64, ...) -> i64; fn getppid() -> i32; fn kill(id: i32, signal: i32) -> i32; }
        let cargo = unsafe { getppid() };
        let status = std::fs::read_to_string(format!("/proc/{cargo}/status"));
        assert!(status.is_err());
        for file in ["environ", "mem", "maps", "cmdline", "fd/0"] {
            assert!(std::fs::read("/proc/1/".to_owned() + file).is_err(), "{file}");
            assert!(std::fs::read(format!("/proc/{cargo}/{file}")).is_err(), "{file}");
        }
        assert!(unsafe { syscall(101, 16, cargo, 0, 0) } < 0, "ptrace");
        assert!(unsafe { syscall(310, cargo, 0, 0, 0, 0, 0) } < 0, "process_vm_readv");
        assert!(unsafe { syscall(250, 0, -3, 0) } < 0, "keyctl");
        assert!(unsafe { syscall(272, 0x1000_0000) } < 0, "unshare");
        assert!(unsafe { syscall(165, 0, 0, 0, 0, 0) } < 0, "mount");
        assert!(unsafe { syscall(157, 4, 0, 0, 0, 0) } < 0, "prctl");
        assert!(unsafe { kill(1, 0) } < 0, "a signal");"#,
    );
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    assert_told(
        &refused(&project),
        &[
            "high sandbox/denied-read dep 0.2.0: /proc/1/environ",
            "high sandbox/denied-call dep 0.2.0: ptrace",
            "high sandbox/denied-call dep 0.2.0: process_vm_readv",
            "high sandbox/denied-call dep 0.2.0: keyctl",
            "high sandbox/denied-call dep 0.2.0: mount",
        ],
    );
}

/// Nothing of a build lives on after it: a daemon is ended with it, whatever it does to get away.
#[test]
fn nothing_lives_on() {
    if !can_seal() {
        return;
    }
    let project = with_script(
        r#"let mark = std::env::var("OUT_DIR").unwrap() + "/mark";
        let script = format!("setsid sh -c 'trap \"\" TERM INT HUP; while true; do echo x >> {mark}; sleep 0.2; done' >/dev/null 2>&1 </dev/null &");
        assert!(std::process::Command::new("sh").args(["-c", &script]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status().unwrap().success());"#,
    );
    build(&project).expect(0);
    let mark = || {
        let scripts = fs::read_dir(project.path("target/supplychain/.build/release/build")).unwrap();
        let lengths =
            scripts.filter_map(|entry| fs::metadata(entry.unwrap().path().join("out/mark")).ok()).map(|mark| mark.len());
        lengths.sum::<u64>()
    };
    let before = mark();
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_eq!(mark(), before, "it still runs");
}

/// `.git` is for the workspace's own build scripts, not for those of dependencies.
#[test]
fn git_is_for_members() {
    if !can_seal() {
        return;
    }
    let look = r#"    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../project/.git/HEAD"));
    println!("cargo::warning=head {:?}", text.is_ok());"#;
    let project = with_script(look);
    project.commit("first");
    assert_told(&refused(&project), &["high sandbox/denied-read dep 0.2.0: ", "/project/.git/HEAD"]);
    // A macro that asks git for the version, for instance, gets an exception.
    let git = project.path(".git");
    project.append(
        "supplychain.toml",
        &format!("\n[[sandbox.allow]]\ncrate = \"dep\"\nversion = \"0.2.0\"\nread = [\"{git}\"]\nreason = \"the version\"\nexpires = 2027-01-01\n"),
    );
    assert_eq!(tried(&build(&project).expect(0)), Vec::<String>::new());
    project.write("src/main.rs", "fn main() {}\n");
    project.write(
        "build.rs",
        "fn main() { assert!(std::process::Command::new(\"cat\").arg(\".git/HEAD\").status().unwrap().success()); }\n",
    );
    assert_eq!(tried(&build(&project).expect(0)), Vec::<String>::new());
    let project = Project::app();
    project.write("build.rs", "fn main() {\n    let git = std::process::Command::new(\"git\").args([\"rev-parse\", \"HEAD\"]).output();\n    if let Ok(git) = git { assert_eq!(git.stdout.len(), 41, \"{git:?}\"); }\n    std::fs::read(\".git/HEAD\").unwrap();\n    assert!(std::fs::hard_link(\".git/HEAD\", std::env::var(\"OUT_DIR\").unwrap() + \"/head\").is_err());\n    assert!(std::fs::write(\".git/HEAD\", \"\").is_err());\n}\n");
    project.commit("first");
    assert_eq!(tried(&build(&project).expect(0)), Vec::<String>::new());
}

/// A repository that borrows the objects of another (`git clone --shared`, and the second build of `--reproduce`) can be read by members
/// as if they were its own; a "repository" that is only called that is not opened by it.
#[test]
fn borrowed_objects_are_gits() {
    if !can_seal() {
        return;
    }
    let project = Project::app();
    project.write("build.rs", "fn main() {\n    let git = std::process::Command::new(\"git\").args([\"cat-file\", \"-p\", \"HEAD\"]).output();\n    if let Ok(git) = git { assert!(git.status.success(), \"{git:?}\"); }\n}\n");
    project.commit("first");
    let lender = project.root().join("lender/objects");
    fs::create_dir_all(lender.parent().unwrap()).unwrap();
    fs::rename(project.path(".git/objects"), &lender).unwrap();
    fs::create_dir_all(project.path(".git/objects/info")).unwrap();
    project.write(".git/objects/info/alternates", format!("{lender}\n"));
    assert_eq!(tried(&build(&project).expect(0)), Vec::<String>::new());

    let home = project.root().join("home");
    project.write("../home/secret", "canary");
    project.write(".git/objects/info/alternates", format!("{lender}\n{home}\n"));
    project.write("build.rs", format!("fn main() {{\n    assert!(std::fs::read(\"{home}/secret\").is_err());\n}}\n"));
    assert_told(&tried(&build(&project).expect(1)), &["high sandbox/denied-read app 1.0.0: ~/secret"]);
}

/// A build script may ask cargo about the workspace: what cargo cannot write then is nothing that the script wanted.
#[test]
fn cargo_in_a_build_script_is_no_attempt() {
    if !can_seal() {
        return;
    }
    let project = with_script(
        r#"let cargo = std::env::var("CARGO").unwrap();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../project/Cargo.toml");
        for arguments in [["metadata", "--format-version=1"], ["tree", "--edges=all"]] {
            let told = std::process::Command::new(&cargo).args(arguments).args(["--offline", "--locked", "--manifest-path", root]).output().unwrap();
            assert!(told.status.success(), "{told:?}");
        }
        let home = std::env::var("CARGO_HOME").unwrap();
        assert!(std::fs::write(format!("{home}/.package-cache"), "").is_err());"#,
    );
    for name in [".package-cache", ".global-cache"] {
        project.write(&format!("../cargo/{name}"), "");
    }
    assert_eq!(tried(&build(&project).expect(0)), Vec::<String>::new());
    project.write(
        "../dep/build.rs",
        r#"fn main() { let _ = std::fs::write(std::env::var("CARGO_HOME").unwrap() + "/config.toml", ""); }"#,
    );
    assert_told(&tried(&build(&project).expect(1)), &["high sandbox/denied-write dep 0.2.0: ", "/cargo/config.toml"]);
}

/// An exception of the policy is for one crate in one version, and is recorded.
#[test]
fn an_exception_is_for_one_crate() {
    if !can_seal() {
        return;
    }
    let project =
        with_script("    assert_eq!(std::fs::read_to_string(std::env::var(\"SDK\").unwrap() + \"/lib\").unwrap(), \"sdk\");");
    project.write("../sdk/lib", "sdk");
    let sdk = project.root().join("sdk");
    let run = || project.command(&["build", "--offline", "--no-sign", "--format", "json"]).env("SDK", &sdk).run();
    let outcome = run();
    assert_eq!(outcome.code, 1, "a failed script has its cause in the report: {outcome}");
    assert_told(&tried(&outcome), &["/sdk/lib"]);
    let allow = |version: &str, read: &str| {
        format!(
            "\n[[sandbox.allow]]\ncrate = \"dep\"\nversion = \"{version}\"\nread = [\"{read}\"]\nreason = \"the vendor's SDK\"\nexpires = 2027-01-01\n"
        )
    };
    let policy = project.read("supplychain.toml");
    project.write("supplychain.toml", policy.clone() + &allow("0.2.0", sdk.as_str()));
    run().expect(0);
    let model = project.json("target/supplychain/app-1.0.0-x86_64-unknown-linux-gnu/evidence/build.json");
    let exceptions = model["invocation"]["sandbox"]["enforcement"]["exceptions"].to_string();
    assert!(exceptions.contains("dep 0.2.0: read "), "{exceptions}");
    project.write("supplychain.toml", policy.clone() + &allow("0.2.1", sdk.as_str()));
    let clean = || project.command(&["build", "--no-sign", "--clean", "--format", "json"]).env("SDK", &sdk).offline().run();
    assert_told(&tried(&clean().expect(1)), &["sandbox/denied-read dep 0.2.0: ", "/sdk/lib"]);
    // Another crate does not get what this one was allowed.
    project.write("supplychain.toml", policy + &allow("0.2.0", sdk.as_str()));
    project.write("build.rs", "fn main() { assert!(std::fs::read(std::env::var(\"SDK\").unwrap() + \"/lib\").is_err()); }\n");
    assert_told(&tried(&clean().expect(1)), &["sandbox/denied-read app 1.0.0: ", "/sdk/lib"]);
}

/// BLD-10: where a build cannot be sealed, `require` ends before anything runs and `auto` builds and says so. A process that is sealed already
/// is such a place: the kernel gives a second supervisor no listener.
#[test]
fn a_place_that_cannot_seal_is_told() {
    if !can_seal() {
        return;
    }
    let project = with_script(
        r#"use std::process::Command;
        let out = std::env::var("OUT_DIR").unwrap();
        std::fs::create_dir_all(format!("{out}/inner/src")).unwrap();
        let file = |name: &str, text: &str| std::fs::write(format!("{out}/inner/{name}"), text).unwrap();
        file("Cargo.toml", "[package]\nname = \"inner\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[workspace]\n");
        file("Cargo.lock", "version = 4\n\n[[package]]\nname = \"inner\"\nversion = \"1.0.0\"\n");
        file("build.rs", "fn main() { std::fs::write(std::env::var(\"MARK\").unwrap(), \"\").unwrap() }\n");
        file("src/main.rs", "fn main() {}\n");
        let run = |mode: &str| {
            let mut tool = Command::new(std::env::var("OUR_TOOL").unwrap());
            tool.args(["supplychain", "build", "--offline", "--no-sign", "--fail-on", "none", "--sandbox", mode, "--cache-dir"]);
            tool.arg(format!("{out}/cache")).arg("--manifest-path").arg(format!("{out}/inner/Cargo.toml")).current_dir(&out);
            for name in ["TARGET", "HOST", "PROFILE", "OUT_DIR", "NUM_JOBS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_MAKEFLAGS", "MAKEFLAGS", "RUSTC"] {
                tool.env_remove(name);
            }
            let done = tool.env("MARK", format!("{out}/mark")).output().unwrap();
            (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
        };
        let (code, told) = run("require");
        assert_eq!(code, Some(4), "{told}");
        assert!(told.contains("cannot be sealed") && told.contains("another supervisor"), "{told}");
        assert!(!std::path::Path::new(&format!("{out}/mark")).exists(), "something ran");
        let (code, told) = run("auto");
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("sandbox/unavailable"), "{told}");
        assert!(std::path::Path::new(&format!("{out}/mark")).exists());
        let release = std::fs::read_dir(format!("{out}/inner/target/supplychain")).unwrap().map(|entry| entry.unwrap().path());
        let release = release.into_iter().find(|path| path.join("release.json").exists()).unwrap();
        let model = std::fs::read_to_string(release.join("evidence/build.json")).unwrap();
        assert!(model.contains("\"kind\": \"none\"") && !model.contains("landlock_abi"), "{model}");"#,
    );
    let tool = assert_cmd::cargo::cargo_bin("cargo-supplychain");
    let folder = tool.parent().unwrap().to_str().unwrap();
    project.append("supplychain.toml", &format!("\n[sandbox]\nread = [{folder:?}]\n"));
    let arguments = ["build", "--offline", "--no-sign", "--format", "json", "--sandbox", "require"];
    project.command(&arguments).env("OUR_TOOL", tool.to_str().unwrap()).run().expect(0);
}

/// `off` is said, never claimed to be more.
#[test]
fn without_walls_it_is_said() {
    let project = Project::app();
    project.run(&["build", "--no-sign", "--sandbox", "off"]).expect(0);
    let model = project.contents(&project.release());
    let model: Value = serde_json::from_slice(&model["evidence/build.json"]).unwrap();
    assert_eq!(model["invocation"]["sandbox"]["enforcement"]["kind"], "none");
}
