"""``kgrag vocab list`` and ``suggest``; the commands that compile join from the ingest root."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgrag.cli.options import json_option, print_json
from kgrag.errors import BadQuestion, SettingsError

if TYPE_CHECKING:
    from kgrag.retrieval.concepts_index import ConceptIndex
    from kgrag.vocabulary.suggest import Suggestion


def register(root: click.Group) -> None:
    """Add the group to ``root``."""
    root.add_command(vocab)


@click.group()
def vocab() -> None:
    """The vocabularies that concepts come from."""


@vocab.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the vocabularies with version, licence, origin and counts."""
    from kgrag.vocabulary.registry import listing

    entries: list[dict[str, Any]] = [dict(entry) for entry in listing()]
    if as_json:
        print_json(entries)
        return
    for entry in entries:
        say_record(entry)


def say_record(record: Mapping[str, Any]) -> None:
    """Print the record of one vocabulary: what it is, under which licence, and what it gave."""
    own = " (yours)" if record.get("added") else ""
    dated = f", {record['date']}" if record.get("date") else ""
    click.echo(f"{record['id']}{own}  {record['version']}{dated}  {record['name']}")
    needed = "; YOU NEED A LICENCE OF YOUR OWN" if record.get("needs_licence") else ""
    click.echo(f"    {record['licence']}{needed}")
    counts = {**record.get("counts", {}), **record.get("joined", {})}
    told = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
    click.echo(f"    {record['origin']} (sha256 {str(record['sha256'])[:12]}...): {told}")


@vocab.command("suggest")
@click.argument("text")
@click.option(
    "--vocabulary",
    default="MESH",
    show_default=True,
    help="The prefix of the ids that are wanted; 'any' takes every concept.",
)
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option(
    "--kb",
    type=click.Path(file_okay=False, path_type=Path),
    help="Suggest, too, what stands beside the named concepts in this kb.",
)
@click.option("--similar", is_flag=True, help="Look at the spelling of other words, too (12 s).")
@click.option("--no-explode", is_flag=True, help="Search lines without the narrower headings.")
@json_option
def suggest_command(
    text: str,
    vocabulary: str,
    limit: int,
    kb: Path | None,
    similar: bool,
    no_explode: bool,
    as_json: bool,
) -> None:
    """Suggest concepts for TEXT, with their names and neighbours, and search lines for PubMed."""
    from kgrag.linking import Linker
    from kgrag.linking.propose import load_proposer
    from kgrag.records.answer import to_plain
    from kgrag.vocabulary.lexicon import Lexicon, default_path
    from kgrag.vocabulary.search_lines import block, search
    from kgrag.vocabulary.suggest import suggest

    if not text.strip():
        raise BadQuestion("the text is empty")
    lexicon = Lexicon.open(default_path())
    prefix = None if vocabulary.lower() == "any" else vocabulary.upper()
    if prefix is not None and not lexicon.counts.get(prefix):
        known = sorted(n for n in lexicon.counts if n not in ("concepts", "names"))
        raise SettingsError(
            f"the lexicon has no ids of {vocabulary!r}", hint=f"known: {', '.join(known)}, any"
        )
    found = suggest(
        text,
        Linker(lexicon),
        vocabulary=prefix,
        limit=limit,
        beside=None if kb is None else _beside(kb),
        spelled=load_proposer("ngrams", lexicon) if similar else None,
    )
    query = search(found.suggestions, explode=not no_explode)
    if as_json:
        listed = [
            {**to_plain(one), "search": block(one, explode=not no_explode)}
            for one in found.suggestions
        ]
        print_json({"text": text, "vocabulary": vocabulary, "suggestions": listed,
                    "without_id": found.without_id, "search": query})  # fmt: skip
        return
    for one in found.suggestions:
        _say_suggestion(one)
    for name in found.without_id:
        click.echo(f"{name}: the text names it, {vocabulary} has no id for it")
    if not found.suggestions and not found.without_id:
        click.echo("nothing of the vocabularies is named in this text")
    if query:
        click.echo(f"\nSearch:\n{query}")


def _beside(kb: Path) -> ConceptIndex:
    from kgrag.engine import Engine
    from kgrag.retrieval.concepts_index import FOLDER, open_concepts

    with Engine.open(kb) as engine:
        return open_concepts(engine.truth, kb / FOLDER)


_REASONS = {
    "named": "named in the text",
    "beside": "stands beside what is named",
    "ambiguous": "may be meant, too",
    "spelling": "is spelled alike",
}


def _say_suggestion(one: Suggestion) -> None:
    words = ", ".join(f"'{word}'" for word in one.words)
    click.echo(
        f"{one.id}  {one.name}  ({one.type}; {_REASONS[one.why]}{': ' * bool(words)}{words})"
    )
    others = [name for name in one.terms if name.casefold() != one.name.casefold()]
    for label, listed in (
        ("also called", others[:8]),
        ("part of", [f"{near.name} ({near.id})" for near in one.parents]),
        ("narrower", [f"{near.name} ({near.id})" for near in one.narrower]),
    ):
        if listed:
            click.echo(f"    {label}: {'; '.join(listed)}")
