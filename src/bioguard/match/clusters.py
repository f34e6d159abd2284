"""Whether several samples look like one thing: a chain of neighbors, each alike to the next, must reach all of them.

That each sample is alike to some other one is not enough: two people with two samples each satisfy it.
"""

import numpy as np
from numpy.typing import NDArray


def main_cluster(scores: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """Which samples hang together: bool [n], the largest group that scores >= `threshold` connect.

    Of groups of equal size it is the one with the earlier sample: what came first is taken for the person's own.

    Args:
        scores: [n, n], symmetric, n >= 1; the diagonal does not count.
        threshold: of one comparison.
    """
    alike = scores >= threshold
    np.fill_diagonal(alike, True)
    group = np.arange(len(alike))  # the smallest index that a sample is known to hang together with
    for _ in range(len(alike)):
        group = np.where(alike, group[np.newaxis, :], len(alike)).min(axis=1)
    members: NDArray[np.bool_] = group == np.bincount(group).argmax()
    return members
