"""The Fraud Detection Handbook's protocol: ours, its own features and models, and what could be reached at all."""
