"""kgrag as a retriever and as a query engine of LlamaIndex."""

from pathlib import Path

import pytest

from kgrag import Engine
from kgrag.reasoning.notices import notice

pytestmark = [
    pytest.mark.models,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:llama_index"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pydantic"),
]


def test_retriever_and_query_engine_give_what_the_engine_gives(demo_kb: Path) -> None:
    from kgrag.integrations.llama_index import KgragQueryEngine, KgragRetriever

    with Engine.open(demo_kb) as engine:
        nodes = KgragRetriever(engine, limit=4).retrieve("asthma")
        hits = engine.search("asthma", limit=4)
        assert [n.node.node_id for n in nodes] == [h.passage_id for h in hits]
        for found in nodes:
            text = engine.document(found.node.metadata["document"]["id"])["text"]
            start, end = found.node.start_char_idx, found.node.end_char_idx
            assert text[start:end] == found.node.get_content()
        question = "What dose of doxycycline is given to adults with pneumonia?"
        response = KgragQueryEngine(engine).query(question)
        answer = engine.ask(question)
        assert not answer.abstained
        said = [s.text for s in answer.statements]
        assert str(response) == "\n".join((*answer.warnings, *said, *answer.follow_up))
        urgent = KgragQueryEngine(engine).query(
            "My father has sudden crushing chest pain. Should he take aspirin?"
        )
        assert str(urgent).startswith(notice("emergency"))
        nothing = KgragQueryEngine(engine).query("Who painted the ceiling of the chapel?")
        assert nothing.metadata["answer"]["abstained"]
        assert all(n.node.metadata["not_an_answer"] for n in nothing.source_nodes)
        assert not any("not_an_answer" in n.node.metadata for n in response.source_nodes)
        assert response.metadata["answer"]["statements"]
