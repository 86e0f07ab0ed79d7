"""A stub of Google Cloud Storage: what eventloader asks of its XML API, in memory, for tests.

Objects with generations; `x-goog-if-generation-match: 0` creates, and nothing else; ranges, `If-Match`; listings in the order of the
keys with `start-after`, in pages; uploads in parts. No Google server can run here, so this holds what Google documents, as it was
understood: it proves how eventloader speaks, not how Google answers. Usage: google.py PORT
"""

import email.utils
import hashlib
import http.server
import itertools
import sys
import threading
import urllib.parse
from xml.sax.saxutils import escape

PAGE_KEYS = 1000


class Bucket:
    def __init__(self):
        self.objects, self.uploads, self.generations, self.lock = {}, {}, itertools.count(1), threading.RLock()

    def put(self, key, content):
        """The new object: its content, ETag, generation and time."""
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        self.objects[key] = content, etag, next(self.generations), email.utils.formatdate(usegmt=True)
        return self.objects[key]


class Google(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    buckets = {}

    def answer(self, status, content=b"", **headers):
        self.send_response_only(status)
        for name, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def fail(self, status, code, message):
        text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        self.answer(status, text.encode())

    def handle_one(self):
        path, _, query = self.path.partition("?")
        self.query = {name: values[0] for name, values in urllib.parse.parse_qs(query, keep_blank_values=True).items()}
        bucket, _, key = path.lstrip("/").partition("/")
        self.key = urllib.parse.unquote(key)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        bucket = urllib.parse.unquote(bucket)
        if self.command == "PUT" and not key:
            self.buckets.setdefault(bucket, Bucket())
            return self.answer(200)
        self.bucket = self.buckets.get(bucket)
        if self.bucket is None:
            return self.fail(404, "NoSuchBucket", "The specified bucket does not exist.")
        with self.bucket.lock:
            what = "list" if not key else f"{self.command}_part".lower() if "uploadId" in self.query else self.command.lower()
            getattr(self, what)()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_one

    def list(self):
        prefix, after = self.query.get("prefix", ""), self.query.get("continuation-token") or self.query.get("start-after", "")
        keys = sorted((k for k in self.bucket.objects if k.startswith(prefix) and k > after), key=str.encode)
        page = keys[: min(int(self.query.get("max-keys", PAGE_KEYS)), PAGE_KEYS)]
        entries = []
        for key in page:
            content, etag, _, date = self.bucket.objects[key]
            date = email.utils.parsedate_to_datetime(date).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            entries.append(
                f"<Contents><Key>{escape(key)}</Key><LastModified>{date}</LastModified><ETag>{escape(etag)}</ETag>"
                f"<Size>{len(content)}</Size></Contents>"
            )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if len(page) < len(keys) else ""
        self.answer(200, f"<ListBucketResult>{''.join(entries)}{token}</ListBucketResult>".encode())

    def put(self):
        expected = self.headers.get("x-goog-if-generation-match")
        there = self.bucket.objects.get(self.key)
        if expected is not None and int(expected) != (there[2] if there else 0):
            return self.fail(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
        _, etag, generation, _ = self.bucket.put(self.key, self.body)
        self.answer(200, ETag=etag, x_goog_generation=generation)

    def get(self):
        if self.key not in self.bucket.objects:
            return self.fail(404, "NoSuchKey", "The specified key does not exist.")
        content, etag, generation, date = self.bucket.objects[self.key]
        if self.headers.get("If-Match") not in (None, etag):
            return self.fail(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
        headers = {"ETag": etag, "x_goog_generation": generation, "Last_Modified": date}
        if self.command == "HEAD":
            return self.answer(200, **{**headers, "Content-Length": len(content)})
        span = self.headers.get("Range")
        if span is None:
            return self.answer(200, content, **headers)
        first, last = span.removeprefix("bytes=").split("-")
        start = int(first) if first else max(len(content) - int(last), 0)
        end = min(int(last) + 1, len(content)) if first and last else len(content)
        if start >= len(content):
            return self.fail(416, "InvalidRange", "The requested range cannot be satisfied.")
        self.answer(206, content[start:end], Content_Range=f"bytes {start}-{end - 1}/{len(content)}", **headers)

    head = get

    def delete(self):
        if self.bucket.objects.pop(self.key, None) is None:
            return self.fail(404, "NoSuchKey", "The specified key does not exist.")
        self.answer(204)

    def post(self):
        upload = f"upload-{next(self.bucket.generations)}"
        self.bucket.uploads[upload] = {}
        self.answer(200, f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode())

    def parts(self):
        return self.bucket.uploads.get(self.query["uploadId"])

    def put_part(self):
        if self.parts() is None:
            return self.fail(404, "NoSuchUpload", "The specified upload does not exist.")
        self.parts()[int(self.query["partNumber"])] = self.body
        self.answer(200, ETag=f'"{hashlib.md5(self.body).hexdigest()}"')

    def post_part(self):
        if self.parts() is None:
            return self.fail(404, "NoSuchUpload", "The specified upload does not exist.")
        parts = self.bucket.uploads.pop(self.query["uploadId"])
        _, etag, generation, _ = self.bucket.put(self.key, b"".join(parts[number] for number in sorted(parts)))
        text = f"<CompleteMultipartUploadResult><ETag>{escape(etag)}</ETag></CompleteMultipartUploadResult>"
        self.answer(200, text.encode(), x_goog_generation=generation)

    def delete_part(self):
        self.bucket.uploads.pop(self.query["uploadId"], None)
        self.answer(204)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Google)
    server.daemon_threads = True
    server.serve_forever()
