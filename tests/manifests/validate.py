"""Holds documents against the schemas of their kinds, strictly: standard input is a JSON list of documents, the first
argument the version of Kubernetes, the second a folder with the schemas of kinds that Kubernetes has not by itself.
Prints a line for each problem."""

import json
import pathlib
import sys

import jsonschema
import kubernetes_validate


def problems(document, further, version):
    """What is wrong with a document, and where."""
    kind = (document.get("apiVersion"), document.get("kind"))
    if kind in further:
        return [(error.json_path, error.message) for error in further[kind].iter_errors(document)]
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [("$." + ".".join(str(step) for step in error.path), error.message)]
    except kubernetes_validate.SchemaNotFoundError:
        return [("$.kind", f"{kind[0]} {kind[1]} is no kind that is known: bring its schema, or correct it")]
    return []


def main():
    version, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    further = {}
    for path in sorted(folder.glob("*.json")):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        kind = (schema["properties"]["apiVersion"]["const"], schema["properties"]["kind"]["const"])
        further[kind] = jsonschema.Draft202012Validator(schema)
    for document in json.load(sys.stdin):
        name = document.get("metadata", {}).get("name")
        for where, what in problems(document, further, version):
            print(f"{document.get('kind')} {name}: {where}: {what}")


main()
