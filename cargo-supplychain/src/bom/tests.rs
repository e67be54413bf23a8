use proptest::prelude::*;
use serde_json::{Value, json};

use super::listing::of_bom;
use super::*;

fn read_json(value: &Value) -> Result<Bom, Error> {
    read(value.to_string().as_bytes())
}

/// Everything that identifies, in one line a part.
fn lines(bom: &Bom) -> Vec<String> {
    let line = |part: &Part| {
        let list = |list: Vec<String>| list.join(" ");
        let licences = part.licences.values.iter().map(|one| format!("{}/{:?}", one.text, one.acknowledgement)).collect();
        let hashes = part.hashes.values.iter().map(|one| format!("{}:{}", one.algorithm, one.value)).collect();
        let producers = part.producers.values.iter().map(|one| one.name.clone()).collect();
        let on = part.dependencies.on.iter().map(|to| bom.parts[*to as usize].name.clone()).collect();
        format!(
            "{:?} {} {} | {} | {} | {} | {} | {} | parent {:?} | {:?} on {} {:?}",
            part.kind,
            part.name,
            part.version.first().unwrap_or("-"),
            part.purls.join(" "),
            part.identifiers.values.join(" "),
            list(hashes),
            list(licences),
            list(producers),
            part.parent,
            part.scope,
            list(on),
            part.dependencies.completeness,
        )
    };
    bom.parts.iter().map(line).collect()
}

fn cyclonedx() -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", "version": 2,
        "metadata": {
            "timestamp": "2026-11-29T00:00:00Z",
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{"type": "application", "name": "maker", "version": "1.2"}]},
            "authors": [{"name": "Ann", "email": "ann@example.org"}],
            "component": {"type": "application", "bom-ref": "app", "name": "app", "version": "1.0.0",
                "externalReferences": [{"type": "digital-signature", "url": "app.sig"}]}
        },
        "components": [
            {"type": "library", "bom-ref": "a", "group": "g", "name": "a", "version": "1.0.0", "purl": "pkg:cargo/a@1.0.0",
             "cpe": "cpe:2.3:a:x:a:1.0.0:*:*:*:*:*:*:*", "scope": "excluded",
             "supplier": {"name": "Sup", "url": ["https://sup.example"]}, "publisher": "Pub",
             "hashes": [{"alg": "SHA-256", "content": "AB"}, {"alg": "SHA-512", "content": "cd"}],
             "licenses": [{"expression": "MIT OR ISC", "acknowledgement": "declared"}],
             "components": [{"type": "library", "bom-ref": "z", "name": "z", "version": "1.3",
                "licenses": [{"license": {"id": "Zlib"}}, {"license": {"name": "own words"}}],
                "properties": [{"name": "cargo-supplychain:linkage", "value": "static"}]}]},
            {"type": "library", "name": "unreferenced", "supplier": {"name": "unknown"}, "swid": {"tagId": "tag", "name": "u"}}
        ],
        "services": [{"bom-ref": "s", "name": "service"}],
        "dependencies": [{"ref": "app", "dependsOn": ["a", "s", "gone"]}, {"ref": "a", "dependsOn": []}],
        "compositions": [{"aggregate": "unknown", "dependencies": ["z"]}, {"aggregate": "complete", "dependencies": ["app"]}]
    })
}

#[test]
fn cyclonedx_json_is_read_whole() {
    let bom = read_json(&cyclonedx()).unwrap();
    insta::assert_snapshot!(lines(&bom).join("\n"), @"
    Component app 1.0.0 |  |  |  |  |  | parent None | Included on a service Complete
    Component a 1.0.0 | pkg:cargo/a@1.0.0 | cpe:2.3:a:x:a:1.0.0:*:*:*:*:*:*:* | SHA256:ab SHA512:cd | MIT OR ISC/Declared | Sup Pub | parent None | Excluded on  Unstated
    Component z 1.3 |  |  |  | Zlib/Unstated own words/Unstated |  | parent Some(1) | Included on  Unknown
    Component unreferenced - |  | tag |  |  |  | parent None | Included on  Unstated
    Service service - |  |  |  |  |  | parent None | Included on  Unstated
    ");
    assert_eq!((bom.subjects.as_slice(), bom.version.as_deref(), bom.format_version.as_str()), (&[0][..], Some("2"), "1.6"));
    assert_eq!(bom.authors.values, [Party { name: "Ann".to_owned(), contact: Some("ann@example.org".to_owned()) }]);
    assert_eq!(bom.tools, [Tool { name: "maker".to_owned(), version: Some("1.2".to_owned()) }]);
    assert_eq!(bom.contexts.values, ["build"]);
    assert_eq!(bom.signature, Some(Signature::Referenced("app.sig".to_owned())));
    assert_eq!(bom.parts[3].producers.absent(), Some(Absence::Unknown));
    assert_eq!(bom.notes, ["1 relations lead to nothing that is listed, the first to \"gone\""]);
}

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- the same as the JSON -->
<bom xmlns="http://cyclonedx.org/schema/bom/1.6" serialNumber="urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79" version="2">
  <metadata>
    <timestamp>2026-11-29T00:00:00Z</timestamp>
    <lifecycles><lifecycle><phase>build</phase></lifecycle></lifecycles>
    <tools><components><component type="application"><name>maker</name><version>1.2</version></component></components></tools>
    <authors><author><name>Ann</name><email>ann@example.org</email></author></authors>
    <component type="application" bom-ref="app"><name>app</name><version>1.0.0</version>
      <externalReferences><reference type="digital-signature"><url>app.sig</url></reference></externalReferences></component>
  </metadata>
  <components>
    <component type="library" bom-ref="a">
      <supplier><name>Sup</name><url>https://sup.example</url></supplier><publisher>Pub</publisher>
      <group>g</group><name>a</name><version>1.0.0</version><scope>excluded</scope>
      <hashes><hash alg="SHA-256">AB</hash><hash alg="SHA-512">cd</hash></hashes>
      <licenses><expression acknowledgement="declared">MIT OR ISC</expression></licenses>
      <cpe>cpe:2.3:a:x:a:1.0.0:*:*:*:*:*:*:*</cpe><purl>pkg:cargo/a@1.0.0</purl>
      <components><component type="library" bom-ref="z"><name>z</name><version>1.3</version>
        <licenses><license><id>Zlib</id></license><license><name>own <![CDATA[words]]></name></license></licenses>
        <properties><property name="cargo-supplychain:linkage">static</property></properties></component></components>
    </component>
    <component type="library"><supplier><name>unknown</name></supplier><name>unreferenced</name><swid tagId="tag" name="u"/></component>
  </components>
  <services><service bom-ref="s"><name>service</name></service></services>
  <dependencies>
    <dependency ref="app"><dependency ref="a"/><dependency ref="s"/><dependency ref="gone"/></dependency><dependency ref="a"/>
  </dependencies>
  <compositions>
    <composition><aggregate>unknown</aggregate><dependencies><dependency ref="z"/></dependencies></composition>
    <composition><aggregate>complete</aggregate><dependencies><dependency ref="app"/></dependencies></composition>
  </compositions>
</bom>
"#;

#[test]
fn cyclonedx_xml_says_the_same_as_json() {
    let (xml, json) = (read(XML.as_bytes()).unwrap(), read_json(&cyclonedx()).unwrap());
    assert_eq!(lines(&xml), lines(&json));
    assert_eq!(Bom { format: Format::CycloneDxJson, ..xml }, json);
}

fn spdx2() -> Value {
    json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "app", "dataLicense": "CC0-1.0",
        "documentNamespace": "https://example.org/app-1",
        "comment": "Generation context: build. SBOM version: 3. The SBOM author's signature: the attestation attestations/app.spdx.json of the release.",
        "creationInfo": {"created": "2026-11-29T00:00:00Z", "creators": ["Organization: Org (org@example.org)", "Tool: maker-x-1.2"]},
        "packages": [
            {"SPDXID": "SPDXRef-app", "name": "app", "versionInfo": "1.0.0", "downloadLocation": "NOASSERTION", "hasFiles": ["SPDXRef-file"]},
            {"SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1.0.0", "downloadLocation": "https://example.org/a", "packageFileName": "a.crate",
             "supplier": "NOASSERTION", "originator": "Person: Ann (ann@example.org)",
             "checksums": [{"algorithm": "SHA256", "checksumValue": "ab"}], "licenseConcluded": "NOASSERTION", "licenseDeclared": "LicenseRef-1",
             "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:cargo/a@1.0.0"},
                {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:x:a:1:*:*:*:*:*:*:*"}],
             "comment": "role: runtime; features: std,alloc; build-script: true"},
            {"SPDXID": "SPDXRef-b", "name": "b", "downloadLocation": "NONE", "comment": "hash: unknown: not a registry package"},
            {"SPDXID": "SPDXRef-c", "name": "c", "versionInfo": "2", "downloadLocation": "NONE"}
        ],
        "files": [{"SPDXID": "SPDXRef-file", "fileName": "./bin/app", "checksums": [{"algorithm": "SHA1", "checksumValue": "ef"}]}],
        "hasExtractedLicensingInfos": [{"licenseId": "LicenseRef-1", "extractedText": "text", "name": "Own licence"}],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-app"},
            {"spdxElementId": "SPDXRef-app", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-a"},
            {"spdxElementId": "SPDXRef-b", "relationshipType": "BUILD_DEPENDENCY_OF", "relatedSpdxElement": "SPDXRef-a"},
            {"spdxElementId": "SPDXRef-b", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-c"},
            {"spdxElementId": "SPDXRef-c", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "NOASSERTION"}
        ]
    })
}

#[test]
fn spdx_2_json_is_read_whole() {
    let bom = read_json(&spdx2()).unwrap();
    insta::assert_snapshot!(lines(&bom).join("\n"), @"
    Component app 1.0.0 |  |  |  |  |  | parent None | Included on a Unstated
    Component a 1.0.0 | pkg:cargo/a@1.0.0 | cpe:2.3:a:x:a:1:*:*:*:*:*:*:* | SHA256:ab | LicenseRef-1 (Own licence)/Declared | Ann | parent None | Included on b Unstated
    Component b - |  |  |  |  |  | parent None | Excluded on c Unstated
    Component c 2 |  |  |  |  |  | parent None | Excluded on  Unknown
    File ./bin/app - |  |  | SHA1:ef |  |  | parent Some(0) | Included on  Unstated
    ");
    assert_eq!((bom.subjects.as_slice(), bom.version.as_deref(), bom.contexts.first()), (&[0][..], Some("3"), Some("build")));
    assert_eq!(
        bom.signature,
        Some(Signature::Referenced("the attestation attestations/app.spdx.json of the release".to_owned()))
    );
    assert_eq!(bom.tools, [Tool { name: "maker-x".to_owned(), version: Some("1.2".to_owned()) }]);
    assert_eq!(bom.parts[2].hashes.absent(), Some(Absence::Unknown));
    let traits = &bom.parts[1].traits;
    assert_eq!(
        (traits.features.clone(), traits.capabilities.join(",")),
        (Some(vec!["std".into(), "alloc".into()]), "build script".into())
    );
}

const TAGS: &str = "SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: app
DocumentNamespace: https://example.org/app-1
DocumentComment: <text>Generation context: build. SBOM version: 3.
The SBOM author's signature: the attestation attestations/app.spdx.json of the release.</text>
Creator: Organization: Org (org@example.org)
Creator: Tool: maker-x-1.2
Created: 2026-11-29T00:00:00Z
## Relationships may stand anywhere
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-app
Relationship: SPDXRef-app DEPENDS_ON SPDXRef-a
Relationship: SPDXRef-b BUILD_DEPENDENCY_OF SPDXRef-a
Relationship: SPDXRef-b DEPENDS_ON SPDXRef-c
Relationship: SPDXRef-c DEPENDS_ON NOASSERTION

PackageName: app
SPDXID: SPDXRef-app
PackageVersion: 1.0.0
PackageDownloadLocation: NOASSERTION

PackageName: a
SPDXID: SPDXRef-a
PackageVersion: 1.0.0
PackageFileName: a.crate
PackageSupplier: NOASSERTION
PackageOriginator: Person: Ann (ann@example.org)
PackageDownloadLocation: https://example.org/a
PackageChecksum: SHA256: ab
PackageLicenseConcluded: NOASSERTION
PackageLicenseDeclared: LicenseRef-1
ExternalRef: PACKAGE-MANAGER purl pkg:cargo/a@1.0.0
ExternalRef: SECURITY cpe23Type cpe:2.3:a:x:a:1:*:*:*:*:*:*:*
PackageComment: <text>role: runtime; features: std,alloc; build-script: true</text>

PackageName: b
SPDXID: SPDXRef-b
PackageDownloadLocation: NONE
PackageComment: hash: unknown: not a registry package

PackageName: c
SPDXID: SPDXRef-c
PackageVersion: 2
PackageDownloadLocation: NONE

FileName: ./bin/app
SPDXID: SPDXRef-file
FileChecksum: SHA1: ef
Relationship: SPDXRef-app CONTAINS SPDXRef-file

LicenseID: LicenseRef-1
ExtractedText: <text>several
lines: with a colon</text>
LicenseName: Own licence
";

#[test]
fn spdx_tag_value_says_the_same_as_json() {
    let (tags, json) = (read(TAGS.as_bytes()).unwrap(), read_json(&spdx2()).unwrap());
    assert_eq!(lines(&tags), lines(&json));
    assert_eq!(Bom { format: Format::SpdxJson, ..tags }, json);
}

fn spdx3() -> Value {
    let id = |name: &str| format!("https://example.org/{name}");
    json!({
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [
            {"type": "CreationInfo", "@id": "_:creation", "specVersion": "3.0.1", "created": "2026-11-29T00:00:00Z",
             "createdBy": [id("org")], "createdUsing": [id("tool")]},
            {"type": "Organization", "spdxId": id("org"), "name": "Org", "creationInfo": "_:creation",
             "externalIdentifier": [{"type": "ExternalIdentifier", "externalIdentifierType": "email", "identifier": "org@example.org"}]},
            {"type": "Tool", "spdxId": id("tool"), "name": "maker 1.2", "creationInfo": "_:creation"},
            {"type": "SpdxDocument", "spdxId": id("doc"), "creationInfo": "_:creation", "rootElement": [id("app")]},
            {"type": "software_Sbom", "spdxId": id("sbom"), "creationInfo": "_:creation", "software_sbomType": ["build"], "rootElement": [id("app")]},
            {"type": "software_Package", "spdxId": id("app"), "name": "app", "software_packageVersion": "1.0.0", "creationInfo": "_:creation"},
            {"type": "software_Package", "spdxId": id("a"), "name": "a", "software_packageVersion": "1.0.0", "creationInfo": "_:creation",
             "software_packageUrl": "pkg:cargo/a@1.0.0", "suppliedBy": id("org"),
             "externalIdentifier": [{"type": "ExternalIdentifier", "externalIdentifierType": "cpe23", "identifier": "cpe:2.3:a:x:a:1:*:*:*:*:*:*:*"}],
             "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": "ab"}]},
            {"type": "software_Package", "spdxId": id("b"), "name": "b", "creationInfo": "_:creation",
             "suppliedBy": "https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement"},
            {"type": "simplelicensing_LicenseExpression", "spdxId": id("mit"), "simplelicensing_licenseExpression": "MIT OR ISC"},
            {"type": "Relationship", "spdxId": id("r1"), "from": id("app"), "to": [id("a")], "relationshipType": "dependsOn", "completeness": "complete"},
            {"type": "Relationship", "spdxId": id("r2"), "from": id("a"), "to": [id("mit")], "relationshipType": "hasDeclaredLicense"},
            {"type": "LifecycleScopedRelationship", "spdxId": id("r3"), "from": id("a"), "to": [id("b")], "relationshipType": "dependsOn", "scope": "build"}
        ]
    })
}

#[test]
fn spdx_3_is_read_whole() {
    let bom = read_json(&spdx3()).unwrap();
    insta::assert_snapshot!(lines(&bom).join("\n"), @"
    Component app 1.0.0 |  |  |  |  |  | parent None | Included on a Complete
    Component a 1.0.0 | pkg:cargo/a@1.0.0 | cpe:2.3:a:x:a:1:*:*:*:*:*:*:* | SHA256:ab | MIT OR ISC/Declared | Org | parent None | Included on b Unstated
    Component b - |  |  |  |  |  | parent None | Excluded on  Unstated
    ");
    assert_eq!((bom.format, bom.subjects.as_slice(), bom.contexts.first()), (Format::Spdx3, &[0][..], Some("build")));
    assert_eq!(bom.tools, [Tool { name: "maker".to_owned(), version: Some("1.2".to_owned()) }]);
    assert_eq!(bom.authors.values, [Party { name: "Org".to_owned(), contact: Some("org@example.org".to_owned()) }]);
    assert_eq!(bom.parts[2].producers.absent(), Some(Absence::Unknown));
}

#[test]
fn swid_is_read() {
    let text = r#"<SoftwareIdentity xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" xmlns:SHA256="http://www.w3.org/2001/04/xmlenc#sha256"
        name="app" tagId="example.org/app-1" version="1.0.0" tagVersion="1" xml:lang="en">
      <Entity name="Org" regid="example.org" role="tagCreator softwareCreator"/>
      <Link rel="component" href="pkg:cargo/a@1.0.0"/><Link rel="license" href="x"/><Meta generator="maker"/>
      <Payload><Directory name="bin"><File name="app" size="3" SHA256:hash="AB"/></Directory></Payload>
    </SoftwareIdentity>"#;
    let bom = read(text.as_bytes()).unwrap();
    insta::assert_snapshot!(lines(&bom).join("\n"), @"
    Component app 1.0.0 |  | example.org/app-1 |  |  | Org | parent None | Included on a Unstated
    Component a 1.0.0 | pkg:cargo/a@1.0.0 |  |  |  |  | parent None | Included on  Unstated
    File app - |  |  | SHA256:ab |  |  | parent Some(0) | Included on  Unstated
    ");
    assert_eq!(bom.authors.values[0].name, "Org");
}

#[test]
fn audit_data_is_read() {
    let text = r#"{"packages":[
        {"name":"a","version":"1.0.0","source":"crates.io","dependencies":[1]},
        {"name":"b","version":"2.0.0","source":"git","kind":"build"},
        {"name":"app","version":"0.1.0","source":"local","dependencies":[0],"root":true}],"format":1}"#;
    let bom = audit_data::unpacked(text).unwrap();
    insta::assert_snapshot!(lines(&bom).join("\n"), @"
    Component a 1.0.0 | pkg:cargo/a@1.0.0 |  |  |  |  | parent None | Included on b Unstated
    Component b 2.0.0 |  | cargo:git:b@2.0.0 |  |  |  | parent None | Excluded on  Unstated
    Component app 0.1.0 |  | cargo:local:app@0.1.0 |  |  |  | parent None | Included on a Unstated
    ");
    assert_eq!(bom.subjects, [2]);
    let error = audit_data::unpacked(&text.replace("[1]", "[3]")).unwrap_err().to_string();
    assert_eq!(error, "the package \"a\": it depends on number 3 of 3");
}

#[test]
fn listings_have_what_is_compared() {
    let listed = of_bom(&read_json(&cyclonedx()).unwrap());
    let lines: Vec<_> = listed.iter().map(|one| format!("{} {} {} {:?}", one.key, one.name, one.version, one.native)).collect();
    assert_eq!(lines, ["pkg:cargo/a g/a 1.0.0 [\"z 1.3 (static)\"]", "name:unreferenced unreferenced  []"]);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value = cyclonedx();
        change(&mut value);
        read_json(&value).map(|_| ()).unwrap_err().to_string()
    };
    let deep = |levels: usize| {
        let (open, close) = (r#"{"name":"x","components":["#.repeat(levels), "]}".repeat(levels));
        format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{open}{close}]}}"#)
    };
    for (error, expected) in [
        (with(&|value| value["specVersion"] = "9.9".into()), "specVersion: \"9.9\" is not read, 1.0 to 1.7 are"),
        (with(&|value| value["bomFormat"] = "Other".into()), "bomFormat: it is \"Other\", not \"CycloneDX\""),
        (with(&|value| value["components"][1]["bom-ref"] = "a".into()), "the reference \"a\": two parts have it"),
        (with(&|value| value["components"][0]["purl"] = 5.into()), "invalid type: integer `5`, expected a string"),
        (read(deep(40).as_bytes()).unwrap_err().to_string(), "nested deeper than 64 levels"),
        (read(deep(10_000).as_bytes()).unwrap_err().to_string(), "nested deeper than 64 levels"),
        (
            read(b"{\"bomFormat\": \"CycloneDX\",\n \"specVersion\": }").unwrap_err().to_string(),
            "line 2, column 17: expected value",
        ),
        (read(b"").unwrap_err().to_string(), "it is empty"),
        (read(b"hello").unwrap_err().to_string(), "no bill of materials"),
        (read(b"{}").unwrap_err().to_string(), "neither CycloneDX"),
        (read(b"{\"a\": \xff}").unwrap_err().to_string(), "line 1, column 7: not UTF-8 text"),
        (read(b"{\"payloadType\":\"x\"}").unwrap_err().to_string(), "it is an attestation"),
        (read(b"<a><b></a>").unwrap_err().to_string(), "line 1, column 7"),
        (read(b"<bom/>").unwrap_err().to_string(), "its namespace \"\""),
        (read(b"<!DOCTYPE bom [<!ENTITY a \"b\">]><bom/>").unwrap_err().to_string(), "a document type is not read"),
        (read(b"<bom>&xxe;</bom>").unwrap_err().to_string(), "the entity `&xxe;` is not XML's own"),
        (read(b"<bom>").unwrap_err().to_string(), "ends before its root"),
        (read(b"<a/><b/>").unwrap_err().to_string(), "behind the root element"),
        (read("<a>".repeat(10_000).as_bytes()).unwrap_err().to_string(), "nested deeper than 64 levels"),
        (read(b"SPDXVersion: SPDX-1.2").unwrap_err().to_string(), "\"SPDX-1.2\" is not read"),
        (read(b"SPDXVersion: SPDX-2.3\nPackageName: a\nnonsense").unwrap_err().to_string(), "line 3: no `Tag: value`"),
        (read(b"SPDXVersion: SPDX-2.3\nPackageName: <text>a").unwrap_err().to_string(), "line 2: `<text>` is not closed"),
        (read(b"\x7fELF nothing").unwrap_err().to_string(), "it is no binary that can be read"),
    ] {
        assert!(error.contains(expected), "{error:?} has not {expected:?}");
    }
}

#[test]
fn circles_of_containment_and_of_dependencies_are_told() {
    let mut value = spdx2();
    let relations = value["relationships"].as_array_mut().unwrap();
    let relation =
        |from: &str, kind: &str, to: &str| json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to});
    relations.push(relation("SPDXRef-a", "DEPENDS_ON", "SPDXRef-app"));
    assert_eq!(read_json(&value).unwrap().notes, ["the dependencies form a cycle through \"app\""]);
    let relations = value["relationships"].as_array_mut().unwrap();
    relations.push(relation("SPDXRef-a", "CONTAINS", "SPDXRef-b"));
    relations.push(relation("SPDXRef-b", "CONTAINS", "SPDXRef-c"));
    relations.push(relation("SPDXRef-c", "CONTAINED_BY", "SPDXRef-a"));
    assert!(read_json(&value).is_ok());
    value["relationships"].as_array_mut().unwrap().push(relation("SPDXRef-c", "CONTAINS", "SPDXRef-a"));
    let bom = read_json(&value).unwrap();
    assert_eq!(bom.notes[0], "the part \"SPDXRef-a\" contains itself");
    assert_eq!(bom.parts[1].parent, None);
}

#[test]
fn a_long_chain_needs_no_stack() {
    let count = 20_000;
    let packages: String = (0..count).map(|n| format!("PackageName: p{n}\nSPDXID: SPDXRef-{n}\n")).collect();
    let edges: String = (1..count).map(|n| format!("Relationship: SPDXRef-{} DEPENDS_ON SPDXRef-{n}\n", n - 1)).collect();
    let bom = read(format!("SPDXVersion: SPDX-2.3\n{packages}{edges}").as_bytes()).unwrap();
    assert_eq!((bom.parts.len(), bom.notes.len()), (count, 0));
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[<>{}\\[\\]\":,a-z0-9/=&;! \\n]{0,200}") {
        let _ = read(&bytes);
        let _ = read(text.as_bytes());
        let _ = read(format!("<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\">{text}</bom>").as_bytes());
        let _ = read(format!("SPDXVersion: SPDX-2.3\n{text}").as_bytes());
        let _ = read(&[b"\x7fELF\x02\x01\x01".as_slice(), &bytes].concat());
        let _ = audit_data::unpacked(&text);
    }

    #[test]
    fn never_panics_on_documents_with_a_hole(at in 0_usize..6000, length in 0_usize..40, which in 0_usize..5) {
        let documents = [cyclonedx().to_string(), XML.to_owned(), spdx2().to_string(), TAGS.to_owned(), spdx3().to_string()];
        let mut bytes = documents[which].clone().into_bytes();
        let start = at.min(bytes.len());
        let end = (start + length).min(bytes.len());
        bytes.drain(start..end);
        if let Ok(bom) = read(&bytes) {
            let listed = of_bom(&bom);
            prop_assert!(comparison::compare(&listed, &listed).is_empty());
        }
    }
}
