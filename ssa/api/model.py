"""A loaded model: pictures and inputs by name in, results out."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssa.api.many import AnyPicture, annotated, pixels
from ssa.api.result import Result
from ssa.config import Settings
from ssa.errors import WeightsError
from ssa.inputs import OPTIONS, checked_inputs, settings_for
from ssa.progress import Report, keep_silent
from ssa.types import AnnotatedImage, RGBImage
from ssa.weights import Bundle, default_root
from ssa.weights.places import download_command, told

if TYPE_CHECKING:
    from ssa.loading import LoadedEngine

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """Which weights speak: their name, what they are good for, and what to do if that isn't enough.

    ``remedy`` is the command that brings weights for photographs, None where these are such. As a text it is
    one line to show beside answers.
    """

    name: str
    purpose: str
    remedy: str | None
    spoken: str

    @classmethod
    def of(cls, bundle: Bundle) -> BundleInfo:
        """What there is to say of a bundle: the one that ships with the code is the miniature."""
        remedy = download_command("light") if bundle.spec.shipped else None
        return cls(bundle.name, bundle.purpose, remedy, bundle.spoken)

    def __str__(self) -> str:
        return self.spoken


def load(
    bundle: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    *,
    segmentor: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
) -> Model:
    """Load a bundle of weights; nothing is downloaded.

    ``bundle`` is "base", "tiny" or another's name, else the best there is; ``device`` "cpu", "cuda" or
    "cuda:1", else CUDA where there is one; ``dtype`` "float32", "float16" or "bfloat16". What is left out,
    ``SSA_BUNDLE``, ``SSA_DEVICE`` and ``SSA_DTYPE`` may say. ``segmentor`` is the folder of
    one more segmentor for closed-set labels, ``weights`` the folder of bundles. The log of "ssa" says which
    bundle speaks. Raises ``WeightsError`` with the command that brings what is missing, ``ValueError`` for a
    device or dtype that there isn't.
    """
    from ssa.loading import load_engine

    bundle, device, dtype = (
        told(variable, given)
        for variable, given in (
            ("SSA_BUNDLE", bundle),
            ("SSA_DEVICE", device),
            ("SSA_DTYPE", dtype),
        )
    )
    root = default_root() if weights is None else Path(weights)
    if weights is not None and not root.is_dir():
        raise WeightsError(f"weights: expected a folder of bundles; got {root}, which is none")
    added = None if segmentor is None else Path(segmentor)
    model = Model(load_engine(root, bundle, device, dtype, added))
    logger.log(logging.WARNING if model.bundle.remedy else logging.INFO, "%s", model.bundle)
    return model


@dataclass(frozen=True, slots=True)
class Shown:
    """The inputs that say what is shown of a result, unless told otherwise when it is asked for."""

    detail: bool
    legend: bool
    doubtful_below: float | None

    @classmethod
    def of(cls, checked: Mapping[str, Any]) -> Shown:
        """Those among all inputs."""
        return cls(checked["detail"], checked["legend"], checked["doubtful_below"])

    def result(self, image: RGBImage, found: AnnotatedImage) -> Result:
        """What was found in a picture, to be shown so."""
        return Result(image, found, self.detail, self.legend, self.doubtful_below)


class Model:
    """Names every region of pictures; from ``ssa.load``. Holds weights and nothing of the pictures."""

    def __init__(self, loaded: LoadedEngine) -> None:
        self._loaded = loaded
        self.bundle = BundleInfo.of(loaded.bundle)

    def __repr__(self) -> str:
        """Which weights, and where they run."""
        return f"<ssa.Model {self.bundle.name} on {self._loaded.placement.device}>"

    def annotate(
        self, picture: AnyPicture, *, progress: Report | None = None, **inputs: Any
    ) -> Result:
        """Find the regions of one picture and name each.

        ``picture`` is the path of a file, a Pillow image or an (H, W, 3) RGB uint8 array. ``inputs`` are
        those of ``ssa.inputs.OPTIONS``, the server's by the same names; ``vocabulary`` may be a list of its
        lines. ``progress`` is called after every batch with a ``StageReport``. Raises ``TypeError`` for a
        name that is none of them, ``InputError`` for a value out of range or a picture that is none, and
        ``OutOfMemory``.
        """
        settings, shown = self._checked(inputs)
        image = pixels(picture, settings)
        found = self._loaded.engine.annotate(image, settings, progress or keep_silent)
        return shown.result(image, found)

    def annotate_all(
        self, pictures: Iterable[AnyPicture], *, progress: Report | None = None, **inputs: Any
    ) -> Iterator[Result]:
        """Annotate many pictures, a few at a time; results come in order, each as if it were alone.

        Inputs are checked at once. What is wrong with a picture is raised when its turn has come, after
        the results of those before it. Some pictures are read ahead, and annotated in threads of their own
        while you work on a result; ``progress`` is called there.
        """
        settings, shown = self._checked(inputs)
        engine, kind = self._loaded.engine, self._loaded.placement.device.type
        found = annotated(engine, pictures, settings, progress or keep_silent, kind)
        return (shown.result(*pair) for pair in found)

    def _checked(self, inputs: dict[str, Any]) -> tuple[Settings, Shown]:
        checked = checked_inputs(_with_text(inputs), OPTIONS)
        settings = settings_for(self._loaded.settings, checked)
        self._loaded.engine.check(settings)
        return settings, Shown.of(checked)


def _with_text(inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs with a vocabulary that is a list of lines as one text."""
    lines = inputs.get("vocabulary")
    if isinstance(lines, list | tuple) and all(isinstance(line, str) for line in lines):
        return {**inputs, "vocabulary": "\n".join(lines)}
    return inputs
