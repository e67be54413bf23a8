use std::sync::Mutex;

use super::fixture::advertised;
use super::*;
use crate::base::http::Error;

const API: &str = "https://api.github.com/repos/o/r/compare/";

/// Forty of this digit.
fn id(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// A GitHub with given answers: URL → status and body; all requests are noted, with whether they had the token.
#[derive(Default)]
struct Fake {
    answers: BTreeMap<String, (u16, Vec<u8>)>,
    asked: Mutex<Vec<(String, bool)>>,
    error: Option<Error>,
    headers: Vec<(String, String)>,
}

impl Fake {
    /// `o/r` with branches and tags (`main f`: the branch, and the digit of its commit; `tag v1 a b`: an annotated one).
    fn new(references: &[&str]) -> Self {
        let mut lines = Vec::new();
        for (place, reference) in references.iter().enumerate() {
            let words: Vec<_> = reference.split(' ').collect();
            let digit = |word: &str| id(word.chars().next().unwrap());
            match words[..] {
                ["tag", name, tag] => lines.push((digit(tag), format!("refs/tags/{name}"))),
                ["tag", name, tag, peeled] => {
                    lines.extend([(digit(tag), format!("refs/tags/{name}")), (digit(peeled), format!("refs/tags/{name}^{{}}"))]);
                }
                ["pull", commit] => lines.push((digit(commit), "refs/pull/7/head".to_owned())),
                [name, commit] if place == 0 => {
                    lines.extend([(digit(commit), "HEAD".to_owned()), (digit(commit), format!("refs/heads/{name}"))]);
                }
                [name, commit] => lines.push((digit(commit), format!("refs/heads/{name}"))),
                _ => panic!("{reference}"),
            }
        }
        let lines: Vec<_> = lines.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
        Self::default().with("https://github.com/o/r.git/info/refs?service=git-upload-pack", 200, &advertised(&lines))
    }

    fn with(mut self, url: &str, status: u16, body: &[u8]) -> Self {
        self.answers.insert(url.to_owned(), (status, body.to_owned()));
        self
    }

    /// The API's word about two commits.
    fn compares(self, base: char, head: char, status: &str) -> Self {
        let url = format!("{API}{}...{}?per_page=1", id(base), id(head));
        self.with(&url, 200, format!("{{\"status\":\"{status}\",\"ahead_by\":0,\"files\":[]}}").as_bytes())
    }

    fn requests(&self) -> Vec<(String, bool)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl Http for Fake {
    fn get(&self, request: &Request<'_>) -> Result<Response, Error> {
        let has_token = request.headers.contains(&("authorization", "Bearer t0ken"));
        assert!(!has_token || request.url.starts_with("https://api.github.com/"), "the token is for the API: {}", request.url);
        self.asked.lock().unwrap().push((request.url.to_owned(), has_token));
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let (status, body) = self.answers.get(request.url).cloned().unwrap_or((404, b"{\"message\":\"Not Found\"}".to_vec()));
        Ok(Response { status, headers: self.headers.clone(), body })
    }
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn ask_all(&self, http: Option<&Fake>, commits: &[String], env: &[(&str, &str)]) -> ActionCommits {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        belonging(&RefsRequest {
            github: &GitHub::of(&env),
            http: http.map(|http| http as &dyn Http),
            cache_dir: Utf8Path::from_path(self.0.path()).unwrap(),
            commits: &commits.iter().map(|uses| (ActionCommit::of(uses).unwrap(), None)).collect(),
            progress: &|_| {},
        })
    }

    /// Asks about the commit of this digit.
    fn ask(&self, http: Option<&Fake>, digit: char, env: &[(&str, &str)]) -> Belonging {
        self.ask_all(http, &[format!("o/r@{}", id(digit))], env).into_values().next().unwrap()
    }
}

fn ask(http: &Fake, digit: char) -> Belonging {
    Place::new().ask(Some(http), digit, &[])
}

fn unknown(why: &str) -> Belonging {
    Belonging::Unknown(why.to_owned())
}

const NONE: Belonging = Belonging::ToNone { branches: 1, tags: 1 };

/// The repository of most tests: `main` at f, `v1` a tag object a of the commit b, a pull request at e.
fn usual() -> Fake {
    Fake::new(&["main f", "tag v1 a b", "pull e"])
}

#[test]
fn what_a_reference_names_needs_no_comparison() {
    for digit in ['f', 'a', 'b'] {
        let http = usual();
        assert_eq!((ask(&http, digit), http.requests().len()), (Belonging::Proved, 1), "{digit}");
    }
}

#[test]
fn others_are_compared_with_every_branch_and_tag() {
    // Behind the default branch, and behind a tag alone.
    let http = usual().compares('f', '1', "behind");
    assert_eq!((ask(&http, '1'), http.requests().len()), (Belonging::Proved, 2));
    assert_eq!(ask(&usual().compares('f', '1', "diverged").compares('b', '1', "behind"), '1'), Belonging::Proved);
    // Of a fork: with common history, without, ahead of what was merged; and what was proposed in a pull request.
    let itself = || usual().compares('f', 'f', "identical");
    for (http, digit) in [
        (usual().compares('f', '1', "diverged").compares('b', '1', "diverged"), '1'),
        (usual().compares('f', '1', "ahead").compares('b', '1', "ahead"), '1'),
        (itself(), '1'),
        (usual().compares('f', 'e', "ahead").compares('b', 'e', "diverged"), 'e'),
    ] {
        assert_eq!(ask(&http, digit), NONE, "{digit} {:?}", http.requests());
    }
    // The control is asked once a repository.
    let http = itself();
    let found = Place::new().ask_all(Some(&http), &[format!("o/r@{}", id('1')), format!("o/r/sub@{}", id('2'))], &[]);
    assert!(found.values().all(|one| *one == NONE) && http.requests().len() == 6, "{found:?}");
}

#[test]
fn what_is_not_known_is_not_said() {
    let refused = |status, header: Option<&str>| {
        let url = format!("{API}{}...{}?per_page=1", id('f'), id('1'));
        let headers = header.map(|value| vec![("x-ratelimit-remaining".to_owned(), value.to_owned())]).unwrap_or_default();
        Fake { headers, ..usual() }.with(&url, status, b"{}")
    };
    let list = "https://github.com/o/r.git/info/refs?service=git-upload-pack";
    for (http, why) in [
        // A 404 for everything is no word about the commit.
        (usual(), "api.github.com does not compare commits of the repository (404)"),
        (usual().compares('f', 'f', "diverged"), "api.github.com does not compare commits of the repository (404)"),
        (refused(403, None), "api.github.com answered 403"),
        (refused(403, Some("0")), "api.github.com wants fewer requests (403)"),
        (refused(429, None), "api.github.com wants fewer requests (429)"),
        (refused(500, None), "api.github.com answered 500"),
        (refused(200, None), "api.github.com answered no comparison"),
        (usual().compares('f', '1', "unheard-of"), "api.github.com answered no comparison"),
        (usual().with(list, 404, b""), "github.com answered 404: the repository is private, or not there"),
        (usual().with(list, 200, b"<html>"), "github.com answered a list of references that is cut off or broken"),
        (Fake::new(&[]), "github.com told neither branches nor tags"),
        (Fake { error: Some(Error::TimedOut), ..usual() }, "github.com: no answer in time"),
    ] {
        assert_eq!(ask(&http, '1'), unknown(why));
    }
}

#[test]
fn requests_are_bounded() {
    let references: Vec<_> =
        ["f", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a"].iter().map(|one| format!("b{one} {one}")).collect();
    let mut http = Fake::new(&references.iter().map(String::as_str).collect::<Vec<_>>());
    for base in "0123456789af".chars() {
        http = http.compares(base, 'e', "diverged");
    }
    let why = "of its 12 branches and tags the first 10 do not lead to it";
    assert_eq!((ask(&http, 'e'), http.requests().len()), (unknown(why), 11));
    let with_token = Place::new().ask(Some(&http), 'e', &[("GITHUB_TOKEN", "t0ken")]);
    assert_eq!(with_token, Belonging::ToNone { branches: 12, tags: 0 });
    assert!(http.requests().iter().all(|(url, has_token)| *has_token == url.starts_with(API)));
    // A run has an end, and who does not answer is left alone.
    let many = |http: &Fake| {
        let commits: Vec<_> = (10..60).map(|number| format!("o/r@{number}{}", &id('e')[2..])).collect();
        Place::new().ask_all(Some(http), &commits, &[])
    };
    let http = usual().compares('f', 'f', "identical");
    let last = unknown("more comparisons than are made in one run would be needed");
    assert!(many(&http).values().last() == Some(&last) && http.requests().len() == 41);
    let silent = Fake { error: Some(Error::TimedOut), ..usual() };
    let commits: Vec<_> = (0..9).map(|number| format!("o/r{number}@{}", id('e'))).collect();
    let found = Place::new().ask_all(Some(&silent), &commits, &[]);
    assert!(found.values().all(|one| *one == unknown("github.com: no answer in time")) && silent.requests().len() == 2);
}

#[test]
fn proofs_are_kept_and_nothing_else() {
    let place = Place::new();
    let http = usual().compares('f', '1', "diverged").compares('b', '1', "diverged").compares('f', '2', "behind");
    let offline = || unknown("--offline, and it was not proved before");
    assert_eq!(place.ask(None, 'f', &[]), offline());
    for (digit, found, requests) in [('f', Belonging::Proved, 0), ('2', Belonging::Proved, 0), ('1', NONE, 3)] {
        assert_eq!(place.ask(Some(&http), digit, &[]), found);
        http.requests();
        assert_eq!((place.ask(Some(&http), digit, &[]), http.requests().len()), (found, requests), "{digit}");
    }
    assert_eq!((place.ask(None, 'f', &[]), place.ask(None, '1', &[])), (Belonging::Proved, offline()));
    // Of this server only; and what somebody else wrote there is none.
    assert_eq!(place.ask(None, 'f', &[("GITHUB_SERVER_URL", "https://ghe.example")]), offline());
    let folder = Utf8Path::from_path(place.0.path()).unwrap().join("github-refs");
    let of_server = folder.read_dir_utf8().unwrap().next().unwrap().unwrap();
    for entry in of_server.path().read_dir_utf8().unwrap() {
        std::fs::write(entry.unwrap().path(), "{\"format\":1,\"repository\":\"o/x\",\"commit\":\"\"}").unwrap();
    }
    assert_eq!(place.ask(None, 'f', &[]), offline());
}

#[test]
fn where_github_is() {
    let of = |env: &[(&str, &str)]| {
        let github = GitHub::of(&env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
        format!("{} {} {}", github.server, github.api, github.token.unwrap_or_default())
    };
    for (env, expected) in [
        (&[][..], "https://github.com https://api.github.com "),
        (&[("GITHUB_TOKEN", "t0ken\n")], "https://github.com https://api.github.com t0ken"),
        (&[("GITHUB_TOKEN", "two\r\nlines")], "https://github.com https://api.github.com "),
        (&[("GITHUB_SERVER_URL", "https://ghe.example/")], "https://ghe.example https://ghe.example/api/v3 "),
        (
            &[("GITHUB_SERVER_URL", "https://x.ghe.com"), ("GITHUB_API_URL", "https://api.x.ghe.com")],
            "https://x.ghe.com https://api.x.ghe.com ",
        ),
        // Not over plain HTTP.
        (&[("GITHUB_API_URL", "http://ghe.example"), ("GITHUB_TOKEN", "t0ken")], "https://github.com http://ghe.example "),
    ] {
        assert_eq!(of(env), expected, "{env:?}");
    }
}
