// A person at a browser without scripts: cookies, redirects, and the forms of the server's pages.

import { parse } from 'node-html-parser';

const MOST_STEPS = 20;

export class Person {
  #server;
  #username;
  #password;
  #cookies = new Map();

  // The pages that the last walk led over, by name.
  pages = [];

  constructor(server, username, password) {
    this.#server = new URL(server).origin;
    this.#username = username;
    this.#password = password;
  }

  // Opens an address and goes on, signing in and deciding where asked, until the browser would leave the server for an app.
  // Returns where it would go.
  async walk(address, decision = 'allow') {
    this.pages = [];
    let next = { url: new URL(address) };
    for (let step = 0; step < MOST_STEPS; step += 1) {
      if (next.url.origin !== this.#server) return next.url;
      const response = await this.#send(next);
      const location = response.headers.get('location');
      next = location ? { url: new URL(location, next.url) } : this.#fillIn(parse(await response.text()), decision, next.url);
    }
    throw new Error(`the way does not end: ${next.url}`);
  }

  async #send({ url, form }) {
    const headers = { cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; '), origin: this.#server };
    const response = await fetch(url, { method: form ? 'POST' : 'GET', body: form, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
      this.#cookies.set(name, value);
    }
    return response;
  }

  #fillIn(page, decision, url) {
    const name = page.querySelector('body')?.getAttribute('data-page');
    if (this.pages.includes(name)) throw new Error(`the page ${name} again: ${page.querySelector('#problem')?.text}`);
    this.pages.push(name);
    if (name === 'sign-in') return submit(page, url, { username: this.#username, password: this.#password });
    if (name === 'consent') return submit(page, url, { decision });
    throw new Error(`nothing to do on the page ${name}: ${page.querySelector('main')?.structuredText}`);
  }
}

// The form of the page that posts to the page's own path, filled in.
function submit(page, url, filledIn) {
  const element = page.querySelector('main form[method=post]');
  const sent = element.querySelectorAll('input[type=hidden], input[type=checkbox][name][checked]');
  const form = new URLSearchParams(sent.map((input) => [input.getAttribute('name'), input.getAttribute('value')]));
  for (const [name, value] of Object.entries(filledIn)) form.set(name, value);
  return { url: new URL(element.getAttribute('action'), url), form };
}
