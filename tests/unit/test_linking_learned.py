"""What labelled documents teach, how it is kept, and how it is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrag.errors import SettingsError
from kgrag.linking import Linker
from kgrag.linking.coordination import otherwise_headed, shared
from kgrag.linking.disambiguate import Kin, settle
from kgrag.linking.features import PlaceWeights, place_features
from kgrag.linking.learn import Label, Labelled, learn
from kgrag.linking.learned import Kind, Learned, LearnedName, Weights
from kgrag.linking.linker import shipped
from kgrag.records.concepts import Concept
from kgrag.testing.lexicon import small_lexicon
from kgrag.vocabulary.compile import write_lexicon
from kgrag.vocabulary.lexicon import Candidate, Lexicon


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lexicon]:
    with small_lexicon(tmp_path_factory.mktemp("lexicon") / "lexicon.sqlite") as lexicon:
        yield lexicon


def _labelled(number: int, text: str, *labels: tuple[str, Kind, str]) -> Labelled:
    found = []
    for surface, kind, concept in labels:
        start = text.index(surface)
        found.append(Label(start, start + len(surface), kind, (concept,)))
    return Labelled(f"d{number}", text, tuple(found))


def _documents() -> list[Labelled]:
    """Twelve little documents: "sugar sickness" is diabetes, and "sodium" is never labelled."""
    return [
        _labelled(
            number,
            f"Case {number}: sugar sickness was treated with metformin, and sodium was normal.",
            ("sugar sickness", "condition", "MESH:D003920"),
            ("metformin", "substance", "MESH:D008687"),
        )
        for number in range(12)
    ]


def test_a_name_that_the_lexicon_lacks_is_learned_with_its_concept(lexicon: Lexicon) -> None:
    text = "She has sugar sickness."
    assert Linker(lexicon, Learned()).link(text) == ()
    (mention,) = Linker(lexicon, learn(lexicon, _documents())).link(text)
    assert (mention.text, mention.concept, mention.type) == (
        "sugar sickness", "MESH:D003920", "disease",
    )  # fmt: skip


def test_a_name_that_no_labeller_marks_is_left_out_only_when_read_as_labelled(
    lexicon: Lexicon,
) -> None:
    learned = learn(lexicon, _documents())
    text = "The sodium was normal."
    assert [m.text for m in Linker(lexicon, learned).link(text)] == ["sodium"]
    reading = Linker(lexicon, learned, as_labelled=True).link(text)
    assert "MESH:D012964" not in {m.concept for m in reading}


def test_a_concept_that_the_lexicon_lacks_is_used_only_as_labelled(lexicon: Lexicon) -> None:
    names = (LearnedName("blue fever", "condition", "MESH:D999999", "disease", 9, 9, 9),)
    learned = Learned(names, {"condition": Weights(5.0)})
    assert Linker(lexicon, learned).link("a blue fever") == ()
    (mention,) = Linker(lexicon, learned, as_labelled=True).link("a blue fever")
    assert mention.concept == "MESH:D999999"


def test_learning_is_the_same_whatever_the_order(lexicon: Lexicon, tmp_path: Path) -> None:
    documents = _documents()
    learn(lexicon, documents).write(tmp_path / "a")
    learn(lexicon, documents[::-1]).write(tmp_path / "b")
    for name in ("names.tsv", "weights.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_names_of_one_document_are_not_given_back_when_two_are_asked_for(lexicon: Lexicon) -> None:
    documents = [
        *_documents(),
        _labelled(99, "Rare blue fever.", ("blue fever", "condition", "MESH:D003920")),
    ]
    every = {name.name for name in learn(lexicon, documents).names}
    kept = {name.name for name in learn(lexicon, documents, least_documents=2).names}
    assert "blue fever" in every - kept
    assert "sugar sickness" in kept


def test_what_was_written_is_read_again(lexicon: Lexicon, tmp_path: Path) -> None:
    learned = learn(lexicon, _documents(), about={"documents": "twelve of our own"})
    learned.write(tmp_path)
    assert Learned.read(tmp_path) == learned


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("names.tsv", "name\tkind\n", "columns"),
        (
            "names.tsv",
            "name\tkind\tconcept\tright\tlabelled\tseen\ttype\nx\tgene\t\t0\t0\t1\tdisease\n",
            "line 2",
        ),
        (
            "names.tsv",
            "name\tkind\tconcept\tright\tlabelled\tseen\ttype\nx\tcondition\t\t0\tno\t1\tdisease\n",
            "line 2",
        ),
        ("weights.json", "{}", "weights"),
        ("weights.json", "[1", "weights"),
    ],
)
def test_files_that_are_not_well_formed_are_named(
    lexicon: Lexicon, tmp_path: Path, file: str, text: str, reason: str
) -> None:
    learn(lexicon, _documents()).write(tmp_path)
    (tmp_path / file).write_text(text)
    with pytest.raises(SettingsError, match=reason):
        Learned.read(tmp_path)


def test_the_shipped_files_are_well_formed() -> None:
    learned = shipped()
    assert set(learned.weights) == {"condition", "substance"}
    assert len(learned.names) > 1000
    assert "BC5CDR" in str(learned.about["documents"])


WORDS = st.sampled_from(["", "the", "of", "gene", "acute", "non", "level"])
MARKS = st.sampled_from(["", " ", "-", "(", ")", ",", "."])
SURFACES = st.sampled_from(
    ["pain", "Pain", "HIV", "NaCl", "p53", "ACE inhibitor", "β", "CHRONIC X"]
)


@given(SURFACES, WORDS, WORDS, MARKS, MARKS, st.booleans(), st.randoms(use_true_random=False))
def test_a_place_weighs_what_its_features_weigh(
    surface: str,
    previous: str,
    following: str,
    before: str,
    after: str,
    known: bool,
    random: object,
) -> None:
    features = place_features(surface, previous, following, before, after, known=known)
    weights = {name: random.uniform(-2, 2) for name in features}  # type: ignore[attr-defined]
    found = PlaceWeights(weights).sum(surface, previous, following, before, after, known=known)
    assert found == pytest.approx(sum(weights.values()))


@pytest.fixture(scope="module")
def ambiguous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lexicon]:
    """Two conditions called "cold sickness"; each stands below one other."""
    concepts = [
        Concept("X:1", "hypothermia", "disease", (), ("X:3",)),
        Concept("X:2", "common cold", "disease", (), ("X:4",)),
        Concept("X:3", "injury by weather", "disease"),
        Concept("X:4", "viral infection", "disease"),
    ]
    names = {c.name: {c.curie: (0, False)} for c in concepts}
    names["cold sickness"] = {"X:1": (1, False), "X:2": (1, False)}
    path = tmp_path_factory.mktemp("ambiguous") / "lexicon.sqlite"
    write_lexicon(path, concepts, names)
    with Lexicon.open(path) as lexicon:
        yield lexicon


@pytest.mark.parametrize(
    ("text", "concept", "margin"),
    [
        ("cold sickness", "X:1", 0.0),
        ("cold sickness after a common cold", "X:2", 0.2),
        ("cold sickness, a viral infection", "X:2", 0.1),
        ("cold sickness, an injury by weather", "X:1", 0.1),
    ],
)
def test_the_document_decides_between_rivals(
    ambiguous: Lexicon, text: str, concept: str, margin: float
) -> None:
    mention = Linker(ambiguous, Learned()).link(text)[0]
    assert mention.concept == concept
    assert mention.margin == margin
    assert set(mention.runners_up) == {"X:1", "X:2"} - {concept}


def test_settling_looks_no_further_than_one_step(ambiguous: Lexicon) -> None:
    rivals = (Candidate("X:1", "disease", 1, False), Candidate("X:2", "disease", 1, False))
    assert settle(rivals, {}, Kin(ambiguous)) == ("X:1", 0.0)
    assert settle(rivals, {"X:4": 3}, Kin(ambiguous)) == ("X:2", 0.1)


@pytest.mark.parametrize(
    ("text", "at", "count", "names"),
    [
        ("breast and ovarian cancer", 2, 2, ["breast cancer"]),
        ("colonic  breast  and cervical cancer", 5, 2, ["breast cancer", "colonic cancer"]),
        ("breast and odd cancer", 3, 1, ["breast cancer"]),
        ("breast ovarian cancer", 1, 2, []),
        ("tea and ovarian cancer", 2, 2, []),
        ("ovarian cancer", 0, 2, []),
    ],
)
def test_names_that_share_their_last_words(
    text: str, at: int, count: int, names: list[str]
) -> None:
    known = {"breast cancer", "colonic cancer", "ovarian cancer"}.__contains__
    assert [name for *_, name in shared(text.split(" "), at, count, known)] == names


def test_another_last_word() -> None:
    known = {"renal diseases", "chronic renal disease"}.__contains__
    tokens = ["with", "chronic", "renal", "damage"]
    assert list(otherwise_headed(tokens, 3, known)) == [
        (1, 3, "chronic renal disease"),
        (2, 2, "renal diseases"),
    ]


def test_genes_are_not_drugs(lexicon: Lexicon) -> None:
    linker = Linker(lexicon, Learned())
    assert [m.text for m in linker.link("the metformin dose and the warfarin gene")] == [
        "metformin"
    ]
