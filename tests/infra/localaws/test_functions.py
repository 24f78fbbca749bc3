import base64
import json
import os
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from infra.localaws.local_aws import LocalAws
from squill.postgres.postmaster import is_alive
from tests.infra.localaws.deploying import call, deploy, make_queue, zipped

COUNTING = """
import os
pid, calls = os.getpid(), 0
def handle(event, context):
    global calls
    calls += 1
    return {"pid": pid, "calls": calls, "left": context.get_remaining_time_in_millis(), "variables": dict(os.environ)}
"""


def test_a_function_gets_what_lambda_gives_it_and_stays_warm(aws: LocalAws) -> None:
    deploy(aws, "warm", COUNTING, Timeout=7, MemorySize=512, Environment={"Variables": {"FONTS": "/var/task/fonts"}})
    first, error = call(aws, "warm")
    again, _error = call(aws, "warm")
    assert error is None
    assert (first["calls"], again["calls"], again["pid"]) == (1, 2, first["pid"])
    assert 0 < first["left"] <= 7000
    variables = first["variables"]
    root = variables["LAMBDA_TASK_ROOT"]
    assert Path(root, "handler.py").is_file()
    assert variables["FONTS"] == f"{root}/fonts"
    assert variables["LD_LIBRARY_PATH"] == f"{root}:{root}/lib"
    assert (variables["AWS_LAMBDA_FUNCTION_NAME"], variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) == ("warm", "512")
    assert variables["AWS_ENDPOINT_URL"] == aws.server.url
    # Nothing of the process that runs the local AWS.
    assert not {name for name in variables if name.startswith(("SQUILL_", "DATABASE_", "PYTEST", "VIRTUAL_ENV"))}


def test_no_package_of_the_developer_can_be_imported(aws: LocalAws) -> None:
    code = """
import importlib.util
def handle(event, context):
    return [name for name in ("django", "boto3", "pytest", "squill") if importlib.util.find_spec(name)]
"""
    deploy(aws, "alone", code)
    assert call(aws, "alone") == ([], None)


def test_a_function_is_killed_at_its_deadline_with_what_it_started(aws: LocalAws, tmp_path: Path) -> None:
    code = """
import os, subprocess, time
def handle(event, context):
    child = subprocess.Popen(["sleep", "60"])
    with open(event["file"], "w") as stream:
        stream.write(f"{os.getpid()} {child.pid}")
    time.sleep(60)
"""
    deploy(aws, "slow", code, Timeout=2)
    started = time.monotonic()
    answer, error = call(aws, "slow", {"file": str(tmp_path / "pids")})
    assert 2 <= time.monotonic() - started < 20
    assert error == "Unhandled"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Task timed out after 2.00 seconds")
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    assert not [pid for pid in pids if is_alive(pid)]


def test_the_next_invocation_after_a_death_finds_a_new_environment(aws: LocalAws) -> None:
    code = "import os\ndef handle(event, context):\n    return os._exit(3) if event else os.getpid()\n"
    deploy(aws, "mortal", code)
    before, _error = call(aws, "mortal")
    answer, error = call(aws, "mortal", {"die": True})
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "exit status 3" in answer["errorMessage"]
    after, error = call(aws, "mortal")
    assert error is None
    assert after != before


def test_code_that_cannot_be_imported_says_why(aws: LocalAws) -> None:
    deploy(aws, "broken", "import no_such_package\ndef handle(event, context): ...\n")
    answer, error = call(aws, "broken")
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")
    assert "No module named 'no_such_package'" in answer["errorMessage"]


def test_new_code_runs_from_the_next_invocation_on(aws: LocalAws) -> None:
    deploy(aws, "changing", "def handle(event, context): return 'old'\n")
    assert call(aws, "changing") == ("old", None)
    code = zipped("def handle(event, context): return 'new'\n")
    aws.client("lambda").update_function_code(FunctionName="changing", ZipFile=code)
    assert call(aws, "changing") == ("new", None)
    assert len(aws.functions.environments("changing")) == 1


def test_what_it_prints_is_in_the_tail_and_in_cloudwatch_logs(aws: LocalAws) -> None:
    deploy(aws, "talking", "def handle(event, context): print('hello there')\n")
    answer = aws.client("lambda").invoke(FunctionName="talking", LogType="Tail")
    tail = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert tail[0].startswith("START RequestId: ")
    assert tail[1] == "hello there"
    assert tail[-1].startswith("REPORT RequestId: ")
    assert "Init Duration: " in tail[-1]
    logged = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/talking")["events"]
    assert "hello there" in [event["message"] for event in logged]


def test_beyond_its_reserved_concurrency_a_caller_is_throttled(aws: LocalAws, tmp_path: Path) -> None:
    code = """
import os, time
def handle(event, context):
    open(os.path.join(event["folder"], str(os.getpid())), "w").close()
    while not os.path.exists(os.path.join(event["folder"], "go")): time.sleep(0.01)
    return "done"
"""
    deploy(aws, "narrow", code)
    aws.client("lambda").put_function_concurrency(FunctionName="narrow", ReservedConcurrentExecutions=2)
    answers: list[object] = []
    event = {"folder": str(tmp_path)}
    threads = [threading.Thread(target=lambda: answers.append(call(aws, "narrow", event))) for _number in range(2)]
    for thread in threads:
        thread.start()
    _wait_until(lambda: len(os.listdir(tmp_path)) == 2)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        call(aws, "narrow", event)
    (tmp_path / "go").touch()
    for thread in threads:
        thread.join()
    assert answers == [("done", None)] * 2
    assert len(aws.functions.environments("narrow")) == 2


FAILING = """
import os
def handle(event, context):
    with open(event["file"], "a") as stream:
        stream.write(context.aws_request_id + "\\n")
    tries = len(open(event["file"]).readlines())
    if tries < event["succeeds_at"]:
        raise ValueError(f"try {tries}")
"""


def test_an_event_that_fails_three_times_lies_in_the_dead_letter_queue(aws: LocalAws, tmp_path: Path) -> None:
    url, arn = make_queue(aws, "dead")
    deploy(aws, "failing", FAILING, DeadLetterConfig={"TargetArn": arn})
    event = {"file": str(tmp_path / "tries"), "succeeds_at": 9}
    answer = aws.client("lambda").invoke(FunctionName="failing", InvocationType="Event", Payload=json.dumps(event))
    assert answer["StatusCode"] == 202
    assert aws.functions.settle(60)
    tries = (tmp_path / "tries").read_text().split()
    assert len(tries) == 3
    [letter] = aws.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(letter["Body"]) == event
    said = {name: attribute["StringValue"] for name, attribute in letter["MessageAttributes"].items()}
    assert {said["RequestID"]} == set(tries)
    assert "try 3" in said["ErrorMessage"]


def test_an_event_that_succeeds_at_the_third_try_is_done(aws: LocalAws, tmp_path: Path) -> None:
    url, arn = make_queue(aws, "empty")
    deploy(aws, "lucky", FAILING, DeadLetterConfig={"TargetArn": arn})
    event = {"file": str(tmp_path / "tries"), "succeeds_at": 3}
    aws.client("lambda").invoke(FunctionName="lucky", InvocationType="Event", Payload=json.dumps(event))
    assert aws.functions.settle(60)
    assert len((tmp_path / "tries").read_text().split()) == 3
    assert "Messages" not in aws.client("sqs").receive_message(QueueUrl=url)


def test_a_function_that_is_not_there_is_not_found(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        call(aws, "nobody")


def test_a_large_package_cannot_come_without_s3(aws: LocalAws) -> None:
    deploy(aws, "large", "def handle(event, context): return 'small'\n")
    with pytest.raises(ClientError, match="RequestEntityTooLargeException"):
        aws.client("lambda").update_function_code(FunctionName="large", ZipFile=bytes(50 * 1024 * 1024 + 3))
    assert call(aws, "large") == ("small", None)


def _wait_until(condition: object, seconds: float = 30) -> None:
    give_up_at = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
