"""doc/flurm-api.yaml, and whether an answer is what it says."""
import json
import re

import yaml

from .gateway import TOP

METHODS = ("get", "post", "patch", "delete")
NOT_THE_GATEWAYS = {"federation"}       # a tag, but for the first of them
ANY_ROUTE = {400, 401, 403, 404, 405, 413, 429, 431, 503}    # may answer so


class Contract:
    def __init__(self):
        with open(f"{TOP}/doc/flurm-api.yaml", encoding="utf-8") as file:
            self.doc = yaml.safe_load(file)

    def resolve(self, thing):
        while "$ref" in thing:
            found = self.doc
            for part in thing["$ref"].split("/")[1:]:
                found = found[part]
            thing = found
        return thing

    def operations(self):
        """(path, METHOD, operation) of what a gateway serves."""
        for path, item in self.doc["paths"].items():
            for method in METHODS:
                op = item.get(method)
                if op and (not NOT_THE_GATEWAYS & set(op["tags"]) or
                           path == "/api/v1/federation"):
                    yield path, method.upper(), op

    def examples(self):
        """Those operations that have one, in the order to run them in."""
        found = [(op.get("x-order", 100), number, path, method, op)
                 for number, (path, method, op) in enumerate(self.operations())
                 if "x-run" in op]
        return [entry[2:] for entry in sorted(found, key=lambda e: e[:2])]

    def find(self, method, path):
        """The operation that a request is for; None if there is none."""
        bare = path.split("?")[0]
        found = [(template.count("{"), op)
                 for template, known, op in self.operations()
                 if known == method and
                 re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), bare)]
        return min(found, key=lambda entry: entry[0])[1] if found else None

    def check(self, method, path, reply):
        """Fail unless the answer is one that the contract has."""
        op = self.find(method, path)
        said = op and str(reply.status) in op["responses"]
        assert said or reply.status in ANY_ROUTE, (method, path, reply)
        schema = self.answer_schema(op, reply.status) if said else None
        if reply.status >= 400 and reply.status != 410:
            # an error, with what it may have of a result
            schema = {"allOf": [{"$ref": "#/components/schemas/Error"},
                                {"$ref": "#/components/schemas/Result"}]}
        if schema and reply.body:
            wrong = list(self.wrong(json.loads(reply.body), schema))
            assert not wrong, (method, path, wrong, reply)

    def check_event(self, event):
        wrong = list(self.wrong(event,
                                {"$ref": "#/components/schemas/Event"}))
        assert not wrong, (wrong, event)

    def answer_schema(self, op, status):
        """None if the contract has no such answer, or it is not JSON."""
        response = op["responses"].get(str(status))
        if not response:
            return None
        content = self.resolve(response).get("content", {})
        media = content.get("application/json") or \
            content.get("application/x-ndjson")
        return media["schema"] if media else None

    def properties(self, schema):
        """All properties of a schema and of those it is made of."""
        schema = self.resolve(schema)
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            found.update(self.properties(part))
        return found

    def required(self, schema):
        schema = self.resolve(schema)
        found = set(schema.get("required", []))
        for part in schema.get("allOf", []):
            found |= self.required(part)
        return found

    def wrong(self, value, schema, where="answer"):
        """What in a value is not as the schema says, one line each."""
        schema = self.resolve(schema)
        if "oneOf" in schema:
            if all(list(self.wrong(value, one, where))
                   for one in schema["oneOf"]):
                yield f"{where}: {value!r} is none of what it may be"
            return
        kind = schema.get("type", "object" if self.properties(schema)
                          else None)
        types = {"object": dict, "array": list, "string": str,
                 "boolean": bool, "integer": int, "number": (int, float)}
        if kind and (not isinstance(value, types[kind]) or
                     kind == "integer" and isinstance(value, bool)):
            yield f"{where}: {value!r} is no {kind}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is not in {schema['enum']}"
        if "minimum" in schema and value < schema["minimum"]:
            yield f"{where}: {value} is too small"
        if "maximum" in schema and value > schema["maximum"]:
            yield f"{where}: {value} is too large"
        if kind == "array":
            for number, one in enumerate(value):
                yield from self.wrong(one, schema["items"],
                                      f"{where}[{number}]")
        properties = self.properties(schema)
        if kind == "object" and properties:
            for name in self.required(schema) - set(value):
                yield f"{where}: no {name}"
            for name, one in value.items():
                if name not in properties:
                    yield f"{where}: {name} is not in the contract"
                else:
                    yield from self.wrong(one, properties[name],
                                          f"{where}.{name}")


def contains(value, wanted):
    """Does a JSON value have at least what is wanted?"""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            name in value and contains(value[name], one)
            for name, one in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(
            contains(*pair) for pair in zip(value, wanted))
    return value == wanted
