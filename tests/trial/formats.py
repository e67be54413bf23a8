#!/usr/bin/env python3
"""Trial of SBOM formats: every format of published crates, judged by other people's validators.

    formats.py --tool PATH --work DIR [--build NAME=VERSION …] [--spdx-org] [NAME=VERSION …]

Fetches each crate with its own lockfile, writes its SBOM in every format that `sbom --help` names (those of `--build` are compiled: their
formats come out of a release, SWID tags among them), and judges:

    tests/judges/validate_documents.py FOLDER      official CycloneDX schemas (JSON strict and XSD), spdx-tools (the library behind
                                                   pyspdxtools), spdx-python-model, the rules of NISTIR 8060, uswid
    pyspdxtools --infile FILE                      SPDX 2.3, JSON and tag-value
    ntia-checker FILE                              NTIA minimum elements, SPDX 2.3 JSON
    ntia-checker --sbom-spec spdx3 FILE            the same of SPDX 3.0.1
    jsonschema                                     the official JSON schema of SPDX 3.0.1, as the npm package @cyclonedx/cdxgen ships it
    spdx3-validate --json FILE                     that schema and the SHACL shapes, with --spdx-org: it fetches them from spdx.org

A component whose producer nobody states is a gap that the NTIA checker reports and the document says itself; those are counted apart: the
checker's verdict has to be the one that follows from them. Needs the judges (`pip install -r tests/judges/requirements.txt`), the registry and
minutes. Exit code 1 when a judge objects to anything else.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

from real_crates import fetch, run

HERE = pathlib.Path(__file__).resolve().parent
DEFAULT = ["ripgrep=14.1.1", "fd-find=10.2.0", "hyperfine=1.19.0", "bat=0.25.0", "cargo-audit=0.21.2", "cargo-deny=0.18.3"]
BIN = pathlib.Path(sys.executable).parent


# Made by shacl2code from the model, as it is published at spdx.org.
SPDX_SCHEMA = ("@cyclonedx/cdxgen@12.8.4", "package/data/spdx-export.schema.json")


def spdx_schema(work):
    """A validator of the official schema; none where there is no npm, which is said."""
    import jsonschema

    package, name = SPDX_SCHEMA
    if shutil.which("npm") is None:
        return print(f"skipped: the official JSON schema of SPDX 3.0.1, which comes with the npm package {package}: npm is not installed")
    packed = run(["npm", "pack", "--silent", "--pack-destination", work, package])
    if packed.returncode != 0:
        raise SystemExit(f"npm pack {package}: {packed.stderr[-400:]}")
    with tarfile.open(work / packed.stdout.split()[-1]) as archive:
        schema = json.load(archive.extractfile(name))
    assert schema["properties"]["@context"]["const"] == "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "the schema of another version"
    return jsonschema.Draft202012Validator(schema)


def formats(tool):
    help_text = run([tool, "supplychain", "sbom", "--help"]).stdout
    named = re.findall(r"([a-z-]+)\[@([0-9.|]+)\]", " ".join(help_text.split()))
    return [f"{name}@{version}" for name, versions in named for version in versions.split("|")]


def describe(tool, folder, to):
    """The SBOMs of what would be built; SWID tags describe built files only."""
    to.mkdir(parents=True, exist_ok=True)
    for name in formats(tool):
        if not name.startswith("swid"):
            result = run([tool, "supplychain", "sbom", "--offline", "--manifest-path", folder / "Cargo.toml",
                          "--format-sbom", name, "--output", to])
            if result.returncode != 0:
                raise SystemExit(f"{folder.name} {name}: exit {result.returncode}\n{result.stderr}")


def build(tool, folder, to):
    names = ", ".join(f'"{name}"' for name in formats(tool))
    policy = folder / "formats.toml"
    policy.write_text(f'[documents]\nauthor = "Example Corporation"\nauthor-contact = "sbom@example.com"\n'
                      f'supplier = "Example Corporation"\nsupplier-contact = "https://example.com/"\nformats = [{names}]\n')
    result = run([tool, "supplychain", "build", "--manifest-path", folder / "Cargo.toml", "--policy", policy, "--release-dir", to,
                  "--no-sign", "--fail-on", "none", "--sandbox", "off"])
    if result.returncode not in (0, 4):
        raise SystemExit(f"{folder.name}: exit {result.returncode}\n{result.stderr[-3000:]}")


def unknown_producers(path):
    document = json.loads(path.read_text())
    if "packages" in document:
        return {package["name"] for package in document["packages"] if package.get("supplier", "NOASSERTION") == "NOASSERTION"}
    return {one["name"] for one in document["@graph"] if one["type"] == "software_Package" and "suppliedBy" not in one}


def judge(path, options):
    """What objects: (judge, words)."""
    name, problems = path.name, []
    is_spdx3 = name.endswith(".spdx-3.0.1.json")
    if name.endswith((".spdx", ".spdx.json")):
        result = run([BIN / "pyspdxtools", "--infile", path])
        if result.returncode != 0 or "not valid" in result.stdout + result.stderr:
            problems.append(("pyspdxtools", (result.stdout + result.stderr)[-400:]))
    if name.endswith((".spdx.json", ".spdx-3.0.1.json")):
        spec = ["--sbom-spec", "spdx3"] if is_spdx3 else []
        result = run([BIN / "ntia-checker", *spec, "--output", "json", "--output-file", path.with_suffix(".ntia"), path])
        try:
            report = json.loads(path.with_suffix(".ntia").read_text())
        except (OSError, ValueError):
            return problems + [("ntia-checker", (result.stdout + result.stderr)[-400:])]
        problems += ntia(report, path)
    if is_spdx3 and options.schema is not None:
        errors = [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in options.schema.iter_errors(json.loads(path.read_text()))]
        problems += [("jsonschema, SPDX 3.0.1", error) for error in errors[:5]]
    if is_spdx3 and options.spdx_org:
        result = run([BIN / "spdx3-validate", "--json", path])
        if result.returncode != 0:
            problems.append(("spdx3-validate", (result.stdout + result.stderr)[-400:]))
    return problems


def ntia(report, path):
    """What the checker reports beyond what the document says to be unknown."""
    lacking = lambda key: {one["name"] if isinstance(one, dict) else one for one in report.get(key, {}).get("nonconformantComponents", [])}
    problems = []
    unknown = unknown_producers(path)
    native = {one for one in lacking("componentVersions") if one in unknown}
    for key, allowed in [("componentNames", set()), ("componentIdentifiers", unknown), ("componentSuppliers", unknown), ("componentVersions", native)]:
        more = lacking(key) - allowed
        if more:
            problems.append(("ntia-checker", f"{key}: {sorted(more)[:5]}"))
    for key in ["authorNameProvided", "timestampProvided", "dependencyRelationshipsProvided"]:
        if report.get(key) is False and not (key == "authorNameProvided" and "Example" not in path.read_text()):
            problems.append(("ntia-checker", key))
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--build", action="append", default=[], metavar="NAME=VERSION")
    parser.add_argument("--spdx-org", action="store_true")
    parser.add_argument("crates", nargs="*", metavar="NAME=VERSION")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    options.schema = spdx_schema(options.work)
    if not options.spdx_org:
        print("skipped: spdx3-validate, which fetches schema and shapes from spdx.org (--spdx-org)")
    failed = False
    for crate in dict.fromkeys((options.crates or ([] if options.build else DEFAULT)) + options.build):
        name, version = crate.split("=")
        to = options.work / "out" / f"{name}-{version}"
        shutil.rmtree(to, ignore_errors=True)
        folder = fetch(name, version, options.work)
        (build if crate in options.build else describe)(options.tool, folder, to)
        result = subprocess.run([sys.executable, HERE.parent / "judges" / "validate_documents.py", to]
                                + (["--spdx-org"] if options.spdx_org else []), text=True, capture_output=True)
        invalid = [line for line in result.stdout.splitlines() if not line.startswith("valid ")]
        documents = sorted(path for path in to.rglob("*") if re.search(r"\.(cdx[^.]*(\.\d)?\.(json|xml)|spdx(-3\.0\.1)?\.json|spdx|swidtag)$", path.name))
        problems = [(path.name, *problem) for path in documents for problem in judge(path, options)]
        unknown = {len(unknown_producers(path)) for path in documents if path.name.endswith((".spdx.json", ".spdx-3.0.1.json"))}
        print(f"{crate}: {len(documents)} SBOMs, judges: {invalid[-1] if invalid else result.stderr}, producers unknown: {max(unknown, default=0)}")
        for problem in problems:
            print("   ", *problem)
        if result.returncode != 0:
            print("\n".join(invalid[:20]), result.stderr[-1000:])
        failed |= bool(problems) or result.returncode != 0
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
