"""munged with a socket and a key of its own."""
import os

from .process import Daemon


class Munge(Daemon):
    def __init__(self, stack):
        super().__init__("munged", stack)
        self.dir = stack.mkdir("munge")
        self.socket = stack.path("munge", "socket")
        key = stack.path("munge", "key")
        with open(key, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(os.urandom(128))
        self.key = key

    def argv(self):
        # --force: the key's parent directories are writable by others (/tmp)
        return ["munged", "--foreground", "--force", "--num-threads=4",
                f"--socket={self.socket}", f"--key-file={self.key}",
                f"--pid-file={self.dir}/pid", f"--seed-file={self.dir}/seed",
                f"--log-file={self.dir}/log"]

    def ready(self):
        return os.path.exists(self.socket)
