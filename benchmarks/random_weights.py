"""Checkpoints of the published classes with random weights, in the layouts they are published in.

Any size will do: ``benchmarks.real_sizes`` has the published ones. Vocabularies are made here: CLIP's from
the table inside open_clip, BLIP's from numbered words.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import open_clip
import torch
import transformers
from open_clip.tokenizer import bytes_to_unicode
from safetensors.torch import load_file, save_file

from ssa.models.sam import SamArchitecture, build

IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CLIP_MEAN, CLIP_STD = list(open_clip.OPENAI_DATASET_MEAN), list(open_clip.OPENAI_DATASET_STD)

Sizes = Mapping[str, Any]


def write_sam(folder: Path, architecture: SamArchitecture) -> None:
    """model.safetensors, as a downloaded checkpoint is rewritten; some of its masks are blobs.

    Left at their first values, SAM's random weights answer every point with noise.
    """
    torch.manual_seed(0)
    sam = build(architecture)
    with torch.no_grad():
        _mark_the_point(sam.mask_decoder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous() for name, tensor in sam.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    _write_json(folder / "config.json", decoder_num_heads=architecture.decoder_num_heads)


def _mark_the_point(decoder: Any) -> None:
    """Let each place of the picture see how near the point is, and change little from pixel to pixel.

    The factors were found by trying: about a third of the masks are empty, as many full, the rest blobs.
    """
    for layer in decoder.transformer.layers:
        attention = layer.cross_attn_image_to_token
        # Then their product is largest where the place's code equals the point's.
        attention.k_proj.weight.copy_(attention.q_proj.weight)
        attention.k_proj.bias.copy_(attention.q_proj.bias)
        attention.q_proj.weight.mul_(8)
        attention.out_proj.weight.mul_(16)
    for layer in decoder.output_upscaling:
        if isinstance(layer, torch.nn.ConvTranspose2d):
            # Alike in the four places that each cell becomes.
            layer.weight.copy_(2 * layer.weight.mean((2, 3), keepdim=True).expand_as(layer.weight))
    for perceptron in decoder.output_hypernetworks_mlps:
        # Logits of a few units, so that a shift by one leaves a part of each mask.
        perceptron.layers[-1].weight.mul_(300)
    # Predicted IoUs are near 1 in a trained SAM, and a threshold of 0 would keep everything.
    decoder.iou_prediction_head.layers[-1].bias.add_(0.9)


def write_oneformer(
    folder: Path, labels: tuple[str, ...], swin: Sizes, sizes: Sizes, edges: tuple[int, int]
) -> None:
    """As shi-labs publishes it; its preprocessor_config names a class-info file of another repository.

    ``edges`` are the shortest and the longest side in pixels that a picture is resized to.
    """
    torch.manual_seed(0)
    backbone = transformers.SwinConfig(
        **swin, drop_path_rate=0.3, out_features=["stage1", "stage2", "stage3", "stage4"]
    )
    config = transformers.OneFormerConfig(
        backbone_config=backbone, id2label=dict(enumerate(labels)), **sizes
    )
    model = transformers.OneFormerForUniversalSegmentation(config)
    _draw_borders(model)
    model.save_pretrained(folder)
    # The published files were written before transformers gave the backbone a last norm.
    weights = load_file(folder / "model.safetensors")
    kept = {key: value for key, value in weights.items() if "swin.layernorm" not in key}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    _write_json(
        folder / "preprocessor_config.json",
        class_info_file="classes_panoptic.json",
        repo_path="shi-labs/oneformer_demo",
        feature_extractor_type="OneFormerFeatureExtractor",
        processor_class="OneFormerProcessor",
        num_text=134,
        num_labels=len(labels),
        ignore_index=255,
        resample=2,
        size={"shortest_edge": edges[0], "longest_edge": edges[1]},
        image_mean=IMAGENET_MEAN,
        image_std=IMAGENET_STD,
        **dict.fromkeys(("do_resize", "do_rescale", "do_normalize"), True),
    )
    classes = {str(i): {"name": label, "isthing": 0} for i, label in enumerate(labels)}
    _write_json(folder / "classes_panoptic.json", **classes)
    write_clip_tokenizer(folder)


def _draw_borders(model: Any) -> None:
    """Louder weights at the end: the initial ones say the same class everywhere."""
    decoder = model.model.transformer_module.decoder
    louder = {
        model.model.transformer_module.queries_embedder: 5.0,
        model.model.pixel_level_module.decoder.mask_projection: 0.2,
        decoder.class_embed: 2.0,
        **{layer: 0.2 for layer in decoder.mask_embed.modules() if hasattr(layer, "in_features")},
    }
    with torch.no_grad():
        for layer, spread in louder.items():
            layer.weight.normal_(std=spread)
            if getattr(layer, "bias", None) is not None:
                layer.bias.zero_()


def write_blip(folder: Path, vision: Sizes, text: Sizes, vocabulary_size: int) -> None:
    """As Salesforce publishes it: the decoder's start mark is one past BERT's vocabulary.

    Its captions never end by themselves: each has as many tokens as it is allowed.
    """
    torch.manual_seed(0)
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = marks + [f"word{i}" for i in range(vocabulary_size - 2 - len(marks))]
    ends = words.index("[SEP]")
    config = transformers.BlipConfig(
        vision_config=dict(vision),
        text_config={
            **text,
            "vocab_size": vocabulary_size,
            "bos_token_id": len(words),
            "sep_token_id": ends,
            "pad_token_id": 0,
            "eos_token_id": 2,
        },
    )
    model = transformers.BlipForConditionalGeneration(config)
    with torch.no_grad():
        model.text_decoder.cls.predictions.bias[ends] = -1e4
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    _write_json(
        folder / "tokenizer_config.json",
        tokenizer_class="BertTokenizer",
        do_lower_case=True,
        model_max_length=512,
        processor_class="BlipProcessor",
    )
    side = config.vision_config.image_size
    _write_json(
        folder / "preprocessor_config.json",
        image_processor_type="BlipImageProcessor",
        processor_class="BlipProcessor",
        resample=3,
        size={"height": side, "width": side},
        image_mean=CLIP_MEAN,
        image_std=CLIP_STD,
        **dict.fromkeys(("do_resize", "do_rescale", "do_normalize"), True),
    )


def write_open_clip(folder: Path, model_cfg: Sizes, **preprocess: Any) -> None:
    """As timm publishes OpenAI's CLIP: open_clip's own configuration and names.

    ``preprocess`` adds to how it says that pictures are prepared.
    """
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    weights = open_clip.CLIP(**model_cfg).state_dict()
    save_file(
        {name: tensor.contiguous() for name, tensor in weights.items()},
        folder / "open_clip_model.safetensors",
    )
    _write_json(
        folder / "open_clip_config.json",
        model_cfg=dict(model_cfg),
        preprocess_cfg={"mean": CLIP_MEAN, "std": CLIP_STD, **preprocess},
    )


def write_clipseg(folder: Path, sizes: Sizes, *, refined: bool) -> None:
    """As CIDAS publishes it; ``refined`` is the decoder of rd64-refined, with three convolutions."""
    torch.manual_seed(0)
    config = transformers.CLIPSegConfig(**sizes, use_complex_transposed_convolution=refined)
    transformers.CLIPSegForImageSegmentation(config).save_pretrained(folder)
    _write_json(
        folder / "preprocessor_config.json",
        feature_extractor_type="ViTFeatureExtractor",
        resample=2,
        size=352,
        image_mean=IMAGENET_MEAN,
        image_std=IMAGENET_STD,
        do_resize=True,
        do_normalize=True,
    )
    write_clip_tokenizer(folder)


def write_clip_tokenizer(folder: Path) -> None:
    """vocab.json and merges.txt of CLIP's byte-pair encoding, 49,408 tokens."""
    table = files("open_clip").joinpath("bpe_simple_vocab_16e6.txt.gz").read_bytes()
    merges = gzip.decompress(table).decode("utf-8").split("\n")[1 : 49152 - 256 - 2 + 1]
    letters = list(bytes_to_unicode().values())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    tokens += [merge.replace(" ", "") for merge in merges] + ["<|startoftext|>", "<|endoftext|>"]
    _write_json(folder / "vocab.json", **{token: i for i, token in enumerate(tokens)})
    text = "\n".join(["#version: 0.2", *merges])
    (folder / "merges.txt").write_text(text + "\n", encoding="utf-8")
    marks = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>"}
    marks |= {"unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    _write_json(folder / "special_tokens_map.json", **marks)
    _write_json(
        folder / "tokenizer_config.json",
        tokenizer_class="CLIPTokenizer",
        do_lower_case=True,
        model_max_length=77,
        **marks,
    )


def _write_json(path: Path, /, **values: Any) -> None:
    path.write_text(json.dumps(values, indent=1), encoding="utf-8")
