"""A flurm-gateway of a test's own, and a client that speaks its API."""
from .api import Api, Events, Gone, Reply
from .gateway import Gateway, build_dir, sanitized
from .job import as_user, spec
from .sibling import Sibling
from .token import mint, new_key
from .wait import wait_for

__all__ = ["Api", "Events", "Gateway", "Gone", "Reply", "Sibling", "as_user",
           "build_dir", "mint", "new_key", "sanitized", "spec", "wait_for"]
