"""The biometric application with one bug each in how it decides and what it counts of decisions."""

from dataclasses import replace

from bioguard.commands import sensor
from bioguard.records.locks import AttemptOutcome, LockStatus
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.trusted.biometric.decision import ReadyRecord, record_scores
from bioguard.trusted.biometric.device_cohort import Standing
from bioguard.trusted.biometric.sensor_commands import Search
from bioguard.trusted.biometric.stored_objects import DeviceState
from bioguard.trusted.sensor.exposure import Exposures
from bioguard.trusted.sensor.lockout import CLEAR
from bioguard.trusted.sensor.tally import put_tally, read_tally
from vulnerable.biometric import Buggy


class FreeRate(Buggy):
    """Decides a claim at whatever rate is asked for."""

    FINDS = ("rate.loose-token", "rate.loose-match", "rate.loose-clears")

    def _claim_terms(self, asked):
        terms = super()._claim_terms(0)
        return replace(terms, fmr=1 / asked) if asked else terms


class FreeRateWithoutToken(FreeRate):
    """The same, and no token is given at such a rate; the counter is cleared."""

    FINDS = ("rate.loose-match", "rate.loose-clears")

    def _authenticate(self, request):
        reply = super()._authenticate(request)
        return replace(reply, token=None) if request.fmr_inverse else reply


class FreeSearch(Buggy):
    """Searches at whatever rate is asked for."""

    FINDS = ("rate.loose-search",)

    def _search_terms(self, asked):
        terms = super()._search_terms(0)
        return replace(terms, fmr=1.0, fpir=1 / asked) if asked else terms


class SearchRateAlone(Buggy):
    """Holds the whole search to its rate, and no single comparison to the class."""

    FINDS = ("rate.small-gallery",)

    def _search_terms(self, asked):
        return replace(super()._search_terms(asked), fmr=1.0)


class ConfiguredAgain(Buggy):
    """Takes a new configuration at any time."""

    FINDS = ("configure.again",)

    def _configure(self, request):
        self._vault._state = replace(self._vault.state, code_epoch=0)
        return super()._configure(request)


class ConfiguredWhenEmpty(ConfiguredAgain):
    """Takes a new configuration while there is no user, as the product did."""

    FINDS = ("configure.again",)

    def _configure(self, request):
        return super()._configure(request) if not self._vault.users() else Buggy._configure(self, request)


class AnyDevice(Buggy):
    """Lets whoever makes a device choose any rate."""

    FINDS = ("configure.loose",)

    def _configure(self, request):
        reply = super()._configure(replace(request, fmr_inverse=50_000))
        self._vault._state = DeviceState(configuration=request, code_epoch=1, code_secret=bytes(32))
        return reply


class TestingTokens(Buggy):
    """A device for testing gives tokens at the offered rates."""

    FINDS = ("testing.token",)
    __test__ = False

    def plant(self) -> None:
        super().plant()
        self._sensors.authority._tokens = True


class TestingClears(Buggy):
    """Any match of a device for testing clears the counter."""

    FINDS = ("testing.clears",)
    __test__ = False

    @staticmethod
    def _outcome(verdict, _terms):
        return AttemptOutcome.MATCH if verdict.accepted else AttemptOutcome.NO_MATCH


class UncountedSearches(Buggy):
    """Does not count searches."""

    FINDS = ("search.uncounted", "search.while-locked", "search.restart", "search.own-match")

    def plant(self) -> None:
        super().plant()
        self._sensors.begin_search = lambda sensor_id: Search(sensor_id, CLEAR, CLEAR)


class SearchMatchClears(Buggy):
    """Any match clears the counter of searches."""

    FINDS = ("search.own-match",)

    def plant(self) -> None:
        super().plant()
        real = type(self._sensors).settle_search.__get__(self._sensors)
        self._sensors.settle_search = lambda search, *, found, **told: real(
            replace(search, before=CLEAR) if found else search, found=found, **told
        )


class NamesWhileLocked(Buggy):
    """Shows the lock of searches, and searches."""

    FINDS = ("search.while-locked",)

    def plant(self) -> None:
        super().plant()
        real = type(self._sensors).begin_search.__get__(self._sensors)

        def begin(sensor_id):
            begun = real(sensor_id)
            counted = read_tally(self._sensors._env.store, sensor_id).search
            return Search(sensor_id, counted, counted) if isinstance(begun, LockStatus) else begun

        self._sensors.begin_search = begin


class NamesTheLocked(Buggy):
    """Finds people whose own sensor is locked."""

    FINDS = ("search.for-the-locked",)

    def plant(self) -> None:
        super().plant()
        self._sensors.barred = lambda _sensor_id: frozenset()


class _Tallies(Buggy):
    """Changes what is stored of a sensor."""

    def change(self, sensor_id, **changes) -> None:
        store = self._sensors._env.store
        with store.transaction() as transaction:
            put_tally(transaction, sensor_id, replace(read_tally(store, sensor_id), **changes))

    def renew(self, sensor_id) -> None:
        self.change(sensor_id, counts=bytes(len(read_tally(self._sensors._env.store, sensor_id).counts)))

    def after_reset(self) -> None:
        """What a PIN that is right does besides."""

    def _bind(self, command, handler) -> None:
        def and_more(request):
            reply = handler(request)
            self.after_reset()
            return reply

        super()._bind(command, and_more if command is sensor.RESET_LOCKOUT else handler)


class AnyPinOpensSearches(_Tallies):
    """The PIN of a user who is not enrolled ends the lock of searches."""

    FINDS = ("search.guest-pin",)

    def after_reset(self) -> None:
        for sensor_id in SENSOR_IDS.values():
            self.change(sensor_id, search=CLEAR)


class ForgetsSearches(_Tallies):
    """Counts searches until the application ends."""

    FINDS = ("search.restart",)

    def plant(self) -> None:
        super().plant()
        for sensor_id in SENSOR_IDS.values():
            self.change(sensor_id, search=CLEAR)


class Endless(Exposures):
    """Never spent."""

    def spent(self, _record_id: bytes) -> bool:
        return False

    def closed(self, _record_id: bytes) -> bool:
        return False


class NoBudget(Buggy):
    """Counts lockouts only."""

    FINDS = (
        *("exposure.walk", "exposure.search", "exposure.restart", "exposure.other-person", "exposure.own-record"),
        *("climb.search", "climb.claim", "climb.both", "exposure.siege", "exposure.beside"),
    )

    def plant(self) -> None:
        super().plant()
        self._sensors.exposures = lambda _modality: Endless()


class OpenToSieges(Buggy):
    """A spent record goes on answering searches at the strong threshold."""

    FINDS = ("exposure.siege", "exposure.beside")

    def plant(self) -> None:
        super().plant()
        self._sensors.exposures = lambda modality: OnlySpent(
            **_fields(type(self._sensors).exposures(self._sensors, modality))
        )


class OnlySpent(Exposures):
    """Never closed."""

    def closed(self, _record_id: bytes) -> bool:
        return False


def _fields(exposures: Exposures) -> dict:
    return {"keys": exposures.keys, "counts": exposures.counts}


class PinRenews(_Tallies):
    """The PIN gives the budget back: an insider has one."""

    FINDS = ("exposure.walk",)

    def after_reset(self) -> None:
        self.renew(SENSOR_IDS[Modality.FACE])


class SearchesTellNothing(Buggy):
    """Only claims are counted against the budget."""

    FINDS = ("exposure.search",)

    def plant(self) -> None:
        super().plant()
        real = type(self._sensors).settle_search.__get__(self._sensors)
        self._sensors.settle_search = lambda search, *, near, **told: real(search, near=(), **told)


class BeatenTellsNothing(Buggy):
    """A record that somebody else's strong match beat is not counted."""

    FINDS = ("exposure.beside",)

    def plant(self) -> None:
        super().plant()
        real = type(self._sensors).settle_search.__get__(self._sensors)
        self._sensors.settle_search = lambda search, *, beaten, **told: real(search, beaten=(), **told)


class ForgetsBudget(_Tallies):
    """Keeps the budget until the application ends."""

    FINDS = ("exposure.restart",)

    def plant(self) -> None:
        super().plant()
        for sensor_id in SENSOR_IDS.values():
            self.renew(sensor_id)


class AnybodyRenews(_Tallies):
    """A strong match of anybody gives everybody's budget back."""

    FINDS = ("exposure.other-person", "exposure.own-record")

    def plant(self) -> None:
        super().plant()
        real = type(self._sensors).settle.__get__(self._sensors)

        def settle(attempt, outcome, operation_id, *, near, strong):
            if strong is not None:
                self.renew(attempt.sensor_id)
            return real(attempt, outcome, operation_id, near=near, strong=strong)

        self._sensors.settle = settle


class AccountRenews(_Tallies):
    """A strong match gives the budget of all records in the account back."""

    FINDS = ("exposure.own-record",)

    def plant(self) -> None:
        super().plant()
        real = type(self._sensors).settle.__get__(self._sensors)

        def settle(attempt, outcome, operation_id, *, near, strong):
            told = real(attempt, outcome, operation_id, near=near, strong=strong)
            tally = read_tally(self._sensors._env.store, attempt.sensor_id)
            exposures = tally.exposures
            for ref in self._vault.user(attempt.user).records if strong is not None else ():
                exposures = exposures.after(strong=ref.record_id)
            self.change(attempt.sensor_id, counts=exposures.counts)
            return told

        self._sensors.settle = settle


class WritesWhatChanged(Buggy):
    """Stores the counts of near decisions only when they change."""

    FINDS = ("disk.watch-decisions",)

    def plant(self) -> None:
        super().plant()
        desk = self._sensors
        real = type(desk).settle.__get__(desk)

        def settle(attempt, outcome, operation_id, *, near, strong):
            if near or strong is not None:
                return real(attempt, outcome, operation_id, near=near, strong=strong)
            settlement = desk.authority.settlement(attempt, outcome, operation_id)
            desk.states.save(attempt.sensor_id, attempt.user, settlement.state)
            return settlement.token and settlement.token.to_bytes()

        desk.settle = settle


class LooksUpTheNearest(Buggy):
    """Opens the record that came nearest, to see whose it is."""

    FINDS = ("disk.watch-decisions",)

    def _judge(self, sensor_id, terms, seen):
        verdict = super()._judge(sensor_id, terms, seen)
        for record_id in verdict.near:
            self._vault.open_record(record_id)
        return verdict


class LooserAmongOthers(Buggy):
    """Normalizes in both directions: who is like nobody on the device is accepted more easily."""

    FINDS = ("cohort.dilute",)

    def _stricter(self, plain, *of):
        levels = super()._stricter(plain, *of)
        return replace(levels, accept=levels.accept - self.TAKEN) if len(self._vault.state.cohort) > 3 else levels

    TAKEN = 1.5


class StricterWithoutEnd(Buggy):
    """Takes off a score whatever the fingers of others say, the same finger's too."""

    FINDS = ("cohort.raise",)

    def create(self, env):
        super().create(env)
        self._vault.standings = self._standings

    def _standings(self, user, probe, records, kind, now_ms):
        del kind, now_ms
        others = self._vault.cohort._members
        held = [ReadyRecord.of(member.record) for member in others if member.user != user]
        scores = [max(record_scores(probe, record, None)) for record in held]
        return [Standing(15, sorted(scores)[-2])] * len(records) if len(scores) > 1 else [Standing()] * len(records)

    def _stricter(self, plain, kind, terms, samples, standing):
        return replace(plain, accept=plain.accept + max(standing.penalty, 0))


VARIANTS = [c for c in list(globals().values()) if isinstance(c, type) and "FINDS" in vars(c)]
