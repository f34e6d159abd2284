"""Every constant of the fingerprint comparator, with its meaning, its unit and the data it was fitted on.

Data named here: FVC2002 DB1_B, DB3_B and FVC2004 DB2_B, DB3_B, ten fingers with eight impressions each, minutiae
of two extractors, rectified to 500 dpi. A constant marked "fitted" was chosen by leave-one-database-out error on
them (`python -m bench.calibration.train_projection --sweep`); a constant marked "chosen" follows from geometry or cost.
"""

from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CylinderParameters:
    """Shape of the local descriptor: what one minutia sees of its neighbors, in its own frame."""

    radius_px500: float = 70.0
    """Neighbors further away do not count (3.6 mm). Fitted."""
    reach_px500: float = 100.0
    """Neighbors further away along or across add less than 1 in 3 000 to any cell and are skipped. Chosen."""
    min_neighbors: int = 1
    """A minutia with fewer neighbors in reach has an empty descriptor; 2 loses half a point of FNMR. Fitted."""
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

    max_pairs: int = 24
    """Candidate pairs that are kept; 20 to 32 measure the same. Fitted."""
    floor: float = 0.15
    """Pairs that are less similar than this are not candidates. Fitted."""
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
    """Laying one print on the other, and what all minutiae say about it."""

    gate: float = 0.085
    """Consistency below which alignment is not tried: about eight in ten impostors end here. Fitted."""
    tolerances_px500: tuple[float, float] = (24.0, 10.0)
    """Distance within which minutiae are matched to refine the fit, and for the final count. Fitted."""
    direction_cos: float = 0.866
    """Matched minutiae point the same way within 30 degrees. Fitted."""
    affine_ridge: float = 2.0e4
    """Stretch and shear are fitted against this prior (px squared times pairs); rigid alone loses prints. Fitted."""
    fit_floor: float = 0.2
    """Weight of a matched pair in the fit is this plus its similarity. Chosen."""
    min_matched: int = 3
    """Fewer matched minutiae leave the fit as it is. Chosen."""
    hull_directions: int = 16
    """The area both prints share is bounded by this many half planes. Chosen."""


@dataclass(frozen=True, slots=True)
class ScoreParameters:
    """Logistic regression of the evidence: the score is the decimal logarithm of a likelihood ratio.

    Fitted on all pairs of the four sets and both extractors by `python -m bench.calibration.train_projection`, with
    descriptors that were trained without the set that is scored.
    """

    intercept: float = 4.9871
    log_consistency: float = 3.2867
    log_together: float = 1.1949
    share_together: float = 6.7865
    log_shared: float = 0.0719
    log_matched: float = 0.0955
    share_matched: float = 1.2665
    mean_similarity: float = -4.6590
    most_per_minutia: float = 0.9
    free_minutiae: float = 2.5
    """A score is at most this much for every matched minutia beyond the free ones, whatever the regression says: two
    prints of three minutiae that fit exactly prove nothing. Three matched minutiae cannot reach the threshold of FMR
    1e-3, nor four that of 1e-4. It costs 0.2 points of FNMR at FMR 1e-3 on the development sets. Chosen."""
    lowest: float = -4.0
    """Score of aligned prints is at least this; prints that were not aligned lie below, in the order of consistency."""


@dataclass(frozen=True, slots=True)
class CascadeParameters:
    """First look of the NumPy backend at a large gallery."""

    dimensions: int = 64
    """Leading code dimensions that are used. Fitted."""
    floor: float = 0.3
    """Similarity from which a minutia counts. Fitted."""
    smallest: int = 12
    """Templates with fewer minutiae are not credited for being small. Chosen."""
    share: float = 0.015
    """Part of the gallery that gets the full comparison. Chosen: docs/fingerprint-matching.md gives what it loses."""
    at_least: int = 100
    """Full comparisons in any case. Chosen."""


@dataclass(frozen=True, slots=True)
class ProtectedParameters:
    """Keyed codes of descriptors for stores without templates."""

    bits: int = 256
    """Bits per minutia; 128 measure up to half a point of EER worse, 512 the same. Fitted."""
    lowest: float = -1.0
    """Score where one side has no code. Chosen below every other score."""


@dataclass(frozen=True, slots=True)
class EnrollmentParameters:
    """Quality gate of touches."""

    min_minutiae: int = 12
    """Fewer cannot be told from chance at useful rates: 5 of 640 development prints have fewer. Chosen."""
    min_spread_px500: float = 18.0
    """Least standard deviation across the narrower direction (0.9 mm): a smaller patch is a partial touch. Chosen."""
    consistency_fmr: float = 1e-2
    """A touch must match another one at this rate; wrong fingers are caught 99 times in 100. Chosen."""
    same_touch_px500: float = 1.5
    same_touch_rad: float = 0.06
    """Touches whose minutiae all lie this near to each other, around their middle, are copies: conversions round to
    whole pixels, and angles to 2 degrees (ANSI 378). No two of 8 touches of 80 real fingers are (development sets)."""
    duplicate_fmr: float = 1e-4
    """Rate at which a finger counts as one that is enrolled already. Chosen."""


ENROLLMENT = EnrollmentParameters()
PROTECTED = ProtectedParameters()
CASCADE = CascadeParameters()
CYLINDER = CylinderParameters()
PAIRING = PairingParameters()
SCORE = ScoreParameters()
ALIGNMENT = AlignmentParameters()
