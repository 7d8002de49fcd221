"""Works with exactonline, whose addresses and client come from a file of settings, as its users set it up.

It calls over TLS only, unless told otherwise in the way of its own tests.
"""

import datetime
import logging
import tempfile
from urllib.parse import quote

import exactonline.http
from company import COMPANY, REDIRECT_URI, consent, equal, pass_time, refused
from exactonline.api import ExactApi
from exactonline.exceptions import ObjectDoesNotExist
from exactonline.http import HTTPError
from exactonline.resource import GET
from exactonline.storage.ini import IniStorage

exactonline.http.opt_secure.protocols = ("http", "https")


class Complaints(logging.Handler):
    """The library logs what it can't read of the limits in an answer, and goes on."""

    def emit(self, record):
        raise AssertionError(record.getMessage())


logging.getLogger("exactonline").addHandler(Complaints(logging.WARNING))

file = tempfile.NamedTemporaryFile("w", suffix=".ini")
file.write(
    f"""
[server]
auth_url = {COMPANY["base_url"]}/api/oauth2/auth
rest_url = {COMPANY["base_url"]}/api
token_url = {COMPANY["base_url"]}/api/oauth2/token
[application]
base_url = {REDIRECT_URI}
client_id = {COMPANY["client_id"]}
client_secret = {COMPANY["client_secret"]}
"""
)
file.flush()
storage = IniStorage(file.name)
api = ExactApi(storage=storage)

# Sign in.
api.request_token(consent(api.create_auth_request_url()))
first = storage.get_refresh_token()
division = COMPANY["division"]
equal(api.get_divisions(), ({division: f"Company {division}"}, division))
api.set_division(division)

# Page: a list is everything that its pages hold. In the order of the service and in one that is asked for.
customers = api.relations.filter(filter="Status eq 'C'")
equal(sorted(account["Name"] for account in customers), COMPANY["names"])
equal(len({account["ID"] for account in customers}), len(customers))
ordered = api.relations.filter(filter="Status eq 'C'", select="Name", orderby="Name desc")
equal([account["Name"] for account in ordered], COMPANY["names"][::-1])
rows = api.restv1(GET("sync/CRM/Accounts?$select=ID,Name&$filter=" + quote("Timestamp gt 1L")))
equal(len(rows), len(customers))

# Filter.
some = api.relations.filter(filter="City eq 'Delft' and Name ge 'Account 100'", orderby="Name desc", top=3)
equal([account["Name"] for account in some], ["Account 128", "Account 126", "Account 124"])
some = api.relations.filter(filter="substringof('unt 01',Name) eq true or startswith(Name,'Account 12')", select="Name")
equal(len(some), 20)
refused(ObjectDoesNotExist, lambda: api.relations.get(relation_code="nobody"))
error = refused(HTTPError, api.relations.all)
assert error.code == 400 and b"This endpoint has mandatory filtering applied." in error.response, error

# Create, update, read back, delete.
made = api.relations.create({"Code": "%18s" % "777", "Name": "De Vries' Kaas & Co €", "City": "Gouda"})["ID"]
equal(api.relations.update(made, {"City": "Utrecht"}), None)
stored = api.relations.get(relation_code="777", select="ID,Code,Name,City,Blocked")
stored.pop("__metadata")
equal(
    stored,
    {"ID": made, "Code": "%18s" % "777", "Name": "De Vries' Kaas & Co €", "City": "Utrecht", "Blocked": False},
)
error = refused(HTTPError, lambda: api.relations.create({"Code": "%18s" % "777", "Name": "Twice"}))
assert error.code == 500 and b"Data already exists" in error.response, error
gone = api.relations.create({"Name": "Not for long"})["ID"]
equal(api.relations.delete(gone), None)
refused(ObjectDoesNotExist, lambda: api.relations.get(filter=f"ID eq guid'{gone}'"))

# A document with lines, which the library reads from where the document says that they are.
lines = [{"Item": COMPANY["item"], "Quantity": 2, "NetPrice": 12.5}, {"Item": COMPANY["item"], "Quantity": 1}]
quotation = api.quotations.create({"OrderAccount": COMPANY["customer"], "QuotationLines": lines})
selected = "QuotationID,QuotationDate,Created"
(seen,) = api.quotations.filter(filter=f"QuotationID eq guid'{quotation['QuotationID']}'", select=selected)
assert seen["QuotationDate"].time() == datetime.time.min, seen
# Dutch wall clock, as if it were UTC.
now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
assert abs(seen["Created"] - now) < datetime.timedelta(hours=3), seen
lines = api.restv1(GET(quotation["QuotationLines"]["__deferred"]["uri"]))
equal([line["Quantity"] for line in lines], [2, 1])


def grow_older(seconds):
    pass_time(seconds)
    storage.set_access_expiry(storage.get_access_expiry() - seconds)


# Refresh: from 570 seconds on, by itself.
grow_older(565)
api.vatcodes.all()
equal(storage.get_refresh_token(), first)
grow_older(10)
assert api.vatcodes.all()
assert storage.get_refresh_token() != first
