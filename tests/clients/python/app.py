"""A Flask app that signs a person in with Authlib."""

import os
from urllib.parse import urlsplit

from authlib.integrations.flask_client import OAuth
from flask import Flask, request

REDIRECT_URI = os.environ["REDIRECT_URI"]
POST_LOGOUT_REDIRECT_URI = os.environ["POST_LOGOUT_REDIRECT_URI"]

# What the app holds of the person who is signed in.
token = {}


def keep(new, **_):
    token.update(new)


app = Flask(__name__)
app.secret_key = os.urandom(32)
# What goes wrong is raised to whoever asked.
app.testing = True

grantor = OAuth(app).register(
    "grantor",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
    update_token=keep,
)


@app.get("/sign-in")
def sign_in():
    return grantor.authorize_redirect(REDIRECT_URI, **request.args)


@app.get(urlsplit(REDIRECT_URI).path)
def signed_in():
    keep(grantor.authorize_access_token())
    return token["userinfo"]


@app.get("/me")
def me():
    return grantor.userinfo(token=token)


@app.get("/sign-out")
def sign_out():
    return grantor.logout_redirect(POST_LOGOUT_REDIRECT_URI, id_token_hint=token["id_token"])


@app.get(urlsplit(POST_LOGOUT_REDIRECT_URI).path)
def signed_out():
    return grantor.validate_logout_response()
