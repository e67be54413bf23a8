//! What a release of several targets is published as, and what of it gets into the action's digest table.

use std::fs;
use std::process::Command;

use super::{BUNDLES, Job, action};
use crate::support::host::Host;
use crate::support::sigstore::Sigstore;
use crate::support::{Project, environment};

/// Two releases of one GitHub release: their files are told apart by name, and verify under it.
#[test]
fn releases_of_several_targets_are_published_together() {
    let (sigstore, host, project) = (Sigstore::start(), Host::start(), Project::app());
    let mut job = Job::new(&project);
    job.uses(&[("attest", "none"), ("args", "--sandbox\noff"), ("output-dir", "out")]).expect(0);
    let release = project.path("out/release").read_dir_utf8().unwrap().find_map(|one| {
        let path = one.unwrap().path().to_owned();
        path.join("release.json").is_file().then_some(path)
    });
    let release = release.unwrap();
    let target = release.file_name().unwrap().strip_prefix("app-1.0.0-").unwrap().to_owned();
    // A second one is there: no other target can be built here.
    fs::create_dir(project.path("out/release/second")).unwrap();
    fs::copy(release.join("release.json"), project.path("out/release/second/release.json")).unwrap();
    let mut job = Job::new(&project).identity(&sigstore).host(&host);
    let args = BUNDLES[..2].join("\n");
    let inputs = [
        ("command", "attest"),
        ("subject-path", "out/release"),
        ("args", args.as_str()),
        ("attest", "github"),
        ("upload-release-assets", "true"),
    ];
    let refused = job.uses(&inputs).expect(2);
    assert!(refused.commands()[0].contains("input `asset-names`: there are 2 releases"), "{}", refused.log);
    assert!(host.asked().is_empty() && sigstore.asked().is_empty());
    let one = [&inputs[..1], &[("subject-path", release.as_str())], &inputs[2..], &[("asset-names", "target")]].concat();
    let used = job.uses(&one).expect(0);
    let names = host.assets();
    for name in [format!("app-{target}"), format!("app-{target}.cdx.json"), format!("app-{target}.cyclonedx.sigstore.json")] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(names.contains(&format!("app-1.0.0-{target}.SHA256SUMS")), "{names:?}");
    let file = used.output("bundle-path").trim_end_matches(".sigstore.json");
    let signer = format!("--identity={}\n--issuer={}\n--trusted-root=../root.json", Sigstore::identity(), sigstore.issuer());
    job.uses(&[("command", "verify"), ("subject-path", file), ("args", &signer), ("offline", "true")]).expect(0);
}

/// `.ci/digests`: a released program is in the action's table after it verified, once, and no other way.
#[test]
fn the_digest_table_takes_what_verified() {
    let (sigstore, host, project) = (Sigstore::start(), Host::start(), Project::app());
    for path in ["Cargo.toml", "Cargo.lock"] {
        project.write(path, project.read(path).replace("\"app\"", "\"cargo-supplychain\""));
    }
    let mut job = Job::new(&project).identity(&sigstore).host(&host);
    let args = BUNDLES.join("\n");
    job.uses(&[("args", &args), ("attest", "sigstore"), ("asset-names", "target"), ("output-dir", "out")]).expect(0);
    project.write("digests.txt", "# VERSION NAME DIGEST\n");
    let add = || {
        let mut command = Command::new("bash");
        command.arg(action("../.ci/digests")).args(["1.0.0", "out/assets"]).current_dir(project.folder());
        command.arg(format!("--identity={}", Sigstore::identity())).arg(format!("--issuer={}", sigstore.issuer()));
        command.arg(format!("--trusted-root={}", project.path("../root.json")));
        command.env_clear().envs(environment(&project)).env("DIGESTS", project.path("digests.txt"));
        let output = command.env("SUPPLYCHAIN", env!("CARGO_BIN_EXE_cargo-supplychain")).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for _ in 0..2 {
        let (done, said) = add();
        assert!(done, "{said}");
        let table = project.read("digests.txt");
        let fields: Vec<_> = table.lines().last().unwrap().split(' ').collect();
        let [version, name, digest] = fields[..] else { panic!("{table}") };
        assert_eq!((table.lines().count(), version, digest.len()), (2, "1.0.0", 64), "{table}");
        assert!(project.path(&format!("out/assets/{name}")).is_file(), "{table}");
    }
    let before = project.read("digests.txt");
    let program = before.lines().last().unwrap().split(' ').nth(1).unwrap();
    let path = project.path(&format!("out/assets/{program}"));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
    assert!(!add().0);
    fs::write(&path, bytes).unwrap();
    let other = format!("1.0.0 {program} {}\n", "0".repeat(64));
    project.write("digests.txt", &other);
    let (done, said) = add();
    assert!(!done && said.contains("another digest") && project.read("digests.txt") == other, "{said}");
}
