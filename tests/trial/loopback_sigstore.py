#!/usr/bin/env python3
"""Signs against a Sigstore on this machine and lets others judge the bundles; then spoils the services, one fault at a time.

    loopback_sigstore.py LOOPBACK_FOLDER BINARY WORK_FOLDER [--port N] [--gh PROGRAM] [--sigstore PROGRAM]

LOOPBACK_FOLDER holds the loopback service (Fulcio, Rekor v1 and v2, a timestamp authority, an OIDC issuer, with faults) with its
`start.sh` and node_modules; there `@sigstore/verify` and `@sigstore/sign` may be installed as well. `--sigstore`: sigstore-python, `--gh`:
GitHub's command line. What is not there is not asked. Prints three tables: bundles (ours judged by others, theirs by ours), faults, and
releases that a service failed. Exits 1 when a bundle of ours is refused by anybody, one of theirs by us, when a fault leaves a bundle behind
that others refuse, when the signer does not end in time, or when a release is lost or not completed afterwards.
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


JS_SIGN = """
import { createRequire } from 'node:module';
const require = createRequire(process.argv[1] + '/package.json');
const { bundleToJSON } = require('@sigstore/bundle');
const sign = require('@sigstore/sign');
const fs = require('node:fs');
const [config, token, kind, input, output] = process.argv.slice(2);
const services = JSON.parse(fs.readFileSync(config));
const getToken = async () => fs.readFileSync(token, 'utf8');
const signer = new sign.FulcioSigner({ fulcioBaseURL: services.caUrls[0].url, identityProvider: { getToken } });
const log = services.rekorTlogUrls[0];
const witnesses = [new sign.RekorWitness({ rekorBaseURL: log.url, majorApiVersion: log.majorApiVersion, entryType: 'dsse' })];
if (services.tsaUrls.length) {
  witnesses.push(new sign.TSAWitness({ tsaBaseURL: services.tsaUrls[0].url.replace('/api/v1/timestamp', '') }));
}
const Builder = kind === 'blob' ? sign.MessageSignatureBundleBuilder : sign.DSSEBundleBuilder;
const artifact = { data: fs.readFileSync(input), type: kind === 'blob' ? undefined : 'application/vnd.in-toto+json' };
const bundle = await new Builder({ signer, witnesses }).create(artifact);
fs.writeFileSync(output, JSON.stringify(bundleToJSON(bundle)));
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

    def sign_by_js(self, setup, kind, bundle):
        js = os.path.join(os.path.abspath(self.arguments.loopback), "sign-of-trial.mjs")
        with open(js, "w") as file:
            file.write(JS_SIGN)
        config, token = os.path.join(self.out, SETUPS[setup]), os.path.join(self.out, "token")
        return run(["node", js, config, token, kind, self.file if kind == "blob" else self.statement, bundle])

    def signers(self):
        found = {}
        if self.arguments.sigstore:
            found["sigstore-python"] = self.sign_by_python
        if os.path.isdir(os.path.join(self.arguments.loopback, "node_modules/@sigstore/sign")):
            found["sigstore-js"] = self.sign_by_js
        return found

    def ours(self, arguments, folder):
        """Another command of ours, in a CI job: exit code, seconds, what it said."""
        env = {name: os.environ[name] for name in ("PATH", "RUSTUP_HOME", "CARGO_HOME") if name in os.environ}
        env.setdefault("RUSTUP_HOME", os.path.expanduser("~/.rustup"))
        env.update({name: value for name, value in self.env.items() if name.startswith("ACTIONS_")}, CI="true", HOME=self.folder)
        begin = time.monotonic()
        done = subprocess.run([self.arguments.binary, "supplychain", *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=600)
        return done.returncode, time.monotonic() - begin, done.stderr

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
    for name, sign in world.signers().items():
        for setup in SETUPS:
            for kind in ("blob", "dsse"):
                bundle = os.path.join(world.folder, f"{name}.{setup}.{kind}.json")
                made = sign(setup, kind, bundle)
                if not made[0]:
                    print(f"| {name}, {setup}, {kind}: not signed: {made[1].strip()[-200:]} |")
                    continue
                # What others say of each other's bundles is theirs to settle.
                row = [judge(setup, kind, bundle) for judge in judges.values()]
                bad += sum(judge == "ours" and not outcome[0] for judge, outcome in zip(judges, row))
                print(f"| {name}, {setup}, {kind} | " + " | ".join(map(said, row)) + " |")
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


MANIFEST = "[package]\nname = \"tiny\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[workspace]\n"


def pending(world):
    """A build whose signing fails keeps its release; afterwards it is completed."""
    print("\n| release | fault | build | files | sign --pending | verify |\n|---|---|---|---|---|---|")
    bad = 0
    for setup in SETUPS:
        for fault in ("hang", "dead", "rekor-500", "rekor-bad-proof"):
            folder = os.path.join(world.folder, f"tiny.{setup}.{fault}")
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(os.path.join(folder, "src"))
            config = os.path.join(world.out, SETUPS[setup])
            dead = open(config).read()
            for port in range(3):
                dead = dead.replace(f":{world.arguments.port + port}", ":9")
            signing = f"[sign]\nmethod = \"keyless\"\ntimeout = {TIMEOUT}\nsigning-config = \"signing.json\"\ntrusted-root = \"{world.root}\"\n"
            files = {
                "Cargo.toml": MANIFEST, "src/main.rs": "fn main() {}\n", "supplychain.toml": signing,
                "Cargo.lock": "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"1.0.0\"\n",
                "signing.json": dead if fault == "dead" else open(config).read(),
            }
            for name, text in files.items():
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            world.control(None if fault == "dead" else fault)
            release = os.path.join(folder, "release")
            build = world.ours(["build", "--only", "lock", "--sandbox", "off", "--release-dir", release], folder)
            world.control(None)
            shutil.copyfile(config, os.path.join(folder, "signing.json"))
            names = [name for _, _, names in os.walk(release) for name in names]
            waiting = sum(name.endswith(".pending.json") for name in names)
            bundles = sum(name.endswith(".sigstore.json") for name in names)
            [place] = [os.path.join(release, name) for name in os.listdir(release) if os.path.isdir(os.path.join(release, name))]
            sign = world.ours(["sign", "--pending", place], folder)
            verify = world.ours(
                ["verify", place, "--identity", world.env["LOOP_IDENTITY"], "--issuer", world.env["LOOP_ISSUER"], "--trusted-root", world.root], folder
            )
            codes = (build[0], sign[0], verify[0])
            if codes != (0, 0, 0) or (waiting, bundles) != (4, 0):
                bad += 1
                print(build[2][-400:], sign[2][-400:], verify[2][-400:])
            print(
                f"| {setup} | {fault} | exit {build[0]}, {build[1]:.1f} s | {waiting} pending, {bundles} bundles | "
                f"exit {sign[0]}, {sign[1]:.1f} s | exit {verify[0]} |", flush=True,
            )
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
        bad = interoperability(world) + faults(world) + pending(world)
    finally:
        os.kill(world.pid, 15)
    print(f"\n{bad} bad")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
