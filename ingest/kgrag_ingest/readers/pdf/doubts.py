"""Reasons to distrust what was read from a page."""

from __future__ import annotations

import re

from kgrag_ingest.readers.build import TextBuilder
from kgrag_ingest.readers.pdf.layout import PageContent

# A letter and a sign or digit that no word mixes: "d0s3", "rec@mm", "h€art". Units and names such
# as "CO2", "B12", "mg/dL", "p53" or "CYP3A4" are let through.
_MIXED = re.compile(
    r"[^\W\d_][@#$€£|~^¤§¡¢¬¦]|[@#$€£|~^¤§¡¢¬¦][^\W\d_]|[a-z]\d+[a-z]|[^\W\d_][A-Za-z]*0[a-z]"
)
_STRANGE = re.compile("[\ufffd\ue000-\uf8ff¤¦¬§~|^]")


def note_doubts(builder: TextBuilder, page: PageContent) -> None:
    """Add the doubts of ``page``; nothing when it reads well."""
    words = [word.text for line in page.lines for word in line.words]
    chars = sum(map(len, words))
    if chars < 25 and page.pictures > 0.3:
        builder.doubt("scanned", 1.0, "the page is a picture without a text layer", page.number)
        return
    if page.pictures > 0.85 and chars:
        # A text layer under a scan comes from a machine that guessed the letters.
        builder.doubt("scanned", 0.5, "the text was recognised from a picture", page.number)
    if chars:
        mixed = sum(bool(_MIXED.search(w)) for w in words) / len(words)
        strange = sum(len(_STRANGE.findall(w)) for w in words) / chars
        share = max(mixed, 4 * strange, 4 * page.odd)
        if share > 0.15:
            builder.doubt(
                "garbled",
                min(1.0, 0.5 + share),
                f"about {min(1.0, share):.0%} of the words are not words",
                page.number,
            )
    if page.unsure:
        builder.doubt("reading_order", 0.6, page.unsure, page.number)
