"""An app behind Apache with mod_auth_openidc, and a person at a browser."""

import os
import tempfile
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

from beside import app, running
from person import Person

ISSUER = os.environ["ISSUER"]
USERNAME = os.environ["USERNAME"]
REDIRECT_URI = os.environ["REDIRECT_URI"]
PORT = urlsplit(REDIRECT_URI).port
NOTES = f"http://127.0.0.1:{PORT}/notes?page=2"
FRESH_NOTES = f"http://127.0.0.1:{PORT}/fresh/notes"

person = Person(ISSUER, USERNAME, os.environ["PASSWORD"])


@contextmanager
def behind_apache(conf):
    """Runs Apache with a configuration of this folder, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        here = os.path.dirname(os.path.abspath(__file__))
        settings = {"HERE": here, "FOLDER": folder, "PORT": str(PORT), "APP_PORT": str(app(shown))}
        # -X: one process, in the foreground.
        apache = ["/usr/sbin/apache2", "-X", "-f", os.path.join(here, conf)]
        with running(apache, PORT, env=os.environ | settings):
            yield


def shown(path, headers):
    return "\n".join([f"GET {path}", *(f"{name.lower()}: {value}" for name, value in headers.items())])


def notes(headers=None):
    """What reaches the app: the headers, by names in small letters."""
    return reached(NOTES, headers)


def notes_kept_fresh():
    return reached(FRESH_NOTES)


def reached(address, headers=None):
    page = person.visit(address, headers)
    assert page.url == address, f"{page.url}: {page.text}"
    first, *lines = page.text.splitlines()
    assert address.endswith(first.removeprefix("GET ")), first
    return dict(line.split(": ", 1) for line in lines)


def hook(**query):
    return person.open(f"{REDIRECT_URI}?{urlencode(query)}")


def kept():
    return hook(info="json").json()
