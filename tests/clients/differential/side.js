// One of the two servers, and what is asked of it. Every answer becomes a verdict: a few words that do not depend on whose it is.

import { createHash, randomBytes } from 'node:crypto';

import { parse } from 'node-html-parser';

const SECRET = process.env.CLIENT_SECRET;
const MOST_STEPS = 20;

export const verifier = 'a-verifier-that-is-long-enough-for-the-rules-of-pkce';
export const challenge = createHash('sha256').update(verifier).digest('base64url');

// A browser without scripts, with its cookies.
class Browser {
  #cookies = new Map();

  async send(url, { method = 'GET', form, headers = {} } = {}) {
    const cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(url, {
      method, body: form, redirect: 'manual', headers: { accept: 'text/html', cookie, origin: new URL(url).origin, ...headers },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (value === '' || /expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }
}

export class Side {
  constructor(issuer, people) {
    this.issuer = issuer;
    this.people = people;
  }

  async discover() {
    this.endpoints = await (await fetch(`${this.issuer}/.well-known/openid-configuration`)).json();
  }

  // An authorization request as it should be, with changes; what is changed to `undefined` is left out.
  request(changes = {}) {
    const nonce = randomBytes(12).toString('hex');
    return parameters({
      client_id: 'web', redirect_uri: 'https://app.example/cb', response_type: 'code', scope: 'openid profile email',
      state: 'a-state', nonce, code_challenge: challenge, code_challenge_method: 'S256', ...changes,
    });
  }

  // A browser in which somebody has signed in and allowed what is asked.
  async signedIn(changes = {}, who = 'alice') {
    const browser = new Browser();
    await this.code(changes, browser, who);
    return browser;
  }

  // A code, for a browser that does what it is asked to.
  async code(changes = {}, browser = new Browser(), who = 'alice') {
    let next = [`${this.endpoints.authorization_endpoint}?${this.request(changes)}`];
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const [url, sent] = next;
      const response = await browser.send(url, sent);
      const location = response.headers.get('location');
      if (location) {
        const target = new URL(location, url);
        if (target.origin !== this.issuer) return target.searchParams.get('code') ?? fail(`a code, not ${target}`);
        next = [target];
      } else {
        next = this.#fillIn(parse(await response.text()), url, who);
      }
    }
    return fail('the way does not end');
  }

  #fillIn(page, url, who) {
    const form = page.querySelector('main form[method=post], form[method=post]') ?? fail(`a form on ${page.text}`);
    const values = form.querySelectorAll('input[type=hidden], input[type=checkbox][name][checked]')
      .map((input) => [input.getAttribute('name'), input.getAttribute('value')]);
    const body = new URLSearchParams(values);
    for (const name of ['username', 'login']) if (form.querySelector(`[name=${name}]`)) body.set(name, who);
    if (form.querySelector('[name=password]')) body.set('password', this.people[who]);
    if (page.querySelector('button[name=decision]')) body.set('decision', 'allow');
    return [new URL(form.getAttribute('action'), url), { method: 'POST', form: body }];
  }

  // What an authorization request leads to.
  async authorize(changes = {}, { browser = new Browser(), post = false, add = '' } = {}) {
    const asked = this.request(changes) + add;
    const endpoint = this.endpoints.authorization_endpoint;
    let url = post ? endpoint : `${endpoint}?${asked}`;
    let response = await browser.send(url, post ? { method: 'POST', form: new URLSearchParams(asked) } : {});
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const location = response.headers.get('location');
      if (!location) return shown(response.status, parse(await response.text()));
      url = new URL(location, url);
      if (url.origin !== this.issuer) return answered(url);
      response = await browser.send(url);
    }
    return fail('the way does not end');
  }

  // What the token endpoint says. `as` is the client; `how` it proves who it is.
  async token(fields, { as = 'web', how = 'basic', url = this.endpoints.token_endpoint, ...others } = {}) {
    const { headers, body } = proven(as, how);
    const form = new URLSearchParams(parameters({ ...body, ...fields }) + (others.add ?? ''));
    const response = await fetch(url, { method: others.method ?? 'POST', headers: { ...headers, ...others.headers },
      body: others.method === 'GET' ? undefined : others.body ?? form });
    const answer = await response.json().catch(() => ({}));
    return { verdict: response.ok ? '200' : [response.status, answer.error].filter(Boolean).join(' '), ...answer };
  }

  async redeem(changes = {}, options = {}) {
    const { code = await this.code(options.asked), ...others } = changes;
    return this.token({ grant_type: 'authorization_code', code, redirect_uri: 'https://app.example/cb', code_verifier: verifier,
      ...others }, options);
  }

  refresh(refresh_token, changes = {}, options = {}) {
    return this.token({ grant_type: 'refresh_token', refresh_token, ...changes }, options);
  }

  async userinfo({ header, query = '', form } = {}) {
    const response = await fetch(`${this.endpoints.userinfo_endpoint}${query}`, {
      method: form ? 'POST' : 'GET', body: form && new URLSearchParams(form), headers: header ? { authorization: header } : {},
    });
    const error = response.headers.get('www-authenticate')?.match(/error="([^"]*)"/)?.[1];
    return response.ok ? '200' : [response.status, error].filter(Boolean).join(' ');
  }

  async introspect(token, options) {
    const { verdict, active } = await this.token({ token }, { url: this.endpoints.introspection_endpoint, ...options });
    return verdict === '200' ? `active ${active}` : verdict;
  }

  async revoke(token, options) {
    return (await this.token({ token }, { url: this.endpoints.revocation_endpoint, ...options })).verdict;
  }

  async endSession(fields, browser = new Browser()) {
    const url = `${this.endpoints.end_session_endpoint}?${parameters(fields)}`;
    const response = await browser.send(url);
    return shown(response.status, parse(await response.text()));
  }
}

function proven(client_id, how) {
  const basic = `Basic ${Buffer.from(`${client_id}:${how === 'wrong' ? 'wrong' : SECRET}`).toString('base64')}`;
  const ways = {
    basic: { headers: { authorization: basic }, body: {} },
    wrong: { headers: { authorization: basic }, body: {} },
    post: { headers: {}, body: { client_id, client_secret: SECRET } },
    both: { headers: { authorization: basic }, body: { client_id, client_secret: SECRET } },
    none: { headers: {}, body: { client_id } },
    nothing: { headers: {}, body: {} },
  };
  return ways[how];
}

function parameters(fields) {
  return new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined)).toString();
}

// An answer that leaves for the app.
function answered(url) {
  const answer = new URLSearchParams(url.hash.length > 3 ? url.hash.slice(1) : url.search);
  return answer.get('error') ? `sends ${answer.get('error')}` : answer.get('code') ? 'sends a code' : 'sends back';
}

// A page: what it asks of the person, by the names that both servers give their pages.
const PAGES = {
  login: 'asks to sign in',
  'sign-in': 'asks to sign in',
  consent: 'asks for consent',
  'select-account': 'asks for an account',
  'end-session': 'asks whether to sign out',
  'op.logoutForm': 'asks whether to sign out',
  'signed-out': 'signs out',
};

function shown(status, page) {
  if (page.querySelector('input[name=code]')) return 'sends a code by a form';
  if (status >= 400) return 'shows an error';
  // oidc-provider's page to sign out where nobody is signed in: its script sends its form at once.
  if (page.querySelector('script')?.text.includes('document.forms[0].submit()')) return 'signs out';
  const places = [['body', 'data-page'], ['input[name=prompt]', 'value'], ['form', 'id']];
  const names = places.map(([element, attribute]) => page.querySelector(element)?.getAttribute(attribute));
  return PAGES[names.find((name) => name in PAGES)] ?? fail(`nothing is known of the page ${page.text}`);
}

function fail(reason) {
  throw new Error(reason);
}
