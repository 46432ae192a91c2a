#!/usr/bin/env bash
# weft launch, seen from outside: what it refuses, kill -9 of ranks, of mpirun and of itself, a hang, a stop on request, a job that always
# dies. A disturbed run ends with the bytes of an undisturbed one, and nothing is left behind. In full on 2 ranks; on other numbers what depends
# on the number: kill -9 of a rank and of weft launch, a stop on request.
# usage: launch_test.sh WEFT RANKS [SEED]
WEFT=$(realpath "$1")
ranks=$2
if [ "$ranks" -eq 2 ]; then full=yes kills_wanted=3 signals="TERM INT USR1"; else full= kills_wanted=1 signals=TERM; fi
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"
source "$(dirname "$0")/job.sh"
echo "$ranks ranks"
draw_seed "${3:-}"
steps=600
traces=()  # of every mpirun that was seen

# launch_train RUN [--set ...]: in place of the shell; messages go to RUN.log.
launch_train() {
  local run=$1
  shift
  exec "$WEFT" launch -n "$ranks" -- train --config "$WORK/toy.yaml" --set run_dir="$WORK/$run" data.prepared="$WORK/prepared" \
    training.train_steps=$steps training.report_freq=10u "$@" >>"$WORK/$run.log" 2>&1
}
# mpirun_of SUPERVISOR and rank_of SUPERVISOR NUMBER; empty when it is not there.
mpirun_of() { pgrep -P "$1" | head -n 1 || true; }
rank_of() {
  local job
  job=$(mpirun_of "$1")
  [ "$ranks" -eq 1 ] && { echo "$job"; return; }
  [ -z "$job" ] || pgrep -P "$job" -x weft | sed -n "$(($2 + 1))p" || true
}
has_rank() { [ -n "$(rank_of "$1" 0)" ]; }
note_mpirun() { [ "$ranks" -eq 1 ] || traces+=($(traces_of "$(mpirun_of "$1")")); }

# refused PATTERN ARGUMENTS...: exit 64, nothing is started.
refused() {
  local pattern=$1 status=0
  shift
  PATH=${launch_path:-$PATH} "$WEFT" launch "$@" >"$WORK/refused.log" 2>&1 || status=$?
  [ $status -eq 64 ] || { cat "$WORK/refused.log"; fail "launch $*: exit $status, expected 64"; }
  grep -q -- "$pattern" "$WORK/refused.log" || { cat "$WORK/refused.log"; fail "launch $*: does not say '$pattern'"; }
}

launch_train straight &
ends_with 0 $! straight
if grep -q '; relaunch' "$WORK/straight.log"; then fail "an undisturbed run was relaunched"; fi

# killed NAME COMMAND...: $kills_wanted times, COMMAND SUPERVISOR kills something while the job trains; it goes on by itself to the same bytes.
killed() {
  local run=$1 pid kills=0 before began worst=0 time_ms
  shift
  launch_train "$run" &
  pid=$!
  while [ $kills -lt $kills_wanted ]; do
    # Two steps committed since the last kill: there is progress, so the supervisor goes on.
    before=$(grep -c committed "$WORK/$run.log" 2>/dev/null || true)
    committed() { [ "$(grep -c committed "$WORK/$run.log" 2>/dev/null)" -gt $((${before:-0} + 1)) ]; }
    wait_for 30 committed || { tail -n 20 "$WORK/$run.log"; fail "$run: no progress"; }
    sleep "0.0$((RANDOM % 100))"
    note_mpirun $pid
    before=$(lines "$WORK/$run/run_log.jsonl")
    began=$(now_ms)
    "$@" $pid || fail "$run: nothing to kill"
    kills=$((kills + 1))
    wait_for 30 grown "$WORK/$run/run_log.jsonl" "$((before + 1))" || { tail -n 20 "$WORK/$run.log"; fail "$run: does not train again"; }
    time_ms=$(($(now_ms) - began))
    [ $time_ms -le $worst ] || worst=$time_ms
  done
  ends_with 0 $pid "$run"
  [ "$(grep -c '\[launch\] warning: .*; relaunch' "$WORK/$run.log")" -eq $kills_wanted ] || fail "$run: not relaunched after each of $kills_wanted kills"
  same_files straight "$run" $steps
  echo "$run: killed $kills_wanted times, same bytes; at most $worst ms from a kill until ten steps of the next start are logged"
}
kill_rank() { kill -9 "$(rank_of "$1" $((RANDOM % ranks)))"; }
kill_mpirun() { kill -9 "$(mpirun_of "$1")"; }
killed rank-killed kill_rank

for signal in $signals; do
  run=asked-$signal
  (trap - INT; launch_train "$run" --set checkpoint.save_freq=0) &
  pid=$!
  wait_for 30 grown "$WORK/$run/run_log.jsonl" 2 || fail "$run does not start"
  note_mpirun $pid
  kill -$signal $pid
  ends_with 75 $pid "$run"
  ls -d "$WORK/$run"/step-* >/dev/null || fail "$run: stopped and not saved"
  launch_train "$run" --set checkpoint.save_freq=0 &
  ends_with 0 $! "$run"
  same_files straight "$run" $steps
done
echo "$signals: the job saves and ends with 75, and the same command goes on to the same bytes"

launch_train own-death &
pid=$!
wait_for 30 grown "$WORK/own-death/run_log.jsonl" 2 || fail "own-death does not start"
rank=$(rank_of $pid 0)
job=$(mpirun_of $pid)
kill -9 $pid
wait $pid 2>/dev/null || true
wait_for 15 gone "$rank" && wait_for 15 gone "$job" || fail "ranks outlive the supervisor"
launch_train own-death &
ends_with 0 $! own-death
same_files straight own-death $steps
echo "ranks end with their supervisor, and the same command goes on to the same bytes"

if [ -n "$full" ]; then
  killed mpirun-killed kill_mpirun
  [ "$(grep -c 'mpirun itself was killed by signal 9' "$WORK/mpirun-killed.log")" -eq 3 ] || fail "the log does not tell a kill of mpirun from one of a rank"
  [ "$(grep -c 'pid.*: left by the last start, removed' "$WORK/mpirun-killed.log")" -eq 3 ] || fail "nothing was removed after kills of mpirun"

  launch_train stopped-rank --set parallel.hang_timeout=2 &
  pid=$!
  wait_for 30 grown "$WORK/stopped-rank/run_log.jsonl" 2 || fail "stopped-rank does not start"
  note_mpirun $pid
  kill -STOP "$(rank_of $pid $((ranks - 1)))"
  ends_with 0 $pid stopped-rank
  grep -q 'no progress for .* s at step .*exit 76' "$WORK/stopped-rank.log" || fail "a hang was not named"
  grep -q '\[launch\] warning: no progress (exit code 76).*; relaunch' "$WORK/stopped-rank.log" || fail "a hang was not relaunched"
  grep -q "suspect   rank $((ranks - 1)): no flight record" "$WORK/stopped-rank.log" || fail "the stopped rank is not named"
  same_files straight stopped-rank $steps
  echo "a stopped rank ends the job with 76, and it goes on to the same bytes"

  launch_train always-dies &
  pid=$!
  while wait_for 10 has_rank $pid; do
    kill -9 "$(rank_of $pid 0)" 2>/dev/null || true
    sleep 0.02
    gone $pid && break
  done
  wait_for 60 gone $pid || fail "always-dies: does not end"
  status=0
  wait $pid || status=$?
  # mpirun itself may die (SIGPIPE, SIGSEGV) of a rank that is killed while it still starts it; then the log says that it was mpirun.
  [ $status -eq 137 ] || grep -q "mpirun itself was killed by signal .* (exit code $status)" "$WORK/always-dies.log" || { cat "$WORK/always-dies.log"; fail "always-dies: exit $status"; }
  [ "$(grep -c '; relaunch' "$WORK/always-dies.log")" -eq 3 ] || { cat "$WORK/always-dies.log"; fail "always-dies: not relaunched three times"; }
  grep -q 'not started again: 3 relaunches brought no new step' "$WORK/always-dies.log" || fail "always-dies: does not say why it ends"
  echo "a job that always dies is given up after three relaunches"

  cp -r "$WORK/straight" "$WORK/no-retry"
  launch_train no-retry --set checkpoint.resume=never &
  ends_with 64 $! no-retry
  if grep -q '; relaunch' "$WORK/no-retry.log"; then fail "a refusal by the ranks was relaunched"; fi
  echo "what the ranks refuse is not relaunched"

  train=(train --config "$WORK/toy.yaml" --set run_dir="$WORK/refused" data.prepared="$WORK/prepared")
  refused '-n: ' -n 0 -- "${train[@]}"
  refused 'how many ranks' -- "${train[@]}"
  refused 'no command after --' -n "$ranks"
  refused 'hostfile cannot be read' -n 2 --hostfile "$WORK/no_such_file" -- "${train[@]}"
  refused 'nearest   train' -n "$ranks" -- trian
  refused 'is not train' -n "$ranks" -- inspect "$WORK"
  refused 'unknown key' -n "$ranks" -- "${train[@]}" training.nothing=3
  launch_path=/nowhere refused 'openmpi-bin' -n 2 -- "${train[@]}"
  [ ! -e "$WORK/refused" ] || fail "a refused command has started a run"
  echo "wrong commands are refused at once"
fi

if [ "$ranks" -gt 1 ]; then
  for trace in "${traces[@]}"; do [ ! -e "$trace" ] || fail "$trace is left behind"; done
  printf '%s\n' "${traces[@]}" | grep -q /dev/shm || fail "no shared memory was seen: the check itself is broken"
fi
echo "nothing is left behind"
