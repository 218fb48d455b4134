//! What is asked, and with which parameters: right, nearly right, or of no sense.

use super::kept;
use super::pocket::{Kind, Next, Pocket};
use super::words::{CLAIMS, NAMES, PATHS, VALUES};
use crate::fuzz::mutation::{self, Grammar};
use crate::harness::app::{VERIFIER, basic};
use crate::harness::dice::Dice;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD, SECRET};

/// A request before it is bytes.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// The query, as it is sent.
    pub query: String,
    /// The form of the body.
    pub form: Vec<(String, String)>,
    /// The body where it is JSON, in place of the form.
    pub json: Option<String>,
    /// The Authorization header.
    pub authorization: Option<String>,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
}

const METHODS: [&str; 9] = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW"];

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The next thing that this client asks.
pub fn next(pocket: &mut Pocket, dice: &mut Dice) -> Target {
    if pocket.app.0.is_empty() || dice.one_in(12) {
        pocket.app = dice.pick(&APPS);
    }
    let (leaves, spoils) = if pocket.is_careful { (32, 16) } else { (8, 3) };
    let next = pocket.next.take().filter(|_| !dice.one_in(leaves));
    let mut target = match next {
        Some(Next::Address(address)) => get(&address),
        Some(Next::Form(action, fields)) => filled_in(&action, fields, dice),
        Some(Next::Redeem) => token(pocket, dice, "authorization_code"),
        Some(Next::Use) if dice.one_in(3) => token(pocket, dice, "refresh_token"),
        Some(Next::Use) => about_a_token(pocket, dice),
        None => anything(pocket, dice),
    };
    if dice.one_in(spoils) {
        spoil(&mut target, pocket, dice);
    }
    target
}

fn anything(pocket: &Pocket, dice: &mut Dice) -> Target {
    let pages = [
        "/sign-in",
        "/account",
        "/account/apps",
        "/account/sessions",
        "/account/apps/remove?app=wiki",
        "/account/tokens",
        "/account/tokens/new",
        "/account/tokens/new",
    ];
    match dice.roll(21) {
        0..=5 => authorize(pocket, dice),
        6 => token(pocket, dice, "authorization_code"),
        7 => token(pocket, dice, "refresh_token"),
        8 => token(pocket, dice, "client_credentials"),
        9 | 10 => about_a_token(pocket, dice),
        11 => end_session(pocket, dice),
        12 => get(dice.pick(&pages)),
        13 => with_started(pocket, dice),
        14 => own_form(pocket, dice),
        15 => kept::exchange(pocket, dice),
        16 => kept::question(pocket, dice),
        17 => kept::on_the_account(pocket, dice),
        18 => kept::change(pocket, dice),
        19 => get("/account/tokens/new"),
        _ => Target { method: dice.pick(&["GET", "GET", "HEAD", "POST", "OPTIONS"]), ..get(dice.pick(&PATHS)) },
    }
}

pub fn get(path: &str) -> Target {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Target { method: "GET", path: path.to_owned(), query: query.to_owned(), ..Target::default() }
}

pub fn post(path: &str, form: &[(&str, &str)]) -> Target {
    let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Target { method: "POST", path: path.to_owned(), form, ..Target::default() }
}

/// A form as a person would send it.
fn filled_in(action: &str, mut form: Vec<(String, String)>, dice: &mut Dice) -> Target {
    let mut set = |name: &str, value: &str| {
        form.retain(|(known, _)| known != name);
        form.push((name.to_owned(), value.to_owned()));
    };
    match action {
        "/sign-in" => {
            let (name, password) = dice.pick(&[
                (ALICE, ALICE_PASSWORD),
                (BOB, BOB_PASSWORD),
                (ALICE, "wrong"),
                ("Ａlice", ALICE_PASSWORD),
            ]);
            set("username", name);
            set("password", password);
        }
        "/consent" => set("decision", dice.pick(&["allow", "allow", "allow", "deny", ""])),
        "/select-account" => set("choice", dice.pick(&["continue", "another", "another", "00000000001"])),
        "/sign-out" if dice.one_in(4) => set("everyone", "yes"),
        "/account/sessions" if dice.one_in(2) => set("end", "others"),
        "/language" => set("language", dice.pick(&["de", "en", "xx"])),
        "/account/tokens/new" => kept::fill_in(&mut set, dice),
        _ => {}
    }
    Target { form, ..post(action, &[]) }
}

/// The apps, and where their answers go.
const APPS: [(&str, &str); 6] = [
    ("wiki", "https://wiki.example/cb"),
    ("chat", "https://chat.example/cb"),
    ("spa", "https://board.example/cb"),
    ("portal", "https://portal.example/cb"),
    ("native", "http://127.0.0.1:4711/cb"),
    ("signed", "https://signed.example/cb"),
];

fn authorize(pocket: &Pocket, dice: &mut Dice) -> Target {
    let (client_id, redirect_uri) = pocket.app;
    let mut params = vec![
        ("client_id", client_id),
        ("response_type", "code"),
        ("redirect_uri", redirect_uri),
        (
            "scope",
            dice.pick(&[
                "openid",
                "openid profile email offline_access",
                "openid notes.read groups",
                "openid account:tokens",
            ]),
        ),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let hint = pocket.find(Kind::Id, dice);
    match dice.roll(10) {
        0 => params.push((
            "prompt",
            dice.pick(&["none", "login", "consent", "select_account", "login consent", "none login"]),
        )),
        1 => params.push(("max_age", dice.pick(&["0", "1", "86400", "18446744073709551615", "-1"]))),
        2 => params.push(("claims", dice.pick(&CLAIMS))),
        3 => params.push(("id_token_hint", &hint)),
        4 => params.push(("response_mode", dice.pick(&["form_post", "query", "fragment"]))),
        5 => params.push(("resource", "https://notes.example/api")),
        _ => {}
    }
    if dice.one_in(4) { post("/authorize", &params) } else { Target { query: encoded(&params), ..get("/authorize") } }
}

fn token(pocket: &Pocket, dice: &mut Dice, grant_type: &str) -> Target {
    let (client_id, redirect_uri) = pocket.app;
    let (code, refresh) = (pocket.find(Kind::Code, dice), pocket.find(Kind::Refresh, dice));
    let mut form = vec![("grant_type", grant_type)];
    form.extend(match grant_type {
        "client_credentials" => vec![("scope", dice.pick(&["notes.read", "", "openid"]))],
        "refresh_token" => vec![("refresh_token", refresh.as_str())],
        _ => vec![("code", code.as_str()), ("redirect_uri", redirect_uri), ("code_verifier", VERIFIER)],
    });
    if dice.one_in(12) {
        form.push(("resource", dice.pick(&["https://notes.example/api", "https://other.example/", "x"])));
    }
    let another = grant_type == "client_credentials" || dice.one_in(12);
    let client_id = if another { dice.pick(&["service", "signed", "notes-api", "nobody"]) } else { client_id };
    authenticated(post("/token", &form), client_id, pocket, dice)
}

/// With the credentials that a client is registered for.
pub fn authenticated(mut target: Target, client_id: &str, pocket: &Pocket, dice: &mut Dice) -> Target {
    let mut add = |name: &str, value: &str| target.form.push((name.to_owned(), value.to_owned()));
    match client_id {
        "cli" | "spa" | "native" => add("client_id", client_id),
        "chat" => {
            add("client_id", client_id);
            add("client_secret", SECRET);
        }
        "signed" => {
            add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            add("client_assertion", &pocket.find(Kind::Assertion, dice));
        }
        _ => target.authorization = Some(basic(client_id, SECRET)),
    }
    target
}

fn about_a_token(pocket: &Pocket, dice: &mut Dice) -> Target {
    let token =
        pocket.find(dice.pick(&[Kind::Access, Kind::Access, Kind::Refresh, Kind::Id, Kind::Code, Kind::Kept]), dice);
    let client_id = if dice.one_in(3) { dice.pick(&["wiki", "chat", "notes-api", "signed"]) } else { pocket.app.0 };
    match dice.roll(4) {
        0 => authenticated(post("/introspect", &[("token", &token)]), client_id, pocket, dice),
        1 if dice.one_in(2) => {
            let hint = dice.pick(&["access_token", "refresh_token", "x"]);
            authenticated(post("/revoke", &[("token", &token), ("token_type_hint", hint)]), client_id, pocket, dice)
        }
        2 => post("/userinfo", &[("access_token", &token)]),
        _ => Target { authorization: Some(format!("Bearer {token}")), ..get("/userinfo") },
    }
}

fn end_session(pocket: &Pocket, dice: &mut Dice) -> Target {
    let hint = pocket.find(Kind::Id, dice);
    let params = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", dice.pick(&["https://wiki.example/out", "https://evil.example/"])),
        ("client_id", dice.pick(&["wiki", "chat", ""])),
        ("state", "s"),
    ];
    let params = &params[dice.roll(params.len())..];
    if dice.one_in(2) { post("/end-session", params) } else { Target { query: encoded(params), ..get("/end-session") } }
}

/// A page that goes on with a started request.
fn with_started(pocket: &Pocket, dice: &mut Dice) -> Target {
    let started = pocket.find(Kind::Started, dice);
    let path = dice.pick(&["/sign-in", "/consent", "/select-account", "/authorize", "/end-session"]);
    let name = if path == "/authorize" { "resume" } else { "request" };
    Target { query: encoded(&[(name, &started)]), ..get(path) }
}

/// A form of ours, with whatever proof there is.
fn own_form(pocket: &Pocket, dice: &mut Dice) -> Target {
    let (csrf, started) = (pocket.find(Kind::Csrf, dice), pocket.find(Kind::Started, dice));
    let path = dice.pick(&[
        "/sign-in",
        "/consent",
        "/select-account",
        "/sign-out",
        "/account/notices",
        "/account/sessions",
        "/account/apps/remove",
        "/account/tokens/new",
        "/account/tokens/revoke",
        "/account/tokens/rotate",
        "/language",
    ]);
    let other = (dice.pick(&NAMES), dice.pick(&VALUES));
    post(
        path,
        &[
            ("csrf", &csrf),
            ("request", &started),
            other,
            ("scope", "openid"),
            ("return_to", dice.pick(&["/account", "//evil.example"])),
        ],
    )
}

pub fn encoded(params: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// Changes one to three things of it.
fn spoil(target: &mut Target, pocket: &Pocket, dice: &mut Dice) {
    for _ in 0..=dice.small(3) {
        let at = dice.roll(target.form.len().max(1));
        let name = dice.pick(&NAMES).to_owned();
        let value =
            if dice.one_in(3) { pocket.find(dice.pick(&Kind::ALL), dice) } else { dice.pick(&VALUES).to_owned() };
        match (dice.roll(9), target.form.get_mut(at)) {
            (0, Some(_)) => drop(target.form.remove(at)),
            (1, Some(field)) => field.1 = value,
            (2, Some(field)) => field.1 = mutated(&field.1, dice),
            (3, Some(field)) => {
                let twice = field.clone();
                target.form.push(twice);
            }
            (4, Some(_)) => target.form.push((name, value)),
            (5, _) => target.query = mutated(&target.query, dice),
            (6, _) => target.query = format!("{}&{}", target.query, encoded(&[(&name, &value)])),
            (7, _) => target.authorization = Some(strange_authorization(target, &value, dice)),
            _ => target.method = dice.pick(&METHODS),
        }
    }
}

fn strange_authorization(target: &Target, value: &str, dice: &mut Dice) -> String {
    let known = target.authorization.clone().unwrap_or_else(|| basic("wiki", SECRET));
    match dice.roll(4) {
        0 => mutated(&known, dice),
        1 => format!("Bearer {value}"),
        2 => basic(value, value),
        _ => dice.pick(&["Basic", "Bearer ", "Digest x", "Basic %%%", "bearer  a  b", "DPoP x"]).to_owned(),
    }
}

/// A text with some bytes changed. It stays text without line ends, so that the request around it stays whole.
pub fn mutated(text: &str, dice: &mut Dice) -> String {
    let examples = [text.as_bytes().to_vec()];
    let grammar = Grammar {
        examples: &examples,
        words: &["%", "&", "=", ".", "a", "%00", "+"],
        brackets: &[("[", "]"), ("a", "")],
        longest: 20_000,
    };
    String::from_utf8_lossy(&mutation::input(grammar, dice.number())).replace(['\r', '\n'], "-")
}
