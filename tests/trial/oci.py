#!/usr/bin/env python3
"""Releases in registries that others wrote, read by clients that others wrote.

    apt-get install docker-registry skopeo apache2-utils
    cargo build --example stores
    python3 -m venv VENV && VENV/bin/pip install oras==0.2.43
    VENV/bin/python tests/trial/oci.py [--stores target/debug/examples/stores] [RELEASE_FOLDER]

Debian's docker-registry (distribution 2.8: no list of referrers, so that the tag stands for it), open and with a password. What was pushed is
read by skopeo and by oras (Python), pulled again byte by byte, and after a bit was changed in the registry's own folder refused. Without
RELEASE_FOLDER a folder of that form is made up, with bundles that are none. Exit 1 with the first thing that goes wrong.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PASSWORD = "not-a-real-password-0123"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@contextlib.contextmanager
def registry(work, htpasswd=None):
    port, storage = free_port(), work / f"registry-{'password' if htpasswd else 'open'}"
    storage.mkdir()
    configuration = {"version": "0.1", "storage": {"filesystem": {"rootdirectory": str(storage)}}, "http": {"addr": f"127.0.0.1:{port}"}}
    if htpasswd:
        configuration["auth"] = {"htpasswd": {"realm": "trial", "path": str(htpasswd)}}
    (storage / "config.yml").write_text(json.dumps(configuration))
    with open(storage / "log", "wb") as log:
        server = subprocess.Popen(["docker-registry", "serve", storage / "config.yml"], stdout=log, stderr=log)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.1)
        yield f"127.0.0.1:{port}", storage
    finally:
        server.terminate()
        server.wait()


def made_up(folder):
    """A folder of the form of a release; not signed, since nothing here judges signatures."""
    files = {"artifacts/tool": random.randbytes(9_000_000), "sbom/tool.cdx.json": b"{}", "evidence/Cargo.lock": b"version = 4\n",
             "SHA256SUMS": b"", "VERIFY.md": b"# Verify\n",
             "release.json": json.dumps({"name": "tool", "version": "1.0.0+7", "target": "x86_64-unknown-linux-gnu"}).encode(),
             "attestations/tool.provenance.sigstore.json": b'{"mediaType":"1"}', "attestations/release.sigstore.json": b'{"mediaType":"2"}'}
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "artifacts/tool").chmod(0o755)


def tree(folder):
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode & 0o111 != 0)
            for path in sorted(folder.rglob("*")) if path.is_file()}


class Trial:
    def __init__(self, stores, release, work):
        self.stores, self.release, self.work, self.checks = stores, release, work, 0

    def check(self, holds, what):
        self.checks += 1
        if not holds:
            sys.exit(f"error: {what}")

    def run(self, *arguments, **changes):
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        done = subprocess.run([self.stores, *map(str, arguments)], env=kept | {"HOME": str(self.work)} | changes, capture_output=True, text=True)
        if PASSWORD in done.stdout + done.stderr:
            sys.exit(f"error: a message holds the password: {done.stderr}")
        return done.returncode, done.stdout.strip(), done.stderr

    def pull(self, reference, **changes):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.work))
        return *self.run("pull", reference, folder, **changes), folder

    def round_trip(self, host, storage):
        code, out, error = self.run("push", self.release, f"oci://{host}/team/tool")
        self.check(code == 0, error)
        pushed = out.split()[0]
        self.check("referrers=false" in out and pushed.startswith(f"oci://{host}/team/tool:"), out)
        bundles = sum(1 for path in tree(self.release) if path.startswith("attestations/"))
        self.check(f"bundles={bundles}" in out, out)
        for reference in [pushed, pushed.split("@")[0], f"oci://{host}/team/tool@{pushed.split('@')[1]}"]:
            code, _, error, folder = self.pull(reference)
            self.check(code == 0, error)
            self.check(tree(folder) == tree(self.release), f"{reference} differs")
        code, again, error = self.run("push", self.release, f"oci://{host}/team/tool")
        self.check(code == 0 and again.split()[0] == pushed and again.endswith("uploaded=0"), again + error)
        other = self.work / "other"
        shutil.copytree(self.release, other)
        (other / "VERIFY.md").write_bytes(b"other")
        code, _, error = self.run("push", other, pushed.split("@")[0])
        self.check(code == 1 and "is another release already" in error, error)
        self.check(self.pull(pushed)[0] == 0, "a refused push changed something")
        return pushed

    def skopeo(self, host, pushed):
        name = pushed.removeprefix("oci://").split("@")[0]
        raw = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"], capture_output=True, check=True).stdout
        self.check(f"sha256:{hashlib.sha256(raw).hexdigest()}" == pushed.split("@")[1], "skopeo reads another manifest")
        folder = self.work / "skopeo"
        subprocess.run(["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{name}", f"dir:{folder}"], check=True, capture_output=True)
        titled = {layer["annotations"]["org.opencontainers.image.title"]: layer["digest"] for layer in json.loads(raw)["layers"]}
        for path, digest in titled.items():
            content = (folder / digest.removeprefix("sha256:")).read_bytes()
            self.check(content == (self.release / path).read_bytes(), f"skopeo copies another {path}")
        index_name = f"{host}/team/tool:{pushed.split('@')[1].replace(':', '-')}"
        index = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{index_name}"], capture_output=True, check=True)
        listed = json.loads(index.stdout)["manifests"]
        self.check(listed and all(one["artifactType"] == BUNDLE for one in listed), f"the index lists {listed}")

    def oras(self, pushed):
        import oras.client
        name = pushed.removeprefix("oci://").split("@")[0]
        client = oras.client.OrasClient(insecure=True)
        folder = self.work / "oras"
        client.pull(target=name, outdir=str(folder), overwrite=True)
        ours = {path: content for path, (content, _) in tree(self.release).items() if not path.startswith("attestations/")}
        self.check({path: content for path, (content, _) in tree(folder).items()} == ours, "oras pulls other files")

    def bits(self, storage, pushed):
        """One bit in each blob of the registry's folder: the pull that meets it is refused, or the registry itself refuses."""
        blobs = [path for path in (storage / "docker/registry/v2/blobs/sha256").rglob("data") if path.stat().st_size > 2]
        refused = 0
        for blob in blobs:
            whole = blob.read_bytes()
            at = random.randrange(len(whole))
            blob.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << random.randrange(8)]) + whole[at + 1:])
            code, _, error, _ = self.pull(pushed)
            refused += code == 1
            # A bit in an annotation of the index means nothing; everything else is known by its digest.
            self.check(code == 1 or b"image.index.v1+json" in whole, f"a changed {blob} was not noticed")
            blob.write_bytes(whole)
        self.check(self.pull(pushed)[0] == 0, "the registry was not put back")
        return refused, len(blobs)

    def password(self, work):
        htpasswd = work / "htpasswd"
        done = subprocess.run(["htpasswd", "-Bbn", "trial", PASSWORD], capture_output=True, text=True, check=True)
        htpasswd.write_text(done.stdout)
        with registry(work, htpasswd) as (host, _):
            reference = f"oci://{host}/team/tool"
            code, _, error = self.run("push", self.release, reference)
            self.check(code == 1 and "wants other credentials" in error and "config.json" in error, error)
            login = {"auths": {host: {"auth": base64.b64encode(f"trial:{PASSWORD}".encode()).decode()}}}
            (work / "auth.json").write_text(json.dumps(login))
            code, out, error = self.run("push", self.release, reference, REGISTRY_AUTH_FILE=str(work / "auth.json"))
            self.check(code == 0, error)
            self.check(self.pull(out.split()[0])[0] == 1, "pulled without the password")
            code, _, error, folder = self.pull(out.split()[0], REGISTRY_AUTH_FILE=str(work / "auth.json"))
            self.check(code == 0 and tree(folder) == tree(self.release), error)
            (work / "auth.json").write_text(json.dumps({"credHelpers": {host: "trial"}}))
            code, _, error = self.run("push", self.release, reference, REGISTRY_AUTH_FILE=str(work / "auth.json"))
            self.check(code == 1 and "docker-credential-trial, which is not started" in error, error)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("release", nargs="?", type=pathlib.Path)
    parser.add_argument("--stores", default="target/debug/examples/stores")
    options = parser.parse_args()
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        release = options.release or work / "release"
        if not options.release:
            made_up(release)
        trial = Trial(pathlib.Path(options.stores).resolve(), release, work)
        with registry(work) as (host, storage):
            pushed = trial.round_trip(host, storage)
            print(f"ok: pushed, pulled and not moved: {pushed.split('@')[0].rsplit(':')[-1]}")
            trial.skopeo(host, pushed)
            trial.oras(pushed)
            print("ok: skopeo and oras read the same bytes")
            refused, blobs = trial.bits(storage, pushed)
            print(f"ok: a bit in each of {blobs} blobs: {refused} pulls refused")
        trial.password(work)
        print("ok: with a password, and only with it")
    print(f"{trial.checks} checks passed against docker-registry")


if __name__ == "__main__":
    main()
