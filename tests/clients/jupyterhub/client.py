"""Every step of the life of a JupyterHub with OAuthenticator, and what it must refuse."""

import os
import secrets
import sys
import tempfile
from urllib.parse import parse_qs, urlsplit

from beside import free_port, running, wait_until
from person import Person
from steps import take

ISSUER = os.environ["ISSUER"]
USERNAME = os.environ["USERNAME"]
POST_LOGOUT_REDIRECT_URI = os.environ["POST_LOGOUT_REDIRECT_URI"]
SECRETS = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
PORT = urlsplit(os.environ["REDIRECT_URI"]).port
HUB = f"http://127.0.0.1:{PORT}/hub"
HOME = f"{HUB}/home"
API_TOKEN = secrets.token_hex(16)

person = Person(ISSUER, USERNAME, os.environ["PASSWORD"])
somebody_else = Person(ISSUER, "bob", os.environ["BOB_PASSWORD"])


def signs_in_at(whose):
    """Where the button of the hub's page leads."""
    return whose.visit(f"{HUB}/oauth_login?next=%2Fhub%2Fhome")


def kept():
    """What the hub keeps of the person."""
    answer = person.browser.get(f"{HUB}/api/users/{USERNAME}", headers={"Authorization": f"token {API_TOKEN}"}, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def tokens():
    return kept()["auth_state"]["token_response"]


def revoke(token):
    assert person.browser.post(f"{ISSUER}/revoke", data={"token": token}, auth=SECRETS, timeout=30).ok


def asks_strangers_to_sign_in():
    sent = person.open(HOME)
    assert sent.is_redirect and "/hub/login" in sent.headers["location"], sent.headers
    asked = parse_qs(urlsplit(person.open(f"{HUB}/oauth_login").headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["state"], asked


def signs_in():
    page = signs_in_at(person)
    assert person.pages == ["sign-in", "consent"], person.pages
    assert page.url == HOME and USERNAME in page.text, page.url


def learns_name_and_groups():
    user = kept()
    assert user["name"] == USERNAME and user["admin"], user
    assert set(user["groups"]) == {"admins", "engineering"}, user["groups"]


def refreshes():
    old = tokens()
    revoke(old["access_token"])

    def has_a_new_token():
        return person.open(HOME).ok and tokens()["access_token"] != old["access_token"]

    # What the hub knows it asks for anew after a second.
    wait_until(has_a_new_token)
    assert tokens()["refresh_token"] != old["refresh_token"], "refresh tokens rotate"
    assert person.open(HOME).ok


def asks_again_where_it_cannot_refresh():
    revoke(tokens()["refresh_token"])

    def leads_to_sign_in():
        page = person.open(HOME)
        return page.is_redirect and "/hub/login" in page.headers["location"]

    wait_until(leads_to_sign_in)
    page = signs_in_at(person)
    assert person.pages == [] and page.url == HOME, person.pages


def signs_out():
    page = person.visit(f"{HUB}/logout")
    assert person.pages == ["end-session"], person.pages
    assert page.url == POST_LOGOUT_REDIRECT_URI, page.url
    assert person.open(HOME).is_redirect


def signs_in_again():
    signs_in_at(person)
    assert person.pages == ["sign-in"], person.pages


def lets_in_only_those_of_its_group():
    refused = signs_in_at(somebody_else)
    assert somebody_else.pages == ["sign-in", "consent"] and refused.status_code == 403, refused.status_code


def refuses_an_answer_to_another_request():
    stranger = Person(ISSUER, USERNAME, os.environ["PASSWORD"])
    answer = stranger.walk(stranger.open(f"{HUB}/oauth_login").headers["location"])
    state = parse_qs(urlsplit(answer).query)["state"][0]
    assert stranger.open(answer.replace(state, state[::-1])).status_code == 400
    assert stranger.open(HOME).is_redirect


def hears_that_it_is_denied():
    asked = somebody_else.open(f"{HUB}/oauth_login").headers["location"] + "&prompt=consent"
    refused = somebody_else.open(somebody_else.walk(asked, "deny"))
    assert refused.status_code == 400 and "did not allow access" in refused.text, refused.text


STEPS = [
    asks_strangers_to_sign_in,
    signs_in,
    learns_name_and_groups,
    refreshes,
    asks_again_where_it_cannot_refresh,
    signs_out,
    signs_in_again,
    lets_in_only_those_of_its_group,
    refuses_an_answer_to_another_request,
    hears_that_it_is_denied,
]


def url(port):
    return f"http://127.0.0.1:{port}"


def answers():
    return person.open(f"{HUB}/health").ok


with tempfile.TemporaryDirectory() as folder:
    here = os.path.dirname(os.path.abspath(__file__))
    hub_port, api_port = free_port(), free_port()
    environment = os.environ | {
        "API_TOKEN": API_TOKEN,
        "BIND_URL": url(PORT),
        "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16),
        "HUB_URL": url(hub_port),
        "PROXY_API_URL": url(api_port),
    }
    proxy = ["node", os.path.join(here, "node_modules/configurable-http-proxy/bin/configurable-http-proxy")]
    proxy += ["--ip", "127.0.0.1", "--port", str(PORT), "--api-ip", "127.0.0.1", "--api-port", str(api_port)]
    hub = [sys.executable, "-m", "jupyterhub", "--config", os.path.join(here, "jupyterhub_config.py")]
    with running(proxy, api_port, env=environment), running(hub, hub_port, env=environment, cwd=folder):
        wait_until(answers)
        take(STEPS)
