"""Pages and pictures of the store, handed out as they are."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Response

from fraudops_airflow.web.archive import ArchiveDep

router = APIRouter()


@router.get("/documents/{area}/{portfolio}/{folder}/{file}")
def document(archive: ArchiveDep, area: str, portfolio: str, folder: str, file: str) -> Response:
    """A stored page or picture as it is: no script runs in it and nothing outside is loaded by it."""
    found = archive.document(area, portfolio, folder, file)
    if found is None:
        raise HTTPException(404, "There is no such document.")
    saved = {"Content-Disposition": f'attachment; filename="{found.saved_as}"'} if found.saved_as else {}
    return Response(
        found.content,
        media_type=found.media_type,
        headers=saved
        | {
            # Without allow-scripts the same origin gives a document nothing but its own pictures (an opaque
            # origin would be refused the session's cookie).
            "Content-Security-Policy": (
                "sandbox allow-same-origin; default-src 'none'; img-src 'self' data:; font-src data:; "
                "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
            )
        },
    )
