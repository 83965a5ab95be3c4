"""The program's first step: from here on, Ctrl-C is a sentence and no traceback."""

from __future__ import annotations

import sys

# Imported in functions: the commands, so that a signal that comes first ends the program quietly.


def main() -> None:
    """Run the program with the arguments of the process."""
    try:
        from titanic_ml.cli.app import main

        main()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: nothing is half written; run the same command again\n")
        raise SystemExit(130) from None
