"""The queue of cases, one case with everything that explains it and is done with it, and the model's alerts."""
