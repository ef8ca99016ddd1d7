"""The estimators a candidate may name, with defaults that hold where frauds are a few in a thousand.

Boosters at their own defaults diverge on rare positives: few positives in a leaf give huge steps. What holds is
a small learning rate over many rounds, strong L2 regularisation and sampled columns. Classes are not weighted:
that ruins the probabilities and buys no average precision.

The number of threads never changes a result: estimators whose sums depend on it are fitted on one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fraudops.errors import ContractError, FraudopsError
from fraudops.portfolio import Candidate, Problem, Training
from fraudops.portfolio.problems import choose_of
from fraudops.training.preprocessing import Family


class EstimatorUnavailableError(FraudopsError):
    """The estimator's library does not work on this machine; other candidates go on without it."""


@dataclass(frozen=True)
class EstimatorSpec:
    """One kind of estimator.

    Attributes
    ----------
    family
        What input it wants, see :mod:`fraudops.training.preprocessing`.
    defaults
        Parameters unless the candidate says otherwise.
    load
        Imports and returns the class; imports are late because the libraries are heavy.
    threads
        True where more threads give the very same result.
    own_pool
        True where joblib starts ``n_jobs`` threads. LightGBM is told 0, "as many as OpenMP gives", and OpenMP
        is limited from outside: it writes a number of its own into the model, which would then depend on it.
    """

    family: Family
    defaults: dict[str, Any]
    load: Callable[[], type]
    threads: bool = False
    own_pool: bool = False


def _random_forest() -> type:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier


def _extra_trees() -> type:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier


def _logistic_regression() -> type:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression


def _hist_gradient_boosting() -> type:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier


def _xgboost() -> type:
    try:
        from xgboost import XGBClassifier
    except Exception as error:
        raise EstimatorUnavailableError(
            f"XGBoost does not work here: {_first_line(error)}",
            where="candidate's estimator 'xgboost'",
            remedy="install xgboost-cpu, or leave the candidate out",
        ) from None
    return XGBClassifier


def _lightgbm() -> type:
    try:
        from lightgbm import LGBMClassifier
    except Exception as error:
        # OSError from the dynamic linker where the system has no OpenMP runtime.
        raise EstimatorUnavailableError(
            f"LightGBM does not work here: {_first_line(error)}",
            where="candidate's estimator 'lightgbm'",
            remedy="install the system's OpenMP runtime (Debian, Ubuntu: 'apt-get install libgomp1'), or leave "
            "the candidate out",
        ) from None
    return LGBMClassifier


ESTIMATORS: dict[str, EstimatorSpec] = {
    "random_forest": EstimatorSpec("forest", {"n_estimators": 150}, _random_forest, threads=True, own_pool=True),
    "extra_trees": EstimatorSpec(
        "forest", {"n_estimators": 150, "min_samples_leaf": 2}, _extra_trees, threads=True, own_pool=True
    ),
    "logistic_regression": EstimatorSpec("linear", {"C": 0.1, "max_iter": 1_000}, _logistic_regression),
    "lightgbm": EstimatorSpec(
        "booster",
        {
            "learning_rate": 0.05,
            "n_estimators": 400,
            "num_leaves": 31,
            "min_child_samples": 20,
            "min_child_weight": 0.1,
            "reg_lambda": 10.0,
            "subsample": 0.8,
            "subsample_freq": 1,
            "colsample_bytree": 0.5,
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
            "n_jobs": 0,
        },
        _lightgbm,
        threads=True,
    ),
    "xgboost": EstimatorSpec(
        "booster",
        {
            "learning_rate": 0.06,
            "n_estimators": 400,
            "max_depth": 6,
            "min_child_weight": 1.0,
            "reg_lambda": 5.0,
            "subsample": 0.8,
            "colsample_bytree": 0.5,
            "tree_method": "hist",
            "verbosity": 0,
            "n_jobs": 1,
        },
        _xgboost,
    ),
    "hist_gradient_boosting": EstimatorSpec(
        "booster",
        {
            "learning_rate": 0.05,
            "max_iter": 300,
            "max_leaf_nodes": 15,
            "l2_regularization": 10.0,
            "max_features": 0.5,
            "early_stopping": False,
        },
        _hist_gradient_boosting,
    ),
}


def make(candidate: Candidate, *, seed: int, jobs: int = 1, where: str = "candidate") -> Any:
    """An unfitted estimator as the candidate specifies it.

    Parameters
    ----------
    candidate
        Names the estimator and the parameters that differ from :data:`ESTIMATORS`.
    seed
        ``random_state``, unless the candidate's parameters set one.
    jobs
        Threads, where these do not change the result.
    where
        Named in errors.

    Raises
    ------
    EstimatorUnavailableError
        Its library does not work on this machine.
    ContractError
        The estimator has no such parameter, or refuses a value.
    """
    spec = ESTIMATORS[candidate.kind]
    kind = spec.load()
    settings = {**spec.defaults, "random_state": seed, **candidate.parameters}
    known = set(kind().get_params())
    unknown = sorted(set(candidate.parameters) - known)
    if unknown:
        raise ContractError(
            f"{candidate.kind} has no parameter {', '.join(map(repr, unknown))}",
            where=where,
            remedy=f"it knows {', '.join(sorted(known))}",
        )
    if spec.own_pool:
        settings["n_jobs"] = jobs
    return kind(**settings)


def unknown_parameters(training: Training) -> list[Problem]:
    """Parameters that a candidate's estimator does not have; an estimator that does not work here is passed over."""
    found = []
    for name, candidate in training.candidates.items():
        named: dict[tuple[str, ...], Any] = {
            ("parameters", key): candidate.parameters[key] for key in candidate.parameters
        }
        if candidate.search:
            named |= {("search", "space", key): key for key in candidate.search.space}
        if not named:
            continue  # its library is heavy, and has nothing to say
        try:
            known = set(ESTIMATORS[candidate.kind].load()().get_params())
        except EstimatorUnavailableError:
            continue
        for (*path, parameter), value in sorted(named.items()):
            if parameter not in known:
                message = f"{candidate.kind} has no such parameter"
                where = ("training", "candidates", name, *path, parameter)
                found.append(Problem(where, message, repr(value), choose_of(parameter, known)))
    return found


@dataclass(frozen=True, eq=False)
class Watched:
    """Rows that boosting is watched on: it ends when so many rounds have not lowered their log-loss."""

    matrix: Any
    label: Any
    rounds: int


def fit(
    candidate: Candidate, estimator: Any, matrix: Any, label: Any, *, jobs: int, where: str, weight: Any = None
) -> None:
    """Fit an estimator of :func:`make`, on as many threads as do not change the result.

    Parameters
    ----------
    weight
        How many transactions each row stands for; absent: itself.

    Raises
    ------
    ContractError
        A parameter's value is refused; the message quotes the library.
    """
    _fit(candidate, estimator, matrix, label, {"sample_weight": weight}, jobs=jobs, where=where)


def fit_until(
    candidate: Candidate,
    estimator: Any,
    matrix: Any,
    label: Any,
    watched: Watched,
    *,
    jobs: int,
    where: str,
    weight: Any = None,
) -> int:
    """Fit a booster of :func:`make` until the watched rows gain no more, and say after how many rounds that was.

    It predicts with the rounds up to there. Parameters are those of :func:`fit`.

    Raises
    ------
    ContractError
        A parameter's value is refused; the message quotes the library.
    """
    if candidate.kind == "lightgbm":
        from lightgbm import early_stopping

        options = {
            "sample_weight": weight,
            "eval_X": watched.matrix,
            "eval_y": watched.label,
            "callbacks": [early_stopping(watched.rounds, verbose=False)],
        }
        _fit(candidate, estimator, matrix, label, options, jobs=jobs, where=where)
        return int(estimator.best_iteration_)
    estimator.set_params(early_stopping_rounds=watched.rounds, eval_metric="logloss")
    options = {"sample_weight": weight, "eval_set": [(watched.matrix, watched.label)], "verbose": False}
    _fit(candidate, estimator, matrix, label, options, jobs=jobs, where=where)
    return int(estimator.best_iteration) + 1


def _fit(
    candidate: Candidate, estimator: Any, matrix: Any, label: Any, options: dict[str, Any], *, jobs: int, where: str
) -> None:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    spec = ESTIMATORS[candidate.kind]
    try:
        with threadpool_limits(limits=jobs if spec.threads else 1):
            estimator.fit(matrix, label, **options)
    except (TypeError, ValueError) as error:
        raise ContractError(
            f"{candidate.kind} refused to be fitted: {_first_line(error)}",
            where=where,
            remedy="check the candidate's parameters",
        ) from error
    if spec.own_pool or "n_jobs" in spec.defaults:
        # Rows are scored in pieces on threads of our own: a forest that adds up its trees' votes on several
        # threads does so in another order each time.
        estimator.set_params(n_jobs=1)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
