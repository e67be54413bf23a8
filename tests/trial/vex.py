#!/usr/bin/env python3
"""Trial of statements about vulnerabilities: what is written judged by other people's validators, what others wrote read.

    vex.py --tool PATH --work DIR [--documents DIR …]

Writes decisions of every status into a copy of examples/workspace and has what comes of them judged:

    CSAF (vex export, psirt advisory)   npm @secvisogram/csaf-validator-lib: official schema, mandatory and optional tests
    CycloneDX                           the official schema, by tests/judges/validate_documents.py
    OpenVEX, also that of a release     the rules of the official schema 0.2.0 (openvex/spec, openvex_json_schema.json), by the same

Then each is read again by `check --vex`. With --documents every *.json below a folder (examples of vexctl, documents of vendors) is read: the
answer has to be a check, or a refusal that names the place; which of the two is printed. Needs npm, the judges
(`pip install -r tests/judges/requirements.txt`) and their registries. Exit code 1 when a judge objects.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOW = "2026-11-30"
JUDGE = """
import validate from '@secvisogram/csaf-validator-lib/validate.js'
import * as schema from '@secvisogram/csaf-validator-lib/schemaTests.js'
import * as mandatory from '@secvisogram/csaf-validator-lib/mandatoryTests.js'
import * as optional from '@secvisogram/csaf-validator-lib/optionalTests.js'
import { readFileSync } from 'fs'
const tests = [schema.csaf_2_0_strict, ...Object.values(mandatory)]
for (const path of process.argv.slice(2)) {
  const document = JSON.parse(readFileSync(path))
  const result = await validate(tests, document)
  const wrong = result.tests.filter((test) => !test.isValid).map((test) => [test.name, test.errors])
  const said = await validate(Object.values(optional), document)
  const warned = said.tests.flatMap((test) => (test.warnings ?? []).map((one) => [test.name, one]))
  console.log(JSON.stringify({ path, tests: result.tests.length, wrong, warned }))
}
"""
DECISIONS = [
    ["RUSTSEC-2019-9001", "--package", "itoa", "--status", "not_affected", "--justification", "vulnerable_code_not_in_execute_path"],
    ["CVE-2026-0001", "--package", "itoa", "--status", "affected", "--action", "do not format i128", "--response", "update",
     "--response", "workaround_available"],
    ["CVE-2026-0002", "--package", "itoa", "--status", "fixed"],
    ["CVE-2026-0003", "--package", "itoa", "--status", "under_investigation", "--alias", "GHSA-aaaa-bbbb-cccc"],
    ["CVE-2026-0004", "--package", "itoa", "--status", "not_affected"],
    ["CVE-2026-0005", "--package", "itoa", "--status", "affected", "--action", "nothing is planned", "--response", "will_not_fix"],
]
REPORT = """[[report]]
id = "EX-2026-0007"
title = "Overflow in the parser"
component = "pkg:cargo/hello"
releases = ["0.1.0"]
fixed = ["0.1.1"]
aliases = ["CVE-2026-1000", "GHSA-aaaa-bbbb-cccc"]
state = "published"
tlp = "CLEAR"
reported = 2026-10-01
jvn-id = "JVN#00000000"
exploited = "yes"
exploited-evidence = "seen by a customer"
acknowledgments = [{ names = ["A. Finder"], organization = "Lab" }]

[[report]]
id = "EX-2026-0008"
title = "No fix yet"
component = "pkg:cargo/hello"
releases = ["0.1.0"]
tlp = "CLEAR"
reported = 2026-10-01
"""


def run(command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)


class Trial:
    def __init__(self, options):
        self.tool, self.work = options.tool.resolve(), options.work.resolve()
        self.project = self.work / "project"
        self.out = self.work / "documents"
        self.failed = 0

    def supplychain(self, *words, codes=(0,), now=NOW):
        environment = {**os.environ, "XDG_CONFIG_HOME": str(self.work / "config"), "XDG_CACHE_HOME": str(self.work / "cache")}
        result = run([self.tool, "supplychain", *words, "--offline", *(["--now", now] if now else [])], cwd=self.project, env=environment)
        if result.returncode not in codes:
            raise SystemExit(f"{' '.join(map(str, words))}: exit {result.returncode}\n{result.stderr}")
        return result

    def write(self):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(ROOT / "examples" / "workspace", self.project, ignore=shutil.ignore_patterns("target"))
        self.out.mkdir(parents=True)
        policy = self.project / "supplychain.toml"
        text = policy.read_text()
        publisher = 'publisher = { category = "vendor", name = "Example", namespace = "https://example.org", contact = "psirt@example.org" }\n'
        policy.write_text(text.replace("[documents]\n", f"[documents]\n{publisher}") if "[documents]\n" in text
                          else f"{text}\n[documents]\n{publisher}")
        for number, decision in enumerate(DECISIONS):
            self.supplychain("vex", "add", *decision, "--reason", f"reason {number}", "--author", "Example PSIRT", now=f"2026-11-{10 + number}")
        (self.project / "psirt.toml").write_text(REPORT)
        for form, name in [("openvex", "vex.openvex.json"), ("cyclonedx", "vex.cdx.json"), ("csaf", "")]:
            self.supplychain("vex", "export", "--workspace", "--format-vex", form, "--output", f"{self.out}/{name}")
        for report in ["EX-2026-0007", "EX-2026-0008"]:
            self.supplychain("psirt", "advisory", report, "--output", f"{self.out}/")
        self.supplychain("build", "--workspace", "--bins", "--no-sign", "--fail-on", "none", "--sandbox", "off", "--release-dir", self.work / "release",
                         codes=(0, 4))
        [released] = (self.work / "release").glob("*/reports/vex.openvex.json")
        shutil.copy(released, self.out / "release.openvex.json")

    def judge(self):
        result = run([sys.executable, ROOT / "tests" / "judges" / "validate_documents.py", self.out])
        print(result.stdout, end="")
        self.failed += result.returncode != 0
        (self.work / "package.json").write_text("{}")
        (self.work / "judge.mjs").write_text(JUDGE)
        installed = run(["npm", "install", "--no-fund", "--no-audit", "@secvisogram/csaf-validator-lib"], cwd=self.work)
        if installed.returncode != 0:
            raise SystemExit(f"npm: {installed.stderr[-2000:]}")
        csaf = [path for path in sorted(self.out.glob("*.json")) if "csaf_version" in path.read_text()]
        judged = run(["node", "judge.mjs", *csaf], cwd=self.work)
        if judged.returncode != 0 or len(judged.stdout.splitlines()) != len(csaf):
            raise SystemExit(f"csaf-validator-lib: {judged.stderr[-2000:]}")
        for line in judged.stdout.splitlines():
            one = json.loads(line)
            print(f"{pathlib.Path(one['path']).name}: {one['tests']} tests, {len(one['wrong'])} failed, {len(one['warned'])} warnings")
            for name, words in one["wrong"] + one["warned"]:
                print(f"  {name}: {json.dumps(words)[:300]}")
            self.failed += bool(one["wrong"])

    def read(self, paths):
        for path in paths:
            result = self.supplychain("check", "--only", "advisories", "--fail-on", "none", "--vex", path, codes=(0, 2, 4))
            words = [line.strip() for line in result.stderr.splitlines() if path.name in line]
            print(f"{'refused' if result.returncode == 2 else 'read'}: {words[0][:200] if words else result.stderr[-200:]}")
            # A refusal names the file and says why; a bug ends with another code.
            self.failed += not words


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--documents", type=pathlib.Path, nargs="*", default=[])
    options = parser.parse_args()
    trial = Trial(options)
    trial.write()
    trial.judge()
    trial.read([trial.out / "vex.openvex.json", trial.out / "vex.cdx.json", *trial.out.glob("*-vex.json")])
    trial.read([path.resolve() for folder in options.documents for path in sorted(folder.rglob("*.json"))])
    print(f"{trial.failed} objections")
    return 1 if trial.failed else 0


if __name__ == "__main__":
    sys.exit(main())
