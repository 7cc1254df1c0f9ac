"""aiosmtpd_relay - a relay of aiosmtpd's own Proxy handler, which asks one regex of every header section first."""

import re
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Proxy

SUBJECT = re.compile(rb"^subject:.*\bcheap (watch|pill)s\b", re.IGNORECASE | re.MULTILINE)


class Relay(Proxy):
    async def handle_DATA(self, server, session, envelope):
        header_section = envelope.original_content.partition(b"\r\n\r\n")[0]
        if SUBJECT.search(header_section):
            return "550 5.7.1 Not here"
        return await super().handle_DATA(server, session, envelope)


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


(host, port), (to_host, to_port) = map(address, sys.argv[1:3])
Controller(Relay(to_host, to_port), hostname=host, port=port, data_size_limit=0).start()
while True:
    time.sleep(3600)
