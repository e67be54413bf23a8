"""The verbs of `archive`, `affected` and `rescan` over an S3 server: the real binary, built with the feature remote-stores. Part of archive_s3.py.

Releases of three versions of one program go in (eight writers at once), are listed, shown, given back, judged, held, let go and taken in again while
others prune, exported and imported, asked for an advisory and judged anew; whoever prunes is killed; an object is changed, a release taken out.
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

# A dependency that everybody's cargo has or can fetch.
DEPENDENCY = ("cfg-if", "1.0.5")
ADVISORY = """```toml
[advisory]
id = "RUSTSEC-2026-0001"
package = "cfg-if"
date = "2026-01-01"

[versions]
patched = [">=2"]
```

# A flaw of the trial

Text.
"""


def tree(folder):
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode & 0o111 != 0)
            for path in sorted(folder.rglob("*")) if path.is_file()}


class Verbs:
    """`secrets` is what no output may hold; `requests` counts what the server was asked until now."""

    def __init__(self, tool, environment, s3, bucket, work, requests, secret):
        self.tool, self.s3, self.bucket, self.work, self.requests, self.secret = tool, s3, bucket, work, requests, secret
        self.url, self.checks, self.figures = f"s3://{bucket}/team/releases", 0, []
        self.project = work / "project"
        self.environment = {name: os.environ[name] for name in ("PATH", "HOME", "RUSTUP_HOME", "CARGO_HOME") if name in os.environ}
        self.environment |= environment | {"XDG_CACHE_HOME": str(work / "cache"), "XDG_CONFIG_HOME": str(work / "config")}

    def check(self, holds, what):
        self.checks += 1
        if not holds:
            sys.exit(f"error: {what}")

    def start(self, *arguments, **changes):
        return subprocess.Popen([self.tool, "supplychain", *map(str, arguments)], cwd=self.project, env=self.environment | changes,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self, process, code=0):
        out, error = process.communicate(timeout=600)
        self.check(self.secret not in out + error, f"an output holds the secret: {error}")
        codes = code if isinstance(code, tuple) else (code,)
        self.check(process.returncode in codes, f"{process.args[2:]}: exit {process.returncode}, not {codes}\n{out[-2000:]}{error[-2000:]}")
        return out, error

    def run(self, *arguments, code=0, **changes):
        return self.end(self.start(*arguments, **changes), code)

    def verb(self, *arguments, code=0, url=None, **changes):
        """A verb in JSON."""
        out, _ = self.run(*arguments, "--archive", url or self.url, "--format", "json", code=code, **changes)
        return json.loads(out)

    def archive(self, *arguments, **options):
        return self.verb("archive", *arguments, **options)

    def measured(self, what, act):
        requests, began = self.requests(), time.monotonic()
        outcome = act()
        self.figures.append((what, self.requests() - requests, time.monotonic() - began))
        return outcome

    def build(self):
        name, version = DEPENDENCY
        for path, text in {
            "src/main.rs": "fn main() {\n    cfg_if::cfg_if! { if #[cfg(unix)] { println!(\"unix\") } else { println!(\"other\") } }\n}\n",
            "advisory-db/crates/cfg-if/RUSTSEC-2026-0001.md": ADVISORY,
            "supplychain.toml": "[advisories]\ndatabase = \"advisory-db\"\nmax-age = \"none\"\n",
        }.items():
            (self.project / path).parent.mkdir(parents=True, exist_ok=True)
            (self.project / path).write_text(text)
        self.run("key", "generate", "--output", self.work / "trial.pem")
        self.key = ("--key", self.work / "trial.pub")
        self.releases = {}
        for own in ["1.0.0", "1.1.0", "1.2.0"]:
            (self.project / "Cargo.toml").write_text(
                f'[package]\nname = "tool"\nversion = "{own}"\nedition = "2021"\n\n[dependencies]\n{name} = "={version}"\n')
            subprocess.run(["cargo", "generate-lockfile", "--quiet"], cwd=self.project, check=True, env=self.environment)
            self.run("build", "--fail-on", "none", "--sandbox", "off", "--only", "lock", "--key", self.work / "trial.pem")
            self.releases[own] = next((self.project / "target/supplychain").glob(f"tool-{own}-*"))

    def add(self, version, **options):
        return self.archive("add", self.releases[version], *self.key, **options)["results"][0]

    def keys(self, part=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"team/releases/{part}")
        return [one["Key"].removeprefix("team/releases/") for page in pages for one in page.get("Contents", [])]

    def is_sound(self, releases=None):
        """Everything is there, signed, and nothing that nobody needs."""
        checked = self.archive("verify", *self.key)
        self.check(checked["verdict"] == "sound" and not checked["unreferenced"], f"verify says {checked['problems']}, {checked['unreferenced']}")
        kept = sorted(one["version"] for one in checked["releases"])
        self.check(releases is None or kept == sorted(releases), f"{kept} are kept, not {releases}")
        return checked

    def comes_back(self, version):
        folder = self.work / "back" / f"{version}-{self.checks}"
        self.archive("restore", f"tool@{version}", "--to", folder, *self.key)
        self.check(tree(folder) == tree(self.releases[version]), f"{version} came back otherwise")

    def taken_in_and_given_back(self):
        added = self.measured("`archive add` of the first release", lambda: self.add("1.0.0"))
        self.check(added["outcome"] == "added", added)
        head = added["release"]["head"]
        self.check(self.measured("`archive add` of what is there", lambda: self.add("1.0.0"))["outcome"] == "exists", "added twice")
        listed = self.measured("`archive list`", lambda: self.archive("list", "--expect-head", head))
        self.check([one["version"] for one in listed["releases"]] == ["1.0.0"] and listed["archive"]["head"] == head, listed)
        shown = self.archive("show", "tool@1.0.0")["releases"][0]["content"]
        self.check(len(shown["files"]) == len(tree(self.releases["1.0.0"])), "show lists other files")
        self.measured("`archive restore`", lambda: self.comes_back("1.0.0"))
        self.measured("`archive verify`, signatures too", lambda: self.is_sound(["1.0.0"]))
        self.run("verify", "archive:tool@1.0.0", "--archive", self.url, *self.key)

    def writers_at_once(self):
        arguments = lambda version: ("archive", "add", self.releases[version], *self.key, "--archive", self.url, "--format", "json")
        running = [self.start(*arguments(version)) for version in ["1.1.0", "1.2.0"] * 4]
        outcomes = sorted(json.loads(self.end(one)[0])["results"][0]["outcome"] for one in running)
        self.check(outcomes == ["added"] * 2 + ["exists"] * 6, f"eight writers: {outcomes}")
        self.is_sound(["1.0.0", "1.1.0", "1.2.0"])

    def held_and_let_go(self):
        self.archive("hold", "tool@1.0.0", "--reason", "case 1")
        self.archive("prune", "tool@1.0.0", code=1)
        self.archive("unhold", "tool@1.0.0", "--reason", "over")
        before = set(self.keys("objects/"))
        would = self.archive("prune", "tool@1.0.0", "--dry-run")
        self.check(set(self.keys("objects/")) == before, "--dry-run removed something")
        gone = self.measured("`archive prune` of one release", lambda: self.archive("prune", "tool@1.0.0"))
        self.check(gone["objects"] == would["objects"] == len(before) - len(self.keys("objects/")) > 0, f"{gone} after {would}")
        self.is_sound(["1.1.0", "1.2.0"])
        # It may come back as it was: under names that no remover has ever heard of.
        self.check(self.add("1.0.0")["outcome"] == "added", "it does not come back")
        again = [key for key in self.keys("objects/") if "." in key]
        self.check(len(again) == gone["objects"], f"{len(again)} of {gone['objects']} objects have a new name")
        self.is_sound(["1.0.0", "1.1.0", "1.2.0"])
        self.comes_back("1.0.0")

    def pruned_while_others_add(self, rounds):
        """Two who prune and two who add, at once; in the end it is there, and whole."""
        for number in range(rounds):
            running = [self.start("archive", "prune", "tool@1.0.0", "--archive", self.url) for _ in range(2)]
            running += [self.start("archive", "add", self.releases["1.0.0"], *self.key, "--archive", self.url) for _ in range(2)]
            for one in running[:2]:
                # Exit 2: the other one was faster, and there is no such release any more.
                self.end(one, code=(0, 2))
            for one in running[2:]:
                self.end(one)
            self.archive("prune")
            self.add("1.0.0")
            self.is_sound(["1.0.0", "1.1.0", "1.2.0"])
        self.comes_back("1.0.0")

    def killed_while_pruning(self, count):
        killed = 0
        for number in range(count):
            process = self.start("archive", "prune", "tool@1.0.0", "--archive", self.url)
            time.sleep(random.uniform(0.02, 0.6))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
            self.archive("prune")
            self.add("1.0.0")
            self.is_sound(["1.0.0", "1.1.0", "1.2.0"])
        return killed

    def as_one_file(self):
        files = [self.work / f"tool-{number}.tar.zst" for number in range(2)]
        for file in files:
            self.archive("export", "tool@1.0.0", "--output", file)
        self.check(files[0].read_bytes() == files[1].read_bytes(), "two exports differ")
        elsewhere = f"s3://{self.bucket}/team/second"
        imported = self.archive("import", files[0], *self.key, url=elsewhere)["results"][0]
        self.check(imported["outcome"] == "added", imported)
        self.check(self.archive("verify", *self.key, url=elsewhere)["verdict"] == "sound", "what was imported is not sound")

    def asked_and_judged_again(self):
        for query in ["RUSTSEC-2026-0001", "pkg:cargo/cfg-if@<2"]:
            found = self.verb("affected", query, code=1)
            versions = sorted(one["version"] for one in found["releases"])
            self.check(versions == ["1.0.0", "1.1.0", "1.2.0"], f"affected {query}: {versions}")
        self.measured("`affected`, index up to date", lambda: self.verb("affected", "RUSTSEC-2026-0001", code=1))
        self.verb("affected", "pkg:cargo/cfg-if@>=2", code=0)
        first = self.verb("rescan", "--fail-on", "low", code=(0, 1))
        self.check(len(first["findings"]) == 1 and first["recorded"], f"rescan finds {first['findings']}")
        self.measured("`rescan`, nothing new", lambda: self.verb("rescan", "--fail-on", "low", code=0))
        self.is_sound(["1.0.0", "1.1.0", "1.2.0"])

    def damage(self):
        head = self.archive("list")["archive"]["head"]
        body = lambda key: self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        digest = next(file["sha256"] for file in self.archive("show", "tool@1.1.0")["releases"][0]["content"]["files"]
                      if file["path"] == "artifacts/tool")
        key = next(f"team/releases/{one}" for one in self.keys("objects/") if digest in one)
        good = body(key)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=bytes([good[0] ^ 1]) + good[1:])
        problems = self.archive("verify", code=3)["problems"]
        self.check(len(problems) == 1 and digest in problems[0]["place"], f"a changed object: {problems}")
        self.run("archive", "restore", "tool@1.1.0", "--to", self.work / "no", "--archive", self.url, code=3)
        self.check(not (self.work / "no").exists(), "a damaged release was given back")
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=good)
        self.is_sound()
        # The announcement by which objects with new names are found.
        announced = f"team/releases/{self.keys('given-up/')[0]}"
        self.s3.delete_object(Bucket=self.bucket, Key=announced)
        problems = self.archive("verify", code=3)["problems"]
        self.check(any("given-up/" in one["place"] for one in problems), f"an announcement is gone: {problems}")
        self.s3.put_object(Bucket=self.bucket, Key=announced, Body=b"")
        # A release taken out: in the middle, and at the end.
        log = self.keys("log/")
        for gone, expect, code, word in [(log[1], (), 3, "archive/corrupt"), (log[-1], ("--expect-head", head), 1, "archive/rollback")]:
            bytes_ = body(f"team/releases/{gone}")
            self.s3.delete_object(Bucket=self.bucket, Key=f"team/releases/{gone}")
            for verb in [("list",), ("verify",), ("prune",), ("add", self.releases["1.2.0"], *self.key)]:
                _, error = self.run("archive", *verb, *expect, "--archive", self.url, code=code)
                self.check(word in error, f"{verb}: {error}")
            self.s3.put_object(Bucket=self.bucket, Key=f"team/releases/{gone}", Body=bytes_)
        self.is_sound()

    def refusals(self):
        policy = self.project / "supplychain.toml"
        text, endpoint = policy.read_text(), self.environment["AWS_ENDPOINT_URL"]
        without = {"AWS_ENDPOINT_URL": "", "AWS_REGION": ""}
        policy.write_text(text + f'\n[archive]\nstore = "{self.url}"\nendpoint = "{endpoint}"\nregion = "us-east-1"\n')
        out, _ = self.run("archive", "list", "--format", "json", **without)
        self.check(len(json.loads(out)["releases"]) == 3, "the endpoint of the policy is not used")
        policy.write_text(text)
        _, error = self.run("archive", "list", "--archive", f"s3://no-such-bucket/x", code=2)
        self.check("NoSuchBucket" in error, error)
        _, error = self.run("archive", "list", "--archive", self.url, code=2, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        self.check("no credentials" in error, error)
        _, error = self.run("archive", "list", "--archive", self.url, "--offline", code=2)
        self.check("--offline" in error, error)
        _, error = self.run("archive", "add", self.releases["1.0.0"], *self.key, "--archive", "s3://no-such-bucket/x", code=(2, 74))
        self.check("NoSuchBucket" in error, error)

    def all(self, rounds, kills):
        self.build()
        self.taken_in_and_given_back()
        print("ok: a release goes in once, and comes back as it was")
        self.writers_at_once()
        print("ok: eight `archive add` at once")
        self.held_and_let_go()
        print("ok: held, let go, and taken in again under other names")
        self.pruned_while_others_add(rounds)
        print(f"ok: {rounds} rounds of two who prune and two who add the same")
        killed = self.killed_while_pruning(kills)
        print(f"ok: {killed} of {kills} killed while they pruned, finished by the next")
        self.as_one_file()
        print("ok: as one file, into another archive")
        self.asked_and_judged_again()
        print("ok: affected, rescan")
        self.damage()
        print("ok: a changed object, an entry taken out or cut off")
        self.refusals()
        print("ok: the policy's endpoint; refusals are said, without secrets")
        for what, requests, seconds in self.figures:
            print(f"   {what}: {requests} requests, {seconds:.1f} s")
