# ruff: noqa: B008, E501, UP045  (the spellings that `cog build`'s parser of this file is sure to know)
"""The Cog edge: checks the inputs, calls the engine, writes two files.

Cog builds the model's schema from this file's text, without running it. So ``Input`` is called with
keyword literals only, each description is one plain string, and the output class stands here. What the
``Input`` lines promise is checked again in ``check_inputs``, for a runtime without a schema checks nothing.
"""

import gc
import inspect
import logging
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Optional, get_args, get_type_hints

from cog import BaseModel, BasePredictor, Input, Path  # type: ignore[import-untyped]
from PIL import Image

from ssa.config import Settings
from ssa.engine import StageReport
from ssa.errors import NEED_LESS_MEMORY, InputError, OutOfMemory, WeightsError
from ssa.image import decode_image
from ssa.overlay import draw_overlay
from ssa.sa1b import dumps
from ssa.types import AnnotatedImage, RGBImage

logger = logging.getLogger("ssa.predict")

WEIGHTS = Path(__file__).resolve().parent / "weights"
MASK_INPUTS = (
    "points_per_side",
    "pred_iou_thresh",
    "stability_score_thresh",
    "crop_n_layers",
    "min_mask_region_area",
)
PROGRESS_INTERVAL_S = 2.0


class Output(BaseModel):  # type: ignore[misc]
    """The two files of one prediction: the painted picture and, unless declined, the annotations."""

    img_out: Path
    json_out: Optional[Path] = None


class Predictor(BasePredictor):  # type: ignore[misc]
    """Names every region of a picture."""

    def setup(self) -> None:
        """Load one verified bundle of weights; nothing is downloaded.

        ``SSA_BUNDLE``, ``SSA_DEVICE`` and ``SSA_DTYPE`` choose what runs where; unset or empty, the
        best bundle there is, on CUDA if there is one.
        """
        logging.basicConfig(level=logging.WARNING, format="%(message)s")
        logging.getLogger("ssa").setLevel(logging.INFO)
        # Read by huggingface_hub when it is imported, which the next import brings about.
        os.environ["HF_HUB_OFFLINE"] = "1"
        with traceback_in_server_log(), nothing_collected():
            from ssa.loading import load_engine

            bundle, device, dtype = (
                os.environ.get(name) or None for name in ("SSA_BUNDLE", "SSA_DEVICE", "SSA_DTYPE")
            )
            self._loaded = load_engine(WEIGHTS, bundle, device, dtype)
        self._folder: Optional[tempfile.TemporaryDirectory[str]] = None
        self._next_line_s = 0.0
        logger.info("bundle %s: %s", self._loaded.bundle.name, self._loaded.bundle.purpose)

    def predict(
        self,
        image: Path = Input(
            description="The picture, in any format that Pillow reads. An animation gives its first frame."
        ),
        output_json: bool = Input(
            description="Also return the annotations as JSON, one record for each mask.",
            default=True,
        ),
        points_per_side: Optional[int] = Input(
            description="Prompt points along each side of the picture. More points find smaller regions and take longer. Left out, the weights' own setting.",
            default=None,
            ge=1,
            le=128,
        ),
        pred_iou_thresh: Optional[float] = Input(
            description="Keep masks whose quality, as the model itself estimates it, is at least this. Left out, the weights' own setting.",
            default=None,
            ge=0,
            le=1,
        ),
        stability_score_thresh: Optional[float] = Input(
            description="Keep masks that change little when their cut-off is moved, with at least this stability. Left out, the weights' own setting.",
            default=None,
            ge=0,
            le=1,
        ),
        crop_n_layers: Optional[int] = Input(
            description="Layers of crops to look at besides the whole picture, each with four times as many crops as the one before. Left out, the weights' own setting.",
            default=None,
            ge=0,
            le=3,
        ),
        min_mask_region_area: Optional[int] = Input(
            description="Fill holes and remove islands smaller than this many pixels. Left out, the weights' own setting.",
            default=None,
            ge=0,
            le=100000000,
        ),
        top_k: int = Input(
            description="How many proposals the last step chooses a mask's name from.",
            default=3,
            ge=1,
            le=10,
        ),
        detail: bool = Input(
            description="Add to each record of the JSON what every stage said of the mask.",
            default=False,
        ),
    ) -> Output:
        """Find the regions of the picture and give each a name."""
        given = {name: value for name, value in locals().items() if name != "self"}
        folder = self._fresh_folder()
        try:
            with traceback_in_server_log():
                return self._annotate(check_inputs(given), folder)
        except (InputError, OutOfMemory):
            raise
        except MemoryError:
            raise OutOfMemory(f"out of memory: {NEED_LESS_MEMORY}") from None
        except Exception:
            raise RuntimeError("internal error; the server's log says more") from None

    def _annotate(self, inputs: Mapping[str, Any], folder: Path) -> Output:
        picture = decode_image(inputs["image"], self._loaded.settings.image)
        settings = settings_for(self._loaded.settings, inputs)
        annotated = self._loaded.engine.annotate(picture, settings, self._report)
        self._record(annotated)
        json_detail = inputs["detail"] if inputs["output_json"] else None
        return write_output(folder, picture, annotated, json_detail)

    def _fresh_folder(self) -> Path:
        """An empty folder for this prediction's files; the one of the prediction before is removed."""
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = tempfile.TemporaryDirectory(prefix="ssa-", ignore_cleanup_errors=True)
        return Path(self._folder.name)

    def _report(self, report: StageReport) -> None:
        """Log every finished stage and, in a long one, a line every other second."""
        now_s = time.monotonic()
        if report.done >= report.total or now_s >= self._next_line_s:
            self._next_line_s = now_s + PROGRESS_INTERVAL_S
            logger.info("%s %d/%d, %.1f s", report.stage, report.done, report.total, report.seconds)

    def _record(self, annotated: AnnotatedImage) -> None:
        """Hand the stages' seconds and the number of masks to Cog's metrics."""
        for stage, seconds in annotated.stage_seconds.items():
            self.record_metric(f"timing.{stage}", seconds)
        self.record_metric("masks", len(annotated.annotations))
        logger.info("%d masks named", len(annotated.annotations))


# Read now: before Cog's worker calls predict, it puts the bare defaults in the place of what Input gave.
INPUTS = {
    name: parameter.default
    for name, parameter in inspect.signature(Predictor.predict).parameters.items()
    if name != "self"
}


@contextmanager
def nothing_collected() -> Iterator[None]:
    """No search for garbage meanwhile: what is made in setup stays, and looking it through costs half a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def traceback_in_server_log() -> Iterator[None]:
    """Log where an unexpected exception comes from, and let it go on; Cog itself logs no traceback.

    What goes to ``sys.stderr`` may travel back to the caller with the answer. The server's own log is
    behind ``sys.__stderr__``, and a traceback, full of the server's paths, belongs there.
    """
    try:
        yield
    except (InputError, WeightsError):
        raise
    except Exception:
        traceback.print_exc(file=sys.__stderr__)
        raise


def settings_for(settings: Settings, inputs: Mapping[str, Any]) -> Settings:
    """The bundle's ``settings`` with those replaced that the caller gave."""
    given = {name: inputs[name] for name in MASK_INPUTS if inputs[name] is not None}
    return replace(
        settings,
        masks=replace(settings.masks, **given),
        labels=replace(settings.labels, top_k=inputs["top_k"]),
    )


def write_output(
    folder: Path, picture: RGBImage, annotated: AnnotatedImage, json_detail: Optional[bool]
) -> Output:
    """Write ``overlay.png`` and, unless ``json_detail`` is None, ``annotations.json`` into ``folder``."""
    img_out = folder / "overlay.png"
    Image.fromarray(draw_overlay(picture, annotated)).save(img_out)
    if json_detail is None:
        return Output(img_out=img_out)
    json_out = folder / "annotations.json"
    json_out.write_bytes(dumps(annotated, json_detail))
    return Output(img_out=img_out, json_out=json_out)


def check_inputs(given: Mapping[str, Any]) -> dict[str, Any]:
    """Every input of ``predict`` by name, checked against its annotation and its ``Input``.

    An argument that was left out stands for its default. Raises ``InputError`` for the first that is of
    another type or out of range; the text repeats no path.
    """
    hints = get_type_hints(Predictor.predict)
    checked = {}
    for name, field in INPUTS.items():
        value = field.default if given[name] is field else given[name]
        required = type(None) not in get_args(hints[name])
        kind = hints[name] if required else get_args(hints[name])[0]
        checked[name] = _check(name, value, kind, field) if required or value is not None else None
    return checked


def _check(name: str, value: Any, kind: type, field: Any) -> Any:
    """``value`` if it is of ``kind`` and within the bounds of ``field``; else an ``InputError``."""
    if kind is Path:
        if not isinstance(value, Path):
            raise InputError(
                f"{name} must be a picture, sent as a data URI or an http(s) URL; "
                f"got {_type_name(value)}"
            )
        return value
    if kind is bool:
        if not isinstance(value, bool):
            raise InputError(f"{name} must be true or false; got {_shown(value)}")
        return value
    number = _whole(value) if kind is int else _real(value)
    # NaN and the infinities fall to the comparison: it is false for them.
    if number is None or not field.ge <= number <= field.le:
        noun = "a whole number" if kind is int else "a number"
        raise InputError(
            f"{name} must be {noun} from {field.ge} to {field.le}; got {_shown(value)}"
        )
    return kind(number)


def _whole(value: Any) -> Optional[int]:
    """``value`` as an int, or None; 3.0 is whole, for JSON has one kind of number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _real(value: Any) -> Optional[float]:
    """``value`` if it is a number, or None."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _shown(value: Any) -> str:
    """A short number or a truth value as it is; of anything else the type, lest a path is repeated."""
    short = isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**12)
    return repr(value) if short else _type_name(value)


def _type_name(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
