//! The people, apps and APIs that stories begin with.

/// The person of most stories.
pub const ALICE: &str = "alice";
/// Her password.
pub const ALICE_PASSWORD: &str = "correct horse battery staple";
/// Another person.
pub const BOB: &str = "bob";
/// His password.
pub const BOB_PASSWORD: &str = "tomorrow never knows the way";
/// The secret of every confidential app of the seeds.
pub const SECRET: &str = "a-secret-for-tests-and-nothing-else-at-all";
/// The private key of the app `signed`, as a JWK (ES256).
pub const SIGNED_KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"signed-1","alg":"ES256","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// What `grantor apply` is given before the first story.
pub const DECLARATION: &str = r#"
[[users]]
username = "alice"
password = "correct horse battery staple"
name = "Alice Liddell"
given_name = "Alice"
email = "alice@example.com"
email_verified = true
locale = "en"
groups = ["engineering", "admins"]

[[users]]
username = "bob"
password = "tomorrow never knows the way"
name = "Bob"
email = "bob@example.com"

[[scopes]]
name = "notes.read"
description.en = "Read your notes"
description.de = "Ihre Notizen lesen"

[[scopes]]
name = "notes.write"
description.en = "Write your notes"
description.de = "Ihre Notizen schreiben"

[[resources]]
identifier = "https://notes.example/api"
name = "Notes"
scopes = "notes.read notes.write"
introspection_clients = ["notes-api"]
personal_access_tokens = true

[[clients]]
client_id = "wiki"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "Wiki"
client_uri = "https://wiki.example/"
redirect_uris = ["https://wiki.example/cb"]
post_logout_redirect_uris = ["https://wiki.example/out"]
grant_types = ["authorization_code", "refresh_token"]
scope = "openid profile email groups offline_access notes.read notes.write"
id_token_signed_response_alg = "ES256"

[[clients]]
client_id = "chat"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "Chat"
token_endpoint_auth_method = "client_secret_post"
redirect_uris = ["https://chat.example/cb", "https://chat.example/other"]
grant_types = ["authorization_code", "refresh_token"]
scope = "openid profile email offline_access"
access_token_format = "opaque"

[[clients]]
client_id = "spa"
client_name = "Board"
token_endpoint_auth_method = "none"
redirect_uris = ["https://board.example/cb"]
grant_types = ["authorization_code", "refresh_token"]
scope = "openid profile email offline_access notes.read"

[[clients]]
client_id = "native"
client_name = "Desk"
application_type = "native"
token_endpoint_auth_method = "none"
redirect_uris = ["http://127.0.0.1/cb", "com.example.desk:/cb"]
scope = "openid profile"

[[clients]]
client_id = "portal"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "Portal"
redirect_uris = ["https://portal.example/cb"]
grant_types = ["authorization_code", "refresh_token"]
scope = "openid profile email groups"
skip_consent = true
require_pkce = false
id_token_claims = ["email", "groups"]

[[clients]]
client_id = "service"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "Backup"
grant_types = ["client_credentials"]
scope = "notes.read notes.write"

[[clients]]
client_id = "signed"
client_name = "Signed"
token_endpoint_auth_method = "private_key_jwt"
redirect_uris = ["https://signed.example/cb"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "openid notes.read"
jwks = { keys = [{ kty = "EC", crv = "P-256", kid = "signed-1", alg = "ES256", use = "sig", x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }] }

[[clients]]
client_id = "notes-api"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "Notes API"
grant_types = ["client_credentials"]
scope = "notes.read"
"#;
