// The clients of both servers, in the names of OpenID Connect Registration.

const secret = process.env.CLIENT_SECRET;
const code = { grant_types: ['authorization_code', 'refresh_token'], scope: 'openid profile email offline_access' };

export const clients = [
  { client_id: 'web', client_secret: secret, redirect_uris: ['https://app.example/cb', 'https://app.example/other'], ...code,
    post_logout_redirect_uris: ['https://app.example/out'] },
  { client_id: 'post', client_secret: secret, redirect_uris: ['https://post.example/cb'], ...code,
    token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'spa', redirect_uris: ['https://spa.example/cb'], ...code, token_endpoint_auth_method: 'none' },
  // Without the obligation to use PKCE.
  { client_id: 'loose', client_secret: secret, redirect_uris: ['https://loose.example/cb'], ...code },
  { client_id: 'native', redirect_uris: ['http://127.0.0.1/cb'], ...code, application_type: 'native',
    token_endpoint_auth_method: 'none' },
  { client_id: 'machine', client_secret: secret, redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
];
