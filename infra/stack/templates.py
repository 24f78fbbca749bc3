"""The templates of the stack: where they are, what they take, and whether cfn-lint has nothing to say against them."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).resolve().parent
BASE: Final = FOLDER / "base.yaml"
WATCH: Final = FOLDER / "watch.yaml"
TEMPLATES: Final = (BASE, WATCH)
STAGES: Final = ("dev", "staging", "live")


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's YAML; `!Sub text` becomes {"Fn::Sub": text}, as it is in JSON."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    raise TypeError(f"!{suffix} of {type(node).__name__}")


_Loader.add_multi_constructor("!", _short_form)


def read(template: Path) -> dict[str, Any]:
    """Return a template with every short form in its long one."""
    found: dict[str, Any] = yaml.load(template.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    return found


def stack_name(stage: str, template: Path = BASE) -> str:
    """Return what a stage's stack is called: `squill-dev-base` and so on; zappa takes `squill-dev` for the API it makes."""
    return f"squill-{stage}-{template.stem}"


def is_valid() -> bool:
    """Have cfn-lint read all templates, with warnings and informations too; it prints what is wrong."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--include-checks", "I", "--", *map(str, TEMPLATES)]
    return subprocess.run(command, check=False).returncode == 0
