"""Every step of the life of an Authlib app at a server, and what it must refuse."""

import os
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc.errors import InvalidClaimError

from app import POST_LOGOUT_REDIRECT_URI, REDIRECT_URI, app, grantor, token
from person import Person
from steps import raises, take

ISSUER = os.environ["ISSUER"]
USERNAME = os.environ["USERNAME"]

person = Person(ISSUER, USERNAME, os.environ["PASSWORD"])
# The same person's browser at the app, which is not on the network.
site = app.test_client()


def open_at_app(path, **query):
    return site.get(urljoin(REDIRECT_URI, path), query_string=query or None)


def answer_to_sign_in(decision="allow", **asked):
    """Where the person comes back to who signs in at the app; `asked` is added to the authorization request."""
    return person.walk(open_at_app("/sign-in", **asked).location, decision)


def session():
    return OAuth2Session(grantor.client_id, grantor.client_secret)


def refresh():
    return session().refresh_token(endpoint("token_endpoint"), refresh_token=token["refresh_token"])


def endpoint(name):
    return grantor.load_server_metadata()[name]


def introspection():
    return session().introspect_token(endpoint("introspection_endpoint"), token=token["access_token"]).json()


def changed(url, **parameters):
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | parameters
    return urlunsplit(parts._replace(query=urlencode(query)))


def discovers():
    assert endpoint("issuer") == ISSUER


def signs_in():
    claims = open_at_app(answer_to_sign_in(prompt="consent")).json
    assert person.pages == ["sign-in", "consent"], person.pages
    assert claims["iss"] == ISSUER, claims


def learns_who_it_is():
    user = open_at_app("/me").json
    assert user["sub"] == token["userinfo"]["sub"], user
    assert user["preferred_username"] == USERNAME and user["email"], user


def refreshes():
    """Authlib refreshes by itself, here on the way to userinfo."""
    old = dict(token)
    token["expires_at"] = 0
    open_at_app("/me")
    assert token["access_token"] != old["access_token"]
    assert token["refresh_token"] != old["refresh_token"]
    assert open_at_app("/me").json["sub"] == old["userinfo"]["sub"]


def introspects():
    found = introspection()
    assert found["active"] and found["client_id"] == grantor.client_id, found


def comes_back_without_being_asked():
    open_at_app(answer_to_sign_in())
    assert person.pages == [], person.pages


def signs_out():
    back = person.walk(open_at_app("/sign-out").location)
    assert open_at_app(back).json == {"post_logout_redirect_uri": POST_LOGOUT_REDIRECT_URI}, back
    with raises(OAuthError, "invalid_grant"):
        refresh()


def signs_in_again():
    open_at_app(answer_to_sign_in())
    assert person.pages == ["sign-in"], person.pages


def revokes():
    session().revoke_token(endpoint("revocation_endpoint"), token=token["refresh_token"])
    with raises(OAuthError, "invalid_grant"):
        refresh()
    assert introspection() == {"active": False}


def refuses_an_answer_to_another_request():
    answer = changed(answer_to_sign_in(), state="of another request")
    with raises(OAuthError, "mismatching_state"):
        open_at_app(answer)


def refuses_an_id_token_for_another_request():
    asked = changed(open_at_app("/sign-in").location, nonce="of another request")
    answer = person.walk(asked)
    with raises(InvalidClaimError, "nonce"):
        open_at_app(answer)


def hears_that_it_is_denied():
    answer = answer_to_sign_in("deny", prompt="consent")
    with raises(OAuthError, "access_denied"):
        open_at_app(answer)


STEPS = [
    discovers,
    signs_in,
    learns_who_it_is,
    refreshes,
    introspects,
    comes_back_without_being_asked,
    signs_out,
    signs_in_again,
    revokes,
    refuses_an_answer_to_another_request,
    refuses_an_id_token_for_another_request,
    hears_that_it_is_denied,
]

take(STEPS)
