#!/usr/bin/env bash
# Runs every target, or the named ones, one after the other: `fuzz/run.sh [SECONDS [TARGET…]]`, and prints their figures. Stops at
# the first input that crashes, takes longer than 5 s or 1 GiB; cargo-fuzz says where it lies.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list)
# In memory where the system has such a place: some targets write a small file for each input.
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
log=$work/log
cargo +nightly fuzz build --sanitizer none
for target in "${targets[@]}"; do
  # Without sanitizer: there is no unsafe code of ours, and it runs twice as fast.
  if ! cargo +nightly fuzz run --sanitizer none "$target" -- -max_len=65536 -rss_limit_mb=1024 -timeout=5 \
    -max_total_time="$seconds" -runs=1000000 -report_slow_units=1 -print_final_stats=1 >"$log" 2>&1; then
    tail -40 "$log" >&2
    exit 1
  fi
  figure() { sed -n "s/^stat::$1: *//p" "$log"; }
  echo "$target: $(figure number_of_executed_units) executions, slowest $(figure slowest_unit_time_sec) s, peak $(figure peak_rss_mb) MiB"
done
