"""How long the pages of Fraud Ops take over a large installation."""
