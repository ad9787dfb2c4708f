"""A web server on this machine that answers as it is told, and remembers what it was asked."""

import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Web:
    """Answers a path with its next answer, the last one for ever; an answer is a function of the request handler."""

    def __init__(self):
        self.answers = {}
        self.asked = []

    def put(self, path, *answers):
        self.answers[path] = list(answers)

    def next(self, handler):
        headers = handler.headers
        self.asked.append((handler.path, headers.get("Range"), headers.get("If-Range")))
        answers = self.answers.get(handler.path, [status(404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def serving():
    """A running server; its `url` ends in a slash."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            web.next(self)(self)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_):
            pass  # the client went away, as it should from some answers

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        web.url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()


def reply(body=b"", code=200, length=None, **headers):
    """Any answer; `length` is announced instead of the body's, or not at all if it is False."""

    def answer(handler):
        handler.send_response(code)
        if length is not False:
            handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def status(code):
    return reply(b"<html>no</html>", code, Content_Type="text/html")


def to(address, code=302):
    return reply(code=code, Location=address)


def raw(text, then=lambda: None):
    """Bytes as they are, instead of HTTP."""

    def answer(handler):
        handler.wfile.write(text)
        handler.wfile.flush()
        then()

    return answer


def honest(content, etag=None, cut=None, date=None):
    """A file, ranges and If-Range included; the connection ends after `cut` bytes of the answer."""

    def answer(handler):
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        same = handler.headers.get("If-Range") in (None, etag, date)
        start = int(asked[1]) if asked and same else 0
        if asked and start >= len(content):
            handler.send_error(416)
            return
        headers = {"ETag": etag} if etag else {}
        if date:
            headers["Last_Modified"] = date
        if asked and same:
            headers["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        reply(body[:cut], 206 if asked and same else 200, length=len(body), **headers)(handler)

    return answer


def chunked(*chunks, end=b"0\r\n\r\n"):
    """An answer in pieces of unannounced number."""
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + pieces + end)
