//! What is known besides RustSec: sources from files and from a server, what they change in a report, and that what is broken, old or set back is
//! said (ATTACKS.md section 7).

use serde_json::{Value, json};

use crate::support::server::{Answer, Server};
use crate::support::{Outcome, Project};

const CVE: &str = "CVE-2024-27308";
const SCORED: &str = "cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N\"";

/// A project with two crates that have advisories: `fig` with a CVE and a middling score, `kiwi` with neither.
fn project() -> Project {
    let project = Project::with_packages(&[("fig", "1.2.3"), ("kiwi", "1.0.0")]);
    project.advisory("RUSTSEC-2026-0001", "fig", "2026-08-20", &format!("{SCORED}\naliases = [\"{CVE}\"]"));
    project.advisory("RUSTSEC-2026-0002", "kiwi", "2026-08-20", "");
    project
}

fn kev(cves: &[&str], date: &str) -> String {
    let entry = |cve: &&str| json!({"cveID": cve, "vendorProject": "v", "product": "p", "vulnerabilityName": "n", "dateAdded": "2026-08-25"});
    let entries: Vec<_> = cves.iter().map(entry).collect();
    json!({"catalogVersion": date, "dateReleased": format!("{date}T00:00:00.5Z"), "count": entries.len(), "vulnerabilities": entries}).to_string()
}

fn record(exploitation: &str) -> String {
    let options = json!([{"Exploitation": exploitation}, {"Automatable": "yes"}, {"Technical Impact": "total"}]);
    let content =
        json!({"role": "CISA Coordinator", "version": "2.0.3", "timestamp": "2024-10-14T00:00:00Z", "options": options});
    json!({
        "dataType": "CVE_RECORD",
        "cveMetadata": {"cveId": CVE, "state": "PUBLISHED", "dateUpdated": "2026-08-30T00:00:00"},
        "containers": {
            "cna": {"providerMetadata": {"orgId": "x", "shortName": "GitHub_M"}},
            "adp": [{"providerMetadata": {"orgId": "134c704f-9b21-4f2e-91b3-4a467353bcc0"}, "metrics": [{"other": {"type": "ssvc", "content": content}}]}],
        },
    })
    .to_string()
}

fn check(project: &Project, more: &[&str]) -> Outcome {
    project.run(&[&["check", "--format", "json", "--only", "advisories"], more].concat())
}

fn evidence(outcome: &Outcome, id: &str) -> Vec<String> {
    let list = outcome.finding(id)["evidence"].as_array().unwrap().clone();
    list.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn decisions_come_before_scores() {
    let project = project();
    project.append("supplychain.toml", "[triage]\npublicly-exposed = true\n");
    project.write("../cve/CVE-2024-27308.json", record("none"));
    project.write("../kev.json", kev(&["CVE-2020-0001"], "2026-08-25"));
    project.write(
        "../epss.csv",
        "#model_version:v2026.06.15,score_date:2026-08-30T00:00:00Z\ncve,epss,percentile\nCVE-2024-27308,0.42,0.98\n",
    );
    let outcome = check(&project, &["--feed", "cve=../cve", "--feed", "kev=../kev.json", "--feed", "epss=../epss.csv"]).expect(1);
    // 3 days for what has a middling score, before what nobody scored and nothing is decided about.
    assert_eq!(outcome.findings(), ["medium advisory/vulnerability fig 1.2.3", "high advisory/vulnerability kiwi 1.0.0"]);
    let triage = &outcome.report()["findings"][0]["triage"];
    assert_eq!(
        (&triage["outcomes"], &triage["urgency"], &triage["due"]),
        (&json!(["3 days"]), &json!("critical"), &json!("2026-08-23T00:00:00Z"))
    );
    assert_eq!((&triage["known_exploited"], &triage["epss"]["model"]), (&json!(false), &json!("v2026.06.15")));
    let kiwi = &outcome.report()["findings"][1];
    assert_eq!((&kiwi["triage"]["known_exploited"], &kiwi["triage"]["epss"]), (&Value::Null, &Value::Null));
    let said: Vec<_> = kiwi["evidence"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(
        said.contains(&"KEV: no signal, it has no CVE id") && said.contains(&"EPSS: no signal, it has no CVE id"),
        "{said:?}"
    );
    // Every source is in the record of what was judged by.
    assert_eq!(outcome.undetermined(), Vec::<String>::new());
}

#[test]
fn what_is_exploited_is_critical_and_one_finding() {
    let project = project();
    project.write("../kev.json", kev(&[CVE], "2026-08-25"));
    let outcome = check(&project, &["--feed", "kev=../kev.json"]).expect(1);
    assert_eq!(outcome.findings(), ["critical advisory/known-exploited fig 1.2.3", "high advisory/vulnerability kiwi 1.0.0"]);
    // The twin: the catalogue lists another.
    project.write("../kev.json", kev(&["CVE-2020-0001"], "2026-08-25"));
    let outcome = check(&project, &["--feed", "kev=../kev.json"]).expect(1);
    assert_eq!(outcome.findings(), ["high advisory/vulnerability kiwi 1.0.0", "medium advisory/vulnerability fig 1.2.3"]);
    // Without one nobody knows, which is said.
    let outcome = check(&project, &[]).expect(1);
    let unmade = outcome.report()["not_evaluated"].to_string();
    assert!(unmade.contains("whether 1 vulnerability is known to be exploited: there is no KEV catalogue"), "{unmade}");
    assert!(evidence(&outcome, "advisory/vulnerability").iter().any(|line| line.starts_with("not triaged:")));
    check(&project, &["--require", "advisories", "--fail-on", "critical"]).expect(4);
}

#[test]
fn one_vulnerability_with_several_ids_is_one_finding() {
    let project = project();
    let osv = |id: &str, aliases: &[&str], package: &str, withdrawn: bool| {
        let mut record = json!({
            "id": id, "modified": "2026-08-30T00:00:00Z", "aliases": aliases, "summary": "S",
            "affected": [{"package": {"ecosystem": "crates.io", "name": package}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}],
        });
        if withdrawn {
            record["withdrawn"] = json!("2026-08-31T00:00:00Z");
        }
        project.write(&format!("../osv/{id}.json"), record.to_string());
    };
    osv("GHSA-aaaa", &[CVE], "fig", false);
    osv("GHSA-bbbb", &["OSV-1"], "kiwi", false);
    osv("GHSA-cccc", &[], "kiwi", true);
    let outcome = check(&project, &["--feed", "osv=../osv"]).expect(1);
    // The two of kiwi are one line there.
    assert_eq!(outcome.findings(), ["high advisory/vulnerability kiwi 1.0.0", "medium advisory/vulnerability fig 1.2.3"]);
    let ids = |index: usize| outcome.report()["findings"][index]["ids"].clone();
    assert_eq!((ids(0), ids(1)), (json!(["GHSA-bbbb", "OSV-1"]), json!(["RUSTSEC-2026-0002"])));
    assert_eq!(ids(2), json!(["RUSTSEC-2026-0001", CVE, "GHSA-aaaa"]));
}

#[test]
fn old_broken_and_missing_sources() {
    let project = project();
    for (name, text, code, said) in [
        ("kev.json", kev(&[CVE], "2026-06-01"), 1, "stale, age 92d > 30d"),
        ("kev.json", kev(&[CVE], "2091-06-01"), 1, "it is of 2091-06-01, a day that has not come"),
        ("kev.json", "{\"catalogVersion\": 1}".to_owned(), 1, "is not as it should be"),
        ("kev.json", format!("[{}", " ".repeat(33 << 20)), 1, "larger than the limit"),
    ] {
        project.write(&format!("../{name}"), text);
        let outcome = check(&project, &["--feed", "kev=../kev.json"]).expect(code);
        let unmade = outcome.report()["not_evaluated"].to_string();
        assert!(unmade.contains(said), "{said}: {unmade}");
    }
    check(&project, &["--feed", "kev=../nothing.json"]).expect(2);
    check(&project, &["--feed", "kav=../kev.json"]).expect(2);
    project.append("supplychain.toml", "[[advisories.source]]\nkind = \"kevs\"\npath = \"x\"\n");
    let refused = check(&project, &[]).expect(2);
    assert!(refused.text().contains("did you mean `kev`?"), "{refused}");
}

#[test]
fn a_server_is_asked_with_conditions_and_an_older_state_is_not_taken() {
    let project = project();
    let folder = project.root().join("feeds");
    std::fs::create_dir(&folder).unwrap();
    let server = Server::new(folder);
    let url = format!("{}/kev.json", server.url);
    let serve = |date: &str| {
        let headers = "ETag: \"x\"\r\n".to_owned();
        server.answer("/kev.json", Answer::Whole(200, headers, kev(&[CVE], date).into_bytes()));
    };
    let feed = format!("kev={url}");
    let fetch = || project.command(&["fetch", "--feed", &feed, "--format", "json"]).run();
    serve("2026-08-25");
    assert_eq!(fetch().expect(0).json()["feeds"][0]["revision"], "2026-08-25");
    project.append("supplychain.toml", &format!("[[advisories.source]]\nkind = \"kev\"\nurl = \"{url}\"\n"));
    let first = check(&project, &[]).expect(1).findings();
    assert_eq!(first[0], "critical advisory/known-exploited fig 1.2.3");
    // The server goes back: the newer copy is judged by, and it is said until it has caught up.
    serve("2026-08-01");
    fetch().expect(0);
    let findings = check(&project, &[]).expect(1).findings();
    assert!(findings.contains(&"critical advisory/db-rollback".to_owned()), "{findings:?}");
    assert!(findings.contains(&"critical advisory/known-exploited fig 1.2.3".to_owned()), "{findings:?}");
    // What is broken or endless leaves the copy.
    server.answer("/kev.json", Answer::Garbage);
    fetch().expect(0);
    server.answer("/kev.json", Answer::Endless);
    fetch().expect(0);
    serve("2026-08-30");
    fetch().expect(0);
    assert_eq!(check(&project, &[]).expect(1).findings(), first);
}
