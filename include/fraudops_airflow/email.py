"""The e-mail operator of the ``notify`` workflow: Airflow's own, reading what it sends from the outbox.

Airflow's ``EmailOperator`` keeps subject, recipients and content as templated fields, which the UI shows and the
database stores for ever. This one is given a notice's number and nothing else; the content goes from the outbox
to the mail server and appears in no field, log or XCom.
"""

from __future__ import annotations

import contextlib
import smtplib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.providers.smtp.operators.smtp import EmailOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context
    from fraudops.notices import Claim, Transmission
    from fraudops.workspace import Workspace

_IN_OUTBOX = "(in the outbox)"


class NoticeEmailOperator(EmailOperator):
    """Send one notice of the outbox over an Airflow SMTP connection.

    Parameters
    ----------
    notice_id
        Number of the notice; may be mapped: ``.partial(portfolio="cards").expand(notice_id=[…])``.
    portfolio
        Name of the portfolio, whose ``notices.uncertain`` says what to do when nobody knows whether a notice
        was delivered.

    Notes
    -----
    The task succeeds where the notice is sent, or was sent before, or is being sent by another task. It fails,
    to be tried again, where nothing was delivered, and where the outcome is uncertain and the portfolio resends.
    It fails for good where the server rejects the notice, and where an uncertain one is held.
    """

    template_fields: Sequence[str] = ("notice_id", "portfolio", "conn_id")
    template_fields_renderers: dict[str, str] = {}
    template_ext: Sequence[str] = ()

    def __init__(self, *, notice_id: int, portfolio: str, **kwargs: Any) -> None:
        super().__init__(to=_IN_OUTBOX, subject=_IN_OUTBOX, html_content=_IN_OUTBOX, **kwargs)
        self.notice_id = notice_id
        self.portfolio = portfolio

    def execute(self, context: Context) -> dict[str, Any]:
        """Claim, send, record; returns the notice's number and state."""
        from fraudops.notices import outbox

        from fraudops_airflow.context import open_workspace

        ws, notice_id = open_workspace(), int(self.notice_id)
        claimed = outbox.claim(ws, notice_id, on_uncertain=_policy(self.portfolio), holder=_holder(context))
        if claimed is None:
            state = outbox.state(ws, notice_id)
            self.log.info("Notice %d: nothing to send, its state is %s", notice_id, state)
            return {"notice_id": notice_id, "state": state}
        self.log.info("Notice %d (%s), Message-ID %s: sending", notice_id, claimed.kind, claimed.message_id)
        result, state = self._send(ws, claimed)
        self.log.info("Notice %d: %s, its state is %s", notice_id, result.outcome, state)
        self._raise_unless_done(claimed, result, state)
        return {"notice_id": notice_id, "state": state}

    def _send(self, ws: Workspace, claimed: Claim) -> tuple[Transmission, str]:
        """One attempt and its record. What interrupts it (a timeout, a kill) is recorded as well."""
        from fraudops.notices import Transmission, outbox, transmit
        from fraudops.notices.delivery import prepared

        is_transmitting = False
        try:
            with SmtpHook(smtp_conn_id=self.conn_id) as hook:
                # The hook's own send method can neither add a text part nor tell a lost connection before the
                # message from one after it; connection, TLS and login are the hook's. Files come from the store,
                # which may be a bucket: the operator's own field for them takes local paths, and shows them.
                client, message = _client(hook), prepared(ws, claimed)
                is_transmitting = True
                if isinstance(message, Transmission):
                    result = message
                else:
                    result = transmit(client, message, sender=claimed.sender, recipients=claimed.remaining)
                state = outbox.record(ws, claimed, result)
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    client.quit()
                return result, state
        except BaseException as error:
            detail = f"{type(error).__name__}: {error}"
            if is_transmitting:
                outbox.uncertain(ws, claimed, detail)
                raise
            outbox.refused(ws, claimed, detail)
            if not isinstance(error, Exception):
                raise
            # Without the server's own words, which may quote an address: they stand in the delivery's record.
            raise AirflowException(
                f"notice {claimed.notice_id}: no session with the mail server of connection {self.conn_id!r} "
                f"({_reason(error)}); the notice waits"
            ) from None

    def _raise_unless_done(self, claimed: Claim, result: Transmission, state: str) -> None:
        code = f" (SMTP {result.code})" if result.code else ""
        where = f"notice {claimed.notice_id}"
        if state == "rejected":
            # The server's refusals have a number; what was not even sent has none.
            what = f"the mail server rejects it{code}" if result.code else "a file of it is not what was queued"
            raise AirflowFailException(
                f"{where}: {what} → see its deliveries, correct the cause, then "
                f"'fraudops mail release {claimed.notice_id}'"
            )
        if state == "uncertain":
            raise AirflowFailException(
                f"{where}: nobody knows whether it was delivered, and the portfolio holds such notices → ask a "
                f"recipient, then 'fraudops mail release {claimed.notice_id}' if it is missing"
            )
        if state == "waiting":
            known = "uncertain whether it was delivered" if result.outcome == "uncertain" else "not delivered to all"
            raise AirflowException(f"{where}: {known}{code}; it waits for another attempt")
        if result.refused:
            self.log.warning(
                "Notice %d: %d of %d recipients were refused for good%s",
                claimed.notice_id,
                len(result.refused),
                len(claimed.remaining),
                code,
            )


def require_mail_server(waiting: str, conn_id: str = "smtp_default") -> None:
    """Open a session with the mail server and close it again.

    Parameters
    ----------
    waiting
        What waits for it, in a sentence.

    Raises
    ------
    AirflowException
        There is no session to be had: says why, and what waits.
    """
    try:
        with SmtpHook(smtp_conn_id=conn_id):
            return
    except (smtplib.SMTPException, OSError, AirflowException) as error:
        raise AirflowException(
            f"no session with the mail server of connection {conn_id!r} ({_reason(error)}); {waiting}"
        ) from None


def _holder(context: Context) -> str | None:
    """This task of this run, whichever try it is: Airflow never runs two tries at once."""
    ti = context.get("ti")
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.map_index}" if ti is not None else None


def _policy(portfolio: str) -> Any:
    from fraudops.portfolio import load_portfolio
    from fraudops.settings import Settings

    path = Settings.from_environment().portfolios / f"{portfolio}.yaml"
    return load_portfolio(path).notices.uncertain


def _client(hook: SmtpHook) -> smtplib.SMTP:
    client = hook._smtp_client
    if not isinstance(client, smtplib.SMTP):
        raise AirflowException("the SMTP hook has no connection")
    return client


def _reason(error: Exception) -> str:
    """What kept us from a session, in words."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"login refused, SMTP {error.smtp_code}: check login and password"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__}, SMTP {error.smtp_code}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the server offers no STARTTLS or login: check the extras disable_tls and disable_ssl"
    # TLS and socket errors, and what the hook itself says, name hosts and certificates only.
    return f"{type(error).__name__}: {error}"
