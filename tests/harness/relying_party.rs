//! An app built on the `openidconnect` crate: it discovers the server, and believes nothing that it has not checked.

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthType, AuthorizationCode, AuthorizationCodeHash, ClientId,
    ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, StandardErrorResponse, StandardTokenResponse, TokenResponse,
    UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::app::Answer;
use super::assertion::{self, Assertion};
use super::page::Page;
use super::person::Person;
use super::seeds::SECRET;
use super::server::Server;

/// The claims that the crate does not know by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Extra {
    /// The session.
    pub sid: Option<String>,
    /// All others.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl AdditionalClaims for Extra {}

/// The claims of an ID token.
pub type Claims = IdTokenClaims<Extra, CoreGenderClaim>;
/// The claims of a userinfo answer.
pub type Userinfo = UserInfoClaims<Extra, CoreGenderClaim>;

type IdToken =
    openidconnect::IdToken<Extra, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// What the token endpoint answers.
pub type Tokens = StandardTokenResponse<
    IdTokenFields<
        Extra,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type Client = openidconnect::Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// How the app proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// `client_secret_basic`
    Basic,
    /// `private_key_jwt`, with the key of the seeds.
    Key,
    /// `none`
    Nothing,
    /// `client_secret_post`
    Post,
}

impl Proof {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Basic, Self::Key, Self::Nothing, Self::Post];

    /// The registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Key => "private_key_jwt",
            Self::Nothing => "none",
            Self::Post => "client_secret_post",
        }
    }
}

/// The app.
pub struct RelyingParty<'a> {
    server: &'a Server,
    client: Client,
    client_id: String,
    proof: Proof,
}

/// A sign-in on its way.
pub struct Started {
    /// Where the browser is sent.
    pub url: Url,
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// Who signed in, as far as the app could check.
pub struct SignedIn {
    /// What the token endpoint answered.
    pub tokens: Tokens,
    /// The verified claims.
    pub claims: Claims,
}

impl<'a> RelyingParty<'a> {
    /// Discovers the server. The app is registered with `proof`, and with one redirect URI.
    pub async fn discover(server: &'a Server, client_id: &str, redirect_uri: &str, proof: Proof) -> Self {
        let issuer = IssuerUrl::new(server.url.clone()).unwrap();
        let metadata = CoreProviderMetadata::discover_async(issuer, &send).await.expect("the metadata are right");
        let secret = matches!(proof, Proof::Basic | Proof::Post).then(|| ClientSecret::new(SECRET.to_owned()));
        let auth_type = if proof == Proof::Basic { AuthType::BasicAuth } else { AuthType::RequestBody };
        let client = Client::from_provider_metadata(metadata, ClientId::new(client_id.to_owned()), secret)
            .set_auth_type(auth_type)
            .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).unwrap())
            .disable_openid_scope();
        Self { server, client, client_id: client_id.to_owned(), proof }
    }

    /// Begins a sign-in, with more parameters.
    pub fn begin(&self, scope: &str, more: &[(&str, &str)]) -> Started {
        self.begin_flow(CoreAuthenticationFlow::AuthorizationCode, scope, more)
    }

    /// Begins a sign-in of another flow.
    pub fn begin_flow(&self, flow: CoreAuthenticationFlow, scope: &str, more: &[(&str, &str)]) -> Started {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = self.client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let scopes = scope.split(' ').map(|scope| openidconnect::Scope::new(scope.to_owned()));
        let request = request.add_scopes(scopes).set_pkce_challenge(challenge);
        let request = more.iter().fold(request, |request, (name, value)| request.add_extra_param(*name, *value));
        let (url, state, nonce) = request.url();
        Started { url, state, nonce, verifier }
    }

    /// Goes through a whole sign-in with a person who is signed in, or signs in as Alice, and allows everything.
    pub async fn sign_in(&self, person: &Person, scope: &str, more: &[(&str, &str)]) -> SignedIn {
        let started = self.begin(scope, more);
        let page = person.open(&started.url).await;
        let answer = Answer::of(&person.approve(page).await);
        self.finish(started, &answer).await
    }

    /// Takes the ID token that came through the browser, and checks everything that the specification asks for.
    pub fn receive(&self, started: &Started, answer: &Answer) -> Claims {
        self.check_answer(started, answer);
        let id_token: IdToken = answer.param("id_token").parse().expect("an ID token");
        let claims = self.verified_token(&id_token, Some(&started.nonce));
        let verifier = self.client.id_token_verifier();
        let (algorithm, key) = (id_token.signing_alg().unwrap(), id_token.signing_key(&verifier).unwrap());
        // "The value of "at_hash" in the ID Token MUST match the value produced in the previous step." (OIDC Core §3.2.2.9)
        let token = answer.has("access_token").then(|| AccessToken::new(answer.param("access_token")));
        let expected = token.map(|token| AccessTokenHash::from_token(&token, algorithm, key).unwrap());
        assert_eq!(claims.access_token_hash(), expected.as_ref(), "at_hash is of this access token");
        // "The value of "c_hash" in the ID Token MUST match the value produced in the previous step if "c_hash" is present in
        // the ID Token." (OIDC Core §3.3.2.10)
        let code = answer.has("code").then(|| AuthorizationCode::new(answer.param("code")));
        let expected = code.map(|code| AuthorizationCodeHash::from_code(&code, algorithm, key).unwrap());
        assert_eq!(claims.code_hash(), expected.as_ref(), "c_hash is of this code");
        claims
    }

    fn check_answer(&self, started: &Started, answer: &Answer) {
        assert_eq!(answer.param("state"), *started.state.secret(), "the state is the one that was sent");
        // "Clients that support this specification MUST extract the value of the "iss" parameter from authorization responses
        // they receive if the parameter is present." (RFC 9207 §2.4)
        assert_eq!(answer.param("iss"), self.server.url, "the answer is of the server that was asked");
    }

    /// Takes the answer that came through the browser, and checks everything that the specification asks for.
    pub async fn finish(&self, started: Started, answer: &Answer) -> SignedIn {
        self.check_answer(&started, answer);
        let request = self.client.exchange_code(AuthorizationCode::new(answer.param("code"))).unwrap();
        let request = request.set_pkce_verifier(started.verifier);
        let request = self.proofs().into_iter().fold(request, |r, (name, value)| r.add_extra_param(name, value));
        let tokens = request.request_async(&send).await.expect("the code is good");
        let claims = self.verified(&tokens, Some(&started.nonce));
        SignedIn { tokens, claims }
    }

    /// Asks userinfo about the person who signed in; the crate refuses an answer about anybody else. Of signed ones it takes
    /// RS256 alone.
    pub async fn userinfo(&self, signed_in: &SignedIn, is_signed: bool) -> Userinfo {
        let subject = signed_in.claims.subject().clone();
        let request = self.client.user_info(signed_in.tokens.access_token().clone(), Some(subject)).unwrap();
        request.require_signed_response(is_signed).request_async(&send).await.expect("the answer is right")
    }

    /// Asks for new tokens, and checks what an ID token from a refresh must keep.
    pub async fn refresh(&self, signed_in: &SignedIn) -> SignedIn {
        let token: RefreshToken = signed_in.tokens.refresh_token().expect("a refresh token").clone();
        let request = self.client.exchange_refresh_token(&token).unwrap();
        let request = self.proofs().into_iter().fold(request, |r, (name, value)| r.add_extra_param(name, value));
        let tokens = request.request_async(&send).await.expect("the refresh token is good");
        let claims = self.verified(&tokens, None);
        let before = &signed_in.claims;
        // "its "sub" Claim Value MUST be the same as in the ID Token issued when the original authentication occurred"
        // (OIDC Core §12.2)
        assert_eq!(claims.subject(), before.subject());
        assert_eq!(claims.audiences(), before.audiences());
        // "if the ID Token contains an "auth_time" Claim, its value MUST represent the time of the original authentication - not
        // the time that the new ID token is issued" (OIDC Core §12.2)
        assert_eq!(claims.auth_time(), before.auth_time());
        SignedIn { tokens, claims }
    }

    /// Asks for a token of its own.
    pub async fn own_tokens(&self, scope: &str) -> Tokens {
        let request = self.client.exchange_client_credentials().unwrap().add_scope(Scope::new(scope.to_owned()));
        let request = self.proofs().into_iter().fold(request, |r, (name, value)| r.add_extra_param(name, value));
        request.request_async(&send).await.expect("the credentials are good")
    }

    /// Verifies the ID token by the published keys, at the time of the server.
    fn verified(&self, tokens: &Tokens, nonce: Option<&Nonce>) -> Claims {
        let id_token = tokens.id_token().expect("an ID token");
        let claims = self.verified_token(id_token, nonce);
        let verifier = self.client.id_token_verifier();
        // "Its value is the base64url encoding of the left-most half of the hash of the octets of the ASCII representation of
        // the "access_token" value" (OIDC Core §3.1.3.6)
        let (algorithm, key) = (id_token.signing_alg().unwrap(), id_token.signing_key(&verifier).unwrap());
        let expected = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).unwrap();
        assert_eq!(claims.access_token_hash(), Some(&expected), "at_hash is of this access token");
        claims
    }

    /// Verifies an ID token by the published keys, at the time of the server.
    fn verified_token(&self, id_token: &IdToken, nonce: Option<&Nonce>) -> Claims {
        let now = self.server.clock.read().seconds();
        let time = move || chrono::DateTime::from_timestamp(now, 0).unwrap();
        let verifier = self.client.id_token_verifier().set_time_fn(time);
        let same_nonce = |found: Option<&Nonce>| {
            // "it SHOULD NOT have a "nonce" Claim, even when the ID Token issued at the time of the original authentication
            // contained "nonce"" (OIDC Core §12.2)
            let is_same = found.map(Nonce::secret) == nonce.map(Nonce::secret);
            if is_same { Ok(()) } else { Err("the nonce is another one".to_owned()) }
        };
        id_token.claims(&verifier, same_nonce).expect("the ID token verifies").clone()
    }

    /// The parameters of `private_key_jwt`, which the crate does not know.
    fn proofs(&self) -> Vec<(&'static str, String)> {
        if self.proof != Proof::Key {
            return Vec::new();
        }
        let id = self.client_id.as_str();
        let assertion = Assertion::new(self.server).claim("iss", id).claim("sub", id).signed();
        vec![("client_assertion_type", assertion::TYPE.to_owned()), ("client_assertion", assertion)]
    }
}

impl SignedIn {
    /// The ID token as it was sent.
    pub fn id_token(&self) -> String {
        self.tokens.id_token().expect("an ID token").to_string()
    }

    /// The algorithm that the ID token is signed with.
    pub fn algorithm(&self) -> &'static str {
        match self.tokens.id_token().expect("an ID token").signing_alg().unwrap() {
            CoreJwsSigningAlgorithm::EcdsaP256Sha256 => "ES256",
            CoreJwsSigningAlgorithm::EdDsa => "EdDSA",
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256 => "RS256",
            CoreJwsSigningAlgorithm::RsaSsaPssSha256 => "PS256",
            other => panic!("an algorithm that is offered, not {other:?}"),
        }
    }
}

/// Sends a request of the crate and follows nothing.
async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let page = Page::of(http.execute(request.try_into()?).await?).await;
    let mut response = HttpResponse::new(page.body.into_bytes());
    *response.status_mut() = page.status;
    *response.headers_mut() = page.headers;
    Ok(response)
}
