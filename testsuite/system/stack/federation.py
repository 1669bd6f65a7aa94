"""What `scontrol show federation` says."""
import re

_MEMBER = re.compile(
    r"^(?P<kind>Self|Sibling):\s+(?P<name>[^:\s]+):(?P<host>[^\s]*):"
    r"(?P<port>\d+) ID:(?P<id>\d+) FedState:(?P<state>\S*) "
    r"Features:(?P<features>\S*)"
    r"(?: PersistConnSend/Recv:(?P<send>\w+)/(?P<recv>\w+)"
    r" Synced:(?P<synced>\w+))?")


class Member(dict):
    """One member as a cluster sees it; keys as in the pattern above."""
    __getattr__ = dict.get

    @property
    def linked(self):
        return (self.send, self.recv, self.synced) == ("Yes", "Yes", "Yes")


class Federation:
    def __init__(self, text):
        self.text = text
        found = re.search(r"^Federation:\s+(\S+)", text, re.M)
        self.name = found and found.group(1)
        self.self = None
        self.siblings = {}
        for line in text.splitlines():
            match = _MEMBER.match(line)
            if not match:
                continue
            member = Member(match.groupdict())
            if member.kind == "Self":
                self.self = member
            else:
                self.siblings[member.name] = member

    def __repr__(self):
        return self.text

    def linked(self, *names):
        """All of these are siblings, with both connections up and synced."""
        return all(name in self.siblings and self.siblings[name].linked
                   for name in names)
