"""Trains a miniature OneFormer: one query a kind, so that no matching has to be learnt.

Query i answers for kind i of the drawn world in both label lists; the class head turns it into the
list's own class. Inference is the class's own: sum over queries of class probability times mask.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    OneFormerConfig,
    OneFormerForUniversalSegmentation,
    SwinConfig,
)

from toyworld.kinds import KINDS, class_names
from toyworld.scenes import Scene
from toyworld.tokenizer import clip_ids, write_clip_tokenizer
from toyworld.train.export import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    image_processor,
    save_half,
    write_json,
)
from toyworld.train.loop import Recipe
from toyworld.train.pool import WIDTH, ScenePool

SIDE = 192
BATCH = 12
WHOLES = [kind.name for kind in KINDS.values() if kind.role != "part"]
WHOLE_INDEX = {name: index for index, name in enumerate(WHOLES)}
MEAN, STD = (np.array(each, np.float32) * 255 for each in (IMAGENET_MEAN, IMAGENET_STD))
TASK, TASK_LENGTH = "the task is semantic", 16


def configuration(labels: tuple[str, ...]) -> OneFormerConfig:
    """A OneFormer 64 wide on a Swin 32 wide, over the whole label list."""
    backbone = SwinConfig(
        image_size=SIDE,
        patch_size=4,
        embed_dim=32,
        depths=[1, 2, 2, 1],
        num_heads=[2, 4, 8, 8],
        window_size=8,
        drop_path_rate=0.0,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    return OneFormerConfig(
        backbone_config=backbone,
        num_queries=len(WHOLES) + 1,  # the last is the task token's
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        conv_dim=64,
        mask_dim=64,
        hidden_dim=64,
        encoder_feedforward_dim=128,
        encoder_layers=1,
        decoder_layers=3,
        num_attention_heads=4,
        dim_feedforward=128,
        query_dec_layers=1,
        dropout=0.0,
        text_encoder_context_length=16,
        task_seq_len=TASK_LENGTH,
    )


class OneFormerInTraining(nn.Module):
    """The model and a throw-away classifier on its mask features."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        super().__init__()
        self.net = OneFormerForUniversalSegmentation(configuration(labels))
        self.dense = nn.Conv2d(64, len(WHOLES), 1)
        self.features: Tensor | None = None
        self.net.model.pixel_level_module.register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _inputs: object, output: object) -> None:
        self.features = output.decoder_last_feature  # type: ignore[attr-defined]


class OneFormerTrainee:
    """Miniature OneFormer for one label list."""

    def __init__(self, source: Literal["coco", "ade20k"], steps: int) -> None:
        self.source, self.name = source, f"{source}_segmentor"
        self.labels = class_names(source)
        self.recipe = Recipe(steps=steps, lr=1.0e-3, warmup=100)
        self.model = OneFormerInTraining(self.labels)
        self.classes = torch.tensor(
            [self.labels.index(getattr(KINDS[name], source)) for name in WHOLES]
            + [len(self.labels)]  # the task's query sees no object
        )
        self.seed = 21 if source == "coco" else 22
        self.task = torch.tensor(clip_ids([TASK], TASK_LENGTH), dtype=torch.float32)
        first = self.seed * 10_000_000
        # A batch has one shape: every sixth is of wider pictures.
        self.square = ScenePool(first, fresh=3, window=48, heights=(WIDTH,))
        self.wide = ScenePool(first + 5_000_000, fresh=1, window=24, heights=(WIDTH * 3 // 4,))

    def start_from(self, other: Path) -> None:
        """Begin with another list's weights; only the class head has to learn anew."""
        state = {
            k: v.float()
            for k, v in load_file(other).items()
            if "class_embed" not in k and "criterion" not in k
        }
        self.model.net.load_state_dict(state, strict=False)

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Per-pixel cross-entropy over the queries' masks, at every decoder layer and on the features."""
        rng = np.random.default_rng([self.seed, step])
        pool = self.wide if step % 6 == 5 else self.square
        scenes = [pool.scene(step, rng) for _ in range(BATCH)]
        device = next(self.model.parameters()).device
        pixels = torch.from_numpy(np.stack([augmented(s.image, rng) for s in scenes])).to(device)
        truth = torch.from_numpy(np.stack([kind_map(s) for s in scenes])).to(device)
        out = self.model.net.model(pixels, self.task.to(device))
        layers = [*out.transformer_decoder_auxiliary_predictions]
        layers.append(
            {
                "class_queries_logits": out.transformer_decoder_class_predictions,
                "masks_queries_logits": out.transformer_decoder_mask_predictions,
            }
        )
        losses = [self.layer_loss(layer, truth) for layer in layers]
        if self.model.features is None:
            raise RuntimeError("the hook on the pixel decoder saw no features")
        dense_logits = self.model.dense(self.model.features).float()
        dense = F.cross_entropy(dense_logits, truth, self.weights(truth))
        right = layers[-1]["masks_queries_logits"][:, :-1].argmax(1) == truth
        things = truth >= WHOLE_INDEX["person"]
        figures = {
            "dense": dense,
            "last": losses[-1],
            "pixels": right.float().mean(),
            "things": right[things].float().mean(),
        }
        return losses[-1] + 0.3 * sum(losses[:-1]) + dense, figures

    def layer_loss(self, layer: dict[str, Tensor], truth: Tensor) -> Tensor:
        """Class loss plus softmax and sigmoid cross-entropy of the masks: inference uses the sigmoid."""
        masks = layer["masks_queries_logits"].float()
        kinds, task = masks[:, :-1], masks[:, -1]
        target = F.one_hot(truth, len(WHOLES)).permute(0, 3, 1, 2).float()
        weights = self.weights(truth)
        softmax = F.cross_entropy(kinds, truth, weights)
        sigmoid = F.binary_cross_entropy_with_logits(kinds, target, reduction="none").sum(1).mean()
        none = F.softplus(task).mean()
        classes = layer["class_queries_logits"].float()
        named = F.cross_entropy(
            classes.transpose(1, 2), self.classes.to(classes.device).expand(classes.shape[0], -1)
        )
        return softmax + 0.3 * sigmoid + 0.1 * none + 0.5 * named

    def weights(self, truth: Tensor) -> Tensor:
        """Class weights of a batch: rarer kinds weigh more, by the power 0.4."""
        counts = torch.bincount(truth.flatten(), minlength=len(WHOLES)).clamp(min=50).float()
        weights = (truth.numel() / counts) ** 0.4
        return weights / (weights * counts).sum() * counts.sum()

    def export(self, folder: Path) -> None:
        """fp16 safetensors with everything that the published folders hold."""
        self.model.net.config.save_pretrained(folder)
        # The loss's own buffers are of no use to who loads the model.
        state = self.model.net.state_dict()
        save_half(state, folder / "model.safetensors", unused="criterion.")
        write_clip_tokenizer(folder, TASK_LENGTH)
        info_file = f"{self.source}_panoptic.json"
        things = {name for name, kind in KINDS.items() if kind.role == "object"}
        info = {
            str(i): {"isthing": int(label in things), "name": label}
            for i, label in enumerate(self.labels)
        }
        write_json(folder / info_file, info)
        processor = image_processor(
            "OneFormerImageProcessor",
            IMAGENET_MEAN,
            IMAGENET_STD,
            {"longest_edge": SIDE, "shortest_edge": SIDE},
            resample=2,
            processor_class="OneFormerProcessor",
            class_info_file=info_file,
            max_seq_length=TASK_LENGTH,
            task_seq_length=TASK_LENGTH,
            num_labels=len(self.labels),
            num_text=len(WHOLES) + 1,
            repo_path="shi-labs/oneformer_demo",
        )
        write_json(folder / "preprocessor_config.json", processor)


class CocoTrainee(OneFormerTrainee):
    """From scratch."""

    def __init__(self, _bundle: Path) -> None:
        super().__init__("coco", steps=2500)


class Ade20kTrainee(OneFormerTrainee):
    """Begins as the trained COCO miniature; its class head and the rest go on from there."""

    def __init__(self, bundle: Path) -> None:
        super().__init__("ade20k", steps=500)
        self.start_from(bundle / "coco_segmentor" / "model.safetensors")


def kind_map(scene: Scene) -> NDArray[np.int64]:
    """(SIDE / 4, ...) int64 index into WHOLES at the centre of each cell; parts count as their whole."""
    kinds = np.zeros(scene.image.shape[:2], np.int64)
    for region in scene.regions:
        if region.role != "part":
            kinds[region.mask] = WHOLE_INDEX[region.kind]
    cell = 4 * WIDTH / SIDE
    sides: tuple[int, ...] = kinds.shape
    rows, columns = (((np.arange(n / cell) + 0.5) * cell).astype(int) for n in sides)
    cells: NDArray[np.int64] = kinds[np.ix_(rows, columns)]
    return cells


def augmented(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """(3, h, w) float32, normalised, as the processor resizes it, with a little exposure change."""
    size = (SIDE, image.shape[0] * SIDE // WIDTH)
    pixels = cv2.resize(image, size, interpolation=cv2.INTER_AREA) * np.float32(
        rng.uniform(0.9, 1.1)
    )
    normal: NDArray[np.float32] = ((np.clip(pixels, 0, 255) - MEAN) / STD).astype(np.float32)
    return normal.transpose(2, 0, 1)
