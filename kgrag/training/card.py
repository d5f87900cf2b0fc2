"""What a trained folder tells of itself: counts, hashes, settings and figures; no text of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kgrag.evaluation.compare import Comparison, Estimate


def model_card(trained: Mapping[str, Any]) -> str:
    """The README of the folder, in Markdown, of the manifest's ``trained``."""
    data, figures = trained["data"], trained["figures"]
    rows = [
        f"| {way}, {found['measure']} | {found['before']} | {found['after']} | "
        f"{found['difference']} |"
        for way, found in figures.items()
    ]
    return "\n".join(
        [
            "# An adapter of question vectors",
            "",
            "Made by `kgrag train retriever`. Passages keep the vectors of their encoder,",
            f"`{trained['passage_encoder']}`; a kb that was made with it opens with this folder:",
            "",
            "    [encoding]",
            '    encoder = "sentence-transformers:THIS-FOLDER"',
            "",
            "It was measured on questions that it did not see, about passages that no question it",
            "saw is about. Of other kinds of questions it tells nothing: measure it on yours.",
            "",
            "| ranking | before | after | difference |",
            "|---|---|---|---|",
            *rows,
            "",
            "| data | |",
            "|---|---|",
            *(f"| {name.replace('_', ' ')} | {value} |" for name, value in data.items()),
            "",
            "| setting | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in trained["settings"].items()),
            "",
        ]
    )


def figure(measure: str, before: Estimate, after: Estimate, found: Comparison) -> dict[str, Any]:
    """A row of the card: means and their difference with 95% intervals, p of permutations."""
    return {
        "measure": measure,
        "before": str(before),
        "after": str(after),
        "difference": str(found),
        "questions": found.n,
    }
