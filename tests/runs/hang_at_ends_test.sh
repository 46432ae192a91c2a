#!/usr/bin/env bash
# A rank that is stopped where it would start MPI, or behind its last step. Where the others wait for it, the job ends with 76. Where they have
# already ended, mpirun waits for it, and weft launch ends the job. Nothing is lost either way.
# usage: hang_at_ends_test.sh WEFT PRELOADED_LIBRARY
WEFT=$(realpath "$1")
library=$2
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"
source "$(dirname "$0")/job.sh"
hang_timeout=1

# stopped WHEN SECONDS PATTERN: stops rank 1 there; SECONDS later the log has PATTERN; then the job is done.
stopped() {
  local when=$1 seconds=$2 pattern=$3 log=$WORK/$1.log pid
  : >"$log"
  STOP_RANK=$when STOP_ONCE=$WORK/$when.once LD_PRELOAD=$library "$WEFT" launch -n 2 -- train --config "$WORK/toy.yaml" \
    --set run_dir="$WORK/$when" data.prepared="$WORK/prepared" parallel.hang_timeout=$hang_timeout >>"$log" 2>&1 &
  pid=$!
  said() { grep -q -- "$1" "$log"; }
  wait_for 60 [ -e "$WORK/$when.once" ] || { cat "$log"; kill -9 $pid; fail "$when: no rank was stopped, so this shows nothing"; }
  wait_for "$seconds" said "$pattern" || { cat "$log"; kill -9 $pid; fail "$when: hangs for more than $seconds s"; }
  ends_with 0 $pid "$when"
  echo "a rank stopped at $when: the job is ended, started again, and done"
}
resumed() { grep -q '\[resume\] step 300 from' "$WORK/$1.log" || { cat "$WORK/$1.log"; fail "$1: does not find the step that was saved"; }; }
stopped start $((12 * hang_timeout + 8)) 'phase     start-up'
stopped before_end $((hang_timeout + 5)) 'phase     end of the run'
resumed before_end
grep -q 'suspect   rank 1: no flight record' "$WORK/before_end.log" || { cat "$WORK/before_end.log"; fail "the stopped rank is not named"; }
stopped after_end 15 'does not end, 1 of 2 ranks on this host still run'
resumed after_end
