//! The repository's GitHub workflows, judged by the real binary: ACT-01, ACT-03 and ACT-05 with their twins.

use insta::assert_snapshot;

use super::support::Project;

const HEX: &str = "0123456789012345678901234567890123456789";

fn check(workflow: &str, policy: &str) -> (i32, Vec<String>) {
    let project = Project::app();
    project.write(".github/workflows/release.yml", workflow.replace("HEX", HEX));
    project.append("supplychain.toml", policy);
    let outcome = project.run(&["check", "--only", "workflows", "--format", "json"]);
    (outcome.code, outcome.findings())
}

#[test]
fn moved_tags() {
    let uses = |action: &str| format!("on: push\njobs:\n  a:\n    steps:\n      - uses: {action}\n");
    let allow = "[rules]\n\"workflow/unpinned-action\" = { allow = [\"actions/*\"] }\n";
    let fires = (1, vec!["high workflow/unpinned-action".to_owned()]);
    assert_eq!(check(&uses("x/y@v4"), ""), fires);
    assert_eq!(check(&uses("x/y@v4"), allow), fires);
    assert_eq!(check(&uses("x/y@HEX # v4"), ""), (0, vec![]));
    assert_eq!(check(&uses("actions/checkout@v4"), allow), (0, vec![]));
}

#[test]
fn pull_requests_of_strangers() {
    let job =
        |steps: &str| format!("on: pull_request_target\njobs:\n  a:\n    permissions: {{id-token: write}}\n    steps:\n{steps}");
    let attack = "      - uses: actions/checkout@HEX\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: cargo test\n";
    assert_eq!(check(&job(attack), ""), (1, vec!["critical workflow/pwn-request".to_owned()]));
    assert_eq!(check(&job("      - uses: actions/labeler@HEX\n"), ""), (0, vec![]));
}

#[test]
fn scripts_of_strangers() {
    let job = |step: &str| format!("on: pull_request\njobs:\n  a:\n    steps:\n      - run: {step}");
    assert_eq!(check(&job("echo ${{ github.head_ref }}\n"), ""), (1, vec!["high workflow/template-injection".to_owned()]));
    assert_eq!(check(&job("echo \"$HEAD\"\n        env:\n          HEAD: ${{ github.head_ref }}\n"), ""), (0, vec![]));
}

#[test]
fn as_people_see_it() {
    let project = Project::app();
    project.write(
        ".github/workflows/release.yml",
        "on: {push: {tags: ['v*']}}\njobs:\n  release:\n    steps:\n      - uses: Swatinem/rust-cache@v2\n      - run: |\n          set -e\n          echo \"${{ github.event.head_commit.message }}\"\n",
    );
    project.write(".github/workflows/broken.yml", "on: [\n");
    assert_snapshot!(project.run(&["check", "--only", "workflows"]).text(), @"
    exit 1
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 1 package
    high[workflow/cache-in-release]: job `release` decides about a release and restores a cache with Swatinem/rust-cache
      --> .github/workflows/release.yml:5
       = it runs for tags or releases
       = help: build the release without a restored cache
    high[workflow/template-injection]: a script of job `release` contains `github.event.head_commit.message`
      --> .github/workflows/release.yml:8
       = it is replaced in the script's text before the shell reads it; anybody can write it
       = help: hand it over by `env:` and use the shell's own variable, in quotes
    high[workflow/unpinned-action]: Swatinem/rust-cache@v2 is used by a tag or branch, which can be moved
      --> .github/workflows/release.yml:5
       = job `release`
       = the job decides about a release: it runs for tags or releases
       = help: pin the full commit (`@<40 hex digits> # v4`), or allow the action in `[rules]` of supplychain.toml
            fail 3 high; 1 not evaluated
    ");
    let github = project.run(&["check", "--only", "workflows", "--format", "github"]).expect(1).stdout;
    assert!(github.contains("::error file=.github/workflows/release.yml,line=8"), "{github}");
    project.run(&["check", "--only", "workflows", "--require", "workflows"]).expect(1);
}

#[test]
fn hostile_names_cannot_command_the_runner() {
    let project = Project::app();
    project.write(
        ".github/workflows/release.yml",
        "on: push\njobs:\n  \"a\\n::error::x\\u001b[31m\":\n    steps:\n      - uses: \"x/y@v1\\n::set-output name=a::b\"\n",
    );
    let text = project.run(&["check", "--only", "workflows", "--format", "github"]).expect(1).stdout;
    assert_eq!(text.lines().filter(|line| line.starts_with("::")).count(), text.lines().count(), "{text}");
    assert!(!text.contains("\n::set-output") && !text.contains("\n::error::x") && !text.contains('\u{1b}'), "{text}");
}
