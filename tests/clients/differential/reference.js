// oidc-provider, set up like the server that it is compared with: the same clients, scopes and lifetimes of approvals.

import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const account = (id) => ({
  accountId: id,
  claims: () => ({ sub: id, name: id, preferred_username: id, email: `${id}@example.com`, email_verified: true }),
});

// Starts it on a free port, and returns its issuer.
export async function startReference(clients) {
  const server = createServer();
  await new Promise((listens) => server.listen(0, '127.0.0.1', listens));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    claims: { email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    clients,
    cookies: { keys: ['a key for tests'], long: { sameSite: 'none' } },
    enableHttpPostMethods: true,
    features: {
      claimsParameter: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
    },
    findAccount: (_context, id) => account(id),
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    pkce: { required: (_context, client) => client.clientId !== 'loose' },
    rotateRefreshToken: true,
    scopes: ['openid', 'profile', 'email', 'offline_access'],
  });
  provider.on('server_error', (_context, error) => console.error('oidc-provider:', error));
  server.on('request', provider.callback());
  return issuer;
}
