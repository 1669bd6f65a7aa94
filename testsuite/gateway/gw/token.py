"""HS256 tokens, good and bad."""
import base64
import hashlib
import hmac
import json
import os
import time


def new_key(path):
    key = os.urandom(32).hex().encode()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
              "wb") as file:
        file.write(key)
    return key


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mint(key, cluster="flurm", alg="HS256", ttl=900, **claims):
    """A token; any claim can be given another value, None leaves it out."""
    now = int(time.time())
    body = {"sub": "test", "iss": "test", "iat": now, "exp": now + ttl,
            "cluster_id": cluster}
    body.update(claims)
    body = {name: value for name, value in body.items() if value is not None}
    head = _b64(json.dumps({"alg": alg, "typ": "JWT"}).encode())
    text = f"{head}.{_b64(json.dumps(body).encode())}"
    if alg == "none":
        return text + "."
    sign = {"HS256": hashlib.sha256, "HS384": hashlib.sha384,
            "HS512": hashlib.sha512}[alg]
    return f"{text}.{_b64(hmac.new(key, text.encode(), sign).digest())}"
