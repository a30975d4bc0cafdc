"""Runs of Lightning whose batches are written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from tests.frameworks.loaders import open_loader

if TYPE_CHECKING:
    from pathlib import Path


class Recorder(lightning.LightningModule):  # type: ignore[misc] # Lightning has types elsewhere
    """A model of one number that writes down the labels of its batches: (epoch, labels)."""

    def __init__(self, rec: str, validation: str | None = None) -> None:
        super().__init__()
        self.rec, self.validation = rec, validation
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.batches: list[tuple[int, list[int]]] = []
        self.validated: list[list[int]] = []

    def train_dataloader(self) -> Any:  # noqa: ANN401 a loader
        return open_loader(self.rec)

    def val_dataloader(self) -> Any:  # noqa: ANN401 a loader
        return [] if self.validation is None else open_loader(self.validation, shuffle=False, drop_pad=True)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], number: int) -> torch.Tensor:
        del number
        images, labels = batch
        self.batches.append((self.current_epoch, labels.tolist()))
        return self.weight * images.mean()

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], number: int) -> None:
        del number
        if not self.trainer.sanity_checking:
            self.validated.append(batch[1].tolist())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(
    model: Recorder,
    epochs: int,
    *,
    checkpoint: Path | None = None,
    callbacks: list[Callback] | None = None,
    **options: Any,  # noqa: ANN401 options of many types
) -> Recorder:
    """Train on the CPU, from a checkpoint if one is given."""
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=bool(callbacks),
        callbacks=callbacks or [],
        **options,
    )
    trainer.fit(model, ckpt_path=checkpoint)
    return model


def every_batch(folder: Path) -> ModelCheckpoint:
    """Save a checkpoint after each batch, as ``STEP.ckpt``."""
    return ModelCheckpoint(folder, "{step}", every_n_train_steps=1, save_top_k=-1, auto_insert_metric_name=False)


def every_epoch(folder: Path) -> ModelCheckpoint:
    """Save a checkpoint after each epoch, as ``epoch-N.ckpt``."""
    return ModelCheckpoint(
        folder, "epoch-{epoch}", save_top_k=-1, auto_insert_metric_name=False, save_on_train_epoch_end=True
    )
