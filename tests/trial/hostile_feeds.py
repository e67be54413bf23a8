#!/usr/bin/env python3
"""Trial: hostile files of every kind of source, as real files and from a server.

    hostile_feeds.py --tool PATH --work DIR [--gigabytes N]

For each kind: JSON (or text) of N gigabytes (1), the same compressed, zip archives with one such entry and with two thousand of a megabyte, values of
wrong types, a day that has not come. As a path: `check` has to list the source as not evaluated with a reason, and to end with its own exit code. From a
server that had a good state before: `fetch` has to keep that state. Peak memory and seconds of each run; the limit is 1.2 GB. Files are made in WORK and
removed.
"""
import argparse
import gzip
import http.server
import json
import os
import pathlib
import sys
import threading
import time
import zipfile

import triage

LIMIT_MB = 1200
GOOD = {
    "kev": lambda day: json.dumps({"catalogVersion": day, "dateReleased": f"{day}T00:00:00Z", "count": 1, "vulnerabilities": [
        {"cveID": "CVE-2024-27308", "vendorProject": "v", "product": "p", "vulnerabilityName": "n", "dateAdded": day, "shortDescription": "s",
         "requiredAction": "r", "dueDate": day}]}),
    "epss": lambda day: f"#model_version:v2026.06.15,score_date:{day}T00:00:00Z\ncve,epss,percentile\nCVE-2024-27308,0.5,0.5\n",
    "osv": lambda day: json.dumps({"id": "GHSA-x", "modified": f"{day}T00:00:00Z", "affected": [
        {"package": {"ecosystem": "crates.io", "name": "a"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}),
    "jvn": lambda day: f'<r xmlns:s="u" xmlns:d="http://purl.org/dc/elements/1.1/"><channel><d:date>{day}T00:00:00Z</d:date></channel><item><title>t</title>'
                       f'<s:identifier>JVNDB-2026-000001</s:identifier><d:date>{day}T00:00:00Z</d:date>'
                       '<s:references source="CVE" id="CVE-2024-27308">u</s:references></item></r>',
    "cve": lambda day: json.dumps({"dataType": "CVE_RECORD", "cveMetadata": {"cveId": "CVE-2024-27308", "state": "PUBLISHED", "dateUpdated": f"{day}T00:00:00"},
                                   "containers": {"cna": {"providerMetadata": {"orgId": "x"}}}}),
    "eol": lambda day: json.dumps({"openssl": [{"cycle": "3.6", "eol": "2026-11-01"}]}),
}
# Kinds that say of which day they are.
DATED = {"kev", "epss", "osv", "cve"}
WRONG = ['{"vulnerabilities": 7, "id": 7, "openssl": 7}', "[7]", "7", "null", '"x"', "", "\0" * 100, "[" * 100_000]


def chunks(size):
    """A valid JSON array of so many bytes."""
    part = b"1," * (1 << 19)
    yield b"["
    for _ in range(size // len(part)):
        yield part
    yield b"1]"


def hostile(work, size):
    """Name and file, made one after the other: each is removed before the next."""
    plain = work / "huge.json"
    with open(plain, "wb") as out:
        for part in chunks(size):
            out.write(part)
    yield "huge", plain
    plain.unlink()
    packed = work / "huge.json.gz"
    with gzip.open(packed, "wb", 1) as out:
        for part in chunks(size):
            out.write(part)
    yield "huge, gzip", packed
    packed.unlink()
    bomb = work / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open("a.json", "w", force_zip64=True) as out:
        for part in chunks(size):
            out.write(part)
    yield "zip, one entry", bomb
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(2_000):
            archive.writestr(f"{number}.json", b" " * (1 << 20))
    yield "zip, 2,000 entries", bomb
    bomb.unlink()


def run(command, folder):
    """Exit code, output, seconds and peak MB of the process."""
    out, err = folder / "out", folder / "err"
    began = time.monotonic()
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        process = os.posix_spawn(command[0], command, {**os.environ, "CARGO_HOME": str(folder.parent / "cargo-home")}, file_actions=[
            (os.POSIX_SPAWN_DUP2, stdout.fileno(), 1), (os.POSIX_SPAWN_DUP2, stderr.fileno(), 2)])
        _, status, usage = os.wait4(process, 0)
    return os.waitstatus_to_exitcode(status), out.read_text(errors="replace"), err.read_text(errors="replace"), time.monotonic() - began, usage.ru_maxrss / 1024


class Served(http.server.BaseHTTPRequestHandler):
    answer = b""

    def do_GET(self):
        self.send_response(200)
        body = self.answer
        size = body.stat().st_size if isinstance(body, pathlib.Path) else len(body)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        try:
            if isinstance(body, pathlib.Path):
                with open(body, "rb") as file:
                    while part := file.read(1 << 20):
                        self.wfile.write(part)
            else:
                self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tool", "work"):
        parser.add_argument(f"--{name}", type=lambda text: pathlib.Path(text).resolve(), required=True)
    parser.add_argument("--gigabytes", type=float, default=1)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    arguments.data = None
    trial = triage.Trial(arguments)
    folder = trial.project([("mio", "0.8.10")])
    database = arguments.work / "database"
    (database / "crates/nothing").mkdir(parents=True, exist_ok=True)
    (database / "crates/nothing/RUSTSEC-2026-0001.md").write_text(
        '```toml\n[advisory]\nid = "RUSTSEC-2026-0001"\npackage = "nothing"\ndate = "2026-08-20"\n[versions]\npatched = []\n```\n\n# t\n')
    os.chdir(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    peak, slowest, runs, failed = 0.0, 0.0, 0, []
    common = ["--manifest-path", str(folder / "Cargo.toml"), "--format", "json", "--cache-dir", str(arguments.work / "cache")]

    def judged(kind, what, body):
        nonlocal peak, slowest, runs
        local = body if isinstance(body, pathlib.Path) else arguments.work / "file"
        if local is not body:
            local.write_bytes(body)
        check = [str(arguments.tool), "supplychain", "check", "--offline", "--only", "advisories", "--advisory-db", str(database), "--feed", f"{kind}={local}", *common]
        fetch = [str(arguments.tool), "supplychain", "fetch", "--feed", f"{kind}={url}/{kind}", "--format", "json", "--cache-dir", str(arguments.work / "cache")]
        Served.answer = GOOD[kind]("2026-08-20").encode()
        before = json.loads(run(fetch, folder)[1])["feeds"]
        Served.answer = body
        for how, command in (("path", check), ("server", fetch)):
            code, out, err, seconds, memory = run(command, folder)
            peak, slowest, runs = max(peak, memory), max(slowest, seconds), runs + 1
            wrong = []
            if memory > LIMIT_MB:
                wrong.append(f"{memory:.0f} MB")
            if how == "path":
                listed = json.loads(out)["not_evaluated"] if out.startswith("{") else []
                reasons = [one["why"] for one in listed if str(local.name) in one["why"] or local.name in json.dumps(one)]
                if code not in (0, 1, 4) or not reasons:
                    wrong.append(f"exit {code}, no reason: {[one['why'] for one in listed]} {err[-300:]}")
            else:
                after = json.loads(out)["feeds"] if out.startswith("{") else None
                if code != 0 or after != before or not err.strip():
                    wrong.append(f"exit {code}, before {before}, after {after}: {err[-300:]}")
            failed.extend(f"{kind}, {what}, {how}: {one}" for one in wrong)
            print(f"{'FAIL' if wrong else 'ok  '} {kind:4} {what:20} {how:6} exit {code} {seconds:5.1f} s {memory:5.0f} MB {err.strip().splitlines()[-1][:120] if how == 'server' and err.strip() else ''}", flush=True)

    for what, path in hostile(arguments.work, int(arguments.gigabytes * (1 << 30))):
        for kind in GOOD:
            judged(kind, what, path)
    for kind in GOOD:
        for number, text in enumerate(WRONG):
            judged(kind, f"wrong types {number}", text.encode())
        if kind in DATED:
            judged(kind, "future", GOOD[kind]("2999-01-01").encode())
    print(f"{runs} runs, at most {peak:.0f} MB and {slowest:.1f} s")
    print("\n".join(failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
