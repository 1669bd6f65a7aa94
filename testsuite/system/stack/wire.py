"""Slurm's framing, as far as it takes to speak out of turn.

A message is u32 length, header, credential, body; on a persistent connection
it is u32 length, u16 type, body. Layouts are those of 22.05 and later.
"""
import ctypes
import socket
import struct

REQUEST_PING = 1008
REQUEST_FED_INFO = 2049
REQUEST_PERSIST_INIT = 6500
PERSIST_RC = 1433
REQUEST_CTLD_MULT_MSG = 4500
RESPONSE_SLURM_RC = 8001
ACCOUNTING_UPDATE_MSG = 10001

PERSIST_FED = 2
PERSIST_ACCT_UPDATE = 5

GLOBAL_AUTH_KEY = 1
MUNGE_PLUGIN = 101

_MUNGE_OPT_SOCKET = 8


class Munge:
    """Credentials of this process's user from the stack's munged.

    They are made for no body in particular: Slurm takes them, unless told to
    block_null_hash, so that a body can be altered at will.
    """

    def __init__(self, path):
        self._lib = ctypes.CDLL("libmunge.so.2")
        self._lib.munge_ctx_create.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._lib.munge_ctx_create())
        self._lib.munge_ctx_set(self._context, _MUNGE_OPT_SOCKET,
                                ctypes.c_char_p(path.encode()))

    def credential(self):
        cred = ctypes.c_char_p()
        err = self._lib.munge_encode(ctypes.byref(cred), self._context,
                                     None, 0)
        if err:
            raise OSError(f"munge_encode: error {err}")
        return cred.value


def string(text):
    if text is None:
        return struct.pack(">I", 0)
    data = text.encode() + b"\0"
    return struct.pack(">I", len(data)) + data


def frame(data):
    return struct.pack(">I", len(data)) + data


def message(kind, body, version, credential, flags=GLOBAL_AUTH_KEY):
    """A whole message, as a client sends it."""
    header = struct.pack(">HHHIHHH", version, flags, kind, len(body), 0, 0, 0)
    auth = struct.pack(">II", MUNGE_PLUGIN, len(credential) + 1) + \
        credential + b"\0"
    return frame(header + auth + body)


def persistent(kind, body):
    return frame(struct.pack(">H", kind) + body)


def persist_init(cluster, version, kind=PERSIST_FED, port=0):
    """The body of a REQUEST_PERSIST_INIT."""
    return struct.pack(">H", version) + string(cluster) + \
        struct.pack(">HH", kind, port)


def kind_of(data):
    """(type, body) of a received message (without its length)."""
    version, flags, kind, size, forward, ret, family = \
        struct.unpack_from(">HHHIHHH", data)
    return kind, data[len(data) - size:]


class Connection:
    def __init__(self, port, host="127.0.0.1", timeout=10):
        self.socket = socket.create_connection((host, port), timeout)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """One frame without its length; b"" once the peer has closed."""
        head = self._read(4)
        return self._read(struct.unpack(">I", head)[0]) if head else b""

    def _read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                return b""
            data += piece
        return data

    def closed(self, timeout):
        """True if the peer closes within the time, whatever it sends."""
        self.socket.settimeout(timeout)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
