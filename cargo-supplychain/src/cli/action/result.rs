//! What our own binary answered, read back from its JSON. Pure.

use serde_json::Value;

use crate::finding::Report;
use crate::model::release::ReleaseManifest;
use crate::ops;

/// The parts of an answer that the action tells on.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) report: Option<Report>,
    pub(super) release: Option<Released>,
    /// Message and help.
    pub(super) error: Option<(String, Vec<String>)>,
    /// Place of the archive and digest of the record, of a release that is in one.
    pub(super) archived: Option<(String, String)>,
    /// Why `verify` or `archive` did not accept something, a line each.
    pub(super) rejected: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Released {
    pub(super) folder: camino::Utf8PathBuf,
    pub(super) manifest: ReleaseManifest,
    pub(super) outage: Option<String>,
}

/// Reads it. No answer, or one that is none, is an error that says so.
pub(super) fn read(bytes: &[u8]) -> Answer {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => {
            let error = Some((format!("there is no result: {error}"), Vec::new()));
            return Answer { error, ..Answer::default() };
        }
    };
    let mut answer = Answer { error: error(&value), ..Answer::default() };
    let report = value.get("report").or_else(|| value.get("findings").map(|_| &value));
    let rules = ops::rule_infos();
    let known = |id: &str| rules.iter().map(|rule| rule.id).find(|one| *one == id);
    match report.map(|report| Report::read(report.to_string().as_bytes(), &known)) {
        Some(Ok(report)) => answer.report = Some(report),
        Some(Err(why)) => answer.error = Some((format!("the report cannot be read: {why}"), Vec::new())),
        None => {}
    }
    answer.release = value.get("release").and_then(released);
    let archived = value.pointer("/release/archived").or_else(|| value.pointer("/results/0/release"));
    answer.archived = archived.and_then(|one| {
        let record = one["record"].as_str().map(str::to_owned).or_else(|| Some(one["record"].to_string()))?;
        Some((one["archive"].as_str()?.to_owned(), record))
    });
    for result in value["results"].as_array().into_iter().flatten() {
        let path = result["path"].as_str().unwrap_or_default();
        let reasons = result["reasons"].as_array().into_iter().flatten();
        let reasons = reasons.map(|reason| {
            format!("{path}: {} ({})", reason["message"].as_str().unwrap_or_default(), reason["id"].as_str().unwrap_or_default())
        });
        answer.rejected.extend(reasons);
        answer.rejected.extend(result["why"].as_str().map(|why| format!("{path}: {why}")));
    }
    answer
}

fn error(value: &Value) -> Option<(String, Vec<String>)> {
    let error = value.get("error").filter(|error| !error.is_null())?;
    let help = error["help"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    Some((error["message"].as_str().unwrap_or("an error without words").to_owned(), help.collect()))
}

fn released(value: &Value) -> Option<Released> {
    let manifest = serde_json::from_value(value.get("manifest")?.clone()).ok()?;
    let outage = value["outage"].as_str().map(str::to_owned);
    Some(Released { folder: value["folder"].as_str()?.into(), manifest, outage })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_is_an_error() {
        for (bytes, told) in [
            (&b""[..], "there is no result"),
            (b"{\"findings\":[]}", "the report cannot be read"),
            (b"{\"error\":{\"message\":\"no Cargo.toml\",\"help\":[\"go there\"]}}", "no Cargo.toml"),
        ] {
            let answer = read(bytes);
            assert!(answer.error.unwrap().0.contains(told));
            assert!(answer.report.is_none() && answer.release.is_none());
        }
        let verify = br#"{"exit_code":3,"results":[{"path":"app","reasons":[{"id":"attest/wrong-ref","message":"not it"}]}]}"#;
        assert_eq!(read(verify).rejected, ["app: not it (attest/wrong-ref)"]);
    }
}
