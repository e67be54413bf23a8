#!/usr/bin/env python3
"""Trial: what advisories and all sources cost a check, beyond reading the lockfile.

    advisory_cost.py --tool PATH --data DIR --work DIR [--packages N] [--limit MILLISECONDS]

A lockfile of N packages (1,000) is judged with an empty database and no source, and with the database of DATA/advisory-db and every kind of source: the
catalogue and records of DATA, and scores (300,000 rows), OSV records (2,500 in a zip), titles and release lines that are made here. Warm: everything was
read once before. CPU time of the process and its children (`cargo metadata`, which is the same in all), in turns: the median of the
differences of rounds, because one run differs from the next by more than advisories cost; the limit (50) is for it.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import zipfile

import triage


def sources(trial):
    work, data = trial.work, trial.data
    scores = work / "epss.csv"
    rows = "".join(f"CVE-{2000 + n % 27}-{10000 + n},0.{n % 99999:05},0.5\n" for n in range(300_000))
    scores.write_text("#model_version:v2026.06.15,score_date:2026-11-20T00:00:00Z\ncve,epss,percentile\n" + rows)
    with zipfile.ZipFile(work / "osv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(2500):
            affected = {"package": {"ecosystem": "crates.io", "name": f"c{n}"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.0.0"}]}]}
            record = {"id": f"GHSA-{n}", "modified": "2026-11-20T00:00:00Z", "aliases": [f"CVE-2026-{10000 + n}"], "summary": "s" * 200, "affected": [affected]}
            archive.writestr(f"GHSA-{n}.json", json.dumps(record))
    items = "".join(f'<item><title>t{n}</title><s:identifier>JVNDB-2026-{n:06}</s:identifier><s:references source="CVE" id="CVE-2026-{10000 + n}">u</s:references></item>' for n in range(5000))
    (work / "jvn.rdf").write_text(f'<r xmlns:s="u">{items}</r>')
    (work / "lines.json").write_text(json.dumps({"openssl": [{"cycle": "3.6", "eol": "2026-11-01"}]}))
    places = {"kev": data / "kev/known_exploited_vulnerabilities.json", "cve": data / "cve", "epss": scores, "osv": work / "osv.zip",
              "jvn": work / "jvn.rdf", "eol": work / "lines.json"}
    return [part for kind, place in places.items() for part in ("--feed", f"{kind}={place}")]


def cost(command, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "CI": "", "CARGO_HOME": str(folder.parent / "cargo-home")})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tool", "data", "work"):
        parser.add_argument(f"--{name}", type=lambda text: pathlib.Path(text).resolve(), required=True)
    parser.add_argument("--packages", type=int, default=1000)
    parser.add_argument("--limit", type=float, default=50)
    parser.add_argument("--rounds", type=int, default=41)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    trial = triage.Trial(arguments)
    with open(arguments.data / "popular-crates.csv") as file:
        names = [line.split(",")[0] for line in file][1:arguments.packages + 1]
    folder = trial.project([(name, "0.1.0") for name in names])
    empty = trial.database([(1, "nothing", "")])
    command = [str(part) for part in (arguments.tool, "supplychain", "check", "--offline", "--format", "json", "--only", "advisories", "--cache-dir", arguments.work / "cache")]
    of_the_day = ["--advisory-db", str(arguments.data / "advisory-db")]
    variants = [["--advisory-db", str(empty)], of_the_day, [*of_the_day, *sources(trial)]]
    rounds = [[cost([*command, *variant], folder) for variant in variants] for _ in range(arguments.rounds + 1)][1:]
    least, database, everything = (statistics.median(column) for column in zip(*rounds))
    differences = sorted(row[2] - row[0] for row in rounds)
    difference, quarter = statistics.median(differences), len(differences) // 4
    print(f"{len(names)} packages: {least:.0f} ms without, {database:.0f} ms with the database, {everything:.0f} ms with all sources")
    print(f"the database and all sources: {difference:.0f} ms of CPU (quartiles {differences[quarter]:.0f} and {differences[-1 - quarter]:.0f})")
    sys.exit(f"more than {arguments.limit} ms" if difference > arguments.limit else 0)


if __name__ == "__main__":
    main()
