//! A new token of the person's own: what to call it, what it may do, where, and for how long.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::api_token::Owner;
use grantor_core::api_token::issue::{self, Wanted};
use grantor_core::api_token::rights;
use grantor_core::error::Error;
use grantor_core::network::Networks;
use grantor_core::params::Params;
use grantor_core::scope::Scope;
use grantor_core::store::StoreError;
use grantor_core::token::DRAFT;
use grantor_core::user::User;
use grantor_jose::secret::SecretText;

use super::Frame;
use super::status::Kind;
use super::token_made::TokenMade;
use crate::api_tokens::{self, DAY};
use crate::html::filters;
use crate::respond::{self, How, scope_sentence};
use crate::visit::Visit;
use crate::waiting::sign_in_for;
use crate::{form, routes};

/// Posts `name`, `scope` (once for each ticked), `resource`, `days`, `networks`, `draft` and `csrf` to `/account/tokens/new`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/token_new.html")]
pub struct TokenNew {
    /// The APIs that take tokens of people.
    pub apis: Vec<Api>,
    /// What the token will be made from: the form sent twice makes one token.
    pub draft: SecretText,
    /// The frame.
    pub frame: Frame,
    /// How long it may live.
    pub lifetimes: Vec<Choice>,
    /// What was typed.
    pub name: String,
    /// What was typed.
    pub networks: String,
    /// What is wrong with what was sent.
    pub problem: Option<Problem>,
}

/// An API, and what may be done there.
#[derive(Clone, Debug)]
pub struct Api {
    /// Whether the token was limited to it.
    pub chosen: bool,
    /// Its identifier.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// What the person could let the token do.
    pub scopes: Vec<Offered>,
}

/// One thing that a token may do.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The scope's name, as it is sent back.
    pub name: String,
    /// "Read your notes".
    pub sentence: String,
    /// Whether it was ticked.
    pub ticked: bool,
}

/// A number of days to choose.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// Whether it was chosen.
    pub chosen: bool,
    /// How many.
    pub days: u64,
}

/// What is wrong with what was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The form is too old, or was sent before.
    Expired,
    /// It would live too long.
    Lifetime,
    /// It has no name, or too long a one.
    Name,
    /// The networks cannot be read, or are too many.
    Networks,
    /// Nothing is ticked.
    NoScopes,
    /// What is ticked cannot be had, or not at the one API.
    Scopes,
    /// There are as many tokens as one may have.
    TooMany,
}

/// The part of the form that a problem is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field {
    /// How long.
    Lifetime,
    /// What to call it.
    Name,
    /// From where.
    Networks,
    /// What it may do.
    Scopes,
}

/// The lifetimes on offer, in days, as far as the policy allows them.
const DAYS: [u64; 5] = [7, 30, 90, 180, 365];

/// The one that is chosen to begin with.
const USUAL: u64 = 30;

impl TokenNew {
    fn title(&self) -> String {
        let title = self.frame.t("token-new-title");
        if self.problem.is_some() { self.frame.say("error-title", "title", title) } else { title }
    }

    fn problem_text(&self) -> Option<String> {
        Some(self.frame.t(match self.problem? {
            Problem::Expired => "token-new-expired",
            Problem::Lifetime => "token-new-lifetime",
            Problem::Name => "token-new-name-problem",
            Problem::Networks => "token-new-networks-problem",
            Problem::NoScopes => "token-new-no-scopes",
            Problem::Scopes => "token-new-scopes",
            Problem::TooMany => "token-new-too-many",
        }))
    }

    fn is_about(&self, field: Field) -> bool {
        self.problem.is_some_and(|problem| problem.field() == Some(field))
    }

    fn lifetime_text(&self, choice: &Choice) -> String {
        self.frame.duration(&i64::try_from(choice.days * DAY.as_secs()).unwrap_or(i64::MAX))
    }
}

impl Problem {
    fn field(self) -> Option<Field> {
        match self {
            Self::Lifetime => Some(Field::Lifetime),
            Self::Name => Some(Field::Name),
            Self::Networks => Some(Field::Networks),
            Self::NoScopes | Self::Scopes => Some(Field::Scopes),
            Self::Expired | Self::TooMany => None,
        }
    }

    /// What the person can mend; `None` for anything else.
    fn of(error: &Error) -> Option<Self> {
        Some(match error {
            Error::DraftExpired | Error::DraftUsed => Self::Expired,
            Error::NetworkMalformed | Error::NetworksTooMany => Self::Networks,
            Error::ResourceUnknown | Error::ScopeMalformed | Error::TokenScopeNotHeld => Self::Scopes,
            Error::TokenLifetimeTooLong => Self::Lifetime,
            Error::TokenNameInvalid => Self::Name,
            Error::TokenScopeEmpty => Self::NoScopes,
            Error::TokensTooMany => Self::TooMany,
            _ => return None,
        })
    }
}

/// Shows the form.
pub(crate) async fn get_token_new(visit: Visit) -> HttpResponse {
    let Some((_, user)) = visit.session() else { return sign_in_for(routes::TOKENS_NEW) };
    respond::page(&visit, &filled(&visit, user, &Params::default(), None), &How::default())
}

/// Makes the token and shows it, this once.
pub(crate) async fn post_token_new(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read_ticks(&visit.request, payload, "scope").await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let Some((_, user)) = visit.session() else { return sign_in_for(routes::TOKENS_NEW) };
    if !visit.is_own_form(form.get("csrf")) {
        return respond::status_page(&visit, Kind::FormRefused, None);
    }
    match make(&visit, user, &form).await {
        Ok(page) => respond::page(&visit, &page, &How { script: true, ..How::default() }),
        Err(error) => match Problem::of(&error) {
            Some(problem) => {
                let how = How { status: Some(StatusCode::UNPROCESSABLE_ENTITY), ..How::default() };
                respond::page(&visit, &filled(&visit, user, &form, Some(problem)), &how)
            }
            None => respond::failure(&visit, &error).await,
        },
    }
}

async fn make(visit: &Visit, user: &User, form: &Params) -> Result<TokenMade, Error> {
    let draft = api_tokens::draft(form)?;
    let (store, owner) = (&visit.app.provider.store, Owner::User(user.id));
    for _ in 0..api_tokens::MAX_RACES {
        let tokens = api_tokens::held(store, &owner, draft.id).await?;
        let holder = issue::Holder { owner: &owner, person: Some(user), tokens: &tokens };
        let directory = visit.app.directory();
        let made = issue::issue(api_tokens::about(visit, &directory), holder, &draft, wanted(form)?)?;
        if api_tokens::commit(visit, made.changes).await? {
            return api_tokens::made(visit, &owner, draft.id, made.reply).await;
        }
    }
    Err(StoreError::Busy.into())
}

fn wanted(form: &Params) -> Result<Wanted, Error> {
    let scope: Scope = form.get("scope").unwrap_or_default().parse()?;
    let days: u64 = form.get("days").and_then(|days| days.parse().ok()).unwrap_or(0);
    Ok(Wanted {
        name: form.get("name").unwrap_or_default().to_owned(),
        scope,
        resource: form.get("resource").map(str::to_owned),
        networks: Networks::parse(form.get("networks").unwrap_or_default())?,
        lifetime: Duration::from_secs(days.saturating_mul(DAY.as_secs())),
    })
}

/// The form, with what was sent in it.
fn filled(visit: &Visit, user: &User, form: &Params, problem: Option<Problem>) -> TokenNew {
    let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
    // What was sent too late or twice begins anew.
    let draft = form.get("draft").filter(|_| problem != Some(Problem::Expired)).map(str::to_owned);
    let fresh = || {
        let fresh = visit.app.provider.fresh(visit.now);
        DRAFT.format(fresh.id, &fresh.secret)
    };
    TokenNew {
        apis: apis(visit, user, form),
        draft: SecretText::new(draft.unwrap_or_else(fresh)),
        frame: visit.frame(None, None),
        lifetimes: lifetimes(visit.app.provider.policy.tokens.longest, form.get("days")),
        name: field("name"),
        networks: field("networks"),
        problem,
    }
}

fn lifetimes(longest: Duration, chosen: Option<&str>) -> Vec<Choice> {
    let most = longest.as_secs() / DAY.as_secs();
    let mut days: Vec<u64> = DAYS.into_iter().filter(|days| *days <= most).collect();
    if days.is_empty() {
        days.push(most.max(1));
    }
    let usual = days.iter().copied().filter(|days| *days <= USUAL).max().unwrap_or(days[0]);
    let chosen = chosen.and_then(|days| days.parse().ok()).unwrap_or(usual);
    days.into_iter().map(|days| Choice { chosen: days == chosen, days }).collect()
}

fn apis(visit: &Visit, user: &User, form: &Params) -> Vec<Api> {
    let (directory, language) = (visit.app.directory(), visit.language(None));
    let held = rights::of_owner(&directory, &Owner::User(user.id), Some(user));
    let ticked: Scope = form.get("scope").and_then(|scope| scope.parse().ok()).unwrap_or_default();
    let offered = |scope: &str| Offered {
        name: scope.to_owned(),
        sentence: scope_sentence(&directory, language, scope),
        ticked: ticked.contains(scope),
    };
    let offering = directory.resources.values().filter(|resource| resource.personal_access_tokens);
    let apis = offering.map(|resource| Api {
        chosen: form.get("resource") == Some(resource.identifier.as_str()),
        id: resource.identifier.clone(),
        name: if resource.name.is_empty() { resource.identifier.clone() } else { resource.name.clone() },
        scopes: resource.scopes.intersection(&held).iter().map(offered).collect(),
    });
    apis.filter(|api| !api.scopes.is_empty()).collect()
}

#[cfg(test)]
impl TokenNew {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, signed_in};
        let page = |apis: Vec<Api>, problem: Option<Problem>| Self {
            apis,
            draft: SecretText::new("gtr_dr_0BxVq7aY2Lk.c2VjcmV0".to_owned()),
            frame: signed_in("Ada Lovelace"),
            lifetimes: lifetimes(365 * DAY, None),
            name: String::new(),
            networks: String::new(),
            problem,
        };
        let typical = || vec![api("Notes", 2), api("Payroll", 1)];
        let wrong = |problem| Self { name: "Backup".to_owned(), ..page(typical(), Some(problem)) };
        let many = (0..20).map(|n| api(&format!("Service {n}"), 8)).collect();
        vec![
            ("typical", page(typical(), None)),
            ("one", page(vec![api("Notes", 1)], None)),
            ("closed", page(vec![], None)),
            ("many", page(many, None)),
            ("long", page(vec![api(LONG, 3)], None)),
            ("name", wrong(Problem::Name)),
            ("networks", Self { networks: "10.0.0/8".to_owned(), ..wrong(Problem::Networks) }),
            ("scopes", wrong(Problem::NoScopes)),
            ("lost", wrong(Problem::Scopes)),
            ("expired", wrong(Problem::Expired)),
            ("lifetime", wrong(Problem::Lifetime)),
            ("full", wrong(Problem::TooMany)),
            (
                "hostile",
                Self { name: HOSTILE.to_owned(), networks: HOSTILE.to_owned(), ..page(vec![api(HOSTILE, 2)], None) },
            ),
        ]
    }
}

#[cfg(test)]
fn api(name: &str, scopes: usize) -> Api {
    let offered = |n: usize| Offered {
        name: format!("scope{n}"),
        sentence: format!("Do thing number {n} with {name}"),
        ticked: n == 1,
    };
    Api {
        chosen: false,
        id: format!("https://{name}"),
        name: name.to_owned(),
        scopes: (0..scopes).map(offered).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_lifetime_is_offered_that_the_policy_forbids() {
        let days = |longest: u64| {
            let choices = lifetimes(Duration::from_secs(longest * DAY.as_secs()), None);
            (
                choices.iter().map(|choice| choice.days).collect::<Vec<_>>(),
                choices.iter().position(|choice| choice.chosen),
            )
        };
        assert_eq!(days(366), (vec![7, 30, 90, 180, 365], Some(1)));
        assert_eq!(days(20), (vec![7], Some(0)));
        assert_eq!(days(3), (vec![3], Some(0)));
    }
}
