"""``kgrag eval``: the kb of a suite is made by the real pipeline, then its questions are asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, cast

import click

from kgrag.cli.options import json_option, print_json
from kgrag.errors import DataError, KnowledgeBaseError, SettingsError
from kgrag.paths import cache_dir

if TYPE_CHECKING:
    from kgrag.config import Settings
    from kgrag.evaluation.registry import Held, Told
    from kgrag.progress import Progress


def build_kb(suite: Held, work: Path, settings: Settings, progress: Progress) -> Path:
    """The folder of the kb that holds the suite's corpus, made below ``work`` or brought up.

    A corpus that is unchanged costs a look at its file, and what a kill left is gone on with. A kb
    made with another encoder lies beside it. SettingsError when the suite has no corpus; DataError
    when a record is refused.
    """
    from kgrag.engine import Engine
    from kgrag.ids import make_id
    from kgrag.retrieval.parts import SCORERS, SOURCES
    from kgrag_ingest.pipeline import ingest
    from kgrag_ingest.recipes import load

    if not suite.corpus:
        raise SettingsError(f"{suite.name} has no corpus of its own", hint="give --kb DIR")
    home = work / suite.base
    source = home / "src" / "corpus.jsonl"
    if not source.exists() or source.read_bytes() != suite.corpus:
        source.parent.mkdir(parents=True, exist_ok=True)
        part = source.with_suffix(".part")
        part.write_bytes(suite.corpus)
        part.replace(source)
    encoder = settings.encoding.encoder
    plain = encoder == type(settings)().encoding.encoder
    kb = home / ("kb" if plain else f"kb-{make_id('enc', encoder)[4:16]}")
    # Every part finds what it needs in the kb, those too that are only tried.
    every = settings.retrieval.model_copy(update={"parts": (*SOURCES, *SCORERS)})
    settings = settings.model_copy(update={"retrieval": every})
    with Engine.open(kb, mode="write", create=True, settings=settings) as engine:
        report = ingest(
            [source.parent],
            engine.truth,
            engine.linker,
            recipe=load(suite.recipe) if suite.recipe else None,
            collection=suite.base,
            progress=progress,
        )
        if report.refusals:
            first = report.refusals[0]
            raise DataError(f"{first.uri}: {first.reason}")
        engine.catch_up(progress)
    return kb


@click.command("eval")
@click.argument("suite_name", required=False, metavar="[SUITE]")
@click.option("--data", type=click.Path(path_type=Path), help="The data folder [KGRAG_DATA].")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where kbs of suites are kept [default: the cache folder; of --corpus nowhere].",
)
@click.option("--kb", type=click.Path(path_type=Path), help="A kb that holds the corpus already.")
@click.option("--questions", type=click.Path(path_type=Path), help="Your own questions, JSONL.")
@click.option("--corpus", type=click.Path(path_type=Path), help="Your own records, JSONL.")
@click.option("--qrels", type=click.Path(path_type=Path), help="question, document, grade; tabs.")
@click.option("--pairs", type=click.Path(path_type=Path), help="Your own pairs, JSONL: verdicts.")
@click.option("--calibrate", is_flag=True, help="Keep what was measured with --kb.")
@click.option("--split", type=click.Choice(["dev", "test", "all"]), default="all")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many questions.")
@click.option("--without", multiple=True, metavar="PART", help="Take a part of retrieval out.")
@click.option("--with", "added", multiple=True, metavar="PART", help="Add a part of retrieval.")
@click.option("--try", "tried", multiple=True, metavar="PART", help="Try only these by themselves.")
@click.option("--ablations/--no-ablations", default=True, help="Try every part by itself.")
@click.option("--encoder", help="The encoder, as the settings name it.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Keep the report.")
@json_option
def evaluate(
    suite_name: str | None,
    data: Path | None,
    work: Path | None,
    kb: Path | None,
    questions: Path | None,
    corpus: Path | None,
    qrels: Path | None,
    pairs: Path | None,
    calibrate: bool,
    split: str,
    limit: int | None,
    without: tuple[str, ...],
    added: tuple[str, ...],
    tried: tuple[str, ...],
    ablations: bool,
    encoder: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure SUITE, or retrieval on your own questions, or verdicts on your own pairs.

    Baselines stand beside it, with intervals and paired tests.
    """
    from kgrag.engine import Engine
    from kgrag.evaluation import load_suite
    from kgrag.evaluation.evaluate import evaluate as run
    from kgrag.evaluation.own import against, own_suite
    from kgrag.evaluation.registry import Request, runner
    from kgrag.progress import terminal_progress

    if pairs is not None and (suite_name is not None or questions is not None):
        raise click.UsageError("--pairs goes without SUITE and --questions")
    made = runner("verdicts" if pairs is not None else suite_name or "")
    if made is not None:
        half = cast(Literal["dev", "test", "all"], split)
        name = suite_name or "verdicts"
        with terminal_progress() as progress:

            def build(suite: Held) -> Path:
                return build_kb(
                    suite, work or cache_dir("eval"), _settings(None, encoder), progress
                )

            told = made(Request(name, data, half, limit, kb, pairs, calibrate, progress, build))
        _tell(told, out, as_json)
        return
    if calibrate:
        raise click.UsageError("--calibrate goes with a suite of verdicts or of answers")
    if (suite_name is None) == (questions is None):
        raise click.UsageError("give a SUITE or --questions FILE, one of them")
    if suite_name is not None and (corpus or qrels):
        raise click.UsageError("--corpus and --qrels go with --questions")
    if questions is not None and (corpus is None) == (kb is None):
        raise click.UsageError("with --questions give --corpus FILE or --kb DIR, one of them")
    if questions is not None:
        suite = own_suite(questions, corpus, qrels)
    else:
        assert suite_name is not None
        suite = load_suite(suite_name, data)
    suite = suite.of(cast(Literal["dev", "test", "all"], split), limit)
    if not suite.queries:
        raise DataError(f"no question of {suite.name} is in the part {split!r}")
    with terminal_progress() as progress, _home(work, public=questions is None) as home:
        settings = _settings(kb, encoder)
        folder = kb or build_kb(suite, home, settings, progress)
        if not folder.is_dir():
            raise KnowledgeBaseError(f"there is no knowledge base at {folder}")
        with Engine.open(folder, settings=settings) as engine:
            if questions is not None and corpus is None:
                suite = against(engine, suite)
            report = run(
                engine,
                suite,
                split=split,
                without=without,
                added=added,
                tried=(tried or None) if ablations else (),
                progress=progress,
            )
    _tell(report, out, as_json)


@contextmanager
def _home(work: Path | None, *, public: bool) -> Iterator[Path]:
    """Where the kb is made. A user's own corpus is kept only where the user says so."""
    if work is not None:
        yield work
    elif public:
        yield cache_dir("eval")
    else:
        with TemporaryDirectory(prefix="kgrag-eval-") as folder:
            yield Path(folder)


def _tell(report: Told, out: Path | None, as_json: bool) -> None:
    if out is not None:
        for path in report.write(out):
            click.echo(f"wrote {path}", err=True)
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(report.to_markdown(), nl=False)


def _settings(kb: Path | None, encoder: str | None) -> Settings:
    from kgrag.config import load_settings

    settings = load_settings(kb / "kgrag.toml" if kb else None)
    if encoder is None:
        return settings
    changed = settings.encoding.model_copy(update={"encoder": encoder})
    return settings.model_copy(update={"encoding": changed})
