"""What figures are called where people read them, in which order, and what each one says in a line."""

from __future__ import annotations

GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Pictures and regions",
        (
            ("pictures", "pictures", "that count"),
            ("regions.true", "true regions", ""),
            ("regions.found", "found regions", ""),
            ("regions.matched", "matched", "one to one, at an IoU of 0.5 or more"),
            ("regions.matched_share", "of the true ones", "matched"),
            ("regions.wrong", "nothing true", "found regions that a review left out"),
            ("regions.wrong_share", "of the found ones", "nothing true"),
        ),
    ),
    (
        "Masks",
        (
            ("masks.recall_50", "recall at IoU 0.5", "of 1,000 masks a picture"),
            ("masks.recall_70", "recall at IoU 0.7", "of 1,000 masks a picture"),
            ("masks.ar_10", "AR, 10 masks", "mean recall at IoU 0.5, 0.55, ... 0.95"),
            ("masks.ar_100", "AR, 100 masks", "the same"),
            ("masks.ar_1000", "AR, 1,000 masks", "the same"),
        ),
    ),
    *(
        (
            title,
            (
                (f"names.{which}.exact", "letter by letter", "the very same label"),
                (f"names.{which}.level_1", "the same name", "case, articles, plurals aside"),
                (f"names.{which}.level_2", "or a synonym", "by WordNet"),
                (f"names.{which}.level_3", "or a kind", "one is a kind of the other"),
                (f"names.{which}.level_4", "or a part", "one is a part of the other"),
                (f"names.{which}.level_auc", "area under these", "over the four levels"),
                (f"names.{which}.word_iou", "words shared", "semantic IoU"),
                (f"names.{which}.similarity", "similarity", "Wu and Palmer's"),
            ),
        )
        for title, which in (
            ("Names of matched regions", "matched"),
            ("Names of all true regions", "all"),
        )
    ),
    (
        "Names by pixels",
        (
            ("names.open_miou", "open mIoU", "with Wu and Palmer's similarity"),
            ("names.open_miou_embedding", "open mIoU", "with a sentence encoder's"),
        ),
    ),
    (
        "Confidence",
        (
            ("calibration.answers", "answers", "that say how sure they are"),
            ("calibration.ece", "calibration error", "ECE, 15 bins; less is better"),
            ("calibration.aurc", "risk by coverage", "AURC; less is better"),
        ),
    ),
    (
        "Parts and groups",
        (
            ("parts.found", "parts found", "of all true parts"),
            ("parts.named", "found and named", "the same name or a synonym"),
            ("parts.attached", "found and attached", "to the right whole"),
            ("parts.attached_of_found", "attached, of those found", ""),
            ("clusters.ari", "groups, ARI", "mean over pictures"),
            ("clusters.nmi", "groups, NMI", "mean over pictures"),
        ),
    ),
)
"""Groups of figures: title, then each figure's name, what it is called, and what it says."""


def told(value: float | int | None) -> str:
    """A figure as people read it: counts with commas, shares with three places, a dash where unknown."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def differing(one: float | int | None, other: float | int | None) -> str:
    """The second figure less the first as people read it; nothing where one is unknown."""
    if one is None or other is None:
        return ""
    return f"{other - one:+,}" if isinstance(other - one, int) else f"{other - one:+.3f}"
