#!/usr/bin/env python3
"""Signs against a Sigstore on this machine and lets others judge the bundles; then spoils the services, one fault at a time.

    loopback_sigstore.py LOOPBACK_FOLDER BINARY WORK_FOLDER [--port N] [--gh PROGRAM] [--sigstore PROGRAM]

LOOPBACK_FOLDER holds the loopback service (Fulcio, Rekor v1 and v2, a timestamp authority, an OIDC issuer, with faults) with its
`start.sh` and node_modules; there `@sigstore/verify` may be installed as well. `--sigstore`: sigstore-python, `--gh`: GitHub's command line.
What is not there is not asked. Prints two tables; exits 1 when a bundle of ours is refused by anybody, when a fault leaves a bundle
behind that others refuse, or when the signer does not end in time.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request

SETUPS = {"rekor1": "signing_config.rekor1.json", "rekor1-notsa": "signing_config.rekor1-notsa.json", "rekor2": "signing_config.v0.2.json"}
FAULTS = [
    "oidc-500", "fulcio-500", "fulcio-wrong-key", "fulcio-wrong-san", "fulcio-untrusted-ca", "fulcio-no-sct", "rekor-500",
    "rekor-wrong-body", "rekor-bad-set", "rekor-bad-proof", "rekor-old-time", "tsa-500", "tsa-wrong-imprint", "hang", "dead",
]
TIMEOUT = 4  # seconds for one signature; the signer has one more to end
# sigstore-js 4 knows one form of a DSSE entry in Rekor v2, `dsse` 0.0.2, which sigstore-python and gh refuse.
KNOWN = {("sigstore-js", "rekor2", "dsse")}
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
JS = """
import { createRequire } from 'node:module';
const require = createRequire(process.argv[1] + '/package.json');
const { bundleFromJSON } = require('@sigstore/bundle');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const { Verifier, toTrustMaterial, toSignedEntity } = require('@sigstore/verify');
const fs = require('node:fs');
const [root, bundle, file, identity, issuer, tsa] = process.argv.slice(2);
const material = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(fs.readFileSync(root))));
const parsed = bundleFromJSON(JSON.parse(fs.readFileSync(bundle)));
const data = parsed.content.$case === 'messageSignature' ? fs.readFileSync(file) : undefined;
const verifier = new Verifier(material, { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 });
verifier.verify(toSignedEntity(parsed, data), { subjectAlternativeName: identity, extensions: { issuer } });
"""


class World:
    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = os.path.abspath(arguments.work)
        os.makedirs(self.folder, exist_ok=True)
        self.out = os.path.join(self.folder, "out")
        self.base = f"http://127.0.0.1:{arguments.port}"
        self.root = os.path.join(self.out, "trusted_root.json")
        self.file = os.path.join(self.folder, "file.txt")
        self.statement = os.path.join(self.folder, "statement.json")
        with open(self.file, "wb") as file:
            file.write(b"what is signed\n")
        digest = hashlib.sha256(b"what is signed\n").hexdigest()
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "file.txt", "digest": {"sha256": digest}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {"buildDefinition": {"buildType": "x", "externalParameters": {}}, "runDetails": {"builder": {"id": "x"}}},
        }
        with open(self.statement, "w") as file:
            json.dump(statement, file)
        with open(os.path.join(self.folder, "policy.toml"), "w") as file:
            file.write(f"[sign]\nmethod = \"keyless\"\ntimeout = {TIMEOUT}\n")

    def start(self):
        command = [os.path.join(self.arguments.loopback, "start.sh"), self.out, str(self.arguments.port)]
        self.pid = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0])
        with open(os.path.join(self.out, "env.sh")) as file:
            self.env = dict(re.findall(r"(\w+)='?([^' \n]+)'?", file.read().replace("export ", "")))
        self.write_others()

    def write_others(self):
        """The trust of the other judges, in their forms."""
        root = json.load(open(self.root))
        with open(os.path.join(self.out, "root.jsonl"), "w") as file:
            file.write(json.dumps(root) + "\n")
        for setup, config in SETUPS.items():
            signing = json.load(open(os.path.join(self.out, config)))
            trust = {
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": root,
                "signingConfig": signing,
            }
            with open(self.trust(setup), "w") as file:
                json.dump(trust, file)
        self.js = os.path.join(self.folder, "judge.mjs")
        with open(self.js, "w") as file:
            file.write(JS)

    def trust(self, setup):
        return os.path.join(self.out, f"trust.{setup}.json")

    def control(self, fault):
        body = json.dumps({"fault": fault}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.base}/control", data=body), timeout=5).read()

    def sign(self, setup, kind, bundle, dead=False):
        """Signs with ours: exit code, seconds, what it said."""
        env = {name: os.environ[name] for name in ("PATH",)}
        env.update({name: value for name, value in self.env.items() if name.startswith("ACTIONS_")}, CI="true", HOME=self.folder)
        config = os.path.join(self.out, SETUPS[setup])
        if dead:
            # A port that nobody listens at.
            text = open(config).read().replace(f":{self.arguments.port}", ":9").replace(f":{self.arguments.port + 1}", ":9")
            config = os.path.join(self.folder, "dead.json")
            open(config, "w").write(text.replace(f":{self.arguments.port + 2}", ":9"))
        command = [
            self.arguments.binary, "supplychain", "sign", self.file if kind == "blob" else self.statement, "--bundle", bundle,
            "--signing-config", config, "--trusted-root", self.root, "--policy", os.path.join(self.folder, "policy.toml"),
        ]
        begin = time.monotonic()
        run = subprocess.run(command + (["--statement"] if kind == "dsse" else []), env=env, capture_output=True, text=True, timeout=600)
        assert "loopback-request-token" not in run.stdout + run.stderr, "the token is shown"
        return run.returncode, time.monotonic() - begin, run.stderr.strip()

    def judges(self):
        found = {}
        if self.arguments.sigstore:
            found["sigstore-python"] = self.by_python
        if os.path.isdir(os.path.join(self.arguments.loopback, "node_modules/@sigstore/verify")):
            found["sigstore-js"] = self.by_js
        if self.arguments.gh:
            found["gh"] = self.by_gh
        if "--identity" in run([self.arguments.binary, "supplychain", "verify", "--help"])[1]:
            found["ours"] = self.by_ours
        return found

    def by_python(self, setup, _kind, bundle):
        return run([
            self.arguments.sigstore, "--trust-config", self.trust(setup), "verify", "identity", "--offline", "--bundle", bundle,
            "--cert-identity", self.env["LOOP_IDENTITY"], "--cert-oidc-issuer", self.env["LOOP_ISSUER"], self.file,
        ])

    def by_js(self, _setup, _kind, bundle):
        loopback = os.path.abspath(self.arguments.loopback)
        js = os.path.join(loopback, "judge-of-trial.mjs")
        shutil.copyfile(self.js, js)
        return run(["node", js, self.root, bundle, self.file, self.env["LOOP_IDENTITY"], self.env["LOOP_ISSUER"]])

    def by_gh(self, _setup, kind, bundle):
        if kind == "blob":
            return None
        env = dict(os.environ, GH_TOKEN="none", HOME=self.folder)
        return run([
            self.arguments.gh, "attestation", "verify", self.file, "--bundle", bundle, "--repo", "example-org/cargo-demo",
            "--cert-identity", self.env["LOOP_IDENTITY"], "--cert-oidc-issuer", self.env["LOOP_ISSUER"],
            "--custom-trusted-root", os.path.join(self.out, "root.jsonl"),
        ], env)

    def by_ours(self, _setup, _kind, bundle):
        return run([
            self.arguments.binary, "supplychain", "verify", self.file, "--bundle", bundle, "--identity", self.env["LOOP_IDENTITY"],
            "--issuer", self.env["LOOP_ISSUER"], "--trusted-root", self.root,
        ])

    def sign_by_python(self, setup, kind, bundle):
        token = open(os.path.join(self.out, "token")).read()
        command = [self.arguments.sigstore, "--trust-config", self.trust(setup)]
        if kind == "blob":
            command += ["sign", "--bundle", bundle, "--overwrite"]
        else:
            predicate = os.path.join(self.folder, "predicate.json")
            json.dump(json.load(open(self.statement))["predicate"], open(predicate, "w"))
            command += ["attest", "--predicate", predicate, "--predicate-type", PREDICATE_TYPE, "--bundle", bundle, "--overwrite"]
        return run(command + ["--identity-token", token, self.file])


def run(command, env=None):
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    return done.returncode == 0, done.stdout + done.stderr


def judged(judges, setup, kind, bundle):
    """Each judge's verdict; none where it is known not to read this form at all."""
    return [None if (name, setup, kind) in KNOWN else judge(setup, kind, bundle) for name, judge in judges.items()]


def said(outcome):
    return "-" if outcome is None else "yes" if outcome[0] else "NO"


def interoperability(world):
    judges = world.judges()
    print("| bundle | " + " | ".join(judges) + " |\n|---" + "|---" * len(judges) + "|")
    bad = 0
    for setup in SETUPS:
        for kind in ("blob", "dsse"):
            bundle = os.path.join(world.folder, f"{setup}.{kind}.json")
            code, _, words = world.sign(setup, kind, bundle)
            assert code == 0, f"{setup} {kind}: {words}"
            row = judged(judges, setup, kind, bundle)
            bad += sum(outcome is not None and not outcome[0] for outcome in row)
            print(f"| ours, {setup}, {kind} | " + " | ".join(map(said, row)) + " |")
            for name, outcome in zip(judges, row):
                if outcome is not None and not outcome[0]:
                    print(f"    {name}: {outcome[1].strip()[-400:]}")
    if world.arguments.sigstore:
        for setup in ("rekor1", "rekor2"):
            for kind in ("blob", "dsse"):
                bundle = os.path.join(world.folder, f"python.{setup}.{kind}.json")
                made = world.sign_by_python(setup, kind, bundle)
                if not made[0]:
                    print(f"| sigstore-python, {setup}, {kind}: not signed: {made[1].strip()[-200:]} |")
                    continue
                row = judged(judges, setup, kind, bundle)
                bad += sum(name == "ours" and not outcome[0] for name, outcome in zip(judges, row))
                print(f"| sigstore-python, {setup}, {kind} | " + " | ".join(map(said, row)) + " |")
    return bad


def faults(world):
    judges = world.judges()
    print("\n| fault | " + " | ".join(SETUPS) + " |\n|---" + "|---" * len(SETUPS) + "|")
    bad = 0
    for fault in FAULTS:
        cells = []
        for setup in SETUPS:
            bundle = os.path.join(world.folder, f"fault.{fault}.{setup}.json")
            if os.path.exists(bundle):
                os.remove(bundle)
            world.control(None if fault == "dead" else fault)
            code, seconds, words = world.sign(setup, "dsse", bundle, dead=fault == "dead")
            world.control(None)
            cell = f"exit {code}, {seconds:.1f} s"
            if seconds > TIMEOUT + 1:
                bad, cell = bad + 1, cell + " LATE"
            if os.path.exists(bundle) != (code == 0):
                bad, cell = bad + 1, cell + " BUNDLE AND EXIT CODE DIFFER"
            elif code == 0:
                # The fault does not touch this way of signing: then everybody has to agree.
                verdicts = [outcome for outcome in judged(judges, setup, "dsse", bundle) if outcome]
                refused = sum(not outcome[0] for outcome in verdicts)
                bad, cell = bad + refused, cell + (" REFUSED" if refused else ", signed, verifies")
            elif code != 4:
                bad, cell = bad + 1, cell + f" UNEXPECTED: {words[-200:]}"
            cells.append(cell)
        print(f"| {fault} | " + " | ".join(cells) + " |", flush=True)
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loopback")
    parser.add_argument("binary")
    parser.add_argument("work")
    parser.add_argument("--port", type=int, default=18765)
    parser.add_argument("--gh")
    parser.add_argument("--sigstore")
    world = World(parser.parse_args())
    world.start()
    try:
        bad = interoperability(world) + faults(world)
    finally:
        os.kill(world.pid, 15)
    print(f"\n{bad} bad")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
