"""Answer the commands of the biometric TA: enroll, compare, search, show and erase.

Each answer is a list of numbered steps, with the reason for their order. What is asked elsewhere: the policy
(`bioguard.trusted.policy.enforcement`) whether the person allows it; the sensor rules
(`bioguard.trusted.biometric.sensor_commands`) whether an enrollment is authorized, whether a comparison may happen and
what a match gives.

Enforces: a refusal is one `ReplyStatus` and changes nothing but the log and what time has ended (records that are over,
a wait that has passed); nothing is answered before it is stored and logged.

Does not promise: equal time for every answer. The core holds replies to a grid (docs/sandbox.md); this code does not.

Names in backquotes are attacks of `bioguard attack`; POL-.. are clauses of docs/policy.md.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from bioguard.commands import biometric as commands
from bioguard.commands.configuration import (
    CONFIGURE,
    PROVIDE_PROFILE,
    Configuration,
    ProvideProfile,
)
from bioguard.commands.status import Done, ReplyStatus
from bioguard.records import FaceEmbedding, Features
from bioguard.records.audit_events import NOBODY
from bioguard.records.consent import Purpose
from bioguard.records.locks import AttemptOutcome, LockStatus
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SensorProps
from bioguard.records.tokens import AuthToken, TokenUnusable
from bioguard.trusted.biometric import decision, rates, readiness
from bioguard.trusted.biometric.cohort_fingers import gather
from bioguard.trusted.biometric.decision import ReadyRecord, Sighting, Verdict, judge
from bioguard.trusted.biometric.device_cohort import stricter
from bioguard.trusted.biometric.extractors import MadeBy, any_other, is_other_extractor
from bioguard.trusted.biometric.gallery_index import GalleryIndex
from bioguard.trusted.biometric.gallery_loading import gallery
from bioguard.trusted.biometric.levels import levels
from bioguard.trusted.biometric.rates import Terms
from bioguard.trusted.biometric.refusals import DENIED, LOCKED
from bioguard.trusted.biometric.samples import decode, dimension_of, judge_samples, refuse_flawed
from bioguard.trusted.biometric.sensor_commands import SensorCommands
from bioguard.trusted.biometric.showing import Showing
from bioguard.trusted.biometric.stored_objects import RecordRef, StoredRecord, UserState, user_object
from bioguard.trusted.biometric.taking import SampleTaker
from bioguard.trusted.biometric.user_commands import UserCommands
from bioguard.trusted.biometric.vault import Vault
from bioguard.trusted.kept_objects import KeptStore
from bioguard.trusted.policy.audit_log import AuditLog, LogClock, LoggedStore
from bioguard.trusted.policy.enforcement import PolicyEnforcer
from bioguard.trusted.policy.handlers import handlers as policy_handlers
from bioguard.trusted.policy.handlers import purpose_of
from bioguard.trusted.policy.stored_objects import consent_object
from bioguard.trusted.refusal import Refused
from tee_sim.shared.errors import TeeError
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command, CommandApp, TaEnv

_DECISIONS = (commands.AUTHENTICATE, commands.IDENTIFY)
Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)


class BiometricApp(CommandApp):
    """The biometric trusted application."""

    def create(self, env: TaEnv) -> None:
        """Build store, log, vault, sensor rules and policy, each of those before it; then do what is due at a start."""
        self._log = AuditLog(env.store, env.clock, env.system_rng)
        # From here on whatever is written carries the entries that were noted, and is stamped with the log's time.
        self._store = KeptStore(LoggedStore(env.store, self._log))
        env = replace(env, store=self._store, clock=LogClock(env.clock, self._log))
        self._vault = Vault(env, self._log)
        self._taker = SampleTaker(env.captures, self._vault)
        self._sensors = SensorCommands(env, self._vault)
        self._policy = PolicyEnforcer(env, self._log, self._vault, self._sensors.owner)
        self._users = UserCommands(self._store, self._vault, self._sensors, self._policy)
        self._showing = Showing(self._store, self._vault, self._log.now_ms, env.platform)
        self._bind_all()
        self._policy.start()
        gather(self._store, self._vault, self._policy)

    def at_leisure(self) -> None:
        """As `CommandApp.at_leisure`."""
        readiness.get_ready(self._vault)

    def _bind_all(self) -> None:
        self._bind(PROVIDE_PROFILE, self._provide_profile)
        self._bind(CONFIGURE, self._configure)
        self._bind(commands.RENEW_CODES, self._renew_codes)
        self._bind(commands.ENROLL, self._enroll)
        self._bind(commands.AUTHENTICATE, self._authenticate)
        self._bind(commands.IDENTIFY, self._identify)
        self._bind(commands.RATE_BASIS, self._rate_basis)
        self._bind(commands.PREPARE_ENROLLMENT, self._prepare_enrollment)
        self._bind(commands.JUDGE, self._judge_sample)
        self._bind(commands.ERASE, self._erase)
        self._bind(commands.RELABEL, self._relabel)
        for part in (self._users, self._showing, self._sensors):
            for command, handler in part.handlers():
                self._bind(command, handler)
        for command, handler in policy_handlers(self._policy):
            self._bind(command, handler)

    def _bind(self, command: Command[Q, A], handler: Callable[[Q], A]) -> None:
        """A handler that raises `Refused` answers with that status and nothing else. What it did is logged."""

        def respond(_session: Any, request: Q) -> A:
            try:
                try:
                    answer = handler(request)
                except Refused as refused:
                    answer = command.reply(status=refused.status)  # type: ignore[call-arg]  # every reply has a status
                self._log.flush()  # before the answer leaves: a refusal is logged as durably as a change
                if command not in _DECISIONS:  # those read no rows of others
                    gather(self._store, self._vault, self._policy)
            except BaseException:
                self._doubt()
                raise
            return answer

        self.handle(command, respond)

    def close_session(self, session: Any) -> None:
        """An explicit end. Where it cannot be stored, what was charged ahead counts as made."""
        try:
            self._sensors.give_back()
        except TeeError:
            self._doubt()

    def _doubt(self) -> None:
        for part in (self._store, self._log, self._vault, self._sensors, self._policy):
            part.doubt()

    # What the device is

    def _provide_profile(self, request: ProvideProfile) -> Done:
        self._vault.provide(request.profile)
        return Done(status=ReplyStatus.OK)

    def _configure(self, request: Configuration) -> Done:
        self._vault.configure(request)
        self._sensors.configure(request)
        return Done(status=ReplyStatus.OK)

    def _renew_codes(self, _request: commands.RenewCodes) -> commands.Renewed:
        changed = self._vault.renew_codes(lambda record: list(map(decode, record.views)))
        return commands.Renewed(status=ReplyStatus.OK, records=changed)

    # Enrolling

    def _enroll(self, request: commands.Enroll) -> commands.Enrolled:
        """Enroll one finger or face: parse before trust, authorize before anything of the user shows, write last."""
        # 1. Parse, strictly and once: it depends on nothing that is kept, so a malformed request learns nothing.
        request, samples, made_by = self._taker.enrollment(request)
        sensor = self._vault.sensor(request.sensor)
        if request.position not in sensor.kind.positions:
            raise Refused(ReplyStatus.BAD_REQUEST)
        # 2. Authorize, and 3. consent.
        user, permit = self._permitted(request, sensor)
        # 4. Room (`enroll.limit`): from the user's own list, so it costs nothing before samples are looked into.
        replaces = self._vault.room_for(user, sensor, request.position, replacing=request.replace)
        # 5. Dimension and model: views of two models cannot be compared in step 6, and those of a model that no profile
        #    is of are not compared at all (`match.not-calibrated`). Looked at, not written (step 9).
        dimension = self._dimension_of(samples, replaces)
        made_by = self._known(samples[0], made_by)
        kind = self._vault.calibration.kind_of(samples[0], made_by.model)
        if is_other_extractor(self._vault.state, sensor.kind, made_by) and any_other(
            self._store, sensor.kind, replaces
        ):
            raise Refused(ReplyStatus.OTHER_EXTRACTOR)
        # 6. Quality, and that the samples are of one person (`enroll.second-person`). Before step 7: what is
        #    no good sample of one finger must not be compared with enrolled ones.
        verdict, acquired = judge_samples(samples, kind.profile)
        if verdict is not ReplyStatus.OK:
            return commands.Enrolled(status=verdict, acquired=acquired)
        # 7. Not a finger that is enrolled already on this sensor. Last of the checks: the only one that compares with
        #    records, and uncounted (docs/android-contract.md, departure 22).
        if sensor.kind is Modality.FINGERPRINT:
            others = [ref.record_id for ref in user.of(request.sensor) if ref != replaces]
            enrolled = [record for _, record in self._vault.ready.of(others)]
            if decision.same_finger(samples, enrolled, self._vault.encoder, kind):
                raise Refused(ReplyStatus.DUPLICATE_FINGER)
        # 8. Encode, before a transaction is open: what can fail must fail while nothing is written.
        codes = self._vault.encoder.encode(samples)
        # 9. One commit: record, log entry, user's list, authenticator id, owner, first expiry and dimension. A power
        #    cut leaves all of it or nothing (`enroll.dimension-refused`; keys die with the old set or live on with it).
        with self._store.transaction() as transaction:
            self._sensors.enrolled(transaction, request.user, request.sensor, permit)
            summary, record = self._vault.enroll(
                transaction, request, codes, replaces, made_by, face_dimension=dimension
            )
            self._policy.enrolled(transaction, record.enrolled_s)
        # 10. Only what is stored can be found.
        self._remember(summary, record)
        return commands.Enrolled(
            status=ReplyStatus.OK,
            record_id=summary.record_id,
            digest=summary.digest,
            views=summary.views,
            acquired=acquired,
        )

    def _prepare_enrollment(self, request: commands.PrepareEnrollment) -> Done:
        """Steps 2 to 4 of `_enroll`, before anybody touches the sensor."""
        sensor = self._vault.sensor(request.sensor)
        user, _ = self._permitted(request, sensor)
        self._vault.room_for(user, sensor)
        return Done(status=ReplyStatus.OK)

    def _judge_sample(self, request: commands.Judge) -> commands.Judged:
        """Steps 1 and 6 of `_enroll`: of these samples alone, of no user, so it is not authorized and not counted."""
        samples, made_by = self._taker.shown(request)
        dimension_of(samples)
        kind = self._vault.calibration.kind_of(samples[-1], made_by.model)
        acquired = judge_samples(samples, kind.profile)[1]
        return commands.Judged(status=ReplyStatus.OK, acquired=acquired[-1])

    def _permitted(
        self, request: commands.Enroll | commands.PrepareEnrollment, sensor: SensorProps
    ) -> tuple[UserState, AuthToken | None]:
        """Who enrolls, and by which token; None for an unbound enrollment."""
        # 2. Authorize: a token of this user's PIN over a live challenge of this sensor and user (CDD 7.3.10, the chain
        #    of trust begins at the credential; `enroll.no-token`, `challenge.cross-user`). First of what looks at the
        #    user: what follows answers differently for what is enrolled and consented, which is not a stranger's.
        self._read_ahead(request.user, sensor.sensor_id)
        user = self._vault.user(request.user)
        permit = self._permit(request, enrollments=len(user.of(sensor.sensor_id)))
        # 3. Consent (POL-05; restricted and objected: POL-18, POL-20). Only here: an unauthorized request must not
        #    write "the user refused" into the log.
        self._policy.require(request.user, sensor.kind, None)
        return user, permit

    def _dimension_of(self, samples: tuple[Features, ...], replaces: RecordRef | None) -> int:
        dimension = dimension_of(samples)
        if dimension:
            self._vault.refuse_other_dimension(dimension, replaces)
        return dimension

    def _permit(self, request: commands.Enroll | commands.PrepareEnrollment, *, enrollments: int) -> AuthToken | None:
        try:
            return self._sensors.permit(request.user, request.sensor, request.token, enrollments=enrollments)
        except TokenUnusable as unusable:
            raise Refused(DENIED[unusable.why]) from None

    # Deciding

    def _authenticate(self, request: commands.Authenticate) -> commands.Decision:
        """Compare 1:1: refuse what depends on nothing learned, charge, compare, store the end, answer."""
        user, purpose = request.user, purpose_of(request.operation_id)
        # 1. Parse, strictly and once.
        probe, made_by = self._taker.probe(request)
        modality = probe.modality
        self._read_ahead(user, request.sensor)
        # 2. Something to compare with. No record of another user is opened, nor of another sensor.
        refs = self._vault.user(user).of(request.sensor)
        if not refs:
            raise Refused(ReplyStatus.NOT_ENROLLED)
        # 3. A probe that cannot be compared, or is alike to everybody (`match.dimension`, `match.not-centered`): it
        #    depends on the probe and on the device's model alone, so it is answered without a count.
        self._refuse_other_model(probe, made_by)
        kind = self._vault.calibration.kind_of(probe, made_by.model)
        refuse_flawed(probe, kind.profile)
        # 4. Consent for this purpose, which follows from the request (POL-05, POL-18, POL-20, POL-26).
        self._policy.require(user, modality, purpose)
        # 5. The rate: the device's or a stricter one, never the caller's own (`rate.loose-token`: else a caller would
        #    read the score by moving the rate). Refused before anything is counted.
        terms = self._claim_terms(request.fmr_inverse)
        # 6. Records that may still be used (POL-10), and that there is a threshold for so many comparisons.
        records = self._in_time(user, refs, purpose)
        samples = sum(record.samples for _, record in records)
        plain = levels(kind, terms, samples)
        # 7. Charge the attempt as failed, durably, BEFORE it is compared (CDD 7.3.10, five false trials;
        #    `lockout.power-cut`): whoever pulls the plug has used a trial up.
        attempt = self._sensors.begin(user, request.sensor)
        if isinstance(attempt, LockStatus):
            self._policy.log_locked(user, modality, purpose)
            raise Refused(LOCKED[attempt.lock])
        # 8. Compare, with every record whatever was found: how long it takes must not say which one matched. Fingers of
        #    others only make it stricter (`cohort.dilute`).
        ready = decision.made_ready(probe, self._vault.encoder)
        standings = self._vault.standings(user, ready, records, kind, self._log.now_ms())
        at = [self._stricter(plain, kind, terms, samples, standing) for standing in standings]
        verdict = self._judge(request.sensor, terms, decision.sightings(user, ready, records, self._vault.encoder, at))
        # 9. Log and settle in one commit, over the same objects whatever it came to (`disk.watch-decisions`). The token
        #    is made there, with every field filled in inside (`token.no-match`).
        self._policy.log_decision(user, modality, purpose, accepted=verdict.accepted is not None, basis=plain.basis)
        token = self._sensors.settle(
            attempt, self._outcome(verdict, terms), request.operation_id, near=verdict.near, strong=verdict.strong
        )
        # 10. Answer: match or not, never a score (POL-04; `match.hill-climbing`).
        if verdict.accepted is None:
            return commands.Decision(status=ReplyStatus.OK, match=False)
        return commands.Decision(status=ReplyStatus.OK, match=True, record_id=verdict.accepted.record_id, token=token)

    def _read_ahead(self, user: bytes, sensor_id: int) -> None:
        """Read at once what is asked for one by one: the same objects, whatever is decided about them."""
        ids = [user_object(user), consent_object(user), *self._sensors.objects(user, sensor_id)]
        self._store.fetch([*ids, *self._log.next_objects()])
        self._sensors.exposures(sensor_id)
        self._log.hold_next()

    def _in_time(self, user: bytes, refs: list[RecordRef], purpose: Purpose) -> list[tuple[bytes, ReadyRecord]]:
        """The records that may still be used. Refused RECORD_EXPIRED, and logged, if all of them are over."""
        records = self._vault.ready.of([ref.record_id for ref in refs])
        kept = [(record_id, record) for record_id, record in records if not self._policy.is_over(record.enrolled_s)]
        if not kept:
            self._policy.log_expired(user, refs[0].modality, purpose)
            raise Refused(ReplyStatus.RECORD_EXPIRED)
        return kept

    def _refuse_other_model(self, probe: Features, made_by: MadeBy) -> None:
        """Refused PROBE_DIMENSION, OTHER_EXTRACTOR for what cannot be compared with what is enrolled."""
        if isinstance(probe, FaceEmbedding) and len(probe) != self._vault.state.face_dimension:
            raise Refused(ReplyStatus.PROBE_DIMENSION)
        if is_other_extractor(self._vault.state, probe.modality, self._known(probe, made_by)):
            raise Refused(ReplyStatus.OTHER_EXTRACTOR)

    def _known(self, sample: Features, made_by: MadeBy) -> MadeBy:
        """With the model that is declared, where a file says nothing."""
        return replace(made_by, model=self._vault.calibration.model_of(sample, made_by.model))

    def _identify(self, request: commands.Identify) -> commands.Identified:
        """Search 1:N: the steps of `_authenticate`, with who may be found in place of who was named."""
        # 1. Parse, strictly and once.
        probe, made_by = self._taker.probe(request)
        modality = probe.modality
        # 2. Expired records are gone before a gallery is made of what is left (POL-10).
        self._policy.check_started()
        # 3. The gallery of those who consent to be searched for (POL-05): others are not in it, so nothing about them
        #    can be learned however the search ends.
        index = self._index(request.sensor)
        # 4. A probe that cannot be compared: as in `_authenticate`. Where nobody is enrolled no model is fixed.
        if len(index):
            self._refuse_other_model(probe, made_by)
        kind = self._vault.calibration.kind_of(probe, made_by.model)
        refuse_flawed(probe, kind.profile)
        # 5. The rate: an offered one (`rate.loose-search`).
        terms = self._search_terms(request.fpir_inverse)
        # 6. Nobody whose own sensor is locked (`search.for-the-locked`): a search is no way around a lockout.
        among = index.open_to(self._sensors.barred(request.sensor), self._log.now_ms())
        if not among.any():  # nothing is compared, so nothing is counted
            self._policy.log_decision(None, modality, Purpose.IDENTIFY, accepted=False, basis=None)
            return commands.Identified(status=ReplyStatus.OK, match=False)
        basis = index.basis(kind, terms)
        # 7. Charge the search as a miss BEFORE it is made (`search.uncounted`, `search.restart`).
        search = self._sensors.begin_search(request.sensor)
        if isinstance(search, LockStatus):
            self._policy.log_locked(NOBODY, modality, Purpose.IDENTIFY)
            raise Refused(LOCKED[search.lock])
        # 8. Compare.
        ready = decision.made_ready(probe, self._vault.encoder)
        verdict = self._judge(request.sensor, terms, index.sightings(ready, kind, terms, among))
        found = verdict.accepted
        # 9. Log and settle in one commit. A match gives back this search and clears nothing (`search.own-match`).
        who, accepted = found.user if found else None, found is not None
        self._policy.log_decision(who, modality, Purpose.IDENTIFY, accepted=accepted, basis=basis)
        self._sensors.settle_search(
            search, found=accepted, near=verdict.near, strong=verdict.strong, beaten=verdict.beaten
        )
        # 10. Answer: one identity or none. A list of candidates would rank people by their scores (POL-04).
        if found is None:
            return commands.Identified(status=ReplyStatus.OK, match=False)
        return commands.Identified(status=ReplyStatus.OK, match=True, user=found.user, record_id=found.record_id)

    def _rate_basis(self, request: commands.AskBasis) -> commands.RateBasis:
        """How far the rate of a decision is founded: from what is enrolled, not from anything that was compared."""
        kind = self._vault.calibration.kind(self._vault.sensor(request.sensor).kind, request.dimension)
        if request.user is None:
            index = self._index(request.sensor)
            found = index.basis(kind, self._search_terms(request.inverse)) if len(index) else None
            return commands.RateBasis(status=ReplyStatus.OK, basis=found)
        records = self._vault.ready.of([ref.record_id for ref in self._vault.user(request.user).of(request.sensor)])
        samples = sum(record.samples for _, record in records if not self._policy.is_over(record.enrolled_s))
        terms = self._claim_terms(request.inverse)
        return commands.RateBasis(status=ReplyStatus.OK, basis=levels(kind, terms, samples).basis if samples else None)

    def _claim_terms(self, asked: int) -> Terms:
        return rates.claim_terms(self._vault.configuration, asked)

    def _search_terms(self, asked: int) -> Terms:
        return rates.search_terms(self._vault.configuration, asked)

    _stricter = staticmethod(stricter)

    @staticmethod
    def _outcome(verdict: Verdict, terms: Terms) -> AttemptOutcome:
        """What the lockout makes of it."""
        if verdict.accepted is None:
            return AttemptOutcome.NO_MATCH
        return AttemptOutcome.MATCH if terms.counts else AttemptOutcome.LOOSE_MATCH

    def _judge(self, sensor_id: int, terms: Terms, seen: list[Sighting]) -> Verdict:
        """What a decision comes to. At a rate that does not count, the exposure budget is not asked and not touched."""
        if not terms.counts:
            return Verdict(accepted=judge(seen, lambda _: False).accepted)
        exposures = self._sensors.exposures(sensor_id)
        if terms.fpir is not None:
            seen = [sighting for sighting in seen if not exposures.closed(sighting.record_id)]
        return judge(seen, exposures.spent)

    # Erasing

    def _erase(self, request: commands.Erase) -> commands.Erased:
        """Erase one record (POL-16, POL-24)."""
        # 1. Authorize: the person, or the operator, and the log keeps the two apart (`erase.without-pin`). Before the
        #    record is looked for: whether a user has this record is not a stranger's to know.
        cause = self._policy.authorize_erasure(request.user, request.leave)
        # 2. One commit of the user's own record only: key, row, list, log entry, count. The exposure count goes with
        #    it, and an enrollment of the same samples starts anew, which needs the PIN again.
        digest = self._vault.erase(request.user, request.record_id, cause)
        self._policy.start()  # where it could not be written before, there may be room now
        return commands.Erased(status=ReplyStatus.OK, digest=digest)

    def _relabel(self, request: commands.Relabel) -> commands.Relabeled:
        self._policy.identified(request.user, request.token)
        summary, record = self._vault.relabel(request.user, request.record_id, request.position)
        self._remember(summary, record)
        return commands.Relabeled(status=ReplyStatus.OK, record_id=summary.record_id, digest=summary.digest)

    # The search gallery

    def _index(self, sensor_id: int) -> GalleryIndex:
        """The gallery of those who may be searched for, built on the first search."""
        index = self._vault.galleries.get(sensor_id)
        if index is None:
            index = gallery(self._vault, self._policy, self._vault.sensor(sensor_id))
            self._vault.galleries.put(sensor_id, index)
        index.retire(self._log.now_ms())
        return index

    def _remember(self, summary: commands.RecordSummary, record: StoredRecord) -> None:
        """Put a new record into the gallery, if there is one and its owner may be searched for."""
        index = self._vault.galleries.get(summary.sensor)
        until_ms = self._policy.searchable_until(summary.user, summary.modality) if index is not None else None
        if index is not None and until_ms is not None:
            index.add(summary.user, summary.record_id, record, until_ms, self._policy.expires_ms(record.enrolled_s))
