"""Leaving a program with a status of its own, also after a Ctrl-C that it has answered."""

import sys
from typing import NoReturn


def leave(status: int) -> NoReturn:
    """`sys.exit`, for programs that are started with `python -m` too.

    There CPython (seen with 3.8 to 3.11) ends the process by SIGINT in place of any status once a KeyboardInterrupt has
    passed through text that was executed, caught or not: a named tuple or a dataclass that was just made by a module
    that loads. It forgets that when text is executed again.
    """
    exec("", {})  # noqa: S102 - see above
    sys.exit(status)
