//! The repository's GitHub workflows, judged by the real binary: ACT-01, ACT-03 and ACT-05 with their twins.

use insta::assert_snapshot;

use super::support::git_server::GitServer;
use super::support::server::{Answer, Server};
use super::support::{Outcome, Project};

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

/// A project whose release job pins these commits (a digit stands for forty of it), and a GitHub on this machine that has `o/r`: `main` at
/// f, an annotated tag `v1` of b, and a pull request at e.
fn releasing(commits: &str) -> (Project, Server) {
    let project = Project::app();
    let steps: String = commits.chars().map(|digit| format!("      - uses: o/r@{} # v1\n", id(digit))).collect();
    project.write(
        ".github/workflows/release.yml",
        format!("on: {{push: {{tags: ['v*']}}}}\njobs:\n  release:\n    steps:\n{steps}"),
    );
    let line = |text: String| format!("{:04x}{text}\n", text.len() + 5);
    let mut list = format!("{}0000", line("# service=git-upload-pack".to_owned()));
    for (digit, name) in [
        ('f', "HEAD\0symref=HEAD:refs/heads/main"),
        ('f', "refs/heads/main"),
        ('e', "refs/pull/7/head"),
        ('a', "refs/tags/v1"),
        ('b', "refs/tags/v1^{}"),
    ] {
        list.push_str(&line(format!("{} {name}", id(digit))));
    }
    project.write("../github/o/r.git/info/refs", format!("{list}0000"));
    let server = Server::new(project.root().join("github"));
    (project, server)
}

fn id(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// The API's word about two commits; without one it answers 404.
fn compares(server: &Server, base: char, head: char, body: &'static str) {
    server.answer(&comparison(base, head), Answer::Status(200, body));
}

fn comparison(base: char, head: char) -> String {
    format!("/api/repos/o/r/compare/{}...{}?per_page=1", id(base), id(head))
}

fn ask(project: &Project, server: &Server, more: &[&str]) -> Outcome {
    let arguments = [&["check", "--only", "workflows", "--format", "json"], more].concat();
    let outcome =
        project.command(&arguments).env("GITHUB_SERVER_URL", &server.url).env("GITHUB_API_URL", format!("{}/api", server.url));
    let outcome = outcome.env("GITHUB_TOKEN", "ghs_t0ken").run();
    assert!(!outcome.stdout.contains("t0ken") && !outcome.stderr.contains("t0ken"), "{outcome}");
    outcome
}

/// `why` of the commits that were not asked about to the end.
fn unasked(outcome: &Outcome) -> Vec<String> {
    let report = outcome.json();
    let checks = report["not_evaluated"].as_array().unwrap().iter().filter(|check| check["check"] == "pinned commits of actions");
    checks.map(|check| check["why"].as_str().unwrap().to_owned()).collect()
}

const DIVERGED: &str = "{\"status\":\"diverged\"}";
const LIST: &str = "/o/r.git/info/refs?service=git-upload-pack";

/// Commits of a fork and of a pull request under the name of the original; the twins are at a tip, under a tag, and behind a branch.
#[test]
fn commits_of_somebody_else() {
    let (project, server) = releasing("1e");
    for (base, head) in [('f', '1'), ('b', '1'), ('b', 'e')] {
        compares(&server, base, head, DIVERGED);
    }
    compares(&server, 'f', 'e', "{\"status\":\"ahead\"}");
    let outcome = ask(&project, &server, &[]).expect(1);
    assert_eq!((outcome.findings(), unasked(&outcome)), (vec!["high workflow/imposter-commit".to_owned()], vec![]));
    assert!([id('1'), id('e')].iter().all(|commit| outcome.stdout.contains(&format!("repository: {commit}"))), "{outcome}");
    let asked = [LIST.to_owned(), comparison('f', '1'), comparison('b', '1'), comparison('f', 'e'), comparison('b', 'e')];
    assert_eq!(server.asked(), asked);
    // A commit of nobody is asked about again.
    ask(&project, &server, &[]).expect(1);
    assert_eq!(server.asked(), asked);

    let (project, server) = releasing("fab2");
    compares(&server, 'f', '2', "{\"status\":\"behind\"}");
    let twin = ask(&project, &server, &[]).expect(0);
    assert_eq!((twin.findings(), unasked(&twin)), (vec![], vec![]));
    assert!(twin.stderr.contains("asking whether o/r@222222222222 is a commit of its repository (1 of 4)"), "{twin}");
    assert_eq!(server.asked(), [LIST.to_owned(), comparison('f', '2')]);
    // What was proved is not asked about again, and is known offline.
    ask(&project, &server, &["--require", "workflows"]).expect(0);
    ask(&project, &server, &["--offline", "--require", "workflows"]).expect(0);
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[test]
fn a_pinned_commit_that_nobody_could_judge() {
    let (project, server) = releasing("1");
    let offline = ask(&project, &server, &["--offline"]).expect(0);
    assert_eq!(
        (offline.findings(), unasked(&offline)),
        (vec![], vec!["--offline, and it was not proved before: 1 commit: o/r@111111111111".to_owned()])
    );
    ask(&project, &server, &["--offline", "--require", "workflows"]).expect(4);
    assert_eq!(server.asked(), Vec::<String>::new());
    let host = server.url.trim_start_matches("http://").to_owned();
    for (path, answer, why) in [
        (comparison('f', '1'), Answer::Status(403, ""), format!("{host}/api wants fewer requests (403)")),
        (comparison('f', '1'), Answer::Status(200, "<html>"), format!("{host}/api answered no comparison")),
        (comparison('f', '1'), Answer::Status(404, ""), format!("{host}/api does not compare commits of the repository (404)")),
        (LIST.to_owned(), Answer::Status(404, ""), format!("{host} answered 404: the repository is private, or not there")),
        (
            LIST.to_owned(),
            Answer::Status(200, "001e# service=git-upload-pack\n0000"),
            format!("{host} answered a list of references that is cut off or broken"),
        ),
        (LIST.to_owned(), Answer::Redirect("https://example.org/"), format!("{host}: neither https nor http on this machine")),
        (LIST.to_owned(), Answer::Garbage, format!("{host}: not reachable: it does not speak HTTP as expected")),
    ] {
        let (project, server) = releasing("1");
        let why = why.replace(&host, server.url.trim_start_matches("http://"));
        server.answer(&path, answer);
        let outcome = ask(&project, &server, &[]).expect(0);
        assert_eq!((outcome.findings(), unasked(&outcome)), (vec![], vec![format!("{why}: 1 commit: o/r@111111111111")]));
        ask(&project, &server, &["--require", "workflows"]).expect(4);
    }
    // What decides nothing about a release, is allowed, or is in an area that is not judged, is not asked about.
    project.append("supplychain.toml", "[rules]\n\"workflow/imposter-commit\" = { allow = [\"o/*\"] }\n");
    assert_eq!(unasked(&ask(&project, &server, &[]).expect(0)), Vec::<String>::new());
    let (project, _) = releasing("1");
    project.command(&["check", "--only", "sources"]).env("GITHUB_SERVER_URL", &server.url).run().expect(0);
    project.write(".github/workflows/release.yml", format!("on: push\njobs:\n  a:\n    steps:\n      - uses: o/r@{}\n", id('1')));
    assert_eq!(unasked(&ask(&project, &server, &[]).expect(0)), Vec::<String>::new());
    assert_eq!(server.asked(), Vec::<String>::new());
}

/// The list as git itself writes it; and the token is not for the server that gives it ([`GitServer::asked`]).
#[test]
fn a_list_of_git_itself() {
    let server = GitServer::new();
    let released = server.commit(&[("action.yml", "a")]);
    server.tag("v1", &released);
    let tip = server.commit(&[("action.yml", "b")]);
    let project = Project::app();
    let workflow = |commit: &str| {
        let uses = format!("      - uses: org/lib@{commit}\n      - uses: Org/Lib/sub@{tip}\n");
        format!("on: {{push: {{tags: ['v*']}}}}\njobs:\n  release:\n    steps:\n{uses}")
    };
    project.write(".github/workflows/release.yml", workflow(&released));
    let check = |more: &[&str]| {
        let command = project.command(&[&["check", "--only", "workflows", "--format", "json"], more].concat());
        // Nobody answers there: every comparison would be one that could not be made.
        let command =
            command.env("GITHUB_SERVER_URL", server.url.trim_end_matches("/org/lib")).env("GITHUB_API_URL", "http://127.0.0.1:1");
        command.env("GITHUB_TOKEN", "ghs_t0ken").run()
    };
    let proved = check(&["--require", "workflows"]).expect(0);
    assert_eq!((proved.findings(), unasked(&proved), server.asked()), (vec![], vec![], 1));
    project.write(".github/workflows/release.yml", workflow(&id('1')));
    let why = "127.0.0.1:1: not reachable: connection refused: 1 commit: org/lib@111111111111";
    assert_eq!((unasked(&check(&[]).expect(0)), server.asked()), (vec![why.to_owned()], 1));
}

#[test]
fn an_imposter_as_people_see_it() {
    let (project, server) = releasing("1");
    compares(&server, 'f', '1', DIVERGED);
    compares(&server, 'b', '1', DIVERGED);
    let command = project.command(&["check", "--only", "workflows"]).env("GITHUB_SERVER_URL", &server.url);
    let outcome = command.env("GITHUB_API_URL", format!("{}/api", server.url)).run();
    assert_snapshot!(outcome.text(), @"
    exit 1
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 1 package
          asking whether o/r@111111111111 is a commit of its repository (1 of 1)
    high[workflow/imposter-commit]: o/r is pinned to a commit that does not belong to the repository: [HEX]
      --> .github/workflows/release.yml:5
       = of 1 branch and 1 tag none leads to it
       = GitHub serves commits of forks and of unmerged pull requests under the name of the original
       = job `release` decides about a release: it runs for tags or releases
       = help: find out who wrote this line and read the commit; then pin a commit that a tag of the repository names, or allow the action in `[rules]`
            fail 1 high
    ");
}
