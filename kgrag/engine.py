"""The engine: one open kb, searched and asked.

    from kgrag import Engine
    with Engine.open("kb") as engine:
        engine.ask("What is the dose of amoxicillin?").show()

What is heavy (models, index, lexicon, graph) is loaded when it is first needed.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from kgrag.config import Settings, load_settings
from kgrag.errors import BadQuestion, KnowledgeBaseError, NotFound, RetryableError
from kgrag.progress import SILENT, Progress
from kgrag.records.answer import Answer, CitedDocument, Hit, to_plain
from kgrag.records.assertions import Assertion
from kgrag.records.question import AskOptions, Choice, Selection
from kgrag.records.question import Mode as AskMode
from kgrag.stores.sql import open_truth

if TYPE_CHECKING:
    from kgrag.encoding.base import Encoder
    from kgrag.generation.base import LanguageModel
    from kgrag.linking import Linker
    from kgrag.reasoning.loop import Parts
    from kgrag.records.explained import Explained
    from kgrag.records.notes import NoteCheck
    from kgrag.retrieval.passages import HybridRetriever
    from kgrag.stores.base import VectorIndex
    from kgrag.stores.graph import Graph
    from kgrag.stores.tokens import TokenStates
    from kgrag.verification.entailment.base import Entailment
    from kgrag.verification.judge import Judge
    from kgrag.verification.verdict import Verification
    from kgrag.vocabulary.lexicon import Lexicon

Mode = Literal["read", "write"]

# The setting of the kb that says whether a removal has still to reach the index.
_REMOVAL: Final = "removal"

# The folder of the token states of passages.
_STATES: Final = "tokens"


class Engine:
    """One knowledge base, open for reading or as its only writer; a context manager.

    Safe to use from several threads: questions take turns, because they share two models.
    """

    def __init__(self, directory: Path, settings: Settings, mode: Mode, *, create: bool) -> None:
        self.directory = directory
        self.settings = settings
        self.mode: Mode = mode
        self.truth = open_truth(
            settings.stores.truth or directory, mode=mode, directory=directory, create=create
        )
        self._turn = threading.RLock()
        # Held by what changes index and states, from reading the truth to its commit; before
        # ``_turn`` where both are.
        self._changing = threading.RLock()
        self._building = False  # whether a catch-up runs
        self._seen = self.truth.generation
        self._past: tuple[int, str, Parts] | None = None  # the last day that was looked back to
        try:
            self._check_settings()
            if mode == "write":
                self._finish_removal()
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(
        cls,
        location: str | Path,
        *,
        mode: Mode = "read",
        create: bool = False,
        settings: Settings | None = None,
    ) -> Self:
        """The kb in the folder ``location``, with the settings of its ``kgrag.toml``.

        With ``create`` a missing kb is made. KnowledgeBaseError when there is none, or when it was
        made with another encoder; KnowledgeBaseBusy when another process writes to it.
        """
        directory = Path(location)
        if not create and not directory.is_dir():
            raise KnowledgeBaseError(
                f"there is no knowledge base at {directory}",
                hint=f"make one with: kgrag ingest PATH --kb {directory}",
            )
        directory.mkdir(parents=True, exist_ok=True)
        chosen = settings or load_settings(directory / "kgrag.toml")
        return cls(directory, chosen, mode, create=create)

    def _check_settings(self) -> None:
        from kgrag.encoding.adapted import passage_encoder

        made_with = self.truth.setting("encoder")
        wanted = passage_encoder(self.settings.encoding.encoder)
        if made_with is not None and made_with != wanted:
            raise KnowledgeBaseError(
                f"{self.directory} was made with the encoder {made_with!r}, not {wanted!r}",
                hint=f"set encoder = {made_with!r} in its kgrag.toml, or make a new kb",
            )

    # What is loaded when first needed ---------------------------------------------------------

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of passages and questions; from the first writer's on the kb's for good."""
        from kgrag.encoding import load_encoder
        from kgrag.encoding.adapted import passage_encoder

        name = self.settings.encoding.encoder
        encoder = load_encoder(name)
        # Noted now and not at opening: one that cannot be loaded must not bind a new kb.
        if self.mode == "write" and self.truth.setting("encoder") is None:
            self.truth.put_setting("encoder", passage_encoder(name))
        return encoder

    @cached_property
    def index(self) -> VectorIndex:
        """The hybrid index."""
        from kgrag.retrieval.index import shape
        from kgrag.stores.qdrant import open_index

        return open_index(
            self.settings.stores.index or self.directory / "index",
            dimensions=self.encoder.dimensions,
            encoder=shape(self.encoder),
            mode=self.mode,
        )

    @cached_property
    def states(self) -> TokenStates | None:
        """Token states of passages; None when the settings or the encoder have no use for them."""
        from kgrag.encoding.base import TokenEncoder

        wanted = self.settings.retrieval
        if "late" not in wanted.parts or not wanted.keep_states:
            return None
        if not isinstance(self.encoder, TokenEncoder):
            return None
        from kgrag.retrieval.index import open_states

        return open_states(self.directory / _STATES, self.encoder, mode=self.mode)

    @cached_property
    def retriever(self) -> HybridRetriever:
        """Passages by words and by meaning."""
        from kgrag.retrieval.parts import retriever_of

        return retriever_of(self, self.index)

    @cached_property
    def linker(self) -> Linker:
        """Text to mentions, with the compiled lexicon."""
        from kgrag.linking import Linker

        return Linker(self.lexicon)

    @cached_property
    def lexicon(self) -> Lexicon:
        """The concepts and their names."""
        from kgrag.vocabulary.lexicon import Lexicon, default_path

        return Lexicon.open(default_path())

    @cached_property
    def graph(self) -> Graph:
        """The assertions as arrays, as of the truth's present generation."""
        from kgrag.stores.graph import open_graph

        return open_graph(self.truth, self.directory / "graph", write=self.mode == "write")

    @cached_property
    def model(self) -> LanguageModel | None:
        """The local language model; None when the settings say ``none``."""
        if self.settings.generation.model == "none":
            return None
        from kgrag.generation import load_language_model

        return load_language_model(self.settings.generation.model, self.settings.generation)

    @cached_property
    def entailment(self) -> Entailment | None:
        """The checker of entailment; None when the settings name none."""
        from kgrag.verification.judge import checker_of

        return checker_of(self.settings.verification)

    @cached_property
    def _judge(self) -> Judge:
        from kgrag.verification.judge import Judge

        return Judge.of(
            self.settings.verification,
            linker=self.linker,
            folder=self.directory,
            checker=self.entailment,
        )

    @cached_property
    def _parts(self) -> Parts:
        """What answers are made with; read and checked once, not for every question."""
        from kgrag.reasoning.loop import Parts

        return Parts.of(self)

    # Asking ------------------------------------------------------------------------------------

    def search(
        self,
        question: str,
        *,
        limit: int = 10,
        collections: Sequence[str] = (),
        selection: Selection | None = None,
    ) -> list[Hit]:
        """The ``limit`` passages nearest to ``question``, best first, of what is selected.

        ``collections`` narrows the selection. BadQuestion when nothing is as selected.
        """
        with self._turn:
            self._follow()
            self._check_index()
            wanted = _selected(selection, collections)
            return self.retriever.search(question, limit=limit, selection=wanted)

    def explain(
        self,
        question: str,
        *,
        limit: int = 10,
        collections: Sequence[str] = (),
        selection: Selection | None = None,
    ) -> Explained:
        """What ``search`` finds, with what each part of retrieval said of every hit and why.

        Raises as ``search`` does. An explanation is of the ranking and no answer.
        """
        from kgrag.retrieval.explain import explain

        with self._turn:
            self._follow()
            self._check_index()
            wanted = _selected(selection, collections)
            return explain(self, question, limit=limit, selection=wanted)

    def ask(
        self,
        question: str,
        *,
        id: str | None = None,
        collections: Sequence[str] = (),
        selection: Selection | None = None,
        statements: int | None = None,
        words: int | None = None,
        as_of: str | None = None,
        mode: AskMode | None = None,
        choice: Choice | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """Verified statements that answer ``question``, or an abstention with its reason.

        With ``as_of``, an ISO date, only from documents in force on that day; BadQuestion when it
        is no date. ``mode`` replaces the setting: "quote", or "fluent", which needs a checker of
        entailment (SettingsError). ``choice`` says who orders the statements: "rerank", or "model",
        which needs ``generation.order = "model"``; None is what the settings say. After ``seconds``
        no further round of looking is begun.
        """
        from kgrag.reasoning.loop import ask
        from kgrag.reasoning.notices import notice

        limits = self.settings.answer
        options = AskOptions(
            statements=statements or limits.statements,
            words=words or limits.words,
            passages=self.settings.retrieval.passages,
            selection=_selected(selection, collections),
            mode=mode or self.settings.verification.mode,
            choice=choice,
            seconds=seconds,
        )
        with self._turn:
            self._follow()
            if as_of is not None:
                return ask(question, self._parts_as_of(as_of), options, id=id)
            behind = self._check_index()
            answer = ask(question, self._parts, options, id=id)
            if behind:
                answer = replace(answer, warnings=(*answer.warnings, notice("index_behind")))
            return answer

    def check_statement(self, statement: str, evidence: Sequence[str]) -> Verification:
        """Whether the texts support a statement, by the calibration and the checker of this kb.

        DataError when the statement is empty or the whole is too long.
        """
        with self._turn:
            judge = self._judge
        return judge(statement, evidence)

    def check_note(
        self,
        note: str,
        *,
        id: str | None = None,
        collections: Sequence[str] = (),
        selection: Selection | None = None,
        seconds: float | None = None,
        progress: Progress = SILENT,
    ) -> NoteCheck:
        """Each sentence of a note, or of any model's text: supported, contradicted, not covered.

        Within ``seconds`` when given; what was not reached by then says so. Other threads ask
        between two sentences. BadQuestion when the note is empty or too long.
        """
        from kgrag.reasoning.notices import notice
        from kgrag.verification.notes import NoteOptions, check_note

        options = NoteOptions(selection=_selected(selection, collections), seconds=seconds)
        with self._turn:
            self._follow()
            behind = self._check_index()
            searches, linker, judge = self.retriever, self.linker, self._judge
        check = check_note(
            note, self.truth, searches, linker, options,
            id=id, progress=progress, turn=self._turn, judge=judge,
        )  # fmt: skip
        if behind:
            return replace(check, warnings=(*check.warnings, notice("index_behind")))
        return check

    def _check_index(self) -> bool:
        """Whether the index lags behind the truth; KnowledgeBaseError when there is none at all.

        Without an index every question would seem to have no answer.
        """
        generation, stamp = self.truth.generation, self.index.stamp
        if generation and not stamp and self._building:
            raise RetryableError(
                f"the index of {self.directory} is being built",
                hint="try again in a minute; nothing of it can be searched yet",
            )
        if generation and not stamp:
            raise KnowledgeBaseError(
                f"the index of {self.directory} is not built, so nothing would be found",
                hint="any kgrag ingest into it builds it",
            )
        return stamp < generation

    def _parts_as_of(self, as_of: str) -> Parts:
        """What answers of a day are made with; the last is kept, since its index costs seconds."""
        from kgrag.reasoning.loop import Parts
        from kgrag.reasoning.supersession import Past

        made, generation = self._past, self.truth.generation
        if made is not None and made[:2] == (generation, as_of):
            return made[2]
        try:
            parts = Parts.of(Past(self, as_of))
        except ValueError as error:
            raise BadQuestion(str(error)) from error
        self._past = (generation, as_of, parts)
        return parts

    def _follow(self) -> None:
        """A reader sees what another process committed since the last question."""
        generation = self.truth.generation
        behind = "index" in self.__dict__ and self.index.stamp != generation
        if self.mode == "read" and (generation != self._seen or behind):
            if "index" in self.__dict__:
                self.index.refresh()
            if (states := self.__dict__.get("states")) is not None:
                states.refresh()
            if generation != self._seen:
                self.__dict__.pop("graph", None)
        self._seen = generation

    def warm_up(self) -> None:
        """Load all that a question needs, so that the first one does not wait for it."""
        from kgrag.reasoning.emergencies import red_flags
        from kgrag.retrieval.speech import speech

        red_flags(), speech()
        with self._turn:
            _ = self.index, self.linker, self.graph
            self.retriever.search("warm up", limit=1)

    # Looking -----------------------------------------------------------------------------------

    def document(self, document_id: str) -> dict[str, Any]:
        """A document version with its metadata and whole stored text, as plain values."""
        document = self.truth.document(document_id)
        info = self.truth.info(document_id)
        record: dict[str, Any] = to_plain(document)
        return record | {"title": document.title, "status": info.status}

    def assertion(self, assertion_id: str) -> dict[str, Any]:
        """An assertion with names and every piece of evidence, as plain values."""
        found = next(iter(self.truth.assertions([assertion_id])), None)
        if found is None:
            raise NotFound("assertion", assertion_id)
        return self._described(found)

    def concept(self, curie: str) -> dict[str, Any]:
        """A concept with the assertions that it is part of, as plain values."""
        concept: dict[str, Any] = to_plain(self.lexicon.concept(curie))
        assertions = [self._described(a) for a in self.truth.assertions(concept=curie)]
        return concept | {"assertions": assertions}

    def _described(self, assertion: Assertion) -> dict[str, Any]:
        record: dict[str, Any] = to_plain(assertion)
        documents = {e.document_id: self.truth.info(e.document_id) for e in assertion.evidence}
        for evidence in record["evidence"]:
            info = documents[evidence["document_id"]]
            cited = CitedDocument.of(info)
            evidence["document"] = to_plain(cited)
        return record | {
            "id": assertion.id,
            "subject_name": self.name_of(assertion.subject),
            "object_name": self.name_of(assertion.object),
        }

    def name_of(self, curie: str) -> str:
        """The concept's name; the CURIE itself when the lexicon of today lacks it."""
        lexicon = self.lexicon
        return lexicon.concept(curie).name if curie in lexicon else curie

    def stats(self) -> dict[str, Any]:
        """Counts of what the kb holds, its generation, and what it was made with."""
        return {
            **self.truth.counts(),
            "generation": self.truth.generation,
            "encoder": self.truth.setting("encoder"),
            "schema": self.truth.setting("schema"),
        }

    def verify(self) -> tuple[dict[str, int], list[str]]:
        """What was checked, by kind and number, and every problem found."""
        problems = list(self.truth.verify())
        counts = dict(self.truth.counts())
        generation, stamp = self.generations()
        if generation != stamp:
            problems.append(
                f"the index is at generation {stamp} of {generation}; any ingest catches it up"
            )
        if self.states is not None:
            problems.extend(self.states.verify())
        return {k: v for k, v in counts.items() if v}, problems

    def generations(self) -> tuple[int, int]:
        """The generation of the truth and the one that the index reflects."""
        with self._turn:
            return self.truth.generation, self.index.stamp

    # Changing ----------------------------------------------------------------------------------

    def catch_up(self, progress: Progress = SILENT, *, sharing: bool = False) -> dict[str, float]:
        """Index and graph reflect the truth; the seconds each took. Needs mode ``write``.

        With ``sharing`` questions of other threads are answered meanwhile, from what is there.
        """
        from kgrag.retrieval.concepts_index import keep_concepts
        from kgrag.retrieval.index import catch_up
        from kgrag.stores.in_turn import in_turn

        seconds: dict[str, float] = {}
        began = time.perf_counter()
        with self._changing:
            with self._turn:
                index, states = self.index, self.states
                if sharing:
                    index = in_turn(index, self._turn)
                    states = None if states is None else in_turn(states, self._turn)
            self._building = True
            try:
                with nullcontext() if sharing else self._turn:
                    if self.truth.generation != 0:
                        catch_up(self.truth, index, self.encoder, states=states, progress=progress)
            finally:
                self._building = False
        seconds["index"] = time.perf_counter() - began
        with self._changing, self._turn:
            began = time.perf_counter()
            self.__dict__.pop("graph", None)
            _ = self.graph
            keep_concepts(self.truth, self.directory, self.settings.retrieval.parts)
            seconds["graph"] = time.perf_counter() - began
        return seconds

    def remove(self, document_id: str) -> bool:
        """The document and all that came from it are in no file of the kb; a tombstone stays.

        It waits for a catch-up of another thread, which might put back what it had read before.
        """
        with self._changing, self._turn:
            self.truth.info(document_id)  # NotFound before anything is noted
            # Noted first: killed from here on, the next writer finishes what this one began.
            self.truth.put_setting(_REMOVAL, "due")
            changed = self.truth.remove(document_id)
            self._finish_removal()
        return changed

    def _finish_removal(self) -> None:
        """What was removed is in no file, when a removal was begun and not finished."""
        if self.truth.setting(_REMOVAL) != "due":
            return
        from kgrag.stores.rdf import forget

        self.truth.purge()
        self.catch_up()
        self.index.purge()
        if self.states is not None:
            self.states.purge()
        elif (self.directory / _STATES).exists():
            shutil.rmtree(self.directory / _STATES)  # kept by settings of before
        forget(self.directory)
        self.truth.put_setting(_REMOVAL, "done")

    def announce(self, url: str) -> None:
        """Tell other processes of this machine that this writer serves at ``url``."""
        if self.truth.lock is None:
            raise KnowledgeBaseError(f"{self.directory} is open for reading, not for serving")
        self.truth.lock.set_url(url)

    def export(self, form: str, out: Path) -> int:
        """Write all assertions to ``out`` as trig, nt, jsonld or graphml; their number."""
        from kgrag.stores.rdf import export

        return export(self.truth, self.lexicon, form, out)["assertions"]

    def sparql(self, query: str) -> list[Mapping[str, str]]:
        """The rows that ``query`` gives over the assertions."""
        from kgrag.stores.rdf import sparql

        names = self.lexicon
        found = sparql(self.truth, names, self.directory, query, edition=names.sha256)
        return found.plain_rows()

    def close(self) -> None:
        """Give back the index, the database and the writer's lock."""
        if "index" in self.__dict__:
            self.index.close()
        if (states := self.__dict__.get("states")) is not None:
            states.close()
        self.truth.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _selected(selection: Selection | None, collections: Sequence[str]) -> Selection:
    chosen = selection or Selection()
    return replace(chosen, collections=tuple(collections)) if collections else chosen
