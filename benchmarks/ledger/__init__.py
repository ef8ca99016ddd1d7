"""How long the ledger takes to verify, and how long writers wait for each other."""
