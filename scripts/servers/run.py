"""Starts servers, waits until they answer, makes a bucket (or a database) in each, runs a command, and ends all that it started.

Called by scripts/servers.sh, which describes the arguments. The exit code is the command's.
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

from postgres import Cluster

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUCKET = "lake"
READY_SECONDS = 180
PORTS = 3  # tried for each server
# The account that every Azurite has; not a secret.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def moto(port, _work):
    return [ROOT / ".venv-moto/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)]


def seaweedfs(port, work):
    names = "master.port", "volume.port", "filer.port", "s3.port.grpc", "master.port.grpc", "volume.port.grpc", "filer.port.grpc"
    ports = [f"-{name}={free}" for name, free in zip(names, free_ports(len(names)))]
    unused = ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
    place = [f"-dir={work}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=20", "-master.volumeSizeLimitMB=256"]
    return [ROOT / ".venv-seaweedfs/bin/weed", "server", "-s3", f"-s3.port={port}", *place, *ports, *unused]


def azurite(port, _work):
    main = ROOT / ".venv-azurite/node_modules/azurite/dist/src/blob/main.js"
    place = ["--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    return ["node", main, *place, "--skipApiVersionCheck", "--disableTelemetry", "--silent"]


def google(port, _work):
    return [sys.executable, ROOT / "scripts/servers/google.py", str(port)]


def lossy(port, behind):
    return [sys.executable, ROOT / "scripts/servers/lossy.py", str(port), str(behind)]


def azure_headers(path):
    """The headers of a request that creates a container, with its signature (Shared Key)."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    signed = f"x-ms-date:{now}\nx-ms-version:2021-08-06\n"
    text = "PUT\n" + "\n" * 11 + f"{signed}/{AZURE_ACCOUNT}{path}\nrestype:container"
    signature = base64.b64encode(hmac.digest(base64.b64decode(AZURE_KEY), text.encode(), hashlib.sha256)).decode()
    authorization = f"SharedKey {AZURE_ACCOUNT}:{signature}"
    return {"x-ms-date": now, "x-ms-version": "2021-08-06", "Authorization": authorization, "Content-Length": "0"}


def is_done(port, method, path, headers, body=None):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request(method, path, body, headers)
        return connection.getresponse().status in (200, 201, 204, 409)
    except (OSError, http.client.HTTPException):
        return False


def is_ready(name, port):
    """Whether the bucket is there and takes objects."""
    if name == "azurite":
        path = f"/{AZURE_ACCOUNT}/{BUCKET}"
        return is_done(port, "PUT", f"{path}?restype=container", azure_headers(path))
    if not is_done(port, "PUT", f"/{BUCKET}", {}):
        return False
    # It answers some seconds before it can write.
    tries = [("PUT", b"ready"), ("DELETE", None)] if name == "seaweedfs" else []
    return all(is_done(port, method, f"/{BUCKET}/ready", {}, body) for method, body in tries)


class Servers:
    def __init__(self, work):
        self.work, self.running, self.clusters, self.environment = pathlib.Path(work), [], [], {}

    def start(self, command, log):
        with open(log, "wb") as output:
            process = subprocess.Popen(
                list(map(str, command)), cwd=self.work, stdout=output, stderr=output, start_new_session=True
            )
        self.running.append(process)
        return process

    def start_at_a_port(self, name, command):
        """Starts a server, and waits until it is ready. Its port is one that was free, and may be taken meanwhile."""
        for _ in range(PORTS):
            (port,) = free_ports(1)
            log, end = self.work / f"{name}-{port}.log", time.monotonic() + READY_SECONDS
            process = self.start(command(port), log)
            while process.poll() is None and time.monotonic() < end:
                if is_ready(name, port):
                    return port
                time.sleep(0.1)
        sys.exit(f"error: {name} did not start:\n{log.read_text(errors='replace')[-3000:]}")

    def serve(self, name):
        name, _, proxy = name.partition("+")
        directory = self.work / name
        directory.mkdir()
        if name == "postgres":
            return self.serve_postgres(directory)
        port = self.start_at_a_port(name, lambda port: globals()[name](port, directory))
        path = f"/{AZURE_ACCOUNT}" if name == "azurite" else ""
        self.environment[f"{name.upper()}_ENDPOINT"] = f"http://127.0.0.1:{port}{path}"
        if proxy:
            proxy_port = self.start_at_a_port(name, lambda proxy_port: lossy(proxy_port, port))
            self.environment[f"{name.upper()}_LOSSY_ENDPOINT"] = f"http://127.0.0.1:{proxy_port}{path}"

    def serve_postgres(self, directory):
        # Its own user must get to its folder.
        self.work.chmod(0o711)
        self.clusters.append(Cluster(directory))
        cluster = Cluster.make(directory, *free_ports(1))
        self.environment |= {"EVENTLOADER_POSTGRES": cluster.address, "EVENTLOADER_POSTGRES_FOLDER": str(directory)}

    def end(self):
        for cluster in self.clusters:
            cluster.stop()
        for process in self.running:
            for kill in signal.SIGTERM, signal.SIGKILL:
                try:
                    os.killpg(process.pid, kill)
                    process.wait(5)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    pass


def main():
    here, *arguments = sys.argv[1:]
    split = arguments.index("--") if "--" in arguments else len(arguments)
    names, command = arguments[:split], arguments[split + 1 :]
    if not command:
        sys.exit("error: no command behind --")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="servers.") as work:
        servers = Servers(work)
        try:
            for name in names:
                servers.serve(name)
            credentials = {
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "testtest",
                "AWS_REGION": "us-east-1",
                "AZURE_STORAGE_ACCOUNT_NAME": AZURE_ACCOUNT,
                "AZURE_STORAGE_ACCOUNT_KEY": AZURE_KEY,
            }
            sys.exit(subprocess.run(command, cwd=here, env={**os.environ, **credentials, **servers.environment}).returncode)
        finally:
            servers.end()


if __name__ == "__main__":
    main()
