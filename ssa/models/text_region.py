"""CLIP and SigLIP 2 by one look at a picture: TextRegion (Xiao et al. 2025, arXiv:2505.23769).

Where a tower pools its picture by attention at the end, a region takes the mean of its own cells' values in
its place; from there on it goes the way that a picture goes. So a model that knows whole pictures alone says
what each region shows, and nothing is trained. Here a cell counts by the share of it that a mask covers, and
labels are asked for as the ranker of crops does. What the authors add is left out: crops of higher resolution
(a larger ``side_px`` stands for them), cells left aside that are unlike their region (which depends on what
other regions there are), and texts with eighty sentences around each label.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from open_clip.timm_model import TimmModel
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional

from ssa.device import Placement
from ssa.models.shared.dense import GridRanker
from ssa.models.shared.open_clip_folder import load_open_clip
from ssa.models.shared.pixels import PixelRecipe, cells_along
from ssa.models.shared.pretrained import opening
from ssa.types import RGBImage


def load_text_region(folder: Path, placement: Placement, side_px: int | None = None) -> GridRanker:
    """The model in ``folder``, as ``OpenClipRanker`` takes it: CLIP, MetaCLIP 2, SigLIP 2.

    Pictures are squashed to ``side_px``, a multiple of the model's patch; position embeddings are
    interpolated. Without, the model's own size holds. Raises ``WeightsError`` when it is no multiple, and
    when the folder is missing, damaged, or its tower pools in another way.
    """
    model, recipe, tokenizer = load_open_clip(folder, placement)
    with opening(folder, "CLIP", ()):
        tower = _tower(model.visual, recipe.side_px)
        return GridRanker(RegionEncoder(model, tower, recipe, tokenizer, placement, side_px))


class Tower(Protocol):
    """What sees: its values of cells, and the way that their mean goes from there.

    ``patch_px`` is a cell's side.
    """

    patch_px: int

    def grow(self, side_px: int) -> None:
        """Take pictures of another size from now on."""
        ...

    def values(self, pixels: Tensor) -> Tensor:
        """(cells, C) for pixels (1, 3, H, W)."""
        ...

    def finish(self, pooled: Tensor) -> Tensor:
        """Means (M, C) of values, in the space of texts (M, D)."""
        ...


class RegionEncoder:
    """Cells in the placement's number type; texts, which are few, in float32."""

    def __init__(
        self,
        model: Any,
        tower: Tower,
        recipe: PixelRecipe,
        tokenizer: Any,
        placement: Placement,
        side_px: int | None = None,
    ) -> None:
        self._side_px = side_px or recipe.side_px
        self._cells = cells_along(self._side_px, tower.patch_px)
        if self._side_px != recipe.side_px:
            tower.grow(self._side_px)
        self.model = model
        self._tower, self._recipe, self._tokenizer = tower, recipe, tokenizer
        self._placement = placement
        self.scale = float(model.logit_scale.exp())

    def encode_cells(self, image: RGBImage) -> Tensor:
        """(rows, columns, C) for a picture (H, W, 3) uint8 RGB, squashed to a square."""
        place = self._placement
        size_hw = (self._side_px, self._side_px)
        pixels = self._recipe.whole(image, size_hw, place.device, place.dtype)
        return self._tower.values(pixels).view(self._cells, self._cells, -1)

    def finish(self, pooled: Tensor) -> Tensor:
        """Means (M, C) of cells, in the space of texts (M, D) float32."""
        return self._tower.finish(pooled.to(self._placement.dtype)).float()

    def encode_labels(self, labels: list[str]) -> Sequence[Tensor]:
        """(D,) float32 each."""
        tokens = self._tokenizer(labels).to(self._placement.device)
        encoded: Tensor = self.model.encode_text(tokens).float()
        return encoded.unbind()

    def padded_length(self, label: str) -> int:
        """How many tokens a label is padded to: all alike."""
        return int(self.model.context_length)


def _tower(visual: Any, side_px: int) -> Tower:
    """Raises ``ValueError`` for one that pools neither by a class token nor by a learnt query."""
    if isinstance(visual, TimmModel):
        pool: Any = getattr(visual.trunk, "attn_pool", None)
        if hasattr(pool, "latent") and pool.pos_embed is None:
            return PoolingTower(visual, pool)
    elif isinstance(visual, VisionTransformer):
        blocks = visual.transformer
        plain = blocks.batch_first and isinstance(blocks.resblocks[-1], ResidualAttentionBlock)
        if plain and visual.attn_pool is None and visual.pool_type == "tok":
            return ClassTokenTower(visual, side_px)
    raise ValueError(
        "expected a tower that pools by a class token (CLIP) or a learnt query (SigLIP 2); "
        f"got {type(visual).__name__} with another way"
    )


class ClassTokenTower:
    """CLIP's: in the last block a region takes the class token's place, and has nothing of its own yet."""

    def __init__(self, visual: Any, side_px: int) -> None:
        self._visual = visual
        self.patch_px = int(visual.patch_size[0])
        self._cells = side_px // self.patch_px

    def grow(self, side_px: int) -> None:
        """As published models are enlarged: positions bicubic, the class token's as it is."""
        places: Tensor = self._visual.positional_embedding
        own, grid = places[:1], places[1:].view(1, self._cells, self._cells, -1).permute(0, 3, 1, 2)
        self._cells = side_px // self.patch_px
        size = (self._cells, self._cells)
        larger = functional.interpolate(
            grid.float(), size, mode="bicubic", antialias=True, align_corners=False
        )
        flat = larger.permute(0, 2, 3, 1).flatten(1, 2)[0].to(places.dtype)
        self._visual.positional_embedding = nn.Parameter(torch.cat([own, flat]), False)

    def values(self, pixels: Tensor) -> Tensor:
        """(cells, C) for pixels (1, 3, H, W)."""
        *blocks, last = self._visual.transformer.resblocks
        states = self._visual._embeds(pixels)
        for block in blocks:
            states = block(states)
        weight, bias = (
            one.chunk(3)[2] for one in (last.attn.in_proj_weight, last.attn.in_proj_bias)
        )
        values: Tensor = functional.linear(last.ln_1(states[0, 1:]), weight, bias)
        return values

    def finish(self, pooled: Tensor) -> Tensor:
        """Means (M, C) of values, in the space of texts (M, D)."""
        last = self._visual.transformer.resblocks[-1]
        pooled = last.ls_1(last.attn.out_proj(pooled))
        seen: Tensor = self._visual.ln_post(pooled + last.ls_2(last.mlp(last.ln_2(pooled))))
        return seen if self._visual.proj is None else seen @ self._visual.proj


class PoolingTower:
    """SigLIP 2's: a learnt query would look at all cells; a region has its own, each as much."""

    def __init__(self, visual: Any, pool: Any) -> None:
        self._visual, self._pool = visual, pool
        self.patch_px = int(visual.trunk.patch_embed.patch_size[0])

    def grow(self, side_px: int) -> None:
        """By timm's own interpolation of positions."""
        self._visual.trunk.set_input_size(img_size=side_px)

    def values(self, pixels: Tensor) -> Tensor:
        """(cells, C) for pixels (1, 3, H, W)."""
        trunk = self._visual.trunk
        states = trunk.forward_features(pixels)[0, trunk.num_prefix_tokens :]
        values: Tensor = self._pool.kv(states).chunk(2, dim=-1)[1]
        return values

    def finish(self, pooled: Tensor) -> Tensor:
        """Means (M, C) of values, in the space of texts (M, D); what follows the pooling is left aside."""
        seen: Tensor = self._visual.head(self._visual.trunk.fc_norm(self._pool.proj(pooled)))
        return seen
