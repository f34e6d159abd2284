"""Entry points and command handlers of the biometric TA.

What other trusted code decides is asked at one point each: the contract (`bioguard.trusted.contract.desk`) whether an
enrollment is authorized, whether a comparison may happen, and what a match gives.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any, TypeVar

from bioguard.commands import biometric as commands
from bioguard.commands.biometric import Modality, Status
from bioguard.errors import InputRefused
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.tokens import AuthToken
from bioguard.trusted.biometric import matching
from bioguard.trusted.biometric.index import GalleryIndex
from bioguard.trusted.biometric.vault import Refused, Vault
from bioguard.trusted.contract.authority import TokenUnusable
from bioguard.trusted.contract.desk import ContractDesk
from bioguard.trusted.contract.lockout import Lock, LockStatus, Outcome
from tee_sim.schema import Record
from tee_sim.ta_api import Command, CommandApp, TaEnv

__all__ = ["BiometricApp"]

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)


class BiometricApp(CommandApp):
    """The biometric trusted application."""

    def create(self, env: TaEnv) -> None:
        """Open the vault; galleries are built on the first identification."""
        self._vault = Vault(env)
        self._indexes: dict[Modality, GalleryIndex] = {}
        self._ids: list[bytes] | None = None
        self._desk = ContractDesk(env, self._count)
        for command, handler in self._desk.handlers():
            self._bind(command, handler)
        self._bind(commands.CONFIGURE, self._configure)
        self._bind(commands.ADD_USER, self._add_user)
        self._bind(commands.REMOVE_USER, self._remove_user)
        self._bind(commands.ENROLL, self._enroll)
        self._bind(commands.AUTHENTICATE, self._authenticate)
        self._bind(commands.IDENTIFY, self._identify)
        self._bind(commands.LIST, self._list)
        self._bind(commands.SHOW, self._show)
        self._bind(commands.ERASE, self._erase)

    def _bind(self, command: Command[Q, A], handler: Callable[[Q], A]) -> None:
        """A handler that raises `Refused` answers with that status and nothing else."""

        def answer(_session: Any, request: Q) -> A:
            try:
                return handler(request)
            except Refused as refused:
                return command.reply(status=refused.status)  # type: ignore[call-arg]  # every reply has a status

        self.handle(command, answer)

    def _configure(self, request: commands.Configure) -> commands.Done:
        self._vault.configure(request.profile, request.max_fingers, request.max_faces)
        return commands.Done(status=Status.OK)

    def _add_user(self, request: commands.AddUser) -> commands.Done:
        self._vault.add_user(request.user)
        return commands.Done(status=Status.OK)

    def _remove_user(self, request: commands.RemoveUser) -> commands.Done:
        for record_id in self._vault.remove_user(request.user, self._desk.forget(request.user)):
            self._forget(record_id)
        return commands.Done(status=Status.OK)

    def _enroll(self, request: commands.Enroll) -> commands.Enrolled:
        samples = tuple(_decode(request.modality, sample) for sample in request.samples)
        if not samples or (request.modality is Modality.FACE) != (request.position == 0):
            raise Refused(Status.BAD_REQUEST)
        permit = self._permit(request)
        replaces = self._vault.room_for(request.user, request.modality, request.position, replacing=request.replace)
        if isinstance(samples[0], FaceEmbedding):
            if len({len(s) for s in samples}) > 1:
                raise Refused(Status.WRONG_DIMENSION)
            self._vault.fix_face_dimension(len(samples[0]))
        verdict = matching.check_samples(samples)
        if verdict is not Status.OK:
            raise Refused(verdict)
        if request.modality is Modality.FINGERPRINT:
            self._refuse_same_finger(request.user, samples, replaces.record_id if replaces else None)
        record_id, digest, record = self._vault.enroll(
            request.user,
            request.modality,
            request.position,
            request.samples,
            replaces,
            self._desk.enrolled(request.user, request.modality, permit),
        )
        if replaces is not None:
            self._forget(replaces.record_id)
        self._remember(request.user, request.modality, record_id, record.views)
        return commands.Enrolled(status=Status.OK, record_id=record_id, digest=digest, views=len(record.views))

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
        except TokenUnusable:
            raise Refused(Status.TOKEN_REFUSED) from None

    def _refuse_same_finger(self, user: bytes, samples: tuple[Features, ...], replaced: bytes | None) -> None:
        for ref in self._vault.user(user).records:
            if ref.modality is Modality.FINGERPRINT and ref.record_id != replaced:
                _, record = self._vault.open_record(ref.record_id)
                views = tuple(_decode(ref.modality, view) for view in record.views)
                if matching.same_person(samples, views):
                    raise Refused(Status.DUPLICATE_FINGER)

    def _authenticate(self, request: commands.Authenticate) -> commands.Decision:
        modality = _modality_of(request.sample)
        probe = _decode(modality, request.sample)
        refs = [ref for ref in self._vault.user(request.user).records if ref.modality is modality]
        if not refs:
            raise Refused(Status.NOT_ENROLLED)
        records = [self._vault.open_record(ref.record_id)[1] for ref in refs]
        views = [tuple(_decode(modality, view) for view in record.views) for record in records]
        attempt = self._desk.begin(request.user, modality)
        if isinstance(attempt, LockStatus):
            raise Refused(Status.LOCKED_PERMANENT if attempt.lock is Lock.PERMANENT else Status.LOCKED_TIMED)
        outcome, accepted = Outcome.POOR_CAPTURE, None
        try:
            accepted = matching.verify(probe, views, request.fmr_inverse)
            outcome = Outcome.NO_MATCH if accepted is None else Outcome.MATCH
        finally:
            token = self._desk.settle(attempt, outcome, request.operation_id)
        if accepted is None:
            return commands.Decision(status=Status.OK, match=False)
        return commands.Decision(status=Status.OK, match=True, record_id=refs[accepted].record_id, token=token)

    def _identify(self, request: commands.Identify) -> commands.Identified:
        modality = _modality_of(request.sample)
        found = self._index(modality).identify(_decode(modality, request.sample), request.fpir_inverse)
        if found is None:
            return commands.Identified(status=Status.OK, match=False)
        return commands.Identified(status=Status.OK, match=True, user=found.user, record_id=found.record_id)

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
        digest = self._vault.erase(request.user, request.record_id)
        self._forget(request.record_id)
        return commands.Erased(status=Status.OK, digest=digest)

    def _index(self, modality: Modality) -> GalleryIndex:
        index = self._indexes.get(modality)
        if index is None:
            index = self._indexes[modality] = GalleryIndex(modality)
            for summary, record in self._vault.records(modality):
                index.add(summary.user, summary.record_id, tuple(_decode(modality, v) for v in record.views))
        return index

    def _remember(self, user: bytes, modality: Modality, record_id: bytes, views: tuple[bytes, ...]) -> None:
        self._ids = None
        if modality in self._indexes:
            self._indexes[modality].add(user, record_id, tuple(_decode(modality, view) for view in views))

    def _forget(self, record_id: bytes) -> None:
        self._ids = None
        for index in self._indexes.values():
            index.remove(record_id)


_DECODERS = {Modality.FINGERPRINT: FingerprintTemplate.from_bytes, Modality.FACE: FaceEmbedding.from_bytes}


def _modality_of(sample: bytes) -> Modality:
    """The record kind is in the second byte of the canonical encoding."""
    try:
        return Modality(sample[1])
    except (IndexError, ValueError):
        raise Refused(Status.BAD_REQUEST) from None


def _decode(modality: Modality, sample: bytes) -> Features:
    try:
        return _DECODERS[modality](sample)
    except InputRefused:
        raise Refused(Status.BAD_REQUEST) from None
