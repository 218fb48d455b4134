"""A person at a browser without scripts: cookies, redirects, and the forms of the server's pages."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

MOST_STEPS = 20


class Person:
    def __init__(self, server, username, password):
        self.server = server
        self.username = username
        self.password = password
        self.browser = requests.Session()
        # The pages that the last walk led over, by name.
        self.pages = []

    def walk(self, address, decision="allow"):
        """Opens an address and goes on, signing in and deciding where asked, until the browser would leave for an app.

        Returns where it would go.
        """
        self.pages = []
        form = None
        for _ in range(MOST_STEPS):
            if not address.startswith(self.server + "/"):
                return address
            response = self._send(address, form)
            if response.is_redirect:
                address, form = urljoin(address, response.headers["location"]), None
            else:
                path, form = self._fill_in(Page(response.text), decision)
                address = urljoin(address, path)
        raise RuntimeError(f"the way does not end: {address}")

    def visit(self, address, headers=None):
        """Opens an address at an app and goes on, over the server where the app leads there, until a page of an app."""
        self.pages = pages = []
        for _ in range(MOST_STEPS):
            if address.startswith(self.server + "/"):
                address = self.walk(address)
                pages += self.pages
                self.pages = pages
            response = self.open(address, headers)
            if not response.is_redirect:
                return response
            address = urljoin(address, response.headers["location"])
        raise RuntimeError(f"the way does not end: {address}")

    def sign_out(self):
        """Signs out at the server; returns the page after it."""
        address = f"{self.server}/end-session"
        form = Page(self._send(address, None).text).form("/sign-out")
        response = self._send(f"{self.server}/sign-out", form)
        if response.is_redirect:
            response = self._send(urljoin(address, response.headers["location"]), None)
        return Page(response.text)

    def open(self, address, headers=None):
        """What an app answers."""
        return self.browser.get(address, headers=headers, allow_redirects=False, timeout=30)

    def _send(self, address, form):
        method = "GET" if form is None else "POST"
        headers = {"Origin": self.server}
        return self.browser.request(method, address, data=form, headers=headers, allow_redirects=False, timeout=30)

    def _fill_in(self, page, decision):
        if page.name in self.pages:
            raise RuntimeError(f"the page {page.name} again: {page.text}")
        self.pages.append(page.name)
        if page.name == "sign-in":
            return "/sign-in", page.form("/sign-in", username=self.username, password=self.password)
        if page.name == "consent":
            return "/consent", page.form("/consent", decision=decision)
        if page.name == "end-session":
            return "/sign-out", page.form("/sign-out")
        raise RuntimeError(f"nothing to do on the page {page.name}: {page.text}")


class Page(HTMLParser):
    """What a page says and frames, its name, and what each of its forms would send as it is: hidden fields and ticks."""

    def __init__(self, html):
        super().__init__()
        self.name = "without a name"
        self.text = ""
        self.frames = []
        self._fields = {}
        self._action = None
        self.feed(html)

    def form(self, action, **filled_in):
        return self._fields[action] + list(filled_in.items())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "body":
            self.name = attributes.get("data-page", self.name)
        elif tag == "form":
            self._action = attributes["action"]
            self._fields[self._action] = []
        elif tag == "iframe":
            self.frames.append(attributes["src"])
        elif tag == "input" and self._is_sent(attributes):
            self._fields[self._action].append((attributes["name"], attributes["value"]))

    def handle_data(self, data):
        self.text = f"{self.text} {data}".strip()

    @staticmethod
    def _is_sent(input):
        kind = input.get("type")
        return "name" in input and (kind == "hidden" or kind == "checkbox" and "checked" in input)
