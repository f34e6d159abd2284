"""`report.html` of a protection run."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.dataset import UNDESCRIBED, Dataset
from bench.inputs import inputs_table
from bench.wording import NOT_MEASURABLE, percent
from bioguard.report import Check, Fact, Report, Section, Status, Table

WEAK = 0.1
"""D_sys of two normal distributions 0.4 standard deviations apart: a hint about many, useless about one. Where chance
alone gives more, what was looked for could not have been seen: nothing passes."""


def protection_report(data: Mapping[str, Any], dataset: Dataset = UNDESCRIBED, *, created: str) -> Report:
    """The page of what `protection.json` holds; created: ISO 8601 UTC."""
    links, finger = data["face_linkage"], data["fingerprint"]
    across, renewed = finger["linkage across epochs"], finger["renewal, the same print in two epochs"]
    checks = (
        _linkage_check("BENCH-UNL-001", "face codes of two epochs do not tell who is who", links["sign"]),
        _linkage_check("BENCH-UNL-002", "face scalar codes of two epochs do not tell who is who", links["scalar"]),
        _linkage_check("BENCH-REN-001", "old and new face code of one photograph look unrelated", data["face_renewal"]),
        _linkage_check("BENCH-UNL-003", "fingerprint codes of two epochs do not tell who is who", across),
        _linkage_check("BENCH-REN-002", "old and new fingerprint code of one print look unrelated", renewed),
        _irreversibility(data["face_reconstruction"]),
    )
    return Report(
        kind="bench",
        title="Protection",
        headline="What protected codes cost, leak and link: without the secret (the checks), and with the secret "
        "stolen, when they are invertible copies (the tables).",
        tool=f"bioguard bench {data['environment']['bioguard']}",
        created=created,
        facts=(
            *dataset.facts(),
            *([Fact("SHA-256 of all inputs", data["inputs"]["sha256"])] if data["inputs"]["files"] else []),
            Fact("faces", data["data"]["faces"]),
            Fact("fingerprints", data["data"]["fingerprints"]),
            Fact("seed", str(data["seed"])),
            *(Fact(name, str(value)) for name, value in data["environment"].items()),
        ),
        checks=checks,
        sections=(
            Section(title="Unlinkability and renewability", tables=(_links(data),)),
            Section(title="Reconstruction", tables=(_attacks(data["face_reconstruction"]),)),
            Section(title="Accuracy with the secret stolen", tables=(*_losses(data), _finger_rates(finger))),
            *([Section(title="Inputs", tables=(inputs_table(data["inputs"]),))] if data["inputs"]["files"] else []),
        ),
        residual=(
            "Attacks are linear estimators; a better attacker reconstructs at least as well. Fingerprint codes are "
            "attacked by linkage only: reconstruction of descriptors from a stolen key is not measured.",
        ),
    )


def _linkage_check(identity: str, title: str, found: Mapping[str, Any]) -> Check:
    return Check(
        id=identity,
        title=title,
        status=_linkage_status(found),
        summary=f"D_sys {found['d_sys']:.3f}; chance gives {found['floor_mean']:.3f} on average and "
        f"{found['floor_95']:.3f} or less in 95 of 100 cases"
        + (f"; too few people ({found['people']:,}): less than {found['floor_95']:.2f} would not show" * _blind(found)),
        fix=f"measure more people: chance has to give {WEAK} or less",
        limits="one in twenty such checks is above chance by chance; with both secrets stolen codes can be linked"
        + ("; the length of a fingerprint code tells the number of minutiae" if "fingerprint" in title else ""),
        reference="ISO/IEC 24745; Gomez-Barrero et al., IEEE TIFS 13(6), 2018",
    )


def _linkage_status(found: Mapping[str, Any]) -> Status:
    """Above chance is at least a warning, more than WEAK above the mean floor a failure."""
    if not found["linkable"]:
        return Status.UNKNOWN if _blind(found) else Status.PASS
    return Status.WARN if found["d_sys"] - found["floor_mean"] <= WEAK else Status.FAIL


def _blind(found: Mapping[str, Any]) -> bool:
    """Whether nothing was found, and chance alone gives more than what is looked for."""
    return bool(not found["linkable"] and found["floor_95"] > WEAK)


def _irreversibility(found: Mapping[str, Any]) -> Check:
    unknown = found["sign 1024, secret unknown"]
    error = unknown["cosine_standard_error"]
    nothing = abs(unknown["cosine_mean"]) <= 4 * error
    blind = 4 * error > WEAK
    return Check(
        id="BENCH-IRR-001",
        title="without the secret the linear attack reconstructs nothing",
        status=Status.FAIL if not nothing else Status.UNKNOWN if blind else Status.PASS,
        summary=f"cosine to the enrolled photograph {unknown['cosine_mean']:.4f}, standard error {error:.4f}; "
        f"with the secret {found['sign 1024, secret stolen']['cosine_mean']:.3f}"
        + (f"; too few victims ({unknown['victims']:,}): less than {4 * error:.2f} would not show" * blind),
        fix="measure more people",
        limits="with the secret stolen the codes are invertible copies",
        reference="ISO/IEC 30136",
    )


def _links(data: Mapping[str, Any]) -> Table:
    rows = [("face", name, r) for name, r in data["face_linkage"].items()]
    rows += [("face", "renewal, the same photograph", data["face_renewal"])]
    rows += [("fingerprint", name, r) for name, r in data["fingerprint"].items() if "d_sys" in r]
    return Table(
        title="D_sys: 0 unlinkable, 1 fully linkable",
        columns=("compared", "D_sys", "floor, 95 %", "linkable", "floor, mean", "people"),
        rows=tuple(
            (
                f"{trait}, {name}",
                f"{r['d_sys']:.3f}",
                f"{r['floor_95']:.3f}",
                "yes" if r["linkable"] else "too few people" if _blind(r) else "no",
                f"{r['floor_mean']:.3f}",
                f"{r['people']:,}",
            )
            for trait, name, r in rows
        ),
        numeric=frozenset({1, 2, 4, 5}),
        note="The estimator is biased upward: the floor is what it gives for shuffled labels of the same number.",
    )


def _attacks(found: Mapping[str, Any]) -> Table:
    columns = next(iter(found.values()))
    rates = [key for key, value in columns.items() if key.startswith("accepted at ") and value != NOT_MEASURABLE]
    missing = [_rate_of(key) for key, value in columns.items() if value == NOT_MEASURABLE]
    return Table(
        title="Reconstructed faces: accepted as another photograph of the victim",
        columns=("code", *(f"at FMR {_rate_of(r)}" for r in rates), "cosine to the enrolled", "victims"),
        rows=tuple(
            (
                name,
                *(_beside(r[rate]["attack"], r[rate]["genuine"], r["victims"]) for rate in rates),
                f"{r['cosine_mean']:.3f}",
                f"{r['victims']:,}",
            )
            for name, r in found.items()
        ),
        numeric=frozenset(range(1, 3 + len(rates))),
        note=_too_few(missing),
    )


def _rate_of(key: str) -> str:
    """The false match rate a figure is for, by its name."""
    return key.rpartition(" ")[2]


def _too_few(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    return f"Not measurable: FMR {', '.join(missing)}, for which there are fewer than 3/FMR impostor pairs."


def _beside(attack: float, genuine: float, victims: int) -> str:
    return f"{percent(attack, victims)} (genuine {percent(genuine, victims)})"


def _losses(data: Mapping[str, Any]) -> list[Table]:
    return [_loss(half, data[f"face_accuracy_secret_stolen_{half}"]) for half in ("development", "test")]


def _loss(half: str, found: Mapping[str, Any]) -> Table:
    return Table(
        title=f"Genuine pairs lost to coding, percentage points, {half} half",
        columns=("code and FMR", "loss, mean over epochs", "95 % over people, first epoch"),
        rows=tuple(
            (name, f"{r['mean']:.3f}", " to ".join(f"{v:.3f}" for v in r["interval_95_first_epoch"]))
            for name, r in found.items()
            if isinstance(r, dict)
        ),
        numeric=frozenset({1, 2}),
        note=_too_few(list(dict.fromkeys(_rate_of(name) for name, r in found.items() if r == NOT_MEASURABLE))),
    )


def _finger_rates(finger: Mapping[str, Any]) -> Table:
    return Table(
        title="Protected fingerprint codes",
        columns=("key", "EER", "FNMR at FMR 1 %", "genuine", "impostor"),
        rows=tuple(
            (
                name,
                percent(r["eer"], min(r["genuine"], r["impostor"])),
                percent(r["fnmr_at_fmr_1e-2"], r["genuine"]),
                f"{r['genuine']:,}",
                f"{r['impostor']:,}",
            )
            for name, r in finger.items()
            if "eer" in r
        ),
        numeric=frozenset(range(1, 5)),
    )
