"""Runs test functions whose names are what they promise, and ends with the line that ./check counts.

A test returns nothing, or a word about what it saw, which is printed beside its name. Left out on purpose: everything
else a test framework has.
"""

import sys
import time
import traceback


class Skip(Exception):
    """Thrown by a test that cannot be run here; the text says why."""


def keep(*tests):
    """Runs the tests whose names contain an argument of the command line, or all of them; the exit code."""
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
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or question}")
        time.sleep(pause)
