#!/usr/bin/env python3
"""Judges a release folder without a line of our Rust code.

    verify_dsse.py RELEASE_FOLDER PUBKEY.pem

Needs Python 3.9 and `cryptography`. Verifies the DSSE signature of every bundle (with its own pre-authentication encoding),
that release.json is what was signed, that it lists exactly the files that are there, SHA256SUMS, and every statement's subject
and digest. Prints what it counted; exit 0 when all holds, 1 when something does not, 2 when it cannot judge.
"""
import base64
import hashlib
import json
import os
import stat
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
RELEASE_TYPE = "https://github.com/cargo-supplychain/cargo-supplychain/blob/main/docs/release-statement-v1.md"
REQUIRED = {"https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom", "https://spdx.dev/Document/v2.3"}
RELEASE_BUNDLE = "attestations/release.sigstore.json"


class Rejected(Exception):
    pass


def check(condition, path, message):
    if not condition:
        raise Rejected(f"{path}: {message}")


def strict_json(path, data):
    def no_duplicates(pairs):
        keys = [key for key, _ in pairs]
        check(len(keys) == len(set(keys)), path, "a key appears twice")
        return dict(pairs)

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=no_duplicates)
    except ValueError as error:
        raise Rejected(f"{path}: not JSON: {error}") from None


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def pre_authentication_encoding(payload_type, payload):
    """DSSE v1: "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body, lengths in decimal."""
    kind = payload_type.encode("utf-8")
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


class Key:
    def __init__(self, pem):
        self.key = serialization.load_pem_public_key(pem)
        der = self.key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.hint = base64.b64encode(hashlib.sha256(der).digest()).decode()
        self.fingerprint = "SHA256:" + sha256(der)

    def verify(self, signature, message):
        if isinstance(self.key, ed25519.Ed25519PublicKey):
            self.key.verify(signature, message)
        elif isinstance(self.key, ec.EllipticCurvePublicKey) and self.key.curve.name == "secp256r1":
            self.key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        else:
            raise SystemExit("the key is neither ECDSA P-256 nor Ed25519")


def statement_of(path, data, key):
    """The verified statement of a bundle, and its bytes."""
    bundle = strict_json(path, data)
    check(bundle.get("mediaType") == MEDIA_TYPE, path, "not a bundle v0.3")
    check(bundle["verificationMaterial"]["publicKey"]["hint"] == key.hint, path, "another key's hint")
    envelope = bundle["dsseEnvelope"]
    check(envelope["payloadType"] == PAYLOAD_TYPE, path, "another payload type")
    check(len(envelope["signatures"]) == 1, path, "not exactly one signature")
    payload = base64.b64decode(envelope["payload"], validate=True)
    signature = base64.b64decode(envelope["signatures"][0]["sig"], validate=True)
    try:
        key.verify(signature, pre_authentication_encoding(PAYLOAD_TYPE, payload))
    except InvalidSignature:
        raise Rejected(f"{path}: the signature is not by this key") from None
    statement = strict_json(path, payload)
    check(statement.get("_type") == STATEMENT_TYPE, path, "not an in-toto Statement v1")
    check(len(statement["subject"]) == 1, path, "not exactly one subject")
    return statement, payload


def read_folder(root):
    """Every file by its path with forward slashes; anything but folders and regular files is refused."""
    files = {}
    for folder, names, leaves in os.walk(root):
        for name in names + leaves:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, root).replace(os.sep, "/")
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode):
                with open(path, "rb") as file:
                    files[relative] = file.read()
            else:
                check(stat.S_ISDIR(mode), relative, "neither a file nor a folder")
    return files


def judge(root, key):
    files = read_folder(root)
    for path in ("release.json", "SHA256SUMS", RELEASE_BUNDLE):
        check(path in files, path, "missing")
    release, _ = statement_of(RELEASE_BUNDLE, files[RELEASE_BUNDLE], key)
    check(release["predicateType"] == RELEASE_TYPE, RELEASE_BUNDLE, "not a release statement")
    subject = release["subject"][0]
    check(subject["name"] == "release.json", RELEASE_BUNDLE, "not about release.json")
    check(subject["digest"]["sha256"] == sha256(files["release.json"]), "release.json", "not what was signed")

    manifest = strict_json("release.json", files["release.json"])
    for field in ("name", "version", "target"):
        check(release["predicate"][field] == manifest[field], "release.json", f"another {field} than was signed")
    listed = {entry["path"]: entry for entry in manifest["files"]}
    bundles = {entry["path"]: entry for entry in manifest["statements"]}
    check(len(listed) == len(manifest["files"]) and len(bundles) == len(manifest["statements"]), "release.json", "a path twice")
    expected = set(listed) | set(bundles) | {"release.json", "SHA256SUMS", RELEASE_BUNDLE}
    for path in sorted(expected ^ set(files)):
        check(path in files, path, "missing")
        check(path in expected, path, "not listed")
    for path, entry in listed.items():
        check(len(files[path]) == entry["size"] and sha256(files[path]) == entry["sha256"], path, "not what is listed")
    sums = "".join(f"{sha256(files[path])}  {path}\n" for path in sorted(expected - {"SHA256SUMS"}, key=str.encode))
    check(files["SHA256SUMS"] == sums.encode(), "SHA256SUMS", "not the sums of these files")

    types = {}
    for path, entry in bundles.items():
        statement, payload = statement_of(path, files[path], key)
        check(sha256(payload) == entry["sha256"], path, "not the statement that is listed")
        check(statement["predicateType"] == entry["predicate_type"], path, "another predicate type than is listed")
        subject = statement["subject"][0]
        check(subject["name"] == entry["subject"].rsplit("/", 1)[-1], path, "about another name")
        check(subject["digest"]["sha256"] == listed[entry["subject"]]["sha256"], path, "about other bytes")
        types.setdefault(entry["subject"], set()).add(statement["predicateType"])
        for kind, extension in (("cyclonedx", "cdx"), ("spdx", "spdx")):
            stem = path[len("attestations/"):].removesuffix(f".{kind}.sigstore.json")
            if path.endswith(f".{kind}.sigstore.json"):
                sbom = f"sbom/{stem}.{extension}.json"
                check(sbom in listed, sbom, "missing")
                check(strict_json(sbom, files[sbom]) == statement["predicate"], sbom, "not the SBOM that was signed")
    artifacts = [path for path, entry in listed.items() if entry["role"] == "artifact"]
    check(artifacts, "release.json", "no artifact")
    for path in artifacts:
        check(REQUIRED <= types.get(path, set()), path, "without provenance or SBOM statement")
    return f"{len(bundles) + 1} signatures, {len(files)} files, {len(artifacts)} artifacts"


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    root, pem = arguments
    with open(pem, "rb") as file:
        key = Key(file.read())
    try:
        counted = judge(root, key)
    except (Rejected, KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        print(f"rejected: {error}" if isinstance(error, Rejected) else f"rejected: malformed: {error!r}")
        return 1
    print(f"verified by {key.fingerprint}: {counted}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
