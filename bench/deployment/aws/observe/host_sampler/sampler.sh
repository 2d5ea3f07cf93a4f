#!/bin/bash
# Append a sample of this instance to FILE every INTERVAL_S seconds, COUNT times: lines of /proc as they are.
# usage: sampler.sh FILE INTERVAL_S COUNT
# PROC is another folder than /proc, for tests.
proc=${PROC:-/proc}
lines='^(MemTotal|MemAvailable|SwapTotal|SwapFree):|^(pswpin|pswpout|oom_kill) |^cpu '
# Whole disks: a partition's sectors are in its disk's too.
lines+='|^ *[0-9]+ +[0-9]+ (nvme[0-9]+n[0-9]+|xvd[a-z]+|sd[a-z]+|vd[a-z]+) '
# Of each NFS mount the line that begins it, its age, its connections and the operations that it has done. Those of the
# tasks are in the mount namespace of the instance, which process 1 is in.
mounts='/^device / {nfs = / fstype nfs4? statvers=/; ops = 0}
nfs && (/^device / || $1 == "age:" || $1 == "xprt:" || (ops && $2 > 0)) {$1 = $1; print}
/per-op statistics/ {ops = 1}'
echo "page_size $(getconf PAGESIZE)" >"$1"
for ((i = 0; i < $3; i++)); do
  {
    echo "sample $(date +%s.%N)"
    grep -hE "$lines" "$proc"/{meminfo,vmstat,stat,diskstats}
    awk "$mounts" "$proc/1/mountstats"
    echo end
  } >>"$1"
  sleep "$2"
done
