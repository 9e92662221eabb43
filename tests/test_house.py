"""The house keeps its word: what the documents say is there, is there."""

import re
import tomllib
from pathlib import Path

import pytest

from registry import errors
from registry.model import Level
from registry.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def shown(default: object) -> str:
    """A default as the page about running writes it."""
    if default is None:
        return "none"
    if isinstance(default, Level):
        return f"`{default.name}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def test_every_setting_stands_in_the_page_about_running_with_its_default() -> None:
    page = ROOT.joinpath("docs/running.md").read_text()
    documented = dict(re.findall(r"^\| `(SIGNET_\w+)` \| ([^|]*) \|", page, re.MULTILINE))
    assert documented == {
        f"SIGNET_{name.upper()}": shown(field.default) for name, field in Settings.model_fields.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if not page.parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", ROOT.joinpath("Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", page.read_text())) | set(
        re.findall(r"^make ([a-z-]+)", page.read_text(), re.MULTILINE)
    )
    assert named <= targets


def test_the_drawn_tree_of_errors_names_every_error_with_its_code() -> None:
    assert errors.__doc__ is not None
    leaves = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.RegistryError) and kind is not errors.RegistryError
    ]
    assert [kind.__name__ for kind in leaves if kind.__name__ not in errors.__doc__] == []


def rooms_of(package: str) -> set[str]:
    inside = [path for path in (ROOT / package).iterdir() if path.is_dir() or path.suffix == ".py"]
    return {path.stem for path in inside if path.name not in {"__init__.py", "__pycache__"}}


@pytest.mark.parametrize("package", ["registry", "serdes"])
def test_every_room_has_its_layer(package) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = " ".join(layer for contract in contracts for layer in contract.get("layers", ()))
    assert set(re.findall(rf"{package}\.(\w+)", layers)) == rooms_of(package)


def test_every_room_of_the_server_is_drawn() -> None:
    tree = (ROOT / "docs/architecture.md").read_text().partition("serdes/ ")[0]
    assert set(re.findall(r"(\w+)(?:\.py|/)", tree)) >= rooms_of("registry") - {"__main__"}


def test_every_package_is_typed() -> None:
    assert all(ROOT.joinpath(package, "py.typed").exists() for package in ("registry", "serdes"))
