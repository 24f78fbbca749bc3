import json
import time

from infra.localaws.local_aws import LocalAws
from tests.infra.localaws.deploying import call, deploy

WRITING = """
import json, os, socket, time
def handle(event, context):
    directive = {"Namespace": "Made", "Dimensions": [["Stage"]], "Metrics": [{"Name": "Things", "Unit": "Count"}]}
    said = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}, "Stage": "dev", "Things": 3}
    print(json.dumps(said))
    print('{"_aws": "no metric"}')
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    segment = {"name": "part", "trace_id": os.environ["_X_AMZN_TRACE_ID"].split(";")[0].removeprefix("Root=")}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b'{"format": "json", "version": 1}' + b"\\n" + json.dumps(segment).encode(), (host, int(port)))
        sender.sendto(b"no segment", (host, int(port)))
    return segment["trace_id"]
"""


def test_metrics_in_the_log_and_segments_sent_to_the_daemon_can_be_read(aws: LocalAws) -> None:
    deploy(aws, "writing", WRITING, TracingConfig={"Mode": "Active"})
    trace, error = call(aws, "writing")
    assert error is None
    [metric] = aws.client("cloudwatch").list_metrics(Namespace="Made")["Metrics"]
    assert (metric["MetricName"], metric["Dimensions"]) == ("Things", [{"Name": "Stage", "Value": "dev"}])
    give_up_at = time.monotonic() + 10
    while not aws.xray.segments:
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
    assert aws.xray.segments == [{"name": "part", "trace_id": trace}]
    logged = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/writing")["events"]
    # The line stays in the log, and one that only looks like a metric is text.
    assert [json.loads(event["message"]).get("Things") for event in logged if event["message"].startswith("{")] == [3, None]
