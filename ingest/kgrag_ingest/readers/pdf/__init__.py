"""PDF: text by position and font, tables from ruled grids, doubts where extraction is unsure."""

from kgrag_ingest.readers.pdf.reader import PdfReader

__all__ = ["PdfReader"]
