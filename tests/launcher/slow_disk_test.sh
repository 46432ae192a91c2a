#!/usr/bin/env bash
# A save whose reading of the state takes longer than hang_timeout, as behind a busy file server: the next update waits for it, which is no
# hang. One that takes longer than a save may is.
# usage: slow_disk_test.sh WEFT PRELOADED_LIBRARY
WEFT=$(realpath "$1")
library=$2
source "$(dirname "$0")/toy.sh"

slow() { SLOW_DISK=$2 LD_PRELOAD=$library train "$1" training.train_steps=60 parallel.hang_timeout=1; }
slow waits 2 || { cat "$WORK/waits.log"; fail "a slow save is taken for a hang"; }
echo "an update that waits 2 s for a save is no hang at hang_timeout 1"
status=0
slow hangs 20 || status=$?
[ $status -eq 76 ] || { cat "$WORK/hangs.log"; fail "a save that stands still for 20 s: exit $status, expected 76"; }
grep -q 'phase     save' "$WORK/hangs.log" || { cat "$WORK/hangs.log"; fail "the hang is not called one of a save"; }
echo "one that waits for much longer is: 76, and the log calls it a save"
