"""The steps of a program: a line for each that passed, and an end at the first that does not."""

import sys
import traceback
from contextlib import contextmanager


def take(steps):
    for step in steps:
        try:
            step()
        except Exception:
            print("failed:", step.__name__, file=sys.stderr)
            traceback.print_exc()
            sys.exit(1)
        print("passed:", step.__name__, flush=True)


@contextmanager
def raises(kind, reason):
    try:
        yield
    except kind as error:
        assert reason in str(error), f"{reason}, not {error}"
    else:
        raise AssertionError(f"{kind.__name__} with {reason}, not success")
