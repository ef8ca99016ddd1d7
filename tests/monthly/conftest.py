"""A shop whose eight days are all that it has of a month."""

from __future__ import annotations

from tests.keeping.conftest import _model_shop, shop

__all__ = ["_model_shop", "shop"]
