"""Versions, what they were compared by, who promoted them."""
