"""A proxy in front of the server that understands as much of PostgreSQL's protocol (3.0, without TLS) as it takes to count what a
client sends, and to do something at a certain message: before it is passed on, or when its answer is there and not passed on yet.
"""

import socket
import struct
import threading

STARTUP_CODES = 80877103, 80877104  # requests for TLS and GSSAPI, each answered by one byte
QUERY, PARSE, BIND, EXECUTE, SYNC, COPY_DATA, COPY_DONE = b"Q", b"P", b"B", b"E", b"S", b"d", b"c"


class Cut(Exception):
    """The connection ends here."""


class Proxy:
    """`on_message(number, kind, body)` is called with each message of a client before it is passed on, CopyData only where it is the first of
    its copy. What it returns is called with the first bytes of the answer, before they are passed on. Each of them may raise Cut."""

    def __init__(self, port, on_message):
        self.port, self.on_message, self.number, self.lock = port, on_message, 0, threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.listening.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listening.close()
        for opened in self.sockets:
            close(opened)

    def accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                close(client)
                continue
            self.sockets += [client, server]
            connection = Connection(self, client, server)
            for direction in connection.from_client, connection.from_server:
                threading.Thread(target=connection.run, args=[direction], daemon=True).start()


class Connection:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.at_answer, self.is_copying = None, False
        for opened in client, server:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self, direction):
        try:
            direction()
        except (Cut, OSError, EOFError):
            pass
        close(self.client)
        close(self.server)

    def from_client(self):
        while True:
            head = received(self.client, 8)
            length, code = struct.unpack(">ii", head)
            self.server.sendall(head + received(self.client, length - 8))
            if code not in STARTUP_CODES:
                break
        while True:
            head = received(self.client, 5)
            kind, (length,) = head[:1], struct.unpack(">i", head[1:])
            body = received(self.client, length - 4)
            if kind != COPY_DATA or not self.is_copying:
                with self.proxy.lock:
                    self.proxy.number += 1
                    number = self.proxy.number
                self.at_answer = self.proxy.on_message(number, kind, body)
            self.is_copying = kind == COPY_DATA
            self.server.sendall(head + body)

    def from_server(self):
        while True:
            answer = self.server.recv(1 << 16)
            if not answer:
                return
            at_answer, self.at_answer = self.at_answer, None
            if at_answer:
                at_answer()
            self.client.sendall(answer)


def received(opened, size):
    parts = bytearray()
    while len(parts) < size:
        part = opened.recv(min(size - len(parts), 1 << 16))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def close(opened):
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    opened.close()


def statement(kind, body):
    """The SQL that a message has, in one line; empty if it has none."""
    if kind == QUERY:
        text = body[:-1]
    elif kind == PARSE:
        text = body.split(b"\0")[1]
    else:
        return ""
    return " ".join(text.decode(errors="replace").split())
