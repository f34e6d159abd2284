"""Choose the rate of a decision: the device's, or a stricter one of the table. A caller asks and does not choose.

Enforces CDD 7.3.10, Class 3 (at most 1/50 000 for what gives a token or clears a counter), except that a device for
testing decides at any rate, gives no token and clears nothing (`rate.loose-token`, `testing.token`).
"""

from bioguard.commands.configuration import FMR_INVERSES, FPIR_INVERSES, Configuration, offered
from bioguard.commands.status import ReplyStatus
from bioguard.trusted.refusal import Refused
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How one decision is made. Rates are those of a whole claim or search, not of one comparison in it.

    Attributes:
        fmr: a claim is accepted at this rate. In a search: nobody is named whom such a claim would not accept.
        fpir: of a search; None for a claim.
        device_fmr, device_fpir: the sealed ones. What counts as near or strong goes by them: no caller moves it.
        counts: False only on a device for testing, at a rate that no other device offers. Such a match clears no
            counter, and such a decision is neither held to the exposure budget nor counted in it.
    """

    fmr: float
    fpir: float | None = None
    device_fmr: float
    device_fpir: float | None = None
    counts: bool = True


def require_offered(configuration: Configuration) -> None:
    """Raises Refused RATE_NOT_OFFERED for rates that a device cannot be made with."""
    if not configuration.rates_offered:
        raise Refused(ReplyStatus.RATE_NOT_OFFERED)


def claim_terms(configuration: Configuration, asked: int) -> Terms:
    """Terms of a claim for which 1/asked was asked, 0 for the device's. Refused RATE_NOT_OFFERED."""
    inverse = _inverse(configuration, FMR_INVERSES, configuration.fmr_inverse, asked)
    return Terms(fmr=1 / inverse, device_fmr=1 / configuration.fmr_inverse, counts=inverse >= FMR_INVERSES[0])


def search_terms(configuration: Configuration, asked: int) -> Terms:
    """Terms of a search for which 1/asked was asked, 0 for the device's. Refused RATE_NOT_OFFERED."""
    inverse = _inverse(configuration, FPIR_INVERSES, configuration.fpir_inverse, asked)
    counts = inverse >= FPIR_INVERSES[0] and configuration.fmr_inverse >= FMR_INVERSES[0]
    return Terms(
        fmr=1 / configuration.fmr_inverse if counts else 1.0,
        fpir=1 / inverse,
        device_fmr=1 / configuration.fmr_inverse,
        device_fpir=1 / configuration.fpir_inverse,
        counts=counts,
    )


def _inverse(configuration: Configuration, table: tuple[int, ...], own: int, asked: int) -> int:
    if asked == 0:
        return own
    if asked in offered(table, own) or (configuration.for_testing and asked > 1):
        return asked
    raise Refused(ReplyStatus.RATE_NOT_OFFERED)
