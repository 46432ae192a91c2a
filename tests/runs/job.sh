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
