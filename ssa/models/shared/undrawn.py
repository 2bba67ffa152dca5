"""Building a model without drawing its first weights at random, for a checkpoint will replace them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

# ``torch.nn.init`` hands its own functions over by name before it comes to those of the tensor.
_DRAWS = frozenset(
    {
        Tensor.normal_,
        Tensor.uniform_,
        torch.nn.init.normal_,
        torch.nn.init.uniform_,
        torch.nn.init.kaiming_uniform_,
    }
)


class NothingDrawn(TorchFunctionMode):
    """While it lasts, in this thread, tensors keep whatever they held instead of being filled at random.

    To be used where a strict load of a whole state dict follows. Drawing CLIP ViT-L's 428 million numbers
    takes two to four seconds, however many cores there are: one does it.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """The tensor as it is where it would be drawn anew; everything else as ever."""
        named = kwargs or {}
        if func in _DRAWS:
            return args[0] if args else named["tensor"]
        return func(*args, **named)
