"""The import flags for the programs of the bench that use argparse; its click commands share those of `bioguard`."""

import argparse
from typing import Any

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions
from bioguard.formats.options import IMPORT_FLAGS

_DESTINATION = "import_fields"


class _Collect(argparse.Action):
    """Gather the fields of all flags in one dictionary."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: Any = None
    ) -> None:
        flag = next(f for f in IMPORT_FLAGS if f.name == option_string)
        try:
            fields = flag.parse(values) if flag.parse else dict(flag.given or {})
        except ValueError as error:
            raise argparse.ArgumentError(self, str(error)) from error
        setattr(namespace, _DESTINATION, {**getattr(namespace, _DESTINATION), **fields})


def add_import_options(parser: argparse.ArgumentParser) -> None:
    """Add every import flag to a parser."""
    for flag in IMPORT_FLAGS:
        parser.add_argument(
            flag.name,
            dest=_DESTINATION,
            default={},
            action=_Collect,
            help=flag.help,
            **({"metavar": flag.metavar or None, "choices": flag.choices or None} if flag.parse else {"nargs": 0}),
        )


def import_options_of(parser: argparse.ArgumentParser, namespace: argparse.Namespace) -> ImportOptions:
    """The options of a parsed command line. Ends as argparse does when they exclude each other."""
    try:
        return ImportOptions(**getattr(namespace, _DESTINATION))
    except InputRefused as error:
        parser.error(f"--dpi and --native-size: {error.message}")
