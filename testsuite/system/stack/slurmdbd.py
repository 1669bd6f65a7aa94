"""slurmdbd, and what sacctmgr is asked."""
import os

from .ports import free_port, listening
from .process import Daemon

CONF = """\
AuthType=auth/munge
AuthInfo=socket={munge}
DbdHost=localhost
DbdAddr={address}
DbdPort={port}
SlurmUser=root
DebugLevel=debug
LogTimeFormat=iso8601_ms
LogFile={log}
PidFile={dir}/slurmdbd.pid
CommitDelay=0
MessageTimeout=10
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={db_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc={db_name}
"""


class Slurmdbd(Daemon):
    def __init__(self, stack, mariadb, munge):
        super().__init__("slurmdbd", stack)
        self.port = free_port()
        self.dir = stack.mkdir("dbd")
        conf = stack.path("dbd", "slurmdbd.conf")
        with open(conf, "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(CONF.format(
                address=stack.address, munge=munge.socket, port=self.port,
                dir=self.dir, log=self.log, db_port=mariadb.port,
                db_name=mariadb.database))

    def environ(self):
        # slurmdbd.conf is looked for beside slurm.conf, which it does not read
        return dict(self.stack.environ(),
                    SLURM_CONF=os.path.join(self.dir, "slurm.conf"))

    def argv(self):
        return ["slurmdbd", "-D"]

    def ready(self):
        return listening(self.port, self.stack.address)
