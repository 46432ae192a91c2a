#!/usr/bin/env bash
# weft verify on the toy model, dropout on: every layout passes, as threads and under mpirun, also of a model with grouped heads, RoPE,
# SwiGLU and RMS norm. It takes text or prepared data and leaves nothing behind. Wrong input ends with 64.
# usage: verify_test.sh WEFT MPIEXEC
WEFT=$1
mpiexec=$2
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"
source "$(dirname "$0")/job.sh"
verify=("$WEFT" verify --config "$WORK/toy.yaml" --set "run_dir=$WORK/never")
prepared=(--set "data.prepared=$WORK/prepared")

# passes NAME LAYOUT...: every layout's line in NAME.txt says so.
passes() {
  local layout
  for layout in "${@:2}"; do grep -qE "^$layout .* pass$" "$WORK/$1.txt" || { cat "$WORK/$1.txt" "$WORK/$1.log"; fail "$1: $layout"; }; done
}

export TMPDIR=$WORK/tmp
mkdir "$TMPDIR"
"${verify[@]}" --config "$WORK/data.yaml" --steps 2 >"$WORK/threads.txt" 2>"$WORK/threads.log" || { cat "$WORK/threads.log"; fail "threads"; }
passes threads dp2 tp2 dp2xtp2 tp4
[ -z "$(ls "$TMPDIR")" ] && [ ! -e "$WORK/never" ] || fail "something is left behind"

"$mpiexec" -n 4 "${verify[@]}" "${prepared[@]}" --steps 1 >"$WORK/mpi.txt" 2>"$WORK/mpi.log" || { cat "$WORK/mpi.log"; fail "mpi"; }
passes mpi dp4 tp4 dp2xtp2

modern=(--set model.num_kv_heads=2 model.positions=rope model.activation=swiglu model.norm=rms_norm model.bias=false)
"${verify[@]}" "${prepared[@]}" "${modern[@]}" --layouts dp3xtp2 --steps 0 >"$WORK/modern.txt" 2>"$WORK/modern.log" || { cat "$WORK/modern.log"; fail "modern"; }
passes modern dp3xtp2
"${verify[@]}" "${prepared[@]}" --layouts tp2 --steps 0 --set precision.dtype=bf16 >"$WORK/bf16.txt" 2>"$WORK/bf16.log" || { cat "$WORK/bf16.log"; fail "bf16"; }
passes bf16 tp2

# refused WORDS LAYOUT [--set ...]
refused() {
  local code=0
  "${verify[@]}" "${prepared[@]}" --layouts "$2" "${@:3}" >"$WORK/refused.txt" 2>&1 || code=$?
  [ $code = 64 ] && grep -q "$1" "$WORK/refused.txt" || { cat "$WORK/refused.txt"; fail "$2: exit $code, expected 64 and '$1'"; }
}
refused "not a layout" two
refused "not a layout" dp2x
refused "tp of 1, 2 or 4" tp3
refused "tp of 1 or 2" tp4 --set model.num_kv_heads=2
refused "sentences in the first update" dp999
echo "verify passes"
