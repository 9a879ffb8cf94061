"""Entry point of the program: turns errors into one line on stderr and an exit code.

0 all done, 1 some film failed, 2 usage, 3 no film succeeded, 130 interrupted. ``SCENEFER_DEBUG=1`` shows the traceback.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from scenefer.core.errors import FilmError, OutputError, SceneferError
from scenefer.core.text import printable


def main() -> None:
    """Run the command line."""
    import typer

    from scenefer.cli import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names may not be valid text
    try:
        code = app(prog_name="scenefer", standalone_mode=False) or 0
        if code == 130:  # Typer turns Ctrl-C into this code without a message
            raise KeyboardInterrupt
    except BrokenPipeError:  # the reader of our output, e.g. `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except (KeyboardInterrupt, typer.Abort, usage_error(), SceneferError) as error:
        if os.environ.get("SCENEFER_DEBUG") == "1":
            raise
        message, code = _answer(error)
        print(f"scenefer: {printable(message)}", file=sys.stderr)
    sys.exit(code)


def usage_error() -> type[Exception]:
    """Return the exception class for a wrong option; Typer bundles it but does not export its name."""
    import typer

    return next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")


def _answer(error: BaseException) -> tuple[str, int]:
    if isinstance(error, SceneferError):
        return str(error), 3 if isinstance(error, (FilmError, OutputError)) else 2
    if isinstance(error, usage_error()):
        context = getattr(error, "ctx", None)
        said = error.format_message()  # pyright: ignore[reportAttributeAccessIssue] - of a type that Typer does not export
        return said + (f"; see {context.command_path} --help" if context else ""), 2
    return "interrupted; run the same command again to go on", 130


if __name__ == "__main__":
    main()
