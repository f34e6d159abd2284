"""`report.html` of a protection run."""

from collections.abc import Mapping
from typing import Any

from bioguard.report import Check, Fact, Report, Section, Status, Table

WEAK = 0.1
"""D_sys of two normal distributions 0.4 standard deviations apart: a hint about many, useless about one."""


def protection_report(data: Mapping[str, Any], *, created: str) -> Report:
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
        summary=f"D_sys {found['d_sys']:.4f}; chance gives {found['floor_mean']:.4f} on average and "
        f"{found['floor_95']:.4f} or less in 95 of 100 cases",
        limits="one in twenty such checks is above chance by chance; with both secrets stolen codes can be linked"
        + ("; the length of a fingerprint code tells the number of minutiae" if "fingerprint" in title else ""),
        reference="ISO/IEC 24745; Gomez-Barrero et al., IEEE TIFS 13(6), 2018",
    )


def _linkage_status(found: Mapping[str, Any]) -> Status:
    """Above chance is at least a warning; more than WEAK above the mean floor is a failure."""
    if not found["linkable"]:
        return Status.PASS
    return Status.WARN if found["d_sys"] - found["floor_mean"] <= WEAK else Status.FAIL


def _irreversibility(found: Mapping[str, Any]) -> Check:
    unknown = found["sign 1024, secret unknown"]
    error = unknown["cosine_standard_error"]
    nothing = abs(unknown["cosine_mean"]) <= 4 * error
    return Check(
        id="BENCH-IRR-001",
        title="without the secret the linear attack reconstructs nothing",
        status=Status.PASS if nothing else Status.FAIL,
        summary=f"cosine to the enrolled photograph {unknown['cosine_mean']:.4f}, standard error {error:.4f}; "
        f"with the secret {found['sign 1024, secret stolen']['cosine_mean']:.3f}",
        limits="with the secret stolen the codes are invertible copies",
        reference="ISO/IEC 30136",
    )


def _links(data: Mapping[str, Any]) -> Table:
    rows = [("face", name, r) for name, r in data["face_linkage"].items()]
    rows += [("face", "renewal, the same photograph", data["face_renewal"])]
    rows += [("fingerprint", name, r) for name, r in data["fingerprint"].items() if "d_sys" in r]
    return Table(
        title="D_sys: 0 unlinkable, 1 fully linkable",
        columns=("trait", "compared", "D_sys", "floor, mean", "floor, 95 %", "linkable"),
        rows=tuple(
            (
                trait,
                name,
                f"{r['d_sys']:.4f}",
                f"{r['floor_mean']:.4f}",
                f"{r['floor_95']:.4f}",
                "yes" if r["linkable"] else "no",
            )
            for trait, name, r in rows
        ),
        numeric=frozenset({2, 3, 4}),
        note="The estimator is biased upward: the floor is what it gives for shuffled labels of the same number.",
    )


def _attacks(found: Mapping[str, Any]) -> Table:
    columns = next(iter(found.values()))
    rates = [key for key in columns if key.startswith("accepted at ")]
    return Table(
        title="Reconstructed faces: accepted as another photograph of the victim",
        columns=("code", "cosine to the enrolled", *(r.replace("accepted at", "at FMR") for r in rates)),
        rows=tuple(
            (name, f"{r['cosine_mean']:.3f}", *(_beside(r[rate]["attack"], r[rate]["genuine"]) for rate in rates))
            for name, r in found.items()
        ),
        numeric=frozenset(range(1, 2 + len(rates))),
    )


def _beside(attack: float, genuine: float) -> str:
    return f"{100 * attack:.1f} % (genuine {100 * genuine:.1f} %)"


def _losses(data: Mapping[str, Any]) -> list[Table]:
    return [
        Table(
            title=f"Genuine pairs lost to coding, percentage points, {half} half",
            columns=("code and FMR", "loss, mean over epochs", "95 % over people, first epoch"),
            rows=tuple(
                (name, f"{r['mean']:.3f}", " to ".join(f"{v:.3f}" for v in r["interval_95_first_epoch"]))
                for name, r in data[f"face_accuracy_secret_stolen_{half}"].items()
                if isinstance(r, dict)
            ),
            numeric=frozenset({1, 2}),
        )
        for half in ("development", "test")
    ]


def _finger_rates(finger: Mapping[str, Any]) -> Table:
    return Table(
        title="Protected fingerprint codes",
        columns=("key", "EER", "FNMR at FMR 1 %", "genuine", "impostor"),
        rows=tuple(
            (name, f"{100 * r['eer']:.2f} %", _rate(r["fnmr_at_fmr_1e-2"]), str(r["genuine"]), str(r["impostor"]))
            for name, r in finger.items()
            if "eer" in r
        ),
        numeric=frozenset(range(1, 5)),
    )


def _rate(value: float | str) -> str:
    return value if isinstance(value, str) else f"{100 * value:.2f} %"
