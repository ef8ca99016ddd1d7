"""Documents for people to print and to keep: PDF pages made of plain data."""

from fraudops.documents.pdf import Block, Document, Facts, Heading, Paragraph, Picture, Table, render

__all__ = ["Block", "Document", "Facts", "Heading", "Paragraph", "Picture", "Table", "render"]
