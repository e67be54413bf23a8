#!/usr/bin/env python3
"""The store of archives against an S3 server that others wrote: moto, on loopback.

    cargo build --features remote-stores --bin cargo-supplychain --example stores
    python3 -m venv VENV && VENV/bin/pip install 'moto[server,s3]==5.2.5' boto3==1.44.8
    VENV/bin/python tests/trial/archive_s3.py [--stores target/debug/examples/stores] [--tool target/debug/cargo-supplychain] [--rounds 40]

First the store (example `stores`), then the verbs of the program over it (archive_s3_verbs.py). Of the store: nothing is replaced; of eight writers of one place exactly one creates it, hundreds of times; a writer that is killed leaves all or nothing, also
where it uploads in parts; a list of more than a page; missing buckets and keys are errors that hold no secret. Exit 1 with the first thing
that goes wrong.
"""

import argparse
import contextlib
import hashlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

import boto3
import botocore

import archive_s3_verbs

BUCKET = "archive-trial"
# moto's own server, one request at a time: its `moto_server` answers in threads and looks for the object and creates it in two steps without a lock,
# so that two writers of one place may both be told that they created it. This trial finds that within some dozens of rounds.
SERVER = """
import sys
from werkzeug.serving import run_simple
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False, request_handler=MotoRequestHandler)
"""
SECRET = "not-a-real-secret-0123456789"


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@contextlib.contextmanager
def moto(log):
    """Moto's own server in a process of its own; ends with the block."""
    port = free_port()
    with open(log, "wb") as out:
        server = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdout=out, stderr=out)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            if server.poll() is not None:
                sys.exit(f"error: moto ended: {pathlib.Path(log).read_text()[-500:]}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


class Trial:
    def __init__(self, stores, endpoint, work):
        self.stores, self.endpoint, self.work = stores, endpoint, work
        self.url = f"s3://{BUCKET}/team/archive"
        self.s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                               aws_access_key_id="trial", aws_secret_access_key=SECRET)
        self.s3.create_bucket(Bucket=BUCKET)
        self.checks = 0

    def environment(self):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return kept | {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "trial",
                       "AWS_SECRET_ACCESS_KEY": SECRET}

    def start(self, *arguments, **changes):
        return subprocess.Popen([self.stores, *map(str, arguments)], env=self.environment() | changes,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments, **changes):
        process = self.start(*arguments, **changes)
        out, error = process.communicate(timeout=300)
        if SECRET.encode() in out + error:
            sys.exit(f"error: a message holds the secret: {error}")
        return process.returncode, out, error.decode()

    def check(self, holds, what):
        self.checks += 1
        if not holds:
            sys.exit(f"error: {what}")

    def file(self, content):
        path = self.work / "content"
        path.write_bytes(content)
        return path

    def create(self, path, content):
        code, out, error = self.run("create", self.url, path, self.file(content))
        self.check(code == 0, f"create {path}: {error}")
        return out.decode().strip()

    def operations(self):
        for size in [0, 1, 70_000, 3_000_000]:
            content, other = random.randbytes(size), random.randbytes(size + 1)
            path = f"log/{size}"
            self.check(self.create(path, content) == "Created", f"{path} was not created")
            self.check(self.create(path, other) == "Exists", f"{path} was created twice")
            self.check(self.run("read", self.url, path, size)[1] == content, f"{path} was replaced")
            self.check(self.run("open", self.url, path)[1] == content, f"{path} streams otherwise")
        code, _, error = self.run("read", self.url, "log/1", 0)
        self.check(code == 1 and "larger than 0 bytes" in error, error)
        code, _, error = self.run("read", self.url, "log/none", 9)
        self.check(code == 1 and f"{self.url}/log/none does not exist" in error, error)
        self.check(self.run("remove", self.url, "log/1")[0] == 0 and self.run("remove", self.url, "log/1")[0] == 0, "remove")
        listed = self.run("list", self.url, "log/")[1].decode().splitlines()
        self.check(listed == ["0 log/0", "3000000 log/3000000", "70000 log/70000"], f"the list is {listed}")

    def large(self):
        content = random.randbytes(50_000_000)
        path = f"objects/aa/{hashlib.sha256(content).hexdigest()}"
        self.check(self.create(path, content) == "Created" and self.create(path, content) == "Exists", "a large object")
        self.check(self.run("open", self.url, path)[1] == content, "a large object is other bytes")
        wrong = f"objects/aa/{'0' * 64}"
        code, _, error = self.run("create", self.url, wrong, self.file(content))
        self.check(code == 1 and "not those of its digest" in error, error)
        self.check(self.run("read", self.url, wrong, 9)[0] == 1, "the wrong object is there")
        uploads = self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        self.check(uploads == [], f"{len(uploads)} uploads were left")

    def race(self, rounds):
        start = int(time.time() * 1000) + 2000
        writers = [self.start("race", self.url, "race", f"writer-{one}", rounds, start, 1500) for one in range(8)]
        winners = {}
        for number, process in enumerate(writers):
            out, error = process.communicate(timeout=900)
            self.check(process.returncode == 0, f"a writer failed: {error.decode()}")
            for line in out.decode().split():
                self.check(line not in winners, f"round {line} was won by {winners.get(line)} and {number}")
                winners[line] = number
        self.check(len(winners) == rounds, f"{len(winners)} of {rounds} rounds were won")
        for line, number in winners.items():
            body = self.s3.get_object(Bucket=BUCKET, Key=f"team/archive/race/{int(line):06}")["Body"].read()
            self.check(body == f"writer-{number}".encode(), f"round {line} holds {body}")
        shares = [list(winners.values()).count(number) for number in range(8)]
        self.check(sum(share > 0 for share in shares) > 2, f"it was no race: {shares}")
        return shares

    def kills(self, count):
        """SIGKILL at a random moment of an upload, alternately whole and in parts."""
        left = 0
        for number in range(count):
            content = random.randbytes(40_000_000 if number % 2 else 10_000_000)
            path = f"objects/kk/{hashlib.sha256(content).hexdigest()}"
            process = self.start("create", self.url, path, self.file(content))
            time.sleep(random.uniform(0.02, 1.2))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            try:
                body = self.s3.get_object(Bucket=BUCKET, Key=f"team/archive/{path}")["Body"].read()
                self.check(body == content, "a killed writer left other bytes")
                left += 1
            except self.s3.exceptions.NoSuchKey:
                self.checks += 1
            self.check(self.create(path, content) in ("Created", "Exists"), "after a kill")
        return left

    def pages(self):
        self.run("race", self.url, "many", "x", 1203, 0, 0)
        listed = self.run("list", self.url, "many/")[1].decode().splitlines()
        self.check(listed == [f"1 many/{number:06}" for number in range(1203)], f"{len(listed)} of 1203 are listed")

    def refusals(self):
        code, _, error = self.run("list", "s3://no-such-bucket/x", "log/")
        self.check(code == 1 and "NoSuchBucket" in error, error)
        code, _, error = self.run("create", "s3://no-such-bucket/x", "log/1", self.file(b"x"))
        self.check(code == 1 and "cannot write s3://no-such-bucket/x/log/1" in error, error)
        code, _, error = self.run("list", self.url, "log/", AWS_ENDPOINT_URL="http://198.51.100.1:9000")
        self.check(code == 1 and "neither https nor http on this machine" in error, error)
        code, _, error = self.run("list", self.url, "log/", AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}")
        self.check(code == 1 and "not reachable" in error, error)
        code, _, error = self.run("list", self.url, "log/", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        self.check(code == 1 and "no credentials" in error, error)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", default="target/debug/examples/stores")
    parser.add_argument("--tool", default="target/debug/cargo-supplychain", help="built with the feature remote-stores")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--prunes", type=int, default=10, help="rounds of two who prune and two who add")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        with moto(work / "moto.log") as endpoint:
            began = time.monotonic()
            trial = Trial(pathlib.Path(options.stores).resolve(), endpoint, work)
            trial.operations()
            print("ok: created, read, listed and removed; nothing is replaced")
            trial.large()
            print("ok: in parts, and only under its digest")
            shares = trial.race(options.rounds)
            print(f"ok: {options.rounds} rounds of eight writers, each won by exactly one: {shares}")
            left = trial.kills(options.kills)
            print(f"ok: {options.kills} writers killed: {left} left all, {options.kills - left} nothing")
            trial.pages()
            print("ok: a list of several pages")
            trial.refusals()
            print("ok: refusals are said, without secrets")
            requests = lambda: (work / "moto.log").read_bytes().count(b'" 2') + (work / "moto.log").read_bytes().count(b'" 4')
            verbs = archive_s3_verbs.Verbs(pathlib.Path(options.tool).resolve(), trial.environment(), trial.s3, BUCKET, work, requests, SECRET)
            verbs.all(options.prunes, options.kills)
    print(f"{trial.checks + verbs.checks} checks passed in {time.monotonic() - began:.0f} s against moto (boto3 {boto3.__version__}, botocore {botocore.__version__})")


if __name__ == "__main__":
    main()
