"""What a user of CloudEvents' Python SDK does: both modes of HTTP, of which the binary one names no type of its body."""

import json
import os
import sys

import requests
from cloudevents.http import CloudEvent, to_binary, to_structured

told = []
for name, write in (("structured", to_structured), ("binary", to_binary)):
    attributes = {"id": name, "source": "app", "type": "prompt", "subject": "cust-1", "time": "2026-03-10T08:30:00Z"}
    headers, body = write(CloudEvent(attributes, {"tokens": 3}))
    headers = {**headers, "Authorization": f"Bearer {os.environ['SQUILL_TOKEN']}"}
    told.append(requests.post(f"{os.environ['SQUILL_URL']}/api/v1/events", headers=headers, data=body, timeout=20).status_code)
json.dump(told, sys.stdout)
