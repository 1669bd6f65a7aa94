"""MariaDB with a data directory, a socket and a port of its own."""
import os
import subprocess

from .ports import free_port
from .process import Daemon

# A small log and no flushing: what is written need outlive a killed daemon,
# not a power cut. Snapshot isolation, which is the default since 11.6, makes
# slurmdbd fail with "Record has changed since last read" when it writes for two
# clusters at once.
OPTIONS = ["--no-defaults", "--innodb-log-file-size=8M",
           "--innodb-buffer-pool-size=64M", "--innodb-fast-shutdown=1",
           "--innodb-flush-log-at-trx-commit=2",
           "--innodb-lock-wait-timeout=900",
           "--innodb-snapshot-isolation=OFF"]


class MariaDB(Daemon):
    def __init__(self, stack):
        super().__init__("mariadbd", stack)
        self.port = free_port()
        self.dir = stack.path("db")
        self.socket = stack.path("db", "socket")
        # Its files are named after its process id: they clash in a directory
        # that is shared with the daemons of another process namespace.
        self.tmp = stack.mkdir("db-tmp")
        self.database = "slurm_acct_db"
        done = subprocess.run(
            ["mariadb-install-db", *OPTIONS, "--user=root",
             f"--datadir={self.dir}", "--skip-test-db",
             "--auth-root-authentication-method=socket"],
            env={**os.environ, "TMPDIR": self.tmp},
            capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def argv(self):
        return ["mariadbd", *OPTIONS, "--user=root", f"--datadir={self.dir}",
                f"--tmpdir={self.tmp}",
                f"--socket={self.socket}", f"--port={self.port}",
                "--bind-address=127.0.0.1", "--skip-name-resolve",
                f"--pid-file={self.dir}/pid", "--skip-log-bin"]

    def ready(self):
        self.query("SELECT 1", database="")
        return True

    def prepare(self):
        """A database and a user for slurmdbd, who comes over TCP."""
        self.query(f"CREATE DATABASE IF NOT EXISTS {self.database};"
                   "CREATE OR REPLACE USER 'slurm'@'127.0.0.1' IDENTIFIED BY "
                   "'slurm'; GRANT ALL ON *.* TO 'slurm'@'127.0.0.1'",
                   database="")

    def query(self, sql, database=None):
        """Rows as lists of strings."""
        database = self.database if database is None else database
        done = subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}",
             "--user=root", "--batch", "--skip-column-names", database or
             "mysql", "--execute", sql],
            capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]
