"""What a program needs beside it: servers that end when it does."""

import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 60

# Ends the command as soon as nobody holds the other end of its input: also where the program was killed.
WHILE_WATCHED = '"$@" <&- & read -r _; kill $!; wait $!'


@contextmanager
def running(command, port, **options):
    """Runs a server until the block ends, which begins when it listens."""
    process = subprocess.Popen(["sh", "-c", WHILE_WATCHED, "sh", *command], stdin=subprocess.PIPE, **options)
    try:
        wait_for(port)
        yield
    finally:
        process.stdin.close()
        process.wait(timeout=PATIENCE)


def wait_for(port):
    def listens():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            return False
        return True

    wait_until(listens)


def wait_until(fact):
    last = time.monotonic() + PATIENCE
    while not fact():
        if time.monotonic() > last:
            raise TimeoutError(fact.__name__)
        time.sleep(0.05)


def app(answer):
    """An app that answers each GET with what `answer` makes of its path and its headers; returns its port."""

    class Requests(BaseHTTPRequestHandler):
        def do_GET(self):
            body = answer(self.path, self.headers).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def free_port():
    """A port that nobody listens at."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]
