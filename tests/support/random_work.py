"""Random work beside a model: operations chosen by a seed, each done to the server and to the model, which must agree.

A world is an object whose methods named do_... are the operations; `weights` may say how often one comes (1 if it does not).
It chooses by `self.rng` only, so that a seed and a number of steps name one course of events:

    python3 tests/cases/random_lists_test.py --seed 17 --steps 240
"""

import argparse
import collections
import random
import sys
import time
import traceback

KEPT = 30  # steps that are shown after a failure


def run(make_world, seconds=10):
    """Makes a world of a random.Random and works in it; prints the last line that ./check counts, and returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(10 ** 6))
    parser.add_argument("--seconds", type=float, default=seconds, help="how long")
    parser.add_argument("--steps", type=int, help="how many, in place of --seconds")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    world, last, counts = make_world(rng), collections.deque(maxlen=KEPT), collections.Counter()
    names = sorted(name for name in dir(world) if name.startswith("do_"))
    weights = [getattr(world, "weights", {}).get(name[3:], 1) for name in names]
    end = time.monotonic() + options.seconds
    steps = 0
    while steps < options.steps if options.steps is not None else time.monotonic() < end:
        name, = rng.choices(names, weights)
        steps += 1
        counts[name] += 1
        try:
            last.append(f"{name}: {getattr(world, name)() or ''}")
        except Exception:  # pylint: disable=broad-except
            print(f"{traceback.format_exc()}\nThe steps before:\n" + "\n".join(last))
            print(f"FAILED  step {steps}, {name}; again: {sys.argv[0]} --seed {options.seed} --steps {steps}")
            print("0 passed, 1 failed")
            return 1
    never = [name for name in names if not counts[name]]
    print(f"ok      {steps} steps with seed {options.seed}" + (f"; never: {', '.join(never)}" if never else ""))
    print("1 passed, 0 failed")
    return 0
