"""kgrag inside LlamaIndex: a retriever of passages and a query engine of verified answers.

Neither uses a model of LlamaIndex: retrieval and answers are the engine's own.
"""

from __future__ import annotations

from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from kgrag.engine import Engine
from kgrag.records.answer import Hit, to_plain


def _node(hit: Hit, not_an_answer: bool = False) -> NodeWithScore:
    metadata: dict[str, Any] = {
        "document": to_plain(hit.document),
        "section": list(hit.section),
        "page": hit.page,
    }
    if not_an_answer:
        metadata["not_an_answer"] = True
    node = TextNode(
        id_=hit.passage_id,
        text=hit.text,
        start_char_idx=hit.start,
        end_char_idx=hit.end,
        metadata=metadata,
        # A model that another component calls sees the passage, not the book-keeping.
        excluded_llm_metadata_keys=list(metadata),
        excluded_embed_metadata_keys=list(metadata),
    )
    return NodeWithScore(node=node, score=hit.score)


class KgragRetriever(BaseRetriever):
    """Passages of ``engine`` as LlamaIndex nodes; offsets are those of the stored text."""

    def __init__(self, engine: Engine, *, limit: int = 10) -> None:
        self._engine = engine
        self._limit = limit
        super().__init__(callback_manager=CallbackManager())

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = self._engine.search(query_bundle.query_str, limit=self._limit)
        return [_node(hit) for hit in hits]


class KgragQueryEngine(BaseQueryEngine):
    """Answers of ``engine`` as LlamaIndex responses.

    The response's text is the warnings, an emergency first, then the verified statements or the
    reason of the abstention, then what would change the answer; its metadata holds the whole answer
    under ``answer``; its sources are the passages of the evidence chain. Those of an abstention are
    the nearest evidence and have ``"not_an_answer": True`` in their metadata.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        super().__init__(callback_manager=CallbackManager())

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}

    def _query(self, query_bundle: QueryBundle) -> Response:
        answer = self._engine.ask(query_bundle.query_str)
        said = [s.text for s in answer.statements] or [str(answer.reason)]
        return Response(
            response="\n".join((*answer.warnings, *said, *answer.follow_up)),
            source_nodes=[_node(hit, answer.abstained) for hit in answer.evidence.passages],
            metadata={"answer": answer.to_json()},
        )

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return self._query(query_bundle)
