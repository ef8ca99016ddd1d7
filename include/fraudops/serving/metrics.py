"""What Prometheus reads: counts, times and states. Labels are names of portfolios, words and statuses alone."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The service's measures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests by route and status.", "route", "status")
        self.seconds = Histogram(
            "fraudops_request_seconds", "From a request to its answer.", ["route"], buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.transactions = self._counter("transactions", "Transactions by what was decided.", "portfolio", "decision")
        self.problems = self._counter("problems", "Problems by their type, those of rows included.", "type")
        self.rows = Histogram(
            "fraudops_request_transactions", "Transactions of a request.", buckets=_ROWS, registry=self.registry
        )
        self.batch = Histogram(
            "fraudops_batch_transactions", "Transactions decided together.", buckets=_ROWS, registry=self.registry
        )
        self.waiting = Gauge("fraudops_waiting_transactions", "Transactions that wait.", registry=self.registry)
        self.degraded = self._gauge("degraded", "1 while it is away.", "what")
        self.ready = Gauge("fraudops_ready", "1 while the service can answer.", registry=self.registry)
        self.model = self._gauge("model_info", "1 for the version in force.", "portfolio", "version")
        self._versions: dict[str, str] = {}
        self._away: set[str] = set()

    def set_champion(self, portfolio: str, version: str) -> None:
        """Say which version is in force."""
        before = self._versions.get(portfolio)
        if before == version:
            return
        if before is not None:
            self.model.remove(portfolio, before)
        self._versions[portfolio] = version
        self.model.labels(portfolio, version).set(1)

    def set_degraded(self, away: tuple[str, ...]) -> None:
        """Say what is away."""
        self._away |= set(away)
        for what in self._away:
            self.degraded.labels(what).set(what in away)

    def text(self) -> bytes:
        """All of it, as Prometheus wants it."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"fraudops_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"fraudops_{name}", text, labels, registry=self.registry)
