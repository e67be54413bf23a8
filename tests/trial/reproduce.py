#!/usr/bin/env python3
"""Trial: which published crates give the same bytes in two folders and two homes, and what differs in the others.

    reproduce.py --tool PATH --work DIR [--profile NAME] [--plain] [--out FILE.md] [--package NAME=SPEC] FOLDER ...

Each FOLDER is a workspace with its Cargo.lock, whose dependencies are fetched. It is copied to DIR (nothing of it is changed) and built by
`build --reproduce`, which builds it a second time in another folder, with another target folder, home, CARGO_HOME and temporary folder.
`--plain` switches the fixed names of folders off (`[build] remap-paths = false`), for comparison. `--package` chooses the package of one
folder (`ripgrep=ripgrep`). Every artifact gets a line: its size, whether the bytes agree, and the causes where they do not. Minutes to hours.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time


def build(tool, folder, profile, package):
    command = [tool, "supplychain", "build", "--reproduce", "--clean", "--no-sign", "--offline", "--fail-on", "none", "--format", "json",
               "--profile", profile]
    if package:
        command += ["--package", package]
    begin = time.monotonic()
    result = subprocess.run([str(part) for part in command], cwd=folder, text=True, capture_output=True)
    seconds = time.monotonic() - begin
    try:
        return json.loads(result.stdout), seconds, result
    except json.JSONDecodeError:
        return None, seconds, result


def lines(name, answer, seconds, result):
    """Rows of the table, and whether all agree."""
    if not answer or not answer.get("release"):
        last = (result.stderr.strip().splitlines() or ["no output"])[-1]
        return [(name, "", "not built", last, seconds)], False
    reproduction = answer["release"]["reproduction"]
    if reproduction["failed"]:
        return [(name, "", "second build failed", reproduction["failed"].splitlines()[0], seconds)], False
    rows, all_agree = [], True
    sizes = {pathlib.PurePath(file["path"]).name: file["size"] for file in answer["release"]["manifest"]["files"]}
    for artifact in reproduction["artifacts"]:
        agrees = artifact["second"] == artifact["first"]
        all_agree &= agrees
        causes = []
        for cause in (artifact["difference"] or {}).get("causes", []):
            examples = ", ".join(cause["examples"][:3])
            causes.append(f"{cause['kind']} ({cause['total']}){': ' + examples if examples else ''}")
        rows.append((f"{name}: {artifact['name']}", sizes.get(artifact["name"], ""), "yes" if agrees else "no", "; ".join(causes), seconds))
    return rows, all_agree


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--profile", default="release")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--package", action="append", default=[])
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    packages = dict(one.split("=", 1) for one in options.package)
    table, agreeing = [], 0
    for source in options.folders:
        folder = options.work / source.name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder, symlinks=True, ignore=shutil.ignore_patterns("target", ".git"))
        if options.plain:
            policy = folder / "supplychain.toml"
            if policy.exists():
                sys.exit(f"{policy} is there already; --plain writes one")
            policy.write_text("[build]\nremap-paths = false\n")
        answer, seconds, result = build(options.tool.resolve(), folder, options.profile, packages.get(source.name))
        rows, agrees = lines(source.name, answer, seconds, result)
        agreeing += agrees
        for row in rows:
            print(f"{row[2]:<8} {row[0]} {row[3]} ({row[4]:.0f} s)", flush=True)
        table += rows
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{agreeing} of {len(options.folders)} agree")
    if options.out:
        text = ["| artifact | bytes | same bytes | causes | s |", "|---|---|---|---|---|"]
        escaped = lambda one: str(one).replace("|", "\\|")
        text += [f"| {escaped(name)} | {size} | {agrees} | {escaped(causes)} | {seconds:.0f} |" for name, size, agrees, causes, seconds in table]
        options.out.write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
