import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from portal.embedded import CHECKOUT

SECRETS = {"SECRET_KEY", "POSTGRES_PASSWORD", "PORTAL_DB_PASSWORD", "VALKEY_PASSWORD", "EMAIL_URL"}
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()


def interpolated(text: str, values: dict[str, str]) -> str:
    """As compose puts in what .env says: `${NAME:?message}` and `${NAME:-default}`."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if name in values:
            return values[name]
        assert kind == ":-", f"{name} has neither value nor default"
        return rest

    return re.sub(r"\$\{([A-Z_]+)(:[-?])([^}]*)\}", value, text)


@pytest.fixture(scope="module")
def compose() -> Any:
    values = {name: f"{name.lower().replace('_', '-')}-{'x' * 50}" for name in SECRETS}
    values |= {"EMAIL_URL": "smtp://mail.example", "ALLOWED_HOSTS": "portal.example"}
    values |= {"PUBLIC_URL": "https://portal.example"}
    return yaml.safe_load(interpolated((CHECKOUT / "docker-compose.yml").read_text(), values))


def command_of(service: Any) -> list[str]:
    image_s_own: list[str] = json.loads(DOCKERFILE.rsplit("\nCMD ", 1)[1].replace("\\\n", ""))
    return shlex.split(service["command"]) if "command" in service else image_s_own


def ours(compose: Any) -> dict[str, Any]:
    return {name: service for name, service in compose["services"].items() if "build" in service}


def test_the_services_of_the_portal_are_all_there(compose: Any) -> None:
    assert set(compose["services"]) == {"web", "worker", "beat", "engine", "migrate", "postgres", "valkey"}


def test_every_command_is_one_that_is_installed(compose: Any) -> None:
    for name, service in ours(compose).items():
        program, *words = command_of(service)
        assert shutil.which(program, path=str(Path(sys.executable).parent)), name
        if program == "python":
            assert words[0] == "manage.py"
            assert words[1] in get_commands()


def test_the_settings_load_with_the_environment_of_every_service(compose: Any, tmp_path: Path) -> None:
    for service in ours(compose).values():
        given = {key: value for key, value in service["environment"].items() if value is not None}
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from portal.settings import *; print(DEBUG, DATABASES['default']['HOST'], REDIS_URL)",
            ],
            env={"PATH": os.defpath, "PORTAL_VAR": str(tmp_path), **given},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        assert done.stdout.startswith("False postgres redis://:valkey-password-")


def test_no_secret_has_a_default() -> None:
    text = (CHECKOUT / "docker-compose.yml").read_text()
    for name in SECRETS:
        uses = re.findall(rf"\${{?{name}\b[^}}]*}}?", text)
        assert uses
        assert all(use.startswith(f"${{{name}:?") for use in uses)
    for name in SECRETS:
        assert not re.search(rf"^\s*(ENV|ARG).*{name}", DOCKERFILE, re.MULTILINE)


def test_the_example_names_every_value_that_compose_asks_for() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", (CHECKOUT / "docker-compose.yml").read_text()))
    example = set(re.findall(r"^([A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE))
    assert asked <= example


def test_every_service_has_a_restart_policy_and_says_how_its_health_is_told(compose: Any) -> None:
    for name, service in compose["services"].items():
        assert service["restart"] in ("unless-stopped", "on-failure:3"), name
        assert "healthcheck" in service or ("build" in service and "HEALTHCHECK" in DOCKERFILE), name
    assert "/health/ready" in DOCKERFILE


def test_everything_waits_for_the_migrations_and_keeps_its_data(compose: Any) -> None:
    for name, service in ours(compose).items():
        if name != "migrate":
            assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert set(compose["volumes"]) == {"database", "files", "queue"}


def test_the_database_knows_utf8_and_the_application_s_role_owns_nothing(compose: Any) -> None:
    arguments = compose["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    assert "--lc-ctype=C.UTF-8" in arguments
    assert "--encoding=UTF8" in arguments
    assert "postgres://portal:" in compose["services"]["web"]["environment"]["DATABASE_URL"]
    assert "postgres://postgres:" in compose["services"]["migrate"]["environment"]["DATABASE_URL"]
    assert "OWNER" not in compose["configs"]["application-role"]["content"]


def test_valkey_writes_to_disk_and_throws_nothing_away(compose: Any) -> None:
    command = compose["services"]["valkey"]["command"]
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_the_image_gets_every_app_and_runs_as_nobody_special() -> None:
    let_in = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().split() if line.startswith("!")}
    local = {app.split(".")[0] for app in settings.INSTALLED_APPS if (CHECKOUT / app.split(".")[0]).is_dir()}
    assert local | {"templates", "static", "manage.py", "requirements.lock"} <= let_in
    assert re.search(r"^USER portal$", DOCKERFILE, re.MULTILINE)


def test_the_image_s_static_files_are_built_in_a_clean_folder(tmp_path: Path) -> None:
    let_in = [line[1:] for line in (CHECKOUT / ".dockerignore").read_text().split() if line.startswith("!")]
    for name in let_in:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        elif source.exists():
            shutil.copy(source, tmp_path / name)
    step = DOCKERFILE[DOCKERFILE.index("RUN SECRET_KEY") : DOCKERFILE.index("python manage.py collectstatic")]
    given = dict(word.split("=", 1) for word in step.replace("RUN", "").replace("\\", "").split())
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"],
        env={"PATH": os.defpath, "DEBUG": "0", "STATIC_ROOT": str(tmp_path / "built"), **given},
        cwd=tmp_path,
        check=True,
        timeout=120,
    )
    assert list((tmp_path / "built").glob("portal.*.css"))
