#!/usr/bin/env python3
"""The false-alarm trial: what `check --base` says of real lockfile updates, each judged as of its own day.

    lockfile_updates.py --tool PATH --work DIR [--updates N] [--sources N] [--areas LIST] [--out FILE.md] [NAME ...]

An update is a pair of successive releases of a published program, with the lockfiles that stand in their `.crate`s: the older one is
committed, the newer one is the change, `--now` is a minute after the newer release. Cargo brings the `.crate`s (`cargo info`) and the index
entries of everything that they lock (`cargo update -w --dry-run`) into a CARGO_HOME below DIR. Each update is judged with a CARGO_HOME of its own: the same entries, cut
off at `--now`, so that nothing published later is known. When a version was yanked the index does not say: flags are those of today,
but not for what the update brings in, because cargo does not lock what is yanked.

With `--sources N`, N of the updates (the newest of each program, then the second newest, and so on) are judged once more with the
`.crate`s of what changed, old and new, so that `build/...` and the signs that sources give are judged as well. `cargo fetch --locked`
brings them, with all else that both releases lock, into a CARGO_HOME of its own below DIR.
Needs the registry, and minutes: some 10 for the index, and with sources some 8 GB and 10 more for 128 updates.
"""
import argparse
import collections
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import tomllib

PROGRAMS = """
ripgrep bat fd-find hyperfine cargo-audit cargo-deny cargo-nextest zizmor nu gitui starship just tokei sccache cross cargo-edit cargo-expand
wasm-pack mdbook git-cliff typos-cli cargo-machete cargo-outdated xh bottom du-dust procs sd broot zoxide zellij tealdeer watchexec-cli
topgrade lsd eza miniserve taplo-cli cargo-hack cargo-llvm-cov cargo-binstall cargo-release cargo-make wasm-bindgen-cli bacon atuin
jj-cli yazi-fm diesel_cli sqlx-cli cargo-semver-checks cargo-vet cargo-mutants onefetch gping bandwhich pueue rage cargo-bloat
cargo-generate cargo-fuzz oha hurl tree-sitter-cli
""".split()
HEADER = b"\x03\x02\0\0\0"
YANKED = re.compile(rb'"yanked":\s*true')
RUSTUP = pathlib.Path.home() / ".rustup"
# What the figures are about.
KINDS = ("dep", "campaign", "maintainer", "identity", "registry", "build")
SEVERITIES = ("critical", "high", "medium", "low", "info")


def cargo(home, *arguments, cwd=None):
    environment = {**os.environ, "CARGO_HOME": str(home), "CARGO_TERM_COLOR": "never"}
    return subprocess.run(["cargo", *arguments], cwd=cwd, env=environment, text=True, capture_output=True)


def relative(name):
    """Where an index has a crate (the Cargo book, "Registry Index")."""
    name = name.lower()
    match len(name):
        case 1 | 2:
            return f"{len(name)}/{name}"
        case 3:
            return f"3/{name[0]}/{name}"
    return f"{name[:2]}/{name[2:4]}/{name}"


class Index:
    """Cargo's index cache, filled by cargo; entries are taken apart once."""

    def __init__(self, home):
        self.home, self.entries = home, {}

    def folder(self):
        return next((self.home / "registry" / "index").glob("index.crates.io-*"))

    def lines(self, name):
        """(time, version, JSON line) of each release; None when cargo's cache has no entry."""
        if name not in self.entries:
            try:
                data = (self.folder() / ".cache" / relative(name)).read_bytes()
            except FileNotFoundError:
                self.entries[name] = None
                return None
            if not data.startswith(HEADER):
                sys.exit(f"{name}: not an index cache entry of format 3")
            parts = data[len(HEADER):].split(b"\0")[1:]
            releases = []
            for version, line in zip(parts[0::2], parts[1::2]):
                time = re.search(rb'"pubtime":\s*"([^"]+)"', line)
                releases.append((time.group(1).decode() if time else None, version.decode(), line))
            self.entries[name] = releases
        return self.entries[name]

    def write_cut(self, home, names, now, brought):
        """The entries as they were at `now`; equal ones are one file with many names."""
        cache = home / "registry" / "index" / self.folder().name / ".cache"
        for name in names:
            releases = self.lines(name)
            if releases is None:
                continue
            kept = [one for one in releases if one[0] is None or one[0] <= now]
            was_not_yanked = sorted(version for _, version, line in kept if (name, version) in brought and YANKED.search(line))
            cut = self.home / "cut" / name / "_".join([str(len(kept)), *was_not_yanked])
            if not cut.exists():
                data = bytearray(HEADER + b"etag: trial\0")
                for _, version, line in kept:
                    if version in was_not_yanked:
                        line = YANKED.sub(b'"yanked":false', line)
                    data += version.encode() + b"\0" + line + b"\0"
                cut.parent.mkdir(parents=True, exist_ok=True)
                partial = cut.with_name(f"{cut.name}.{threading.get_ident()}")
                partial.write_bytes(data)
                partial.rename(cut)
            path = cache / relative(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(cut, path)


def releases_of(index, name):
    """Published releases that are not pre-releases, oldest first."""
    cargo(index.home, "info", "--quiet", name)
    found = [(time, version) for time, version, line in index.lines(name) or [] if time and "-" not in version]
    return sorted(found)


def bring(index, work, name, version):
    """Manifest and lockfile of a release, and the index entries of all that it locks; None without a lockfile."""
    kept = work / "releases" / f"{name}-{version}"
    if not kept.exists():
        result = cargo(index.home, "info", "--quiet", f"{name}@{version}")
        archive = next((index.home / "registry" / "cache").glob(f"*/{name}-{version}.crate"), None)
        if archive is None:
            print(f"{name} {version}: {result.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return None
        partial = kept.with_name(kept.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with tarfile.open(archive) as tar:
            for member in ("Cargo.toml", "Cargo.lock"):
                try:
                    (partial / member).write_bytes(tar.extractfile(f"{name}-{version}/{member}").read())
                except KeyError:
                    pass
        if (partial / "Cargo.lock").exists():
            with tempfile.TemporaryDirectory(dir=work) as scratch:
                source = next((index.home / "registry" / "src").glob(f"*/{name}-{version}"))
                copy = pathlib.Path(scratch) / "copy"
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("rust-toolchain*"))
                result = cargo(index.home, "update", "--workspace", "--dry-run", cwd=copy)
                if result.returncode:
                    print(f"{name} {version}: {result.stderr.strip()}", file=sys.stderr)
        partial.rename(kept)
    return kept if (kept / "Cargo.lock").exists() else None


def bring_sources(index, work, name, version):
    """The `.crate`s of all that a release locks, in `DIR/fetched`; a release is asked for once."""
    done = work / "fetched" / "done" / f"{name}-{version}"
    if done.exists():
        return
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        source = next((index.home / "registry" / "src").glob(f"*/{name}-{version}"))
        copy = pathlib.Path(scratch) / "copy"
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("rust-toolchain*", ".cargo"))
        result = cargo(work / "fetched", "fetch", "--locked", cwd=copy)
    if result.returncode:
        print(f"{name} {version}: {result.stderr.strip()[-300:]}", file=sys.stderr)
        return
    done.parent.mkdir(parents=True, exist_ok=True)
    done.touch()


def put_sources(work, home, before, brought):
    """The `.crate`s of what changed, from what to what, where cargo looks for them."""
    names = {name for name, _ in brought}
    for kept in (work / "fetched" / "registry" / "cache").glob("*"):
        folder = home / "registry" / "cache" / kept.name
        folder.mkdir(parents=True)
        for name, version in brought | {one for one in before if one[0] in names}:
            if (kept / f"{name}-{version}.crate").exists():
                os.link(kept / f"{name}-{version}.crate", folder / f"{name}-{version}.crate")


def as_in_the_repository(index, time, version, text):
    """The lockfile as the project has it: the other packages of its workspace, which a published lockfile takes from crates.io, have no
    source. They are those of the program's version that were published within a day of it."""
    def plain(block):
        name = re.search(r'^name = "(.*)"$', block, re.M)
        if not name or f'\nversion = "{version}"\n' not in block:
            return block
        times = [published for published, own, _ in index.lines(name[1]) or [] if own == version and published]
        is_own = times and abs((instant(times[0]) - instant(time)).total_seconds()) < 86400
        return re.sub(r'^(source|checksum) = .*\n', "", block, flags=re.M) if is_own else block
    return "\n\n".join(plain(block) for block in text.split("\n\n"))


def instant(time):
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))


def locked(text):
    packages = tomllib.loads(text).get("package", [])
    return {(one["name"], one["version"]) for one in packages if "crates.io" in one.get("source", "")}


def pairs_of(index, work, name, count):
    """The last `count` successive releases whose lockfiles differ."""
    pairs, newer = [], None
    for time, version in reversed(releases_of(index, name)):
        folder = bring(index, work, name, version)
        if folder is None:
            if newer is not None:
                break
            continue
        text = as_in_the_repository(index, time, version, (folder / "Cargo.lock").read_text())
        if newer is not None and locked(text) != locked(newer[3]):
            pairs.append(((time, version, folder, text), newer))
        newer = (time, version, folder, text)
        if len(pairs) == count:
            break
    return pairs


def put(project, release):
    # Where the manifest names no target, cargo looks for this one.
    (project / "src").mkdir(exist_ok=True)
    (project / "src" / "main.rs").write_text("fn main() {}\n")
    shutil.copy(release[2] / "Cargo.toml", project / "Cargo.toml")
    (project / "Cargo.lock").write_text(release[3])


def judge(options, index, with_sources, name, older, newer):
    """The report of one update; None when it could not be judged."""
    areas = options.areas + (",capabilities" if with_sources else "")
    now = (instant(newer[0]) + datetime.timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    before, after = locked(older[3]), locked(newer[3])
    brought = after - before
    with tempfile.TemporaryDirectory(dir=options.work) as scratch:
        scratch = pathlib.Path(scratch)
        home, project = scratch / "home", scratch / "project"
        index.write_cut(home, {name for name, _ in before | after}, now, brought)
        if with_sources:
            put_sources(options.work, home, before, brought)
        project.mkdir()
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run([*git, "init", "--quiet", "-b", "main"], cwd=project, check=True)
        put(project, older)
        subprocess.run([*git, "add", "."], cwd=project, check=True)
        subprocess.run([*git, "commit", "--quiet", "-m", older[1]], cwd=project, check=True)
        put(project, newer)
        result = subprocess.run(
            [options.tool, "supplychain", "check", "--base", "HEAD", "--only", areas, "--offline", "--now", now, "--format", "json",
             "--cache-dir", options.work / "cache" if with_sources else scratch / "cache"],
            cwd=project, text=True, capture_output=True,
            env={"RUSTUP_HOME": str(RUSTUP), **os.environ, "HOME": str(scratch), "CARGO_HOME": str(home)})
    try:
        report = json.loads(result.stdout)
    except json.JSONDecodeError:
        report = {}
    if "findings" not in report:
        print(f"{name} {older[1]} -> {newer[1]}: exit {result.returncode}\n{result.stderr}", file=sys.stderr)
        return None
    return f"{name} {older[1]} -> {newer[1]} ({now[:10]})", brought, report


def describe(update, finding):
    evidence = "; ".join(finding.get("evidence", []))
    return f"- {finding['severity']} `{finding['id']}` in {update}: {finding['message']}" + (f" [{evidence}]" if evidence else "")


def spread(updates, count):
    """So many of the updates: the newest of each program, then the second newest of each, and so on."""
    ranks = collections.Counter()
    ranked = []
    for update in updates:
        ranked.append((ranks[update[0]], len(ranked), update))
        ranks[update[0]] += 1
    return [update for _, _, update in sorted(ranked, key=lambda one: one[:2])[:count]]


def table(title, programs, judged):
    """What was found, as Markdown."""
    counts, crates, shown = collections.Counter(), collections.defaultdict(set), collections.defaultdict(list)
    changed = 0
    for update, brought, report in judged:
        changed += len(brought)
        for gap in report["not_evaluated"]:
            if gap["area"] == "capabilities":
                shown["not evaluated"].append(f"- not evaluated in {update}: {gap['why']}")
        for finding in report["findings"]:
            if finding["id"].split("/")[0] not in KINDS:
                continue
            severity = finding["severity"]
            counts[severity, finding["id"]] += 1
            key = (finding["package"], finding["version"])
            if key in brought:
                crates[severity].add((update, key))
                crates[severity, finding["id"]].add((update, key))
            if severity in SEVERITIES[:3]:
                shown[severity].append(describe(update, finding))
    lines = [f"## {title}", "", f"{len(judged)} updates of {programs} programs, {changed} changed packages.", ""]
    lines += ["| severity | id | findings | changed packages with it | of all changed |", "|---|---|---|---|---|"]
    for (severity, ident), count in sorted(counts.items(), key=lambda item: (SEVERITIES.index(item[0][0]), item[0][1])):
        having = len(crates[severity, ident])
        lines.append(f"| {severity} | `{ident}` | {count} | {having} | {having / changed:.2%} |")
    loud = crates["critical"] | crates["high"]
    lines += ["", f"At high or above: {sum(counts[key] for key in counts if key[0] in SEVERITIES[:2])} findings, {len(loud)} changed packages.",
              f"Medium: {len(crates['medium'])} changed packages, {len(crates['medium']) / changed:.2%} (the goal: at most 1 %).", ""]
    for kind in [*SEVERITIES[:3], "not evaluated"]:
        lines += sorted(shown[kind])
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--work", required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--updates", type=int, default=8, help="of each program")
    parser.add_argument("--sources", type=int, default=0, help="so many updates, of all programs, once more with sources")
    parser.add_argument("--areas", default="lock,sources,maintainers")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("programs", nargs="*", default=PROGRAMS)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    index = Index(options.work / "home")
    index.home.mkdir(exist_ok=True)

    updates = []
    for name in options.programs:
        pairs = pairs_of(index, options.work, name, options.updates)
        print(f"{name}: {len(pairs)}", file=sys.stderr)
        updates += [(name, older, newer) for older, newer in pairs]
    # Entries were added since they were first looked at.
    index.entries.clear()
    text, failed = "", False
    for title, with_sources, judged in [
        ("By the index alone", False, updates),
        ("With the sources of what changed", True, spread(updates, options.sources)),
    ]:
        if not judged:
            continue
        for name, older, newer in judged if with_sources else []:
            bring_sources(index, options.work, name, older[1])
            bring_sources(index, options.work, name, newer[1])
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda update: judge(options, index, with_sources, *update), judged))
        text += table(title, len({name for name, _, _ in judged}), [one for one in reports if one]) + "\n"
        failed |= None in reports
    print(text)
    if options.out:
        options.out.write_text(text)
    if failed:
        sys.exit("some updates could not be judged")


main()
