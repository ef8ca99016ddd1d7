"""The evidence pack of a model version: all that a validator needs, on one page and as data.

Gathering (:mod:`.gathering` and what it calls) knows the store and the database and no HTML; writing
(:mod:`.writing`) knows the page and no database; :mod:`.filing` keeps the revisions. A pack has no wall-clock time:
the same inputs give the same bytes, and moments of decisions are the ledger's.
"""

from fraudops.reports.evidence.filing import FiledPack, file_pack, file_packs, filed_packs, read_pack

__all__ = ["FiledPack", "file_pack", "file_packs", "filed_packs", "read_pack"]
