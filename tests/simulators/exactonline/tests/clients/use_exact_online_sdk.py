"""Works with exact-online-sdk, whose addresses and client come from the environment, as its users set it up.

Records are asked for as they came (`raw`) where they hold dates or a status: the library's models take neither the
dates that Exact sends nor its letters for a status.
"""

from datetime import timedelta

from company import COMPANY, consent, equal, pass_time, refused
from exact_online_sdk import AuthenticationError, ExactOnlineClient, Settings
from exact_online_sdk.api import AccountsAPI, DivisionsAPI, MeAPI, SyncCRMAccountsAPI
from exact_online_sdk.auth import ExactOnlineAuth, InMemoryTokenStorage
from exact_online_sdk.exceptions import BadRequestError, NotFoundError

settings = Settings.from_env()
storage = InMemoryTokenStorage()
auth = ExactOnlineAuth(settings, storage=storage)
client = ExactOnlineClient(settings, auth=auth)
accounts = AccountsAPI(client)

# Sign in.
first = auth.exchange_code_for_token(consent(auth.get_authorization_url(state="s1")))
me = MeAPI(client).list(select=["CurrentDivision", "FullName"])
equal([(user.current_division, user.full_name) for user in me], [(COMPANY["division"], "Connector")])
divisions = DivisionsAPI(client).list(select=["Code", "Description"], raw=True)
equal([division["Code"] for division in divisions], [COMPANY["division"]])

# Page, in the order of the service and in one that is asked for.
pages = list(accounts.iter_pages(filters={"Status": "C"}, select=["ID", "Name"], page_size=None))
equal([len(page) for page in pages], [60, 60, 10])
names = [account.name for page in pages for account in page]
equal(sorted(names), COMPANY["names"])
equal(len({account.id for page in pages for account in page}), len(names))
ordered = accounts.iter_all(filters={"Status": "C"}, select=["Name"], order_by="Name desc", page_size=None)
equal([account.name for account in ordered], COMPANY["names"][::-1])
feed = SyncCRMAccountsAPI(client)
rows = feed.iter_pages(params={"$filter": "Timestamp gt 1L"}, select=["ID", "Name"], page_size=None, raw=True)
equal([len(page) for page in rows], [len(names)])

# Filter.
some = accounts.list(
    filters={"City": "Delft", "Name": ("ge", "Account 100")}, select=["Name"], order_by="Name desc", top=3
)
equal([account.name for account in some], ["Account 128", "Account 126", "Account 124"])
equal(accounts.list(filters={"City": "Delft's"}, select=["Name"]), [])
error = refused(BadRequestError, lambda: accounts.list(select=["Name"]))
assert "This endpoint has mandatory filtering applied." in str(error), error
error = refused(BadRequestError, lambda: accounts.list(filters={"Town": "Delft"}, select=["Name"]))
assert "Bad Request - Error in query syntax." in str(error), error

# Create, update, read back, delete.
made = accounts.create({"Name": "De Vries' Kaas & Co €", "City": "Gouda"}, raw=True)["ID"]
equal(accounts.update(made, {"Name": "De Vries' Kaas & Co €", "City": "Utrecht"}), None)
stored = accounts.get(made, raw=True)
equal((stored["Name"], stored["City"], stored["Blocked"]), ("De Vries' Kaas & Co €", "Utrecht", False))
found = accounts.list(filters={"Name": "De Vries' Kaas & Co €"}, select=["ID", "Name", "City"])
equal([(str(account.id), account.city) for account in found], [(made, "Utrecht")])
gone = accounts.create({"Name": "Not for long"}, raw=True)["ID"]
accounts.delete(gone)
refused(NotFoundError, lambda: accounts.get(gone))


def grow_older(seconds):
    pass_time(seconds)
    token = storage.get_token()
    token.expires_at -= timedelta(seconds=seconds)


# Refresh. The library wants to from 540 seconds on, which is too early until 570, and costs nothing.
grow_older(545)
refused(AuthenticationError, lambda: MeAPI(client).list(select=["FullName"]))
grow_older(30)
equal(len(MeAPI(client).list(select=["FullName"])), 1)
second = storage.get_token()
assert second.refresh_token != first.refresh_token and not second.expired
