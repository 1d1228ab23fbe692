"""E-mail over SMTP. https://docs.python.org/3/library/smtplib.html"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from dativo_provider.errors import ConfigurationError, DativoError, RetryableError
from dativo_provider.model.notices import Message
from dativo_provider.notify.base import Channel

__all__ = ["EmailChannel"]

_TIMEOUT = 10.0


class EmailChannel(Channel):
    """An Airflow connection of type `smtp`. As in Airflow, `disable_ssl` and `disable_tls` of its extra switch
    encryption off, and `from_email` is the sender."""

    def send(self, message: Message) -> None:
        if not self.spec.recipients:
            raise ConfigurationError(f"channel '{self.spec.name}' has no recipients", remedy="list `recipients`")
        try:
            self._send(self._mail(message))
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as refused:
            raise ConfigurationError(
                f"the mail server of channel '{self.spec.name}' refused the message ({type(refused).__name__})",
                remedy="correct login, sender or recipients",
            ) from None
        except (OSError, smtplib.SMTPException) as problem:
            raise _unreachable(self.spec.name, problem) from None

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = " ".join(message.title.split())[:200]
        mail["From"] = self._sender()
        mail["To"] = ", ".join(self.spec.recipients)
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="dativo.invalid")
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(f"{message.title}\n\n{message.text}\n")
        return mail

    def _sender(self) -> str:
        return self.spec.sender or str(self.connection.extra.get("from_email") or self.connection.login or "dativo")

    def _send(self, mail: EmailMessage) -> None:
        extra = self.connection.extra
        host, context = self.connection.host or "localhost", ssl.create_default_context()
        if _on(extra, "disable_ssl"):
            with smtplib.SMTP(host, self.connection.port or 25, timeout=_TIMEOUT) as server:
                if not _on(extra, "disable_tls"):
                    server.starttls(context=context)
                self._deliver(server, mail)
        else:
            with smtplib.SMTP_SSL(host, self.connection.port or 465, timeout=_TIMEOUT, context=context) as server:
                self._deliver(server, mail)

    def _deliver(self, server: smtplib.SMTP, mail: EmailMessage) -> None:
        if self.connection.login and self.connection.password:
            server.login(self.connection.login, self.connection.password)
        server.send_message(mail)


def _on(extra: Mapping[str, object], key: str) -> bool:
    return str(extra.get(key, "")).lower() in ("true", "1", "yes")


def _unreachable(name: str, problem: Exception) -> DativoError:
    return RetryableError(
        f"the mail server of channel '{name}' did not take the message ({type(problem).__name__})",
        remedy="see whether host and port of its connection are right and reachable",
    )
