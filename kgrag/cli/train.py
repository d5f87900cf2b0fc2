"""``kgrag train retriever``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrag.cli import EXIT_REFUSED
from kgrag.cli.options import json_option, print_json
from kgrag.progress import terminal_progress


def register(root: click.Group) -> None:
    """Add the group to ``root``."""
    root.add_command(train)


@click.group()
def train() -> None:
    """Models trained on your own questions, on this machine."""


@train.command()
@click.option(
    "--pairs",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help='JSONL of {"question", "passage" or "passage_id", optional "answer"}.',
)
@click.option(
    "--kb",
    "kbs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A knowledge base whose passages are told apart (repeatable).",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The model folder to make."
)
@click.option(
    "--encoder",
    default="all-minilm-l6-v2",
    show_default=True,
    help="Without --kb: the encoder of passages.",
)
@click.option(
    "--signal",
    type=click.Choice(["pairs", "usefulness", "both"]),
    default="pairs",
    show_default=True,
    help="Learn the pairs, what raises the model's likelihood of the answer, or both.",
)
@click.option(
    "--model",
    default="smollm2-135m-instruct",
    show_default=True,
    help="The language model that tells usefulness.",
)
@click.option(
    "--keep",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSONL of {"question"}: questions of other kinds whose ranking shall stay.',
)
@click.option("--epochs", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--batch", type=click.IntRange(2, 65536), default=128, show_default=True)
@click.option("--rank", type=click.IntRange(1, 1024), default=32, show_default=True)
@click.option(
    "--rate",
    type=click.FloatRange(1e-6, 1.0),
    default=5e-4,
    show_default=True,
    help="Step of learning; larger for few pairs.",
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option(
    "--held-out",
    type=click.FloatRange(0.01, 0.4),
    default=0.1,
    show_default=True,
    help="Share of the questions that says when to stop; as many again judge the result.",
)
@click.option("--time-limit", type=click.FloatRange(min=1), help="Seconds of training at most.")
@click.option(
    "--shuffled",
    is_flag=True,
    help="The control: each question learns another's passages. It should not help.",
)
@json_option
def retriever(
    pairs: Path,
    kbs: tuple[Path, ...],
    out: Path,
    encoder: str,
    signal: str,
    model: str,
    keep: Path | None,
    epochs: int,
    batch: int,
    rank: int,
    rate: float,
    seed: int,
    device: str,
    held_out: float,
    time_limit: float | None,
    shuffled: bool,
    as_json: bool,
) -> None:
    """Adapt the vectors of questions to the passages that answer them.

    Passages keep their vectors: a kb of the same encoder opens with the folder at once. Nothing
    is written when questions that were held out do not gain.
    """
    from kgrag.models.cpu import before_torch

    before_torch()  # before the modules that load torch
    from kgrag.training.fit import Recipe
    from kgrag.training.retriever import Plan, train_retriever

    plan = Plan(
        pairs=pairs,
        out=out,
        kbs=kbs,
        encoder=encoder,
        signal=signal,  # type: ignore[arg-type]
        recipe=Recipe(
            epochs=epochs,
            batch=batch,
            rank=rank,
            rate=rate,
            seed=seed,
            pairs=signal != "usefulness",
        ),
        held_out=held_out,
        keep=keep,
        device=device,
        seconds=time_limit,
        model=model,
        shuffled=shuffled,
    )
    with terminal_progress() as progress:
        trained = train_retriever(plan, progress=progress)
    if as_json:
        print_json({"folder": trained.folder and str(trained.folder), **trained.card})
    else:
        click.echo(f"dense, MRR@10 on {trained.dense.n} held-out questions: {trained.dense}")
        click.echo(f"joined with BM25: {trained.fused}")
        if trained.folder is not None:
            click.echo(f'{trained.folder}: encoder = "sentence-transformers:{trained.folder}"')
    if trained.folder is None:
        click.echo("it does not help questions that it has not seen: nothing is written", err=True)
        click.get_current_context().exit(EXIT_REFUSED)
