"""Kills the process that receives an upload while it has temporary files."""

import concurrent.futures
import http.client
import random

from anki_wire import Refused, compress

# Arguments: a directory, then pids. Kills the first of them that has a file of the directory open.
_KILL = """directory=$1; shift
while :; do
  for pid; do
    if ls -l /proc/$pid/fd 2> /dev/null | grep -q "$directory/"; then kill -KILL $pid; exit; fi
  done
done"""


def kill_during_upload(wire, directory, pids, run):
    """`run(command)` runs a command where the processes are, and returns when it has ended."""
    frame = compress(random.Random(1).randbytes(64 << 20))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        killed = pool.submit(run, ["timeout", "30", "sh", "-c", _KILL, "kill", directory, *map(str, pids)])
        # An upload may be over before its process is found.
        while not killed.done():
            try:
                wire.send_frame("upload", frame)
            except Refused as refused:
                if refused.status != 502:
                    raise
            except (OSError, http.client.HTTPException):
                pass
        killed.result()
