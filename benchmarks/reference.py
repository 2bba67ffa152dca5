"""The published pipeline (Semantic Segment Anything, 2023), plain: the measure, and no product path.

One mask at a time, float32, each library called as its documentation shows. Two things are as they
should have been: pictures are RGB, and a single candidate is a name and no crash. With the engine it
shares the masks, the boxes of crops, the label tables, noun extraction and the order of candidates.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import open_clip
import torch
import transformers
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from segment_anything import SamAutomaticMaskGenerator
from torch.nn import functional

from ssa.config import LabelSettings, MaskSettings
from ssa.labelling.candidates import merge_candidates
from ssa.labelling.labels import load_labels
from ssa.masks.run_lengths import decode
from ssa.models.sam import PUBLISHED_DECODER_HEADS, architecture_of, build
from ssa.pictures.crops import crop, scaled_box
from ssa.stages import NounExtractor
from ssa.types import BoolMask, MaskProposal, RGBImage, Vote
from ssa.weights import Bundle

ClassIds = NDArray[np.int64]
Stage = Callable[[str], AbstractContextManager[None]]


class Named(NamedTuple):
    """What a mask is called, and the names it was chosen from in CLIP's order."""

    class_name: str
    class_proposals: tuple[str, ...]


def unwatched(_: str) -> AbstractContextManager[None]:
    """The stage of those who measure nothing."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Reference:
    """The published labelling: each step a function of one picture, or of one mask's crop."""

    segmentors: Mapping[str, Callable[[RGBImage], ClassIds]]
    caption: Callable[[RGBImage], str]
    nouns: NounExtractor
    score: Callable[[RGBImage, Sequence[str]], list[float]]
    count_wins: Callable[[RGBImage, BoolMask, Sequence[str]], list[int]]
    settings: LabelSettings

    @torch.no_grad()
    def label(
        self, image: RGBImage, proposals: Sequence[MaskProposal], stage: Stage = unwatched
    ) -> list[Named]:
        """Name each mask of ``image`` ((H, W, 3) RGB uint8); ``stage`` is entered around each step."""
        with stage("segmentors"):
            maps = {source: segment(image) for source, segment in self.segmentors.items()}
        return [self._name(image, proposal, maps, stage) for proposal in proposals]

    def _name(
        self,
        image: RGBImage,
        proposal: MaskProposal,
        maps: Mapping[str, ClassIds],
        stage: Stage,
    ) -> Named:
        mask = decode(proposal.rle)
        height, width = mask.shape

        def box(scale: float) -> tuple[int, int, int, int]:
            return scaled_box(proposal.bbox_xywh, scale, height, width)

        with stage("segmentors"):
            votes = [vote(source, class_ids, mask) for source, class_ids in maps.items()]
        with stage("captions"):
            caption = self.caption(crop(image, box(self.settings.caption_crop_scale)))
        with stage("nouns"):
            (phrases,) = self.nouns.extract([caption])
        candidates = merge_candidates(votes, phrases)
        with stage("clip"):
            scores = self.score(crop(image, box(self.settings.clip_crop_scale)), candidates)
            best_first = sorted(zip(scores, candidates, strict=True), key=lambda pair: -pair[0])
            top = tuple(label for _, label in best_first[: self.settings.top_k])
        if len(top) == 1:
            return Named(top[0], top)
        with stage("clipseg"):
            around = box(self.settings.clipseg_crop_scale)
            wins = self.count_wins(crop(image, around), crop(mask, around), top)
        return Named(top[wins.index(max(wins))], top)


def load_reference(
    bundle: Bundle, nouns: NounExtractor, settings: LabelSettings, device: torch.device
) -> Reference:
    """The published labelling with a bundle's weights, in float32."""
    return Reference(
        segmentors={
            source: OneFormer(bundle.folder(f"{source}_segmentor"), device)
            for source in ("coco", "ade20k")
        },
        caption=Blip(bundle.folder("captions"), settings.caption_max_tokens, device),
        nouns=nouns,
        score=Clip(bundle.folder("clip"), device),
        count_wins=ClipSeg(bundle.folder("clipseg"), settings.clipseg_side_px, device),
        settings=settings,
    )


def vote(source: str, class_ids: ClassIds, mask: BoolMask) -> Vote:
    """The class that most pixels of a mask have; of equals, the smallest id."""
    counts = np.bincount(class_ids[mask])
    winner = int(counts.argmax())
    return Vote(source, load_labels(source)[winner], counts[winner] / counts.sum())


class OneFormer:
    """The class of each pixel by OneFormer's semantic task."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._model = transformers.OneFormerForUniversalSegmentation.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32, is_training=False
        )
        self._model.to(device).requires_grad_(False)
        length = self._model.config.task_seq_len
        self._processor = transformers.OneFormerProcessor(
            # Else it would look for its class names on the network.
            transformers.OneFormerImageProcessor.from_pretrained(
                folder, local_files_only=True, class_info_file=None
            ),
            transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True),
            max_seq_length=length,
            task_seq_length=length,
        )
        self._device = device

    def __call__(self, image: RGBImage) -> ClassIds:
        """(H, W), for a picture (H, W, 3) uint8 RGB."""
        inputs = self._processor(
            Image.fromarray(image), task_inputs=["semantic"], return_tensors="pt"
        ).to(self._device)
        outputs = self._model(**inputs)
        (class_ids,) = self._processor.post_process_semantic_segmentation(
            outputs, target_sizes=[image.shape[:2]]
        )
        return np.asarray(class_ids.cpu())


class Blip:
    """A caption of a crop, the likeliest word at each step."""

    def __init__(self, folder: Path, max_tokens: int, device: torch.device) -> None:
        self._model = transformers.BlipForConditionalGeneration.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32
        )
        self._model.to(device).requires_grad_(False)
        self._processor = transformers.BlipProcessor.from_pretrained(folder, local_files_only=True)
        self._max_tokens = max_tokens
        self._device = device

    def __call__(self, image: RGBImage) -> str:
        """For a crop (h, w, 3) uint8 RGB."""
        inputs = self._processor(Image.fromarray(image), return_tensors="pt").to(self._device)
        tokens = self._model.generate(**inputs, max_new_tokens=self._max_tokens)
        # The start mark goes: not every vocabulary knows it as special.
        text: str = self._processor.decode(tokens[0, 1:], skip_special_tokens=True)
        return text.strip()


class Clip:
    """CLIP's softmax over a crop's candidates, in their order."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        model = f"local-dir:{folder}"
        self._model, _, self._preprocess = open_clip.create_model_and_transforms(
            model, require_pretrained=True, weights_only=True, device=device
        )
        self._model.eval().float().requires_grad_(False)
        self._tokenizer = open_clip.get_tokenizer(model)
        self._device = device

    def __call__(self, image: RGBImage, labels: Sequence[str]) -> list[float]:
        """One score a label; they sum to 1."""
        pixels = self._preprocess(Image.fromarray(image))[None].to(self._device)
        texts = self._tokenizer(list(labels)).to(self._device)
        image_features = self._model.encode_image(pixels, normalize=True)
        text_features = self._model.encode_text(texts, normalize=True)
        logits = self._model.logit_scale.exp() * image_features @ text_features.T
        scores: list[float] = logits.softmax(dim=-1)[0].tolist()
        return scores


class ClipSeg:
    """How many of a mask's pixels each candidate wins; the crop is encoded once per candidate."""

    def __init__(self, folder: Path, side_px: int, device: torch.device) -> None:
        self._model = transformers.CLIPSegForImageSegmentation.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32
        )
        self._model.to(device).requires_grad_(False)
        self._processor = transformers.CLIPSegProcessor(
            transformers.ViTImageProcessor.from_pretrained(
                folder, local_files_only=True, size={"height": side_px, "width": side_px}
            ),
            transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True),
        )
        self._device = device

    def __call__(self, image: RGBImage, mask: BoolMask, labels: Sequence[str]) -> list[int]:
        """One count a label; ``mask`` is (h, w) in the frame of ``image`` (h, w, 3)."""
        inputs = self._processor(
            text=list(labels),
            images=[Image.fromarray(image)] * len(labels),
            padding=True,
            truncation=True,
            max_length=self._model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        ).to(self._device)
        logits = self._model(**inputs, interpolate_pos_encoding=True).logits
        resized = functional.interpolate(
            logits[None], size=mask.shape, mode="bilinear", align_corners=False
        )
        winners = resized[0].argmax(dim=0).cpu().numpy()
        counts: list[int] = np.bincount(winners[mask], minlength=len(labels)).tolist()
        return counts


def load_generator(
    folder: Path, settings: MaskSettings, device: torch.device
) -> SamAutomaticMaskGenerator:
    """segment_anything's own mask generator, with masks as run lengths, which is what is kept."""
    shared = {name: value for name, value in asdict(settings).items() if name != "granularities"}
    return SamAutomaticMaskGenerator(load_sam(folder).to(device), output_mode="coco_rle", **shared)


def load_sam(folder: Path) -> Any:
    """segment_anything's own classes with the weights of ``folder``, in float32.

    Its registry knows the three published sizes only, so the miniature's is read off its tensors.
    """
    state = {
        name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()
    }
    beside = folder / "config.json"
    config = json.loads(beside.read_text("utf-8")) if beside.is_file() else {}
    heads = config.get("decoder_num_heads", PUBLISHED_DECODER_HEADS)
    sam = build(architecture_of(state, heads))
    sam.load_state_dict(state)
    return sam.requires_grad_(False)
