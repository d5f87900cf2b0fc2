"""A question in another language is told so; names that are Latin everywhere are no language."""

from __future__ import annotations

import pytest

from kgrag.errors import BadQuestion
from kgrag.retrieval.asked import check_question


@pytest.mark.parametrize(
    "question",
    [
        "Que dosis de aspirina?",
        "Quelle est la dose d'amoxicilline chez l'enfant?",
        "Wie wird Gicht behandelt?",
        "Qual è la dose di amoxicillina?",
        "¿Cuál es el tratamiento de la gota?",
        "Welche Medikamente gibt man bei Asthma?",
    ],
)
def test_another_language_is_a_clear_error(question: str) -> None:
    with pytest.raises(BadQuestion, match="English"):
        check_question(question)


@pytest.mark.parametrize(
    "question",
    [
        "gout",
        "dose amoxicillin pneumonia",
        "Lichen planus et atrophicus",
        "cri du chat syndrome",
        "la belle indifference conversion disorder",
        "El Nino and cholera",
        "What is forme fruste of tic douloureux, and mal de debarquement?",
        "Ataxia telangiectasia in situ ductal carcinoma",
        "de Quervain tenosynovitis treatment",
        "Is mal de Meleda hereditary?",
    ],
)
def test_english_and_latin_names_pass(question: str) -> None:
    assert check_question(question) == question
