"""The section of rules, clocks, packs, the ledger and the configuration."""
