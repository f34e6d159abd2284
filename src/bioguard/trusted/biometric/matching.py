"""Decisions: features and a target rate in, yes or no out. Scores and thresholds stay in here.

A claim is compared with several views, and the best one counts; so each single comparison is held to the target rate
divided by the number of comparisons (Bonferroni: conservative, views of one finger are not independent).
"""

from collections.abc import Sequence

import numpy as np

from bioguard.commands.biometric import Modality, Status
from bioguard.match import FaceGallery, FingerprintGallery
from bioguard.match.faces_thresholds import threshold_for_fmr as face_threshold
from bioguard.match.fingerprint.thresholds import threshold_for_fmr as finger_threshold
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.trusted.biometric.vault import Refused

__all__ = ["accepts", "check_samples", "same_person", "threshold_for_search", "verify"]
