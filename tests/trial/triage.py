#!/usr/bin/env python3
"""Trial of advisories, sources and triage with published data.

    triage.py --tool PATH --data DIR --work DIR [--audit CARGO_AUDIT] [--deny CARGO_DENY] [--lockfiles DIR]

DATA holds what the public sources publish: advisory-db/ (RustSec), kev/, cve/, ssvc/, openssl_src_lines.csv, and tables of expected results
(rustsec_cvss_scores.csv, rustsec_triage_expected.csv). What is not there is skipped, and said. Everything goes through the real binary: `check`
over lockfiles that are made here; with --audit and --lockfiles (NAME/Cargo.lock) the findings are held against cargo-audit's; with --deny (NAME is
a whole package then, fetched) against cargo-deny's, which looks at the packages that some feature activates: what is only locked is counted apart.
"""
import argparse
import csv
import datetime
import filecmp
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import bench

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
CISA = "134c704f-9b21-4f2e-91b3-4a467353bcc0"
FAILED = []


def say(what, wrong):
    print(f"{'ok  ' if not wrong else 'FAIL'} {what}")
    for line in list(wrong)[:10]:
        print(f"     {line}")
    FAILED.extend(wrong)


class Trial:
    def __init__(self, arguments):
        self.tool, self.data, self.work = arguments.tool, arguments.data, arguments.work

    def project(self, packages, policy=""):
        folder = self.work / "project"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "src").mkdir(parents=True)
        (folder / "src/lib.rs").write_text("")
        asked = "".join(f'p{number} = {{ package = "{name}", version = "={version}" }}\n' for number, (name, version) in enumerate(packages))
        (folder / "Cargo.toml").write_text(f'[package]\nname = "trial"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n{asked}')
        named = "".join(f' "{name} {version}",\n' for name, version in sorted(packages))
        lock = f'version = 4\n\n[[package]]\nname = "trial"\nversion = "0.1.0"\ndependencies = [\n{named}]\n'
        for name, version in sorted(packages):
            lock += f'\n[[package]]\nname = "{name}"\nversion = "{version}"\nsource = "{CRATES_IO}"\nchecksum = "{"0" * 64}"\n'
        (folder / "Cargo.lock").write_text(lock)
        (folder / "supplychain.toml").write_text('[advisories]\nmax-age = "none"\n' + policy)
        return folder

    def check(self, folder, database, *more, area="advisories"):
        command = [self.tool, "supplychain", "check", "--offline", "--format", "json", "--only", area, "--cache-dir", self.work / "cache",
                   "--advisory-db", database, *more]
        # An index of nobody's: these lockfiles are made up, and nothing is planned.
        env = {**os.environ, "CARGO_HOME": str(self.work / "cargo-home")}
        result = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, env=env)
        if not result.stdout.startswith("{"):
            sys.exit(f"check says nothing: {result.stderr[-2000:]}")
        report = json.loads(result.stdout)
        return report if "findings" in report else sys.exit(f"check fails: {report}")

    def database(self, advisories):
        folder = self.work / "database"
        shutil.rmtree(folder, ignore_errors=True)
        for number, package, fields in advisories:
            path = folder / "crates" / package / f"RUSTSEC-2099-{number:04}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'```toml\n[advisory]\nid = "RUSTSEC-2099-{number:04}"\npackage = "{package}"\ndate = "2026-08-20"\n{fields}\n'
                            '[versions]\npatched = []\n```\n\n# Trial\n')
        return folder


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def scores(trial):
    wanted = rows(trial.data / "rustsec_cvss_scores.csv")
    database = trial.database((n, f"c{n}", f'cvss = "{row["vector"]}"') for n, row in enumerate(wanted))
    folder = trial.project([(f"c{n}", "1.0.0") for n in range(len(wanted))], "[triage]\npublicly-exposed = true\n")
    found = {one["package"]: one for one in trial.check(folder, database)["findings"]}
    wrong = []
    for n, row in enumerate(wanted):
        rating = found[f"c{n}"]["triage"]["ratings"][0]
        score = round(float(row["score"]) * 10) or None
        severity = {"none": "high"}.get(row["severity"].lower(), row["severity"].lower())
        if rating["score"] != score or found[f"c{n}"]["severity"] != severity:
            wrong.append(f"{row} {rating} {found[f'c{n}']['severity']}")
    say(f"{len(wanted)} CVSS vectors have their published score and band", wrong)


def outcomes(trial):
    wanted = rows(trial.data / "rustsec_triage_expected.csv")
    database = trial.database((n, f"c{n}", f'aliases = ["{row["cve"]}"]') for n, row in enumerate(wanted))
    feeds = ["--feed", f"cve={trial.data / 'cve'}", "--feed", f"kev={trial.data / 'kev/known_exploited_vulnerabilities.json'}"]
    cases = [("cisa-bod-26-04", "publicly-exposed = false", "bod2604_exposed_no"), ("cisa-bod-26-04", "publicly-exposed = true", "bod2604_exposed_yes")]
    cases += [("cisa-coordinator", f'mission-and-well-being = "{word}"', f"cisa_coord_mwb_{word}") for word in ("low", "medium", "high")]
    wrong = []
    for table, answer, column in cases:
        folder = trial.project([(f"c{n}", "1.0.0") for n in range(len(wanted))], f'[triage]\ntable = "{table}"\n{answer}\n')
        found = {one["package"]: one for one in trial.check(folder, database, *feeds)["findings"]}
        for n, row in enumerate(wanted):
            got = found[f"c{n}"]["triage"]["outcomes"]
            if got != [row[column]]:
                wrong.append(f"{row['cve']} {column}: {got}, not {row[column]}")
    say(f"{len(wanted)} rows x {len(cases)} answers of two tables have their published outcome", wrong)


def record(cve, exploitation, automatable, impact):
    options = [{"Exploitation": exploitation}, {"Automatable": automatable}, {"Technical Impact": impact}]
    content = {"role": "trial", "version": "2.0.3", "timestamp": "2026-01-01T00:00:00Z", "options": options}
    adp = {"providerMetadata": {"orgId": CISA}, "metrics": [{"other": {"type": "ssvc", "content": content}}]}
    return {"dataType": "CVE_RECORD", "cveMetadata": {"cveId": cve, "state": "PUBLISHED", "dateUpdated": "2026-01-01T00:00:00Z"},
            "containers": {"cna": {"providerMetadata": {"orgId": "x"}}, "adp": [adp]}}


def table_rows(path):
    with open(path, newline="") as file:
        header, *body = list(csv.reader(file))
    names = [re.sub(r" v\d.*", "", name) for name in header[1:-1]]
    return [(dict(zip(names, row[1:-1])), row[-1]) for row in body]


KEYS = {"Mission and Well-Being Impact": "mission-and-well-being", "System Exposure": "system-exposure", "Value Density": "value-density",
        "Public Safety Impact": "public-safety-impact", "Safety Impact": "safety-impact", "Mission Impact": "mission-impact",
        "Publicly Exposed": "publicly-exposed"}


def tables(trial):
    """Every combination of what records and catalogue can say, under every combination of the project's answers."""
    published = trial.data / "ssvc"
    ours = pathlib.Path(__file__).parents[2] / "cargo-supplychain/src/model/ssvc"
    say("the tables are byte by byte as published", [str(file) for file in ours.iterdir() if not filecmp.cmp(file, published / file.name, shallow=False)])
    signals = list(itertools.product(("none", "poc", "active"), ("no", "yes"), ("partial", "total"), ("no", "yes")))
    records, listed = trial.work / "records", []
    shutil.rmtree(records, ignore_errors=True)
    records.mkdir()
    for n, (exploitation, automatable, impact, exploited) in enumerate(signals):
        cve = f"CVE-2099-{n:04}"
        (records / f"{cve}.json").write_text(json.dumps(record(cve, exploitation, automatable, impact)))
        if exploited == "yes":
            listed.append({"cveID": cve, "vendorProject": "v", "product": "p", "vulnerabilityName": "n", "dateAdded": "2026-01-01"})
    catalogue = trial.work / "catalogue.json"
    catalogue.write_text(json.dumps({"catalogVersion": "1", "dateReleased": "2026-01-01T00:00:00Z", "count": len(listed), "vulnerabilities": listed}))
    database = trial.database((n, f"c{n}", f'aliases = ["CVE-2099-{n:04}"]') for n in range(len(signals)))
    human = table_rows(published / "human_impact_1_0_0.csv")
    utility = table_rows(published / "utility_1_0_0.csv")
    files = {"cisa-bod-26-04": "cisa_bod_26_04_1_0_0", "cisa-coordinator": "cisa_coordinator_2_0_3",
             "deployer": "deployer_patch_application_priority_1_0_0", "supplier": "supplier_patch_development_priority_1_0_0"}
    for table, name in files.items():
        expected = table_rows(published / f"{name}.csv")
        own = [point for point in expected[0][0] if point in KEYS]
        own += {"deployer": ["Safety Impact", "Mission Impact"], "supplier": ["Value Density"]}.get(table, [])
        values = {point: sorted({row[point] for row, _ in [*expected, *human, *utility] if point in row}) for point in own}
        hit, wrong = set(), []
        for answers in itertools.product(*values.values()):
            given = dict(zip(own, answers))
            lines = "".join(f"{KEYS[p]} = {({'yes': 'true', 'no': 'false'}[v]) if p == 'Publicly Exposed' else json.dumps(v)}\n" for p, v in given.items())
            folder = trial.project([(f"c{n}", "1.0.0") for n in range(len(signals))], f'[triage]\ntable = "{table}"\n{lines}')
            found = {one["package"]: one for one in trial.check(folder, database, "--feed", f"cve={records}", "--feed", f"kev={catalogue}")["findings"]}
            for n, (exploitation, automatable, impact, exploited) in enumerate(signals):
                known = {**given, "In KEV": exploited, "Automatable": automatable, "Technical Impact": impact,
                         "Exploitation": "active" if exploited == "yes" else {"poc": "public poc"}.get(exploitation, exploitation)}
                for beneath, below in (("Human Impact", human), ("Utility", utility)):
                    known.update({beneath: out for row, out in below if all(known.get(p) == v for p, v in row.items())})
                index, outcome = next((i, out) for i, (row, out) in enumerate(expected) if all(known[p] == v for p, v in row.items()))
                hit.add(index)
                if found[f"c{n}"]["triage"]["outcomes"] != [outcome]:
                    wrong.append(f"{known}: {found[f'c{n}']['triage']['outcomes']}, not {outcome}")
        wrong += [f"row {index} was never asked" for index in set(range(len(expected))) - hit]
        say(f"{table}: every one of {len(expected)} rows has its outcome", wrong)


def exploited(trial):
    feed = ["--feed", f"kev={trial.data / 'kev/known_exploited_vulnerabilities.json'}"]
    wrong = []
    for version, expected in (("0.9.2", ["advisory/known-exploited"]), ("0.9.3", [])):
        report = trial.check(trial.project([("libwebp-sys", version)]), trial.data / "advisory-db", *feed)
        got = [one["id"] for one in report["findings"] if one["package"] == "libwebp-sys"]
        if got != expected:
            wrong.append(f"libwebp-sys {version}: {got}")
    folder = trial.project([])
    workflow = folder / ".github/workflows/w.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("on: push\njobs: {a: {runs-on: x, steps: [{uses: tj-actions/changed-files@v45}, {uses: tj-actions/changed-files@v46.0.1}]}}\n")
    report = trial.check(folder, trial.data / "advisory-db", *feed, area="workflows")
    got = [one["ids"] for one in report["findings"] if one["id"] == "workflow/known-exploited-action"]
    if got != [["CVE-2025-30066"]]:
        wrong.append(f"tj-actions/changed-files: {got}")
    say("KEV fires on libwebp-sys 0.9.2 and tj-actions/changed-files@v45, not on 0.9.3 and v46.0.1", wrong)


def order(version):
    numbers, letters = re.fullmatch(r"([\d.]+)([a-z]*)", version).groups()
    return [int(part) for part in numbers.split(".")], len(letters), letters


def openssl(trial):
    """openssl-src by OpenSSL's own records and lines, beside an implementation of its own."""
    ranges = {}
    for file in sorted((trial.data / "cve").glob("*.json")):
        cna = json.loads(file.read_text())["containers"]["cna"]
        for version in (v for a in cna.get("affected", []) if a.get("product") == "OpenSSL" for v in a["versions"] if v["status"] == "affected"):
            prose = re.search(r"\(Affected ([^-)]+)(?:-([^)]+))?\)", version["version"])
            bounds = (prose[1], None, prose[2] or prose[1]) if prose else (version["version"], version.get("lessThan"), version.get("lessThanOrEqual"))
            ranges.setdefault(file.stem, []).append(bounds)
    lines = [row for row in rows(trial.data / "openssl_src_lines.csv") if row["bundled_version"] and re.fullmatch(r"[\d.]+[a-z]*", row["bundled_version"])]
    cycles = {row["release_line"]: row["line_eol"] for row in lines if row["line_eol"]}
    ends = trial.work / "eol.json"
    ends.write_text(json.dumps({"openssl": [{"cycle": line, "eol": day} for line, day in cycles.items()]}))
    folder_of = lambda row: trial.project([("openssl-src", row["crate_version"])])
    empty = trial.database([(1, "nothing", "")])
    now, wrong, hits = "2026-11-23", [], 0
    for row in lines:
        version = order(row["bundled_version"])
        expected = {cve for cve, all_ranges in ranges.items() for low, before, through in all_ranges
                    if order(low) <= version and (not before or version < order(before)) and (not through or version <= order(through))}
        report = trial.check(folder_of(row), empty, "--now", now, "--feed", f"cve={trial.data / 'cve'}", "--feed", f"eol={ends}")
        got = {one["ids"][0] for one in report["findings"] if one["id"] == "advisory/native-vulnerability"}
        ended = any(one["id"] == "advisory/end-of-life" and one["package"] == "openssl-src" for one in report["findings"])
        hits += len(got)
        if got != expected or ended != bool(row["line_eol"] and row["line_eol"] <= now):
            wrong.append(f"{row['crate_version']}: {sorted(got)} not {sorted(expected)}, ended {ended} ({row['line_eol']})")
        if row["crate_version"] == "300.3.0+3.3.0" and got != {"CVE-2024-4603", "CVE-2024-5535", "CVE-2024-6119", "CVE-2024-9143"}:
            wrong.append(f"300.3.0+3.3.0: {sorted(got)}")
    say(f"{len(lines)} releases of openssl-src have exactly their CVEs ({hits}) and ends of lines", wrong)


def audit(trial, program, lockfiles):
    database, wrong, total = trial.data / "advisory-db", [], 0
    for lockfile in sorted(lockfiles.glob("*/Cargo.lock")):
        command = [program, "audit", "--json", "--no-fetch", "--stale", "--db", database, "--file", lockfile]
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        answer = json.loads(result.stdout)
        theirs = list(answer["vulnerabilities"]["list"]) + [one for kind in answer["warnings"].values() for one in kind if one.get("advisory")]
        theirs = {(one["advisory"]["id"], one["package"]["name"], one["package"]["version"]) for one in theirs}
        ours = findings(trial, lockfile, database)
        total += len(theirs)
        print(f"     {lockfile.parent.name}: {len(ours)} ours, {len(theirs)} cargo-audit's")
        wrong += [f"{lockfile.parent.name}: only {side}: {one}" for side, those in (("ours", ours - theirs), ("theirs", theirs - ours)) for one in sorted(those)]
    say(f"{total} findings of cargo-audit are ours, and no other", wrong)


def findings(trial, lockfile, database):
    report = trial.check(lockfile.parent, database, "--policy", trial.work / "none.toml")
    return {(one["ids"][0], one["package"], one["version"]) for one in report["findings"] if one["id"].startswith("advisory/") and one.get("ids")}


def activated(manifest):
    """What some feature activates on some platform, by `cargo tree`: `cargo metadata` lists weak dependencies (`name?/feature`) that nothing does."""
    command = ["cargo", "tree", "--offline", "--locked", "--all-features", "--target", "all", "--edges", "normal,build,dev", "--prefix", "none",
               "--format", "{p}", "--manifest-path", str(manifest)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {(words[0], words[1].lstrip("v")) for words in map(str.split, lines) if len(words) > 1}


def deny(trial, program, lockfiles):
    database, wrong, total, apart = trial.data / "advisory-db", [], 0, 0
    shutil.rmtree(trial.work / "deny", ignore_errors=True)
    (trial.work / "deny").mkdir()
    config, _ = bench.deny_config(trial.work / "deny", database)
    # Else it tells of what is unsound or unmaintained only where the workspace itself asks for it.
    config.write_text(config.read_text().replace("[advisories]\n", '[advisories]\nunmaintained = "all"\nunsound = "all"\n'))
    for lockfile in sorted(lockfiles.glob("*/Cargo.lock")):
        manifest = lockfile.parent / "Cargo.toml"
        command = [program, "--offline", "--all-features", "--config", config, "--manifest-path", manifest, "--format", "json", "check", "advisories"]
        lines = subprocess.run([str(part) for part in command], capture_output=True, text=True).stderr.splitlines()
        said = [json.loads(line)["fields"] for line in lines if line.startswith("{") and '"diagnostic"' in line]
        theirs = {(one["advisory"]["id"], krate["Krate"]["name"], krate["Krate"]["version"])
                  for one in said if one.get("advisory") for krate in one["graphs"]}
        if not any('"summary"' in line for line in lines):
            sys.exit(f"cargo-deny did not end well for {manifest}: {lines[-3:]}")
        ours, there = findings(trial, lockfile, database), activated(manifest)
        here = {one for one in ours if one[1:] in there}
        total, apart = total + len(theirs), apart + len(ours - here)
        print(f"     {lockfile.parent.name}: {len(here)} ours, {len(theirs)} cargo-deny's; {len(ours - here)} more of packages that are only locked")
        wrong += [f"{lockfile.parent.name}: only {side}: {one}" for side, those in (("ours", here - theirs), ("theirs", theirs - here)) for one in sorted(those)]
    say(f"{total} findings of cargo-deny are ours, and no other but {apart} of packages that are only locked", wrong)


def loads(trial):
    folder = trial.project([("libc", "0.2.0")])
    report = trial.check(folder, trial.data / "advisory-db")
    unmade = [one for one in report["not_evaluated"] if one["check"] == "advisories" and one["required"]]
    files = len(list((trial.data / "advisory-db/crates").glob("*/RUSTSEC-*.md"))) + len(list((trial.data / "advisory-db/rust").glob("*/*.md")))
    say(f"the database of {files} advisories loads", [str(one) for one in unmade])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", type=lambda text: pathlib.Path(text).resolve(), required=True)
    parser.add_argument("--data", type=lambda text: pathlib.Path(text).resolve(), required=True)
    parser.add_argument("--work", type=lambda text: pathlib.Path(text).resolve(), required=True)
    parser.add_argument("--audit")
    parser.add_argument("--deny")
    parser.add_argument("--lockfiles", type=lambda text: pathlib.Path(text).resolve())
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    (arguments.work / "none.toml").write_text('[advisories]\nmax-age = "none"\n')
    trial = Trial(arguments)
    parts = [(loads, "advisory-db"), (scores, "rustsec_cvss_scores.csv"), (outcomes, "rustsec_triage_expected.csv"), (tables, "ssvc"),
             (exploited, "kev"), (openssl, "openssl_src_lines.csv")]
    for part, needs in parts:
        if (trial.data / needs).exists():
            part(trial)
        else:
            print(f"skip {part.__name__}: {needs} is not in {trial.data}")
    if arguments.audit and arguments.lockfiles:
        audit(trial, arguments.audit, arguments.lockfiles)
    else:
        print("skip the comparison with cargo-audit: --audit and --lockfiles were not given")
    if arguments.deny and arguments.lockfiles:
        deny(trial, arguments.deny, arguments.lockfiles)
    else:
        print("skip the comparison with cargo-deny: --deny and --lockfiles were not given")
    sys.exit(f"{len(FAILED)} wrong" if FAILED else 0)


if __name__ == "__main__":
    main()
