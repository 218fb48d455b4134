"""Every step of the life of an app and two APIs on Spring Security, and what they must refuse."""

import os
from urllib.parse import parse_qs, urlsplit

import requests

from beside import running
from person import Page, Person
from steps import take

ISSUER = os.environ["ISSUER"]
USERNAME = os.environ["USERNAME"]
POST_LOGOUT_REDIRECT_URI = os.environ["POST_LOGOUT_REDIRECT_URI"]
SECRETS = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
PORT = urlsplit(os.environ["REDIRECT_URI"]).port
APP = f"http://127.0.0.1:{PORT}"
SIGN_IN = f"{APP}/oauth2/authorization/grantor"

person = Person(ISSUER, USERNAME, os.environ["PASSWORD"])


def me():
    page = person.visit(f"{APP}/me")
    # Spring adds a word of its own to the address that a browser wanted before it signed in.
    assert urlsplit(page.url).path == "/me" and page.ok, f"{page.status_code} {page.url}: {page.text}"
    return page.json()


def tokens(path="/tokens"):
    answer = person.open(APP + path)
    assert answer.ok, answer.text
    return answer.json()


def call(api, token):
    return requests.get(f"{APP}/{api}/notes", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def refresh(token, **fields):
    """As the app would, apart from it."""
    data = {"grant_type": "refresh_token", "refresh_token": token} | fields
    return person.browser.post(f"{ISSUER}/token", data=data, auth=SECRETS, timeout=30)


def asks_strangers_to_sign_in():
    sent = person.open(f"{APP}/me")
    assert sent.is_redirect and urlsplit(sent.headers["location"]).path == "/oauth2/authorization/grantor", sent.headers
    asked = parse_qs(urlsplit(person.open(SIGN_IN).headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["state"] and asked["nonce"], asked


def signs_in():
    user = me()
    assert person.pages == ["sign-in", "consent"], person.pages
    assert user["name"] == USERNAME, user


def learns_who_it_is():
    claims = me()["claims"]
    assert claims["iss"] == ISSUER and claims["email"] == f"{USERNAME}@example.com" and claims["sid"], claims


def refreshes():
    old, new = tokens(), tokens("/refreshed")
    assert new["access_token"] != old["access_token"]
    assert new["refresh_token"] != old["refresh_token"], "refresh tokens rotate"
    assert tokens() == new


def reads_its_token_at_an_api():
    answer = call("reading", tokens()["access_token"])
    assert answer.ok, f"{answer.status_code} {answer.headers}"
    assert answer.json() == {"of": me()["claims"]["sub"]}, answer.text


def asks_about_its_token_at_another():
    answer = call("asking", tokens()["access_token"])
    assert answer.ok and answer.json() == {"of": me()["claims"]["sub"]}, f"{answer.status_code} {answer.headers}"


def refuses_what_is_no_access_token():
    token = tokens()["access_token"]
    header, payload, signature = token.split(".")
    forged = ".".join([header, payload, signature[:-8] + "AAAAAAAA"])
    for wrong in (forged, me()["id_token"], tokens()["refresh_token"], "moon"):
        for api in ("reading", "asking"):
            answer = call(api, wrong)
            assert answer.status_code == 401 and "invalid_token" in answer.headers["www-authenticate"], f"{api}: {wrong}"


def refuses_a_token_that_is_not_for_it():
    less = refresh(tokens()["refresh_token"], scope="openid").json()["access_token"]
    for api in ("reading", "asking"):
        assert call(api, less).status_code == 401, api


def hears_that_a_token_was_revoked():
    token = tokens("/refreshed")["access_token"]
    assert person.browser.post(f"{ISSUER}/revoke", data={"token": token}, auth=SECRETS, timeout=30).ok
    assert call("asking", token).status_code == 401
    # Who reads tokens itself hears nothing until they expire.
    assert call("reading", token).ok


def signs_out():
    token = tokens()["refresh_token"]
    form = Page(person.open(f"{APP}/logout").text).form("/logout")
    sent = person.browser.post(f"{APP}/logout", data=form, allow_redirects=False, timeout=30)
    page = person.visit(sent.headers["location"])
    assert person.pages == [] and page.url == POST_LOGOUT_REDIRECT_URI and page.text == "Goodbye", page.url
    assert refresh(token).json()["error"] == "invalid_grant"


def signs_in_again():
    me()
    assert person.pages == ["sign-in"], person.pages


def refuses_an_answer_to_another_request():
    stranger = Person(ISSUER, USERNAME, os.environ["PASSWORD"])
    answer = stranger.walk(stranger.open(SIGN_IN).headers["location"])
    refused = stranger.open(answer.replace("state=", "state=of-another-request"))
    assert refused.is_redirect and refused.headers["location"].endswith("/login?error"), refused.headers
    assert stranger.open(f"{APP}/me").is_redirect


def lets_nobody_in_who_denied():
    # The session at the app goes; the one at the server stays.
    person.browser.cookies.pop("JSESSIONID")
    answer = person.walk(person.open(SIGN_IN).headers["location"] + "&prompt=consent", "deny")
    assert parse_qs(urlsplit(answer).query)["error"] == ["access_denied"], answer
    assert person.open(answer).headers["location"].endswith("/login?error")
    assert person.open(f"{APP}/me").is_redirect


STEPS = [
    asks_strangers_to_sign_in,
    signs_in,
    learns_who_it_is,
    refreshes,
    reads_its_token_at_an_api,
    asks_about_its_token_at_another,
    refuses_what_is_no_access_token,
    refuses_a_token_that_is_not_for_it,
    hears_that_a_token_was_revoked,
    signs_out,
    signs_in_again,
    refuses_an_answer_to_another_request,
    lets_nobody_in_who_denied,
]

here = os.path.dirname(os.path.abspath(__file__))
path = [here, os.path.join(here, "classes"), os.path.join(here, "lib/*")]
# Small and quick to start rather than fast.
java = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", os.pathsep.join(path), "app.App"]
with running(java, PORT, env=os.environ | {"PORT": str(PORT)}):
    take(STEPS)
