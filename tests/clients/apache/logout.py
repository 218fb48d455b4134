"""What an app behind Apache with mod_auth_openidc hears of people who sign out at the server, by the way that CHANNEL says."""

import os
from urllib.parse import parse_qs, urlsplit

import behind
from beside import wait_until
from behind import ISSUER, NOTES, behind_apache
from person import Page, Person
from steps import take

IS_BACK = os.environ["CHANNEL"] == "back"
alice, bob = behind.person, Person(ISSUER, "bob", os.environ["BOB_PASSWORD"])
# Alice again, at another browser.
elsewhere = Person(ISSUER, alice.username, alice.password)
# The page that the server shows to her who has signed out.
farewell = {}


def is_in(person):
    """Whether the app knows the person without asking the server."""
    page = person.open(NOTES)
    if page.ok and not page.is_redirect:
        return True
    assert page.headers["location"].startswith(f"{ISSUER}/authorize?"), page.headers
    return False


def all_sign_in():
    for person in (alice, elsewhere, bob):
        assert person.visit(NOTES).url == NOTES
        assert person.pages[0] == "sign-in" and is_in(person), person.pages


def one_signs_out_at_the_server():
    page = alice.sign_out()
    assert page.name == "signed-out", page.name
    farewell["page"] = page


def the_browser_opens_the_frame():
    """The only one, with the issuer and the session."""
    (frame,) = farewell["page"].frames
    assert is_in(alice), "not before the browser opens the frame"
    assert frame.startswith(f"{behind.REDIRECT_URI}?logout=get&"), frame
    query = parse_qs(urlsplit(frame).query)
    assert query["iss"] == [ISSUER] and query["sid"], query
    assert alice.open(frame).ok


def the_app_forgets_her():
    def she_is_out():
        return not is_in(alice)

    wait_until(she_is_out)


def the_app_knows_the_others():
    assert is_in(elsewhere), "her session at another browser is not the one that ended"
    assert is_in(bob)


def takes_no_word_of_others():
    """A logout token that nobody signed, and none."""
    for token in ("e30.e30.", ""):
        refused = bob.browser.post(os.environ["LOGOUT_URI"], data={"logout_token": token}, verify=os.environ["CERTIFICATE_FILE"], timeout=30)
        assert refused.status_code == 400, refused.status_code
    assert is_in(bob)


def signs_in_again():
    assert alice.visit(NOTES).url == NOTES
    assert alice.pages == ["sign-in"], alice.pages


CHANNEL = [takes_no_word_of_others] if IS_BACK else [the_browser_opens_the_frame]
with behind_apache("logout.conf"):
    take([all_sign_in, one_signs_out_at_the_server, *CHANNEL, the_app_forgets_her, the_app_knows_the_others, signs_in_again])
