"""zappa_settings.json as zappa reads it: every stage complete, every name known and short enough, and nothing secret in it."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import zappa
from django.conf import settings as django_settings
from django.urls import URLPattern, URLResolver, get_resolver
from zappa.cli import CUSTOM_SETTINGS, ZappaCLI

from infra.stack import templates
from squill.postgres.home import CHECKOUT
from tests.architecture.test_documented_settings import documented
from tests.squill.test_production import AWS, MANAGER, problems

SETTINGS = json.loads((CHECKOUT / "zappa_settings.json").read_text())
WEB = ("dev", "staging", "live")
JOBS = ("dev_jobs", "staging_jobs", "live_jobs")


def stage(name: str) -> dict[str, Any]:
    """Return a stage with what it extends, by zappa's own rules."""
    command = ZappaCLI()
    command.zappa_settings = SETTINGS
    command.api_stage = name
    found: dict[str, Any] = command.stage_config
    return found


def function_name(name: str) -> str:
    return f"{stage(name)['project_name']}-{name}".replace("_", "-")


def test_there_are_a_web_and_a_jobs_function_for_each_stage() -> None:
    assert sorted(SETTINGS) == sorted((*WEB, *JOBS))
    assert [function_name(name) for name in (*WEB, *JOBS)] == [
        "squill-dev",
        "squill-staging",
        "squill-live",
        "squill-dev-jobs",
        "squill-staging-jobs",
        "squill-live-jobs",
    ]


def known_settings() -> set[str]:
    """Return what zappa reads, from its source; its documents lack some and have some that are gone."""
    package = Path(zappa.__file__).parent
    source = "\n".join((package / name).read_text() for name in ("cli.py", "core.py"))
    read = re.findall(r"""(?:stage_config|zappa_settings\[[^\]]+\])(?:\.get\(|\[)\s*["'](\w+)["']""", source)
    return {*read, *CUSTOM_SETTINGS, "extends"}


@pytest.mark.parametrize("name", SETTINGS)
def test_zappa_knows_every_setting(name: str) -> None:
    assert {"debug", "role_arn", "dead_letter_arn", "lambda_concurrency"} <= known_settings()
    assert sorted(SETTINGS[name].keys() - known_settings()) == []
    for event in SETTINGS[name].get("events", []):
        assert event.keys() <= {"function", "expression", "description", "name", "kwargs", "enabled"}


@pytest.mark.parametrize("name", SETTINGS)
def test_what_zappa_would_choose_badly_is_said(name: str) -> None:
    found = stage(name)
    assert (found["runtime"], found["django_settings"]) == ("python3.13", "squill.settings")
    assert (found["debug"], found["log_level"], found["xray_tracing"]) == (False, "INFO", True)
    assert (found["manage_roles"], found["touch"], found["route53_enabled"]) == (False, False, False)
    assert found["use_precompiled_packages"] is False
    assert isinstance(SETTINGS[name].get("keep_warm", SETTINGS["dev"]["keep_warm"]), bool)
    assert found["lambda_concurrency"] > 0
    base = name.removesuffix("_jobs")
    assert found["role_arn"].endswith(f":role/squill-{base}-{'jobs' if name in JOBS else 'web'}")
    assert found["vpc_config"].keys() == {"SubnetIds", "SecurityGroupIds"}


@pytest.mark.parametrize("name", WEB)
def test_a_web_function_answers_in_time_and_has_no_schedule(name: str) -> None:
    found = stage(name)
    assert (found["timeout_seconds"], found["events"]) == (30, [])
    assert found.get("apigateway_enabled", True) is True
    assert found["domain"] in found["aws_environment_variables"]["SQUILL_ALLOWED_HOSTS"]
    # Zappa makes edge-optimised domains, whose certificates are taken from there only.
    assert found["certificate_arn"].startswith("arn:aws:acm:us-east-1:")


@pytest.mark.parametrize("name", JOBS)
def test_a_jobs_function_has_lambdas_whole_time_and_all_of_the_schedule(name: str) -> None:
    found = stage(name)
    assert (found["timeout_seconds"], found["apigateway_enabled"], found["keep_warm"]) == (900, False, False)
    assert found["dead_letter_arn"].endswith(f":squill-{name.removesuffix('_jobs')}-dead-letters")
    assert found["domain"] is found["certificate_arn"] is None
    functions = [event["function"] for event in found["events"]]
    assert functions == [event["function"] for event in stage("live_jobs")["events"]]
    assert len(set(functions)) == len(functions)
    assert found["aws_environment_variables"] == stage(name.removesuffix("_jobs"))["aws_environment_variables"]


@pytest.mark.parametrize("name", JOBS)
def test_scheduled_functions_exist_and_their_rules_have_names_that_eventbridge_takes(name: str) -> None:
    for event in stage(name)["events"]:
        module, _dot, function = event["function"].rpartition(".")
        assert callable(getattr(import_module(module), function))
        # Zappa finds the function by the end of the rule's name, and refuses a longer one after the function was made.
        assert len(f"{function_name(name)}-{event['function']}") <= 63
        assert re.fullmatch(r"[._A-Za-z0-9]+", event["function"])
        assert event["expression"].startswith(("rate(", "cron("))
        assert event["description"]


def test_dev_lets_its_database_sleep() -> None:
    """A rule that looks every minute would keep a database awake that is paid by the second."""
    for event in stage("dev_jobs")["events"]:
        assert re.fullmatch(r"cron\([0-5](,[0-5])? .*\)", event["expression"])  # all in the first minutes of an hour
    environment = stage("dev")["aws_environment_variables"]
    assert environment["SQUILL_DATABASE_CONNECTION_SECONDS"] == "0"  # a connection that is kept open keeps it awake too


@pytest.mark.parametrize("name", WEB)
def test_functions_together_open_fewer_connections_than_the_alarm_allows(name: str) -> None:
    limit = templates.read(templates.WATCH)["Parameters"]["ConnectionsLimit"]["Default"]
    # A process that lays out a PDF has no connection of its own.
    assert stage(name)["lambda_concurrency"] + stage(f"{name}_jobs")["lambda_concurrency"] < limit


@pytest.mark.parametrize("name", JOBS)
def test_a_jobs_function_has_room_for_the_helpers_that_it_calls(name: str) -> None:
    # A run and the queue may each have all their helpers at once, beside the other scheduled functions.
    others = len(stage(name)["events"]) - 2
    assert stage(name)["lambda_concurrency"] >= 2 * django_settings.SQUILL_WORKERS_MAX + others


@pytest.mark.parametrize("name", SETTINGS)
def test_the_process_that_lays_pdfs_out_fits_into_the_function(name: str) -> None:
    """What it may take is address space, of which it really uses a quarter or so; what is beside it needs 200 MB."""
    settings = stage(name)
    assert int(settings["aws_environment_variables"]["SQUILL_PDF_MEMORY_MB"]) <= settings["memory_size"]


@pytest.mark.parametrize("name", SETTINGS)
def test_nothing_secret_is_in_the_settings(name: str) -> None:
    found = stage(name)
    assert not found.get("environment_variables")  # in clear text in the package
    environment = found["aws_environment_variables"]
    assert environment.keys() & {"SQUILL_SECRET_KEY", "SQUILL_SECRET_KEY_FALLBACKS", "DATABASE_URL"} == set()
    assert [key for key in environment if re.search(r"PASSWORD|TOKEN|ACCESS_KEY", key)] == []
    assert all(isinstance(value, str) for value in environment.values())
    assert len("".join(key + value for key, value in environment.items())) < 3500  # Lambda takes 4 KB; names get longer


@pytest.mark.parametrize("name", WEB)
def test_variables_are_those_that_squill_reads(name: str) -> None:
    of_libraries = {"FONTCONFIG_PATH", "XDG_CACHE_HOME"}
    assert stage(name)["aws_environment_variables"].keys() - of_libraries <= documented().keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_squill_starts_with_the_variables_of_a_stage(name: str) -> None:
    environment = stage(name)["aws_environment_variables"]
    texts = {
        environment["SQUILL_SECRETS"]: json.dumps({"SQUILL_SECRET_KEY": "k" * 64}),
        "rds": json.dumps({"username": "squill", "password": "p"}),
    }
    given = AWS | environment | {"AWS_LAMBDA_FUNCTION_NAME": function_name(name), "SECRETS_FOR_TEST": json.dumps(texts)}
    told = problems(given | {"SQUILL_DATABASE_SECRET": "rds"}, MANAGER)
    # Who deploys live fetches the authorities first: no copy that somebody else vouches for is in the repository.
    assert told == [] or (name.startswith("live") and len(told) == 1 and "SQUILL_DATABASE_CA='squill/aws/rds-ca.pem'" in told[0])


def paths(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        path = before + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLResolver):
            yield from paths(pattern.url_patterns, path)
        else:
            yield path


def test_no_path_begins_with_the_name_of_a_stage() -> None:
    """Zappa takes the stage's name off a path's beginning, also where it is the beginning of a longer word."""
    every = [*paths(get_resolver().url_patterns), "static/"]
    assert len(every) > 100
    assert [path for path in every if path.startswith(tuple(SETTINGS))] == []
