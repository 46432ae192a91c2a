# Sourced after toy.sh by the tests that watch a job from outside: clocks, waiting, and what mpirun keeps on disk.
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local end=$(($(now_ms) + $1 * 1000))
  shift
  until "$@"; do
    [ "$(now_ms)" -lt $end ] || return 1
    sleep 0.01
  done
}
# grown FILE LINES: more lines than that.
grown() { [ "$(lines "$1")" -gt "$2" ]; }
# Ended, whether or not its parent has asked for the exit code.
gone() { case "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)" in "" | Z) true ;; *) false ;; esac; }
# ends_with CODE PID RUN: within two minutes.
ends_with() {
  local code=$1 pid=$2 run=$3 status=0
  wait_for 120 gone "$pid" || { tail -n 20 "$WORK/$run.log"; fail "$run: does not end"; }
  wait "$pid" || status=$?
  [ "$status" -eq "$code" ] || { tail -n 20 "$WORK/$run.log"; fail "$run: exit $status, expected $code"; }
}
# same_files A B STEP: every tensor file of that step.
same_files() {
  local folder=step-$(printf '%012d' "$3") count=0 file
  for file in "$WORK/$1/$folder"/*.safetensors; do
    cmp "$file" "$WORK/$2/$folder/$(basename "$file")" || fail "$1 and $2 differ: $(basename "$file")"
    count=$((count + 1))
  done
  [ $count -ge 2 ] || fail "$1: only $count files to compare"
}
# traces_of MPIRUN: the session folder of an mpirun on this host, and the shared-memory segments under its job number.
traces_of() {
  local session number
  session=$(ls -d "${TMPDIR:-/tmp}"/ompi.*/pid."$1") || return 0
  number=$(head -n 1 "$session/contact.txt" | cut -d . -f 1)
  echo "$session"
  ls -d /dev/shm/vader_segment.*."$(id -u)"."$(printf '%x' $((number >> 16)))"* || true
}

# What follows needs $mpiexec.
# on_ranks N RUN ARGS...
on_ranks() {
  local n=$1 run=$2
  shift 2
  "$mpiexec" -n "$n" "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/$run" --set data.prepared="$WORK/prepared" "$@" >>"$WORK/$run.log" 2>&1
}
must() { "$@" || { cat "$WORK/$3.log"; fail "$*"; }; }
# killed_on N RUN ARGS...: kills a random rank up to three times while it trains; mpirun ends the others, and the same command goes on.
killed_on() {
  local n=$1 run=$2 kills=0 attempt before pid ranks
  shift 2
  for attempt in 1 2 3 4 5 6 7 8; do
    before=$(lines "$WORK/$run/run_log.jsonl")
    on_ranks "$n" "$run" "$@" --set training.report_freq=10u &
    pid=$!
    for _ in $(seq 300); do sleep 0.02; grown "$WORK/$run/run_log.jsonl" "$before" && break; kill -0 $pid 2>/dev/null || break; done
    sleep "0.$(printf '%03d' $((RANDOM % 300)))"
    mapfile -t ranks < <(pgrep -f "^$WEFT train .*run_dir=$WORK/$run " || true)
    if [ "${#ranks[@]}" -eq "$n" ] && [ $kills -lt 3 ]; then
      kill -9 "${ranks[$((RANDOM % n))]}" && kills=$((kills + 1))
    fi
    if wait $pid; then break; fi
  done
  [ $kills -ge 1 ] || fail "no rank was killed: the test shows nothing"
  echo "$run: a random one of $n ranks was killed $kills times"
}
# same_loss A B STEP: the losses of that step are the same but for rounding.
same_loss() {
  local losses
  losses=$(for run in "$1" "$2"; do sed -nE "s/.* step $3 epoch .* loss ([0-9.]+) .*/\1/p" "$WORK/$run.log" | tail -n 1; done)
  echo $losses | awk '{ d = $1 - $2; exit NF != 2 || d > 0.002 || d < -0.002 }' || fail "$1 and $2 at step $3: losses" $losses
}
# wrong N CODE PATTERN ARGS...
wrong() {
  local n=$1 code=$2 pattern=$3 status=0
  shift 3
  : >"$WORK/wrong.log"
  on_ranks "$n" wrong "$@" || status=$?
  [ $status -eq "$code" ] || { cat "$WORK/wrong.log"; fail "exit $status, expected $code: $*"; }
  grep -q -- "$pattern" "$WORK/wrong.log" || { cat "$WORK/wrong.log"; fail "does not say '$pattern'"; }
  [ "$(grep -c "$pattern" "$WORK/wrong.log")" -eq 1 ] || { cat "$WORK/wrong.log"; fail "'$pattern' is said more than once"; }
}
