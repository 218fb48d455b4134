// The requests, and the verdict that both servers give; where they differ, Grantor's, oidc-provider's, and why.

import { challenge, verifier } from './side.js';

const authorize = (changes, options) => (side) => side.authorize(changes, options);
const inSession = (changes, options) => async (side) => side.authorize(changes, { browser: await side.signedIn(), ...options });
const redeem = (changes, options) => async (side) => (await side.redeem(changes, options)).verdict;
const token = (fields, options) => async (side) => (await side.token(fields, options)).verdict;
const granted = (ask) => async (side) => ask(side, await side.redeem());

const differ = (grantor, reference, because) => ({ verdicts: [grantor, reference], because });

export const requests = [
  // The app and the address of the answer.
  ['no client_id', 'shows an error', authorize({ client_id: undefined })],
  ['an unknown client_id', 'shows an error', authorize({ client_id: 'nobody' })],
  ['no redirect_uri, where two are registered', 'shows an error', authorize({ redirect_uri: undefined })],
  ['no redirect_uri, where one is registered', differ('shows an error', 'asks to sign in',
    'OpenID Connect Core §3.1.2.1 requires it of each request for openid; oidc-provider keeps to RFC 6749 §3.1.2.3'),
    authorize({ client_id: 'spa', redirect_uri: undefined })],
  ['a redirect_uri that is not registered', 'shows an error', authorize({ redirect_uri: 'https://app.example/evil' })],
  ['a redirect_uri with a query that is not registered', 'shows an error',
    authorize({ redirect_uri: 'https://app.example/cb?x=1' })],
  ['a redirect_uri with a slash more', 'shows an error', authorize({ redirect_uri: 'https://app.example/cb/' })],
  ['a redirect_uri in other letters', 'shows an error', authorize({ redirect_uri: 'HTTPS://APP.example/cb' })],
  ['a redirect_uri with the port that HTTPS has anyway', 'shows an error',
    authorize({ redirect_uri: 'https://app.example:443/cb' })],
  ['a redirect_uri with a fragment', 'shows an error', authorize({ redirect_uri: 'https://app.example/cb#x' })],
  ['a redirect_uri that is a path', 'shows an error', authorize({ redirect_uri: '/cb' })],
  ['a native app at another port of this host', 'asks to sign in',
    authorize({ client_id: 'native', redirect_uri: 'http://127.0.0.1:49152/cb' })],
  ['a native app at another name of this host', 'shows an error',
    authorize({ client_id: 'native', redirect_uri: 'http://localhost/cb' })],
  ['redirect_uri twice', 'shows an error', authorize({}, { add: '&redirect_uri=https%3A%2F%2Fapp.example%2Fcb' })],
  ['client_id twice', 'shows an error', authorize({}, { add: '&client_id=web' })],

  // What is asked for.
  ['the request as it should be', 'asks to sign in', authorize()],
  ['the same by POST', 'asks to sign in', authorize({}, { post: true })],
  ['state twice', 'sends invalid_request', authorize({}, { add: '&state=another' })],
  ['scope twice', 'sends invalid_request', authorize({}, { add: '&scope=openid' })],
  ['no response_type', 'sends invalid_request', authorize({ response_type: undefined })],
  ['an unknown response_type', 'sends unsupported_response_type', authorize({ response_type: 'coupon' })],
  ['response_type=token, not registered', 'sends unsupported_response_type', authorize({ response_type: 'token' })],
  ['an unknown response_mode', differ('sends invalid_request', 'sends unsupported_response_mode',
    'oidc-provider has a code of its own for this; RFC 6749 §4.1.2.1 has none but invalid_request'),
    authorize({ response_mode: 'pigeon' })],
  ['response_mode=form_post', 'sends a code by a form', inSession({ response_mode: 'form_post' })],
  ['no scope', differ('sends invalid_scope', 'asks to sign in',
    'oidc-provider takes a request without scope for one for nothing; Grantor has no default scope and says so, as RFC 6749 ' +
    '§3.3 lets it'),
    authorize({ scope: undefined, nonce: undefined })],
  ['a scope without openid', 'asks to sign in', authorize({ scope: 'profile', nonce: undefined })],
  ['an unknown scope beside known ones', 'asks to sign in', authorize({ scope: 'openid moon' })],
  ['a scope with a character that scopes cannot have', 'sends invalid_scope', authorize({ scope: 'openid "moon"' })],
  ['an unknown parameter', 'sends a code', inSession({ moon: 'full' })],
  ['an empty parameter', 'sends a code', inSession({ ui_locales: '' })],
  ['no state', 'sends a code', inSession({ state: undefined })],
  ['no nonce', 'sends a code', inSession({ nonce: undefined })],
  ['the registration parameter', 'sends registration_not_supported', authorize({ registration: '{}' })],
  ['claims that are no JSON', 'sends invalid_request', authorize({ claims: '{' })],
  ['claims that are no object', 'sends invalid_request', authorize({ claims: '[]' })],
  ['an unknown display', 'asks to sign in', authorize({ display: 'hologram' })],
  ['an unknown acr_values', 'sends a code', inSession({ acr_values: 'urn:moon' })],

  // PKCE.
  ['no code_challenge', 'sends invalid_request', authorize({ code_challenge: undefined, code_challenge_method: undefined })],
  ['no code_challenge, where it may be left out', 'asks to sign in',
    authorize({ client_id: 'loose', redirect_uri: 'https://loose.example/cb',
    code_challenge: undefined, code_challenge_method: undefined })],
  ['code_challenge_method=plain', 'sends invalid_request',
    authorize({ code_challenge: verifier, code_challenge_method: 'plain' })],
  ['a code_challenge without its method', 'sends invalid_request', authorize({ code_challenge_method: undefined })],
  ['a method without code_challenge', 'sends invalid_request', authorize({ code_challenge: undefined })],
  ['a code_challenge that is too short', 'sends invalid_request', authorize({ code_challenge: 'short' })],

  // The person.
  ['prompt=none without a session', 'sends login_required', authorize({ prompt: 'none' })],
  ['prompt=none in a session', 'sends a code', inSession({ prompt: 'none' })],
  ['prompt=none in a session, for an app that is not allowed', 'sends consent_required',
    inSession({ prompt: 'none', client_id: 'spa', redirect_uri: 'https://spa.example/cb' })],
  ['prompt=none and login', 'sends invalid_request', inSession({ prompt: 'none login' })],
  ['prompt=login in a session', 'asks to sign in', inSession({ prompt: 'login' })],
  ['prompt=consent in a session', 'asks for consent', inSession({ prompt: 'consent' })],
  ['prompt=login and consent in a session', 'asks to sign in', inSession({ prompt: 'login consent' })],
  ['prompt=select_account in a session', differ('asks for an account', 'sends invalid_request',
    'oidc-provider leaves this page to whoever sets it up'),
    inSession({ prompt: 'select_account' })],
  ['an unknown prompt', 'sends invalid_request', authorize({ prompt: 'beg' })],
  ['an empty prompt', 'sends a code', inSession({ prompt: '' })],
  ['max_age that has not passed', 'sends a code', inSession({ max_age: '3600' })],
  ['max_age=0 in a session', 'asks to sign in', inSession({ max_age: '0' })],
  ['max_age=0 and prompt=none', 'sends login_required', inSession({ max_age: '0', prompt: 'none' })],
  ['a negative max_age', 'sends invalid_request', authorize({ max_age: '-1' })],
  ['max_age in words', 'sends invalid_request', authorize({ max_age: 'long' })],
  ['login_hint of somebody unknown', 'asks to sign in', authorize({ login_hint: 'nobody' })],
  ['id_token_hint that is none', 'sends invalid_request', authorize({ id_token_hint: 'moon' })],
  ['id_token_hint of who is signed in, and prompt=none', 'sends a code', granted(async (side, { id_token }) =>
    side.authorize({ id_token_hint: id_token, prompt: 'none' }, { browser: await side.signedIn() }))],
  ['id_token_hint of somebody else, and prompt=none', 'sends login_required', granted(async (side, { id_token }) =>
    side.authorize({ id_token_hint: id_token, prompt: 'none' }, { browser: await side.signedIn({}, 'bob') }))],

  // A code for tokens.
  ['a code', '200', redeem()],
  ['a code a second time', '200, then 400 invalid_grant, then 401 invalid_token', async (side) => {
    const code = await side.code();
    const first = await side.redeem({ code });
    const second = await side.redeem({ code });
    return `${first.verdict}, then ${second.verdict}, then ${await side.userinfo({ header: `Bearer ${first.access_token}` })}`;
  }],
  ['no code', '400 invalid_request', token({ grant_type: 'authorization_code', redirect_uri: 'https://app.example/cb' })],
  ['an unknown code', '400 invalid_grant', redeem({ code: 'moon' })],
  ['the code of another client', '400 invalid_grant',
    async (side) => (await side.redeem({ code: await side.code(), redirect_uri: 'https://app.example/cb' },
    { as: 'loose' })).verdict],
  ['a code with another redirect_uri', '400 invalid_grant', redeem({ redirect_uri: 'https://app.example/other' })],
  ['a code without redirect_uri', differ('200', '400 invalid_request',
    'PKCE binds the code to its request already, so Grantor takes it as OAuth 2.1 has it; oidc-provider keeps to RFC 6749 ' +
    '§4.1.3'),
    redeem({ redirect_uri: undefined })],
  ['a code with another verifier', '400 invalid_grant', redeem({ code_verifier: verifier.replace('a', 'b') })],
  ['a code without a verifier', '400 invalid_grant', redeem({ code_verifier: undefined })],
  ['a code with a verifier that is too short', differ('400 invalid_grant', '400 invalid_request',
    'RFC 7636 §4.6 has invalid_grant for a verifier that does not fit; oidc-provider looks at its form before'),
    redeem({ code_verifier: 'short' })],
  ['a code with its challenge as verifier', '400 invalid_grant', redeem({ code_verifier: challenge })],
  ['a verifier for a code without challenge', '400 invalid_grant',
    redeem({ redirect_uri: 'https://loose.example/cb' }, { as: 'loose', asked: { client_id: 'loose',
    redirect_uri: 'https://loose.example/cb', code_challenge: undefined, code_challenge_method: undefined } })],

  // Who asks.
  ['no grant_type', '400 invalid_request', token({})],
  ['an unknown grant_type', '400 unsupported_grant_type', token({ grant_type: 'wish' })],
  ['a grant_type that is not registered', differ('400 unauthorized_client', '400 invalid_request',
    'RFC 6749 §5.2 has unauthorized_client for this; oidc-provider says invalid_request'),
    token({ grant_type: 'client_credentials' })],
  ['grant_type twice', '400 invalid_request',
    token({ grant_type: 'authorization_code', code: 'moon' }, { add: '&grant_type=authorization_code' })],
  ['a wrong secret', '401 invalid_client', redeem({}, { how: 'wrong' })],
  ['an unknown client', '401 invalid_client', redeem({}, { as: 'nobody' })],
  ['no client', differ('401 invalid_client', '400 invalid_request',
    'RFC 6749 §5.2 has invalid_client where no client authentication is included; oidc-provider says invalid_request'),
    redeem({}, { how: 'nothing' })],
  ['a client that does not prove itself', '401 invalid_client', redeem({}, { how: 'none' })],
  ['the secret in the body, registered for the header', differ('401 invalid_client', '200',
    'Grantor takes the one way that is registered; oidc-provider takes either of the two for both'),
    redeem({}, { how: 'post' })],
  ['the secret in the header, registered for the body', differ('401 invalid_client', '400 invalid_grant',
    'Grantor takes the one way that is registered; oidc-provider takes either of the two for both'),
    token({ grant_type: 'refresh_token', refresh_token: 'moon' }, { as: 'post' })],
  ['the secret in the header and in the body', '400 invalid_request', redeem({}, { how: 'both' })],
  ['a secret of a client that has none', '401 invalid_client',
    token({ grant_type: 'refresh_token', refresh_token: 'moon' }, { as: 'spa', how: 'post' })],
  ['another client_id in the body than in the header', '400 invalid_request', redeem({ client_id: 'loose' })],
  ['a header that is no Basic credentials', '400 invalid_request', token({ grant_type: 'refresh_token', refresh_token: 'moon' },
    { how: 'nothing', headers: { authorization: 'Basic !!!' } })],
  ['parameters as JSON', '400 invalid_request',
    token({}, { headers: { 'content-type': 'application/json' }, body: '{"grant_type":"refresh_token"}' })],
  ['the token endpoint by GET', differ('405 invalid_request', '404',
    'Grantor says that the method is wrong, oidc-provider that there is nothing'),
    token({}, { method: 'GET' })],
  ['a client in its own name', '200', token({ grant_type: 'client_credentials' }, { as: 'machine' })],

  // Refresh tokens.
  ['a refresh token', '200', granted(async (side, { refresh_token }) => (await side.refresh(refresh_token)).verdict)],
  ['a refresh token that was replaced, before the one after it is used',
    differ('200, then 200, then, with the one after it, 200',
    '200, then 400 invalid_grant, then, with the one after it, 400 invalid_grant',
    'an app whose answer was lost on the way may ask again for as long as refresh_token_grace, at Grantor; oidc-provider ' +
    'ends the family'),
    granted(async (side, { refresh_token }) => {
    const first = await side.refresh(refresh_token);
    const second = await side.refresh(refresh_token);
    const third = await side.refresh(first.refresh_token);
    return `${first.verdict}, then ${second.verdict}, then, with the one after it, ${third.verdict}`;
  })],
  ['a refresh token that was replaced, after the one after it was used',
    '200, then 400 invalid_grant, then, with the newest, 400 invalid_grant',
    granted(async (side, { refresh_token }) => {
    const first = await side.refresh(refresh_token);
    const second = await side.refresh(first.refresh_token);
    const replayed = await side.refresh(refresh_token);
    const last = await side.refresh(second.refresh_token);
    return `${second.verdict}, then ${replayed.verdict}, then, with the newest, ${last.verdict}`;
  })],
  ['the refresh token of another client', '400 invalid_grant',
    granted(async (side, { refresh_token }) => (await side.refresh(refresh_token, {}, { as: 'loose' })).verdict)],
  ['a refresh token for less', '200 for openid', granted(async (side, { refresh_token }) => {
    const { verdict, scope } = await side.refresh(refresh_token, { scope: 'openid' });
    return `${verdict} for ${scope}`;
  })],
  ['a refresh token for more', '400 invalid_scope',
    granted(async (side, { refresh_token }) => (await side.refresh(refresh_token, { scope: 'openid offline_access' })).verdict)],
  ['an unknown refresh token', '400 invalid_grant', token({ grant_type: 'refresh_token', refresh_token: 'moon' })],
  ['no refresh token', '400 invalid_request', token({ grant_type: 'refresh_token' })],

  // What a token is good for.
  ['userinfo', '200', granted((side, { access_token }) => side.userinfo({ header: `Bearer ${access_token}` }))],
  ['userinfo without a token', '401', (side) => side.userinfo()],
  ['userinfo with an unknown token', '401 invalid_token', (side) => side.userinfo({ header: 'Bearer moon' })],
  ['userinfo with a token in the body', '200', granted((side, { access_token }) => side.userinfo({ form: { access_token } }))],
  ['userinfo with a token in the query', differ('401', '400 invalid_request',
    'Grantor does not read the query, so it sees no token (RFC 6750 §3.1: no error code then); oidc-provider sees one where ' +
    'none may be'),
    granted((side, { access_token }) => side.userinfo({ query: `?access_token=${access_token}` }))],
  ['userinfo with two tokens', '400 invalid_request',
    granted((side, { access_token }) => side.userinfo({ header: `Bearer ${access_token}`, form: { access_token } }))],
  ['userinfo by another scheme', differ('401', '400 invalid_request',
    'a header of another scheme holds no bearer token, and without one there is no error code (RFC 6750 §3.1); ' +
    'oidc-provider calls it malformed'),
    granted((side, { access_token }) => side.userinfo({ header: `Basic ${access_token}` }))],
  ['userinfo with a refresh token', '401 invalid_token',
    granted((side, { refresh_token }) => side.userinfo({ header: `Bearer ${refresh_token}` }))],
  ['userinfo with a token without openid', '403 insufficient_scope', async (side) => {
    const { access_token } = await side.redeem({}, { asked: { scope: 'profile', nonce: undefined } });
    return side.userinfo({ header: `Bearer ${access_token}` });
  }],
  ['introspection', 'active true', granted((side, { access_token }) => side.introspect(access_token))],
  ['introspection of an unknown token', 'active false', (side) => side.introspect('moon')],
  ['introspection by a client that does not prove itself', '401 invalid_client',
    granted((side, { access_token }) => side.introspect(access_token, { how: 'none' }))],
  ["introspection of another client's token", differ('active false', 'active true',
    'Grantor tells a client about its own tokens and those of its API only; oidc-provider tells every confidential client, ' +
    'unless it is set up otherwise'),
    granted((side, { access_token }) => side.introspect(access_token, { as: 'loose' }))],
  ['revocation of an access token', '200, then 401 invalid_token', granted(async (side, { access_token }) =>
    `${await side.revoke(access_token)}, then ${await side.userinfo({ header: `Bearer ${access_token}` })}`)],
  ['revocation of a refresh token', '200, then 401 invalid_token', granted(async (side, { access_token, refresh_token }) =>
    `${await side.revoke(refresh_token)}, then ${await side.userinfo({ header: `Bearer ${access_token}` })}`)],
  ['revocation of an unknown token', '200', (side) => side.revoke('moon')],
  ['revocation without a token', '400 invalid_request', (side) => side.revoke(undefined)],
  ["revocation of another client's token", differ('200, then 200', '400 invalid_request, then 200',
    'neither revokes it; Grantor does not say whether there is such a token (RFC 7009 §2.2), oidc-provider does'),
    granted(async (side, { refresh_token }) => {
    const verdict = await side.revoke(refresh_token, { as: 'loose' });
    return `${verdict}, then ${(await side.refresh(refresh_token)).verdict}`;
  })],

  // The way out.
  ['sign-out without a session', 'signs out', (side) => side.endSession({})],
  ['sign-out with an address that is not registered', differ('asks whether to sign out', 'shows an error',
    'neither goes there; Grantor asks whether to sign out all the same and ends at a page of its own'),
    granted(async (side, { id_token }) =>
    side.endSession({ id_token_hint: id_token, post_logout_redirect_uri: 'https://app.example/evil' }, await side.signedIn()))],
  ['sign-out with an address and no app', 'asks whether to sign out', async (side) =>
    side.endSession({ post_logout_redirect_uri: 'https://app.example/out' }, await side.signedIn())],
  ['sign-out with an id_token_hint that is none', differ('asks whether to sign out', 'shows an error',
    'Grantor asks as if there were no hint, so that people can always sign out; oidc-provider refuses'),
    async (side) => side.endSession({ id_token_hint: 'moon' }, await side.signedIn())],
];
