"""From the folders of a bundle's roles to its stages: each role has its table of families.

A bundle may lack what ``Stages`` can do without; the others are loaded side by side.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from ssa.config import MASK_SOURCES, LabelSettings
from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.labelling.labels import load_labels
from ssa.models.shared.families import model_type
from ssa.models.spacy_nouns import SpacyNounExtractor
from ssa.models.tables.captioners import CAPTIONERS
from ssa.models.tables.choosers import CHOOSERS
from ssa.models.tables.mask_models import mask_models
from ssa.models.tables.phrase_models import PHRASE_MODELS
from ssa.models.tables.rankers import RANKERS
from ssa.models.tables.segmentors import load_segmentor
from ssa.stages import Captioner, ImageEmbedder, MaskProposer, NounExtractor, Stages

logger = logging.getLogger(__name__)

VOTERS = ("coco", "ade20k")

ASIDE = {
    **{source.role: (None, "sam", "semantic_sam") for source in MASK_SOURCES.values()},
    "clip": (None,),
    "nouns": (None,),
}
"""Families that are loaded without transformers, by role; published layouts name none."""


def load_models(folders: Mapping[str, Path], labels: LabelSettings, placement: Placement) -> Stages:
    """Every model there is a folder for, by role.

    Raises ``WeightsError`` for one that can't be loaded, of several the first in the order of ``Stages``,
    and where one is lacking that nothing stands in for.
    """
    with _SideBySide(folders) as loads:
        proposers = {
            name: loads.begin(source.role, load_proposer, placement)
            for name, source in MASK_SOURCES.items()
            if not source.by_phrases
        }
        segmentors = {
            source: loads.begin(
                f"{source}_segmentor", load_segmentor, placement, source, load_labels(source)
            )
            for source in VOTERS
        }
        captioner = loads.begin("captions", load_captioner, placement, labels.caption_max_tokens)
        nouns = loads.begin("nouns", SpacyNounExtractor.load)
        ranker = loads.begin("clip", _of(RANKERS.loader), placement, labels)
        is_both = _is_same(folders, "clip", "clipseg")
        chooser = (
            ranker if is_both else loads.begin("clipseg", _of(CHOOSERS.loader), placement, labels)
        )
        phrases = loads.begin("phrases", _of(PHRASE_MODELS.loader), placement)
    found, closed_set = _loaded(proposers), _loaded(segmentors)
    return Stages(
        proposers=found,
        segmentors=tuple(closed_set.values()),
        captioner=_result(captioner),
        nouns=_reader(folders.get("captions"), _result(nouns)),
        ranker=_needed("clip", ranker).result(),
        chooser=_result(chooser),
        embedder=_embedder(found.values()),
        closed_set=closed_set,
        phrases=_result(phrases),
    )


def load_proposer(folder: Path, placement: Placement) -> MaskProposer:
    """The mask model in ``folder``, of whatever family its config names.

    Published checkpoints have no config: they are of the family that their role is called after.

    Raises ``WeightsError`` for a family that there is no adapter for.
    """
    return mask_models(folder.name).loader(folder)(folder, placement)


def load_captioner(folder: Path, placement: Placement, max_tokens: int) -> Captioner:
    """The captioner in ``folder``, of whatever family its config names.

    Raises ``WeightsError`` for a family that there is no adapter for.
    """
    return CAPTIONERS.loader(folder).load(folder, placement, max_tokens)


def _reader(captions: Path | None, sentences: NounExtractor | None) -> NounExtractor | None:
    """What finds the nouns in the captions of a folder's model.

    What is lost without the role nouns is told in the log.
    """
    if captions is None:
        return sentences
    family = CAPTIONERS.loader(captions)
    if sentences is None and family.unread:
        logger.warning("captions: without the role nouns %s", family.unread)
    return family.reader(sentences)


class _SideBySide:
    """Loads models at the same time, but those of transformers one after the other.

    While it works, transformers swaps functions of torch and its own for others, so two loads at a time could
    leave the wrong ones behind.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._aside, self._in_turn = ThreadPoolExecutor(), ThreadPoolExecutor(1)

    def __enter__(self) -> _SideBySide:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Wait for all that has begun."""
        self._in_turn.shutdown()
        self._aside.shutdown()

    def begin(self, role: str, load: Callable[..., Any], *how: Any) -> Future[Any] | None:
        """Begin to load what is in a role's folder; None where there is none."""
        folder = self._folders.get(role)
        if folder is None:
            return None
        is_apart = model_type(folder) in ASIDE.get(role, ())
        pool = self._aside if is_apart else self._in_turn
        return pool.submit(load, folder, *how)


def _is_same(folders: Mapping[str, Path], *roles: str) -> bool:
    """Whether roles hold the same weights, as links or as one folder: then one model has both."""
    files = [folders[role] / "model.safetensors" for role in roles if role in folders]
    there = len(files) == len(roles) and all(one.is_file() for one in files)
    return there and all(one.samefile(files[0]) for one in files)


def _of(loader: Callable[[Path], Callable[..., Any]]) -> Callable[..., Any]:
    """Loads a folder by what its table has for it."""
    return lambda folder, *how: loader(folder)(folder, *how)


def _result(load: Future[Any] | None) -> Any:
    return None if load is None else load.result()


def _loaded(loads: Mapping[str, Future[Any] | None]) -> dict[str, Any]:
    return {name: one.result() for name, one in loads.items() if one is not None}


def _needed(role: str, load: Future[Any] | None) -> Future[Any]:
    if load is None:
        raise WeightsError(f"expected weights of {role}, for which nothing stands in; got none")
    return load


def _embedder(proposers: Iterable[MaskProposer]) -> ImageEmbedder | None:
    """The first that can also say what the cells of a picture look like."""
    return next((one for one in proposers if isinstance(one, ImageEmbedder)), None)
