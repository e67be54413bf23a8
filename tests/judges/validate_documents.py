#!/usr/bin/env python3
"""Validates the documents of release folders with other people's validators and the official schemas.

Usage: validate_documents.py [--sarif-schema FILE] FOLDER...

What is judged, by whom:
  *.cdx.json, *.cdx-VERSION.json
                       the official strict JSON schema of its specVersion, as cyclonedx-python-lib ships it
  *.cdx.xml, *.cdx-VERSION.xml
                       the official XML schema of its namespace, as cyclonedx-python-lib ships it
  *.spdx.json, *.spdx  spdx-tools: parser and full validation of SPDX 2.3
  *.spdx-3.0.1.json    spdx-python-model, made from the official model: classes, properties, cardinalities, types of links. And
                       spdx3-validate with the official JSON schema and SHACL shapes, which it fetches from spdx.org: only with
                       --spdx-org, because nothing else here needs that network
  *.openvex.json       the rules of the official schema of OpenVEX 0.2.0 (openvex/spec), as code below: no registry has that schema as a package
  *.swidtag            the rules of NISTIR 8060 and of the XML schema of ISO/IEC 19770-2:2015 for what is written, as code below (no
                       registry has that schema as a package); and uswid reads it
  *.sarif              the official schema 2.1.0, taken from the crate serde-sarif (fetched with cargo unless --sarif-schema is given), and
                       what GitHub's code scanning refuses or cannot show (docs.github.com: "SARIF support for code scanning", "SARIF
                       results exceed limit")
  report.json          cargo-supplychain/schemas/report-1.json
  release.json         cargo-supplychain/schemas/release-1.json
  *.sigstore.json      the statement in the DSSE envelope: in-toto-attestation, and for provenance the SLSA v1 messages

Prints one line a document and a count. Exit code 0: all valid; 1: one is not; 2: nothing to judge, or no schema.
"""

import argparse
import base64
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SARIF_CRATE = ("serde-sarif", "0.8.0")


def first_lines(problems, limit=3):
    problems = list(problems)
    more = [f"and {len(problems) - limit} more"] if len(problems) > limit else []
    return [str(problem)[:300] for problem in problems[:limit]] + more


def read_json(path):
    def no_duplicates(pairs):
        names = [name for name, _ in pairs]
        if len(names) != len(set(names)):
            raise ValueError("an object has a key twice")
        return dict(pairs)

    return json.loads(path.read_bytes(), object_pairs_hook=no_duplicates)


def schema_problems(schema, document):
    import jsonschema

    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema, format_checker=kind.FORMAT_CHECKER)
    return first_lines(f"{error.json_path}: {error.message}" for error in validator.iter_errors(document))


def judge_cyclonedx(path, _options):
    from cyclonedx.schema import OutputFormat, SchemaVersion
    from cyclonedx.validation import make_schemabased_validator
    from cyclonedx.validation.json import JsonStrictValidator

    text = path.read_text(encoding="utf-8")
    version = SchemaVersion.from_version(read_json(path)["specVersion"])
    problems = []
    for validator in (JsonStrictValidator(version), make_schemabased_validator(OutputFormat.JSON, version)):
        error = validator.validate_str(text)
        if error is not None:
            problems.append(error)
    return first_lines(problems)


def judge_cyclonedx_xml(path, _options):
    import lxml.etree
    from cyclonedx.schema import OutputFormat, SchemaVersion
    from cyclonedx.validation import make_schemabased_validator

    namespace = lxml.etree.QName(lxml.etree.parse(str(path)).getroot()).namespace
    version = SchemaVersion.from_version(namespace.rsplit("/", 1)[1])
    error = make_schemabased_validator(OutputFormat.XML, version).validate_str(path.read_text(encoding="utf-8"))
    return first_lines([error] if error is not None else [])


def judge_spdx(path, _options):
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    is_right = "SPDXVersion: SPDX-2.3" in path.read_text(encoding="utf-8").splitlines()[0:1] if path.suffix == ".spdx" else None
    if is_right is False or (is_right is None and read_json(path)["spdxVersion"] != "SPDX-2.3"):
        return ["not SPDX-2.3"]
    document = parse_file(str(path))
    return first_lines(message.validation_message for message in validate_full_spdx_document(document))


def judge_spdx3(path, options):
    from spdx_python_model import v3_0_1

    if read_json(path)["@context"] != "https://spdx.org/rdf/3.0.1/spdx-context.jsonld":
        return ["not SPDX 3.0.1"]
    objects = v3_0_1.SHACLObjectSet()
    with path.open("rb") as file:
        v3_0_1.JSONLDDeserializer().read(file, objects)
    # Links to nothing, but for the specification's own individuals.
    problems = [f"nothing has the id {link}" for link in objects.link() if "spdx.org/rdf" not in str(link)]
    if len(list(objects.foreach_type(v3_0_1.SpdxDocument))) != 1:
        problems.append("not exactly one SpdxDocument")
    if options.spdx_org:
        import spdx3_validate

        result = spdx3_validate.validate([spdx3_validate.Document.load(str(path))])
        problems += list(result.errors)
    return first_lines(problems)


SWID = "{http://standards.iso.org/iso/19770/-2/2015/schema.xsd}"
SWID_HASH = "{http://www.w3.org/2001/04/xmlenc#sha256}hash"
# What the schema allows: the attributes of each element, required ones first marked; foreign namespaces may add to them.
SWID_ELEMENTS = {
    "SoftwareIdentity": ({"name", "tagId"}, {"corpus", "patch", "supplemental", "media", "tagVersion", "version", "versionScheme"}),
    "Entity": ({"name", "role"}, {"regid", "thumbprint"}),
    "Link": ({"href", "rel"}, {"artifact", "media", "ownership", "type", "use"}),
    "Meta": (set(), {"colloquialVersion", "description", "edition", "generator", "product", "productFamily", "revision", "summary"}),
    "Payload": (set(), set()),
    "File": ({"name"}, {"key", "location", "root", "size", "version"}),
}
SWID_PARENTS = {"Entity": "SoftwareIdentity", "Link": "SoftwareIdentity", "Meta": "SoftwareIdentity", "Payload": "SoftwareIdentity", "File": "Payload"}
SWID_SCHEMES = {"alphanumeric", "decimal", "multipartnumeric", "multipartnumeric+suffix", "semver", "unknown"}


def judge_swid(path, _options):
    import lxml.etree
    from uswid.format_swid import uSwidFormatSwid

    root = lxml.etree.parse(str(path)).getroot()
    problems = []
    for element in root.iter():
        if not element.tag.startswith(SWID) or element.tag[len(SWID):] not in SWID_ELEMENTS:
            problems.append(f"unexpected element {element.tag}")
            continue
        name = element.tag[len(SWID):]
        required, allowed = SWID_ELEMENTS[name]
        own = {attribute for attribute in element.attrib if not attribute.startswith("{")}
        problems += [f"{name} lacks {attribute}" for attribute in required - own]
        problems += [f"{name} has {attribute}, which the schema does not know" for attribute in own - required - allowed]
        parent = element.getparent()
        if (parent is None) != (name == "SoftwareIdentity") or (parent is not None and parent.tag != SWID + SWID_PARENTS[name]):
            problems.append(f"{name} is in the wrong place")
    if root.get("versionScheme", "unknown") not in SWID_SCHEMES:
        problems.append("versionScheme is none of the standard's")
    if not root.get("tagVersion", "0").isdigit() or not root.get("version"):
        problems.append("NISTIR 8060: tagVersion has to be a number, and a primary tag has a version")
    creators = [entity for entity in root.iter(SWID + "Entity") if "tagCreator" in entity.get("role", "").split()]
    if len(creators) != 1 or not creators[0].get("regid"):
        problems.append("NISTIR 8060: exactly one entity with the role tagCreator, with its regid")
    if not any("softwareCreator" in entity.get("role", "").split() for entity in root.iter(SWID + "Entity")):
        problems.append("NISTIR 8060: the software's creator is missing")
    for file in root.iter(SWID + "File"):
        if not file.get("size", "").isdigit() or len(file.get(SWID_HASH, "")) != 64:
            problems.append("NISTIR 8060: a file of a payload has its size and a digest")
    if not list(root.iter(SWID + "File")):
        problems.append("NISTIR 8060: a primary tag has a payload or evidence")
    container = uSwidFormatSwid().load(path.read_bytes())
    read = [(component.software_name, component.software_version) for component in container]
    if read != [(root.get("name"), root.get("version"))]:
        problems.append(f"uswid reads {read}")
    return first_lines(problems)


def judge_sarif(path, options):
    document = read_json(path)
    return schema_problems(sarif_schema(options), document) or first_lines(code_scanning_problems(document, path.read_bytes()))


def code_scanning_problems(document, content):
    """What GitHub's code scanning documents that it refuses, or does not show as it is meant."""
    if len(gzip.compress(content)) > 10 * 1000 * 1000:
        yield "more than 10 MB, compressed"
    if len(document["runs"]) > 20:
        yield "more than 20 runs"
    for run in document["runs"]:
        rules = run["tool"]["driver"].get("rules", [])
        if len(run["results"]) > 25_000 or len(rules) > 25_000 or len(run["tool"].get("extensions", [])) > 100:
            yield "more results, rules or extensions than a run may have"
        if not run["tool"]["driver"].get("name"):
            yield "the tool has no name"
        for rule in rules:
            yield from (f"rule {rule['id']}: {problem}" for problem in rule_problems(rule))
        seen = set()
        for number, result in enumerate(run["results"]):
            yield from (f"result {number}: {problem}" for problem in result_problems(result, rules, seen))


def rule_problems(rule):
    for name in ("shortDescription", "fullDescription", "help"):
        if not rule.get(name, {}).get("text"):
            yield f"no {name}.text"
    if any(len(rule.get(name, {}).get("text", "")) > 1024 for name in ("shortDescription", "fullDescription")):
        yield "a description of more than 1024 characters"
    if len(rule.get("properties", {}).get("tags", [])) > 20:
        yield "more than 20 tags"
    score = rule.get("properties", {}).get("security-severity")
    if score is not None and not (isinstance(score, str) and 0 < float(score) <= 10):
        yield f"security-severity {score!r} is no text of a number up to 10"


def result_problems(result, rules, seen):
    if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
        yield "its rule is not the one at its index"
    if not result["message"].get("text"):
        yield "no message.text"
    if not 1 <= len(result.get("locations", [])) <= 1000 or len(result.get("relatedLocations", [])) > 1000:
        yield "no location, or more than 1000"
    for location in result.get("locations", []):
        place = location["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        if not uri.isascii() or re.search(r"^/|^[A-Za-z][A-Za-z0-9+.-]*:|[ \\]|(^|/)\.\.?(/|$)", uri):
            yield f"{uri} is no path relative to the repository"
        if place.get("region", {}).get("startLine", 0) < 1:
            yield "no startLine"
    fingerprint = result.get("partialFingerprints", {}).get("primaryLocationLineHash")
    if not fingerprint or (result["ruleId"], fingerprint) in seen:
        yield "no fingerprint, or that of another result"
    seen.add((result["ruleId"], fingerprint))


def judge_report(path, _options):
    return schema_problems(read_json(ROOT / "cargo-supplychain/schemas/report-1.json"), read_json(path))


def judge_release(path, _options):
    return schema_problems(read_json(ROOT / "cargo-supplychain/schemas/release-1.json"), read_json(path))


def judge_bundle(path, _options):
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement

    envelope = read_json(path)["dsseEnvelope"]
    if envelope["payloadType"] != "application/vnd.in-toto+json":
        return [f"payloadType is {envelope['payloadType']}"]
    statement = json.loads(base64.b64decode(envelope["payload"], validate=True))
    message = json_format.ParseDict(statement, statement_pb2.Statement())
    Statement.copy_from_pb(message).validate()
    if statement["predicateType"] == "https://slsa.dev/provenance/v1":
        provenance = json_format.ParseDict(statement["predicate"], provenance_pb2.Provenance())
        definition, details = provenance.build_definition, provenance.run_details
        required = {
            "buildType": definition.build_type,
            "externalParameters": definition.external_parameters.fields,
            "builder.id": details.builder.id,
        }
        return [f"{name} is missing" for name, value in required.items() if not value]
    return []


def sarif_schema(options, cache={}):
    """The official schema: a file that was given, or the copy within the pinned crate."""
    if "schema" not in cache:
        cache["schema"] = read_json(pathlib.Path(options.sarif_schema) if options.sarif_schema else fetched_sarif_schema())
        if "2.1.0" not in cache["schema"].get("title", "") + cache["schema"].get("id", "") + cache["schema"].get("$id", ""):
            raise SystemExit("the SARIF schema is not that of 2.1.0")
    return cache["schema"]


def fetched_sarif_schema():
    name, version = SARIF_CRATE
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    found = lambda: sorted(home.glob(f"registry/src/*/{name}-{version}/src/schema.json"))  # noqa: E731
    if not found():
        with tempfile.TemporaryDirectory() as folder:
            manifest = pathlib.Path(folder, "Cargo.toml")
            manifest.write_text(
                '[package]\nname = "schema"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n'
                f'[dependencies]\n{name} = "={version}"\n'
            )
            pathlib.Path(folder, "src").mkdir()
            pathlib.Path(folder, "src/lib.rs").touch()
            subprocess.run(["cargo", "fetch", "--quiet"], cwd=folder, check=True)
    if not found():
        raise SystemExit(f"{name} {version} has no src/schema.json below {home}")
    return found()[0]


OPENVEX_STATUSES = {"not_affected", "affected", "fixed", "under_investigation"}
OPENVEX_JUSTIFICATIONS = {"component_not_present", "vulnerable_code_not_present", "vulnerable_code_not_in_execute_path",
                          "vulnerable_code_cannot_be_controlled_by_adversary", "inline_mitigations_already_exist"}
OPENVEX_DOCUMENT = {"@context", "@id", "author", "role", "timestamp", "last_updated", "version", "tooling", "statements"}
OPENVEX_STATEMENT = {"@id", "version", "vulnerability", "timestamp", "last_updated", "products", "status", "supplier", "status_notes",
                     "justification", "impact_statement", "action_statement", "action_statement_timestamp"}
OPENVEX_COMPONENT = {"@id", "identifiers", "hashes", "subcomponents"}


def openvex_component(component, at, allowed=OPENVEX_COMPONENT):
    import urllib.parse

    if set(component) - allowed:
        yield f"{at}: unknown {sorted(set(component) - allowed)}"
    if "@id" in component and not urllib.parse.urlparse(component["@id"]).scheme:
        yield f"{at}: @id is no URI"
    if set(component.get("identifiers", {})) - {"purl", "@cpe22", "@cpe23"}:
        yield f"{at}: unknown identifiers"
    digest = component.get("hashes", {}).get("sha-256")
    if set(component.get("hashes", {})) - {"sha-256"} or (digest is not None and not re.fullmatch("[0-9a-f]{64}", digest)):
        yield f"{at}: hashes"
    for index, sub in enumerate(component.get("subcomponents", [])):
        yield from openvex_component(sub, f"{at}.subcomponents[{index}]", OPENVEX_COMPONENT - {"subcomponents"})


def openvex_statement(said, at):
    if set(said) - OPENVEX_STATEMENT:
        yield f"{at}: unknown {sorted(set(said) - OPENVEX_STATEMENT)}"
    if said["status"] not in OPENVEX_STATUSES or said.get("justification") not in OPENVEX_JUSTIFICATIONS | {None}:
        yield f"{at}: status or justification"
    if set(said["vulnerability"]) - {"@id", "name", "description", "aliases"} or not said["vulnerability"]["name"]:
        yield f"{at}: vulnerability"
    if said["status"] == "not_affected" and ("justification" in said) == ("impact_statement" in said):
        yield f"{at}: not exactly one of justification and impact_statement"
    if said["status"] == "affected" and "action_statement" not in said:
        yield f"{at}: no action_statement"
    products = [json.dumps(product, sort_keys=True) for product in said["products"]]
    if not products or len(products) != len(set(products)):
        yield f"{at}: no products, or one twice"
    for index, product in enumerate(said["products"]):
        yield from openvex_component(product, f"{at}.products[{index}]")


def judge_openvex(path, _options):
    import datetime

    document = read_json(path)
    problems = [f"unknown {key}" for key in sorted(set(document) - OPENVEX_DOCUMENT)]
    problems += [f"{key} is missing" for key in ("@context", "@id", "author", "timestamp", "version", "statements") if key not in document]
    if document.get("@context") != "https://openvex.dev/ns/v0.2.0":
        problems.append("not OpenVEX 0.2.0")
    if not (isinstance(document.get("version"), int) and document["version"] >= 1):
        problems.append("version")
    for key in ("timestamp", "last_updated"):
        datetime.datetime.fromisoformat(document[key])
    statements = document.get("statements") or []
    if not statements or len({json.dumps(one, sort_keys=True) for one in statements}) != len(statements):
        problems.append("no statements, or one twice")
    for index, said in enumerate(statements):
        problems += openvex_statement(said, f"statements[{index}]")
    return first_lines(problems)


JUDGES = [
    ("*.cdx.json", judge_cyclonedx),
    ("*.cdx-*.json", judge_cyclonedx),
    ("*.cdx*.xml", judge_cyclonedx_xml),
    ("*.spdx-3.0.1.json", judge_spdx3),
    ("*.spdx.json", judge_spdx),
    ("*.spdx", judge_spdx),
    ("*.swidtag", judge_swid),
    ("*.openvex.json", judge_openvex),
    ("*.sarif", judge_sarif),
    ("report.json", judge_report),
    ("release.json", judge_release),
    ("*.sigstore.json", judge_bundle),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sarif-schema", metavar="FILE")
    parser.add_argument("--spdx-org", action="store_true", help="judge SPDX 3 with what spdx.org serves as well")
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    options = parser.parse_args()
    judged = failed = 0
    for folder in map(pathlib.Path, options.folders):
        if not folder.is_dir():
            sys.exit(f"{folder} is no folder")
        for pattern, judge in JUDGES:
            for path in sorted(folder.rglob(pattern)):
                try:
                    problems = judge(path, options)
                except Exception as error:  # a validator that stumbles has not accepted the document
                    problems = [f"{type(error).__name__}: {error}"[:300]]
                judged += 1
                failed += bool(problems)
                print(f"{'invalid' if problems else 'valid  '} {path}")
                for problem in problems:
                    print(f"        {problem}")
    print(f"{judged - failed} of {judged} documents are valid")
    if judged == 0:
        sys.exit(2)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
