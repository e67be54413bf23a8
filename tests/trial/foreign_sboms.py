#!/usr/bin/env python3
"""Bills of materials that others wrote, read by us and by another reading in Python: what identifies a component (package URL, name,
version, digest, licence) is in both, or the document was refused with an error that says where.

    cargo build --release --example foreign
    tests/trial/foreign_sboms.py target/release/examples/foreign FOLDER…

FOLDER: folders with documents, searched to the bottom. Without one: test data of the sources of spdx-tools, ntia-conformance-checker and
cyclonedx-python-lib (from PyPI: the specifications' own examples and documents of many tools), and what the tools that are installed write
about this repository: syft, cargo-cyclonedx, cargo-sbom, cdxgen. What is not installed is said and skipped.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ["spdx-tools==0.8.5", "ntia-conformance-checker==6.0.0", "cyclonedx-python-lib==11.12.0"]
NO_VALUE = {"noassertion", "unknown", ""}


def value(text):
    """A value as it counts: trimmed; what stands for none is none."""
    text = (text or "").strip()
    return None if text.lower() in NO_VALUE or text.lower().startswith("unknown:") else text


def algorithm(name):
    return re.sub(r"[^A-Za-z0-9]", "", name or "").upper()


def component(name, version, purls, hashes, licences):
    return (
        (name or "").strip(),
        value(version),
        tuple(sorted(purl for purl in purls if purl)),
        tuple(sorted((algorithm(kind), (digest or "").strip().lower()) for kind, digest in hashes if value(digest))),
        tuple(sorted(text for text in map(value, licences) if text)),
    )


def cyclonedx(document):
    def licences(choices):
        for choice in choices or []:
            if "expression" in choice:
                yield choice["expression"]
            licence = choice.get("license") or {}
            yield licence.get("id") or licence.get("name")

    def walk(one, nested="components"):
        hashes = [(h.get("alg"), h.get("content")) for h in one.get("hashes") or []]
        yield component(one.get("name"), one.get("version"), [one.get("purl")], hashes, licences(one.get("licenses")))
        for inner in one.get(nested) or []:
            yield from walk(inner, nested)

    main = (document.get("metadata") or {}).get("component")
    for one in ([main] if main else []) + (document.get("components") or []):
        yield from walk(one)
    for one in document.get("services") or []:
        yield from walk({key: one[key] for key in one if key != "hashes"}, "services")


def cyclonedx_xml(text):
    root = ET.fromstring(text)
    local = lambda element: element.tag.rsplit("}", 1)[-1]
    child = lambda element, name: next((one for one in element if local(one) == name), None)
    words = lambda element, name: (child(element, name).text or "") if child(element, name) is not None else None

    def licences(element):
        for one in child(element, "licenses") if child(element, "licenses") is not None else []:
            if local(one) == "expression":
                yield one.text
            elif local(one) == "expression-detailed":
                yield one.get("expression") or words(one, "expression")
            elif local(one) == "license":
                yield words(one, "id") or words(one, "name")

    def walk(element, nested="components"):
        hashes = child(element, "hashes")
        hashes = [(one.get("alg"), one.text) for one in hashes] if hashes is not None else []
        yield component(words(element, "name"), words(element, "version"), [(words(element, "purl") or "").strip()], hashes, licences(element))
        for one in child(element, nested) if child(element, nested) is not None else []:
            if local(one) == nested.removesuffix("s"):
                yield from walk(one, nested)

    metadata = child(root, "metadata")
    if metadata is not None and child(metadata, "component") is not None:
        yield from walk(child(metadata, "component"))
    for outer in ["components", "services"]:
        for one in child(root, outer) if child(root, outer) is not None else []:
            if local(one) == outer.removesuffix("s"):
                yield from walk(one, outer)


def spdx2(document):
    names = {one["licenseId"]: one.get("name") for one in document.get("hasExtractedLicensingInfos") or []}

    def licence(text):
        name = names.get(text)
        return f"{text} ({name})" if value(name) and name != text else text

    for one in (document.get("packages") or []) + (document.get("files") or []):
        purls = [ref["referenceLocator"] for ref in one.get("externalRefs") or [] if ref["referenceType"].rsplit("/", 1)[-1] == "purl"]
        hashes = [(check.get("algorithm"), check.get("checksumValue")) for check in one.get("checksums") or []]
        licences = [licence(one.get("licenseDeclared")), licence(one.get("licenseConcluded"))]
        yield component(one.get("name") or one.get("fileName"), one.get("versionInfo"), purls, hashes, licences)


def spdx2_tags(text):
    text = re.sub(r"<text>(.*?)</text>", lambda match: match.group(1).replace("\n", " "), text, flags=re.S)
    document, part = {"packages": [], "files": [], "hasExtractedLicensingInfos": []}, None
    for line in text.splitlines():
        tag, _, rest = line.strip().partition(":")
        rest = rest.strip()
        if tag in ("PackageName", "FileName"):
            part = {"name": rest, "externalRefs": [], "checksums": []}
            document["packages" if tag == "PackageName" else "files"].append(part)
        elif tag in ("SnippetSPDXID", "Reviewer"):
            part = None
        elif tag == "LicenseID":
            part = {}
            document["hasExtractedLicensingInfos"].append({"licenseId": rest})
        elif tag == "LicenseName":
            document["hasExtractedLicensingInfos"][-1]["name"] = rest
        elif part is None or "name" not in part:
            continue
        elif tag == "PackageVersion":
            part["versionInfo"] = rest
        elif tag in ("PackageChecksum", "FileChecksum"):
            kind, _, digest = rest.partition(":")
            part["checksums"].append({"algorithm": kind, "checksumValue": digest})
        elif tag in ("PackageLicenseConcluded", "LicenseConcluded"):
            part["licenseConcluded"] = rest
        elif tag == "PackageLicenseDeclared":
            part["licenseDeclared"] = rest
        elif tag == "ExternalRef":
            _, kind, locator = rest.split(None, 2)
            part["externalRefs"].append({"referenceType": kind, "referenceLocator": locator})
    return spdx2(document)


def spdx3(document):
    graph = document.get("@graph") or [document]
    by_id = {one.get("spdxId") or one.get("@id"): one for one in graph}
    as_list = lambda one: one if isinstance(one, list) else [one] if one else []
    licences = collections.defaultdict(list)
    for one in graph:
        if one.get("relationshipType") in ("hasDeclaredLicense", "hasConcludedLicense"):
            for to in as_list(one["to"]):
                if to.rsplit("/", 1)[-1].startswith(("NoAssertion", "expandedlicensing_NoAssertion")):
                    continue
                target = by_id.get(to, {})
                text = target.get("simplelicensing_licenseExpression")
                licences[one["from"]].append(text or (to.removeprefix("https://spdx.org/licenses/") if "spdx.org/licenses" in to else None) or target.get("name") or to)
    for one in graph:
        if one.get("type") in ("software_Package", "software_File", "ai_AIPackage", "dataset_DatasetPackage"):
            purls = {one.get("software_packageUrl")} | {ref["identifier"] for ref in one.get("externalIdentifier") or [] if ref.get("externalIdentifierType") == "packageUrl"}
            methods = [by_id.get(method, {}) if isinstance(method, str) else method for method in one.get("verifiedUsing") or []]
            hashes = [(method.get("algorithm"), method.get("hashValue")) for method in methods]
            yield component(one.get("name") or "", one.get("software_packageVersion"), purls, hashes, licences[one["spdxId"]])


def other_reading(path):
    text = path.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("{"):
        document = json.loads(text)
        if "bomFormat" in document:
            return collections.Counter(cyclonedx(document))
        return collections.Counter(spdx2(document) if "spdxVersion" in document else spdx3(document))
    if text.lstrip().startswith("<"):
        return collections.Counter(cyclonedx_xml(text))
    return collections.Counter(spdx2_tags(text))


def our_reading(read):
    return collections.Counter(
        component(one["name"], one["version"], set(one["purls"]), one["hashes"], one["licences"]) for one in read["parts"]
    )


def is_document(path):
    """By its content: a bill of materials of a format that is meant to be read."""
    try:
        start = path.read_bytes()[:200_000].decode("utf-8-sig", "ignore")
    except OSError:
        return False
    if path.suffix in (".py", ".md", ".rs", ".js", ".ts", ".txt", ".html", ".xsd") or ".schema." in path.name:
        return False
    is_json = start.lstrip().startswith("{") and ('"bomFormat"' in start or '"spdxVersion"' in start or "spdx.org/rdf/3" in start)
    return is_json or start.lstrip().startswith("SPDXVersion:") or "http://cyclonedx.org/schema/bom/" in start[:500]


def sources(work):
    for source in SOURCES:
        name = source.split("==")[0]
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name, source, "-d", str(work)]
        if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            print(f"SKIPPED {source}: pip could not get its sources")
    for archive in work.glob("*.tar.gz"):
        with tarfile.open(archive) as opened:
            opened.extractall(work / archive.name.removesuffix(".tar.gz"), filter="data")


def tools(work):
    """What the tools that are installed write about this repository."""
    out = work / "tools"
    out.mkdir()
    manifest = REPOSITORY / "cargo-supplychain" / "Cargo.toml"
    if shutil.which("syft"):
        for form in ["cyclonedx-json", "cyclonedx-json@1.5", "cyclonedx-xml", "spdx-json", "spdx-json@2.2", "spdx-tag-value"]:
            run(["syft", "scan", f"dir:{REPOSITORY}", "-q", "-o", f"{form}={out}/syft-{form}"])
    if shutil.which("cargo-cyclonedx"):
        copy = work / "copy"
        copy.mkdir()
        for entry in ["Cargo.toml", "Cargo.lock", "cargo-supplychain", "tests", "README.md", "LICENSE-MIT"]:
            source = REPOSITORY / entry
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / entry)
        for version in ["1.3", "1.4", "1.5"]:
            for form in ["json", "xml"]:
                run(["cargo", "cyclonedx", "--format", form, "--spec-version", version, "--manifest-path", str(copy / "Cargo.toml")])
                for made in copy.rglob(f"*.cdx.{form}"):
                    made.rename(out / f"cargo-cyclonedx-{version}.{form}")
    if shutil.which("cargo-sbom"):
        for form in ["spdx_json_2_3", "cyclone_dx_json_1_4", "cyclone_dx_json_1_6"]:
            made = subprocess.run(["cargo", "sbom", "--output-format", form, "--project-directory", str(REPOSITORY)], capture_output=True)
            if not made.returncode:
                (out / f"cargo-sbom-{form}.json").write_bytes(made.stdout)
    if shutil.which("cdxgen"):
        for version in ["1.5", "1.6"]:
            run(["cdxgen", "-t", "rust", "--no-recurse", "--spec-version", version, "-o", f"{out}/cdxgen-{version}.json", str(REPOSITORY)])
    for tool in ["syft", "cargo-cyclonedx", "cargo-sbom", "cdxgen"]:
        made = len(list(out.glob(f"{tool}*")))
        print(f"{tool}: {made} documents" if shutil.which(tool) else f"SKIPPED {tool}: it is not installed")


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "FETCH_LICENSE": "false", "SYFT_CHECK_FOR_APP_UPDATE": "false"})
    if done.returncode:
        print(f"{' '.join(command[:3])}: failed: {done.stderr.strip()[-300:]}")


def main():
    reader, folders = sys.argv[1], [pathlib.Path(one) for one in sys.argv[2:]]
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        if not folders:
            sources(work)
            tools(work)
            folders = [work]
        files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file() and is_document(path))
        answers = subprocess.run([reader, *map(str, files)], capture_output=True, text=True, check=True).stdout.splitlines()
        same, refused, different, components = 0, collections.Counter(), 0, 0
        for path, line in zip(files, answers, strict=True):
            answer = json.loads(line)
            if "error" in answer:
                refused[answer["error"]] += 1
                print(f"REFUSED {path.name}: {answer['error'][:160]}")
                continue
            try:
                other = other_reading(path)
            except Exception as error:  # the other reading may be the wrong one: told, and counted as a difference
                different += 1
                print(f"DIFFERENT {path.name}: the other reading fails: {error!r}")
                continue
            ours = our_reading(answer["read"])
            components += sum(ours.values())
            if ours == other:
                same += 1
                continue
            different += 1
            print(f"DIFFERENT {path.name}: only here {list((ours - other).items())[:2]}, only there {list((other - ours).items())[:2]}")
        print(f"{len(files)} documents: {same} read the same ({components} components), {sum(refused.values())} refused, {different} different")
        sys.exit(1 if different or not same else 0)


main()
