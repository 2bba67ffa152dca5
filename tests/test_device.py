"""Where the models run, why, and what becomes of a failed allocation."""

from __future__ import annotations

import logging
import weakref
from contextlib import nullcontext

import pytest
import torch

from ssa.device import (
    DTYPES,
    Placement,
    choose_attention,
    choose_placement,
    memory_errors_told,
    memory_limit,
)
from ssa.errors import OutOfMemory

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
# What torch and its libraries were seen to say.
FAILED_ALLOCATIONS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 4000000 bytes. Error code 12 (Cannot allocate memory)"
    ),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    MemoryError(),
]


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What torch answers where there is a CUDA device with bfloat16; no tensor may be put there."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(torch.cuda, "device", nullcontext)
    return monkeypatch


def test_the_cpu_computes_in_float32() -> None:
    placement = choose_placement("cpu")
    assert (placement.device, placement.dtype) == (torch.device("cpu"), torch.float32)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("bf16", torch.bfloat16), ("fp16", torch.float16), ("fp32", torch.float32)],
)
def test_a_dtype_has_a_short_name_and_torchs_own(name: str, dtype: torch.dtype) -> None:
    assert choose_placement("cpu", name).dtype == dtype
    assert choose_placement("cpu", str(dtype).removeprefix("torch.")).dtype == dtype


def test_an_unknown_dtype_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"dtype must be one of float32, .*; got 'float8'"
    ) as caught:
        choose_placement("cpu", "float8")
    assert all(name in str(caught.value) for name in DTYPES)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "meta", "cpu cuda"])
def test_an_unknown_device_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(
        ValueError, match="device must be cpu, cuda or such as cuda:1; got"
    ) as caught:
        choose_placement(name)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA device")
def test_a_cuda_device_that_is_not_there_is_refused_at_once() -> None:
    assert choose_placement().device == torch.device("cpu")
    with pytest.raises(ValueError, match="'cuda:1' was asked for, but torch finds no CUDA device"):
        choose_placement("cuda:1")


def test_a_memory_limit_is_a_positive_number_of_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSA_MEMORY_GB", raising=False)
    assert memory_limit() is None
    for told, limit in (("", None), ("8", 8 * 2**30), ("0.5", 2**29), ("1e1", 10 * 2**30)):
        monkeypatch.setenv("SSA_MEMORY_GB", told)
        assert memory_limit() == limit
    for told in ("0", "-1", "nan", "inf", "8GB", " "):
        monkeypatch.setenv("SSA_MEMORY_GB", told)
        with pytest.raises(ValueError, match="SSA_MEMORY_GB must be a positive number") as refused:
            memory_limit()
        assert repr(told) in str(refused.value)


def test_only_a_gpu_works_in_bulk_unless_told_otherwise() -> None:
    assert not choose_placement("cpu").in_bulk
    assert Placement(torch.device("cuda"), torch.float32).in_bulk
    assert Placement(torch.device("cpu"), torch.float32, bulk=True).in_bulk


@pytest.mark.usefixtures("a_gpu")
def test_cuda_is_taken_with_bfloat16_unless_told_otherwise() -> None:
    placement = choose_placement()
    assert (placement.device.type, placement.dtype) == ("cuda", torch.bfloat16)
    assert choose_placement("cuda:1").dtype == torch.bfloat16
    assert choose_placement(dtype="fp32").dtype == torch.float32
    assert choose_placement("cpu").dtype == torch.float32


def test_cuda_without_bfloat16_of_its_own_computes_in_float32(a_gpu: pytest.MonkeyPatch) -> None:
    a_gpu.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation)
    assert choose_placement().dtype == torch.float32


def test_the_reasons_are_logged(
    caplog: pytest.LogCaptureFixture, a_gpu: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.INFO, "ssa"):
        choose_placement()
        choose_placement("cpu", "bf16")
    assert caplog.messages == [
        "device cuda (a CUDA device is present), dtype torch.bfloat16 (the CUDA device computes in it)",
    ]


@pytest.mark.parametrize("error", FAILED_ALLOCATIONS, ids=lambda error: str(error)[:40])
def test_failed_allocations_are_told_in_our_words(error: Exception) -> None:
    @memory_errors_told
    def work() -> None:
        raise error

    with pytest.raises(OutOfMemory, match=r"^out of memory( \(wanted .* more\))?: try a smaller"):
        work()


def test_the_text_has_the_amount_and_the_note_what_the_library_said() -> None:
    with pytest.raises(OutOfMemory) as caught:
        memory_errors_told(torch.empty)(10**15)
    assert "(wanted 4000000000000000 bytes more)" in str(caught.value)
    assert "alloc_cpu.cpp" not in str(caught.value)
    assert "alloc_cpu.cpp" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory")])
def test_other_errors_pass_as_they_are(error: Exception) -> None:
    @memory_errors_told
    def work() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        work()
    assert caught.value is error


def test_an_error_told_once_is_not_told_again() -> None:
    told = OutOfMemory("out of memory in 'sam'")

    @memory_errors_told
    def work() -> None:
        raise told

    with pytest.raises(OutOfMemory) as caught:
        work()
    assert caught.value is told


def test_arguments_results_and_name_pass_through() -> None:
    @memory_errors_told
    def add(a: int, *, b: int) -> int:
        """Add."""
        return a + b

    assert add(1, b=2) == 3
    assert (add.__name__, add.__doc__) == ("add", "Add.")


def test_the_error_keeps_no_tensor_of_the_failed_work_alive() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    @torch.inference_mode()
    @memory_errors_told
    def work() -> torch.Tensor:
        activations = torch.zeros(8)
        held.append(weakref.ref(activations))
        return torch.empty(10**15) + activations

    with pytest.raises(OutOfMemory) as caught:
        work()
    assert caught.value.__traceback__ is not None
    assert held[0]() is None


@on_a_gpu
def test_a_full_gpu_is_told_and_can_be_used_at_once() -> None:
    @memory_errors_told
    def work(count: int) -> float:
        part = torch.ones(1 << 20, device="cuda")
        return float((torch.ones(count, device="cuda") + part[0]).sum())

    with pytest.raises(OutOfMemory, match="wanted"):
        work(1 << 50)
    assert work(8) == 16
    assert torch.cuda.memory_allocated() == 0


def test_attention_on_a_gpu_takes_any_number_of_crops() -> None:
    before = torch.backends.cuda.cudnn_sdp_enabled()
    try:
        torch.backends.cuda.enable_cudnn_sdp(True)
        choose_attention(torch.device("cpu"))
        assert torch.backends.cuda.cudnn_sdp_enabled()
        choose_attention(torch.device("cuda"))
        assert not torch.backends.cuda.cudnn_sdp_enabled()
    finally:
        torch.backends.cuda.enable_cudnn_sdp(before)
