//! Audits of others (`cargo vet`), with the real binary: where they are read from, and what cannot be read.

use git2::{IndexAddOption, Repository, Signature, Time};

use super::support::Project;

fn commit(project: &Project) {
    let repository = Repository::open(project.folder()).or_else(|_| Repository::init(project.folder())).unwrap();
    let mut index = repository.index().unwrap();
    index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let who = Signature::new("a", "a@example.org", &Time::new(1_700_000_000, 0)).unwrap();
    let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
    let parents: Vec<_> = parent.iter().collect();
    repository.commit(Some("HEAD"), &who, &who, "c", &tree, &parents).unwrap();
}

#[test]
fn what_cannot_be_read_is_not_ignored() {
    let project = Project::with_packages(&[("lib", "1.0.0")]);
    project
        .write("supply-chain/audits.toml", "[[audits.lib]]\nwho = \"A\"\ncriteria = \"safe-to-deploy\"\nviolation = \"<<1\"\n");
    let outcome = project.check().expect(2);
    assert!(outcome.stderr.contains("supply-chain/audits.toml:1: the violation of `lib` is no version requirement"), "{outcome}");
    project
        .write("supply-chain/audits.toml", "[[audits.lib]]\nwho = \"A\"\ncriteria = \"safe-to-deploy\"\nversion = \"1.0.0\"\n");
    project.check().expect(0);
}

#[test]
fn with_a_base_the_audits_of_the_base_count() {
    let project = Project::with_packages(&[("lib", "1.0.0")]);
    project.write("supply-chain/audits.toml", "[audits]\n");
    commit(&project);
    // Broken now, fine at the base: it is not this one that is read.
    project.write("supply-chain/audits.toml", "[[[\n");
    project.run(&["check", "--format", "json"]).expect(2);
    project.run(&["check", "--base", "HEAD", "--format", "json"]).expect(0);
    commit(&project);
    project.write("supply-chain/audits.toml", "[audits]\n");
    project.run(&["check", "--base", "HEAD", "--format", "json"]).expect(2);
}
