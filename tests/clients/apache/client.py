"""Every step of the life of an app behind Apache with mod_auth_openidc, and what must be refused."""

import os
from urllib.parse import parse_qs, urlsplit

from behind import ISSUER, NOTES, USERNAME, behind_apache, hook, kept, notes, notes_kept_fresh, person
from steps import take

POST_LOGOUT_REDIRECT_URI = os.environ["POST_LOGOUT_REDIRECT_URI"]
SECRETS = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])


def forget_app():
    """The session at Apache goes; the one at the server stays."""
    person.browser.cookies.pop("mod_auth_openidc_session")


def asks_strangers_to_sign_in():
    sent = person.open(NOTES)
    query = parse_qs(urlsplit(sent.headers["location"]).query)
    assert sent.status_code == 302 and sent.headers["location"].startswith(f"{ISSUER}/authorize?"), sent.headers
    assert query["code_challenge_method"] == ["S256"] and query["nonce"] and query["state"], query


def signs_in():
    headers = notes()
    assert person.pages == ["sign-in", "consent"], person.pages
    assert headers["x-remote-user"] == USERNAME, headers


def passes_claims_on():
    headers = notes()
    assert headers["oidc_claim_iss"] == ISSUER and headers["oidc_claim_sub"] and headers["oidc_claim_sid"], headers
    assert headers["oidc_claim_preferred_username"] == USERNAME, headers
    assert headers["oidc_claim_email"] == f"{USERNAME}@example.com", headers
    assert headers["oidc_claim_email_verified"] == "1", headers


def passes_nothing_on_that_a_browser_says_of_itself():
    headers = notes({"OIDC_CLAIM_sub": "evil", "OIDC-CLAIM-email": "evil", "X-Remote-User": "evil"})
    assert "evil" not in str(headers), headers


def refreshes_when_asked():
    old = kept()
    back = hook(refresh=NOTES, access_token=old["access_token"])
    assert back.headers["location"] == NOTES, back.headers
    new = kept()
    assert new["access_token"] != old["access_token"], "a new access token"
    assert new["refresh_token"] != old["refresh_token"], "refresh tokens rotate"
    assert notes()["oidc_access_token"] == new["access_token"]


def refreshes_by_itself():
    """Where the access token has to last longer than any does."""
    old = kept()
    assert notes_kept_fresh()["oidc_access_token"] == kept()["access_token"] != old["access_token"]
    assert kept()["refresh_token"] != old["refresh_token"], "refresh tokens rotate"


def hears_that_it_cannot_refresh():
    token = kept()
    data = {"token": token["refresh_token"]}
    assert person.browser.post(f"{ISSUER}/revoke", data=data, auth=SECRETS, timeout=30).ok
    back = hook(refresh=NOTES, access_token=token["access_token"])
    assert back.headers["location"] == f"{NOTES}&error_code=refresh_failed", back.headers


def comes_back_without_being_asked():
    forget_app()
    notes()
    assert person.pages == [], person.pages


def signs_out():
    token = kept()["refresh_token"]
    gone = person.visit(hook(logout=POST_LOGOUT_REDIRECT_URI).headers["location"])
    assert gone.url == POST_LOGOUT_REDIRECT_URI and gone.text.startswith("GET /public/out"), gone.url
    assert person.pages == [], person.pages
    refused = refresh(token)
    assert refused.status_code == 400 and refused.json()["error"] == "invalid_grant", refused.text


def refresh(token):
    data = {"grant_type": "refresh_token", "refresh_token": token}
    return person.browser.post(f"{ISSUER}/token", data=data, auth=SECRETS, timeout=30)


def signs_in_again():
    notes()
    assert person.pages == ["sign-in"], person.pages


def refuses_an_answer_to_another_request():
    forget_app()
    answer = person.walk(person.open(NOTES).headers["location"])
    refused = person.open(answer.replace("state=", "state=of-another-request"))
    assert refused.status_code == 400, refused.text
    assert person.open(NOTES).headers["location"].startswith(f"{ISSUER}/authorize?")


def lets_nobody_in_who_denied():
    """This version takes a refusal that names the issuer (RFC 9207) for the answer of a page of providers: it says so instead."""
    answer = person.walk(person.open(NOTES).headers["location"] + "&prompt=consent", "deny")
    assert parse_qs(urlsplit(answer).query)["error"] == ["access_denied"], answer
    refused = person.open(answer)
    assert "location" not in refused.headers and "Error" in refused.text, refused.text
    assert person.open(NOTES).headers["location"].startswith(f"{ISSUER}/authorize?")


STEPS = [
    asks_strangers_to_sign_in,
    signs_in,
    passes_claims_on,
    passes_nothing_on_that_a_browser_says_of_itself,
    refreshes_when_asked,
    refreshes_by_itself,
    hears_that_it_cannot_refresh,
    comes_back_without_being_asked,
    signs_out,
    signs_in_again,
    refuses_an_answer_to_another_request,
    lets_nobody_in_who_denied,
]

with behind_apache("httpd.conf"):
    take(STEPS)
