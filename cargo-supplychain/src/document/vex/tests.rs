use serde_json::Value;

use super::*;
use crate::config::{Publisher, PublisherCategory, parse};
use crate::document::{Document, fixture};

const POLICY: &str = r#"
[[vex]]
id = "RUSTSEC-2026-0001"
aliases = ["CVE-2026-1000"]
package = "libz-sys"
status = "not_affected"
justification = "vulnerable_code_not_in_execute_path"
reason = "only inflate is called"
author = "PSIRT"
date = 2026-11-01
expires = 2027-05-01

[[vex]]
id = "CVE-2026-2000"
purl = "pkg:generic/zlib@1.3.1"
status = "affected"
reason = "minizip reads files of others"
action = "do not open archives of others"
responses = ["update", "workaround_available"]
author = "PSIRT"
date = 2026-11-10
expires = 2027-05-01

[[vex]]
id = "RUSTSEC-2020-0100"
package = "winapi"
status = "not_affected"
justification = "component_not_present"
reason = "only the lockfile names it"
author = "PSIRT"
date = 2026-11-01
expires = 2027-05-01

[[vex]]
id = "CVE-2026-1000"
package = "libz-sys"
status = "under_investigation"
reason = "we look"
author = "PSIRT"
date = 2026-10-01
expires = 2027-05-01

[[vex]]
id = "CVE-2026-3000"
package = "gone"
status = "fixed"
reason = "r"
author = "PSIRT"
date = 2026-10-01
expires = 2027-05-01

[[vex]]
id = "CVE-2026-4000"
package = "itoa"
status = "fixed"
reason = "r"
author = "PSIRT"
date = 2026-10-01
expires = 2026-11-01
"#;

fn publisher() -> Publisher {
    Publisher {
        category: PublisherCategory::Vendor,
        name: "Example".into(),
        namespace: "https://example.org".into(),
        contact: None,
    }
}

fn json(document: &Document) -> Value {
    serde_json::from_slice(&document.bytes).unwrap()
}

fn with<T>(build: &Build, policy: &str, look: impl FnOnce(&Statements<'_>) -> T) -> T {
    let settings = parse("supplychain.toml", policy, &[]).unwrap();
    let released = Released::of(build);
    look(&Statements::new(&released, &settings.documents, &settings.vex, fixture::stamp()))
}

#[test]
fn what_counts_is_stated_and_what_does_not_is_told() {
    with(&fixture::build(), POLICY, |statements| {
        assert_eq!(statements.len(), 3);
        let left_out: Vec<_> = statements.left_out.iter().map(|(one, why)| format!("{}: {why}", one.id)).collect();
        assert_eq!(left_out, ["CVE-2026-3000: nothing that is released has its component", "CVE-2026-4000: it has expired"]);
    });
}

#[test]
fn openvex() {
    let value = with(&fixture::build(), POLICY, |statements| json(&super::openvex(statements)));
    insta::assert_json_snapshot!(value, { ".tooling" => "TOOL" }, @r#"
    {
      "@context": "https://openvex.dev/ns/v0.2.0",
      "@id": "urn:uuid:841cbdae-e638-8461-b2a3-e1ab543662bf",
      "author": "PSIRT",
      "timestamp": "2026-11-01T00:00:00Z",
      "last_updated": "2026-11-10T00:00:00Z",
      "version": 2,
      "tooling": "TOOL",
      "statements": [
        {
          "vulnerability": {
            "name": "CVE-2026-1000",
            "aliases": [
              "RUSTSEC-2026-0001"
            ]
          },
          "timestamp": "2026-11-01T00:00:00Z",
          "products": [
            {
              "@id": "pkg:cargo/demo@1.2.0",
              "identifiers": {
                "purl": "pkg:cargo/demo@1.2.0"
              },
              "subcomponents": [
                {
                  "@id": "pkg:cargo/libz-sys@1.1.23%2B1.3.1",
                  "identifiers": {
                    "purl": "pkg:cargo/libz-sys@1.1.23%2B1.3.1"
                  }
                }
              ],
              "hashes": {
                "sha-256": "2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea"
              }
            }
          ],
          "status": "not_affected",
          "justification": "vulnerable_code_not_in_execute_path",
          "status_notes": "only inflate is called"
        },
        {
          "vulnerability": {
            "name": "CVE-2026-2000"
          },
          "timestamp": "2026-11-10T00:00:00Z",
          "products": [
            {
              "@id": "pkg:cargo/demo@1.2.0",
              "identifiers": {
                "purl": "pkg:cargo/demo@1.2.0"
              },
              "subcomponents": [
                {
                  "@id": "pkg:generic/zlib@1.3.1",
                  "identifiers": {
                    "purl": "pkg:generic/zlib@1.3.1"
                  }
                }
              ],
              "hashes": {
                "sha-256": "2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea"
              }
            }
          ],
          "status": "affected",
          "status_notes": "minizip reads files of others",
          "action_statement": "do not open archives of others"
        },
        {
          "vulnerability": {
            "name": "RUSTSEC-2020-0100"
          },
          "timestamp": "2026-11-01T00:00:00Z",
          "products": [
            {
              "@id": "pkg:cargo/demo@1.2.0",
              "identifiers": {
                "purl": "pkg:cargo/demo@1.2.0"
              },
              "subcomponents": [
                {
                  "@id": "pkg:cargo/winapi@0.3.9",
                  "identifiers": {
                    "purl": "pkg:cargo/winapi@0.3.9"
                  }
                }
              ],
              "hashes": {
                "sha-256": "2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea"
              }
            }
          ],
          "status": "not_affected",
          "justification": "component_not_present",
          "status_notes": "only the lockfile names it"
        }
      ]
    }
    "#);
}

#[test]
fn cyclonedx() {
    let value = with(&fixture::build(), POLICY, |statements| json(&super::cyclonedx(statements)));
    insta::assert_json_snapshot!(value["vulnerabilities"], @r#"
    [
      {
        "bom-ref": "vulnerability:2be29358-3e26-86a6-9058-523973497181",
        "id": "CVE-2026-1000",
        "source": {
          "name": "CVE"
        },
        "references": [
          {
            "id": "RUSTSEC-2026-0001",
            "source": {
              "name": "RustSec"
            }
          }
        ],
        "analysis": {
          "state": "not_affected",
          "justification": "code_not_reachable",
          "detail": "only inflate is called",
          "firstIssued": "2026-11-01T00:00:00Z",
          "lastUpdated": "2026-11-01T00:00:00Z"
        },
        "affects": [
          {
            "ref": "pkg:cargo/libz-sys@1.1.23%2B1.3.1"
          }
        ]
      },
      {
        "bom-ref": "vulnerability:f3fa8946-8a42-8fb8-8267-ec98d82a35e6",
        "id": "CVE-2026-2000",
        "source": {
          "name": "CVE"
        },
        "recommendation": "do not open archives of others",
        "analysis": {
          "state": "exploitable",
          "response": [
            "update",
            "workaround_available"
          ],
          "detail": "minizip reads files of others",
          "firstIssued": "2026-11-10T00:00:00Z",
          "lastUpdated": "2026-11-10T00:00:00Z"
        },
        "affects": [
          {
            "ref": "pkg:generic/zlib@1.3.1"
          }
        ]
      },
      {
        "bom-ref": "vulnerability:238789a5-8841-8a17-a7dc-8b4cdc6ccdc2",
        "id": "RUSTSEC-2020-0100",
        "source": {
          "name": "RustSec"
        },
        "analysis": {
          "state": "not_affected",
          "justification": "code_not_present",
          "detail": "only the lockfile names it",
          "firstIssued": "2026-11-01T00:00:00Z",
          "lastUpdated": "2026-11-01T00:00:00Z"
        },
        "affects": [
          {
            "ref": "pkg:cargo/winapi@0.3.9"
          }
        ]
      }
    ]
    "#);
    assert_eq!(value["components"].as_array().unwrap().len(), 3);
    assert_eq!(value["metadata"]["component"]["components"][0]["components"][0]["name"], "demo");
}

#[test]
fn csaf() {
    let document = with(&fixture::build(), POLICY, |statements| super::csaf(statements, &publisher()));
    assert_eq!(document.path, "demo-1_2_0-vex.json");
    let value = json(&document);
    insta::assert_json_snapshot!(value["document"]["tracking"], { ".generator" => "TOOL" }, @r#"
    {
      "current_release_date": "2026-11-10T00:00:00Z",
      "generator": "TOOL",
      "id": "demo-1.2.0-vex",
      "initial_release_date": "2026-11-01T00:00:00Z",
      "revision_history": [
        {
          "date": "2026-11-01T00:00:00Z",
          "number": "1",
          "summary": "First decisions."
        },
        {
          "date": "2026-11-10T00:00:00Z",
          "number": "2",
          "summary": "Decisions of 2026-11-10."
        }
      ],
      "status": "final",
      "version": "2"
    }
    "#);
    insta::assert_json_snapshot!(value["product_tree"]["relationships"][0], @r#"
    {
      "category": "default_component_of",
      "full_product_name": {
        "name": "libz-sys 1.1.23+1.3.1 in demo 1.2.0",
        "product_id": "CSAFPID-0005"
      },
      "product_reference": "CSAFPID-0002",
      "relates_to_product_reference": "CSAFPID-0001"
    }
    "#);
    insta::assert_json_snapshot!(value["vulnerabilities"], @r#"
    [
      {
        "cve": "CVE-2026-1000",
        "flags": [
          {
            "date": "2026-11-01T00:00:00Z",
            "label": "vulnerable_code_not_in_execute_path",
            "product_ids": [
              "CSAFPID-0005"
            ]
          }
        ],
        "ids": [
          {
            "system_name": "RustSec Advisory Database",
            "text": "RUSTSEC-2026-0001"
          }
        ],
        "notes": [
          {
            "category": "details",
            "text": "only inflate is called",
            "title": "Decision of 2026-11-01: not_affected"
          }
        ],
        "product_status": {
          "known_not_affected": [
            "CSAFPID-0005"
          ]
        },
        "threats": [
          {
            "category": "impact",
            "date": "2026-11-01T00:00:00Z",
            "details": "only inflate is called",
            "product_ids": [
              "CSAFPID-0005"
            ]
          }
        ]
      },
      {
        "cve": "CVE-2026-2000",
        "notes": [
          {
            "category": "details",
            "text": "minizip reads files of others",
            "title": "Decision of 2026-11-10: affected"
          }
        ],
        "product_status": {
          "known_affected": [
            "CSAFPID-0007"
          ]
        },
        "remediations": [
          {
            "category": "vendor_fix",
            "date": "2026-11-10T00:00:00Z",
            "details": "do not open archives of others",
            "product_ids": [
              "CSAFPID-0007"
            ]
          },
          {
            "category": "workaround",
            "date": "2026-11-10T00:00:00Z",
            "details": "do not open archives of others",
            "product_ids": [
              "CSAFPID-0007"
            ]
          }
        ]
      },
      {
        "flags": [
          {
            "date": "2026-11-01T00:00:00Z",
            "label": "component_not_present",
            "product_ids": [
              "CSAFPID-0006"
            ]
          }
        ],
        "ids": [
          {
            "system_name": "RustSec Advisory Database",
            "text": "RUSTSEC-2020-0100"
          }
        ],
        "notes": [
          {
            "category": "details",
            "text": "only the lockfile names it",
            "title": "Decision of 2026-11-01: not_affected"
          }
        ],
        "product_status": {
          "known_not_affected": [
            "CSAFPID-0006"
          ]
        },
        "threats": [
          {
            "category": "impact",
            "date": "2026-11-01T00:00:00Z",
            "details": "only the lockfile names it",
            "product_ids": [
              "CSAFPID-0006"
            ]
          }
        ]
      }
    ]
    "#);
}

#[test]
fn same_decisions_same_bytes_whatever_their_order() {
    let mut blocks: Vec<&str> = POLICY.split("\n[[vex]]").skip(1).collect();
    let text = |blocks: &[&str]| blocks.iter().map(|block| format!("\n[[vex]]{block}")).collect::<String>();
    let all = |policy: &str| {
        with(&fixture::build(), policy, |one| [super::openvex(one), super::cyclonedx(one), super::csaf(one, &publisher())])
    };
    let expected = all(&text(&blocks));
    blocks.reverse();
    assert_eq!(all(&text(&blocks)), expected);
}

#[test]
fn before_a_build_there_are_no_digests_and_hostile_names_stay_text() {
    let planned = with(&fixture::planned(), POLICY, |statements| json(&super::openvex(statements)));
    assert!(planned["statements"][0]["products"][0].get("hashes").is_none());
    let hostile = VexDecision { reason: fixture::HOSTILE.into(), ..parse("p", POLICY, &[]).unwrap().vex[0].clone() };
    let released = Released::of(&fixture::hostile());
    let settings = DocumentSettings { author: Some(fixture::HOSTILE.into()), ..DocumentSettings::default() };
    let decisions = [hostile];
    let statements = Statements::new(&released, &settings, &decisions, fixture::stamp());
    for document in [super::openvex(&statements), super::cyclonedx(&statements), super::csaf(&statements, &publisher())] {
        let text = String::from_utf8(document.bytes).unwrap();
        assert!(!text.contains("\\u001b") && !text.contains("\\u202e") && !text.contains('\u{202e}'), "{text}");
    }
}

#[test]
fn the_list_conforms_to_its_schema() {
    const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/vex-1.json"));
    let decisions = parse("supplychain.toml", POLICY, &[]).unwrap().vex;
    let document = list::json(&decisions, fixture::stamp());
    assert_eq!(crate::document::schema::violations(SCHEMA, &document.bytes), Vec::<String>::new());
    insta::assert_snapshot!(list::human(&decisions[..2], fixture::stamp()), @"
    RUSTSEC-2026-0001 CVE-2026-1000 libz-sys: not_affected (vulnerable_code_not_in_execute_path), until 2027-05-01
      PSIRT on 2026-11-01: only inflate is called
    CVE-2026-2000 pkg:generic/zlib@1.3.1: affected, until 2027-05-01
      PSIRT on 2026-11-10: minizip reads files of others
    ");
}
