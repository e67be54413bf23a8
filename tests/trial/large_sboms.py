#!/usr/bin/env python3
"""Bills of materials of 10,000 components, read, checked and compared, and hostile ones: wall time and peak memory.

    cargo build --release
    tests/trial/large_sboms.py target/release/cargo-supplychain [OTHER_BINARY] [COMPONENTS]

Each measurement is the median of five runs; with two binaries they take turns. Hostile documents have to end with exit 2 and an error
within ten seconds and one and a half GiB.
"""

import json
import multiprocessing
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

BINARIES = [os.path.abspath(one) for one in sys.argv[1:] if not one.isdigit()]
COMPONENTS = int(next((one for one in sys.argv[1:] if one.isdigit()), "10000"))
RUNS = 5


def cyclonedx(version):
    names = [f"crate-{number}" for number in range(COMPONENTS)]
    purl = lambda number: f"pkg:cargo/{names[number]}@1.{version if number % 10 == 0 else 0}.{number}"
    component = lambda number: {
        "type": "library", "bom-ref": purl(number), "name": names[number], "version": purl(number).rsplit("@", 1)[1],
        "purl": purl(number), "scope": "required", "description": "what it does, in a sentence of a usual length",
        "authors": [{"name": "Ann Author", "email": "ann@example.org"}],
        "hashes": [{"alg": "SHA-256", "content": f"{number:064x}"}],
        "licenses": [{"expression": "MIT OR Apache-2.0", "acknowledgement": "declared"}],
        "externalReferences": [{"type": "vcs", "url": f"https://example.org/{names[number]}"}],
        "properties": [{"name": f"cargo-supplychain:{word}", "value": "x"} for word in ["role", "origin", "producer", "features", "hash"]],
    }
    edges = lambda number: [purl(to) for to in range(number + 1, min(number + 9, COMPONENTS))]
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.7", "version": 1,
        "metadata": {"timestamp": "2026-11-29T00:00:00Z", "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{"type": "application", "name": "maker", "version": "1"}]}, "authors": [{"name": "Ann"}],
            "component": {"type": "application", "bom-ref": "app", "name": "app", "version": "1"}},
        "components": [component(number) for number in range(COMPONENTS)],
        "dependencies": [{"ref": "app", "dependsOn": [purl(0)]}]
            + [{"ref": purl(number), "dependsOn": edges(number)} for number in range(COMPONENTS)],
    }


def spdx(document):
    packages, relations = [], []
    for one in [document["metadata"]["component"], *document["components"]]:
        packages.append({"SPDXID": "SPDXRef-" + one["name"], "name": one["name"], "versionInfo": one["version"], "downloadLocation": "NOASSERTION",
            "supplier": "NOASSERTION", "licenseDeclared": "MIT OR Apache-2.0",
            "checksums": [{"algorithm": "SHA256", "checksumValue": hash["content"]} for hash in one.get("hashes", [])],
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": one["purl"]}] if "purl" in one else []})
    by_reference = {one["bom-ref"]: "SPDXRef-" + one["name"] for one in [document["metadata"]["component"], *document["components"]]}
    for one in document["dependencies"]:
        for to in one["dependsOn"]:
            relations.append({"spdxElementId": by_reference[one["ref"]], "relationshipType": "DEPENDS_ON", "relatedSpdxElement": by_reference[to]})
    return {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "documentNamespace": "https://example.org/1", "packages": packages,
        "relationships": relations, "creationInfo": {"created": "2026-11-29T00:00:00Z", "creators": ["Tool: maker-1"]}}


def xml(document):
    parts = "".join(
        f'<component type="library" bom-ref="{one["bom-ref"]}"><name>{one["name"]}</name><version>{one["version"]}</version>'
        f'<hashes><hash alg="SHA-256">{one["hashes"][0]["content"]}</hash></hashes>'
        f'<licenses><expression>MIT OR Apache-2.0</expression></licenses><purl>{one["purl"]}</purl></component>'
        for one in document["components"]
    )
    edges = "".join(
        f'<dependency ref="{one["ref"]}">' + "".join(f'<dependency ref="{to}"/>' for to in one["dependsOn"]) + "</dependency>"
        for one in document["dependencies"][1:]
    )
    return f'<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1"><components>{parts}</components><dependencies>{edges}</dependencies></bom>'


def apart(write, *arguments):
    """Writes documents in a process of its own: what this one holds would count as the memory of what it starts."""
    process = multiprocessing.Process(target=write, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit("the documents cannot be written")


def ordinary(work):
    old, new = cyclonedx(0), cyclonedx(1)
    for name, document in [("old.cdx.json", old), ("new.cdx.json", new), ("new.spdx.json", spdx(new))]:
        (work / name).write_text(json.dumps(document, indent=2))
    (work / "new.cdx.xml").write_text(xml(new))
    back = {"ref": new["components"][-1]["bom-ref"], "dependsOn": ["app"]}
    (work / "cycle.cdx.json").write_text(json.dumps({**new, "dependencies": new["dependencies"] + [back]}))


def hostile(work):
    """Documents that have to be refused, each in a file named as it is shown."""
    head = '{"bomFormat":"CycloneDX","specVersion":"1.6","components":['
    for name, start in [("1 GiB of JSON", head.encode()), ("1 GiB of binary", b"\x7fELF")]:
        with open(work / name, "wb") as file:
            file.write(start)
            file.truncate(1 << 30)
    deep = 10_000
    documents = {
        "depth 10,000 in JSON": head + '{"name":"x","components":[' * deep + "]}" * deep + "]}",
        "depth 10,000 in XML": '<bom xmlns="http://cyclonedx.org/schema/bom/1.6">' + "<components><component>" * deep,
        "a reference twice": head + '{"bom-ref":"a","name":"a"},{"bom-ref":"a","name":"b"}]}',
        "120 MiB of empty objects": head + "{}," * (40 << 20) + "{}" + "]}",
        "120 MiB of small components": head + '{"name":"a"},' * (9 << 20) + "{}" + "]}",
        "1,400,000 small components": head + '{"name":"a"},' * 1_400_000 + '{"name":"a"}' + "]}",
        "120 MiB of one text": head + '{"name":"' + "a" * (120 << 20) + '",}]}',
        "5,000,000 edges": head + '{"bom-ref":"a","name":"a"},{"bom-ref":"b","name":"b"}],"dependencies":[{"ref":"a","dependsOn":['
            + '"b",' * 5_000_000 + '"b"]}]}',
        "an entity that grows": '<!DOCTYPE bom [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><bom>&b;</bom>',
        "4,000,000 elements": '<bom xmlns="http://cyclonedx.org/schema/bom/1.6">' + "<a/>" * 4_000_000 + "</bom>",
        "1,000,000 attributes": "<bom " + " ".join(f'a{number}=""' for number in range(1_000_000)) + "/>",
        "an endless text in tags": "SPDXVersion: SPDX-2.3\nPackageName: <text>" + "a\n" * (20 << 20),
    }
    for name, text in documents.items():
        (work / name).write_text(text)


def run(binary, work, arguments):
    """Exit code, seconds, peak memory in MiB, the last line of standard error."""
    start = time.monotonic()
    process = subprocess.Popen([binary, "supplychain", *arguments], cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "CARGO_HOME": str(work / "home")})
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - start, usage.ru_maxrss / 1024, errors.strip().splitlines()


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        apart(ordinary, work)
        commands = {
            "check, CycloneDX JSON": ["sbom", "check", "new.cdx.json"],
            "check, CycloneDX XML": ["sbom", "check", "new.cdx.xml"],
            "check, SPDX JSON": ["sbom", "check", "new.spdx.json"],
            "check, with a cycle": ["sbom", "check", "cycle.cdx.json", "--format", "json"],
            "diff, CycloneDX": ["diff", "old.cdx.json", "new.cdx.json", "--format", "json"],
            "diff, CycloneDX with SPDX": ["diff", "old.cdx.json", "new.spdx.json"],
        }
        sizes = ", ".join(f"{path.name} {path.stat().st_size / (1 << 20):.0f} MiB" for path in sorted(work.glob("*.*")))
        print(f"{COMPONENTS} components: {sizes}")
        for name, arguments in commands.items():
            measured = {binary: [] for binary in BINARIES}
            for _ in range(RUNS):
                for binary in BINARIES:
                    measured[binary].append(run(binary, work, arguments))
            for binary, runs in measured.items():
                code, errors = runs[0][0], runs[0][3]
                seconds, memory = statistics.median(one[1] for one in runs), max(one[2] for one in runs)
                print(f"{name}: {seconds:.2f} s, {memory:.0f} MiB, exit {code} {errors[:1] if code not in (0, 1) else ''}")
                failed += code not in (0, 1)
        ours = {path.name for path in work.iterdir()}
        apart(hostile, work)
        for name in sorted(path.name for path in work.iterdir() if path.name not in ours):
            code, seconds, memory, errors = run(BINARIES[0], work, ["sbom", "check", name])
            is_fine = code == 2 and errors and errors[0].startswith("error:") and seconds < 10 and memory < 1536
            failed += not is_fine
            print(f"{'ok' if is_fine else 'NOT OK'}: {name}: exit {code}, {seconds:.2f} s, {memory:.0f} MiB: {errors[0][:140] if errors else ''}")
    sys.exit(1 if failed else 0)


main()
