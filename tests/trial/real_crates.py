#!/usr/bin/env python3
"""Trial on published crates: fetch, build into a signed release, judge, verify, spoil.

    real_crates.py --tool PATH --work DIR [--advisory-db DIR] [--out FILE.md] [NAME=VERSION ...]

For each crate: packages in its lockfile, components linked, build-only and resolved only, seconds of cargo and of ours, agreement with
cargo's unit graph (unit_graph.py), validity of every document (../judges/), `sha256sum -c`, `verify`, and whether a change of one byte of
any file of the folder, a file added and a file removed are each rejected and named. Needs the registry and minutes to hours.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import unit_graph

HERE = pathlib.Path(__file__).resolve().parent
DEFAULT = ["ripgrep=14.1.1", "hyperfine=1.19.0", "bat=0.25.0", "cargo-audit=0.21.2", "zizmor=1.5.2", "nu=0.103.0"]


def run(command, **options):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)


def fetch(name, version, work):
    """The published crate with its own lockfile, copied out of the registry."""
    folder = work / f"{name}-{version}"
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "src").mkdir()
        (scratch / "src" / "lib.rs").touch()
        (scratch / "Cargo.toml").write_text(
            f'[package]\nname = "scratch"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n{name} = "={version}"\n')
        subprocess.run(["cargo", "fetch", "--quiet"], cwd=scratch, check=True, stderr=subprocess.DEVNULL)
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    source = next((home / "registry" / "src").glob(f"*/{name}-{version}"))
    shutil.copytree(source, folder)
    (folder / ".cargo-ok").unlink(missing_ok=True)
    subprocess.run(["cargo", "fetch", "--quiet", "--locked"], cwd=folder, check=True)
    return folder


def spoil(tool, release, key):
    """Every file with one byte changed, one file more, one file less: how many were tried, and what was not rejected by name."""
    problems, tried = [], 0

    def rejected(path):
        result = run([tool, "supplychain", "verify", release, "--key", key, "--format", "json"])
        named = [reason["path"] for one in json.loads(result.stdout)["results"] for reason in one.get("reasons", [])]
        if result.returncode != 3 or path not in named:
            problems.append(f"{path}: exit {result.returncode}, named {named}")

    files = sorted(path for path in release.rglob("*") if path.is_file())
    for file in files:
        size, name = file.stat().st_size, file.relative_to(release).as_posix()
        at = random.randrange(size)
        with open(file, "r+b") as handle:
            handle.seek(at)
            old = handle.read(1)
            handle.seek(at)
            handle.write(bytes([old[0] ^ (1 << random.randrange(8))]))
        rejected(name)
        with open(file, "r+b") as handle:
            handle.seek(at)
            handle.write(old)
        tried += 1
    extra = release / "evidence" / "extra"
    extra.write_text("x")
    rejected("evidence/extra")
    extra.unlink()
    for file in files:
        hidden = release.parent / "hidden"
        file.rename(hidden)
        rejected(file.relative_to(release).as_posix())
        hidden.rename(file)
    return tried + 1 + len(files), problems


def one(tool, name, version, arguments):
    work = arguments.work
    workspace = fetch(name, version, work)
    key = work / "key.pem"
    if not key.exists():
        subprocess.run([tool, "supplychain", "key", "generate", "--output", key, "-q"], check=True)
    command = [tool, "supplychain", "build", "--fail-on", "none", "--key", key, "--format", "json"]
    if not arguments.reuse:
        command.append("--clean")
    if arguments.advisory_db:
        command += ["--advisory-db", arguments.advisory_db]
    built = subprocess.run([str(part) for part in command], cwd=workspace, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(built.stdout)
    release = pathlib.Path(result["release"]["folder"])
    seconds = {stage["name"]: stage["seconds"] for stage in result["stages"]}
    build, judged = unit_graph.judge(workspace, release, [])
    row = {"crate": f"{name} {version}", "locked": (workspace / "Cargo.lock").read_text().count("[[package]]")}
    main = max(build["artifacts"], key=lambda artifact: len(artifact["linked"]))
    linked = {use["purl"] for use in main["linked"]}
    row["linked"] = len(linked)
    row["build only"] = len({use["purl"] for use in main["host"]} - linked)
    row["resolved only"] = len(build["resolved_only"])
    row["cargo s"] = f"{seconds.pop('build'):.1f}"
    row["ours s"] = f"{sum(seconds.values()):.2f}"
    exact = all(problem is None and theirs == mine
                for _, problem, linked, host, our_linked, our_host in judged for theirs, mine in ((linked, our_linked), (host, our_host)))
    row["unit graph"] = "1.000/1.000" if exact else "DIFFERS"
    row["gaps"] = len(build["gaps"])
    sums = run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=release)
    public = key.with_suffix(".pub")
    verified = run([tool, "supplychain", "verify", release, "--key", public])
    documents = run([sys.executable, HERE.parent / "judges" / "validate_documents.py", release])
    dsse = run([sys.executable, HERE.parent / "judges" / "verify_dsse.py", release, public])
    row["valid"] = "yes" if documents.returncode == 0 else "NO"
    row["verified"] = "yes" if (sums.returncode, verified.returncode, dsse.returncode) == (0, 0, 0) else "NO"
    tried, problems = spoil(tool, release, public)
    row["spoiled"] = f"{tried - len(problems)}/{tried}"
    for log in (documents, dsse, sums, verified):
        if log.returncode:
            print(log.stdout[-3000:], log.stderr[-3000:], file=sys.stderr)
    for problem in problems + ([] if exact else [str(judged)[:3000]]):
        print(f"{name}: {problem}", file=sys.stderr)
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--advisory-db", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--reuse", action="store_true", help="do not compile again what an earlier trial compiled")
    parser.add_argument("crates", nargs="*", default=DEFAULT)
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    arguments.work.mkdir(parents=True, exist_ok=True)
    tool = arguments.tool.resolve()
    rows = []
    for crate in arguments.crates:
        rows.append(one(tool, *crate.split("="), arguments))
        print(rows[-1], flush=True)
        head = list(rows[0])
        table = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        table += ["| " + " | ".join(str(row[column]) for column in head) + " |" for row in rows]
        if arguments.out:
            arguments.out.write_text("\n".join(table) + "\n")
    print("\n".join(table))
    bad = [row for row in rows if "DIFFERS" in row["unit graph"] or "NO" in (row["valid"], row["verified"])]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
