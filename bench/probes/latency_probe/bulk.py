"""Records in dozens: the vault's own code with a transaction for many enrollments, in a world in this process.

For more records than commands store in reasonable time. What a store holds afterwards is what as many enrollments
leave, but for times and versions. Off while it is filled: the core's rule that an application may only use ids that it
was given in the same request, for nobody asks here; and that a sensor's tally and the search index are written for each
record, which is most of what a large one costs. The index is made of the records at the end, as a purge would mend it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from bioguard.commands.biometric import Enroll
from bioguard.records import FaceEmbedding
from bioguard.records.modality import Modality
from bioguard.records.sample_origin import SampleOrigin
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation
from bioguard.trusted.biometric import vault
from bioguard.trusted.biometric.app import BiometricApp
from bioguard.trusted.biometric.extractors import MadeBy
from bioguard.trusted.biometric.stored_objects import UserState, put_user
from bioguard.trusted.sensor.exposure import KEY_BYTES, Exposures
from bioguard.trusted.sensor.tally import put_records, read_tally
from tee_sim.secure.made.call import Call
from tee_sim.shared.ta_api import Transaction

TOGETHER, MADE = 3, 300
"""People in a transaction, and whose views are made at once."""


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


def _count(app: BiometricApp, transaction: Transaction, records: list[bytes]) -> None:
    """Put new records into the tally of the face sensor, as `recount` does for one."""
    sensor_id = SENSOR_IDS[Modality.FACE]
    tally = read_tally(app._store, sensor_id)
    counts = dict(zip(tally.exposures.keys, tally.counts, strict=True))
    counts |= {int.from_bytes(record[:KEY_BYTES], "big"): 0 for record in records}
    ordered = dict(sorted(counts.items()))
    put_records(transaction, sensor_id, tally, Exposures(tuple(ordered), bytes(ordered.values())), records)


def enroll_people(app: BiometricApp, seed: int, first: int, last: int, *, each: int, like: bytes) -> None:
    """Add people first .. last - 1 with so many face records each, of one view.

    Args:
        like: a user whose consents they give.
    """
    population = FacePopulation(EDGEFACE_XS, seed)
    consent = app._policy.objects.consent(like)
    for made in range(first, last, MADE):
        views = [population.embeddings(made, min(last - made, MADE), view=view) for view in range(each)]
        for start in range(made, min(last, made + MADE), TOGETHER):
            new: list[bytes] = []
            with (
                patch.object(vault, "recount", lambda *_, new=new, stored=None, **__: new.append(stored)),
                patch.object(app._vault.index, "change", lambda *_, **__: None),
                app._store.transaction() as transaction,
            ):
                for person in range(start, min(last, made + MADE, start + TOGETHER)):
                    user = person.to_bytes(16, "big")
                    put_user(transaction, user, UserState(label=bytes(32)))
                    app._policy.objects.put_consent(transaction, user, consent)
                    for rows in views:
                        face = FaceEmbedding.from_features(rows[person - made])
                        request = Enroll(
                            user=user, sensor=SENSOR_IDS[Modality.FACE], position=0, samples=(face.to_bytes(),)
                        )
                        codes = app._vault.encoder.encode((face,))
                        made_by = app._known(face, MadeBy(model="", origin=SampleOrigin.DECLARED))
                        app._vault.enroll(transaction, request, codes, None, made_by, face_dimension=len(face))
                _count(app, transaction, new)
    app._vault.index.mend()
