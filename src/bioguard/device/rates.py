"""Rates of a device, in words for those who ask for another one."""

from bioguard.commands.configuration import FMR_INVERSES, FPIR_INVERSES, Configuration, offered
from bioguard.errors import InputRefused

CODE = "match.rate_not_offered"


def _listed(inverses: tuple[int, ...]) -> str:
    return ", ".join(f"1/{inverse}" for inverse in inverses)


def _refused(asked: int, table: tuple[int, ...], own: int) -> InputRefused:
    """The hint holds for the command line, the frame protocol and the Python API, so it names no option."""
    return InputRefused(
        f"this device does not decide at 1/{asked}",
        hint=f"it offers {_listed(offered(table, own))}; where no rate is asked for it is 1/{own}",
        code=CODE,
    )


def claim_refused(configuration: Configuration, asked: int) -> InputRefused:
    """The error for a 1:1 rate that the device does not offer."""
    return _refused(asked, FMR_INVERSES, configuration.fmr_inverse)


def search_refused(configuration: Configuration, asked: int) -> InputRefused:
    """The error for a 1:N rate that the device does not offer."""
    return _refused(asked, FPIR_INVERSES, configuration.fpir_inverse)


def init_refused(configuration: Configuration) -> InputRefused:
    """The error for rates that no device is made with."""
    return InputRefused(
        f"no device is made for 1:1 at 1/{configuration.fmr_inverse} and 1:N at 1/{configuration.fpir_inverse}",
        hint=f"--fmr {_listed(FMR_INVERSES)}; --fpir {_listed(FPIR_INVERSES)}; free rates with --for-testing only",
        code=CODE,
    )
