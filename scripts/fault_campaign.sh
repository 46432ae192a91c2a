#!/usr/bin/env bash
# N random faults in runs of a toy model under weft launch and mpirun: kill -9 of a rank, of mpirun, of weft launch, of all; SIGSTOP of a
# rank; SIGTERM and SIGUSR1; the newest checkpoint damaged. Every run ends with the bytes of an undisturbed one, every hang within
# hang_timeout + 5 s (a save 3, a validation 6 times hang_timeout + 5 s; 15 s where the others have ended MPI) and with its rank named, and
# nothing is left behind. Prints how many of each, and the longest way back to training.
# usage: scripts/fault_campaign.sh N [SEED] [RANKS] [WEFT] [TENSOR]; SEED 0 or none: WEFT_TEST_SEED, or the clock; TENSOR: parallel.tensor
source_dir=$(cd "$(dirname "$0")/.." && pwd)
faults=${1:?usage: scripts/fault_campaign.sh N [SEED] [RANKS] [WEFT] [TENSOR]}
ranks=${3:-2}
WEFT=$(realpath "${4:-$source_dir/build/release/weft}")
export OMP_WAIT_POLICY=passive
source "$source_dir/tests/runs/toy.sh"
source "$source_dir/tests/runs/job.sh"
asked_seed=${2:-0}
draw_seed "${asked_seed#0}"
mkdir "$WORK/tmp"
export TMPDIR=$WORK/tmp  # for what mpirun keeps
tensor=${5:-1}
steps=600
hang_timeout=2
kinds=(rank-killed mpirun-killed launch-killed all-killed rank-stopped asked-TERM asked-USR1 damaged)
declare -A count worst
traces=()
pid=0
echo "$faults faults, $ranks ranks, parallel.tensor $tensor"

fail() {
  trap - EXIT
  kill -9 $pid $(members) 2>/dev/null
  echo "FAILED: $* (seed $seed; $WORK is kept)" >&2
  tail -n 30 "$WORK/$run.log" >&2
  exit 1
}
launch_train() {
  exec "$WEFT" launch -n "$ranks" --max-relaunches 1000 -- train --config "$WORK/toy.yaml" --set run_dir="$WORK/$1" \
    data.prepared="$WORK/prepared" training.train_steps=$steps training.report_freq=10u parallel.hang_timeout=$hang_timeout parallel.tensor=$tensor >>"$WORK/$1.log" 2>&1
}
start() {
  launch_train "$run" &
  pid=$!
}
mpirun_of() { pgrep -P "$1" | head -n 1; }
ranks_of() {
  local job
  job=$(mpirun_of "$1")
  [ -z "$job" ] || pgrep -P "$job" -x "$(basename "$WEFT")"
}
members() { pgrep -f "run_dir=$WORK/$run " || true; }
no_members() { [ -z "$(members)" ]; }
all_run() { [ "$(ranks_of $pid | wc -l)" -eq "$ranks" ]; }
starts() { grep -cE '\[resume\] (step [0-9]+ from|none found)' "$WORK/$run.log" 2>/dev/null || true; }
# since_start PATTERN: lines of the newest start. What the one before has said may reach the log after its death.
since_start() {
  awk -v pattern="$1" '/\[resume\] (step [0-9]+ from|none found)/ { n = 0 } $0 ~ pattern { n++ } END { print n + 0 }' "$WORK/$run.log" 2>/dev/null || echo 0
}
started_again() { [ "$(starts)" -gt "$starts_before" ]; }
# Two checkpoints of the start after the last fault, so weft launch goes on and there is one to step back to; or the run is at its end.
may_disturb() { { started_again && [ "$(since_start ' committed, ')" -ge 2 ]; } || gone $pid; }
goes_on() { { started_again && [ "$(since_start '\\[train\\]')" -ge 1 ]; } || gone $pid; }
# newest FOLDER of the checkpoints.
newest() { ls -d "$WORK/$run"/step-* | tail -n 1; }
flip_byte() {
  local size at
  size=$(stat -c %s "$1")
  at=$(((RANDOM * 32768 + RANDOM) % size))
  printf "$(printf '\\%03o' $(($(od -An -tu1 -j $at -N 1 "$1") ^ (1 << RANDOM % 8))))" | dd of="$1" bs=1 seek=$at conv=notrunc status=none
}
# next_kind: sets kind; each comes once, in random order, before any comes again.
round=()
next_kind() {
  local at
  [ ${#round[@]} -gt 0 ] || round=("${kinds[@]}")
  at=$((RANDOM % ${#round[@]}))
  kind=${round[$at]}
  round=("${round[@]:0:$at}" "${round[@]:$((at + 1))}")
}
# What a fault of a kind does. Those that end weft launch itself start it again.
kill_all() {
  local all
  all="$pid $(members)"
  kill -9 $all 2>/dev/null
  wait $pid 2>/dev/null
  wait_for 5 no_members || fail "$1: kill -9 leaves processes"
}
again_after_75() {
  kill -"$1" $pid
  wait_for 20 gone $pid || fail "SIG$1 is not followed"
  wait $pid
  local status=$?
  [ $status -eq 75 ] || { [ $status -eq 0 ] && return 1; } || fail "SIG$1: exit $status"
  start
}
stop_rank() {
  local victim=$1 number=$2 hangs late began elapsed limit=$((hang_timeout + 5))
  hangs=$(grep -c 'no progress (exit code 76)' "$WORK/$run.log")
  late=$(grep -c 'ranks on this host still run' "$WORK/$run.log")
  began=$(now_ms)
  kill -STOP "$victim" || return 1
  hang_said() { [ "$(grep -c 'no progress (exit code 76)' "$WORK/$run.log")" -gt "$hangs" ]; }
  # Stopped when the others had ended MPI: nobody else is there to notice but weft launch, which gives it 10 s.
  late_said() { [ "$(grep -c 'ranks on this host still run' "$WORK/$run.log")" -gt "$late" ]; }
  noticed() { hang_said || late_said; }
  wait_for 30 noticed || fail "a stopped rank: the hang is not ended within 30 s"
  elapsed=$(($(now_ms) - began))
  # The phases that may stand still longer, as docs/cluster.md has them.
  case $(grep -A1 'fatal: no progress' "$WORK/$run.log" | awk 'END { print $2 }') in
    validation) limit=$((6 * hang_timeout + 5)) ;;
    save) limit=$((3 * hang_timeout + 5)) ;;
  esac
  late_said && limit=15
  [ $elapsed -le $((limit * 1000)) ] || fail "a stopped rank: the hang is ended after $elapsed ms, expected $limit s"
  wait_for 1 gone "$victim" || fail "a stopped rank outlives its job"
  if late_said; then
    count[late]=$((${count[late]:-0} + 1))
    return 0
  fi
  count[named]=$((${count[named]:-0} + 1))
  grep -A1 'no progress (exit code 76)' "$WORK/$run.log" | tail -n 1 | grep -q "suspect   rank $number: no flight record" || fail "the stopped rank $number is not named"
}
# disturb KIND: fails when there was nothing left to disturb.
disturb() {
  local number=$((RANDOM % ranks)) members_now victim file files damaged
  mapfile -t members_now < <(ranks_of $pid)
  [ ${#members_now[@]} -eq "$ranks" ] || return 1
  victim=${members_now[$number]}
  number=$(tr '\0' '\n' <"/proc/$victim/environ" 2>/dev/null | sed -n 's/^OMPI_COMM_WORLD_RANK=//p')
  [ -n "$number" ] || return 1
  mapfile -t files < <(traces_of "$(mpirun_of $pid)" 2>/dev/null)
  case $1 in
    rank-killed) kill -9 "$victim" ;;
    mpirun-killed) kill -9 "$(mpirun_of $pid)" ;;
    launch-killed)
      kill -9 $pid
      wait $pid 2>/dev/null
      wait_for 5 no_members || fail "ranks outlive weft launch"
      start ;;
    all-killed)
      kill_all "$1"
      start ;;
    damaged)
      kill_all "$1"
      damaged=$(grep -c 'is damaged and skipped' "$WORK/$run.log")
      file=$(ls -d "$(newest)"/* | sed -n "$((RANDOM % $(ls "$(newest)" | wc -l) + 1))p")
      flip_byte "$file"
      start
      stepped_back() { [ "$(grep -c 'is damaged and skipped' "$WORK/$run.log")" -gt "$damaged" ]; }
      wait_for 20 stepped_back || fail "the damage in $file is not said" ;;
    rank-stopped) stop_rank "$victim" "$number" ;;
    asked-*) again_after_75 "${1#asked-}" ;;
  esac || return 1
  traces+=("${files[@]}")
}

set +e
run=straight
start
wait_for 120 gone $pid && wait $pid || fail "the undisturbed run"
[ "$(grep -c '; relaunch' "$WORK/straight.log")" -eq 0 ] || fail "the undisturbed run was relaunched"

done_=0
runs=0
while [ $done_ -lt "$faults" ]; do
  runs=$((runs + 1))
  run=disturbed-$runs
  starts_before=0
  start
  while [ $done_ -lt "$faults" ]; do
    wait_for 60 may_disturb || fail "no progress after ${kind:-the start}"
    gone $pid && break
    wait_for 2 all_run || continue
    sleep "0.0$((RANDOM % 100))"
    next_kind
    starts_now=$(starts)
    began=$(now_ms)
    disturb "$kind" || { round+=("$kind"); continue; }
    starts_before=$starts_now
    done_=$((done_ + 1))
    count[$kind]=$((${count[$kind]:-0} + 1))
    wait_for 60 goes_on || fail "$kind: does not train again"
    time_ms=$(($(now_ms) - began))
    [ $time_ms -le "${worst[$kind]:-0}" ] || worst[$kind]=$time_ms
  done
  wait_for 120 gone $pid || fail "does not end"
  wait $pid || fail "ends with $?"
  (same_files straight "$run" $steps) || fail "other bytes than undisturbed"
  no_members || fail "processes are left: $(members)"
  rm -rf "${WORK:?}/$run"
done

left=$(ls -d "${traces[@]}" 2>/dev/null)
[ -z "$left" ] || fail "left behind: $left"
printf '%-14s %6s  %s\n' fault count 'longest until the next start logs its training, ms'
for kind in "${kinds[@]}"; do printf '%-14s %6d  %s\n' "$kind" "${count[$kind]:-0}" "${worst[$kind]:--}"; done
echo "$done_ faults in $runs runs on $ranks ranks in $SECONDS s, seed $seed: the bytes of an undisturbed run every time; ${count[named]:-0} hangs ended and named, ${count[late]:-0} behind the end of MPI ended"
