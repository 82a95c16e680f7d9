"""Runs test functions whose names state what they promise, and prints the last line that ./check counts.

A test returns None, or a string with details, which is printed next to its name. Left out on purpose: everything else a
test framework has.
"""

import sys
import time
import traceback


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


def keep(*tests):
    """Runs the tests whose names contain an argument of the command line, or all; returns the exit code."""
    wanted = sys.argv[1:]
    passed = failed = skipped = 0
    for test in tests:
        name = test.__name__
        if wanted and not any(word in name for word in wanted):
            continue
        begin = time.monotonic()
        try:
            seen = test()
            passed += 1
            print(f"ok      {name} ({time.monotonic() - begin:.1f} s) {seen or ''}", flush=True)
        except Skip as why:
            skipped += 1
            print(f"skipped {name}: {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"FAILED  {name} ({time.monotonic() - begin:.1f} s)\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


def until(question, seconds=20, what=None, pause=0.005):
    """Calls `question` until the result is true, and returns it. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or question}")
        time.sleep(pause)
