#!/usr/bin/env bash
# 300 steps straight = 300 steps with kill -9 at random moments and resume, to the same bytes: weights, moments, average; dropout on, in
# float32 and bfloat16. Recompute on = off; asynchronous saves = synchronous ones; one thread = two.
# usage: kill_and_resume_test.sh WEFT [SEED]
WEFT=$1
source "$(dirname "$0")/toy.sh"
draw_seed "${2:-}"

# killed RUN [--set ...]: kills the process three times while it trains, then lets it end.
killed() {
  local run=$1 kills=0
  shift
  while [ $kills -lt 3 ]; do
    local before pid
    before=$(lines "$WORK/$run/run_log.jsonl")
    exec_train "$run" "$@" &
    pid=$!
    # Somewhere behind the start: the run has said something, then up to half a second more.
    for _ in $(seq 200); do
      sleep 0.02
      [ "$(lines "$WORK/$run/run_log.jsonl")" -gt "$before" ] && break
      kill -0 $pid 2>/dev/null || break
    done
    sleep "0.$(printf '%03d' $((RANDOM % 400)))"
    if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); else break; fi
    wait $pid 2>/dev/null || true
  done
  [ $kills -ge 1 ] || fail "$run ended before it could be killed: the test shows nothing"
  echo "$run: killed $kills times"
  train "$run" "$@" || { cat "$WORK/$run.log"; fail "$run did not end well"; }
  [ "$(grep -c 'bit for bit' "$WORK/$run.log")" -ge 1 ] || fail "$run never resumed"
}

for dtype in fp32 bf16; do
  set_dtype=(--set precision.dtype=$dtype)
  train "straight-$dtype" "${set_dtype[@]}" || { cat "$WORK/straight-$dtype.log"; fail "straight-$dtype"; }
  killed "killed-$dtype" "${set_dtype[@]}" --set training.report_freq=10u
  same_state "straight-$dtype" "killed-$dtype" 300
  train "recompute-$dtype" "${set_dtype[@]}" --set training.recompute=block
  same_state "straight-$dtype" "recompute-$dtype" 300
  train "synchronous-$dtype" "${set_dtype[@]}" --set checkpoint.async_save=false
  same_state "straight-$dtype" "synchronous-$dtype" 300
  OMP_NUM_THREADS=2 train "threads-$dtype" "${set_dtype[@]}"
  same_state "straight-$dtype" "threads-$dtype" 300
done
# The comparison can fail: another seed gives other bytes.
train other --set precision.dtype=fp32 --set seed=8
if (same_state straight-fp32 other 300) 2>/dev/null; then fail "runs of two seeds are equal"; fi
echo "all runs end with the same bytes"
