"""Who asks: one user of each kind that Slurm tells apart."""
from .wait import wait_until

# the owner has been there since the stack began
PEOPLE = {"root": None, "operator": "games", "coordinator": "man",
          "owner": "daemon", "stranger": "mail"}


def add_people(stack):
    """Has slurmdbd know them, and FLURM."""
    def known():
        return stack.flurm.status()["clusters"][0]["slurmdbd"]["associations"]
    before = known()
    stack.sacctmgr("add", "user", PEOPLE["operator"], "account=science",
                   "adminlevel=operator")
    stack.sacctmgr("add", "user", PEOPLE["coordinator"], "account=science")
    stack.sacctmgr("add", "coordinator", "account=science",
                   f"names={PEOPLE['coordinator']}")
    # what comes last is known last
    stack.sacctmgr("add", "user", PEOPLE["stranger"], "account=science")
    wait_until(known, lambda now: now >= before + 3, 20, "FLURM knows them")
