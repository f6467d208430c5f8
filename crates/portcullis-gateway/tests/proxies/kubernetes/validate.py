"""Checks manifests against the schemas of their kinds: `validate.py DEFINITIONS FILE…`.

DEFINITIONS is a folder with CustomResourceDefinitions, with config.proto, which names the fields of Istio's mesh, and with Go files, which
name those of a ServiceMonitor. The package kubernetes-validate has the schemas of Kubernetes's own kinds. A field that a schema does not know is an error, since a cluster drops it
without a word.
"""

import pathlib
import re
import sys

import jsonschema
import kubernetes_validate
import yaml


def documents(path):
    """Returns the documents of a file."""
    return list(yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader))


def definitions(folder):
    """Returns the schema of each kind and version in the folder."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        for document in documents(path):
            spec = document["spec"]
            for version in spec["versions"]:
                name = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                found[name] = strict(version["schema"]["openAPIV3Schema"])
                # Each object has these, whether its schema names them or not.
                found[name]["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
    return found


def strict(schema):
    """Returns the schema with unknown fields refused."""
    schema = dict(schema)
    if "properties" in schema:
        schema["properties"] = {name: strict(part) for name, part in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            schema[part] = strict(schema[part])
    return schema


def unknown_fields(value, fields):
    """Returns the fields of a mesh or a ServiceMonitor that are not among these."""
    if isinstance(value, list):
        return [name for part in value for name in unknown_fields(part, fields)]
    if not isinstance(value, dict):
        return []
    return [name for name in value if name not in fields] + unknown_fields(list(value.values()), fields)


def mesh_fields(proto):
    """Returns the names of all fields in a protobuf file, as YAML writes them."""
    names = re.findall(r"^ +[\w.<>, ]+ (\w+) = \d+", proto.read_text(), re.MULTILINE)
    return {re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in names}


def monitor_fields(folder):
    """Returns the names of all fields in the Go files of a ServiceMonitor."""
    sources = "".join(path.read_text() for path in folder.glob("*.go"))
    return set(re.findall(r'`json:"(\w+)[",]', sources))


def mistakes(document, known):
    """Returns what is wrong with an object, or with Istio's mesh."""
    if "meshConfig" in document:
        return [f"unknown field {name}" for name in unknown_fields(document["meshConfig"], known["meshConfig"])]
    name = (document.get("apiVersion"), document.get("kind"))
    if name == ("monitoring.coreos.com/v1", "ServiceMonitor"):
        spec = dict(document["spec"])
        labels = spec["selector"].pop("matchLabels")
        if not all(isinstance(value, str) for value in labels.values()):
            return ["selector: labels are texts"]
        return [f"unknown field {name}" for name in unknown_fields(spec, known["ServiceMonitor"])]
    if name in known:
        errors = jsonschema.Draft202012Validator(known[name]).iter_errors(document)
        return [f"{error.json_path}: {error.message}" for error in errors]
    try:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    except Exception as error:  # the package has one kind for each mistake
        return [f"{type(error).__name__}: {error}"]
    return []


def main(folder, files):
    folder = pathlib.Path(folder)
    known = definitions(folder)
    known |= {"meshConfig": mesh_fields(folder / "config.proto"), "ServiceMonitor": monitor_fields(folder)}
    wrong = 0
    for file in files:
        for document in documents(pathlib.Path(file)):
            for mistake in mistakes(document, known):
                print(f"{file}: {document.get('kind')}: {mistake}")
                wrong += 1
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
