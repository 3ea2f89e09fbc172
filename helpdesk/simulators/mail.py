"""A mail server as a program: what comes by SMTP lies in one INBOX, which is read by IMAP.

Written from RFC 5321 and RFC 3501, as much of them as a mail program needs; one user, any password but `wrong`.
"""

from __future__ import annotations

import re
import socketserver
import threading
from dataclasses import dataclass, field
from typing import ClassVar, Self


@dataclass
class Stored:
    """One mail, with its envelope; `seen` is IMAP's flag."""

    content: bytes
    recipients: list[str] = field(default_factory=list)
    seen: bool = False


class MailServer:
    """Both servers on loopback; use it in a `with`. `refused` = recipients whose mail is refused for good."""

    def __init__(self, *, smtp_port: int = 0, imap_port: int = 0) -> None:
        self.mails: list[Stored] = []
        self.refused: set[str] = set()
        owner = self

        class Smtp(_Smtp):
            server_state = owner

        class Imap(_Imap):
            server_state = owner

        self._servers = [_Server(("127.0.0.1", smtp_port), Smtp), _Server(("127.0.0.1", imap_port), Imap)]
        self.smtp_port, self.imap_port = (server.server_address[1] for server in self._servers)

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_args: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Lines(socketserver.StreamRequestHandler):
    server_state: ClassVar[MailServer]

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def hear(self) -> str | None:
        line = self.rfile.readline(65_536)
        return line.decode("latin-1").rstrip("\r\n") if line else None


class _Smtp(_Lines):
    def handle(self) -> None:
        recipients: list[str] = []
        self.say("220 simulator ESMTP")
        while (line := self.hear()) is not None:
            verb = line[:4].upper()
            if verb in {"EHLO", "HELO"}:
                self.say("250 simulator")
            elif verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                is_refused = address in self.server_state.refused
                self.say("550 no such user" if is_refused else "250 ok")
                recipients += [] if is_refused else [address]
            elif verb == "DATA":
                self.say("354 go on")
                self.server_state.mails.append(Stored(self._data(), recipients))
                recipients = []
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def _data(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)


class _Imap(_Lines):
    def handle(self) -> None:
        self.say("* OK simulator")
        while (line := self.hear()) is not None:
            tag, _blank, rest = line.partition(" ")
            words = rest.split(" ")
            verb = words[0].upper()
            if verb == "LOGIN" and words[-1].strip('"') == "wrong":
                self.say(f"{tag} NO [AUTHENTICATIONFAILED] no")
                continue
            if verb == "CAPABILITY":
                self.say("* CAPABILITY IMAP4rev1")
            elif verb == "SELECT":
                self.say(f"* {len(self.server_state.mails)} EXISTS")
            elif verb == "UID":
                self._uid(words[1].upper(), rest.split(" ", 2)[2])
            elif verb == "LOGOUT":
                self.say("* BYE")
            self.say(f"{tag} OK done")
            if verb == "LOGOUT":
                return

    def _uid(self, verb: str, rest: str) -> None:
        mails = self.server_state.mails
        if verb == "SEARCH":
            self.say("* SEARCH " + " ".join(str(uid) for uid, mail in enumerate(mails, 1) if not mail.seen))
            return
        match = re.match(r"(\d+) (.*)", rest)
        if match is None or not 0 < int(match[1]) <= len(mails):
            return
        uid, wanted = int(match[1]), match[2]
        mail = mails[uid - 1]
        if verb == "STORE":
            mail.seen = True
        elif "SIZE" in wanted:
            self.say(f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(mail.content)})")
        else:
            self.say(f"* {uid} FETCH (UID {uid} BODY[] {{{len(mail.content)}}}")
            self.wfile.write(mail.content)
            self.say(")")
