// An upstream on oidc-provider. It listens at the socket that is its standard input, by TLS, with its own pages for development:
// whoever types a name is that person.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

import Provider from "oidc-provider";

const { ISSUER, CALLBACK, LOGOUT, CLIENT_ID, CLIENT_SECRET, ALGORITHM, KEY_FILE, CERTIFICATE_FILE } = process.env;

const account = (id) => ({
  accountId: id,
  claims: () => ({ sub: id, name: `${id} there`, preferred_username: id, email: `${id}@corp.example`, email_verified: true }),
});

const key = async (alg, parameters) => {
  const { privateKey } = await crypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
  return { ...(await crypto.subtle.exportKey("jwk", privateKey)), alg, use: "sig", key_ops: undefined, ext: undefined };
};
const rsa = { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };

const provider = new Provider(ISSUER, {
  claims: { email: ["email", "email_verified"], profile: ["name", "preferred_username"] },
  clients: [{
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    redirect_uris: [CALLBACK],
    backchannel_logout_uri: LOGOUT,
    backchannel_logout_session_required: true,
    id_token_signed_response_alg: ALGORITHM,
  }],
  cookies: { keys: ["a key for tests"] },
  features: { backchannelLogout: { enabled: true } },
  fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
  findAccount: (_context, id) => account(id),
  jwks: { keys: [await key("RS256", rsa), await key("ES256", { name: "ECDSA", namedCurve: "P-256" })] },
  pkce: { required: () => true },
});
for (const event of ["server_error", "backchannel.error", "grant.error", "authorization.error"]) {
  provider.on(event, (...told) => console.error(event, told.at(-1), told[1]?.message));
}
const tls = { key: readFileSync(KEY_FILE), cert: readFileSync(CERTIFICATE_FILE) };
createServer(tls, provider.callback()).listen({ fd: 0 });
