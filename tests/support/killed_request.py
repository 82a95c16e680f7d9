"""Kills the process that serves a request, while the request waits for a lock or after its commit."""

import concurrent.futures
import contextlib

from database import Hold, HoldCommits, kill, wait_until_gone


def killed_at(stack, lock, pool, committed=False):
    """An action for Gate.at: kills the process while its request waits for the lock, or, if `committed`, after the next
    COMMIT: the transaction is on disk but not reported."""
    def action(forward):
        url, name = stack.env["DATABASE_URL"], f"syncline-fcgi {pool} "
        with concurrent.futures.ThreadPoolExecutor(1) as calls, contextlib.ExitStack() as holds:
            hold = holds.enter_context(Hold(url, lock))
            call = calls.submit(forward)
            blocked = hold.wait(1, name)[0]
            if committed:
                commits = holds.enter_context(HoldCommits(url))
                hold.let_go()
                blocked = commits.wait(1, name)[0]
            pid = int(blocked.name.split()[-1])
            copy = {running: n for n, running in stack.pids(pool).items()}[pid]
            kill(pid)
            answer = call.result()
            assert answer[0] == 502, f"the request was answered {answer[0]} by a dead process"
        # Statements it had sent are still being executed.
        wait_until_gone(url, blocked.backend)
        stack.wait_for_another(pool, pid, copy)
        return answer
    return action
