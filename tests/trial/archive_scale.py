#!/usr/bin/env python3
"""Trial of scale: archives of synthetic releases, made from real lockfiles, asked as PSIRTs ask.

    archive_scale.py --tool PATH --work DIR --advisory-db DIR [--audit CARGO_AUDIT [--audit-db DIR]] [--out FILE.md]
                     [--sizes 1000,10000] [--components 400] [--no-export] LOCKFILE...

For each size: seconds of the first full rescan (the index made from nothing), of a rescan on the day after with five new advisories, of
`affected` (20 whole processes: median and quickest, and CPU) for an advisory and for a crate, of the update by one release; size of index and Parquet tables.
Beside it, in turns, one scan of one lockfile by cargo-audit, which is what a user pays for each release without an archive, and a rescan of
the whole archive. `--audit-db` is a database that this cargo-audit can read, where it cannot read the other. Every answer of `affected` is
held against a walk through all releases. Archives are removed afterwards; 10,000 releases of 400 components take 2 GB.

The releases: fifty for each of size/50 products. A product takes `--components` crates of those that the lockfiles name, the ones that many
lockfiles name more often; crates are released at their own pace, and each release of a product takes the current versions of a tenth of its
crates. What is in which of two files, with which features, is drawn as well.
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
import tomllib

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
NEW = ["serde", "libc", "syn", "memchr", "bitflags"]


def canonical(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


class Archive:
    """Chain and objects, as docs/archive-format-v1.md has them."""

    def __init__(self, folder):
        self.folder, self.sequence, self.previous, self.prefixes = folder, 0, None, set()
        (folder / "log").mkdir(parents=True, mode=0o700)
        self.append("2020-01-01T00:00:00Z", {"kind": "begin", "nonce": "scale"})

    def catch_up(self):
        """What the tool appended since."""
        while (path := self.folder / "log" / entry_name(self.sequence + 1)).exists():
            self.sequence, self.previous = self.sequence + 1, hashlib.sha256(path.read_bytes()).hexdigest()

    def append(self, day, event):
        self.sequence += 1
        entry = {"format_version": 1, "sequence": self.sequence, "previous": self.previous, "time": day, "event": event}
        data = canonical({**entry, "sha256": hashlib.sha256(canonical(entry)).hexdigest()})
        (self.folder / "log" / entry_name(self.sequence)).write_bytes(data)
        self.previous = hashlib.sha256(data).hexdigest()

    def put(self, value):
        return self.put_bytes(canonical(value))

    def put_bytes(self, data):
        digest = hashlib.sha256(data).hexdigest()
        prefix = self.folder / "objects" / digest[:2]
        if prefix not in self.prefixes:
            prefix.mkdir(parents=True, exist_ok=True)
            self.prefixes.add(prefix)
        (prefix / digest).write_bytes(data)
        return digest


USES = {
    "both": [(0, "runtime", ["default", "std"]), (1, "runtime", ["default", "std"])],
    "one": [(0, "runtime", ["std"])],
    "build": [(0, "build", []), (1, "proc-macro", [])],
    "locked": [],
}


def component(name, version, uses):
    """(package URL, component of an inventory as canonical JSON)."""
    purl = f"pkg:cargo/{name}@{version}"
    value = {"purl": purl, "name": name, "version": version, "source": CRATES_IO,
             "checksum": hashlib.sha256(f"{name}{version}".encode()).hexdigest(), "license": "MIT OR Apache-2.0",
             "uses": [{"artifact": at, "role": role, "features": features} for at, role, features in uses]}
    return purl.encode(), canonical(value).rstrip()


def entry_name(sequence):
    return f"{sequence:010}.json"


def crates_of(lockfiles):
    """(name, version, checksum) of the crates of real lockfiles, and how many name each."""
    found, weight = {}, collections.Counter()
    for path in lockfiles:
        for package in tomllib.loads(pathlib.Path(path).read_text()).get("package", []):
            if package.get("source") == CRATES_IO:
                found[package["name"]] = (package["version"].split("+")[0].split("-")[0], package.get("checksum"))
                weight[package["name"]] += 1
    return found, weight


def day(number):
    return time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(1_577_836_800 + 86_400 * number))


def fill(archive, size, count, lockfiles, seed=1, prefix="product"):
    """Writes the releases; which releases have which (crate, version)."""
    draw = random.Random(seed)
    crates, weight = crates_of(lockfiles)
    names = sorted(crates)
    pace = {name: draw.choice([30, 60, 120, 240, 480, 2000]) for name in names}
    products = max(1, size // 50)
    chosen, versions, parts, written = [], [], [], collections.defaultdict(dict)
    for _ in range(products):
        keys = sorted(names, key=lambda name: draw.random() ** (1 / weight[name]))
        mine = sorted(keys[-count:])
        chosen.append(mine)
        versions.append({})
        parts.append({name: draw.choices(["both", "one", "build", "locked"], [50, 20, 20, 10])[0] for name in mine})
    where, span = collections.defaultdict(list), 2000
    for number in range(size):
        product, today = number % products, number * span // size
        current = versions[product]
        for name in chosen[product]:
            if name not in current or draw.random() < 0.1:
                major, minor, patch = crates[name][0].split(".")[:3]
                current[name] = f"{major}.{minor}.{int(patch) + today // pace[name]}"
                written[product][name] = component(name, current[name], USES[parts[product][name]])
        for name in chosen[product]:
            where[(name, current[name])].append(archive.sequence + 1)
        components = b",".join(text for _, text in sorted(written[product].values()))
        label, version = f"{prefix}-{product:04}", f"1.{number // products}.0"
        artifacts = [{"name": f"{label}{suffix}", "path": f"artifacts/{label}{suffix}",
                      "sha256": hashlib.sha256(f"{label}{suffix}{version}".encode()).hexdigest()} for suffix in ("", "-daemon")]
        before, after = canonical({"format_version": 1, "artifacts": artifacts, "components": [], "rustc": "1.95.0"}).split(b"[]", 1)
        inventory = archive.put_bytes(before + b"[" + components + b"]" + after)
        record = archive.put({"format_version": 1, "name": label, "version": version, "target": "x86_64-unknown-linux-gnu",
                              "files": [], "admission": {"kind": "unsigned"}, "trusted_roots": [], "feeds": [], "inventory": inventory})
        archive.append(day(today), {"kind": "release", "name": label, "version": version, "target": "x86_64-unknown-linux-gnu", "record": record})
    return where


def run(tool, arguments, work, codes):
    began = time.perf_counter()
    result = subprocess.run([tool, "supplychain", *map(str, arguments), "--offline", "--cache-dir", work / "cache",
                             "--policy", work / "policy.toml"], capture_output=True, text=True, cwd=work)
    took = time.perf_counter() - began
    if result.returncode not in codes:
        sys.exit(f"{arguments}: exit {result.returncode}\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    return took, result.stdout


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def advisory(folder, number, package):
    path = folder / "crates" / package / f"RUSTSEC-2099-{number:04}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'```toml\n[advisory]\nid = "RUSTSEC-2099-{number:04}"\npackage = "{package}"\ndate = "2026-11-01"\n\n'
                    f'[versions]\npatched = []\n```\n\n# Something in {package}\n\nText.\n')


def measure(arguments, size):
    work = arguments.work / str(size)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "policy.toml").write_text('[advisories]\nmax-age = "none"\n')
    database = work / "advisory-db"
    shutil.copytree(arguments.advisory_db, database, ignore=shutil.ignore_patterns(".git"))
    archive = Archive(work / "archive")
    began = time.perf_counter()
    where = fill(archive, size, arguments.components, arguments.lockfiles)
    row = {"releases": size, "distinct components": len(where), "archive bytes": size_of(work / "archive"),
           "seconds to write it": time.perf_counter() - began}
    common = ["--archive", work / "archive", "--advisory-db", database]
    row["first full rescan, s"], _ = run(arguments.tool, ["rescan", *common], work, (0, 1))
    row["index bytes"] = size_of(work / "cache" / "archive-index")
    row["rescan with nothing new, s"], _ = run(arguments.tool, ["rescan", *common], work, (0, 1))
    for number, package in enumerate(NEW):
        advisory(database, number, package)
    # The database that the day brings is parsed once, whoever asks first.
    run(arguments.tool, ["affected", "RUSTSEC-2021-0003", *common], work, (0, 1))
    before = cpu()
    row["rescan of the day after, s"], out = run(arguments.tool, ["rescan", *common, "--format", "json"], work, (1,))
    used = cpu() - before
    found = {one["advisory"] for one in json.loads(out)["findings"]}
    assert found == {f"RUSTSEC-2099-{number:04}" for number, package in enumerate(NEW) if any(name == package for name, _ in where)}, found
    row["the same, CPU ms"] = 1000 * used
    for label, query in (("affected, advisory", "RUSTSEC-2099-0000"), ("affected, one version", None)):
        if query is None:
            name, version = sorted(where)[len(where) // 2]
            query, expected = f"pkg:cargo/{name}@{version}", where[(name, version)]
        else:
            expected = sorted({at for (name, _), places in where.items() if name == NEW[0] for at in places})
        times, before = [], cpu()
        for _ in range(20):
            took, out = run(arguments.tool, ["affected", query, *common], work, (1,))
            times.append(took)
        used = (cpu() - before) / 20
        _, out = run(arguments.tool, ["affected", query, *common, "--format", "json"], work, (1,))
        answered = sorted(one["sequence"] for one in json.loads(out)["releases"])
        assert answered == sorted(set(expected)), (query, len(answered), len(expected))
        row[f"{label}: releases"] = len(answered)
        row[f"{label}: median ms"] = 1000 * statistics.median(times)
        row[f"{label}: quickest ms"] = 1000 * min(times)
        row[f"{label}: CPU ms"] = 1000 * used
    # The first one waits until the disk has taken the archive that was just written.
    times = []
    for seed in range(2, 7):
        archive.catch_up()
        late = fill(archive, 1, arguments.components, arguments.lockfiles, seed=seed, prefix=f"late{seed}")
        name, version = sorted(late)[0]
        took, out = run(arguments.tool, ["affected", f"pkg:cargo/{name}@{version}", *common, "--format", "json"], work, (1,))
        times.append(took)
        assert archive.sequence in [one["sequence"] for one in json.loads(out)["releases"]], "the release that came since is named"
    row["affected after one more release: median ms"] = 1000 * statistics.median(times)
    if arguments.audit:
        pairs = audits(arguments, common, work)
        row["one scan of one lockfile by cargo-audit, CPU ms"] = 1000 * statistics.median(scan for scan, _ in pairs)
        row["one rescan of all releases beside it, CPU ms"] = 1000 * statistics.median(ours for _, ours in pairs)
        row["scans of all releases in times of the rescan"] = statistics.median(size * scan / ours for scan, ours in pairs)
    if not arguments.no_export:
        exported(arguments, work, row)
    if not arguments.keep:
        shutil.rmtree(work)
    return row


def exported(arguments, work, row):
    row["export, s"], _ = run(arguments.tool, ["archive", "index", "export", work / "tables", "--archive", work / "archive"], work, (0,))
    row["tables bytes"] = size_of(work / "tables")
    row["export again, s"], _ = run(arguments.tool, ["archive", "index", "export", work / "tables", "--archive", work / "archive"], work, (0,))


def audits(arguments, common, work):
    """CPU seconds of one scan of one lockfile by cargo-audit, its database there and yanked crates not asked about, as no rescan asks about
    them, and of a rescan of everything right after it: nine pairs."""
    (work / ".cargo").mkdir()
    (work / ".cargo" / "audit.toml").write_text("[yanked]\nenabled = false\n")
    lockfile = max(arguments.lockfiles, key=lambda path: -abs(path.read_text().count("[[package]]") - arguments.components))
    scan = [arguments.audit, "audit", "--no-fetch", "--stale", "--db", arguments.audit_db or arguments.advisory_db, "--file", lockfile, "--json"]
    pairs = []
    for _ in range(9):
        began = cpu()
        result = subprocess.run(scan, capture_output=True, text=True, cwd=work)
        between = cpu()
        if not result.stdout.startswith("{"):
            sys.exit(f"cargo-audit: {result.stderr[-600:]}")
        run(arguments.tool, ["rescan", "--no-record", *common], work, (0, 1))
        pairs.append((between - began, cpu() - between))
    return pairs


def cpu():
    """Of all children so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--work", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--advisory-db", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--audit", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--audit-db", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--no-export", action="store_true", help="no Parquet tables")
    parser.add_argument("--sizes", default="1000,10000")
    parser.add_argument("--components", type=int, default=400)
    parser.add_argument("--keep", action="store_true", help="leave the archives")
    parser.add_argument("lockfiles", nargs="+", type=lambda text: pathlib.Path(text).resolve())
    arguments = parser.parse_args()
    os.umask(0o077)
    rows = [measure(arguments, int(size)) for size in arguments.sizes.split(",")]
    lines = ["| |" + " |".join(f" {row['releases']:,}" for row in rows) + " |", "|---|" + "---|" * len(rows)]
    for key in list(rows[0])[1:]:
        values = [f"{row[key]:,.2f}" if isinstance(row[key], float) else f"{row[key]:,}" for row in rows]
        lines.append(f"| {key} | " + " | ".join(values) + " |")
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
