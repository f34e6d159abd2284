"""Records in hundreds: the vault's own code with a transaction for many enrollments, in a world in this process.

For a hundred thousand records; what a store holds afterwards is what as many enrollments leave, but for the log's time
and the versions of objects. The core's rule that an application may only use ids that it was given in the same request
is off while it is filled: nobody asks here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from bioguard.commands.biometric import Enroll
from bioguard.records import FaceEmbedding
from bioguard.records.modality import Modality
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation
from bioguard.trusted.biometric.app import BiometricApp
from bioguard.trusted.biometric.stored_objects import UserState, put_user
from tee_sim.secure.made.call import Call

TOGETHER = 10
"""People in a transaction."""


@contextmanager
def held_application() -> Iterator[list[BiometricApp]]:
    """The biometric application of a device that is opened and asked in the block, once it has started."""
    held: list[BiometricApp] = []
    make = BiometricApp.__init__

    def made(self: BiometricApp, *args: Any, **options: Any) -> None:
        make(self, *args, **options)
        held[:] = [self]

    with patch.object(BiometricApp, "__init__", made), patch.object(Call, "refuse", lambda _call, _why: None):
        yield held


def enroll_people(app: BiometricApp, seed: int, first: int, last: int, *, each: int, like: bytes) -> None:
    """Add people first .. last - 1 with so many face records each, of one view.

    Args:
        like: a user whose consents they give.
    """
    population = FacePopulation(EDGEFACE_XS, seed)
    consent = app._policy.objects.consent(like)
    for start in range(first, last, TOGETHER):
        people = range(start, min(last, start + TOGETHER))
        views = [population.embeddings(start, len(people), view=view) for view in range(each)]
        with app._store.transaction() as transaction:
            for number, person in enumerate(people):
                user = person.to_bytes(16, "big")
                put_user(transaction, user, UserState(label=bytes(32)))
                app._policy.objects.put_consent(transaction, user, consent)
                for rows in views:
                    face = FaceEmbedding.from_features(rows[number])
                    request = Enroll(user=user, modality=Modality.FACE, position=0, samples=(face.to_bytes(),))
                    codes = app._vault.encoder.encode((face,))
                    app._vault.enroll(transaction, request, codes, None, face_dimension=len(face))
