use super::*;
use crate::config::psirt::parse;
use crate::config::{Publisher, PublisherCategory};
use crate::document::schema;

const LEDGER: &str = r#"utc-offset = "+09:00"

[[report]]
id = "EX-2026-1"
title = "Overflow in the parser"
aliases = ["CVE-2026-1000"]
component = "pkg:cargo/app"
releases = ["1.4.0+a"]
fixed = ["1.4.1"]
state = "fixing"
tlp = "CLEAR"
reported = 2026-11-01
coordinator = "JPCERT/CC"
jvn-id = "JVN#00000000"
exploited = "no"
due = 2026-11-20
acknowledgments = [{ names = ["A. Finder"], organization = "Lab" }]

[[report]]
id = "EX-2026-2"
title = "embargoed\nthing"
component = "pkg:cargo/app"
reported = 2026-11-10
tlp = "AMBER"
"#;

fn now() -> Timestamp {
    "2026-11-23T16:33:14Z".parse().unwrap()
}

#[test]
fn what_is_not_public_is_counted_where_others_look_on() {
    let ledger = parse("psirt.toml", LEDGER).unwrap();
    let all = Shown::of(&ledger, false, now());
    insta::assert_snapshot!(all.human(), @"
    EX-2026-1 CVE-2026-1000 JVN#00000000 [TLP:CLEAR] fixing: Overflow in the parser
      pkg:cargo/app 1.4.0+a; reported 2026-11-01, through JPCERT/CC; exploited: no
      fix due 2026-11-20: PASSED 4 days ago
      disclosure due 2026-12-16: in 22 days
    EX-2026-2 [TLP:AMBER] received: embargoed thing
      pkg:cargo/app (releases not known); reported 2026-11-10; exploited: unknown
      disclosure due 2026-12-25: in 31 days
    ");
    assert!(all.is_overdue());
    let public = Shown::of(&ledger, true, now());
    assert_eq!(public.withheld, 1);
    let text = public.human() + str::from_utf8(&public.json().bytes).unwrap();
    assert!(!text.contains("EX-2026-2") && !text.contains("embargoed"), "{text}");
}

#[test]
fn the_data_conforms_to_its_schema() {
    const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/psirt-1.json"));
    let ledger = parse("psirt.toml", LEDGER).unwrap();
    assert_eq!(schema::violations(SCHEMA, &Shown::of(&ledger, false, now()).json().bytes), Vec::<String>::new());
}

#[test]
fn a_draft_of_the_advisory() {
    let ledger = parse("psirt.toml", LEDGER).unwrap();
    let publisher = Publisher {
        category: PublisherCategory::Vendor,
        name: "Example".into(),
        namespace: "https://example.org".into(),
        contact: None,
    };
    let draft = advisory(&ledger.reports[0], &publisher, now());
    assert_eq!(draft.path, "ex-2026-1.json");
    let value: Value = serde_json::from_slice(&draft.bytes).unwrap();
    insta::assert_json_snapshot!(value["vulnerabilities"][0], @r#"
    {
      "acknowledgments": [
        {
          "names": [
            "A. Finder"
          ],
          "organization": "Lab"
        }
      ],
      "cve": "CVE-2026-1000",
      "ids": [
        {
          "system_name": "JVN",
          "text": "JVN#00000000"
        },
        {
          "system_name": "publisher",
          "text": "EX-2026-1"
        }
      ],
      "notes": [
        {
          "category": "description",
          "text": "Overflow in the parser",
          "title": "Description"
        }
      ],
      "product_status": {
        "known_affected": [
          "CSAFPID-0001"
        ],
        "fixed": [
          "CSAFPID-0002"
        ]
      },
      "remediations": [
        {
          "category": "vendor_fix",
          "details": "Update to 1.4.1 or later.",
          "product_ids": [
            "CSAFPID-0001"
          ]
        }
      ],
      "threats": [
        {
          "category": "exploit_status",
          "details": "No exploitation is known to the publisher.",
          "product_ids": [
            "CSAFPID-0001"
          ]
        }
      ]
    }
    "#);
    let helper = &value["product_tree"]["branches"][0]["branches"][0]["branches"][0]["product"]["product_identification_helper"];
    assert_eq!(helper["purl"], "pkg:cargo/app@1.4.0%2Ba");
    assert_eq!(value["document"]["tracking"]["status"], "draft");
}
