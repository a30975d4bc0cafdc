"""Rank of this process and number of processes in distributed training, for ``num_parts='auto'``."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from recio._loader import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger("recio")

AUTO: Final = "auto"
Parts: TypeAlias = "int | Literal['auto']"


def num_parts(name: str, value: Any) -> int | str:  # noqa: ANN401
    """Check a number of shards, or ``'auto'``."""
    return AUTO if value == AUTO else validate.integer(name, value)


def shard_of(parts: Any, part_index: Any) -> tuple[int, int]:  # noqa: ANN401
    """Check `num_parts` and `part_index`; with ``'auto'`` return those of this process.

    Raises
    ------
    ValueError
        If `part_index` is given together with ``'auto'``, or the environment contradicts itself.
    """
    parts, index = num_parts("num_parts", parts), validate.integer("part_index", part_index)
    if isinstance(parts, int):
        return parts, index
    if index:
        raise ValueError(f"part_index must not be given with num_parts='auto', got {index}")
    source, processes, rank = next(_found())
    if not 0 <= rank < processes:
        raise ValueError(f"num_parts='auto': {source} has rank {rank} of {processes} processes")
    _log.info("num_parts='auto': rank %d of %d, from %s", rank, processes, source)
    return processes, rank


def _found() -> Iterator[tuple[str, int, int]]:
    """Yield where the number of processes and the rank were found, and both; the first counts."""
    torch = sys.modules.get("torch")
    distributed = getattr(torch, "distributed", None)
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        yield "torch.distributed", distributed.get_world_size(), distributed.get_rank()
    jax = sys.modules.get("jax")
    # Without this, jax.process_count() would start a backend.
    is_initialized = getattr(getattr(jax, "distributed", None), "is_initialized", None)
    if jax is not None and is_initialized is not None and is_initialized():
        yield "jax.distributed", jax.process_count(), jax.process_index()
    yield from _environment("WORLD_SIZE", "RANK")
    yield from _slurm()
    yield "no variable of a launcher", 1, 0


def _environment(processes: str, rank: str) -> Iterator[tuple[str, int, int]]:
    present = [name for name in (processes, rank) if name in os.environ]
    if len(present) == 1:
        missing = rank if present == [processes] else processes
        raise ValueError(f"num_parts='auto': the environment has {present[0]}, but not {missing}")
    if present:
        yield f"{rank} and {processes}", _number(processes), _number(rank)


def _slurm() -> Iterator[tuple[str, int, int]]:
    if "SLURM_PROCID" not in os.environ:
        return
    if "SLURM_STEP_NUM_TASKS" in os.environ:
        yield from _environment("SLURM_STEP_NUM_TASKS", "SLURM_PROCID")
    if os.environ.get("SLURM_NTASKS", "1") != "1":
        raise ValueError(
            f"num_parts='auto': SLURM_NTASKS is {os.environ['SLURM_NTASKS']} and SLURM_STEP_NUM_TASKS is not set: this "
            "process is a batch script, not a task of srun; start it with srun, or pass num_parts"
        )


def _number(name: str) -> int:
    text = os.environ[name]
    if not text.isdecimal():
        raise ValueError(f"num_parts='auto': {name} must be an integer, got {text!r}")
    return validate.integer(name, text)
