"""Shows what is wrong with a portfolio's YAML as an import error in the UI; makes no DAG itself.

One wrong file takes away its own DAGs only: the other files leave it out, and this one names the problem.
"""

from fraudops.errors import ConfigurationError
from fraudops_airflow.catalogue import problems

if found := problems():
    raise ConfigurationError("\n\n".join(found), remedy="correct the file; its DAGs then appear by themselves")
