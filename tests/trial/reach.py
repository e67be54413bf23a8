#!/usr/bin/env python3
"""Trial: what is said of affected functions beside what the debug information of the same files says.

    reach.py --tool PATH --work DIR --advisory-db DIR [--out FILE.md] [--slot PROGRAM] [--sample N] [NAME=VERSION ...]

Published programs are built by `build` with an advisory database that holds the real advisories; those that name functions once more without
their versions, so that they apply to whatever version is locked; and for every locked crate an invented one that names N functions (30) picked
from its sources. Each answer is held against `llvm-dwarfdump` of the produced files: functions with code of their own, and functions that were
inlined anywhere. An "absent" function that is in there is wrong, and so is a "linked" one that is not. Needs the registry, and minutes a program.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys

import real_crates

DEFAULT = ["ripgrep=14.1.1", "hyperfine=1.15.0", "fd-find=9.0.0", "hexyl=0.14.0", "sd=1.0.0", "sd=0.7.6", "tokei=12.1.2", "diskus=0.7.0", "zoxide=0.9.7",
           "just=1.40.0", "bat=0.25.0"]
# Optimised, so that functions are inlined; lines and names, no variables. Link-time optimisation as the environment says, else none, to save time.
PROFILE = {"CARGO_PROFILE_RELEASE_DEBUG": "1", "CARGO_PROFILE_RELEASE_STRIP": "none", "CARGO_PROFILE_RELEASE_SPLIT_DEBUGINFO": "off",
           "CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16", "CARGO_PROFILE_RELEASE_PANIC": "unwind"}


def run(command, **options):
    result = subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)
    if result.returncode:
        sys.exit(f"{command}: exit {result.returncode}\n{result.stdout[-2000:]}{result.stderr[-3000:]}")
    return result.stdout


def locked(folder):
    """(name, version) of the packages of a registry."""
    parts = (folder / "Cargo.lock").read_text().split("[[package]]")[1:]
    field = lambda part, key: (re.search(rf'^{key} = "([^"]*)"', part, re.M) or [None, None])[1]
    return [(field(part, "name"), field(part, "version")) for part in parts if field(part, "source")]


def advisory(number, package, fields, functions):
    listed = "\n".join(f'"{function}" = []' for function in sorted(functions))
    return (f'```toml\n[advisory]\nid = "RUSTSEC-2099-{number:04}"\npackage = "{package}"\ndate = "2026-08-20"\n{fields}\n[versions]\npatched = []\n\n'
            f"[affected.functions]\n{listed}\n```\n\n# Trial\n")


def picked(package, version, count, source):
    """Paths of functions of a crate: of the crate's own name, as re-exports would have them."""
    folder = source / f"{package}-{version}"
    names = set()
    for path in folder.glob("src/**/*.rs"):
        names.update(re.findall(r"\bfn ([a-z_][a-z0-9_]{2,})", path.read_text(errors="replace")))
    names = sorted(names)
    random.Random(f"{package} {version}").shuffle(names)
    return [f"{package.replace('-', '_')}::{name}" for name in names[:count]]


def database(arguments, folder, source):
    """The real advisories, and those that are made of them."""
    place, packages = arguments.work / "database", locked(folder)
    subprocess.run(["rm", "-rf", place], check=True)
    functions, number = collections.defaultdict(set), 0
    for path in arguments.advisory_db.glob("crates/*/*.md"):
        package, text = path.parent.name, path.read_text()
        if any(package == name for name, _ in packages):
            (place / "crates" / package).mkdir(parents=True, exist_ok=True)
            (place / "crates" / package / path.name).write_text(text)
            block = re.search(r"^\[affected\.functions\]\n(.*?)(?=^\[|^```)", text, re.S | re.M)
            functions[package].update(re.findall(r'^"([^"]+)"\s*=', block[1], re.M) if block else [])
            inline = re.search(r"^(?:affected\.)?functions = \{(.*?)\}", text, re.S | re.M)
            functions[package].update(re.findall(r'"([\w:<>, ]+::[\w:<>, ]+)"\s*=', inline[1]) if inline else [])
    for package, version in packages:
        for named in (functions.get(package, ()), picked(package, version, arguments.sample, source)):
            if named:
                number += 1
                only = f'unaffected = ["< {version}", "> {version}"]' if named is not functions.get(package) and "-" not in version else ""
                text = advisory(number, package, "", named)
                text = text.replace("patched = []", f"patched = []\n{only}")
                (place / "crates" / package).mkdir(parents=True, exist_ok=True)
                (place / "crates" / package / f"RUSTSEC-2099-{number:04}.md").write_text(text)
    return place


def words(linkage):
    """The names in a mangled symbol, in order, hashes left out."""
    if linkage.startswith("_ZN"):
        found, rest = [], linkage[3:]
        while match := re.match(r"\d+", rest):
            length = int(match[0])
            found.append(rest[len(match[0]):][:length])
            rest = rest[len(match[0]) + length:]
        if found and re.fullmatch(r"h[0-9a-f]{16}", found[-1]):
            found.pop()
        found = [word for word in found if not word.startswith("_$u7b$$u7b$") and word not in ("{{closure}}",)]
        return found[:-1] + [found[-1]] if found else []
    found, at = [], 0
    while match := re.search(r"(?<!\d)([1-9]\d*)_?(?=[A-Za-z_])", linkage[at:]):
        start = at + match.end()
        found.append(linkage[start:start + int(match[1])])
        at = start + int(match[1])
    return found


def truth(path):
    """Functions with code: name → names of the things in their symbols; of their own, and inlined ones. And the source of each, by its symbol."""
    found, sources = collections.defaultdict(set), {}
    process = subprocess.Popen(["llvm-dwarfdump", "--debug-info", str(path)], stdout=subprocess.PIPE, text=True, errors="replace")
    tag, fields, is_live = None, {}, False

    def take():
        nonlocal is_live
        # What the linker has left out keeps its description, at addresses from 0 on. Inlined functions belong to the function before them.
        if tag == "DW_TAG_subprogram" and ("DW_AT_high_pc" in fields or "DW_AT_ranges" in fields):
            is_live = "DW_AT_ranges" in fields or int(fields.get("DW_AT_low_pc", "0x0"), 16) > 0x400
        if "DW_AT_linkage_name" in fields and "DW_AT_decl_file" in fields:
            sources[fields["DW_AT_linkage_name"]] = fields["DW_AT_decl_file"]
        names = fields.get("DW_AT_linkage_name") or fields.get("DW_AT_abstract_origin") or fields.get("DW_AT_specification")
        has_code = tag == "DW_TAG_inlined_subroutine" or (tag == "DW_TAG_subprogram" and ("DW_AT_high_pc" in fields or "DW_AT_ranges" in fields))
        if names and has_code and is_live:
            parts = words(names)
            for word in parts if names.startswith("_R") else parts[-1:]:
                found[word].add(names)

    for line in process.stdout:
        if match := re.match(r"0x[0-9a-f]+:\s+(DW_TAG_\w+|NULL)", line):
            take()
            tag, fields = match[1], {}
        elif match := re.match(r"\s+(DW_AT_(?:linkage_name|decl_file|abstract_origin|specification|low_pc|high_pc|ranges))\s+\((.*)", line):
            quoted = re.search(r'"([^"]*)"', match[2])
            fields[match[1]] = quoted[1] if quoted else match[2].rstrip(")")
    take()
    return found, sources


def symbols(path):
    """The same of the symbols of its functions, as nm reads them: one of two equal functions may have nothing else."""
    found = collections.defaultdict(set)
    for line in run(["nm", path]).splitlines():
        symbol = line.split()[-1]
        for word in words(symbol):
            found[word].add(symbol)
    return found


def judge(arguments, name, version):
    folder = real_crates.fetch(name, version, arguments.work / "crates")
    source = next(pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo")).glob("registry/src/*"))
    place = database(arguments, folder, source)
    environment = {**os.environ, **{key: os.environ.get(key, value) for key, value in PROFILE.items()}}
    run([*arguments.slot, arguments.tool, "supplychain", "build", "--offline", "--fail-on", "none", "--sandbox", "off", "--no-sign", "--bins",
         "--advisory-db", place], cwd=folder, env=environment)
    release = sorted((folder / "target/supplychain").glob(f"*-{version}-*"))[0]
    report = json.loads((release / "reports/report.json").read_text())
    has_code, has_symbol, sources = collections.defaultdict(set), collections.defaultdict(set), {}
    for artifact in (release / "artifacts").iterdir():
        of_artifact, source_of = truth(artifact)
        sources.update(source_of)
        for function, found in of_artifact.items():
            has_code[function].update(found)
        for function, found in symbols(artifact).items():
            has_symbol[function].update(found)
    real, invented, wrong, places = collections.Counter(), collections.Counter(), [], collections.Counter()
    for finding in report["findings"]:
        reach = finding.get("reach")
        if not reach:
            continue
        is_real = not finding["ids"][0].startswith("RUSTSEC-2099")
        if is_real:
            places[reach["answer"]] += 1
        for one in reach["functions"]:
            (real if is_real else invented)[one["answer"]] += 1
            last = re.sub(r"<.*", "", one["function"].split("::")[-1])
            crate = finding["package"].replace("-", "_")
            having = lambda symbols: [symbol for symbol in symbols.get(last, ()) if re.search(rf"(?<![A-Za-z_]){crate}(?![A-Za-z_])", symbol)]
            # Another version of the crate may be linked as well: the path of its source tells.
            other = lambda symbol: (place := sources.get(symbol, "")) and f"/{finding['package']}-" in place and f"/{finding['package']}-{finding['version']}/" not in place
            if one["answer"] == "absent" and (there := [symbol for symbol in having(has_code) + having(has_symbol) if not other(symbol)]):
                wrong.append(f"{name} {version}: absent: {one['function']}, and {there[0]} has code")
            elif one["answer"] == "linked" and not having(has_symbol) and not re.search(r"`\w+`", one["why"]):
                wrong.append(f"{name} {version}: linked: {one['function']}: {one['why']}, and no such function has code")
            if is_real:
                print(f"  {finding['ids'][0]} {one['function']}: {one['answer']}: {one['why']}", file=sys.stderr)
    return real, invented, wrong, places


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("tool", "work", "advisory-db"):
        parser.add_argument(f"--{option}", type=lambda text: pathlib.Path(text).resolve(), required=True)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--slot", action="append", default=[])
    parser.add_argument("--sample", type=int, default=30)
    parser.add_argument("crates", nargs="*", default=DEFAULT)
    arguments = parser.parse_args()
    lines = ["| program | real advisories with reach | their functions: linked, absent, unknown | invented: linked, absent, unknown | wrong |", "|---|---|---|---|---|"]
    failures = []
    for name, version in (crate.split("=") for crate in arguments.crates):
        print(f"{name} {version}", file=sys.stderr, flush=True)
        real, invented, wrong, places = judge(arguments, name, version)
        shown = lambda counts: ", ".join(str(counts[answer]) for answer in ("linked", "absent", "unknown"))
        listed = ", ".join(f"{count} {answer}" for answer, count in sorted(places.items())) or "none"
        lines.append(f"| {name} {version} | {listed} | {shown(real)} | {shown(invented)} | {len(wrong)} |")
        failures += wrong
        print("\n".join([lines[-1], *wrong]), file=sys.stderr, flush=True)
        if arguments.out:
            arguments.out.write_text("\n".join(lines) + "\n")
    print("\n".join([*lines, "", *failures]))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
