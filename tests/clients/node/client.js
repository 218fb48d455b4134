// An app built on openid-client: every step of its life at a server, and what it must refuse.

import assert from 'node:assert/strict';
import * as oidc from 'openid-client';
import { Person } from './person.js';

const { CLIENT_ID, CLIENT_SECRET, INITIAL_ACCESS_TOKEN, ISSUER, PASSWORD, POST_LOGOUT_REDIRECT_URI, REDIRECT_URI, REQUEST_KEY, USERNAME } =
  process.env;

const person = new Person(ISSUER, USERNAME, PASSWORD);
let server;
let tokens;
// What the app is known by.
let known = INITIAL_ACCESS_TOKEN ? undefined : { client_id: CLIENT_ID, client_secret: CLIENT_SECRET };

async function discovered(...uses) {
  // Plain HTTP is for tests; signatures are checked even where TLS already tells who sent an ID token.
  const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks, ...uses];
  if (known) return oidc.discovery(new URL(ISSUER), known.client_id, known.client_secret, undefined, { execute });
  const registered = await registers(execute);
  known = registered.clientMetadata();
  return registered;
}

async function discovers() {
  server = await discovered();
  assert.equal(server.serverMetadata().issuer, ISSUER);
}

// The app makes itself known, where it is not.
async function registers(execute) {
  const { kty, crv, x, y, kid } = JSON.parse(REQUEST_KEY);
  const metadata = {
    jwks: { keys: [{ kty, crv, x, y, kid }] },
    client_name: 'An app that registers itself',
    redirect_uris: [REDIRECT_URI],
    post_logout_redirect_uris: [POST_LOGOUT_REDIRECT_URI],
    grant_types: ['authorization_code', 'refresh_token', 'implicit'],
    response_types: ['code', 'id_token', 'code id_token'],
    token_endpoint_auth_method: 'client_secret_post',
    id_token_signed_response_alg: 'ES256',
  };
  const options = { execute, initialAccessToken: INITIAL_ACCESS_TOKEN };
  return oidc.dynamicClientRegistration(new URL(ISSUER), metadata, undefined, options);
}

// What is asked, and what the answer must fit.
async function authorization(changes = {}, build = (parameters) => oidc.buildAuthorizationUrl(server, parameters)) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const url = await build({
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile email',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...changes,
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } };
}

async function authorize(changes) {
  const { url, checks } = await authorization(changes);
  const answer = await person.walk(url);
  assert.ok(answer.href.startsWith(`${REDIRECT_URI}?`), `an answer to the app, not ${answer}`);
  return oidc.authorizationCodeGrant(server, answer, checks);
}

async function signsIn() {
  tokens = await authorize({ prompt: 'consent' });
  assert.deepEqual(person.pages, ['sign-in', 'consent']);
  assert.equal(tokens.claims().iss, ISSUER);
}

async function learnsWhoItIs() {
  const user = await oidc.fetchUserInfo(server, tokens.access_token, tokens.claims().sub);
  assert.equal(user.preferred_username, USERNAME);
  assert.ok(user.email, 'an e-mail address');
}

async function refreshes() {
  const spent = tokens;
  tokens = await oidc.refreshTokenGrant(server, spent.refresh_token);
  assert.notEqual(tokens.refresh_token, spent.refresh_token, 'refresh tokens rotate');
  assert.equal(tokens.claims().sub, spent.claims().sub);
  await oidc.fetchUserInfo(server, tokens.access_token, tokens.claims().sub);
}

async function introspects() {
  const token = await oidc.tokenIntrospection(server, tokens.access_token);
  assert.equal(token.active, true);
  assert.equal(token.client_id, server.clientMetadata().client_id);
}

async function comesBackWithoutBeingAsked() {
  await authorize();
  assert.deepEqual(person.pages, []);
}

async function signsOut() {
  const state = oidc.randomState();
  const parameters = { id_token_hint: tokens.id_token, post_logout_redirect_uri: POST_LOGOUT_REDIRECT_URI, state };
  const back = await person.walk(oidc.buildEndSessionUrl(server, parameters));
  assert.equal(back.href, `${POST_LOGOUT_REDIRECT_URI}?state=${state}`);
  await assert.rejects(oidc.refreshTokenGrant(server, tokens.refresh_token), { error: 'invalid_grant' });
}

async function signsInAgain() {
  tokens = await authorize();
  assert.deepEqual(person.pages, ['sign-in']);
}

async function revokes() {
  await oidc.tokenRevocation(server, tokens.refresh_token);
  await assert.rejects(oidc.refreshTokenGrant(server, tokens.refresh_token), { error: 'invalid_grant' });
  assert.deepEqual(await oidc.tokenIntrospection(server, tokens.access_token), { active: false });
}

async function refusesAnAnswerToAnotherRequest() {
  const { url, checks } = await authorization();
  const answer = await person.walk(url);
  answer.searchParams.set('state', 'of another request');
  await assert.rejects(oidc.authorizationCodeGrant(server, answer, checks), refusal(/"state"/));
}

async function refusesAnIdTokenForAnotherRequest() {
  const { url, checks } = await authorization({ nonce: 'of another request' });
  const answer = await person.walk(url);
  await assert.rejects(oidc.authorizationCodeGrant(server, answer, checks), refusal(/"nonce"/));
}

async function hearsThatItIsDenied() {
  const { url, checks } = await authorization({ prompt: 'consent' });
  const answer = await person.walk(url, 'deny');
  await assert.rejects(oidc.authorizationCodeGrant(server, answer, checks), { error: 'access_denied' });
}

async function signsInByAnIdTokenAlone() {
  const alone = await discovered(oidc.useIdTokenResponseType);
  const { url, checks } = await authorization({}, (parameters) => oidc.buildAuthorizationUrl(alone, parameters));
  const answer = await person.walk(url);
  assert.ok(answer.href.startsWith(`${REDIRECT_URI}#`), `an answer in the fragment, not ${answer}`);
  const { expectedNonce, expectedState } = checks;
  const claims = await oidc.implicitAuthentication(alone, answer, expectedNonce, { expectedState });
  assert.equal(claims.preferred_username, USERNAME);
  const another = oidc.implicitAuthentication(alone, answer, 'of another request', { expectedState });
  await assert.rejects(another, refusal(/"nonce"/));
}

async function signsInByCodeAndIdToken() {
  const hybrid = await discovered(oidc.useCodeIdTokenResponseType);
  const { url, checks } = await authorization({}, (parameters) => oidc.buildAuthorizationUrl(hybrid, parameters));
  const answer = await person.walk(url);
  assert.ok(answer.href.startsWith(`${REDIRECT_URI}#`), `an answer in the fragment, not ${answer}`);
  const changed = new URL(answer);
  changed.hash = answer.hash.replace(/code=[^&]+/, 'code=of+another+answer');
  await assert.rejects(oidc.authorizationCodeGrant(hybrid, changed, checks), refusal(/"c_hash"/));
  const both = await oidc.authorizationCodeGrant(hybrid, answer, checks);
  assert.equal(both.claims().sub, tokens.claims().sub);
}

async function signsItsRequest() {
  const jwk = JSON.parse(REQUEST_KEY);
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: jwk.crv }, false, ['sign']);
  const sign = (parameters) => oidc.buildAuthorizationUrlWithJAR(server, parameters, { key, kid: jwk.kid });
  const { url, checks } = await authorization({}, sign);
  assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request']);
  const signed = await oidc.authorizationCodeGrant(server, await person.walk(url), checks);
  assert.equal(signed.claims().sub, tokens.claims().sub);
}

// openid-client wraps the reason of what it refuses.
function refusal(reason) {
  return (error) => reason.test(`${error.message} ${error.cause?.message}`);
}

const steps = [
  discovers,
  signsIn,
  learnsWhoItIs,
  refreshes,
  introspects,
  comesBackWithoutBeingAsked,
  signsOut,
  signsInAgain,
  revokes,
  refusesAnAnswerToAnotherRequest,
  refusesAnIdTokenForAnotherRequest,
  hearsThatItIsDenied,
  signsInByAnIdTokenAlone,
  signsInByCodeAndIdToken,
  signsItsRequest,
];

for (const step of steps) {
  try {
    await step();
    console.log('passed:', step.name);
  } catch (error) {
    console.error('failed:', step.name, error);
    process.exit(1);
  }
}
