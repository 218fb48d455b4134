//! What is left of released claims by the wishes of a request: values that were asked for (OIDC Core §5.5.1) and languages (OIDC Core
//! §5.2).

use serde_json::{Map, Value};

use super::{ClaimRequest, Requested};
use crate::user::User;

/// The largest number of languages that count.
const MAX_LOCALES: usize = 16;
/// The longest language tag that counts.
const MAX_TAG: usize = 35;
/// The standard claims that people read, or whose values lead to what they read.
const READ_BY_PEOPLE: [&str; 8] =
    ["name", "family_name", "given_name", "middle_name", "nickname", "profile", "picture", "website"];

/// The languages of `claims_locales`, in their order; what is no language tag is left out.
// "An error SHOULD NOT result if some or all of the requested locales are not supported by the OpenID Provider."
// (OIDC Core §5.2)
pub(crate) fn locales(text: &str) -> Vec<String> {
    text.split(' ').filter(|tag| is_tag(tag)).take(MAX_LOCALES).map(str::to_owned).collect()
}

fn is_tag(text: &str) -> bool {
    (1..=MAX_TAG).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What is left of `released` for what was asked for at its destination, in these languages.
pub(super) fn grant(
    released: Map<String, Value>,
    user: &User,
    (requested, locales): (&Requested, &[String]),
) -> Map<String, Value> {
    let forms: Forms<'_> =
        requested.iter().filter_map(|(name, request)| Some((form(user, name)?.0, request.as_ref()))).collect();
    let mut left = released;
    // "When the Claim value does not match the requested value, the Claim is not included in the response." (OIDC Core §5.5.1)
    // "When the Claim value does not match any of the requested values, the Claim is not included in the response."
    // (OIDC Core §5.5.1)
    left.retain(|name, value| {
        let asked = |name: &str| requested.get(name).and_then(Option::as_ref);
        let by_form = || forms.iter().filter(|(key, _)| key == name).find_map(|(_, request)| *request);
        asked(name).or_else(by_form).or_else(|| asked(base(name))).is_none_or(|request| request.accepts(value))
    });
    if locales.is_empty() { left } else { speak(&left, user, (&forms, locales)) }
}

/// What names with a language tag ask for: the name that it is told by, and how it was asked for.
type Forms<'a> = Vec<(String, Option<&'a ClaimRequest>)>;

/// The form of a claim that a name with a language tag asks for, by the name that it is told by. Where the person has none in that
/// language nor in a variety of it: what people read, by the person's own language, where they have said which one that is.
// "If an OP receives a request for human-readable Claims in a language and script that it does not have, any versions of those
// Claims returned that do not use the requested language and script SHOULD use a language tag in the Claim Name."
// (OIDC Core §5.5.2)
pub(super) fn form(user: &User, name: &str) -> Option<(String, Value)> {
    if let Some((key, value)) = tagged(user, name) {
        return Some((key.clone(), value.clone()));
    }
    let base = name.split_once('#').map(|(base, _)| base).filter(|base| READ_BY_PEOPLE.contains(base))?;
    let key = format!("{base}#{}", own(user)?);
    let value = user.claims.get(&key).cloned().or_else(|| user.claim(base));
    Some((key, value.filter(|value| !value.is_null() && value.as_str() != Some(""))?))
}

/// The person's own language, as a tag.
fn own(user: &User) -> Option<String> {
    let own = user.claims.get("locale")?.as_str()?.replace('_', "-");
    is_tag(&own).then_some(own)
}

/// The claims in these languages: of each that the person has in several, the one that is preferred.
fn speak(released: &Map<String, Value>, user: &User, (forms, locales): (&Forms<'_>, &[String])) -> Map<String, Value> {
    let is_asked = |name: &str| forms.iter().any(|(key, _)| key == name);
    let mut spoken = Map::new();
    for (name, value) in released {
        // What is asked for by its language stands there with it.
        if !name.contains('#') || is_asked(name) {
            spoken.entry(name.clone()).or_insert_with(|| value.clone());
            continue;
        }
        let base = base(name);
        let languages = || released.keys().filter(|key| self::base(key) == base).filter_map(|key| tag(key));
        // What has no tag is taken to be in the person's own language.
        let own = own(user).filter(|_| released.contains_key(base));
        let meant = match preferred(locales, own.as_deref(), languages) {
            Preferred::Own => continue,
            Preferred::Tagged(tag) => tag == self::tag(name).unwrap_or_default(),
            Preferred::None => !released.contains_key(base),
        };
        if !meant {
            continue;
        }
        // "When the OP determines, either through the "claims_locales" parameter, or by other means, that the End-User and Client are
        // requesting Claims in only one set of languages and scripts, it is RECOMMENDED that OPs return Claims without language
        // tags when they employ this language and script." (OIDC Core §5.2)
        let is_the_one = locales.len() == 1 && languages().any(|tag| fits(&locales[0], tag));
        spoken.insert(if is_the_one { base.to_owned() } else { name.clone() }, value.clone());
    }
    spoken
}

/// Which form of a claim is preferred.
#[derive(PartialEq, Eq)]
enum Preferred<'a> {
    /// None is in a language that was asked for.
    None,
    /// The one without tag.
    Own,
    /// The one with this tag.
    Tagged(&'a str),
}

/// The form of a claim in the first of the languages that it has one in.
fn preferred<'a, I: Iterator<Item = &'a str>>(
    locales: &[String],
    own: Option<&str>,
    languages: impl Fn() -> I,
) -> Preferred<'a> {
    for locale in locales {
        // "Where possible, OPs SHOULD try to match requested Claim locales with Claims it has." (OIDC Core §5.2)
        let exact = languages().find(|tag| tag.eq_ignore_ascii_case(locale));
        if let Some(tag) = exact.or_else(|| languages().find(|tag| fits(locale, tag))) {
            return Preferred::Tagged(tag);
        }
        if own.is_some_and(|own| fits(locale, own)) {
            return Preferred::Own;
        }
    }
    Preferred::None
}

/// Whether a form of this language does for who asks for that one: the same, or one of which the other is a part.
// "since BCP47 language tag values are case insensitive, implementations SHOULD interpret the language tag values supplied in a
// case-insensitive manner." (OIDC Core §5.2)
fn fits(asked: &str, tag: &str) -> bool {
    // "For instance, if the Client asks for a Claim with a "de" (German) language tag and the OP has a value tagged with "de-CH" (Swiss
    // German) and no generic German value, it would be appropriate for the OP to return the Swiss German value to the Client."
    // (OIDC Core §5.2)
    let begins = |long: &str, short: &str| {
        let (head, rest) = long.split_at_checked(short.len()).unwrap_or(("", "x"));
        head.eq_ignore_ascii_case(short) && (rest.is_empty() || rest.starts_with('-'))
    };
    begins(tag, asked) || begins(asked, tag)
}

/// The forms of a claim that a name with a language tag asks for: in that language, or in a variety of it.
fn tagged<'a>(user: &'a User, name: &str) -> Option<(&'a String, &'a Value)> {
    let (asked_base, asked) = name.split_once('#')?;
    let of_claim = || user.claims.iter().filter(|(key, _)| key.contains('#') && base(key) == asked_base);
    let exact = of_claim().find(|(key, _)| tag(key).is_some_and(|tag| tag.eq_ignore_ascii_case(asked)));
    exact.or_else(|| of_claim().find(|(key, _)| tag(key).is_some_and(|tag| fits(asked, tag))))
}

/// The name of a claim without its language tag.
pub(super) fn base(name: &str) -> &str {
    name.split('#').next().unwrap_or(name)
}

fn tag(name: &str) -> Option<&str> {
    name.split_once('#').map(|(_, tag)| tag)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::claims::{ClaimsRequest, for_userinfo, release, userinfo_names};
    use crate::directory::Directory;
    use crate::grant::OidcContext;
    use crate::scope::Scope;
    use crate::user::tests::ada;
    use serde_json::json;

    fn spoken(claims: &Value, text: &str, requested: &str) -> Value {
        let request = ClaimsRequest::parse(requested).unwrap();
        let mut user = ada();
        user.claims = claims.as_object().unwrap().clone();
        user.claims.insert("locale".into(), "en-GB".into());
        grant(claims.as_object().unwrap().clone(), &user, (&request.userinfo, &locales(text))).into()
    }

    #[test]
    fn one_language_comes_without_its_tag_and_several_with_it() {
        let all = json!({"name": "Ada", "name#de-CH": "Ada C", "name#fr": "Ada F", "email": "a@example.com"});
        let said = |text: &str| spoken(&all, text, "{}");
        assert_eq!(said(""), all);
        assert_eq!(said("de"), json!({"name": "Ada C", "email": "a@example.com"}));
        assert_eq!(said("DE-ch"), said("de"));
        assert_eq!(said("fr de"), json!({"name": "Ada", "name#fr": "Ada F", "email": "a@example.com"}));
        assert_eq!(said("it"), json!({"name": "Ada", "email": "a@example.com"}));
        assert_eq!(said("en de"), json!({"name": "Ada", "email": "a@example.com"}), "her own language is without tag");
        assert_eq!(said("it fr-CA"), said("fr de"));
        let untagged = json!({"name#de": "A", "name#fr": "B"});
        assert_eq!(spoken(&untagged, "it", "{}"), untagged, "it is left as it is where nothing else is there");
    }

    #[test]
    fn what_is_asked_for_with_its_tag_keeps_it() {
        let all = json!({"name": "Ada", "name#de": "Ada D", "name#fr": "Ada F"});
        let said = spoken(&all, "fr", r#"{"userinfo":{"name#de":null}}"#);
        assert_eq!(said, json!({"name": "Ada F", "name#de": "Ada D"}));
    }

    /// What is told of names, where the request is for these scopes, of which the person has allowed `profile`.
    fn told(scope: &str, locales: &str, requested: &str) -> Value {
        let claims = json!({"name": "Ada", "name#de": "Ada D", "nickname": "A", "gender": "female", "locale": "en_GB"});
        let (directory, mut user) = (Directory::default(), ada());
        user.claims = claims.as_object().unwrap().clone();
        let asked: Scope = scope.parse().unwrap();
        let context = OidcContext {
            claims: ClaimsRequest::parse(&format!(r#"{{"userinfo":{requested}}}"#)).unwrap(),
            claims_locales: self::locales(locales),
            scopes_of_claims: "profile".parse::<Scope>().unwrap().without(&asked),
            ..OidcContext::default()
        };
        let scope = asked.union(&context.scopes_of_claims);
        let released = release(&directory, &user, &scope, &userinfo_names(&directory, &scope, &context));
        let mut told = for_userinfo(released, &user, &context);
        told.retain(|name, _| {
            base(name).ends_with("name") && base(name) != "preferred_username" || base(name) == "gender"
        });
        told.into()
    }

    // "any versions of those Claims returned that do not use the requested language and script SHOULD use a language tag in the
    // Claim Name." (OIDC Core §5.5.2)
    #[test]
    fn what_is_not_there_in_the_language_asked_for_says_which_one_it_is_in() {
        let alone = |requested: &str| told("openid", "", requested);
        assert_eq!(alone(r#"{"name#fr":null,"gender#fr":null}"#), json!({"name#en-GB": "Ada"}));
        assert_eq!(
            alone(r#"{"name#fr":null,"name":null}"#),
            json!({"name": "Ada", "name#de": "Ada D", "name#en-GB": "Ada"})
        );
        assert_eq!(alone(r#"{"name#de":null}"#), json!({"name#de": "Ada D"}));
        assert_eq!(alone(r#"{"name#en":null}"#), json!({"name#en-GB": "Ada"}), "it is in that language");
        assert_eq!(alone(r#"{"name#fr":{"value":"Ada F"}}"#), json!({}));
        assert_eq!(told("openid", "de", r#"{"name#fr":null}"#), json!({"name#en-GB": "Ada"}));
    }

    // "If present, the listed Claims are being requested to be added to any Claims that are being requested using scope values."
    // (OIDC Core §5.5)
    #[test]
    fn what_a_scope_releases_stays_beside_what_is_asked_for_in_a_language() {
        let all = json!({"name": "Ada", "name#de": "Ada D", "nickname": "A", "gender": "female"});
        let with = |name: &str| {
            let mut all = all.clone();
            all[name] = json!("Ada");
            all
        };
        assert_eq!(told("openid profile", "", "{}"), all);
        assert_eq!(told("openid profile", "", r#"{"name#de":null}"#), all);
        assert_eq!(told("openid profile", "", r#"{"name#fr":null,"gender#fr":null}"#), with("name#en-GB"));
        let german = json!({"name": "Ada D", "name#en-GB": "Ada", "nickname": "A", "gender": "female"});
        assert_eq!(told("openid profile", "de", r#"{"name#fr":null}"#), german);
    }

    #[test]
    fn a_claim_of_another_value_is_left_out() {
        let all = json!({"name": "Ada", "name#de": "Ada D", "email": "a@example.com"});
        let said = |requested: &str| spoken(&all, "", requested);
        assert_eq!(said(r#"{"userinfo":{"email":{"value":"b@example.com","essential":true}}}"#)["email"], Value::Null);
        assert_eq!(said(r#"{"userinfo":{"email":{"values":["b","a@example.com"]}}}"#), all);
        assert_eq!(
            said(r#"{"userinfo":{"name":{"value":"Ada D"}}}"#),
            json!({"name#de": "Ada D", "email": "a@example.com"})
        );
    }

    #[test]
    fn what_is_no_language_is_no_error() {
        assert_eq!(locales("de  x_y de-CH \u{e9}"), ["de", "de-CH"]);
        assert_eq!(locales(&"en ".repeat(100)).len(), MAX_LOCALES);
    }
}
