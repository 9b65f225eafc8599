"""E-mail, through the server of `AIOPS_SMTP_URL`; without one, what would be sent is written to the console."""

import sys
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from aiops.settings import Settings

log = structlog.get_logger()

SEND_SECONDS_MAX = 30


@dataclass(frozen=True, slots=True)
class Mailer:
    settings: Settings

    @property
    def is_configured(self) -> bool:
        return self.settings.smtp_url is not None

    async def send(self, recipient: str, subject: str, text: str) -> bool:
        """Sends a message; whether the server took it. If not, the log says why: nobody who waits for a page is told
        whether an address exists."""
        if self.settings.smtp_url is None:
            sys.stderr.write(f"\nE-mail to {recipient}: {subject}\n\n{text}\n\n")
            sys.stderr.flush()
            return True
        try:
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = self.settings.email_from, recipient, subject
            message.set_content(text)
            await self._send(message, recipient, self.settings.smtp_url.get_secret_value())
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            log.warning("email_not_sent", subject=subject, error=type(error).__name__)
            return False
        return True

    async def _send(self, message: EmailMessage, recipient: str, url: str) -> None:
        """A user name and a password are sent over TLS only; without them, TLS is used where the server offers it."""
        server = urlsplit(url)
        is_tls = server.scheme == "smtps"
        await aiosmtplib.send(
            message,
            recipients=[recipient],
            hostname=server.hostname,
            port=server.port,
            username=unquote(server.username) if server.username else None,
            password=unquote(server.password) if server.password else None,
            use_tls=is_tls,
            start_tls=True if server.username and not is_tls else None,
            timeout=SEND_SECONDS_MAX,
        )
