"""What both scripts share: the simulated company, the person who consents, and the simulator's clock."""

import http.client
import json
import sys
import urllib.request
from urllib.parse import parse_qs, urlsplit

# Where the company is and what is in it, told by the test that started this.
COMPANY = json.loads(sys.argv[1])
REDIRECT_URI = "https://app.example/back"


def consent(url):
    """Agrees on the consent page, as a browser would, and gives the code that the redirect carries, decoded."""
    page = urlsplit(url)
    connection = http.client.HTTPConnection(page.netloc)
    connection.request("GET", f"{page.path}?{page.query}")
    answer = connection.getresponse()
    target = answer.getheader("Location")
    assert answer.status == 302 and target.startswith(REDIRECT_URI), (answer.status, target)
    return parse_qs(urlsplit(target).query)["code"][0]


def pass_time(seconds):
    """Lets time pass at the simulator. A library keeps its own clock, which the caller moves alike."""
    body = json.dumps({"advance_seconds": seconds}).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(COMPANY["control_url"] + "/control/clock", body, headers))


def refused(refusal, call):
    """The error of this kind that a call ends with."""
    try:
        answer = call()
    except refusal as error:
        return error
    raise AssertionError(f"not refused: {answer!r}")


def equal(seen, expected):
    assert seen == expected, f"{seen!r} instead of {expected!r}"
