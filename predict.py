# ruff: noqa: B008, E501, UP045  (the spellings that `cog build`'s parser of this file is sure to know)
"""The Cog edge: checks the inputs, calls the engine, writes its files.

Cog builds the model's schema from this file's text, without running it. So ``Input`` is called with
keyword literals only, each description is one plain string, and the output class stands here. What the
``Input`` lines promise is checked again by the same table in ``ssa.inputs``, for a runtime without a schema
checks nothing; a test compares the two.

The class stays ``Predictor`` and its method ``predict``, though newer Cogs call them ``Runner`` and ``run``
and warn of the old names: public Cog models have the old ones, and so do those who read their code.
"""

import logging
import os
from collections.abc import Mapping
from typing import Any, Optional

from cog import BaseModel, BasePredictor, Input, Path  # type: ignore[import-untyped]

from ssa.api.files import write_files
from ssa.errors import NEED_LESS_MEMORY, InputError, OutOfMemory
from ssa.inputs import checked_inputs, settings_for
from ssa.pictures.decoding import decode_image
from ssa.serving.guards import known_names_only, nothing_collected, traceback_in_server_log
from ssa.serving.keeping import FreshFolder, StageLog
from ssa.serving.leftovers import mark_temporary_files, remove_leftovers
from ssa.serving.schema import OUTPUTS
from ssa.types import AnnotatedImage

logger = logging.getLogger("ssa.predict")

LEFT_OUT = type(Input(description="The type of what stands for an argument that was left out."))


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
        best bundle there is, on CUDA if there is one. ``SSA_MEMORY_GB`` is how much of a CUDA device
        may be used; ``SSA_SEGMENTOR`` the folder of one more segmentor for closed-set labels.
        """
        logging.basicConfig(level=logging.WARNING, format="%(message)s")
        logging.getLogger("ssa").setLevel(logging.INFO)
        # Read by huggingface_hub when it is imported, which the next import brings about.
        os.environ["HF_HUB_OFFLINE"] = "1"
        with traceback_in_server_log(), nothing_collected():
            from ssa.loading import load_engine
            from ssa.weights import default_root

            names = ("SSA_BUNDLE", "SSA_DEVICE", "SSA_DTYPE", "SSA_SEGMENTOR")
            bundle, device, dtype, segmentor = (os.environ.get(name) or None for name in names)
            added = Path(segmentor) if segmentor else None
            self._loaded = load_engine(default_root(), bundle, device, dtype, added)
        self._folder, self._stage_log = FreshFolder(), StageLog()
        mark_temporary_files()
        logger.info("%s", self._loaded.bundle.spoken)

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
            description="The model that finds the masks: sam; semantic-sam, which finds wholes and their parts at six granularities; or phrases, which finds the classes of a vocabulary.",
            default="sam",
            choices=["sam", "semantic-sam", "phrases"],
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
        phrases: str = Input(
            description="Ask the names as phrases of a model that finds all their instances: verify lets a proposal that fits better take the name, complete adds what was missed; both does both.",
            default="none",
            choices=["none", "verify", "complete", "both"],
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
        mask_nms_thresh: Optional[float] = Input(
            description="Of masks that share more than this of their pixels (IoU) keep only the best; by itself mask generation compares boxes alone. Left out, all are kept.",
            default=None,
            ge=0,
            le=1,
        ),
        max_masks: Optional[int] = Input(
            description="Keep at most so many masks, those of the best quality by the model's own estimate. Left out, all.",
            default=None,
            ge=1,
            le=100000,
        ),
        overlaps: bool = Input(
            description="Let masks overlap. Without, each pixel belongs to the smallest mask on it, after all have been named.",
            default=True,
        ),
        top_k: int = Input(
            description="How many proposals the last step chooses a mask's name from.",
            default=3,
            ge=1,
            le=10,
        ),
        bank_top_k: Optional[int] = Input(
            description="With a dense ranker only: so many names of a bank of everyday ones, those that a region looks most like, are candidates for its name too. Left out, the weights' own setting.",
            default=None,
            ge=0,
            le=10,
        ),
        rules: str = Input(
            description="Which rules names follow: current, or published for those of the engine of 2023, whose labels keep articles and have no head nouns.",
            default="current",
            choices=["current", "published"],
        ),
        detail: bool = Input(
            description="Add to each record of the JSON what every stage said of the mask.",
            default=False,
        ),
        legend: bool = Input(
            description="Draw a legend beside or under the picture, with the number of each region that has no room for its name.",
            default=False,
        ),
        doubtful_below: Optional[float] = Input(
            description="Draw regions in grey, with a question mark, whose names are right with a probability of less. Needs weights that know it. Left out, none.",
            default=None,
            ge=0,
            le=1,
        ),
    ) -> Output:
        """Find the regions of the picture and give each a label."""
        given = {name: value for name, value in locals().items() if name != "self"}
        # Called in process, an argument that was left out is what Input gave; Cog puts its default there.
        given = {name: value for name, value in given.items() if type(value) is not LEFT_OUT}
        folder = self._folder.emptied()
        remove_leftovers(keep=given.get("image"))
        try:
            with traceback_in_server_log():
                return self._annotate(checked_inputs(given), folder)
        except (InputError, OutOfMemory):
            raise
        except MemoryError:
            raise OutOfMemory(f"out of memory: {NEED_LESS_MEMORY}") from None
        except Exception:
            raise RuntimeError("internal error; the server's log says more") from None

    def _annotate(self, inputs: Mapping[str, Any], folder: Path) -> Output:
        settings = settings_for(self._loaded.settings, inputs)
        self._loaded.engine.check(settings)
        picture = decode_image(inputs["image"], settings.image)
        annotated = self._loaded.engine.annotate(picture, settings, self._stage_log)
        self._record(annotated)
        written = write_files(
            folder,
            picture,
            annotated,
            json=inputs["output_json"],
            detail=inputs["detail"],
            legend=inputs["legend"],
            doubtful_below=inputs["doubtful_below"],
        )
        return Output(**{OUTPUTS[name]: Path(path) for name, path in written.items()})

    def _record(self, annotated: AnnotatedImage) -> None:
        """Hand the stages' seconds and the number of masks to Cog's metrics."""
        for stage, seconds in annotated.stage_seconds.items():
            self.record_metric(f"timing.{stage}", seconds)
        self.record_metric("masks", len(annotated.annotations))
        logger.info("%d masks", len(annotated.annotations))


# Here, not as a decorator: what reads this file's text meets the method as it is.
Predictor.predict = known_names_only(Predictor.predict)  # type: ignore[method-assign]
