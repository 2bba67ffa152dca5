"""From checked inputs to settings: inputs that name things, and those that go only together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ssa.checks import shown_text
from ssa.config import GRANULARITIES, MASK_SOURCES, PUBLISHED_RULES, LabelSettings, Settings
from ssa.errors import InputError
from ssa.inputs.table import INPUTS
from ssa.labelling.phrasing import check_phrases
from ssa.labelling.vocabulary import parse_vocabulary

MASK_INPUTS = (
    "points_per_side",
    "pred_iou_thresh",
    "stability_score_thresh",
    "crop_n_layers",
    "min_mask_region_area",
)
LABEL_INPUTS = ("unknown_below", "bank_top_k")
SELECTION_INPUTS = ("mask_nms_thresh", "max_masks", "overlaps")
CLUSTER_INPUTS = {"cluster_eps": "eps", "cluster_min_samples": "min_samples"}


def settings_for(settings: Settings, inputs: Mapping[str, Any]) -> Settings:
    """The bundle's ``settings`` with those replaced that the caller gave; inputs may be left out.

    Values are taken as checked (``checked_inputs``). Raises ``InputError`` for a granularity or a
    vocabulary that isn't one, and for inputs that mean nothing together.
    """
    inputs = {name: inputs.get(name, field.default) for name, field in INPUTS.items()}
    _check_together(inputs)
    with_masks = _with_masks(settings, inputs)
    groups = {
        field: inputs[name] for name, field in CLUSTER_INPUTS.items() if inputs[name] is not None
    }
    selection = {name: inputs[name] for name in SELECTION_INPUTS if inputs[name] is not None}
    changed = replace(
        with_masks,
        selection=replace(settings.selection, **selection),
        labels=_label_settings(settings.labels, inputs),
        clusters=replace(settings.clusters, **groups),
        mask_source=inputs["mask_source"],
        label_mode=inputs["labels"],
        name_clusters=inputs["name_clusters"],
        segmentor=inputs["segmentor"] or settings.segmentor,
        parts=inputs["parts"],
        vocabulary=None if inputs["vocabulary"] is None else parse_vocabulary(inputs["vocabulary"]),
        phrases=replace(settings.phrases, use=inputs["phrases"]),
    )
    check_phrases(changed)
    return changed


def _label_settings(labels: LabelSettings, inputs: Mapping[str, Any]) -> LabelSettings:
    rules = PUBLISHED_RULES if inputs["rules"] == "published" else labels.rules
    own = {name: inputs[name] for name in LABEL_INPUTS if inputs[name] is not None}
    return replace(labels, top_k=inputs["top_k"], rules=rules, **own)


def _with_masks(settings: Settings, inputs: Mapping[str, Any]) -> Settings:
    """The settings with the given ones of mask generation in the place where the chosen model looks."""
    given = {name: inputs[name] for name in MASK_INPUTS if inputs[name] is not None}
    if inputs["granularity"] is not None:
        given["granularities"] = parse_granularity(inputs["granularity"])
    return settings.searching(inputs["mask_source"], **given) if given else settings


def parse_granularity(text: str) -> tuple[int, ...]:
    """The levels that ``text`` names, ascending: "all", or numbers from 1 to 6 with commas between.

    Raises ``InputError`` with the first entry that is neither.
    """
    if text.strip().lower() == "all":
        return GRANULARITIES
    levels = {str(level): level for level in GRANULARITIES}
    entries = [entry.strip() for entry in text.split(",")]
    for entry in entries:
        if entry not in levels:
            raise InputError(
                f"granularity must be 'all' or levels 1 to 6, separated by commas; got {shown_text(entry)}"
            )
    return tuple(sorted({levels[entry] for entry in entries}))


def _check_together(inputs: Mapping[str, Any]) -> None:
    """Refuse what would be silently without effect."""
    if inputs["granularity"] is not None and not MASK_SOURCES[inputs["mask_source"]].finds_parts:
        raise InputError(
            "granularity belongs to mask_source 'semantic-sam'; got it with mask_source "
            f"'{inputs['mask_source']}'; leave it out, or change mask_source"
        )
    for name in (*MASK_INPUTS, "unknown_below"):
        if inputs[name] is not None and MASK_SOURCES[inputs["mask_source"]].by_phrases:
            raise InputError(
                f"{name} says nothing to mask_source 'phrases'; got it with that; leave it out, or change "
                "mask_source"
            )
    for name, mode in (
        *((name, "clusters") for name in ("name_clusters", *CLUSTER_INPUTS)),
        ("segmentor", "closed-set"),
    ):
        if inputs[name] and inputs["labels"] != mode:
            raise InputError(
                f"{name} belongs to labels '{mode}'; got it with labels '{inputs['labels']}'; "
                "leave it out, or change labels"
            )
    _check_vocabulary(inputs)
    _check_names(inputs)


def _check_names(inputs: Mapping[str, Any]) -> None:
    """Refuse what is said of names where there are none, or none of any kind."""
    labels = inputs["labels"]
    named = labels == "open-vocabulary" or (labels == "clusters" and inputs["name_clusters"])
    where = "labels 'open-vocabulary', or 'clusters' with name_clusters"
    if inputs["bank_top_k"] and (not named or inputs["vocabulary"] is not None):
        got = f"labels '{labels}'" if inputs["vocabulary"] is None else "a vocabulary"
        raise InputError(
            f"bank_top_k belongs to {where}, without a vocabulary; got it with {got}; leave it out"
        )
    if inputs["rules"] != "published":
        return
    if not named:
        raise InputError(
            f"rules 'published' belong to {where}; got them with labels '{labels}'; leave them out"
        )
    if inputs["bank_top_k"]:
        raise InputError(
            "rules 'published' know no label bank; got bank_top_k; leave one of them out"
        )


def _check_vocabulary(inputs: Mapping[str, Any]) -> None:
    if inputs["vocabulary"] is None:
        if inputs["unknown_below"] is not None:
            raise InputError(
                "unknown_below belongs to a vocabulary; got it without; leave it out, or give a vocabulary"
            )
    elif not (inputs["labels"] == "open-vocabulary" or inputs["name_clusters"]):
        raise InputError(
            "vocabulary belongs to labels 'open-vocabulary', or 'clusters' with name_clusters; "
            f"got it with labels '{inputs['labels']}'; leave it out, or change labels"
        )
