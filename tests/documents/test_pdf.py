from __future__ import annotations

import io
import subprocess
import sys

from fraudops.documents import Document, Facts, Heading, Paragraph, Picture, Table, render
from matplotlib.figure import Figure
from pypdf import PdfReader


def _picture() -> bytes:
    figure = Figure(figsize=(4, 2))
    figure.subplots().plot([1, 2, 3])
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _document(mark: str | None = None) -> Document:
    return Document(
        title="Monthly pack",
        subtitle="cards, March 2026",
        mark=mark,
        blocks=[
            Heading("Łukasz & <Ωmega>"),
            Paragraph("First line\nsecond line"),
            Facts([("Customer", "Никита <b>bold</b>")]),
            Table(["rule", "hits"], [[f"rule {at}", str(at)] for at in range(120)], numbers=[1]),
            Picture(_picture(), "what it shows"),
        ],
    )


def _words(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def test_everything_is_on_the_pages_as_it_was_written() -> None:
    pages = _words(render(_document("DRAFT")))
    words = "\n".join(pages)
    for text in ("Łukasz & <Ωmega>", "Никита <b>bold</b>", "First line", "rule 119", "what it shows"):
        assert text in words
    assert len(pages) > 2
    assert all("DRAFT" in page and "Monthly pack" in page for page in pages)
    assert all("hits" in page for page in pages[:-1]), "a table's titles are on each of its pages"


def test_the_same_content_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib; from tests.documents.test_pdf import _document, render;"
        "print(hashlib.sha256(render(_document())).hexdigest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_a_picture_and_a_table_without_rows_fit_any_page() -> None:
    tall = Figure(figsize=(1, 9))
    out = io.BytesIO()
    tall.savefig(out, format="png")
    document = Document("t", "s", [Table(["a"], []), Facts([]), Picture(out.getvalue())])
    assert len(_words(render(document))) <= 2
