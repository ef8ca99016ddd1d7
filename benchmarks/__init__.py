"""What fraudops costs and how well it does, beside a stated reference; see ``benchmarks/README.md``."""
