"""The engines: each runs `events_load.py`, in processes that this module starts and ends.

Invariant: only processes that were started here are killed.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from . import Violation

ROOT = pathlib.Path(__file__).resolve().parents[2]
SABOTAGE = pathlib.Path(__file__).resolve().parent / "sabotage"
SECONDS_MAX = 300
STAGES = "parse", "resolve", "write"
LOCAL_CLUSTER = ["--master", "local-cluster[2,1,1024]"]
SAIL = "import sys; from pysail.spark import SparkConnectServer; SparkConnectServer('127.0.0.1', int(sys.argv[1])).start(background=False)"


class Done:
    """How a driver has ended."""

    def __init__(self, code, said):
        self.code, self.said = code, said

    @property
    def errors(self):
        """What the driver says of an error. An engine says more before."""
        return [line for line in self.said.splitlines() if line.startswith("error: ")]


class Engine:
    RETRIES = False  # a task that fails is run again
    WORKERS = False  # tasks have processes of their own

    def __init__(self, name, environment, work):
        self.name, self.python, self.work = name, ROOT / environment / "bin/python", work
        self.sabotage = work / "sabotage"
        self.sabotage.mkdir(parents=True)
        # As of a shell that knows nothing of this project, but for the sabotage.
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SPARK", "PYSPARK"))}
        self.environment |= {"PYTHONPATH": str(SABOTAGE), "SABOTAGE": str(self.sabotage), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
        self.environment["PATH"] = f"{self.python.parent}{os.pathsep}{self.environment['PATH']}"

    def start(self):
        pass

    def stop(self):
        pass

    def command(self, options):
        return [self.python, "-m", "eventloader.events_load", "--engine", self.name]

    def driver(self, arguments, options=()):
        """Starts a load. What it prints goes to a file, so that it never waits for a reader."""
        said = open(self.work / f"said-{time.monotonic_ns()}.txt", "w+")
        command = [*map(str, [*self.command(options), *arguments])]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=self.environment, start_new_session=True)
        process.said = said
        return process

    def ended(self, process):
        """Waits for a driver. What it has started and left behind is ended, too."""
        try:
            code = process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise Violation(f"{self.name}: a load takes more than {SECONDS_MAX} s: {pathlib.Path(process.said.name).read_text()[-3000:]}") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        said = pathlib.Path(process.said.name).read_text()
        process.said.close()
        return Done(code, said)

    def load(self, arguments, options=()):
        return self.ended(self.driver(arguments, options))

    @contextlib.contextmanager
    def sabotaged(self, seed, actions, seconds=0, stages=STAGES):
        """While tasks draw these actions."""
        plan = self.sabotage / "plan.json"
        plan.write_text(json.dumps({"seed": seed, "stages": stages, "actions": actions, "seconds": seconds}))
        try:
            yield lambda: [path.name for path in self.sabotage.iterdir() if path != plan]
        finally:
            for path in self.sabotage.iterdir():
                path.unlink()


class Sail(Engine):
    """A server of Spark Connect, whose tasks run in its own process. When it is started again, its address is the same."""

    port = 0

    def start(self):
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        with open(self.work / "server.txt", "a") as said:
            command = [self.python, "-c", SAIL, str(self.port)]
            self.server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=self.environment, start_new_session=True)
        until = time.monotonic() + 60
        while time.monotonic() < until and self.server.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        raise Violation(f"Sail does not start: {(self.work / 'server.txt').read_text()[-2000:]}")

    def stop(self):
        self.server.kill()
        self.server.wait()

    def command(self, options):
        return [self.python, "-m", "eventloader.events_load", "--remote", f"sc://127.0.0.1:{self.port}"]


class Spark(Engine):
    """A cluster of two executors, a process each, that begins and ends with the load."""

    RETRIES = WORKERS = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.environment |= {"PYSPARK_PYTHON": str(self.python), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": str(self.work / "local")}
        self.job = subprocess.run([self.python, "-m", "eventloader.spark", "--print-job"], check=True, capture_output=True, text=True, env=self.environment).stdout.strip()

    def command(self, options):
        settings = ["spark.ui.enabled=false", *options]
        return [self.python.parent / "spark-submit", *LOCAL_CLUSTER, *(word for setting in settings for word in ("--conf", setting)), self.job]


class Ray(Engine):
    """Workers of Ray, processes that begin and end with the load."""

    WORKERS = True


KINDS = {"plain": (Engine, ".venv-sail"), "sail": (Sail, ".venv-sail"), "spark": (Spark, ".venv-spark"), "spark35": (Spark, ".venv-spark35"), "ray": (Ray, ".venv-ray")}


@contextlib.contextmanager
def started(name, work):
    kind, environment = KINDS[name]
    engine = kind(name, environment, work)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()
