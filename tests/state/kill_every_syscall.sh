#!/usr/bin/env bash
# Kills a save at every one of its system calls, and fails each with ENOSPC and EIO: afterwards the newest or the previous checkpoint loads,
# and what was called committed is there.
# usage: kill_every_syscall.sh SAVE_ONCE
set -euo pipefail
program=$1
calls="openat,write,fsync,close,rename,mkdir,unlink,rmdir,statfs,pread64"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! command -v strace >/dev/null; then echo "SKIPPED: strace is not installed"; exit 77; fi
if ! strace -o /dev/null true 2>/dev/null; then echo "SKIPPED: tracing is forbidden here"; exit 77; fi

# Three checkpoints, so that the save under test also prunes one.
mkdir "$work/start"
for _ in 1 2 3; do "$program" "$work/start" >/dev/null; done
newest=$("$program" "$work/start" --check | sed -n 's/^loaded //p')

# How often the program makes each call; when=N counts by name, so every name has its own loop.
cp -r "$work/start" "$work/counted"
strace -f -o "$work/trace" -e trace="$calls" "$program" "$work/counted" >/dev/null

points=0
check() {  # check WHAT OUTPUT: the run directory is usable, and no committed step is lost
  local what=$1 output=$2 loaded committed
  loaded=$("$program" "$work/run" --check 2>"$work/errors" | sed -n 's/^loaded //p') || true
  committed=$(sed -n 's/^committed //p' <<<"$output")
  case "$loaded" in
    "$newest"|"$((newest + 1))") ;;
    *) echo "FAILED: $what: loaded '$loaded', expected $newest or $((newest + 1))"; cat "$work/errors"; exit 1 ;;
  esac
  if [ -n "$committed" ] && [ "$loaded" != "$committed" ]; then
    echo "FAILED: $what: step $committed was called committed, step $loaded is loaded"; exit 1
  fi
  points=$((points + 1))
}

for name in ${calls//,/ }; do
  count=$(grep -cE "^[0-9]+ +$name\(" "$work/trace" || true)
  for ((n = 1; n <= count; ++n)); do
    for fault in signal=SIGKILL error=ENOSPC error=EIO; do
      rm -rf "$work/run"
      cp -r "$work/start" "$work/run"
      output=$(strace -f -o /dev/null -e trace="$name" -e inject="$name:$fault:when=$n" "$program" "$work/run" 2>/dev/null) || true
      check "$name number $n, $fault" "$output"
    done
  done
done
[ "$points" -gt 100 ] || { echo "FAILED: only $points points: the check itself is broken"; exit 1; }
echo "$points faults at system calls of a save: the newest or the previous checkpoint loads"
