"""Settings of every tricast process.

Environment (``TRICAST_…``, ``__`` between levels) over ``tricast.toml`` over defaults. Read once, by the command line,
and passed down; no other module looks at the environment. A key nobody knows is an error that names the closest one:
a misspelt setting that is silently ignored is found in production.
"""

import difflib
import json
import os
import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from connectors.fastpath.config import FastpathSettings
from connectors.kambi.config import KambiSettings
from connectors.rms.config import RmsSettings
from processors.engine.config import EngineSettings
from schemas.errors import ConfigurationError
from schemas.kafka import KafkaSettings
from schemas.topics import Partitions, Topic, registry
from simulators.bets.config import BetPlatformSettings
from simulators.fastpath.config import FastpathSimulatorSettings
from simulators.kambi.config import KambiSimulatorSettings
from simulators.rms.config import RmsSimulatorSettings
from tricast.observe.config import ObserveSettings

PREFIX = "TRICAST_"
SEPARATOR = "__"
CONFIG_FILE = "tricast.toml"
_FILE_SUFFIX = "_FILE"


def _topic_prefix(prefix: str) -> str:
    legal = all(character.isascii() and (character.isalnum() or character in ".-") for character in prefix)
    if not legal or len(prefix) > 100:
        # Kafka's metrics write a dot as an underscore, so `a.b` and `a_b` would collide.
        raise ValueError("only letters, digits, dots and hyphens, at most 100 of them")
    return prefix


class SimulatorSettings(BaseModel):
    """Stand-ins for the vendors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kambi: KambiSimulatorSettings = KambiSimulatorSettings()
    """Kambi Offering Push and its HTTP API."""
    fastpath: FastpathSimulatorSettings = FastpathSimulatorSettings()
    """FastPath WebSockets and REST API."""
    rms: RmsSimulatorSettings = RmsSimulatorSettings()
    """RMS-Socket, its authentication and its bet API."""
    bets: BetPlatformSettings = BetPlatformSettings()
    """The operator's bet platform: places bets there and writes them to ``rms.bets``."""


class Settings(BaseSettings):
    """All settings; frozen. Build it with :func:`load` at the edge, directly in tests."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter=SEPARATOR)

    kafka: KafkaSettings = KafkaSettings()
    """How to reach Kafka."""
    topic_prefix: Annotated[str, AfterValidator(_topic_prefix)] = "tricast."
    """Put before every topic name of the registry and every consumer group."""
    partitions: Partitions = Partitions()
    """What topics of this deployment have grown to; the same for all its parts."""
    data_dir: Path = Path(".tricast")
    """Where `tricast up` keeps Kafka's data, logs and the simulator's ledger."""
    cache_dir: Path | None = None
    """Where the jars of the embedded Kafka are kept; the user's cache directory when unset."""
    kambi: KambiSettings = KambiSettings()
    """The Kambi connector and processor."""
    fastpath: FastpathSettings = FastpathSettings()
    """The FastPath connector and processor."""
    rms: RmsSettings = RmsSettings()
    """The RMS connector and processors."""
    simulator: SimulatorSettings = SimulatorSettings()
    """Stand-ins for the vendors, for `tricast simulate` and `tricast up`."""
    engine: EngineSettings = EngineSettings()
    """The engine under every processor."""
    observe: ObserveSettings = ObserveSettings()
    """Metrics and health endpoints of connectors and workers."""

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The topic registry with this deployment's partition counts, by name."""
        return registry(self.partitions)

    @model_validator(mode="after")
    def _shards_have_partitions(self) -> Self:
        if self.kambi.shards > self.partitions.kambi_shards:
            raise ValueError(
                f"kambi.shards is {self.kambi.shards}, kambi.raw has partitions for {self.partitions.kambi_shards}"
                " (partitions.kambi_shards; `tricast topics grow`)"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments only; :func:`load` reads environment and file, so that a test's settings are what it wrote."""
        return (init_settings,)


class _Environment(EnvSettingsSource):
    """Environment variables of a mapping that is passed in; lists may be JSON or comma-separated."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._variables.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return ``value`` decoded as JSON when it is JSON, else split at commas."""
        text = str(value).strip()
        if text.startswith(("[", "{")):
            return json.loads(text)
        return [item.strip() for item in text.split(",") if item.strip()]


def load(environment: Mapping[str, str] | None = None, config: Path | None = None) -> Settings:
    """Return the settings of this process.

    Args:
        environment: Variables to read; the process's own when ``None``.
        config: TOML file; ``tricast.toml`` of the working directory, if it is there, when ``None``.

    Raises:
        ConfigurationError: A key is unknown, a value impossible, or a named file cannot be read.
    """
    variables = _with_files({k: v for k, v in (os.environ if environment is None else environment).items() if v})
    from_file, origin = _read_toml(config)
    _reject_unknown_keys(Settings, from_file, origin)
    try:
        return Settings(**_merge(from_file, _Environment(variables)()))
    except ValidationError as error:
        raise ConfigurationError(_describe(error), action=f"set it in the environment or in {CONFIG_FILE}") from error
    except ValueError as error:  # json.loads of a list or object
        raise ConfigurationError(f"an environment variable holds broken JSON: {error}") from error


def variable(path: tuple[str, ...]) -> str:
    """Return the environment variable of a setting, e.g. ``("kafka", "bootstrap_servers")``."""
    return PREFIX + SEPARATOR.join(path).upper()


def _with_files(environment: Mapping[str, str]) -> dict[str, str]:
    """Return our variables by upper-case name; ``…_FILE`` ones replaced by what their file holds."""
    known = {variable(path): field for path, field in _leaves(Settings)}
    ours = {name.upper(): value for name, value in environment.items() if name.upper().startswith(PREFIX)}
    result: dict[str, str] = {}
    for name, value in ours.items():
        base = name.removesuffix(_FILE_SUFFIX)
        if name in known:
            result[name] = value
        elif base in known and base != name:
            if base in ours:
                raise ConfigurationError(f"{base} and {name} are both set", action="keep one of them")
            result[base] = _read_secret(name, value)
        else:
            raise ConfigurationError(
                f"unknown environment variable {name}", action=_closest(name, known, f"unset it; `{PREFIX}` is ours")
            )
    return result


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name}: cannot read {path}: {error}") from error


def _read_toml(config: Path | None) -> tuple[dict[str, Any], str]:
    path = config or Path(CONFIG_FILE)
    if config is None and not path.exists():
        return {}, CONFIG_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), str(path)
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}", action="check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}", action="correct the line it names") from error


def _reject_unknown_keys(model: type[BaseModel], values: Mapping[str, Any], origin: str, at: str = "") -> None:
    for key, value in values.items():
        field = model.model_fields.get(key)
        if field is None:
            raise ConfigurationError(
                f"{origin}: unknown key {at}{key}",
                action=_closest(at + key, [at + name for name in model.model_fields], "remove it"),
            )
        inner = _model_of(field.annotation)
        if inner is not None and isinstance(value, Mapping):
            _reject_unknown_keys(inner, value, origin, f"{at}{key}.")


def _closest(key: str, known: Any, otherwise: str) -> str:
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else otherwise


def _leaves(model: type[BaseModel], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Yield path and field of every setting, sections included (a section may be given as one JSON object)."""
    for name, field in model.model_fields.items():
        yield (*at, name), field
        inner = _model_of(field.annotation)
        if inner is not None:
            yield from _leaves(inner, (*at, name))


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType):
        return next((inner for inner in map(_model_of, get_args(annotation)) if inner is not None), None)
    return None


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def _describe(error: ValidationError) -> str:
    """Return every problem with the variable that holds it; values are shown unless they may be secret."""
    secret = {path for path, field in _leaves(Settings) if SecretStr in (field.annotation, *get_args(field.annotation))}
    lines = []
    for problem in error.errors(include_url=False):
        path = tuple(str(part) for part in problem["loc"])
        given = problem.get("input")
        # A URL may carry a password before its @.
        shown = isinstance(given, str | int | float) and path not in secret and "@" not in str(given)
        lines.append(f"{variable(path)}: {problem['msg']}" + (f" (got {given!r})" if shown else ""))
    return "\n".join(lines)
