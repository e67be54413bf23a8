use std::sync::Mutex;

use camino::{Utf8Path, Utf8PathBuf};
use proptest::prelude::*;

use super::answer::{krate, owners, versions};
use super::*;
use crate::base::http::{Error, Request, Response};
use crate::base::{Http, Timestamp};
use crate::model::registry::{OwnerKind, Publisher};

const CRATE: &str =
    r#"{"crate":{"id":"a-b","name":"a-b","repository":"https://github.com/o/a","trustpub_only":false},"versions":null}"#;
const OWNERS: &str = r#"{"users":[{"id":2,"login":"b","kind":"user","name":null},{"id":1,"login":"github:o:t","kind":"team"},
    {"id":1,"login":"a","kind":"user"}]}"#;
const VERSIONS: &str = r#"{"versions":[
    {"crate":"a-b","num":"1.1.0","created_at":"2026-01-02T03:04:05.678901Z","yanked":false,"published_by":null,
     "trustpub_data":{"provider":"github","repository":"o/a","run_id":"1","sha":"00"},"audit_actions":[],"repository":"https://github.com/o/a"},
    {"crate":"a-b","num":"1.0.0","created_at":"2020-01-02T03:04:05Z","yanked":true,"published_by":{"id":7,"login":"x","created_at":"2019-01-01T00:00:00Z"},
     "trustpub_data":null,"audit_actions":[{"action":"publish","user":{"id":7,"login":"x"},"time":"2020-01-02T03:04:05Z"}]},
    {"crate":"a-b","num":"0.1.0","created_at":"2017-01-02T03:04:05Z","published_by":null}],
    "meta":{"total":3,"next_page":null}}"#;

/// A server of given answers: path → status and body; all requests are noted.
struct Fake {
    answers: BTreeMap<String, (u16, String)>,
    asked: Mutex<Vec<String>>,
    error: Option<Error>,
}

const API: &str = "http://127.0.0.1:1";

impl Fake {
    fn new(answers: &[(&str, u16, &str)]) -> Self {
        let answers = answers.iter().map(|(path, status, body)| ((*path).to_owned(), (*status, (*body).to_owned()))).collect();
        Self { answers, asked: Mutex::new(Vec::new()), error: None }
    }

    fn whole() -> Self {
        let path = "/api/v1/crates/a-b";
        Self::new(&[
            (path, 200, CRATE),
            (&format!("{path}/owners"), 200, OWNERS),
            (&format!("{path}/versions?per_page=100"), 200, VERSIONS),
        ])
    }

    fn with(mut self, path: &str, status: u16, body: &str) -> Self {
        self.answers.insert(path.to_owned(), (status, body.to_owned()));
        self
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Http for Fake {
    fn get(&self, request: &Request<'_>) -> Result<Response, Error> {
        self.asked.lock().unwrap().push(request.url.to_owned());
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let path = request.url.strip_prefix(API).unwrap();
        let (status, body) = self.answers.get(path).cloned().unwrap_or((404, "{\"errors\":[]}".into()));
        let headers = vec![("retry-after".to_owned(), "0".to_owned())];
        Ok(Response { status, headers, body: body.into_bytes() })
    }
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.0.path()).unwrap()
    }

    fn ask(&self, http: Option<&Fake>, names: &[&str], version: &str, entry: Option<&str>, now: &str) -> Records {
        let wanted = Wanted { versions: BTreeSet::from([version.parse().unwrap()]), entry: entry.map(Sha256::of) };
        let crates = names.iter().map(|name| (key(name), wanted.clone())).collect();
        live(&ApiRequest {
            api: API,
            index: None,
            http: http.map(|http| http as &dyn Http),
            cache_dir: self.path(),
            now: now.parse::<Timestamp>().unwrap(),
            crates: &crates,
            progress: &|_| (),
        })
    }

    fn one(&self, http: &Fake) -> Result<CrateRecord, NoRecord> {
        self.ask(Some(http), &["a-b"], "1.0.0", None, "2026-09-01").remove(&key("a-b")).unwrap()
    }
}

fn key(name: &str) -> CrateKey {
    CrateKey { name: name.into(), source: CRATES_IO[0].into() }
}

#[test]
fn an_answer_is_a_record() {
    let record = Place::new().one(&Fake::whole()).unwrap();
    assert_eq!((record.repository.as_deref(), record.trusted_publishing_only), (Some("https://github.com/o/a"), Some(false)));
    let owners: Vec<_> = record.owners.unwrap().into_iter().map(|owner| (owner.kind, owner.id, owner.login)).collect();
    let expected = [(OwnerKind::User, 1, "a"), (OwnerKind::User, 2, "b"), (OwnerKind::Team, 1, "github:o:t")];
    assert_eq!(owners, expected.map(|(kind, id, login)| (kind, id, login.to_owned())));
    let publishers: Vec<_> = record
        .versions
        .iter()
        .map(|(version, published)| match &published.publisher {
            Publisher::User(user) => format!("{version} {} {} since {}", user.id, user.login, user.created.unwrap()),
            Publisher::Trusted { provider, repository } => format!("{version} {provider} {repository}"),
            Publisher::Unknown => format!("{version} unknown"),
        })
        .collect();
    assert_eq!(publishers, ["0.1.0 unknown", "1.0.0 7 x since 2019-01-01T00:00:00Z", "1.1.0 github o/a"]);
    let first = &record.versions[&"1.0.0".parse().unwrap()];
    assert!(first.yanked && first.actions.len() == 1 && first.actions[0].user == Some(7), "{first:?}");
}

#[test]
fn pages_are_followed_within_the_crate() {
    let page =
        |num: &str, next: &str| format!(r#"{{"versions":[{{"crate":"a-b","num":"{num}"}}],"meta":{{"next_page":{next}}}}}"#);
    let path = "/api/v1/crates/a-b/versions";
    let two = Fake::whole().with(&format!("{path}?per_page=100"), 200, &page("1.1.0", "\"?per_page=100&seek=x\"")).with(
        &format!("{path}?per_page=100&seek=x"),
        200,
        &page("1.0.0", "null"),
    );
    assert_eq!(Place::new().one(&two).unwrap().versions.len(), 2);
    for (next, why) in [
        ("\"?per_page=100\"", "a page leads to itself"),
        ("\"?per_page=100&seek=gone\"", "answered 404"),
        ("\"https://example.org/\"", "answered what cannot be read"),
        ("\"?x#y\"", "answered what cannot be read"),
        ("\"/../../x\"", "answered what cannot be read"),
    ] {
        let fake = Fake::whole().with(&format!("{path}?per_page=100"), 200, &page("1.0.0", next));
        assert_eq!(Place::new().one(&fake), Err(NoRecord::Unknown(format!("its versions: {why}"))), "{next}");
    }
    // A circle of two pages ends.
    let circle = two.with(&format!("{path}?per_page=100&seek=x"), 200, &page("1.0.0", "\"?per_page=100\""));
    assert_eq!(Place::new().one(&circle), Err(NoRecord::Unknown("its versions: too many pages".into())));
}

#[test]
fn what_fails_alone_is_unknown_alone() {
    let path = "/api/v1/crates/a-b";
    let unknown = |why: &str| Err(NoRecord::Unknown(why.to_owned()));
    for (part, status, body, expected) in [
        ("", 404, "", Err(NoRecord::NotFound)),
        ("", 500, "", unknown("127.0.0.1:1 answered 500")),
        ("", 403, "", unknown("127.0.0.1:1 answered 403")),
        ("", 200, "<html>", unknown("answered what cannot be read")),
        ("", 200, r#"{"crate":{"name":"a_b"}}"#, unknown("answered about another crate")),
        ("/versions?per_page=100", 404, "", unknown("its versions: answered 404")),
        (
            "/versions?per_page=100",
            200,
            r#"{"versions":[{"crate":"c","num":"1.0.0"}]}"#,
            unknown("its versions: answered about another crate"),
        ),
        (
            "/versions?per_page=100",
            200,
            r#"{"versions":[{"crate":"a-b","num":"one"}]}"#,
            unknown("its versions: answered what cannot be read"),
        ),
        ("/owners", 404, "", Ok(())),
        ("/owners", 500, "", Ok(())),
        ("/owners", 200, "[]", Ok(())),
    ] {
        let fake = Fake::whole().with(&format!("{path}{part}"), status, body);
        let record = Place::new().one(&fake);
        assert!(record.as_ref().map_or(true, |record| record.owners.is_none() && record.versions.len() == 3), "{part} {status}");
        assert_eq!(record.map(|_| ()), expected, "{part} {status} {body}");
    }
}

#[test]
fn gone_is_what_api_and_index_do_not_have() {
    let config = r#"{"dl":"https://example.org"}"#;
    for (index, entry, expected) in [
        ((200, config), (404, ""), NoRecord::Gone),
        ((200, config), (410, ""), NoRecord::Gone),
        ((200, config), (200, "{}"), NoRecord::NotFound),
        ((200, config), (500, ""), NoRecord::NotFound),
        // Who answers 404 to everything says nothing.
        ((404, ""), (404, ""), NoRecord::NotFound),
        ((200, "<html>"), (404, ""), NoRecord::NotFound),
    ] {
        let fake = Fake::new(&[("/index/config.json", index.0, index.1), ("/index/3/a/a-b", entry.0, entry.1)]);
        assert_eq!(Place::new().one(&fake), Err(expected), "{index:?} {entry:?}");
    }
}

#[test]
fn an_unchanged_entry_is_not_asked_about_again() {
    let day = "2026-09-01T12:00:00Z";
    for (name, version, entry, now, requests) in [
        ("nothing has changed", "1.0.0", Some("x"), "2026-09-01T20:00:00Z", 0),
        ("owners are a day old", "1.0.0", Some("x"), "2026-09-02T12:00:00Z", 2),
        ("a clock that went back", "1.0.0", Some("x"), "2026-08-30T12:00:00Z", 2),
        ("another entry", "1.0.0", Some("y"), day, 3),
        ("no entry, the same day", "1.0.0", None, day, 0),
        ("no entry, a day later", "1.0.0", None, "2026-09-02T12:00:00Z", 3),
        ("a version that the answer did not have", "2.0.0", Some("x"), day, 3),
    ] {
        let place = Place::new();
        place.ask(Some(&Fake::whole()), &["a-b"], "1.0.0", Some("x"), day);
        let again = Fake::whole();
        let found = place.ask(Some(&again), &["a-b"], version, entry, now);
        assert_eq!(again.count(), requests, "{name}");
        assert!(found[&key("a-b")].as_ref().unwrap().owners.is_some(), "{name}");
        // Offline: what would need a request is not there, or is not claimed.
        let place = Place::new();
        place.ask(Some(&Fake::whole()), &["a-b"], "1.0.0", Some("x"), day);
        let offline = place.ask(None, &["a-b"], version, entry, now);
        let owners = offline.get(&key("a-b")).map(|record| record.as_ref().unwrap().owners.is_some());
        assert_eq!(owners, [Some(true), None, Some(false), None][requests], "{name}");
    }
}

#[test]
fn a_cache_that_others_wrote_is_no_answer() {
    let place = Place::new();
    let day = "2026-09-01T12:00:00Z";
    place.ask(Some(&Fake::whole()), &["a-b"], "1.0.0", Some("x"), day);
    let folder = place.path().join("registry-api").read_dir_utf8().unwrap().next().unwrap().unwrap().path().to_owned();
    let file: Utf8PathBuf = folder.join("3/a/a-b.json");
    let good = std::fs::read_to_string(&file).unwrap();
    for text in
        ["", "{}", "[[[", &good[..good.len() / 2], &good.replace("\"format\":1", "\"format\":0"), &good.replace("a-b", "c-d")]
    {
        std::fs::write(&file, text).unwrap();
        let again = Fake::whole();
        place.ask(Some(&again), &["a-b"], "1.0.0", Some("x"), day);
        assert_eq!(again.count(), 3, "{text}");
    }
}

#[test]
fn who_does_not_answer_is_left_alone() {
    let place = Place::new();
    let names: Vec<_> = (0..20).map(|number| format!("crate{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    for (fake, requests, why) in [
        (Fake { error: Some(Error::TimedOut), ..Fake::new(&[]) }, 3, "127.0.0.1:1: no answer in time"),
        (
            Fake {
                answers: names.iter().map(|name| (format!("/api/v1/crates/{name}"), (429, String::new()))).collect(),
                ..Fake::new(&[])
            },
            2,
            "429",
        ),
    ] {
        let found = place.ask(Some(&fake), &names, "1.0.0", None, "2026-09-01");
        assert_eq!((fake.count(), found.len()), (requests, 20));
        assert!(found.values().all(|one| matches!(one, Err(NoRecord::Unknown(text)) if text.contains(why))), "{found:?}");
    }
    // One that is only slow to begin with is asked on.
    let fake = Fake::whole().with("/api/v1/crates/crate1", 429, "");
    let found = place.ask(Some(&fake), &["a-b", "crate0"], "1.0.0", None, "2026-09-01");
    assert!(found[&key("a-b")].is_ok() && found[&key("crate0")] == Err(NoRecord::NotFound));
}

#[test]
fn only_names_that_crates_io_can_have_are_asked_about() {
    let place = Place::new();
    let fake = Fake::whole();
    let found = place.ask(Some(&fake), &["../../x", "a b", "", "é", "a?b"], "1.0.0", None, "2026-09-01");
    assert!(
        found.values().all(|one| matches!(one, Err(NoRecord::Unknown(why)) if why.contains("no crate of this name"))),
        "{found:?}"
    );
    let other = CrateKey { name: "a-b".into(), source: "sparse+https://corp.example/".into() };
    let crates = BTreeMap::from([(other.clone(), Wanted::default()), (key("../x"), Wanted::default())]);
    let of_folder = snapshot(place.path(), &crates);
    assert_eq!(of_folder[&other], Err(NoRecord::Unknown("the registry has no such API".into())));
    assert_eq!((of_folder.len(), fake.count()), (2, 0));
}

#[test]
fn a_folder_stands_for_the_api() {
    let place = Place::new();
    let put = |path: &str, text: &str| {
        let path = place.path().join("api/crates").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let crates = BTreeMap::from([(key("a-b"), Wanted::default())]);
    let read = || snapshot(place.path(), &crates).remove(&key("a-b")).unwrap();
    assert_eq!(read(), Err(NoRecord::NotFound));
    put("a-b.json", CRATE);
    assert_eq!(read(), Err(NoRecord::Unknown("its versions: answered 404".into())));
    put("a-b/versions.json", VERSIONS);
    assert!(read().is_ok_and(|record| record.owners.is_none()));
    put("a-b/owners.json", OWNERS);
    assert_eq!(read(), Place::new().one(&Fake::whole()));
    put("a-b/versions.json", &VERSIONS.replace("\"next_page\":null", "\"next_page\":\"?page=2\""));
    assert_eq!(read(), Err(NoRecord::Unknown("its versions: the snapshot has their first page only".into())));
}

/// GitLab names the place otherwise.
#[test]
fn trusted_publishers_of_each_kind() {
    for (data, expected) in [
        (r#"{"provider":"gitlab","project_path":"g/s/p","job_id":"1","sha":"00"}"#, Some(("gitlab", "g/s/p"))),
        (r#"{"provider":"github","repository":"o/r"}"#, Some(("github", "o/r"))),
        (r#"{"provider":"new"}"#, None),
    ] {
        let text = format!(r#"{{"versions":[{{"crate":"a","num":"1.0.0","trustpub_data":{data}}}]}}"#);
        let found = versions(text.as_bytes(), "a").ok().map(|page| page.versions.into_values().next().unwrap().publisher);
        let expected = expected
            .map(|(provider, repository)| Publisher::Trusted { provider: provider.into(), repository: repository.into() });
        assert_eq!(found, expected, "{data}");
    }
}

proptest! {
    #[test]
    fn hostile_answers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\[{\":a-z0-9,}\\]]{0,200}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let _ = (krate(bytes, "a"), owners(bytes).is_ok(), versions(bytes, "a").is_ok());
        }
    }
}
