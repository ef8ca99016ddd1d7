"""What a form sends, read only once it is known who sends it: a stranger's upload is not even looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fraudops.cases.attachments import LARGEST
from fraudops.errors import ContractError
from starlette.datastructures import UploadFile

from fraudops_airflow.web.access import PersonDep
from fraudops_airflow.web.asked import is_whole

_VERSION_DIGITS = 9
_OF_FIELDS = 1_000_000
"""Bytes of everything that is no file."""


@dataclass(frozen=True)
class Sent:
    """Fields of a form, and its file.

    Attributes
    ----------
    file
        Name and bytes; None where none was chosen.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, bytes] | None = None

    def text(self, name: str) -> str:
        """A field as it was typed; empty where there is none."""
        return self.fields.get(name, "")

    @property
    def version(self) -> int:
        """The version of the case that the person has seen.

        Raises
        ------
        ContractError
            The form does not say.
        """
        text = self.text("version")
        if not is_whole(text, _VERSION_DIGITS):
            raise ContractError("the form does not say which version of the case you saw", remedy="open the case again")
        return int(text)

    def starting_with(self, prefix: str) -> dict[str, str]:
        """Fields whose names begin so: what follows → what was chosen, without those that are empty."""
        return {name[len(prefix) :]: value for name, value in self.fields.items() if name.startswith(prefix) and value}


async def read_form(request: Request, person: PersonDep) -> Sent:
    """The form of a request; refused where it is larger than anything that can be attached."""
    size = request.headers.get("content-length", "")
    if not (size.isascii() and size.isdigit()):
        raise HTTPException(411, "The request does not say how large it is.")
    if int(size) > LARGEST + _OF_FIELDS:
        raise HTTPException(413, f"Attach files of at most {LARGEST // 1_000_000} MB.")
    async with request.form(max_files=1, max_fields=1_000, max_part_size=_OF_FIELDS) as form:
        fields, file = dict[str, str](), None
        for name, value in form.items():
            if isinstance(value, UploadFile):
                content = await value.read()
                file = (value.filename or "file", content) if value.filename else None
            else:
                # Browsers send line breaks as two characters.
                fields[name] = value.replace("\r\n", "\n")
    return Sent(fields, file)


SentDep = Annotated[Sent, Depends(read_form)]
