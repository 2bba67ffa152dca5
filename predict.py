# ruff: noqa: B008, E501, UP045  (the spellings that `cog build`'s parser of this file is sure to know)
"""The Cog edge: checks the inputs, calls the engine, writes its files.

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
from typing import Any, Optional, get_args, get_type_hints

from cog import BaseModel, BasePredictor, Input, Path  # type: ignore[import-untyped]
from PIL import Image

from ssa.checks import checked_bool, checked_number, checked_text, type_name
from ssa.drawing.overlay import draw_overlay
from ssa.errors import NEED_LESS_MEMORY, InputError, OutOfMemory, WeightsError
from ssa.formats import label_map as label_map_files
from ssa.formats.sa1b import dumps
from ssa.inputs import settings_for
from ssa.pictures.decoding import decode_image
from ssa.progress import StageReport
from ssa.types import AnnotatedImage, RGBImage

logger = logging.getLogger("ssa.predict")

WEIGHTS = Path(__file__).resolve().parent / "weights"
PROGRESS_INTERVAL_S = 2.0


class Output(BaseModel):  # type: ignore[misc]
    """The files of one prediction: the painted picture and, unless declined, the annotations.

    With closed-set labels also the label map and, unless declined, its classes.
    """

    img_out: Path
    json_out: Optional[Path] = None
    label_map_out: Optional[Path] = None
    classes_out: Optional[Path] = None


class Predictor(BasePredictor):  # type: ignore[misc]
    """Names every region of a picture."""

    def setup(self) -> None:
        """Load one verified bundle of weights; nothing is downloaded.

        ``SSA_BUNDLE``, ``SSA_DEVICE`` and ``SSA_DTYPE`` choose what runs where; unset or empty, the
        best bundle there is, on CUDA if there is one. ``SSA_SEGMENTOR`` is the folder of one more
        segmentor for closed-set labels.
        """
        logging.basicConfig(level=logging.WARNING, format="%(message)s")
        logging.getLogger("ssa").setLevel(logging.INFO)
        # Read by huggingface_hub when it is imported, which the next import brings about.
        os.environ["HF_HUB_OFFLINE"] = "1"
        with traceback_in_server_log(), nothing_collected():
            from ssa.loading import load_engine

            names = ("SSA_BUNDLE", "SSA_DEVICE", "SSA_DTYPE", "SSA_SEGMENTOR")
            bundle, device, dtype, segmentor = (os.environ.get(name) or None for name in names)
            added = Path(segmentor) if segmentor else None
            self._loaded = load_engine(WEIGHTS, bundle, device, dtype, added)
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
        mask_source: str = Input(
            description="The model that finds the masks: sam, or semantic-sam, which finds wholes and their parts at six granularities.",
            default="sam",
            choices=["sam", "semantic-sam"],
        ),
        granularity: Optional[str] = Input(
            description="Which of semantic-sam's levels to ask, from 1 for wholes to 6 for parts: all, or numbers such as 1,3,5. Left out, all.",
            default=None,
            max_length=32,
        ),
        labels: str = Input(
            description="What the labels are: open-vocabulary for names of any kind, closed-set for the classes of one segmentor, clusters for groups of masks that look alike, none for masks alone.",
            default="open-vocabulary",
            choices=["open-vocabulary", "closed-set", "clusters", "none"],
        ),
        vocabulary: Optional[str] = Input(
            description="Your own classes, one a line: label, or label: synonym, synonym. Each mask gets one of them or unknown. Left out, names of any kind.",
            default=None,
            max_length=50000,
        ),
        unknown_below: Optional[float] = Input(
            description="With a vocabulary only: a mask that is one of its classes with less than this share of likelihood is unknown; 0 names every mask. Left out, the weights' own setting.",
            default=None,
            ge=0,
            le=1,
        ),
        parts: Optional[bool] = Input(
            description="Order the masks into wholes and parts, and name a part in the light of its whole (with a vocabulary, the order alone). Left out, yes with semantic-sam and no with sam.",
            default=None,
        ),
        segmentor: Optional[str] = Input(
            description="Closed-set labels only: coco, ade20k, or the name of the segmentor that the server was given. Left out, the last of these that is there.",
            default=None,
            max_length=100,
        ),
        name_clusters: bool = Input(
            description="Clusters only: give each cluster a name, chosen by a few of its members.",
            default=False,
        ),
        cluster_eps: Optional[float] = Input(
            description="Clusters only: masks at most this cosine distance apart are neighbours. Left out, the weights' own setting.",
            default=None,
            ge=0.0001,
            le=2,
        ),
        cluster_min_samples: Optional[int] = Input(
            description="Clusters only: a mask with at least this many neighbours, itself among them, begins a cluster. Left out, the weights' own setting.",
            default=None,
            ge=1,
            le=1000,
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
        """Find the regions of the picture and give each a label."""
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
        settings = settings_for(self._loaded.settings, inputs)
        check_loaded(self._loaded, settings)
        picture = decode_image(inputs["image"], settings.image)
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
        logger.info("%d masks", len(annotated.annotations))


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


def check_loaded(loaded: Any, settings: Any) -> None:
    """Raise ``InputError`` where the settings ask for weights that were not loaded, with what brings them."""
    if settings.mask_source == "semantic-sam" and loaded.stages.semantic_proposer is None:
        raise InputError(
            f"mask_source 'semantic-sam' needs weights that bundle {loaded.bundle.name} was loaded "
            f"without; {loaded.bundle.remedy_for('semantic_sam')}"
        )


def write_output(
    folder: Path, picture: RGBImage, annotated: AnnotatedImage, json_detail: Optional[bool]
) -> Output:
    """Write the files of one prediction into ``folder``; no JSON if ``json_detail`` is None."""
    found = {"img_out": folder / "overlay.png"}
    Image.fromarray(draw_overlay(picture, annotated)).save(found["img_out"])
    if json_detail is not None:
        found["json_out"] = folder / "annotations.json"
        found["json_out"].write_bytes(dumps(annotated, json_detail))
    if annotated.label_map is not None:
        found["label_map_out"] = folder / "label_map.png"
        found["label_map_out"].write_bytes(label_map_files.encode_png(annotated.label_map))
        if json_detail is not None:
            found["classes_out"] = folder / "classes.json"
            found["classes_out"].write_bytes(label_map_files.dumps(annotated.label_map))
    return Output(**found)


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
                f"got {type_name(value)}"
            )
        return value
    if kind is bool:
        return checked_bool(name, value)
    if kind is str:
        return checked_text(name, value, field.choices, field.max_length)
    return checked_number(name, value, kind, field.ge, field.le)
