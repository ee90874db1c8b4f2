"""Checks deploy/kubernetes/ by schemas: Kubernetes' own, KubeRay's for a RayJob, and the values of Milvus' Helm chart.

    python tools/check_kubernetes.py --rayjob CRD.yaml --milvus VALUES.yaml

CRD.yaml is KubeRay's definition of RayJob, VALUES.yaml the chart's own values: `make check-kubernetes` fetches both in
the versions that docs/scale.md names. What a schema does not know is an error, as with kubectl's strict validation.
Ends with status 1 where something is wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

KUBERNETES = Path(__file__).parents[1] / "deploy" / "kubernetes"
VERSION = "1.33"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rayjob", type=Path, required=True)
    parser.add_argument("--milvus", type=Path, required=True)
    asked = parser.parse_args()
    wrong = unknown_values(read(KUBERNETES / "milvus-values.yaml")[0], read(asked.milvus)[0], "milvus-values.yaml")
    ray_schema = strict(schema_of(read(asked.rayjob)[0]))
    for file in ("encode.yaml", "service.yaml"):
        for document in read(KUBERNETES / file):
            found = errors_of_ray(document, ray_schema) if document["kind"] == "RayJob" else errors_of(document)
            wrong += [f"{file}, {document['kind']}: {each}" for each in found]
            print(f"{'NOT' if found else 'ok '}  {file}: {document['kind']} {document['metadata']['name']}")
    print(f"{'NOT' if any('values' in each for each in wrong) else 'ok '}  milvus-values.yaml")
    print("\n".join(wrong))
    return 1 if wrong else 0


def read(file: Path) -> list[Any]:
    return list(yaml.safe_load_all(file.read_text("utf-8")))


def errors_of(document: Any) -> list[str]:
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'/'.join(map(str, error.path))}: {error.message}"]
    return []


def errors_of_ray(document: Any, schema: Any) -> list[str]:
    found = Draft202012Validator(schema).iter_errors(document)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def schema_of(definition: Any) -> Any:
    """The schema in a custom resource definition, of the version that is stored."""
    stored = next(version for version in definition["spec"]["versions"] if version["storage"])
    return stored["schema"]["openAPIV3Schema"]


def strict(schema: Any) -> Any:
    """A schema of Kubernetes as JSON Schema: what an object may not have is an error; numbers may be text where so."""
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items() if key not in {"properties", "format"}}
    if "properties" in schema:
        made["properties"] = {name: strict(value) for name, value in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in schema:
            made["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    for key in ("anyOf", "allOf", "oneOf"):
        if key in schema:
            made[key] = [strict(each) for each in schema[key]]
    return made


def unknown_values(given: Any, known: Any, where: str) -> list[str]:
    """Values that the chart does not have, or has of another kind. What is empty there may be anything."""
    if isinstance(given, dict):
        if not isinstance(known, dict):
            return [] if known is None else [f"{where}: the chart has no more values here"]
        if not known:
            return []
        wrong = []
        for name, value in given.items():
            place = f"{where}: {name}" if ":" not in where else f"{where}.{name}"
            wrong += unknown_values(value, known[name], place) if name in known else [f"{place} is not in the chart"]
        return wrong
    fits = known is None or isinstance(given, type(known)) or (known == "" and isinstance(given, (str, int)))
    return [] if fits else [f"{where}: {type(given).__name__} instead of {type(known).__name__}"]


if __name__ == "__main__":
    raise SystemExit(main())
