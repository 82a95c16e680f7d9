"""Runs checks that yield complaints, and prints the count that ./check reads."""


def report(checks):
    """The exit status."""
    failed = 0
    for check in checks:
        complaints = sorted(set(check()))
        failed += bool(complaints)
        for complaint in complaints:
            print(f"{check.__name__}: {complaint}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return bool(failed)
