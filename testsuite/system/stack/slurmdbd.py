"""slurmdbd, and what sacctmgr is asked."""
import os

from .ports import free_port, listening
from .process import Daemon

CONF = """\
{auth}
DbdHost=localhost
DbdAddr={address}
DbdPort={port}
SlurmUser={slurm_user}
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
    def __init__(self, stack, mariadb):
        super().__init__("slurmdbd", stack)
        self.port = free_port()
        self.dir = stack.give(stack.mkdir("dbd"))
        conf = stack.path("dbd", "slurmdbd.conf")
        with open(conf, "w") as file:
            stack.give(conf)
            os.fchmod(file.fileno(), 0o600)
            file.write(CONF.format(
                address=stack.address, auth=stack.auth_lines(self.dir),
                port=self.port, dir=self.dir, slurm_user=stack.slurm_user,
                log=self.log, db_port=mariadb.port,
                db_name=mariadb.database))

    def environ(self):
        # slurmdbd.conf is looked for beside slurm.conf, which it does not read
        return dict(self.stack.environ(),
                    SLURM_CONF=os.path.join(self.dir, "slurm.conf"))

    def argv(self):
        return [*self.stack.become(), "slurmdbd", "-D"]

    def ready(self):
        return listening(self.port, self.stack.address)
