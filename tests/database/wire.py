"""A loopback line to the server, for tests of what happens on it."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class Wire:
    """It counts the turns, can be cut before an answer comes back, and can lose all that the server says.

    `url` is the server's by this line. Lines that were made before it went mute, and only those, stay so.
    """

    def __init__(self, server_url):
        parts = urlsplit(server_url)
        self._server = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}{parts.path}"
        self.round_trips = 0
        self.connections = 0
        self.cut_next_answer = False
        self.muted = 0
        self._speaking = None
        self._sockets = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                self.connections += 1
                for speaker, source, target in (("client", client, server), ("server", server, client)):
                    way = (speaker, source, target, self.connections)
                    threading.Thread(target=self._carry, args=way, daemon=True).start()

    def mute(self):
        """What the server says on the lines there are is lost from now on."""
        self.muted = self.connections

    def _carry(self, speaker, source, target, number):
        with suppress(OSError):
            while data := source.recv(65536):
                if speaker == "client" and self._speaking != "client":
                    self.round_trips += 1
                self._speaking = speaker
                if speaker == "server" and self.cut_next_answer:
                    self.cut_next_answer = False
                    break
                if speaker == "client" or number > self.muted:
                    target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        for each in self._sockets:
            each.close()
