"""What every command of `bursar-backend` needs: where the backend is, and its services."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from core.backend.configuring import backend_config, folder_config
from core.backend.services.container import BackendConfig, Services, build
from core.backend.settings import read_settings

_T = TypeVar("_T")

Data = Annotated[
    Path | None, typer.Option("--data", help="A data folder, instead of the settings.")
]
EnvFile = Annotated[Path | None, typer.Option("--env-file", help="A file of BURSAR_ variables.")]


def config_of(data: Path | None, env_file: Path | None) -> BackendConfig:
    """The backend that the settings describe, or that of a data folder. Raises SettingsError."""
    return folder_config(data.resolve()) if data else backend_config(read_settings(env_file))


def with_services(config: BackendConfig, work: Callable[[Services], Coroutine[Any, Any, _T]]) -> _T:
    """Run `work` over the services and close them."""
    services = build(config)
    try:
        return asyncio.run(work(services))
    finally:
        services.close()
