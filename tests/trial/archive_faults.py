#!/usr/bin/env python3
"""Kills and disk errors at every write-like system call of `archive add`, bit flips in every file of an archive, writers at once.

    archive_faults.py --tool PATH [--flips 1000] [--rounds 20] [--seed N] [--only kill,error,flip,export,writers]

Needs strace. A release A is in the archive; B, of 20 files or more, is added while strace ends the program (SIGKILL) or fails the call
(ENOSPC, EIO, EDQUOT) at the first, second, ... call of each kind, until a run is through without being hit. After each: A verifies, B is complete
and verifies or is absent, adding it again succeeds, and nothing is left in tmp/. Prints N of N; ends with 1 at the first that did not survive.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALLS = ["write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat", "openat", "mkdir", "mkdirat",
         "unlink", "unlinkat", "flock", "fchmod", "chmod", "ftruncate", "copy_file_range", "sendfile"]
ERRORS = ["ENOSPC", "EIO", "EDQUOT"]


class Trial:
    def __init__(self, tool, folder):
        self.tool, self.folder = tool, folder
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"), XDG_CONFIG_HOME=str(folder / "config"))
        self.project = folder / "minimal"
        shutil.copytree(ROOT / "examples" / "minimal", self.project, ignore=shutil.ignore_patterns("target"))
        self.key = folder / "key.pub"
        self.run("key", "generate", "--output", folder / "key.pem")
        self.a = self.build("a", 0)
        self.b = self.build("b", 1)
        self.store, self.template = folder / "store", folder / "template"
        self.add(self.a)
        shutil.copytree(self.store, self.template)

    def run(self, *arguments, codes=(0,), prefix=()):
        command = [*map(str, prefix), str(self.tool), "supplychain", *map(str, arguments)]
        result = subprocess.run(command, cwd=self.project, env=self.environment, capture_output=True, text=True, timeout=300)
        if codes is not None and result.returncode not in codes:
            sys.exit(f"{' '.join(command)}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def build(self, name, more):
        """A release of its own version, with so many artifacts besides."""
        extra = self.project / "extra"
        extra.mkdir(exist_ok=True)
        for number in range(more):
            (extra / f"data-{number:02}.bin").write_bytes(random.Random(number).randbytes(1000 * (number + 1)))
        if name == "b":
            for file in ("Cargo.toml", "Cargo.lock"):
                text = (self.project / file).read_text()
                (self.project / file).write_text(re.sub(r'(name = "minimal"\nversion = ")[^"]*', r"\g<1>1.1.0", text))
        policy = self.folder / f"{name}.toml"
        text = (self.project / "supplychain.toml").read_text() if (self.project / "supplychain.toml").exists() else ""
        section = ('[release]\nartifacts = ["extra/*"]\n' if more else "")
        policy.write_text(re.sub(r"(?ms)^\[release\].*?(?=^\[|\Z)", "", text) + "\n" + section)
        releases = self.folder / f"releases-{name}"
        self.run("build", "--offline", "--fail-on", "none", "--sandbox", "off", "--policy", policy, "--key", self.folder / "key.pem",
                 "--release-dir", releases)
        return next(path for path in releases.iterdir() if path.is_dir() and not path.name.startswith("."))

    def add(self, release, codes=(0,), prefix=()):
        return self.run("archive", "add", release, "--key", self.key, "--archive", self.store, codes=codes, prefix=prefix)

    def reset(self):
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.copytree(self.template, self.store)

    def survived(self, what):
        """A verifies, B is whole or not there; whether it is."""
        checked = self.run("archive", "verify", "--key", self.key, "--archive", self.store, "--format", "json", codes=None)
        if checked.returncode:
            sys.exit(f"{what}: the archive does not verify\n{checked.stdout}{checked.stderr}")
        releases = {one["version"]: one["signatures"]["verdict"] for one in json.loads(checked.stdout)["releases"]}
        if releases.get("1.0.0") != "verified" or set(releases.values()) != {"verified"}:
            sys.exit(f"{what}: {releases}")
        return "1.1.0" in releases

    def rerun(self, what):
        self.add(self.b)
        left = list((self.store / "tmp").iterdir())
        if left or not self.survived(f"{what}, rerun"):
            sys.exit(f"{what}: a rerun left {left}")

    def kills(self):
        done, complete = 0, 0
        for call in CALLS:
            number = 0
            while True:
                number += 1
                self.reset()
                result = self.add(self.b, codes=None, prefix=["strace", "-f", "-qq", "-o", "/dev/null",
                                                              "-e", f"inject={call}:signal=SIGKILL:when={number}"])
                if result.returncode == 0:
                    break
                what = f"kill at {call} {number}"
                outside = [path.name for path in self.store.iterdir() if path.name not in ("log", "objects", "tmp", ".lock")]
                if outside:
                    sys.exit(f"{what}: {outside} was left in the store")
                complete += self.survived(what)
                self.rerun(what)
                done += 1
        print(f"kill -9: {done} of {done} survived ({complete} with the new release complete)", flush=True)

    def errors(self):
        trace = self.folder / "trace"
        for error in ERRORS:
            done, told = 0, 0
            for call in CALLS:
                if call == "flock":
                    continue
                number = 0
                while True:
                    number += 1
                    self.reset()
                    result = self.add(self.b, codes=None, prefix=["strace", "-f", "-y", "-qq", "-o", trace,
                                                                  "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}"])
                    hit = [line for line in trace.read_text(errors="replace").splitlines() if "(INJECTED)" in line]
                    if not hit:
                        break
                    what = f"{error} at {call} {number}: {hit[0]}"
                    if result.returncode == 0 and not self.survived(what):
                        sys.exit(f"{what}: exit 0, and the release is not there")
                    writes = call != "openat" or "O_CREAT" in hit[0] or "O_RDWR" in hit[0]
                    if str(self.store) in hit[0] and writes and result.returncode not in (0, 74):
                        sys.exit(f"{what}: exit {result.returncode}\n{result.stderr}")
                    if result.returncode == 74:
                        if str(self.store) not in result.stderr:
                            sys.exit(f"{what}: no path is named\n{result.stderr}")
                        told += 1
                    self.survived(what)
                    self.rerun(what)
                    done += 1
            print(f"{error}: {done} of {done} survived ({told} told with exit 74 and the path)", flush=True)

    def flips(self, count, chance):
        self.reset()
        self.add(self.b)
        head = json.loads(self.run("archive", "list", "--archive", self.store, "--format", "json").stdout)["archive"]["head"]
        files = sorted(path for path in self.store.rglob("*") if path.is_file() and path.stat().st_size)
        weights = [path.stat().st_size for path in files]
        found, alone = 0, 0
        for number in range(count):
            # Every file in turn first, then by size: a bit of a small one counts as much as one of a large one.
            path = files[number] if number < len(files) else chance.choices(files, weights)[0]
            content = path.read_bytes()
            at, bit = chance.randrange(len(content)), chance.randrange(8)
            path.chmod(0o644)
            path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1:])
            verify = ["archive", "verify", "--archive", self.store]
            result = self.run(*verify, "--expect-head", head, codes=None)
            alone += self.run(*verify, codes=None).returncode in (1, 3)
            path.write_bytes(content)
            if result.returncode not in (1, 3):
                sys.exit(f"bit {bit} of byte {at} of {path} was not found: exit {result.returncode}\n{result.stderr}")
            found += 1
        self.survived("after the flips")
        print(f"bit flips over {len(files)} files: {found} of {count} found with the head, {alone} without it", flush=True)

    def exports(self):
        self.reset()
        self.add(self.b)
        digests = set()
        for number in range(3):
            file = self.folder / f"{number}.tar.zst"
            self.run("archive", "export", "minimal@1.1.0", "--output", file, "--archive", self.store)
            digests.add(file.read_bytes())
        other = self.folder / "other"
        self.run("archive", "import", self.folder / "0.tar.zst", "--key", self.key, "--archive", other)
        file = self.folder / "again.tar.zst"
        self.run("archive", "export", "minimal@1.1.0", "--output", file, "--archive", self.store)
        digests.add(file.read_bytes())
        shutil.rmtree(other)
        if len(digests) != 1:
            sys.exit("exports differ")
        print("exports: 4 of 4 with the same bytes, and one came in elsewhere", flush=True)

    def writers(self, rounds):
        for number in range(rounds):
            shutil.rmtree(self.store, ignore_errors=True)
            command = lambda release: [str(self.tool), "supplychain", "archive", "add", str(release), "--key", str(self.key),
                                       "--archive", str(self.store), "--format", "json"]
            runs = [subprocess.Popen(command(self.a if one % 2 else self.b), cwd=self.project, env=self.environment,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for one in range(8)]
            outcomes = []
            for run in runs:
                out, err = run.communicate()
                if run.returncode:
                    sys.exit(f"round {number}: exit {run.returncode}\n{out}{err}")
                outcomes.append(json.loads(out)["results"][0]["outcome"])
            if sorted(outcomes) != ["added"] * 2 + ["exists"] * 6 or not self.survived("eight writers"):
                sys.exit(f"round {number}: {outcomes}")
        print(f"eight writers at once: {rounds} of {rounds} rounds", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", default="kill,error,flip,export,writers")
    arguments = parser.parse_args()
    only = arguments.only.split(",")
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(arguments.tool.resolve(), pathlib.Path(folder).resolve())
        count = sum(path.is_file() for path in trial.b.rglob("*"))
        print(f"seed {arguments.seed}; the new release has {count} files", flush=True)
        if "kill" in only:
            trial.kills()
        if "error" in only:
            trial.errors()
        if "flip" in only:
            trial.flips(arguments.flips, random.Random(arguments.seed))
        if "export" in only:
            trial.exports()
        if "writers" in only:
            trial.writers(arguments.rounds)


if __name__ == "__main__":
    main()
