"""Enrolling one face from several views: whether they show one person, and whether they are several.

| LFW, EdgeFace-XS (`python -m bench enrollment --faces FILE.npz`) | 2 views | 3 | 4 | 8 |
|---|---|---|---|---|
| views of one person refused, one group each of 832, 453, 303, 103 people | 1.1 % | 1.8 % | 2.0 % | 0.0 % |
| one view of somebody else among them accepted | 0.10 % | 0.14 % | 0.24 % | 0.53 % |
| half of the views of somebody else accepted | 0.10 % | 0.18 % | 0.34 % | 1.16 % |

These are photographs taken years apart; the views of one visit are more alike. A view far from the front needs only a
neighbor between it and the front, not the front itself.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.match.clusters import main_cluster
from bioguard.match.thresholds import threshold_for_fmr
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.scores import Score
from tee_sim.shared.dataclass import dataclass

SAME_PERSON_FMR: Final = 1e-3
"""Rate of one comparison of two views at enrollment. Chosen: fifty times looser than a decision, since a refusal here
costs a person another try, and what gets past it still needs the owner's PIN."""
EQUAL_COSINE: Final = 0.999
"""At and above it two views are one. Copies: rounding to float16 leaves 1 - 1e-6, to int8 1 - 7e-5 (64 to 1 024
dimensions). Different photographs: at most 0.946 in 3 337 LFW photographs of 832 people; of synthetic people 0.946."""


@dataclass(frozen=True, slots=True)
class ViewReport:
    """Judgement of several views of one face.

    Attributes:
        fits: bool [n], whether a view hangs together with most of the others.
        repeats: bool [n], whether a view equals an earlier one.
    """

    fits: NDArray[np.bool_]
    repeats: NDArray[np.bool_]


def check_views(rows: NDArray[np.float32], profile: ComparisonProfile) -> ViewReport:
    """Whether these views can be enrolled together.

    Args:
        rows: unit rows [n, d] in the order of capture, n >= 1: the features themselves, whatever is kept of them.
        profile: of the model that made them.
    """
    scores = rows @ rows.T
    repeats: NDArray[np.bool_] = np.any(np.triu(scores >= EQUAL_COSINE, k=1), axis=0)
    threshold = threshold_for_fmr(SAME_PERSON_FMR, profile=profile, score=Score.COSINE)
    return ViewReport(fits=main_cluster(scores, threshold), repeats=repeats)
