#!/usr/bin/env bash
# Loads the baseline and gatepost-server in turn, ROUNDS (3) times each, and prints both medians and their ratio.
# Options go to the load program:
#
#   cargo build --release --workspace && benches/compare.sh --seconds 10 --expect queued
#
# The databases lie beside the binaries, so on the disk that a build is on, and are removed at the end.
set -euo pipefail

bin=${CARGO_TARGET_DIR:-target}/release
work=$(mktemp -d "$bin/compare.XXXXXX")
pid=
trap 'stop; rm -rf "$work"' EXIT

# Starts a program and waits until it says where it listens.
start() {
    : >"$work/log"
    "$@" 2>>"$work/log" >/dev/null &
    pid=$!
    for _ in {1..100}; do
        url=$(sed -n 's|^listening on ||p' "$work/log")
        if [[ -n $url ]]; then return; fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "compare: this did not start: $*" >&2
    cat "$work/log" >&2
    exit 1
}

stop() {
    if [[ -z $pid ]]; then return; fi
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    pid=
}

# Loads what was started last, and keeps its figures under a name.
measure() {
    "$bin/load" --url "$url" --pid "$pid" --json "${@:2}" >"$work/line"
    stop
    rm -rf "$work/data"
    cat "$work/line" >>"$work/$1"
    show "$1" "$work/line"
}

show() {
    printf '%-16s %7.0f a second   p99 %6.2f ms   %.4f CPU seconds per 1,000\n' \
        "$1" "$(median per_second "$2")" "$(median p99 "$2")" "$(median cpu_seconds_per_1000 "$2")"
}

# The median of a figure over a file's lines. The server's figures stand before the load program's, so the first is taken.
median() {
    awk -F "\"$1\":" '{ print $2 + 0 }' "$2" | sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

ratio() {
    awk -v a="$(median "$1" "$work/gatepost")" -v b="$(median "$1" "$work/baseline")" 'BEGIN { print b ? a / b : "none" }'
}

for ((round = 1; round <= ${ROUNDS:-3}; round++)); do
    start "$bin/baseline" --listen 127.0.0.1:0 --data "$work/data"
    measure baseline --key wg_live_baseline --instance inst_baseline "$@"
    start "$bin/gatepost-server" serve --data "$work/data" --listen 127.0.0.1:0 --bootstrap "$work/bootstrap"
    measure gatepost --bootstrap "$work/bootstrap" "$@"
done

echo
show "baseline, median" "$work/baseline"
show "gatepost, median" "$work/gatepost"
printf 'ratio            %.2f of the rate, %.2f of the p99, %.2f of the CPU\n' \
    "$(ratio per_second)" "$(ratio p99)" "$(ratio cpu_seconds_per_1000)"
