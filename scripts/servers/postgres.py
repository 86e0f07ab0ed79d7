"""A PostgreSQL server in a folder of its own, on a free port of 127.0.0.1; as root it runs as the user `postgres` of Debian's package.

scripts/servers/run.py makes, starts and ends it. A command that it runs may kill and start the server, too: `Cluster(os.environ["EVENTLOADER_POSTGRES_FOLDER"])`.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

DATABASE = "lake"
USER = "postgres"
PASSWORD = "Elbe und Rhein/7"  # it must be encoded in an address
PASSWORD_IN_ADDRESS = "Elbe%20und%20Rhein%2F7"
SECONDS = 60
# What another server's sessions may begin with, so that nothing can rely on a default: the loader has to set what it needs. What is
# written is durable, as ever.
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
fsync = on
synchronous_commit = on
shared_buffers = 512MB
max_wal_size = 4GB
max_connections = 60
timezone = 'Asia/Kathmandu'
datestyle = 'SQL, DMY'
intervalstyle = 'iso_8601'
bytea_output = 'escape'
extra_float_digits = 0
default_transaction_isolation = 'serializable'
"""


def programs():
    """The folder of the newest version's programs: Debian keeps them out of the PATH."""
    number = lambda path: tuple(map(int, re.findall(r"\d+", path.parts[-3])))
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=number)
    initdb = found[-1] if found else shutil.which("initdb")
    if not initdb:
        sys.exit("error: there is no PostgreSQL server here (Debian, Ubuntu: apt-get install postgresql)")
    return pathlib.Path(initdb).parent


class Cluster:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.data, self.log = self.folder / "data", self.folder / "log.txt"
        # initdb and the server refuse to run as root.
        self.user = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}

    @classmethod
    def make(cls, folder, port):
        """A new one with an empty database, started."""
        cluster = cls(folder)
        password = cluster.folder / "password"
        password.write_text(PASSWORD)
        if cluster.user:
            for path in cluster.folder, password:
                shutil.chown(path, USER, USER)
        # The database sorts texts by a language, so that an order of bytes has to be asked for.
        arguments = ["-D", cluster.data, "-U", USER, "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en", "--data-checksums",
                     "--auth=scram-sha-256", f"--pwfile={password}"]
        cluster.run("initdb", *arguments)
        password.unlink()
        with open(cluster.data / "postgresql.conf", "a") as settings:
            settings.write(SETTINGS.format(port=port))
        cluster.start()
        cluster.psql(f"CREATE DATABASE {DATABASE}", database="postgres")
        return cluster

    def run(self, program, *arguments):
        done = subprocess.run([programs() / program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder, check=False, **self.user)
        if done.returncode:
            sys.exit(f"error: {program} exits with {done.returncode}:\n{done.stdout.decode(errors='replace')}")

    @property
    def port(self):
        return int(re.findall(r"^port = (\d+)$", (self.data / "postgresql.conf").read_text(), re.MULTILINE)[-1])

    @property
    def address(self):
        return f"postgresql://{USER}:{PASSWORD_IN_ADDRESS}@127.0.0.1:{self.port}/{DATABASE}"

    def psql(self, sql, database=DATABASE):
        """What it prints: a line for each row, columns separated by `|`."""
        arguments = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database, "-c", sql]
        done = subprocess.run([programs() / "psql", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "PGPASSWORD": PASSWORD}, check=False)
        if done.returncode:
            raise RuntimeError(f"{sql}: {done.stderr}")
        return done.stdout

    # --- Start and end ---

    def pids(self):
        """The server's first process and its children; none if it does not run."""
        try:
            first = int((self.data / "postmaster.pid").read_text().split("\n")[0])
            if not os.path.samefile(f"/proc/{first}/cwd", self.data):
                return []
        except (OSError, ValueError):
            return []
        return [first, *children(first)]

    def start(self):
        """Starts it and waits until it takes connections, recovering first what it has to."""
        if not self.pids():
            # The server takes its file for that of a living process as long as nobody has waited for the killed one.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            process = subprocess.Popen([programs() / "postgres", "-D", self.data], stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self.user)
        end = time.monotonic() + SECONDS
        while process.poll() is None and time.monotonic() < end:
            if self.is_ready():
                return
            time.sleep(0.02)
        sys.exit(f"error: PostgreSQL did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def is_ready(self):
        ask = [programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ask, check=False).returncode == 0

    def wait_until_ready(self):
        """After one of its processes was killed, it starts its others anew by itself."""
        end = time.monotonic() + SECONDS
        while not self.is_ready():
            if time.monotonic() > end:
                sys.exit(f"error: PostgreSQL is not back:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.02)

    def stop(self, how=signal.SIGINT):
        """SIGINT rolls back what is open; SIGQUIT leaves everything as it is; SIGKILL, to all of its processes, is a power failure to it."""
        pids = self.pids()
        for pid in pids if how == signal.SIGKILL else pids[:1]:
            send(pid, how)
        end = time.monotonic() + SECONDS
        while any(is_alive(pid) for pid in pids):
            if time.monotonic() > end:
                for pid in pids:
                    send(pid, signal.SIGKILL)
            time.sleep(0.01)


def stat(pid):
    """State, parent, …: what stands behind the name in /proc/PID/stat."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ["gone", "0"]


def is_alive(pid):
    return stat(pid)[0] not in ("gone", "Z", "X")


def children(parent):
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and stat(name)[1] == str(parent)]


def send(pid, how):
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        pass
