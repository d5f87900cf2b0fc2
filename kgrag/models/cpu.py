"""What the processor computes well, and how many threads to use."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from kgrag.errors import SettingsError

if TYPE_CHECKING:
    import torch

Dtype = Literal["bfloat16", "float32"]

# Any of these means bfloat16 arithmetic in hardware: x86 (AVX512, AMX) and Arm.
_BF16: Final = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


@cache
def flags() -> frozenset[str]:
    """The processor's feature flags as the kernel names them; empty where it does not say."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()  # macOS and Windows: float32, which is always right
    return parse_flags(text)


def parse_flags(cpuinfo: str) -> frozenset[str]:
    """The flags that every processor of the listing has (``flags`` or ``Features`` lines)."""
    found: frozenset[str] | None = None
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            these = frozenset(value.split())
            found = these if found is None else found & these
    return found or frozenset()


def best_dtype(known: frozenset[str] | None = None) -> Dtype:
    """``bfloat16`` where hardware computes in it: elsewhere it is ten times slower than float32."""
    return "bfloat16" if _BF16 & (flags() if known is None else known) else "float32"


def threads() -> int | None:
    """The value of KGRAG_THREADS, None when unset; SettingsError when it is no positive number."""
    value = os.environ.get("KGRAG_THREADS")
    if not value:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise SettingsError(f"KGRAG_THREADS is {value!r}, not a positive whole number")
    return int(value)


def before_torch() -> None:
    """Torch shares the machine, when it is loaded after the call. What the user set stays.

    Its threads sleep while they wait for each other. By default they spin: where a core is shared,
    with another process or by two threads of one pass, each waits out the other's time slice so. A
    pass over seven sentences took 0.55 to 17 s on a busy machine, and 0.34 to 0.59 s asleep.

    It keeps 32 compiled kernels instead of 1,024. Texts come in all lengths, and each length has
    its own: after 3,600 texts a process had grown by 620 MB, and by 300 MB with this, as fast.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")


def prepare() -> torch.dtype:
    """Torch computes with KGRAG_THREADS threads (if set) after the call; gives the best dtype."""
    import torch

    count = threads()
    if count is not None:
        torch.set_num_threads(count)
    return torch.bfloat16 if best_dtype() == "bfloat16" else torch.float32


def describe() -> str:
    """One line for a reader: the number format chosen, why, and the threads."""
    having = sorted(_BF16 & flags())
    why = ", ".join(having) if having else f"no bfloat16 arithmetic on this {platform.machine()}"
    count = threads()
    return f"computes in {best_dtype()} ({why}), {count or 'all'} threads"
