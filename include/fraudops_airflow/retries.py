"""What is tried again after a failure, and what is not."""

from __future__ import annotations

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

RETRIES = 3
"""After 10, 20 and 40 seconds, more or less: enough for a database that is started anew, or a server that hiccups.
What is away for longer is made up for by ``reconcile`` and ``notify``, which come by themselves."""

POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="fraudops.errors.ContractError",
            action=RetryAction.FAIL,
            reason="The input or the configuration is wrong: trying again cannot help.",
        ),
        # Errors of SMTP, of paramiko and of fsspec's file systems are OSErrors.
        RetryRule(
            exception=["builtins.OSError", "sqlalchemy.exc.OperationalError", "sqlalchemy.exc.InterfaceError"],
            action=RetryAction.RETRY,
            reason="A disk, a network, a server or the database did not answer: it is tried again.",
        ),
    ]
)
"""Whatever is in neither rule, such as a file that was not there yet, is tried again as well."""
