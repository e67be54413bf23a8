//! What registries say of crates: index and API, from a snapshot folder and from a server on this machine (ATTACKS.md MNT-15).

use crate::support::World;

/// The fixture world is one that cargo itself accepts: the lockfile is in order, the packages unpack, the checksums hold.
#[test]
fn the_fixture_world_is_a_registry() {
    let world = World::new()
        .release("fig", "1.2.3", |r| r.dependency("grape", "^0.1").dev_dependency("nothing", "1").build_script("fn main() {}"))
        .release("grape", "0.1.0", |r| r.file("src/lib.rs", "pub fn grape() {}").licence("Apache-2.0"));
    let project = world.project(&[("fig", "1.2.3"), ("grape", "0.1.0")]);
    let check = project.check().expect(0);
    assert_eq!((check.findings(), check.undetermined()), (vec![], vec![]));
    project.run(&["build", "--no-sign"]).expect(0);
    let snapshot = project.run(&["check", "--registry-snapshot", "../world", "--format", "json"]).expect(0);
    assert_eq!((snapshot.findings(), snapshot.undetermined()), (vec![], vec![]));
    // The `.crate` is one that others can unpack.
    let unpacked =
        std::process::Command::new("tar").args(["-xzf", "world/crates/grape-0.1.0.crate"]).current_dir(project.root()).status();
    if unpacked.is_ok_and(|status| status.success()) {
        assert_eq!(project.read("../grape-0.1.0/src/lib.rs"), "pub fn grape() {}");
    }
}
