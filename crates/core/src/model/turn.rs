//! What people and administrators do: the changes of the shipped functions, and what an onlooker concludes from them.

use std::sync::Arc;
use std::time::Duration;

use grantor_jose::id::Id;

use super::cast::{ASKED, App, Person, everything};
use super::family::{Family, Over, Stage};
use super::rule::{Broken, Rule};
use super::world::{World, mint};
use crate::accounts::{Held, Kept};
use crate::approval;
use crate::authorization::AuthorizationRequest;
use crate::authorization::tests::request;
use crate::change::{Change, GrantsOf};
use crate::client::Client;
use crate::grant::GrantEnd;
use crate::provider::{Call, Fresh};
use crate::scope::Scope;
use crate::sign_in;
use crate::user::User;

/// Something that a person or an administrator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A person answers at the consent page.
    Allow(Person, App, Ticks),
    /// An administrator switches an app off, which ends its grants. A code that is not redeemed yet can be, once the app is on
    /// again.
    AppOff(App),
    AppOn(App),
    /// A person is marked as switched off, and nothing is ended with it: the mark alone must do.
    MarkOff(Person),
    /// A person signs in, in the browser of their last session.
    SignIn(Person),
    /// A person signs in in the other's browser, beside them, by choice.
    SignInBeside(Person),
    /// A person signs in in the other's browser without a word.
    SignInOver(Person),
    SignOut(Person),
    /// An administrator switches a person off, which ends their sessions and grants.
    SwitchOff(Person),
    SwitchOn(Person),
    /// A person takes an app's access back.
    Withdraw(Person, App),
}

/// What is ticked at the consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ticks {
    All,
    Mail,
    Notes,
}

impl Ticks {
    fn scope(self) -> Scope {
        match self {
            Self::All => everything(),
            Self::Mail => "mail.read".parse().unwrap(),
            Self::Notes => "notes.read".parse().unwrap(),
        }
    }
}

impl World {
    /// Takes a turn; says whether it was possible.
    pub(super) fn turn(&mut self, turn: Turn) -> Result<bool, Broken> {
        let Some(changes) = self.changes(turn) else { return Ok(false) };
        let written = self.rows.commit(&changes);
        self.rows = Arc::new(written.map_err(|error| Broken::new(Rule::CountsUntilEnded, error.to_string()))?);
        self.note(turn);
        Ok(true)
    }

    fn changes(&self, turn: Turn) -> Option<Vec<Change>> {
        let event_id = self.fresh().id;
        let call = Call::new(self.now, "::1");
        Some(match turn {
            Turn::Allow(person, app, ticks) => self.allow((person, app), &ticks.scope(), event_id, call)?,
            Turn::AppOff(app) => vec![self.end_grants(GrantsOf::Client(app.id().into())), self.switch_app(app, true)?],
            Turn::AppOn(app) => vec![self.switch_app(app, false)?],
            Turn::MarkOff(person) => vec![self.switch_person(person, true)?],
            Turn::SignIn(person) => {
                let user = self.rows.users.get(&person.id()).filter(|user| !user.disabled)?;
                let before = self.rows.sessions.get(&self.session(person)).filter(|before| before.ended_at.is_none());
                let in_use = before.map(|before| Kept { session: before, is_live: true, event_id: self.another_id() });
                let held = Held { in_use, ..Held::default() };
                let browser = sign_in::Browser { user_agent: "", is_known: true, held };
                sign_in::begin(user, &self.fresh(), browser, call).changes
            }
            Turn::SignInBeside(person) => self.sign_in_with(person, true)?,
            Turn::SignInOver(person) => self.sign_in_with(person, false)?,
            Turn::SignOut(person) => {
                let session = self.rows.sessions.get(&self.session(person));
                sign_in::sign_out(session.filter(|session| session.ended_at.is_none())?, event_id, call)
            }
            Turn::SwitchOff(person) => vec![
                self.switch_person(person, true)?,
                Change::SessionsEnd { user_id: person.id(), except: None, at: self.now },
                self.end_grants(GrantsOf::User(person.id())),
            ],
            Turn::SwitchOn(person) => vec![self.switch_person(person, false)?],
            Turn::Withdraw(person, app) => {
                self.rows.consents.get(&(person.id(), app.id().to_owned()))?;
                approval::withdraw(app.id(), person.id(), event_id, call)
            }
        })
    }

    /// A person signs in where the other is signed in.
    fn sign_in_with(&self, person: Person, beside: bool) -> Option<Vec<Change>> {
        let user = self.rows.users.get(&person.id()).filter(|user| !user.disabled)?;
        let other = self.rows.sessions.get(&self.session(person.other())).filter(|other| other.ended_at.is_none())?;
        let in_use = Kept { session: other, is_live: true, event_id: self.another_id() };
        let held = Held { in_use: Some(in_use), others: &[], beside };
        let browser = sign_in::Browser { user_agent: "", is_known: true, held };
        Some(sign_in::begin(user, &self.fresh(), browser, Call::new(self.now, "::1")).changes)
    }

    /// An identifier beside that of what begins now.
    fn another_id(&self) -> Id {
        let mint = mint(self.steps);
        mint.id(self.now.millis());
        mint.id(self.now.millis())
    }

    fn fresh(&self) -> Fresh {
        let mint = mint(self.steps);
        Fresh { id: mint.id(self.now.millis()), secret: mint.secret() }
    }

    /// Another answer than the one before, at a page that offers everything.
    fn allow(&self, (person, app): (Person, App), ticked: &Scope, event_id: Id, call: Call<'_>) -> Option<Vec<Change>> {
        // No two answers of a person come at the same moment.
        let call = Call { now: call.now.plus(Duration::from_millis(self.steps.into())), ..call };
        let known = self.rows.consents.get(&(person.id(), app.id().to_owned())).map(|known| &**known);
        let client = self.rows.directory.clients.get(app.id()).filter(|client| !client.disabled)?;
        let request = AuthorizationRequest { client: Arc::clone(client), scope: everything(), ..request() };
        let is_another = known.is_none_or(|known| known.granted != *ticked);
        let changes = is_another.then(|| approval::approve(&request, (person.id(), known), ticked, event_id, call));
        changes?.ok()
    }

    fn end_grants(&self, of: GrantsOf) -> Change {
        Change::GrantsEnd { of, at: self.now, end: GrantEnd::RevokedByAdministrator }
    }

    fn switch_app(&self, app: App, disabled: bool) -> Option<Change> {
        let client = self.rows.directory.clients.get(app.id()).filter(|client| client.disabled != disabled)?;
        Some(Change::ClientPut(Box::new(Client { disabled, ..(**client).clone() })))
    }

    fn switch_person(&self, person: Person, disabled: bool) -> Option<Change> {
        let user = self.rows.users.get(&person.id()).filter(|user| user.disabled != disabled)?;
        Some(Change::UserPut(Box::new(User { disabled, ..(**user).clone() })))
    }

    /// What an onlooker concludes.
    fn note(&mut self, turn: Turn) {
        match turn {
            Turn::Allow(person, app, _) => self.each(Some(person), Some(app), Self::take_back),
            Turn::AppOff(app) => self.each(None, Some(app), |_, _, family| family.end_grant(Over::Ended)),
            Turn::AppOn(_) | Turn::MarkOff(_) | Turn::SwitchOn(_) => {}
            Turn::SignIn(person) => {
                let (before, now) = (self.session(person), self.fresh().id);
                self.sessions[person as usize] = now;
                self.each(Some(person), None, |_, _, family| family.go_on(before, now));
            }
            Turn::SignInBeside(person) => self.sessions[person as usize] = self.fresh().id,
            Turn::SignInOver(person) => {
                self.sessions[person as usize] = self.fresh().id;
                self.end_session(person.other());
            }
            Turn::SignOut(person) => self.end_session(person),
            Turn::SwitchOff(person) => self.each(Some(person), None, |_, _, family| family.end(Over::Ended)),
            Turn::Withdraw(person, app) => self.each(Some(person), Some(app), |world, place, family| {
                family.end_grant(Over::Ended);
                world.take_back(place, family);
            }),
        }
    }

    /// What hangs on a person's newest session ends.
    fn end_session(&mut self, person: Person) {
        let ended = self.session(person);
        self.each(Some(person), None, |world, place, family| {
            let outlives = family.is_grant() && world.outlives(place);
            if family.session == ended && !outlives {
                family.end(Over::Ended);
            }
        });
    }

    /// Changes what is known of the families of a person, of an app, or of both.
    fn each(&mut self, person: Option<Person>, app: Option<App>, change: impl Fn(&Self, usize, &mut Family)) {
        for (place, asked) in ASKED.iter().enumerate() {
            if person.is_none_or(|person| asked.person == person) && app.is_none_or(|app| asked.app == app) {
                let mut family = Family::clone(&self.families[place]);
                change(self, place, &mut family);
                self.families[place] = Arc::new(family);
            }
        }
    }

    /// What a person's newest answer means for a code that is not redeemed.
    pub(super) fn take_back(&self, place: usize, family: &mut Family) {
        if family.stage == Stage::Code && matches!(family.over, None | Some(Over::TakenBack)) {
            let is_allowed = family.scope.is_subset(&self.allowed(place));
            family.over = (!is_allowed).then_some(Over::TakenBack);
        }
    }
}
