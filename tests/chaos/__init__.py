"""Breaks fraudops on purpose and compares what came of it with a twin that was left in peace.

``python -m tests.chaos --kills 200`` (``make chaos KILLS=200``); see ``docs/reliability.md``.
"""
