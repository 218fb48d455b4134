//! Requests about tokens that people keep: made, exchanged, shown to proxies, and managed by an app.

use serde_json::{Value, json};

use super::pocket::{Kind, Pocket};
use super::target::{Target, authenticated, get, mutated, post};
use super::words::VALUES;
use crate::harness::dice::Dice;

/// What the server of these requests knows beside its seeds.
pub const DECLARED: &str = r#"
[[clients]]
client_id = "cli"
client_name = "Command line"
token_endpoint_auth_method = "none"
grant_types = ["urn:ietf:params:oauth:grant-type:token-exchange"]
scope = "openid"

[[clients]]
client_id = "portal"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "Portal"
redirect_uris = ["https://portal.example/cb"]
grant_types = ["authorization_code", "refresh_token"]
scope = "openid profile email groups account:tokens"
require_pkce = false
"#;

const TYPES: [&str; 4] = [
    "urn:ietf:params:oauth:token-type:access_token",
    "urn:ietf:params:oauth:token-type:access_token",
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:saml2",
];

/// The form for a new token, filled in.
pub fn fill_in(set: &mut impl FnMut(&str, &str), dice: &mut Dice) {
    let fields = [("name", "Backup"), ("scope", "notes.read"), ("days", "30"), ("networks", "")];
    let odd = [
        ["\u{202e}", "", "x"],
        ["admin", "", "notes.write"],
        ["0", "366", "99999999999999999999"],
        ["x", "10.0.0.0/8, ::/0", "127.0.0.0/8"],
    ];
    for ((name, right), odd) in fields.into_iter().zip(&odd) {
        set(name, if dice.one_in(12) { dice.pick(odd) } else { right });
    }
}

/// A token in exchange for another.
pub fn exchange(pocket: &Pocket, dice: &mut Dice) -> Target {
    let subject = pocket.find(dice.pick(&[Kind::Kept, Kind::Kept, Kind::Kept, Kind::Access, Kind::Id]), dice);
    let mut form = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", subject.as_str()),
        ("subject_token_type", dice.pick(&TYPES)),
    ];
    match dice.roll(6) {
        0 => form.push(("requested_token_type", dice.pick(&TYPES))),
        1 => form.push(("resource", dice.pick(&["https://notes.example/api", "x", "https://other.example/"]))),
        2 => form.push(("scope", dice.pick(&["notes.read", "notes.write", "admin", ""]))),
        3 => form.push(("actor_token", "x")),
        _ => {}
    }
    authenticated(post("/token", &form), dice.pick(&["cli", "cli", "cli", "wiki", "service"]), pocket, dice)
}

/// What a proxy asks, of each kind of proxy, or of two at once.
pub fn question(pocket: &Pocket, dice: &mut Dice) -> Target {
    let host = dice.pick(&["handbook.example", "board.example", "board.example:443", "evil.example", "a, b", ""]);
    let target = dice.pick(&[
        "/",
        "/health",
        "/cellar/key",
        "/a?b=c",
        "//",
        "/%2e%2e/cellar",
        "/.grantor/callback?ticket=x.y",
        "/.grantor/sign-out",
        "",
    ]);
    let mut headers = match dice.roll(4) {
        0 => vec![("X-Original-URL", format!("https://{host}{target}"))],
        1 => Vec::new(),
        _ => vec![("X-Forwarded-Host", host.to_owned()), ("X-Forwarded-Uri", target.to_owned())],
    };
    match dice.roll(6) {
        0 => headers.push(("X-Forwarded-Method", dice.pick(&["GET", "OPTIONS", "a b", ""]).to_owned())),
        1 => headers.push(("X-Original-URL", dice.pick(&VALUES).replace(['\r', '\n', '\0'], ""))),
        2 => headers.push(("X-Forwarded-For", dice.pick(&["192.0.2.7", "x, y", "::ffff:127.0.0.1", ","]).to_owned())),
        3 => headers.extend([("Accept", "text/html".to_owned()), ("Sec-Fetch-Mode", "navigate".to_owned())]),
        _ => {}
    }
    let shown = pocket.find(dice.pick(&[Kind::Kept, Kind::Kept, Kind::Access]), dice);
    let shown = if dice.one_in(6) { mutated(&shown, dice) } else { shown };
    let authorization = (!dice.one_in(3)).then(|| format!("Bearer {shown}"));
    let path =
        dice.pick(&["/forward-auth", "/forward-auth", "/forward-auth/a", "/.grantor/sign-in", "/.grantor/callback"]);
    Target { method: dice.pick(&["GET", "GET", "GET", "POST", "HEAD"]), headers, authorization, ..get(path) }
}

/// What an app does on an account.
pub fn on_the_account(pocket: &Pocket, dice: &mut Dice) -> Target {
    let bearer = Some(format!("Bearer {}", pocket.find(Kind::Access, dice)));
    let kept = pocket.find(Kind::Kept, dice);
    let id = kept.get("gtr_pat_".len()..).and_then(|rest| rest.get(..11)).unwrap_or("x").to_owned();
    let mut wanted =
        json!({"draft": pocket.find(Kind::Draft, dice), "name": "Backup", "scope": "notes.read", "days": 30});
    if dice.one_in(2) {
        let odd = [json!(null), json!(-1), json!(1e300), json!([]), json!({"a": []}), json!("\u{0}"), json!(u64::MAX)];
        let member = dice.pick(&["draft", "name", "scope", "days", "networks", "resource", "more"]);
        wanted[member] = odd[dice.roll(odd.len())].clone();
    }
    let body = |value: &Value| Some(value.to_string());
    let target = match dice.roll(5) {
        0 => get("/account/api/tokens"),
        1 => Target { method: "DELETE", ..get(&format!("/account/api/tokens/{id}")) },
        2 => {
            let draft = json!({"draft": wanted["draft"]});
            Target { json: body(&draft), ..post(&format!("/account/api/tokens/{id}/rotate"), &[]) }
        }
        3 => Target { json: Some("[".repeat(dice.roll(4_000))), ..post("/account/api/tokens", &[]) },
        _ => Target { json: body(&wanted), ..post("/account/api/tokens", &[]) },
    };
    Target { authorization: bearer, ..target }
}

/// A change of a token on the pages, and reports and questions about several.
pub fn change(pocket: &Pocket, dice: &mut Dice) -> Target {
    let kept = pocket.find(Kind::Kept, dice);
    let id = kept.get("gtr_pat_".len()..).and_then(|rest| rest.get(..11)).unwrap_or("x").to_owned();
    match dice.roll(4) {
        0 => get(&format!("/account/tokens/{}?token={id}", dice.pick(&["revoke", "rotate"]))),
        1 => {
            let findings = json!([{"token": kept, "type": "grantor", "url": dice.pick(&VALUES)}, {"token": 1}]);
            let headers = vec![("Github-Public-Key-Identifier", "known".to_owned())];
            Target { json: Some(findings.to_string()), headers, ..post("/leak-reports", &[]) }
        }
        2 => {
            let form = [("token", kept.as_str()), ("token", "x"), ("client_address", dice.pick(&["192.0.2.7", "x"]))];
            authenticated(post("/introspect/batch", &form), dice.pick(&["notes-api", "wiki"]), pocket, dice)
        }
        _ => {
            let fields =
                [("csrf", pocket.find(Kind::Csrf, dice)), ("draft", pocket.find(Kind::Draft, dice)), ("token", id)];
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            post(dice.pick(&["/account/tokens/revoke", "/account/tokens/rotate"]), &fields)
        }
    }
}
