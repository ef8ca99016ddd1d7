"""Rules, hits, packs, the ledger, the configuration as read."""
