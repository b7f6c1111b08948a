"""Receives events as a customer's Python program does, and says of each whether it is accepted.

Reads one case a line from standard input: {"scheme", "secret", "headers", "body" in base64}. Writes `accept` or `reject` for each.
`standard` asks the package `standardwebhooks`; `contract` computes what the sample of the public contract computes.
"""

import base64
import hashlib
import hmac
import json
import sys

from standardwebhooks import Webhook


def standard(secret, headers, body):
    Webhook(secret).verify(body, headers, json_parse=False)
    return True


def contract(secret, headers, body):
    timestamp = headers["X-WhatsApp-Gateway-Timestamp"]
    signed = timestamp.encode() + b"." + body
    expected = "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, headers["X-WhatsApp-Gateway-Signature"])


def accepts(case):
    receive = {"standard": standard, "contract": contract}[case["scheme"]]
    body = base64.b64decode(case["body"])
    try:
        return receive(case["secret"], case["headers"], body)
    except Exception:  # The package refuses with errors of many kinds.
        return False


for line in sys.stdin:
    print("accept" if accepts(json.loads(line)) else "reject")
