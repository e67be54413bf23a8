#!/usr/bin/env python3
"""Trial on published crates: several versions of each are built into signed releases, archived, and asked.

    archive_real.py --tool PATH --work DIR --advisory-db DIR --audit CARGO_AUDIT [--duckdb] [--out FILE.md] [--slot PROGRAM] [NAME=VERSION ...]

cargo-audit reads the lockfile that is archived with each release. For every advisory that it names for any of them, and for fifty of the
database that it names for none, `affected` has to name exactly the releases that cargo-audit says, and the same ones in the exported tables
(`--duckdb`: with the SQL of docs/archive-index.md). `rescan --all` has to name the same pairs of advisory and component.
Builds are cheap ones (no optimisation): what is asked is in the lockfile and in what is linked. Needs the registry, and minutes to an hour.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys

import real_crates

DEFAULT = ["hyperfine=1.12.0", "hyperfine=1.15.0", "hyperfine=1.19.0", "fd-find=8.3.2", "fd-find=8.7.1", "fd-find=10.2.0",
           "ripgrep=13.0.0", "ripgrep=14.1.1", "hexyl=0.9.0", "hexyl=0.14.0", "tokei=12.0.4", "tokei=12.1.2", "sd=0.7.6", "sd=1.0.0"]
CHEAP = {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "0", "CARGO_PROFILE_RELEASE_DEBUG": "0", "CARGO_PROFILE_RELEASE_LTO": "off",
         "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16", "CARGO_PROFILE_RELEASE_PANIC": "unwind"}


def run(command, codes=(0,), **options):
    result = subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)
    if codes is not None and result.returncode not in codes:
        sys.exit(f"{command}: exit {result.returncode}\n{result.stdout[-3000:]}{result.stderr[-3000:]}")
    return result


def built(arguments, name, version):
    """The release folder of a published version."""
    folder = real_crates.fetch(name, version, arguments.work / "crates")
    releases = folder / "target" / "supplychain"
    done = sorted(releases.glob(f"*-{version}-*")) if releases.is_dir() else []
    if not done:
        command = [*arguments.slot, arguments.tool, "supplychain", "build", "--offline", "--fail-on", "none", "--sandbox", "off", "--bins",
                   "--advisory-db", arguments.advisory_db, "--key", arguments.work / "trial.pem", "--clean"]
        run(command, codes=(0,), cwd=folder, env={**os.environ, **CHEAP})
        done = sorted(releases.glob(f"*-{version}-*"))
    return done[0]


def audited(arguments, lockfile):
    """(advisory, package, version) that cargo-audit names for a lockfile."""
    command = [arguments.audit, "audit", "--json", "--no-fetch", "--stale", "--db", arguments.advisory_db, "--file", lockfile]
    result = run(command, codes=(0, 1))
    if not result.stdout.startswith("{"):
        sys.exit(f"cargo-audit says nothing of {lockfile}: {result.stderr[-600:]}")
    answer = json.loads(result.stdout)
    entries = list(answer["vulnerabilities"]["list"])
    for kind, warnings in answer["warnings"].items():
        entries += [one for one in warnings if one.get("advisory")]
    return {(one["advisory"]["id"], one["package"]["name"], one["package"]["version"]) for one in entries}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    path = lambda text: pathlib.Path(text).resolve()
    parser.add_argument("--tool", required=True, type=path)
    parser.add_argument("--work", required=True, type=path)
    parser.add_argument("--advisory-db", required=True, type=path)
    parser.add_argument("--audit", required=True, type=path)
    parser.add_argument("--duckdb", action="store_true")
    parser.add_argument("--slot", nargs="*", default=[], help="what builds are started through")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("crates", nargs="*", default=DEFAULT)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    key = arguments.work / "trial.pem"
    if not key.exists():
        run([arguments.tool, "supplychain", "key", "generate", "--output", key])
    archive, common = arguments.work / "archive", ["--offline", "--cache-dir", arguments.work / "cache"]
    releases, said, skipped = {}, {}, []
    for crate in arguments.crates:
        name, version = crate.split("=")
        try:
            releases[crate] = built(arguments, name, version)
        except (SystemExit, subprocess.CalledProcessError, StopIteration) as error:
            skipped.append(f"{crate}: {str(error).strip().splitlines()[-1][:150]}")
            continue
        run([arguments.tool, "supplychain", "archive", "add", releases[crate], "--archive", archive, "--key", arguments.work / "trial.pub", *common])
        print(crate, "is archived", flush=True)
    for release in releases.values():
        listed = json.loads((release / "release.json").read_text())
        said[(listed["name"], listed["version"])] = audited(arguments, release / "evidence" / "Cargo.lock")
    where = collections.defaultdict(set)
    for release, hits in said.items():
        for advisory, package, version in hits:
            where[advisory].add((*release, package, version))
    others = sorted({file.stem for file in (arguments.advisory_db / "crates").rglob("RUSTSEC-*.md")} - set(where))
    asked = sorted(where) + random.Random(1).sample(others, 50)
    wrong, unknown = [], 0
    asking = ["--archive", archive, "--advisory-db", arguments.advisory_db, *common, "--policy", arguments.work / "policy.toml"]
    (arguments.work / "policy.toml").write_text('[advisories]\nmax-age = "none"\n')
    for advisory in asked:
        result = run([arguments.tool, "supplychain", "affected", advisory, "--format", "json", *asking], codes=(0, 1, 4))
        if result.returncode == 4:
            # Withdrawn: cargo-audit does not name it either.
            unknown += advisory not in where
            wrong += [advisory] if advisory in where else []
            continue
        answer = json.loads(result.stdout)
        named = {(one["name"], one["version"], component["name"], component["version"]) for one in answer["releases"] for component in one["components"]}
        if named != where.get(advisory, set()):
            wrong.append(f"{advisory}: only we {sorted(named - where[advisory])}, only cargo-audit {sorted(where[advisory] - named)}")
    rescan = json.loads(run([arguments.tool, "supplychain", "rescan", "--all", "--no-record", "--format", "json", *asking], codes=(0, 1)).stdout)
    by_entry = {one["sequence"]: (one["name"], one["version"]) for one in rescan["releases"]}
    pairs = {(*by_entry[one["sequence"]], finding["package"], finding["version"], finding["advisory"])
             for finding in rescan["findings"] for one in finding["releases"]}
    if pairs != {(*rest, advisory) for advisory, places in where.items() for rest in places}:
        wrong.append("rescan --all names other pairs than cargo-audit")
    if arguments.duckdb:
        wrong += by_sql(arguments, archive, common, asking)
    lines = [f"{len(said)} releases of {len({name for name, _ in said})} crates; {len(where)} advisories that cargo-audit names in any, "
             f"{sum(len(hits) for hits in said.values())} pairs; {len(asked)} asked, {unknown} withdrawn; {len(wrong)} answers differ."]
    lines += [f"- wrong: {one}" for one in wrong] + [f"- not built: {one}" for one in skipped]
    lines += ["", "| release | advisories by cargo-audit, each named by `affected` |", "|---|---|"] if said else []
    for (name, version), hits in sorted(said.items()):
        lines.append(f"| {name} {version} | {' '.join(sorted({advisory for advisory, _, _ in hits})) or 'none'} |")
    print("\n".join(lines))
    if arguments.out:
        arguments.out.write_text("\n".join(lines) + "\n")
    sys.exit(bool(wrong) or len({name for name, _ in said}) < 5)


def by_sql(arguments, archive, common, asking):
    """The same answers out of the exported tables."""
    import duckdb
    tables = arguments.work / "tables"
    run([arguments.tool, "supplychain", "archive", "index", "export", tables, "--archive", archive, *common])
    connection = duckdb.connect()
    names = [name for (name,) in connection.sql(f"SELECT DISTINCT name FROM '{tables}/components/*.parquet' ORDER BY 1").fetchall()]
    wrong = []
    for name in names[::7]:
        for bound in ("0.3.0", "1.0.100", "2.0.0"):
            major, minor, patch = bound.split(".")
            sql = f"""SELECT r.name, r.version, c.version, c.part, u.path, u.role FROM '{tables}/components/*.parquet' c
                      JOIN '{tables}/releases/*.parquet' r USING (sequence)
                      LEFT JOIN '{tables}/uses/*.parquet' u USING (sequence, purl)
                      WHERE c.name = '{name}' AND ((c.major, c.minor, c.patch) < ({major}, {minor}, {patch})
                      OR ((c.major, c.minor, c.patch) = ({major}, {minor}, {patch}) AND c.pre <> ''))"""
            by_tables = set(connection.sql(sql).fetchall())
            result = run([arguments.tool, "supplychain", "affected", f"pkg:cargo/{name}@<{bound}", "--format", "json", *asking], codes=(0, 1))
            ours = set()
            for release in json.loads(result.stdout)["releases"]:
                for one in release["components"]:
                    for use in one["uses"] or [{"path": None, "role": None}]:
                        ours.add((release["name"], release["version"], one["version"], one["part"], use["path"], use["role"]))
            if by_tables != ours:
                wrong.append(f"SQL for {name} <{bound}: {sorted(by_tables ^ ours, key=str)[:3]}")
    return wrong


if __name__ == "__main__":
    main()
