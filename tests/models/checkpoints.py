"""Checkpoints of the real classes with random weights, in the layouts they are published in.

The small ones load in a blink; ``test_real_architectures`` makes the real sizes with the same
functions. Vocabularies are made here: CLIP's from the table inside open_clip, BLIP's from numbered words.
"""

from __future__ import annotations

import gzip
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import open_clip
import torch
import transformers
from open_clip.tokenizer import bytes_to_unicode
from safetensors.torch import load_file, save_file

IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CLIP_MEAN, CLIP_STD = list(open_clip.OPENAI_DATASET_MEAN), list(open_clip.OPENAI_DATASET_STD)

Sizes = dict[str, Any]

SMALL_SWIN: Sizes = {"embed_dim": 32, "depths": [1, 1, 1, 1], "num_heads": [1, 2, 4, 8]}
SMALL_ONEFORMER: Sizes = {
    "hidden_dim": 64,
    "conv_dim": 64,
    "mask_dim": 64,
    "encoder_layers": 1,
    "decoder_layers": 3,
    "num_attention_heads": 4,
    "dim_feedforward": 64,
    "encoder_feedforward_dim": 64,
    "num_queries": 12,
}
SMALL_BLIP_VISION: Sizes = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
    # BLIP's own 1e-10 would make all pictures alike.
    "initializer_range": 0.5,
}
SMALL_BLIP_TEXT: Sizes = {
    "hidden_size": 32,
    "encoder_hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "initializer_range": 0.5,
}
SMALL_OPEN_CLIP: Sizes = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
    "quick_gelu": True,
}
SMALL_CLIPSEG: Sizes = {
    "projection_dim": 32,
    "reduce_dim": 16,
    "extract_layers": [0, 1, 2],
    "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 32,
    "vision_config": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    },
    "text_config": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    },
}


def write_oneformer(
    folder: Path,
    labels: tuple[str, ...],
    swin: Sizes = SMALL_SWIN,
    sizes: Sizes = SMALL_ONEFORMER,
    edges: tuple[int, int] = (64, 128),
) -> None:
    """As shi-labs publishes it; its preprocessor_config names a class-info file of another repository."""
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


def write_blip(
    folder: Path,
    vision: Sizes = SMALL_BLIP_VISION,
    text: Sizes = SMALL_BLIP_TEXT,
    vocabulary_size: int = 64,
) -> None:
    """As Salesforce publishes it: the decoder's start mark is one past BERT's vocabulary."""
    torch.manual_seed(0)
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = marks + [f"word{i}" for i in range(vocabulary_size - 2 - len(marks))]
    config = transformers.BlipConfig(
        vision_config=vision,
        text_config=text
        | {
            "vocab_size": vocabulary_size,
            "bos_token_id": len(words),
            "sep_token_id": words.index("[SEP]"),
            "pad_token_id": 0,
            "eos_token_id": 2,
        },
    )
    transformers.BlipForConditionalGeneration(config).save_pretrained(folder)
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


def write_open_clip(folder: Path, model_cfg: Sizes = SMALL_OPEN_CLIP, **preprocess: Any) -> None:
    """As timm publishes OpenAI's CLIP: open_clip's own configuration and names."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            key: value.contiguous()
            for key, value in open_clip.CLIP(**model_cfg).state_dict().items()
        },
        folder / "open_clip_model.safetensors",
    )
    _write_json(
        folder / "open_clip_config.json",
        model_cfg=model_cfg,
        preprocess_cfg={"mean": CLIP_MEAN, "std": CLIP_STD, **preprocess},
    )


def write_clipseg(folder: Path, sizes: Sizes = SMALL_CLIPSEG, refined: bool = False) -> None:
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
