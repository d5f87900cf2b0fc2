"""What answers over the demonstration guidelines say and never say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgrag import Engine
from kgrag.errors import BadQuestion
from kgrag.records.question import Selection
from kgrag.render import answer_html, answer_text
from kgrag.verification.units import has_dose

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def engine(demo_kb: Path) -> Iterator[Engine]:
    with Engine.open(demo_kb) as opened:
        yield opened


def test_a_dose_is_that_of_the_drug_asked_about(engine: Engine) -> None:
    answer = engine.ask("What dose of doxycycline is given to adults with pneumonia?")
    doses = [s.text for s in answer.statements if has_dose(s.text)]
    assert doses
    assert all("oxycycline" in text for text in doses)


def test_a_connection_is_answered_by_a_chain_with_a_quotation_an_edge(engine: Engine) -> None:
    answer = engine.ask("How is obesity connected with chronic kidney disease?")
    path = answer.statements[0]
    assert path.kind == "path"
    assert len(path.citations) == len(path.assertions) == 2
    for citation, assertion in zip(path.citations, path.assertions, strict=True):
        quotes = [e["quote"] for e in engine.assertion(assertion)["evidence"]]
        assert citation.quote in quotes
    assert "2 assertions joined" in path.checks[-1].detail
    for shown in (answer_text(answer), answer_html(answer)):
        assert all(citation.quote in shown for citation in path.citations)


def test_what_is_not_selected_is_not_seen_through_the_graph(engine: Engine) -> None:
    question = "How is obesity connected with chronic kidney disease?"
    assert engine.ask(question).evidence.paths
    only = Selection(publishers=("Northern Demo Panel",))
    answer = engine.ask(question, selection=only)
    assert answer.evidence.paths == ()
    assert not [s for s in answer.statements if s.kind == "path"]
    assert {h.document.publisher for h in answer.evidence.passages} <= {"Northern Demo Panel"}
    with pytest.raises(BadQuestion):
        engine.ask(question, collections=["elsewhere"])


def test_a_replaced_version_is_readable_and_never_cited(engine: Engine) -> None:
    (old,) = engine.truth.documents(status="replaced")
    assert engine.document(old.id)["status"] == "replaced"
    for question in ("What is the first choice for hypertension?", "hypertension atenolol"):
        answer = engine.ask(question)
        cited = [c.document.id for s in answer.statements for c in s.citations]
        cited += [hit.document.id for hit in answer.evidence.passages]
        cited += [step.citation.document.id for p in answer.evidence.paths for step in p]
        assert old.id not in cited


def test_limits_are_kept(engine: Engine) -> None:
    answer = engine.ask("How is community-acquired pneumonia treated?", statements=1, words=20)
    assert len(answer.statements) <= 1
    assert all(len(s.text.split()) <= 20 for s in answer.statements)


def test_an_open_reader_sees_what_a_writer_commits(tmp_path: Path) -> None:
    from kgrag_ingest.pipeline import ingest

    note = tmp_path / "scurvy.md"
    note.write_text("# Scurvy\n\nScurvy is caused by a lack of vitamin C in the diet.\n")
    with Engine.open(tmp_path / "kb", mode="write", create=True) as writer:
        writer.catch_up()
        with Engine.open(tmp_path / "kb") as reader:
            assert reader.search("scurvy") == []
            ingest([note], writer.truth, writer.linker)
            writer.catch_up()
            assert [hit.document.title for hit in reader.search("scurvy")] == ["Scurvy"]


def test_nothing_heavy_is_loaded_when_nothing_is_embedded(demo_kb: Path) -> None:
    code = (
        "import sys; from kgrag import Engine\n"
        "with Engine.open(sys.argv[1]) as engine: engine.stats(); engine.generations()\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, demo_kb], check=True)
