#!/usr/bin/env python3
"""Trial: what other tools list of the same program, beside cargo's unit graph.

    peers.py --tool PATH --work DIR [--cyclonedx PATH] [--sbom PATH] [--auditable PATH] [--syft PATH] [--out FILE.md] NAME=VERSION[:BINARY] …

Each published crate is fetched with its own lockfile and built by us (`build --embed-audit-data`). The judge is cargo's unit graph: the
(name, version) pairs that are linked into the binary, its own package included. Held against it are: ours (CycloneDX, scope `required`, and the
embedded audit data), cargo-cyclonedx (components that are not `excluded`, of the binary's document), cargo-sbom (packages of its SPDX document),
cargo-auditable (what its own build embeds, kind `runtime`; skipped without it, because it compiles once more), syft on the folder, syft on
our binary. Precision: how much of what a tool lists is linked. Recall: how much of what is linked it lists. What is not given is said.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import zlib

import real_crates
import unit_graph


def run(command, **options):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)


def cargo_components(document):
    """CycloneDX: crates that are not excluded, the described component included."""
    components = [one for one in document.get("components", []) if one.get("scope") != "excluded"]
    described = document.get("metadata", {}).get("component")
    return {(one["name"], one["version"]) for one in [*components, described]
            if one and str(one.get("purl", "")).startswith("pkg:cargo/") and one.get("version")}


def own_name(listed, name, package):
    """The described component of a binary's document has the binary's name; the judge has its package's."""
    return {(package if one == name else one, version) for one, version in listed}


def embedded(path):
    section = path.with_suffix(".dep-v0")
    run(["objcopy", "--dump-section", f".dep-v0={section}", path, os.devnull])
    if not section.exists():
        return None
    packages = json.loads(zlib.decompress(section.read_bytes()))["packages"]
    section.unlink()
    return {(one["name"], one["version"]) for one in packages if one.get("kind", "runtime") == "runtime"}


def ours(options, folder, package, binary):
    result = run([options.tool, "supplychain", "build", "--no-sign", "--fail-on", "none", "--embed-audit-data", "--bin", binary], cwd=folder)
    releases = sorted((folder / "target" / "supplychain").glob("*-*-*"))
    if result.returncode != 0 or not releases:
        print(result.stderr[-2000:])
        return None, None, None
    document = json.loads((releases[-1] / "sbom" / f"{binary}.cdx.json").read_text())
    path = releases[-1] / "artifacts" / binary
    return own_name(cargo_components(document), binary, package), embedded(path), path


def cyclonedx(options, folder, package, binary):
    run([options.cyclonedx, "cyclonedx", "--format", "json", "--describe", "binaries", "--spec-version", "1.5"], cwd=folder)
    found = sorted(folder.glob(f"{binary}*bin*.cdx.json")) or sorted(folder.glob("*.cdx.json"))
    return own_name(cargo_components(json.loads(found[0].read_text())), binary, package) if found else None


def cargo_sbom(options, folder, package, binary):
    result = run([options.sbom, "sbom", "--output-format", "spdx_json_2_3"], cwd=folder)
    try:
        document = json.loads(result.stdout)
    except json.JSONDecodeError:
        return None
    return {(one["name"], one["versionInfo"]) for one in document["packages"] if one.get("versionInfo")}


def auditable(options, folder, package, binary):
    target = folder / "target" / "auditable"
    run([options.auditable, "auditable", "build", "--release", "--locked", "--bin", binary, "--target-dir", target], cwd=folder)
    path = target / "release" / binary
    return embedded(path) if path.exists() else None


def syft(options, what):
    result = run([options.syft, "scan", "--output", "syft-json", what])
    try:
        document = json.loads(result.stdout)
    except json.JSONDecodeError:
        return None
    return {(one["name"], one["version"]) for one in document["artifacts"] if one["type"] == "rust-crate"}


def linked(folder, binary):
    graph = unit_graph.unit_graph(folder, ["--bin", binary])
    root = next(index for index in graph["roots"] if graph["units"][index]["target"]["name"] == binary)
    return {(name, version) for name, version, _ in unit_graph.sets_of(graph, root)[0]}


def cell(listed, judge):
    if listed is None:
        return "–"
    both = listed & judge
    precision, recall = unit_graph.ratio(both, listed), unit_graph.ratio(both, judge)
    return f"{len(listed)}: {precision:.3f}/{recall:.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tool", "work", "cyclonedx", "sbom", "auditable", "syft", "out"):
        parser.add_argument(f"--{name}", required=name in ("tool", "work"), type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("crates", nargs="+")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for name in ("cyclonedx", "sbom", "auditable", "syft"):
        if not getattr(options, name):
            print(f"skipped: --{name} was not given")
    heads = ["linked", "ours", "ours, embedded", "cargo-cyclonedx", "cargo-sbom", "cargo-auditable", "syft, folder", "syft, our binary"]
    rows, exact = ["| program | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"], True
    for crate in options.crates:
        crate, _, binary = crate.partition(":")
        package, version = crate.split("=")
        binary = binary or package
        folder = real_crates.fetch(package, version, options.work)
        judge = linked(folder, binary)
        sbom, audit, path = ours(options, folder, package, binary)
        cells = [str(len(judge)), cell(sbom, judge), cell(audit, judge)]
        cells.append(cell(cyclonedx(options, folder, package, binary) if options.cyclonedx else None, judge))
        cells.append(cell(cargo_sbom(options, folder, package, binary) if options.sbom else None, judge))
        cells.append(cell(auditable(options, folder, package, binary) if options.auditable else None, judge))
        cells.append(cell(syft(options, f"dir:{folder}") if options.syft else None, judge))
        cells.append(cell(syft(options, f"file:{path}") if options.syft and path else None, judge))
        exact &= sbom == judge and audit == judge
        rows.append(f"| {package} {version} | " + " | ".join(cells) + " |")
        print(rows[-1], flush=True)
    print("\n".join(rows))
    if options.out:
        options.out.write_text("\n".join(rows) + "\n")
    sys.exit(0 if exact else 1)


if __name__ == "__main__":
    main()
