"""Entry points and command handlers of the biometric TA.

What other trusted code decides is asked at one point each: the policy (`bioguard.trusted.policy.enforcement`) whether
the person allows it; the contract (`bioguard.trusted.biometric.sensor_commands`) whether an enrollment is authorized,
whether a comparison may happen, and what a match gives.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from hmac import compare_digest
from typing import Any, TypeVar

from bioguard.commands import biometric as commands
from bioguard.commands.biometric import Status
from bioguard.commands.configuration import CONFIGURE, SHOW_CONFIGURATION, Ask, Configuration, Configured
from bioguard.records import FaceEmbedding, Features
from bioguard.records.audit_events import NOBODY, Cause, Event
from bioguard.records.consent import Purpose
from bioguard.records.locks import AttemptOutcome, Lock, LockStatus
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken, Denial, TokenUnusable
from bioguard.trusted.biometric import decision, rates
from bioguard.trusted.biometric.gallery_index import GalleryIndex
from bioguard.trusted.biometric.levels import Kind, levels
from bioguard.trusted.biometric.quality import judge_samples, refuse_flawed
from bioguard.trusted.biometric.rates import Terms
from bioguard.trusted.biometric.samples import decode, modality_of
from bioguard.trusted.biometric.sensor_commands import SensorCommands
from bioguard.trusted.biometric.stored_objects import RecordRef, StoredRecord
from bioguard.trusted.biometric.template_encoder import TemplateEncoder
from bioguard.trusted.biometric.vault import Vault
from bioguard.trusted.biometric.verdict import Sighting, Verdict, judge
from bioguard.trusted.policy.enforcement import PolicyEnforcer, Records
from bioguard.trusted.policy.handlers import handlers as policy_handlers
from bioguard.trusted.policy.handlers import purpose_of
from bioguard.trusted.refusal import Refused
from bioguard.trusted.sensor.tally import TalliedStore
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command, CommandApp, TaEnv, Transaction

LOCKED = {Lock.TIMED: Status.LOCKED_TIMED, Lock.PERMANENT: Status.LOCKED_PERMANENT}
Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)

_DENIED = {
    Denial.TOKEN: Status.TOKEN_REFUSED,
    Denial.NO_PIN: Status.PIN_REQUIRED,
    Denial.WITHOUT_PIN: Status.ENROLLED_WITHOUT_PIN,
    Denial.OTHER_PIN: Status.ENROLLED_WITH_OTHER_PIN,
}


class BiometricApp(CommandApp):
    """The biometric trusted application."""

    def create(self, env: TaEnv) -> None:
        """Open the vault; galleries are built on the first identification."""
        self._policy = PolicyEnforcer(env)
        env = replace(self._policy.env, store=TalliedStore(self._policy.env.store))
        self._vault = Vault(env)
        self._keeper = TemplateEncoder(self._vault.state)
        self._indexes: dict[Modality, GalleryIndex] = {}
        self._ids: list[bytes] | None = None
        self._desk = SensorCommands(env, self._count, self._vault.configuration)
        for command, handler in self._desk.handlers():
            self._bind(command, handler)
        self._bind(CONFIGURE, self._configure)
        self._bind(SHOW_CONFIGURATION, self._show_configuration)
        self._bind(commands.ADD_USER, self._add_user)
        self._bind(commands.REMOVE_USER, self._remove_user)
        self._bind(commands.RENEW_CODES, self._renew_codes)
        self._bind(commands.CHECK_LABEL, self._check_label)
        self._bind(commands.CHANGE_LABEL, self._change_label)
        self._bind(commands.ENROLL, self._enroll)
        self._bind(commands.AUTHENTICATE, self._authenticate)
        self._bind(commands.IDENTIFY, self._identify)
        self._bind(commands.LIST, self._list)
        self._bind(commands.SHOW, self._show)
        self._bind(commands.ERASE, self._erase)
        self._bind(commands.RELABEL, self._relabel)
        for command, handler in policy_handlers(self._policy):
            self._bind(command, handler)
        self._policy.start(
            Records(
                users=self._vault.users,
                digests=self._vault.digests,
                knows=lambda user: self._count(user, Modality.FACE) is not None,
                owner=self._desk.owner,
                of=self._vault.ages,
                erase=self._erase_record,
                consent_changed=self._indexes.clear,
                for_testing=lambda: self._vault.configuration.for_testing,
            )
        )

    def _bind(self, command: Command[Q, A], handler: Callable[[Q], A]) -> None:
        """A handler that raises `Refused` answers with that status and nothing else. What it did is logged."""

        def respond(_session: Any, request: Q) -> A:
            try:
                try:
                    answer = handler(request)
                except Refused as refused:
                    answer = command.reply(status=refused.status)  # type: ignore[call-arg]  # every reply has a status
                self._policy.journal.flush()
            except BaseException:
                self._desk.states.doubt()
                raise
            return answer

        self.handle(command, respond)

    def _show_configuration(self, _request: Ask) -> Configured:
        return Configured(status=Status.OK, configuration=self._vault.configuration)

    def _configure(self, request: Configuration) -> commands.Done:
        self._vault.configure(request)
        self._desk.configure(request)
        self._keeper = TemplateEncoder(self._vault.state)
        return commands.Done(status=Status.OK)

    def _renew_codes(self, _request: commands.RenewCodes) -> commands.Renewed:
        changed = self._vault.renew_codes(lambda record: [decode(record.modality, view) for view in record.views])
        self._keeper = TemplateEncoder(self._vault.state)
        self._indexes.clear()
        return commands.Renewed(status=Status.OK, records=changed)

    def _add_user(self, request: commands.AddUser) -> commands.Done:
        self._policy.journal.note(Event.USER_ADDED, subject=request.user)
        self._vault.add_user(request.user, request.label)
        return commands.Done(status=Status.OK)

    def _check_label(self, request: commands.CheckLabel) -> commands.Done:
        same = compare_digest(self._vault.user(request.user).label, request.label)
        return commands.Done(status=Status.OK if same else Status.WRONG_LABEL)

    def _change_label(self, request: commands.ChangeLabel) -> commands.Done:
        self._policy.identified(request.user, request.token)
        self._vault.change_label(request.user, request.label)
        return commands.Done(status=Status.OK)

    def _remove_user(self, request: commands.RemoveUser) -> commands.Done:
        forget = self._desk.forget(request.user)

        def also(transaction: Transaction) -> None:
            forget(transaction)
            self._policy.forget(transaction, request.user)

        with self._policy.authorized_erasure(request.user, request.leave):
            erased = self._vault.remove_user(request.user, also)
        for record_id in erased:
            self._forget(record_id)
        return commands.Done(status=Status.OK)

    def _enroll(self, request: commands.Enroll) -> commands.Enrolled:
        samples = tuple(decode(request.modality, sample) for sample in request.samples)
        if not samples or (request.modality is Modality.FACE) != (request.position == 0):
            raise Refused(Status.BAD_REQUEST)
        permit = self._permit(request)
        self._policy.require(request.user, request.modality, None)
        replaces = self._vault.room_for(request.user, request.modality, request.position, replacing=request.replace)
        dimension = self._dimension_of(samples, replaces)
        verdict, acquired = judge_samples(samples)
        if verdict is not Status.OK:
            return commands.Enrolled(status=verdict, acquired=acquired)
        if request.modality is Modality.FINGERPRINT:
            self._refuse_same_finger(request.user, samples, replaces.record_id if replaces else None)
        self._policy.enrolling()
        with self._policy.journal.because(Cause.REPLACED):
            record_id, digest, record = self._vault.enroll(
                request.user,
                request.modality,
                request.position,
                request.samples,
                self._keeper.keep(samples),
                replaces,
                self._desk.enrolled(request.user, request.modality, permit),
                face_dimension=dimension,
            )
        if replaces is not None:
            self._forget(replaces.record_id)
        self._remember(request.user, record_id, record)
        return commands.Enrolled(
            status=Status.OK, record_id=record_id, digest=digest, views=record.samples, acquired=acquired
        )

    def _dimension_of(self, samples: tuple[Features, ...], replaces: RecordRef | None) -> int:
        """The dimension of a face, 0 for a finger. Refused WRONG_DIMENSION."""
        dimensions = {len(sample) for sample in samples if isinstance(sample, FaceEmbedding)}
        if len(dimensions) > 1:
            raise Refused(Status.WRONG_DIMENSION)
        for dimension in dimensions:
            self._vault.refuse_other_dimension(dimension, replaces)
            return dimension
        return 0

    def _count(self, user: bytes, modality: Modality) -> int | None:
        try:
            return sum(ref.modality is modality for ref in self._vault.user(user).records)
        except Refused:
            return None

    def _permit(self, request: commands.Enroll) -> AuthToken | None:
        count = self._count(request.user, request.modality)
        if count is None:
            raise Refused(Status.UNKNOWN_USER)
        try:
            return self._desk.permit(request.user, request.modality, request.token, enrollments=count)
        except TokenUnusable as unusable:
            raise Refused(_DENIED[unusable.why]) from None

    def _refuse_same_finger(self, user: bytes, samples: tuple[Features, ...], replaced: bytes | None) -> None:
        refs = [ref for ref in self._vault.user(user).records if ref.modality is Modality.FINGERPRINT]
        others = [self._vault.open_record(ref.record_id)[1] for ref in refs if ref.record_id != replaced]
        if decision.same_finger(samples, others, self._keeper):
            raise Refused(Status.DUPLICATE_FINGER)

    def _authenticate(self, request: commands.Authenticate) -> commands.Decision:
        modality, user = modality_of(request.sample), request.user
        probe = decode(modality, request.sample)
        refs = [ref for ref in self._vault.user(user).records if ref.modality is modality]
        if not refs:
            raise Refused(Status.NOT_ENROLLED)
        self._refuse_other_model(probe)
        refuse_flawed(probe)
        purpose = purpose_of(request.operation_id)
        self._policy.require(user, modality, purpose)
        terms = self._claim_terms(request.fmr_inverse)
        records = self._in_time(user, refs, purpose)
        at = levels(Kind.of(probe, self._keeper.profile), terms, sum(record.samples for _, record in records))
        attempt = self._desk.begin(user, modality)
        if isinstance(attempt, LockStatus):
            self._policy.locked(user, modality, purpose)
            raise Refused(LOCKED[attempt.lock])
        verdict = self._judge(modality, terms, decision.sightings(user, probe, records, self._keeper, at))
        self._policy.decided(user, modality, purpose, accepted=verdict.accepted is not None)
        token = self._desk.settle(
            attempt, self._outcome(verdict, terms), request.operation_id, near=verdict.near, strong=verdict.strong
        )
        if verdict.accepted is None:
            return commands.Decision(status=Status.OK, match=False)
        return commands.Decision(status=Status.OK, match=True, record_id=verdict.accepted.record_id, token=token)

    def _in_time(self, user: bytes, refs: list[RecordRef], purpose: Purpose) -> list[tuple[bytes, StoredRecord]]:
        """The records that may still be used. Refused RECORD_EXPIRED, and logged, if all of them are over."""
        records = [(ref.record_id, self._vault.open_record(ref.record_id)[1]) for ref in refs]
        kept = [(record_id, record) for record_id, record in records if not self._policy.is_over(record.enrolled_s)]
        if not kept:
            self._policy.over(user, refs[0].modality, purpose)
            raise Refused(Status.RECORD_EXPIRED)
        return kept

    def _refuse_other_model(self, probe: Features) -> None:
        """Refused PROBE_DIMENSION for a face that cannot be compared with those that are enrolled."""
        if isinstance(probe, FaceEmbedding) and len(probe) != self._vault.state.face_dimension:
            raise Refused(Status.PROBE_DIMENSION)

    def _identify(self, request: commands.Identify) -> commands.Identified:
        self._policy.ensure_started()
        modality = modality_of(request.sample)
        probe = decode(modality, request.sample)
        index = self._index(modality)
        if len(index):
            self._refuse_other_model(probe)
        refuse_flawed(probe)
        terms = self._search_terms(request.fpir_inverse)
        among = index.open_to(self._desk.barred(modality), self._policy.journal.now_ms())
        if not among:  # nothing is compared, so nothing is counted
            self._policy.decided(None, modality, Purpose.IDENTIFY, accepted=False)
            return commands.Identified(status=Status.OK, match=False)
        index.require_measurable(probe, terms)
        search = self._desk.begin_search(modality)
        if isinstance(search, LockStatus):
            self._policy.locked(NOBODY, modality, Purpose.IDENTIFY)
            raise Refused(LOCKED[search.lock])
        verdict = self._judge(modality, terms, index.sightings(probe, terms, among))
        found = verdict.accepted
        self._policy.decided(found.user if found else None, modality, Purpose.IDENTIFY, accepted=found is not None)
        self._desk.settle_search(
            search, found=found is not None, near=verdict.near, strong=verdict.strong, beaten=verdict.beaten
        )
        if found is None:
            return commands.Identified(status=Status.OK, match=False)
        return commands.Identified(status=Status.OK, match=True, user=found.user, record_id=found.record_id)

    def _claim_terms(self, asked: int) -> Terms:
        return rates.claim_terms(self._vault.configuration, asked)

    def _search_terms(self, asked: int) -> Terms:
        return rates.search_terms(self._vault.configuration, asked)

    @staticmethod
    def _outcome(verdict: Verdict, terms: Terms) -> AttemptOutcome:
        """What the lockout makes of it."""
        if verdict.accepted is None:
            return AttemptOutcome.NO_MATCH
        return AttemptOutcome.MATCH if terms.counts else AttemptOutcome.LOOSE_MATCH

    def _judge(self, modality: Modality, terms: Terms, seen: list[Sighting]) -> Verdict:
        """What a decision comes to. At a rate that does not count, the exposure budget is not asked and not touched."""
        if not terms.counts:
            return Verdict(accepted=judge(seen, lambda _: False).accepted)
        exposures = self._desk.exposures(modality)
        if terms.fpir is not None:
            seen = [sighting for sighting in seen if not exposures.closed(sighting.record_id)]
        return judge(seen, exposures.spent)

    def _list(self, request: commands.ListRecords) -> commands.Page:
        if request.user is not None:
            ids = sorted(ref.record_id for ref in self._vault.user(request.user).records)
        else:
            if self._ids is None:
                self._ids = self._vault.record_ids()
            ids = self._ids
        start = bisect_right(ids, request.after) if request.after is not None else 0
        page = tuple(self._vault.open_record(i)[0] for i in ids[start : start + commands.PAGE])
        return commands.Page(status=Status.OK, records=page, more=start + commands.PAGE < len(ids))

    def _show(self, request: commands.Show) -> commands.Shown:
        return commands.Shown(status=Status.OK, record=self._vault.open_record(request.record_id)[0])

    def _erase(self, request: commands.Erase) -> commands.Erased:
        with self._policy.authorized_erasure(request.user, request.leave):
            digest = self._erase_record(request.user, request.record_id)
        return commands.Erased(status=Status.OK, digest=digest)

    def _relabel(self, request: commands.Relabel) -> commands.Relabeled:
        self._policy.identified(request.user, request.token)
        with self._policy.journal.because(Cause.REPLACED):
            record_id, digest, record = self._vault.relabel(request.user, request.record_id, request.position)
        self._forget(request.record_id)
        self._remember(request.user, record_id, record)
        return commands.Relabeled(status=Status.OK, record_id=record_id, digest=digest)

    def _erase_record(self, user: bytes, record_id: bytes) -> bytes:
        digest = self._vault.erase(user, record_id)
        self._forget(record_id)
        return digest

    def _index(self, modality: Modality) -> GalleryIndex:
        index = self._indexes.get(modality)
        if index is None:
            index = self._indexes[modality] = GalleryIndex(modality, self._keeper, self._open)
            willing = self._policy.searchable(modality)
            for summary, record in self._vault.records(modality):
                if summary.user in willing:
                    ends_ms = self._policy.expires_ms(record.enrolled_s)
                    index.add(summary.user, summary.record_id, record, willing[summary.user], ends_ms)
        index.retire(self._policy.journal.now_ms())
        return index

    def _open(self, record_id: bytes) -> StoredRecord:
        return self._vault.open_record(record_id)[1]

    def _remember(self, user: bytes, record_id: bytes, record: StoredRecord) -> None:
        self._ids = None
        modality = record.modality
        until_ms = self._policy.searchable_until(user, modality) if modality in self._indexes else None
        if until_ms is not None:
            ends_ms = self._policy.expires_ms(record.enrolled_s)
            self._indexes[modality].add(user, record_id, record, until_ms, ends_ms)

    def _forget(self, record_id: bytes) -> None:
        self._ids = None
        for index in self._indexes.values():
            index.remove(record_id)
