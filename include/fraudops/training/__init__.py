"""Training: from matured labels to candidates, each a model that carries its preprocessing and thresholds.

Modules are imported one by one, because a task that only assembles the data set needs no booster.
"""
