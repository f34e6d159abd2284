"""Say as a status why a sensor refuses: it is locked, or an enrollment is not authorized."""

from bioguard.commands.status import ReplyStatus
from bioguard.records.locks import Lock
from bioguard.records.tokens import Denial

LOCKED = {Lock.TIMED: ReplyStatus.LOCKED_TIMED, Lock.PERMANENT: ReplyStatus.LOCKED_PERMANENT}

DENIED = {
    Denial.TOKEN: ReplyStatus.TOKEN_REFUSED,
    Denial.NO_PIN: ReplyStatus.PIN_REQUIRED,
    Denial.WITHOUT_PIN: ReplyStatus.ENROLLED_WITHOUT_PIN,
    Denial.OTHER_PIN: ReplyStatus.ENROLLED_WITH_OTHER_PIN,
}
