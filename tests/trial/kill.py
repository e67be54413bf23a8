#!/usr/bin/env python3
"""Kills `build` with SIGKILL at random moments: no folder may look complete and not be, and a rerun succeeds.

    kill.py --tool PATH [--tries 200] [--seed N]

Works on a copy of examples/minimal. Every second try begins without a release, the others replace one.
"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    tool, chance = arguments.tool.resolve(), random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        example, key = folder / "minimal", folder / "key.pem"
        shutil.copytree(ROOT / "examples" / "minimal", example, ignore=shutil.ignore_patterns("target"))
        environment = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"))
        subprocess.run([tool, "supplychain", "key", "generate", "--output", key, "-q"], check=True, env=environment)
        build = [tool, "supplychain", "build", "--offline", "-q", "--key", key]
        releases = example / "target" / "supplychain"

        def finished():
            return [path for path in releases.iterdir() if path.is_dir() and not path.name.startswith(".")] if releases.exists() else []

        def sound():
            for release in finished():
                result = subprocess.run([tool, "supplychain", "verify", release, "--key", key.with_suffix(".pub")],
                                        env=environment, capture_output=True, text=True)
                if result.returncode:
                    print(f"seed {arguments.seed}: {release} looks complete and is not\n{result.stderr}")
                    sys.exit(1)
            return len(finished())

        def whole(extra=()):
            begun = time.monotonic()
            subprocess.run(build + list(extra), cwd=example, check=True, env=environment, capture_output=True)
            left = [path.name for path in releases.iterdir() if path.name.startswith(".staging")]
            if sound() != 1 or left:
                print(f"seed {arguments.seed}: a rerun left {finished()} and {left}")
                sys.exit(1)
            return time.monotonic() - begun

        whole()
        length = {False: whole(), True: whole(["--clean"])}
        complete = 0
        for attempt in range(arguments.tries):
            clean = attempt % 4 == 0
            if attempt % 2:
                for release in finished():
                    shutil.rmtree(release)
            elif not finished():
                whole()
            child = subprocess.Popen(build + (["--clean"] if clean else []), cwd=example, env=environment, start_new_session=True,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, length[clean] * 1.1))
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()
            complete += sound()
            if attempt % 10 == 9:
                whole()
        whole()
        print(f"seed {arguments.seed}: {arguments.tries} kills, {complete} times a whole release stood there, never a broken one; every rerun succeeded")


if __name__ == "__main__":
    main()
