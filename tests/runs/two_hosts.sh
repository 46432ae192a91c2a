# Sourced after toy.sh: two hosts on one machine. Each is a network namespace with a host name of its own; a veth link joins them. Without a
# host name of its own Open MPI takes a host for this one and starts its ranks here. Ends with 77, and why, where that cannot be made.
hosts=(weft-alpha weft-beta)
net=weft-$$  # the namespaces are weft-PID-alpha and weft-PID-beta; addresses 10.77.0.1 and .2 exist in them alone

mkdir "$WORK/tmp"
export TMPDIR=$WORK/tmp  # for what mpirun keeps

skip() { echo "SKIPPED: $*"; exit 77; }
remove_hosts() {
  local host pid
  for host in "${hosts[@]}"; do
    for pid in $(ip netns pids "$net-${host#weft-}" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$net-${host#weft-}" 2>/dev/null || true
  done
  rm -rf "$WORK"
}
trap remove_hosts EXIT
trap 'exit 130' INT TERM

command -v ip >/dev/null || skip "no ip (Debian: apt install iproute2)"
[ "$(id -u)" -eq 0 ] || skip "only root makes network namespaces"
{ ip netns add $net-alpha && ip netns add $net-beta && ip link add name eth0 netns $net-alpha type veth peer name eth0 netns $net-beta &&
  ip netns exec $net-alpha unshare --uts true; } 2>"$WORK/refused" || skip "no network namespaces: $(head -n 1 "$WORK/refused")"
number=0
for host in "${hosts[@]}"; do
  number=$((number + 1))
  space=$net-${host#weft-}
  ip -n "$space" addr add 10.77.0.$number/24 dev eth0
  ip -n "$space" link set lo up
  ip -n "$space" link set eth0 up
  echo "10.77.0.$number $host"
done >"$WORK/hosts"
echo "127.0.0.1 localhost" >>"$WORK/hosts"

# What stands for sshd: started before any job and nobody's child but this test's, so that what it runs on its host stays when the job's own
# processes are killed. A request is a folder with the command.
for host in "${hosts[@]}"; do
  mkfifo "$WORK/$host.requests"
  cat >"$WORK/$host.sshd" <<END
hostname $host && mount --bind $WORK/hosts /etc/hosts || exit 1
while true; do
  while read -r job; do
    (cd / && sh "\$job/command" </dev/null >"\$job/out" 2>&1; echo \$? >"\$job/code") &
  done <"$WORK/$host.requests"
done
END
  ip netns exec "$net-${host#weft-}" unshare --uts sh "$WORK/$host.sshd" &
  disown
done
# What stands for ssh, HOST COMMAND...: the words go through a shell of that host. It notices no cut of the link, as ssh does not either.
cat >"$WORK/to_host" <<END
#!/bin/sh
host=\$1
shift
job=\$(mktemp -d "$WORK/request.XXXXXX")
echo "\$*" >"\$job/command"
echo "\$job" >"$WORK/\$host.requests"
until [ -s "\$job/code" ]; do sleep 0.02; done
cat "\$job/out" >&2
exit "\$(cat "\$job/code")"
END
chmod +x "$WORK/to_host"
# on_alpha COMMAND...: in place of the shell, on the first host.
on_alpha() {
  exec ip netns exec $net-alpha unshare --uts sh -c "hostname weft-alpha && mount --bind $WORK/hosts /etc/hosts && exec $(printf '%q ' "$@")"
}
# Both hosts share these cores, which mpirun does not know: a rank that waits gives its core away.
export OMPI_MCA_plm_rsh_agent=$WORK/to_host OMPI_MCA_btl=self,vader,tcp OMPI_MCA_mpi_yield_when_idle=1
# pids_on HOST: the ranks there.
pids_on() {
  local pid
  for pid in $(ip netns pids "$net-${1#weft-}"); do [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != weft ] || echo "$pid"; done
}
link() { ip -n $net-beta link set eth0 "$1"; }
