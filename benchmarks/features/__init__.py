"""The Fraud Detection Handbook's fourteen features: its loops over pandas, and ours."""
