"""Plants a bug: a function in which one thing is replaced, until the test is over."""

import inspect
import textwrap
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest


@dataclass(frozen=True, slots=True)
class Bug:
    """A function in which ``old``, standing there exactly once, is replaced by ``new``.

    Attributes:
        name: The rule that is broken.
        module: Where the function stands.
        function: Its name, with its class if it has one.
    """

    name: str
    module: ModuleType
    function: str
    old: str
    new: str

    def plant(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Plant it until ``monkeypatch`` is undone."""
        owner: Any = self.module
        *outer, name = self.function.split(".")
        for part in outer:
            owner = getattr(owner, part)
        source = textwrap.dedent(inspect.getsource(getattr(owner, name)))
        assert source.count(self.old) == 1, f"{self.name}: the catalogue has to follow the code"
        made: dict[str, Any] = {}
        exec(source.replace(self.old, self.new), vars(self.module), made)
        monkeypatch.setattr(owner, name, made[name])
