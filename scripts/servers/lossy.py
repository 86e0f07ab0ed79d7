"""A proxy that loses one of three answers, by a random sequence that is always the same: the request is passed on, and the client gets
500, gets 503, or its connection is closed; or it is not passed on, and the client gets 500.

Usage: lossy.py PORT PORT_OF_THE_SERVER
"""

import http.client
import http.server
import random
import sys
import threading

HOP_HEADERS = "transfer-encoding", "connection", "content-length"
LOST = "500 done", "closed done", "503 done", "500"


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    chance, lock = random.Random(7), threading.Lock()
    local = threading.local()

    def forward(self, body):
        """The server's answer, over a connection that this thread keeps."""
        for is_last in False, True:
            if getattr(self.local, "server", None) is None:
                self.local.server = http.client.HTTPConnection("127.0.0.1", SERVER)
            try:
                self.local.server.request(self.command, self.path, body, dict(self.headers))
                answer = self.local.server.getresponse()
                return answer, answer.read()
            except (OSError, http.client.HTTPException):
                self.local.server = None
                if is_last:
                    raise

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.lock:
            loss = self.chance.choice(LOST) if self.chance.random() < 1 / 3 else ""
        if loss != "500":
            answer, content = self.forward(body)
        if loss.startswith("closed"):
            self.close_connection = True
        elif loss:
            self.answer(int(loss[:3]), [("Content-Length", "0")], b"")
        else:
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_HEADERS]
            length = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
            self.answer(answer.status, [*headers, ("Content-Length", str(length or 0))], content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_one

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    SERVER = int(sys.argv[2])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Proxy)
    server.daemon_threads = True
    server.serve_forever()
