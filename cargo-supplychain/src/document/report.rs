//! `reports/report.json`: the report as data. Its schema is `cargo-supplychain/schemas/report-1.json`.

use super::Document;
use crate::finding::Report;

/// The report's JSON, indented, with a trailing newline.
#[must_use]
pub fn document(report: &Report) -> Document {
    Document::json("reports/report.json", "application/json", report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::fixture;
    use crate::document::schema;

    const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/report-1.json"));

    #[test]
    fn conforms_to_its_schema() {
        for report in [fixture::report(), fixture::hostile_report()] {
            assert_eq!(schema::violations(SCHEMA, &document(&report).bytes), Vec::<String>::new());
        }
    }

    #[test]
    fn reads_back_as_it_was() {
        let ids =
            ["advisory/vulnerability", "advisory/unmaintained", "toolchain/unpinned", "config/source-override", "dep/banned"];
        let known = |id: &str| ids.into_iter().find(|one| *one == id);
        for report in [fixture::report(), fixture::hostile_report()] {
            assert_eq!(Report::read(&document(&report).bytes, &known), Ok(report));
        }
        let bytes = document(&fixture::report()).bytes;
        assert!(Report::read(&bytes, &|_| None).unwrap_err().contains("no rule of this version"));
        assert!(Report::read(b"{}", &known).is_err());
    }

    #[test]
    fn the_schema_refuses_what_is_no_report() {
        let text = String::from_utf8(document(&fixture::report()).bytes).unwrap();
        for (from, to) in [
            ("\"verdict\": \"fail\"", "\"verdict\": \"fine\""),
            ("\"schema_version\": 1", "\"schema_version\": 2"),
            ("\"severity\": \"high\"", "\"severity\": 9"),
            ("\"required\": true", "\"optional\": true"),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(!schema::violations(SCHEMA, text.replacen(from, to, 1).as_bytes()).is_empty(), "{to}");
        }
    }
}
