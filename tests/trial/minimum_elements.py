#!/usr/bin/env python3
"""Trial: the minimum elements of CISA (2026) in our own signed build SBOM of a large project, and each of them removed on purpose.

    minimum_elements.py --tool PATH --work DIR [NAME=VERSION]

Fetches the crate (cargo-audit 0.21.2 by default: 342 packages in its lockfile), builds it into a release that a new key signs, with an author
in the policy, and runs `sbom check --profile cisa-2026 --bundle` on its CycloneDX, SPDX 2.3 and SPDX 3.0.1 documents: no gap is allowed.
Then every field of the profile is taken out of the document, or out of one component in the middle of it, and the check has to name that field
and no other (without the bundle, which is about another document then). The name and the
version of a format cannot be taken out and the document still be read: the error has to say so. Exit code 1 when anything is otherwise.
"""
import argparse
import copy
import json
import os
import pathlib
import re
import subprocess
import sys

from real_crates import fetch

POLICY = """[documents]
author = "Example Corporation"
author-contact = "sbom@example.com"
supplier = "Example Corporation"
supplier-contact = "https://example.com/"
formats = ["cyclonedx-json@1.7", "spdx-json@2.3", "spdx-json@3.0.1"]
"""


def run(command, **options):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)


def middle(components, wanted):
    """A component in the middle that has everything which is taken away here."""
    fit = [one for one in components if wanted(one)]
    return fit[len(fit) // 2]


def without(document, *path):
    for key in path[:-1]:
        document = document[key]
    del document[path[-1]]


def drop_properties(holder, *names):
    holder["properties"] = [one for one in holder.get("properties", []) if one["name"] not in names]


class CycloneDx:
    name = "CycloneDX 1.7 JSON"
    pattern, statement = "*.cdx.json", "cyclonedx"
    unreadable = {"format-name": ("bomFormat",), "format-version": ("specVersion",)}

    @staticmethod
    def component(document):
        return middle(document["components"], lambda one: one.get("purl") and one.get("hashes") and one.get("licenses") and one.get("authors"))

    @staticmethod
    def author(document):
        for key in ("authors", "manufacturer", "supplier"):
            document["metadata"].pop(key, None)

    @staticmethod
    def context(document):
        del document["metadata"]["lifecycles"]

    @staticmethod
    def timestamp(document):
        del document["metadata"]["timestamp"]

    @staticmethod
    def tool(document):
        del document["metadata"]["tools"]

    @staticmethod
    def tool_version(document):
        del document["metadata"]["tools"]["components"][0]["version"]

    @staticmethod
    def version(document):
        del document["version"]

    @staticmethod
    def signature(document):
        document.pop("externalReferences", None)
        drop_properties(document["metadata"], "cargo-supplychain:author-signature")

    @staticmethod
    def relationship(document, one):
        ref = one["bom-ref"]
        document["dependencies"] = [entry for entry in document["dependencies"] if entry["ref"] != ref]
        for entry in document["dependencies"]:
            entry["dependsOn"] = [to for to in entry.get("dependsOn", []) if to != ref]
        for composition in document["compositions"]:
            composition["dependencies"] = [to for to in composition.get("dependencies", []) if to != ref]

    of_component = {
        "producer": lambda one: (one.pop("authors", 0), one.pop("supplier", 0), one.pop("manufacturer", 0), one.pop("publisher", 0),
                                 drop_properties(one, "cargo-supplychain:producer")),
        "hash": lambda one: (one.pop("hashes"), [link.pop("hashes", 0) for link in one.get("externalReferences", [])],
                             drop_properties(one, "cargo-supplychain:hash")),
        "identifiers": lambda one: one.pop("purl"),
        "license": lambda one: (one.pop("licenses"), drop_properties(one, "cargo-supplychain:license")),
        "name": lambda one: one.update(name=""),
        "version": lambda one: one.pop("version"),
    }


class Spdx2:
    name = "SPDX 2.3 JSON"
    pattern, statement = "*.spdx.json", "spdx"
    unreadable = {"format-version": ("spdxVersion",)}

    @staticmethod
    def component(document):
        return middle(document["packages"], lambda one: one.get("externalRefs") and one.get("checksums")
                      and one["SPDXID"] != "SPDXRef-Artifact" and one.get("supplier", "NOASSERTION") != "NOASSERTION"
                      and one.get("licenseDeclared", "NOASSERTION") != "NOASSERTION")

    @staticmethod
    def author(document):
        info = document["creationInfo"]
        info["creators"] = [one for one in info["creators"] if one.startswith("Tool:")]

    @staticmethod
    def context(document):
        del document["creationInfo"]["comment"]
        document["comment"] = re.sub(r"Generation context: [^.]*\. ", "", document["comment"])

    @staticmethod
    def timestamp(document):
        del document["creationInfo"]["created"]

    @staticmethod
    def tool(document):
        info = document["creationInfo"]
        info["creators"] = [one for one in info["creators"] if not one.startswith("Tool:")]

    @staticmethod
    def tool_version(document):
        info = document["creationInfo"]
        info["creators"] = ["Tool: cargo-supplychain" if one.startswith("Tool:") else one for one in info["creators"]]

    @staticmethod
    def version(document):
        del document["documentNamespace"]
        document["comment"] = re.sub(r"SBOM version: [^.]*\. ", "", document["comment"])

    @staticmethod
    def signature(document):
        document["comment"] = re.sub(r"The SBOM author's signature: .*?(\. |\.$)", "", document["comment"])

    @staticmethod
    def relationship(document, one):
        document["relationships"] = [relation for relation in document["relationships"]
                                     if one["SPDXID"] not in (relation["spdxElementId"], relation["relatedSpdxElement"])]

    of_component = {
        "producer": lambda one: (one.pop("supplier"), one.pop("originator", 0), one.pop("sourceInfo", 0)),
        "hash": lambda one: one.pop("checksums"),
        "identifiers": lambda one: one.pop("externalRefs"),
        "license": lambda one: (one.pop("licenseDeclared"), one.pop("licenseConcluded")),
        "name": lambda one: one.update(name=""),
        "version": lambda one: one.pop("versionInfo"),
    }


class Spdx3:
    name = "SPDX 3.0.1 JSON-LD"
    pattern, statement = "*.spdx-3.0.1.json", None
    unreadable = {"format-name": ("@context",)}

    @staticmethod
    def of(document, kind):
        return next(one for one in document["@graph"] if one["type"] == kind)

    @classmethod
    def component(cls, document):
        return middle([one for one in document["@graph"] if one["type"] == "software_Package"],
                      lambda one: one.get("suppliedBy") and one.get("verifiedUsing") and one.get("externalIdentifier")
                      and not one["spdxId"].endswith("#artifact"))

    @classmethod
    def author(cls, document):
        cls.of(document, "CreationInfo")["createdBy"] = []

    @classmethod
    def context(cls, document):
        del cls.of(document, "software_Sbom")["software_sbomType"]

    @classmethod
    def timestamp(cls, document):
        del cls.of(document, "CreationInfo")["created"]

    @classmethod
    def tool(cls, document):
        del cls.of(document, "CreationInfo")["createdUsing"]

    @classmethod
    def tool_version(cls, document):
        cls.of(document, "Tool")["name"] = "cargo-supplychain"

    version = signature = None

    @staticmethod
    def relationship(document, one):
        document["@graph"] = [other for other in document["@graph"] if not (
            "relationshipType" in other and other["relationshipType"] not in ("hasDeclaredLicense", "hasConcludedLicense")
            and (other["from"] == one["spdxId"] or one["spdxId"] in other["to"]))]

    @staticmethod
    def licence(document, one):
        document["@graph"] = [other for other in document["@graph"] if not (
            other.get("relationshipType") in ("hasDeclaredLicense", "hasConcludedLicense") and other["from"] == one["spdxId"])]

    of_component = {
        "producer": lambda one: (one.pop("suppliedBy"), one.pop("originatedBy", 0)),
        "hash": lambda one: one.pop("verifiedUsing"),
        "identifiers": lambda one: (one.pop("externalIdentifier"), one.pop("software_packageUrl", 0)),
        "name": lambda one: one.pop("name"),
        "version": lambda one: one.pop("software_packageVersion"),
    }


OF_DOCUMENT = {"author": "author", "context": "generation-context", "timestamp": "timestamp", "tool": "tool-name",
               "tool_version": "tool-version", "version": "sbom-version", "signature": "author-signature"}
NAMES = {"hash": {"hash-value", "hash-algorithm"}}


def removals(form, document):
    """(what is taken out, the document without it, the fields that the check has to name)."""
    for name, field in OF_DOCUMENT.items():
        if take := getattr(form, name):
            changed = copy.deepcopy(document)
            take(changed)
            # Without a tool there is no version of it either.
            yield field, changed, {field} | ({"tool-version"} if name == "tool" else set())
    for name, take in form.of_component.items():
        changed = copy.deepcopy(document)
        take(form.component(changed))
        yield f"{name} of one component", changed, NAMES.get(name, {name})
    for name, field in (("relationship", "dependency-relationship"), ("licence", "license")):
        if take := getattr(form, name, None):
            changed = copy.deepcopy(document)
            take(changed, form.component(changed))
            yield f"{field} of one component", changed, {field}


def check(options, path, *more):
    result = run([options.tool, "supplychain", "sbom", "check", path, "--profile", "cisa-2026", "--format", "json", *more])
    if result.returncode not in (0, 1):
        return result.returncode, result.stderr, None
    report = json.loads(result.stdout)
    gaps = {one["id"] for one in report["document_fields"] if one["gap"]} | {one["id"] for one in report["component_fields"] if one["gaps"]}
    return result.returncode, gaps, report


def release_of(options, name, version):
    folder = fetch(name, version, options.work)
    (folder / "minimum.toml").write_text(POLICY)
    key = options.work / "key"
    environment = dict(os.environ, SUPPLYCHAIN_KEY_PASSPHRASE="trial")
    if not key.with_suffix(".pub").exists():
        made = run([options.tool, "supplychain", "key", "generate", "--output", key], env=environment)
        if made.returncode != 0:
            sys.exit(made.stderr)
    result = run([options.tool, "supplychain", "build", "--manifest-path", folder / "Cargo.toml", "--policy", folder / "minimum.toml", "--key", key,
                  "--release-dir", options.work / "out", "--fail-on", "none", "--sandbox", "auto"], env=environment)
    if result.returncode != 0:
        sys.exit(f"build: exit {result.returncode}\n{result.stderr[-3000:]}")
    return next((options.work / "out").glob(f"{name}-{version}-*"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("crate", nargs="?", default="cargo-audit=0.21.2", metavar="NAME=VERSION")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    name, version = options.crate.split("=")
    release = release_of(options, name, version)
    failed = False
    for form in (CycloneDx, Spdx2, Spdx3):
        path = next((release / "sbom").glob(form.pattern))
        # The release statement names every document by its digest, through the list; the documents that have statements have those.
        bundles = sorted((release / "attestations").glob(f"*.{form.statement}.sigstore.json")) if form.statement else []
        code, gaps, report = check(options, path, *(["--bundle", bundles[0]] if bundles else []))
        allowed = set() if bundles else {"author-signature"}
        print(f"{form.name}: {report['components'] if report else '?'} components, exit {code}, gaps {sorted(gaps) if report else gaps}")
        if report is None or gaps != allowed:
            failed = True
            continue
        document, found, tried = json.loads(path.read_text()), 0, 0
        changed = options.work / path.name
        # A document that says where its signature is needs no bundle.
        unsigned = check(options, path)[1]
        for what, without_it, expected in removals(form, document):
            tried += 1
            changed.write_text(json.dumps(without_it))
            code, gaps, _ = check(options, changed)
            if isinstance(gaps, set) and gaps == expected | unsigned:
                found += 1
            else:
                print(f"    {what}: exit {code}, {sorted(gaps) if isinstance(gaps, set) else gaps.strip()}")
        for field, place in form.unreadable.items():
            tried += 1
            without_it = copy.deepcopy(document)
            without(without_it, *place)
            changed.write_text(json.dumps(without_it))
            code, words, _ = check(options, changed)
            if code == 2:
                found += 1
            else:
                print(f"    {field}: exit {code}, {words}")
        print(f"    {found} of {tried} removed fields named, and no other")
        failed |= found != tried
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
