#!/usr/bin/env bash
# One rank's end is everyone's, with its code; alone nothing of MPI is started; nothing stays in /dev/shm.
# usage: mpi_end_test.sh MPIEXEC MPI_END
set -uo pipefail
bad=0
expect() {  # CODE COMMAND...
  local code=$1 found
  shift
  timeout 60 "$@"
  found=$?
  [ "$found" -eq "$code" ] || { echo "exit code $found, expected $code: $*"; bad=1; }
}
before=$(find /dev/shm -name 'weft-*' 2>/dev/null | sort)
expect 78 "$1" -n 2 "$2" abort
expect 1 "$1" -n 2 "$2" throw
expect 0 "$2" alone
after=$(find /dev/shm -name 'weft-*' 2>/dev/null | sort)
# Another test's file may come and go within milliseconds; what stays is a leak.
if [ "$before" != "$after" ]; then
  sleep 1
  left=$(comm -12 <(echo "$after") <(find /dev/shm -name 'weft-*' | sort))
  [ -z "$left" ] || { echo "left behind: $left"; bad=1; }
fi
exit "$bad"
