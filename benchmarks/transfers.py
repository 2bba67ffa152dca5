"""What goes between Python and the device, and what waits for it, counted where all is one CPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors
from torch.utils._python_dispatch import _disable_current_modes

HOST = torch.device("cpu", 0)
"""How the host's tensors call their device while transfers are counted; "cpu" is the device then."""

# What makes Python wait for the device, asked of a tensor that lies there.
_WAITS = {
    *("cpu", "numpy", "item", "tolist", "is_nonzero", "equal", "allclose", "nms"),
    *("nonzero", "argwhere", "masked_select", "unique", "unique_consecutive", "bincount"),
    *("__bool__", "__int__", "__float__", "__index__", "__array__", "__contains__"),
}

# What takes plain numbers to where it is told; without a device named they stay on the host.
_TAKES_NUMBERS = {"tensor", "as_tensor", "asarray"}

_INDEXES = {"__getitem__", "__setitem__"}

# What function modes don't hear of: all make the host's tensors.
_UNHEARD = ("from_numpy", "frombuffer", "from_dlpack")


@contextmanager
def transfers_counted() -> Iterator[Counter[str]]:
    """Transfers and waits inside the block, by the call that makes them."""
    transfers = _Transfers()
    with ExitStack() as told:
        for name in _UNHEARD:
            told.enter_context(patch.object(torch, name, _telling(getattr(torch, name))))
        told.enter_context(transfers)
        yield transfers.of


class _Transfers(TorchFunctionMode):
    """Counts what goes to the device, what is read from it and what waits for it.

    Where all is one CPU, a tensor is on the host if it was made there, which is where torch makes what isn't
    told a device; if it was read back; or if it came of such alone. All others count as the device's, and say
    that they are not on a CPU.
    """

    def __init__(self) -> None:
        super().__init__()
        self.of: Counter[str] = Counter()
        # Torch keeps the functions themselves, of which libraries exchange some while they load.
        self._made_on_host = {one.__name__ for one in _device_constructors()} | {"linspace"}

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        call = _Call(getattr(func, "__name__", ""), args, kwargs)
        on_host = call.ends_on_host(call.name in self._made_on_host)
        if func == Tensor.is_cpu.__get__:  # type: ignore[attr-defined]
            return on_host
        if func == Tensor.device.__get__ and on_host:
            return HOST
        if call.moves() or call.waits():
            self.of[call.name] += 1
        return _placed(func(*args, **kwargs), args, on_host)


@dataclass(frozen=True)
class _Call:
    """A call of torch, and what of it tells where things lie."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def ends_on_host(self, makes: bool) -> bool:
        """Where its result lies; ``makes`` is whether it makes tensors of none."""
        named = self._named_device()
        if self.name.endswith("_") and not self.name.endswith("__"):  # what works in place
            return _is_on_host(self.args[0])
        if self.name == "cpu" or named is not None:
            return self.name == "cpu" or named == HOST
        given = self._tensors()
        return all(map(_is_on_host, given)) if given else makes

    def moves(self) -> bool:
        """Whether numbers go from one side to the other."""
        named, given = self._named_device(), self._tensors()
        on_host = all(map(_is_on_host, given))
        if self.name == "to":
            return named is not None and (named == HOST) != on_host
        if self.name in _TAKES_NUMBERS:
            return named not in (None, HOST) and on_host
        if self.name == "new_tensor":
            return named != HOST if named is not None else not on_host
        if self.name == "copy_":
            return _is_on_host(self.args[0]) != _is_on_host(self.args[1])
        return self.name in _INDEXES and not _is_on_host(self.args[0]) and self._sends_places()

    def waits(self) -> bool:
        """Whether Python learns something that the device has to find out first."""
        given = self._tensors()
        if not given or all(map(_is_on_host, given)):
            return False
        if self.name in _INDEXES:
            # Where one number is written it needn't be known how often.
            written = self.args[2] if self.name == "__setitem__" else given[0]
            return isinstance(written, Tensor) and any(map(_is_flags, _parts(self.args[1])))
        if self.name == "where":
            return len(self.args) + len(self.kwargs) == 1
        if self.name == "repeat_interleave":
            return len(given) > 1 and self.kwargs.get("output_size") is None
        return self.name in _WAITS

    def _named_device(self) -> torch.device | None:
        named = self.kwargs.get("device")
        if named is None and self.name == "to":
            named = next(
                (one for one in self.args[1:] if isinstance(one, torch.device | str)), None
            )
        return None if named is None else torch.device(named)

    def _tensors(self) -> list[Tensor]:
        return [*_tensors_in(self.args), *_tensors_in(tuple(self.kwargs.values()))]

    def _sends_places(self) -> bool:
        """Whether an index, or what is written there, is a list of the host's; one number is launched."""
        sent = [*_parts(self.args[1]), *self.args[2:]]
        return any(
            isinstance(one, list | np.ndarray) or (_is_on_host(one) and one.dim() > 0)
            for one in sent
        )


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _is_flags(part: Any) -> bool:
    return isinstance(part, Tensor) and part.dtype == torch.bool


def _is_on_host(value: Any) -> bool:
    return isinstance(value, Tensor) and getattr(value, "is_on_host", False)


def _tensors_in(values: Any) -> Iterator[Tensor]:
    """Tensors among arguments or results, in lists too."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors_in(value)


def _placed(result: Any, args: tuple[Any, ...], on_host: bool) -> Any:
    """A call's result, whose tensors know on which side they are."""
    if isinstance(result, Tensor) and any(result is one for one in args):
        if _is_on_host(result) == on_host:
            return result
        with _disable_current_modes():  # A copy that one CPU needn't make.
            result = result.view_as(result)
    for one in _tensors_in([result]):
        one.is_on_host = on_host  # type: ignore[attr-defined]
    return result


def _telling(unheard: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same, and what it makes knows that it is on the host."""

    @wraps(unheard)
    def made(*args: Any, **kwargs: Any) -> Tensor:
        tensor: Tensor = _placed(unheard(*args, **kwargs), (), on_host=True)
        return tensor

    return made
