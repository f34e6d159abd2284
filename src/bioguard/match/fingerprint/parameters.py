"""Every constant of the fingerprint comparator, with its meaning, its unit and the data it was fitted on.

Data named here: FVC2002 DB1_B, DB3_B and FVC2004 DB2_B, DB3_B, ten fingers with eight impressions each, minutiae
of two extractors, rectified to 500 dpi. A constant marked "fitted" was chosen by leave-one-database-out error on
them (`python -m bench.train_projection --sweep`); a constant marked "chosen" follows from geometry or cost.
"""

from dataclasses import dataclass

__all__ = ["ALIGNMENT", "CYLINDER", "PAIRING", "AlignmentParameters", "CylinderParameters", "PairingParameters"]


@dataclass(frozen=True, slots=True)
class CylinderParameters:
    """Shape of the local descriptor: what one minutia sees of its neighbors, in its own frame."""

    radius_px500: float = 70.0
    """Neighbors further away do not count (3.6 mm). Fitted."""
    cells_per_side: int = 8
    """Spatial grid; the 52 of 64 cells whose centers lie within the radius are used. Chosen."""
    angle_cells: int = 6
    """Direction bins of 60 degrees. Chosen."""
    spatial_sigma_px500: float = 9.0
    """How far a neighbor is smeared: about the 0.4 mm by which extractors and skin displace minutiae. Fitted."""
    angle_concentration: float = 3.0
    """Von Mises concentration of the direction smear, about 33 degrees. Fitted."""
    saturation: float = 0.5
    """A cell value v becomes v / (saturation + v): one neighbor counts, three do not count thrice. Fitted."""
    hull_margin_px500: float = 20.0
    """Cells this far outside the hull of all minutiae are still taken as seen. Fitted."""
    hull_directions: int = 16
    """The hull is taken as the intersection of this many half planes in the minutia's own frame. Chosen."""
    code_scale: float = 160.0
    """A unit descriptor times this, rounded to integers of -63..63, so that AVX2 can add products without overflow."""


@dataclass(frozen=True, slots=True)
class PairingParameters:
    """Greedy selection and relaxation of candidate minutia pairs."""

    max_pairs: int = 32
    """Candidate pairs that are kept; two AVX-512 registers of floats. Chosen."""
    offset: float = 0.5
    """Weight of a pair before relaxation is (offset + similarity) / (offset + 1). Fitted."""
    iterations: int = 3
    """Relaxation rounds. Fitted."""
    tolerance_px500_squared: float = 100.0
    """Squared distance by which two pairs may disagree near each other. Fitted."""
    near_gain: float = 1.5
    """Agreement is near_gain * (1 - squared error / squared tolerance), cut to 0..1. Fitted."""
    tolerance_growth: float = 0.02
    """Share of the squared distance between two minutiae added to it: skin stretches. Fitted."""
    turn_full_cos: float = 0.9962
    """Two pairs whose turns differ by up to 5 degrees agree fully. Fitted."""
    turn_none_cos: float = 0.9397
    """Above 20 degrees they do not agree. Fitted."""
    min_kept: int = 4
    max_kept: int = 10
    """Number of surviving pairs that make the score, between these by the smaller minutia count. Fitted."""
    kept_center: float = 25.0
    kept_slope: float = 0.25
    """Minutia count in the middle between the two, and how fast one turns into the other. Fitted."""


@dataclass(frozen=True, slots=True)
class AlignmentParameters:
    """Rigid motion from the surviving pairs, and what the rest of both prints says about it."""

    tolerance_px500: float = 14.0
    """A minutia that lands this close to one of the other print is confirmed. Fitted."""


CYLINDER = CylinderParameters()
PAIRING = PairingParameters()
ALIGNMENT = AlignmentParameters()
