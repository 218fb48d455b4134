//! A state of the play, and what one action makes of it.

use std::sync::Arc;
use std::time::Duration;

use grantor_jose::id::Id;
use grantor_jose::random::Mint;

use super::ask::{Ask, Reply};
use super::cast::{self, ASKED, ISSUER, Person};
use super::family::{Family, Stage};
use super::judge::Judged;
use super::rows::Rows;
use super::rule::Broken;
use super::store::{Beats, run};
use super::turn::Turn;
use crate::policy::Policy;
use crate::provider::{Call, Provider};
use crate::time::Time;

/// One action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A request from its beginning to its answer, with nothing in between.
    Ask(Ask, Answer),
    /// A request to where it has loaded and decided, and waits to commit.
    Begin(Ask),
    /// The request in flight with this place takes one more beat.
    Go(usize, Answer),
    /// A person or an administrator does something.
    Turn(Turn),
    /// Time passes.
    Wait(Duration),
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Heard,
    /// Everything is done, and the app does not learn of it.
    Lost,
}

/// A request on its way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) ask: Ask,
    /// What its sender knew.
    pub(super) told: Arc<Family>,
    pub(super) now: Time,
    /// What its identifiers and secrets come from.
    seed: u8,
    /// The states that its calls to the store saw.
    pub(super) seen: Vec<Arc<Rows>>,
    /// What its answer may be, by what it loaded last.
    pub(super) judged: Judged,
    /// Whether the access token that it gives back counted by then.
    pub(super) counted: bool,
}

/// A state.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) rows: Arc<Rows>,
    pub(super) now: Time,
    pub(super) families: [Arc<Family>; 3],
    pub(super) flights: Vec<Arc<Flight>>,
    /// The newest session of each person, ended or not.
    pub(super) sessions: [Id; 2],
    /// How many actions led here.
    pub(super) steps: u8,
    /// How often time passed.
    pub(super) waits: u8,
}

impl World {
    /// Where each story begins: both people have signed in.
    pub(super) fn new() -> Self {
        let mut world = Self {
            rows: cast::rows(),
            now: cast::START,
            families: Default::default(),
            flights: Vec::new(),
            sessions: [Id::from_i64(0); 2],
            steps: 0,
            waits: 0,
        };
        for person in Person::ALL {
            world.steps += 1;
            world.turn(Turn::SignIn(person)).unwrap();
        }
        world
    }

    /// What an action leads to; nowhere, where it is not possible, or is no other story than a shorter one.
    pub(super) fn act(&self, action: Action) -> Result<Option<Self>, Broken> {
        let mut next = self.clone();
        next.steps += 1;
        let happened = match action {
            Action::Ask(ask, answer) => next.ask(ask, answer)?,
            Action::Begin(ask) => next.begin(ask),
            Action::Go(place, answer) => next.go_on(place, answer)?,
            Action::Turn(turn) => next.turn(turn)?,
            Action::Wait(duration) => {
                (next.now, next.waits) = (next.now.plus(duration), next.waits + 1);
                true
            }
        };
        Ok(happened.then_some(next))
    }

    fn ask(&mut self, ask: Ask, answer: Answer) -> Result<bool, Broken> {
        let flight = self.flight(ask);
        let before = Arc::clone(&self.rows);
        let (reply, _) = self.run(&flight, Beats::alone(&before));
        reply.map_or(Ok(false), |reply| self.conclude(&flight, reply, answer).map(|()| true))
    }

    fn begin(&mut self, ask: Ask) -> bool {
        let mut flight = self.flight(ask);
        // What is answered at once is no other story than when it is asked at once.
        let waits = self.beat(&mut flight).is_none();
        self.flights.push(Arc::new(flight));
        waits
    }

    fn go_on(&mut self, place: usize, answer: Answer) -> Result<bool, Broken> {
        let mut flight = Arc::unwrap_or_clone(self.flights.remove(place));
        if let Some(reply) = self.beat(&mut flight) {
            return self.conclude(&flight, reply, answer).map(|()| true);
        }
        self.flights.insert(place, Arc::new(flight));
        Ok(answer == Answer::Heard)
    }

    fn flight(&mut self, ask: Ask) -> Flight {
        if let Ask::Authorize { family } = ask {
            let session = self.session(ASKED[family].person);
            let family = self.family_mut(family);
            (family.stage, family.session) = (Stage::Asked, session);
        }
        let told = Arc::clone(&self.families[ask.family()]);
        let (judged, counted) = (self.judge(ask, self.now), self.counts_of(ask, &told));
        Flight { ask, told, now: self.now, seed: self.steps, seen: Vec::new(), judged, counted }
    }

    /// Answers one call to the store, and lets the request go on to its next, or to its end.
    fn beat(&mut self, flight: &mut Flight) -> Option<Reply> {
        flight.seen.push(Arc::clone(&self.rows));
        let beats = Beats::seeing(&flight.seen);
        let (reply, loaded) = self.run(flight, beats);
        if loaded {
            flight.judged = self.judge(flight.ask, flight.now);
            flight.counted = self.counts_of(flight.ask, &flight.told);
        }
        reply
    }

    /// Runs the shipped code; says whether it has loaded last. What was written is there afterwards.
    fn run(&mut self, flight: &Flight, beats: Beats<'_>) -> (Option<Reply>, bool) {
        let (issuer, policy, mint) = (ISSUER.clone(), Policy::default(), mint(flight.seed));
        let provider = Provider { issuer, policy, store: beats, mint };
        let call = Call::new(flight.now, "::1");
        let reply = run(flight.ask.answer(&flight.told, &provider, call));
        if let Some(rows) = provider.store.written() {
            self.rows = rows;
        }
        (reply, provider.store.has_loaded())
    }

    /// Whether the access token that a request gives back counts now.
    fn counts_of(&self, ask: Ask, told: &Family) -> bool {
        match ask {
            Ask::RevokeAccess { family, token, .. } => self.counts(family, &told.access[token]).is_ok(),
            _ => false,
        }
    }

    /// The newest session of a person.
    pub(super) fn session(&self, person: Person) -> Id {
        self.sessions[person as usize]
    }

    pub(super) fn family_mut(&mut self, family: usize) -> &mut Family {
        Arc::make_mut(&mut self.families[family])
    }
}

/// A source of identifiers and secrets for one request or turn: the same each time, and another than that of any other.
pub(super) fn mint(seed: u8) -> Arc<Mint> {
    let mint = Mint::seeded(seed.into());
    mint.set_node(seed);
    Arc::new(mint)
}
