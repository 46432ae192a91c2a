#!/usr/bin/env bash
# scripts/slurm.sbatch with a stand-in for scontrol: a request to stop saves and puts the job back, a mistake does not.
# usage: launch_slurm_test.sh WEFT SOURCE_DIR
WEFT=$(realpath "$1")
source_dir=$2
source "$(dirname "$0")/toy.sh"

mkdir "$WORK/bin"
cat >"$WORK/bin/scontrol" <<EOF
#!/bin/sh
if [ "\$1" = show ]; then echo localhost; else echo "\$@" >>"$WORK/requeued"; fi
EOF
chmod +x "$WORK/bin/scontrol"
export PATH="$WORK/bin:$PATH" WEFT TMPDIR="$WORK"
export SLURM_JOB_NUM_NODES=1 SLURM_NTASKS_PER_NODE=1 SLURM_CPUS_PER_TASK=1 SLURM_JOB_NODELIST=localhost SLURM_JOB_ID=4711

batch() { exec bash "$source_dir/scripts/slurm.sbatch" "$WORK/toy.yaml" --set run_dir="$WORK/run" data.prepared="$WORK/prepared" "$@" >>"$WORK/run.log" 2>&1; }
batch --set training.report_freq=10u training.train_steps=1M &
pid=$!
for _ in $(seq 500); do
  sleep 0.02
  [ "$(lines "$WORK/run/run_log.jsonl")" -ge 2 ] && break
done
kill -USR1 $pid || { cat "$WORK/run.log"; fail "the job has ended by itself"; }
status=0
wait $pid || status=$?
[ $status -eq 75 ] || { cat "$WORK/run.log"; fail "exit $status, expected 75"; }
[ "$(cat "$WORK/requeued")" = "requeue 4711" ] || fail "not put back into the queue"
ls -d "$WORK"/run/step-* >/dev/null || fail "stopped and not saved"

rm "$WORK/requeued"
status=0
(batch --set training.nothing=1) || status=$?
[ $status -eq 64 ] || { cat "$WORK/run.log"; fail "exit $status, expected 64"; }
[ ! -e "$WORK/requeued" ] || fail "a mistake was put back into the queue"
[ -z "$(ls -d "$WORK"/weft-hosts-* 2>/dev/null)" ] || fail "the hostfile is left behind"
echo "the batch script saves and requeues on USR1, and passes codes on"
