use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::base::http::{self, Exchange, Request, Response, Stream};

const KEV: &str = r#"{"title":"t","catalogVersion":"2025.08.25","dateReleased":"2025-08-25T17:04:19.9796Z","count":2,"vulnerabilities":[
 {"cveID":"CVE-2023-4863","vendorProject":"Google","product":"Chromium WebP","vulnerabilityName":"n","dateAdded":"2023-09-13","shortDescription":"","requiredAction":"","dueDate":"2023-10-04","knownRansomwareCampaignUse":"Known"},
 {"cveID":"CVE-2025-30066","vendorProject":"tj-actions","product":"changed-files GitHub Action","vulnerabilityName":"n","dateAdded":"2025-03-18","shortDescription":"","requiredAction":"","dueDate":"2025-04-08"}]}"#;
const EPSS: &str = "#model_version:v2026.06.15,score_date:2026-09-21T12:03:23Z\ncve,epss,percentile\nCVE-2023-4863,0.42,0.88\nCVE-2024-1234,0.1,0.5\n";
const CVE: &str = r#"{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{"cveId":"CVE-2024-4603","state":"PUBLISHED","datePublished":"2024-05-16T15:21:20.050Z","dateUpdated":"2024-10-14T14:56:00.000Z"},
 "containers":{"cna":{"title":"T","providerMetadata":{"orgId":"x","shortName":"openssl"},"metrics":[{"format":"other"}],
  "affected":[{"vendor":"OpenSSL","product":"OpenSSL","defaultStatus":"unaffected","versions":[
   {"version":"3.3.0","lessThan":"3.3.1","status":"affected","versionType":"semver"},
   {"version":"Fixed in OpenSSL 1.1.1d (Affected 1.1.1-1.1.1c)","status":"affected"},
   {"version":"unknowable","status":"affected"}]}]},
 "adp":[{"providerMetadata":{"orgId":"134c704f-9b21-4f2e-91b3-4a467353bcc0","shortName":"CISA-ADP"},"metrics":[
  {"cvssV3_1":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}},
  {"other":{"type":"ssvc","content":{"id":"CVE-2024-4603","role":"CISA Coordinator","version":"2.0.3","timestamp":"2024-05-17T19:32:51.115290Z",
   "options":[{"Exploitation":"none"},{"Automatable":"yes"},{"Technical Impact":"partial"}]}}}]}]}}"#;
const JVN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:sec="http://jvn.jp/rss/mod_sec/">
<item><title>見本の脆弱性</title><link>https://jvndb.jvn.jp/x</link><sec:identifier>JVNDB-2023-000001</sec:identifier>
<sec:references source="CVE" id="CVE-2022-46648">u</sec:references><sec:references source="CVE" id="CVE-2022-47318">u</sec:references>
<sec:references source="JVN" id="JVN#1">u</sec:references><dcterms:modified>2023-01-05T12:02+09:00</dcterms:modified></item>
<item><title>x</title><description>** 未確定 **</description><sec:identifier>JVNDB-2023-000002</sec:identifier><sec:references source="CVE" id="CVE-2022-1111">u</sec:references></item>
</rdf:RDF>"#;
const EOL: &str = r#"{"schema_version":"1.2.0","generated_at":"2026-11-20T00:00:00Z","result":[{"name":"openssl","releases":[
 {"name":"3.6","eolFrom":"2026-11-01","isEol":true},{"name":"4.0","eolFrom":"2027-05-14","isEol":false},{"name":"9","eolFrom":null,"isEol":false}]}]}"#;
const OSV: &str = r#"{"id":"GHSA-xxxx","modified":"2026-01-02T03:04:05Z","aliases":["CVE-2026-1"],"summary":"S",
 "affected":[{"package":{"ecosystem":"crates.io","name":"lib"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}"#;

const ALL: [(FeedKind, &str); 6] = [
    (FeedKind::Kev, KEV),
    (FeedKind::Epss, EPSS),
    (FeedKind::Cve, CVE),
    (FeedKind::Jvn, JVN),
    (FeedKind::Eol, EOL),
    (FeedKind::Osv, OSV),
];

struct Scene {
    folder: tempfile::TempDir,
    told: Mutex<Vec<String>>,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), told: Mutex::default() }
    }

    fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Place {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        Place::Path(path)
    }

    fn with<T>(&self, http: Option<&dyn Http>, renew: bool, act: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        let cache = self.root().join("cache");
        act(&Surroundings {
            cache_dir: &cache,
            http,
            now: "2026-11-23".parse().unwrap(),
            renew,
            progress: &|line| self.told.lock().unwrap().push(line.to_owned()),
        })
    }

    fn bring(&self, kind: FeedKind, place: &Place) -> Result<Source, Error> {
        self.with(None, false, |with| bring(kind, place, with))
    }
}

fn wanted(cves: &[&str]) -> Wanted {
    Wanted { cves: cves.iter().map(ToString::to_string).collect(), libraries: BTreeSet::from(["openssl".to_owned()]) }
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, bytes).unwrap();
    packed.finish().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut out);
    for (name, bytes) in files {
        let (mut entry, config) = archive.new_file(name).compression_method(rawzip::CompressionMethod::DEFLATE).start().unwrap();
        let mut writer = config.wrap(flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::best()));
        std::io::Write::write_all(&mut writer, bytes).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    out
}

#[test]
fn every_kind_says_what_is_in_it() {
    let scene = Scene::new();
    let mut signals = Signals::default();
    for (kind, text) in ALL {
        let place = scene.write(kind.as_str(), text.as_bytes());
        // The second is the parsed form from the cache.
        for _ in 0..2 {
            let source = scene.bring(kind, &place).unwrap();
            assert!(source.info.entries > 0 && source.info.date.is_some(), "{kind} {:?}", source.info);
            source.tell(&wanted(&["CVE-2023-4863", "CVE-2024-4603", "CVE-2022-46648", "CVE-2022-1111"]), &mut signals);
        }
    }
    assert!(signals.kev.as_ref().unwrap()["CVE-2023-4863"].ransomware);
    assert_eq!(signals.exploited_actions["tj-actions/changed-files"], "CVE-2025-30066");
    let epss = signals.epss.unwrap();
    assert_eq!((&*epss.model, &*epss.scores["CVE-2023-4863"].probability), ("v2026.06.15", "0.42"));
    let record = &signals.records.unwrap()["CVE-2024-4603"];
    assert_eq!((&*record.ratings[0].source, record.ratings[0].score), ("ADP CISA-ADP", Some(53)));
    assert_eq!(record.analysis.as_ref().map(|one| &*one.automatable), Some("yes"));
    let affected = &record.affected[0];
    assert!(affected.ranges.iter().any(|range| range.has("3.3.0")) && affected.ranges.iter().any(|range| range.has("1.1.1c")));
    assert_eq!(affected.unread, ["unknowable"]);
    assert_eq!(signals.japanese["CVE-2022-46648"][0].id, "JVNDB-2023-000001");
    assert!(!signals.japanese.contains_key("CVE-2022-1111"), "an entry that says nothing yet");
    assert_eq!(signals.lines.unwrap()["openssl"].len(), 3);
}

#[test]
fn packed_files_and_folders() {
    let scene = Scene::new();
    let osv = scene.write("all.zip", &zip(&[("GHSA-xxxx.json", OSV.as_bytes()), ("README.txt", b"no")]));
    let source = scene.bring(FeedKind::Osv, &osv).unwrap();
    assert_eq!(source.advisories(Which::All)[0].ids().collect::<Vec<_>>(), ["GHSA-xxxx", "CVE-2026-1"]);
    assert!(source.advisories(Which::OfPackages(&BTreeSet::from(["other".to_owned()]))).is_empty());
    assert_eq!(source.advisories(Which::Named("cve-2026-1")).len(), 1);
    assert!(source.advisories(Which::Named("CVE-2026")).is_empty(), "part of an id is none");
    let epss = scene.write("epss.csv.gz", &gz(EPSS.as_bytes()));
    assert_eq!(scene.bring(FeedKind::Epss, &epss).unwrap().info.entries, 2);
    scene.write("records/2024/4xxx/CVE-2024-4603.json", CVE.as_bytes());
    scene.write("records/delta.json", b"[]");
    let records = scene.bring(FeedKind::Cve, &Place::Path(scene.root().join("records"))).unwrap();
    assert_eq!(records.records_of(&BTreeSet::from(["openssl".to_owned()])), BTreeSet::from(["CVE-2024-4603".to_owned()]));
    scene.write("cycles/openssl.json", br#"[{"cycle":"3.6","eol":"2026-11-01"},{"cycle":"4.0","eol":false}]"#);
    assert_eq!(scene.bring(FeedKind::Eol, &Place::Path(scene.root().join("cycles"))).unwrap().info.entries, 1);
    // What changed is read again.
    scene.write("records/2024/4xxx/CVE-2024-9999.json", CVE.replace("4603", "9999").as_bytes());
    assert_eq!(scene.bring(FeedKind::Cve, &Place::Path(scene.root().join("records"))).unwrap().info.entries, 2);
}

#[test]
fn hostile_files_end_in_an_error() {
    let scene = Scene::new();
    let bomb = vec![b' '; 40 << 20];
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let many_entities = JVN
        .replace("<rdf:RDF", "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><rdf:RDF")
        .replace("見本", "&b;");
    for (kind, bytes, expected) in [
        (FeedKind::Kev, bomb.clone(), "larger than the limit of 33554432 bytes"),
        (FeedKind::Kev, gz(&bomb), "unpacks to more than 33554432 bytes"),
        (
            FeedKind::Kev,
            zip(&[("a.json", &bomb[..20 << 20]), ("b.json", &bomb[..20 << 20])]),
            "b.json: unpacks to more than 33554432 bytes",
        ),
        (FeedKind::Kev, deep.into_bytes(), "is not as it should be"),
        (FeedKind::Kev, KEV.replace("\"count\":2", "\"count\":3").into_bytes(), "says that it has 3 entries and has 2"),
        (FeedKind::Kev, KEV.replace("2025-08-25T", "2031-08-25T").into_bytes(), "it is of 2031-08-25, a day that has not come"),
        (FeedKind::Kev, KEV.replace("CVE-2023-4863", "4863").into_bytes(), "has an entry without a CVE id"),
        (FeedKind::Kev, b"[]".to_vec(), "is not as it should be"),
        (FeedKind::Kev, b"\x1f\x8b broken".to_vec(), "cannot be unpacked"),
        (FeedKind::Osv, b"PK\x03\x04 broken".to_vec(), "is no zip archive that can be read"),
        (FeedKind::Osv, b"{\"id\":1}".to_vec(), "is not as it should be"),
        (FeedKind::Epss, EPSS.replace("0.42", "42").into_bytes(), "line 3, is not a CVE id with two numbers from 0 to 1"),
        (FeedKind::Epss, EPSS.replace("#model", "model").into_bytes(), "does not begin with `#model_version"),
        (FeedKind::Epss, b"\xff\xff".to_vec(), "is not UTF-8 text"),
        (FeedKind::Cve, CVE.replace("2.0.3", "3.0.0").into_bytes(), "its SSVC answers are of version 3.0.0"),
        (
            FeedKind::Cve,
            CVE.replace("\"Automatable\":\"yes\"", "\"Automatable\":\"maybe\"").into_bytes(),
            "its SSVC answer to Automatable is none of yes, no",
        ),
        (FeedKind::Jvn, many_entities.into_bytes(), ""),
        (FeedKind::Jvn, "<a>".repeat(100).into_bytes(), "it is nested deeper than 32"),
        (FeedKind::Jvn, JVN.replace("JVNDB-2023-000001", "x").into_bytes(), "an entry has no id of JVN iPedia"),
        (FeedKind::Eol, EOL.replace("2026-11-01", "soon").into_bytes(), "is not in a shape of endoflife.date"),
    ] {
        let place = scene.write("input.json", &bytes);
        match scene.bring(kind, &place) {
            Ok(source) => assert!(expected.is_empty(), "{kind}: {:?}", source.info),
            Err(error) => {
                let Error::Unavailable { why, help } = &error else { panic!("{error}") };
                assert!(why.starts_with(kind.name()) && why.contains(expected) && !help.is_empty(), "{kind}: {why}");
                assert!(why.len() < 400, "{why}");
            }
        }
    }
    let missing = scene.bring(FeedKind::Kev, &Place::Path("/nowhere/kev.json".into()));
    assert!(matches!(missing, Err(Error::NotFound { .. })));
}

/// Status, headers and body.
type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// A server with one answer, that notes what it is asked.
#[derive(Default)]
struct Answers {
    answer: Mutex<Answer>,
    asked: Mutex<Vec<String>>,
}

impl Answers {
    fn now(&self, status: u16, etag: &str, body: &str) {
        *self.answer.lock().unwrap() = (status, vec![("etag".to_owned(), etag.to_owned())], body.as_bytes().to_vec());
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Http for Answers {
    fn get(&self, _: &Request<'_>) -> Result<Response, http::Error> {
        Err(http::Error::Refused)
    }

    fn exchange(&self, exchange: Exchange<'_>) -> Result<Stream, http::Error> {
        let headers: Vec<_> = exchange.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        self.asked.lock().unwrap().push(headers.join(", "));
        let (status, headers, body) = self.answer.lock().unwrap().clone();
        Ok(Stream { status, headers, body: Box::new(std::io::Cursor::new(body)) })
    }
}

#[test]
fn a_url_is_asked_once_a_day_and_with_conditions() {
    let (scene, server) = (Scene::new(), Answers::default());
    let place = Place::Url("https://example.org/kev.json".into());
    let ask = |renew: bool| scene.with(Some(&server), renew, |with| bring(FeedKind::Kev, &place, with));
    let offline = scene.bring(FeedKind::Kev, &place);
    assert!(matches!(offline, Err(Error::Unavailable { why, .. }) if why.contains("no copy of the KEV catalogue")));
    server.now(200, "\"1\"", KEV);
    assert_eq!(ask(false).unwrap().info.revision.as_deref(), Some("2025.08.25"));
    assert_eq!(server.asked(), [""]);
    assert!(ask(false).is_ok() && server.asked().is_empty(), "today already");
    server.now(304, "", "");
    assert_eq!(ask(true).unwrap().info.entries, 2);
    assert_eq!(server.asked(), ["if-none-match: \"1\""]);
    assert_eq!(scene.bring(FeedKind::Kev, &place).unwrap().info.entries, 2, "offline");
    // What is broken, of a day that has not come, refused or too large leaves the copy as it is.
    for (status, body) in [(200, "{}"), (200, &*KEV.replace("2025-08-25T", "2031-01-01T")), (500, ""), (404, "x")] {
        server.now(status, "\"2\"", body);
        assert_eq!(ask(true).unwrap().info.revision.as_deref(), Some("2025.08.25"), "{status} {body}");
        assert!(scene.told.lock().unwrap().last().unwrap().contains("using the copy in the cache"));
    }
    let newer = KEV.replace("2025.08.25", "2026.01.01").replace("2025-08-25T", "2026-01-01T");
    server.now(200, "\"3\"", &newer);
    assert_eq!(ask(true).unwrap().info.revision.as_deref(), Some("2026.01.01"));
}

#[test]
fn an_older_state_is_said_and_not_taken() {
    let (scene, server) = (Scene::new(), Answers::default());
    let place = Place::Url("https://example.org/kev.json".into());
    let ask = || scene.with(Some(&server), true, |with| bring(FeedKind::Kev, &place, with)).unwrap();
    server.now(200, "\"1\"", KEV);
    assert_eq!(ask().rolled_back, None);
    server.now(200, "\"0\"", &KEV.replace("2025-08-25T", "2025-08-01T"));
    let kept = ask();
    assert_eq!(kept.info.date.unwrap().date(), "2025-08-25");
    let offered = "the server offers KEV catalogue of 2025-08-01, the copy is of 2025-08-25";
    assert_eq!(kept.rolled_back.as_deref(), Some(offered));
    // Until the server has caught up it is said by every run.
    assert_eq!(scene.bring(FeedKind::Kev, &place).unwrap().rolled_back.as_deref(), Some(offered));
    server.now(200, "\"2\"", KEV);
    assert_eq!(ask().rolled_back, None);
}

#[test]
fn only_https_is_asked_and_credentials_are_not_told() {
    let scene = Scene::new();
    let place = Place::Url("http://user:secret@example.org/kev.json".into());
    let error = scene.bring(FeedKind::Kev, &place).err().unwrap();
    assert!(matches!(error, Error::NotFound { .. }) && !error.to_string().contains("secret"), "{error}");
    let place = Place::Url("https://user:secret@example.org/kev.json".into());
    let error = scene.bring(FeedKind::Kev, &place).err().unwrap();
    assert!(!error.to_string().contains("secret"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn mutated_files_never_panic(which in 0usize..6, at in 0usize..3000, with in "\\PC{0,6}|[0-9<>\"{}:,]{0,6}", cut in 0usize..40) {
        let (kind, text) = ALL[which];
        let start = (0..=at % text.len()).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let end = ((start + cut).min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        let _ = parse_bytes(kind, format!("{}{with}{}", &text[..start], &text[end..]).into_bytes());
    }
}
