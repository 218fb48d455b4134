//! An app that holds tokens, and remembers what it was told: what it was given must count, what was refused must not.

use std::collections::BTreeMap;
use std::io;

use grantor_core::store::Store;
use grantor_core::token::{CODE, REFRESH};
use grantor_jose::id::Id;
use grantor_jose::random::Random;
use grantor_storage::Database;

use super::caller::{Caller, Told};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};

/// Apps whose access tokens are signed, and apps whose access tokens are kept.
const APPS: [&str; 8] = ["wiki", "chat", "wiki", "chat", "wiki", "chat", "wiki", "chat"];

/// An app.
pub struct Holder {
    caller: Caller,
    /// Those of a person who has allowed the app.
    cookies: String,
    /// What it holds.
    family: Option<Family>,
    /// The request that was not answered, and whether it was done nevertheless, where that is known.
    unanswered: Option<(Request, Option<bool>)>,
    /// What gives nothing any more.
    over: Vec<Family>,
    tally: Tally,
}

/// A code and what it has given so far.
struct Family {
    code: String,
    access: String,
    refresh: Vec<String>,
    /// How many refresh tokens it shall have.
    last: usize,
}

/// A request that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    /// Asks for a code; the person is not asked.
    Code,
    /// Redeems it.
    Redeem,
    /// Refreshes with the newest refresh token.
    Refresh,
    /// Revokes the newest refresh token.
    Revoke,
    /// Redeems the code a second time.
    Replay,
    /// Refreshes with the first refresh token, which was replaced long ago.
    Reuse,
}

/// The ways in which a family ends.
const ENDS: [Request; 3] = [Request::Revoke, Request::Replay, Request::Reuse];

/// What happened, and how often.
pub type Tally = BTreeMap<Seen, usize>;

/// What happens to an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// An answer.
    Answer,
    /// A request that was not answered, or was told to come again.
    Lost,
    /// A refresh that was not answered, and gave a successor when it was asked for again.
    Recovered,
    /// One of these that had been done the first time.
    RecoveredDone,
    /// A redemption that was not answered, and had spent the code: it was refused when it was asked for again.
    Spent,
    /// A redemption that was not answered, and had not: it gave tokens then.
    Unspent,
    /// A family that came to its end.
    Over,
}

/// Eight apps that Alice has allowed, and the server that they ask.
pub async fn eight(issuer: &str) -> Vec<Holder> {
    let cookies = signed_in(issuer).await;
    let holder = |app| Holder {
        caller: Caller::new(issuer, app),
        cookies: cookies.clone(),
        family: None,
        unanswered: None,
        over: Vec::new(),
        tally: Tally::new(),
    };
    APPS.map(holder).into()
}

/// The cookies of a person who has allowed the apps.
pub async fn signed_in(issuer: &str) -> String {
    let person = Person::at(issuer, "en");
    let form = person.open("/sign-in").await.form(r#"form[action="/sign-in"]"#);
    let answer = person.post(&form.with("username", ALICE).with("password", ALICE_PASSWORD)).await;
    for app in &APPS[..2] {
        let page = person.open(Caller::new(issuer, app).authorize_path()).await;
        person.allow_on(&page).await;
    }
    answer.cookies().join("; ")
}

/// Lets all apps work at once, each on a thread.
pub async fn each(holders: Vec<Holder>, work: impl Fn(&mut Holder) + Clone + Send + 'static) -> Vec<Holder> {
    let start = |mut holder: Holder| {
        let work = work.clone();
        tokio::task::spawn_blocking(move || {
            work(&mut holder);
            holder
        })
    };
    let at_work: Vec<_> = holders.into_iter().map(start).collect();
    let mut holders = Vec::new();
    for holder in at_work {
        holders.push(holder.await.unwrap());
    }
    holders
}

/// What happened to all together.
pub fn tally(holders: &[Holder]) -> Tally {
    let mut all = Tally::new();
    for (seen, times) in holders.iter().flat_map(|holder| &holder.tally) {
        *all.entry(*seen).or_default() += times;
    }
    all
}

impl Holder {
    /// Works until an answer does not come.
    pub fn work(&mut self) {
        loop {
            let request = self.next();
            match self.ask(request) {
                Ok(told) => self.hear(request, &told),
                Err(error) => {
                    self.unanswered = Some((request, None));
                    // What was refused a connection was not sent.
                    if error.kind() != io::ErrorKind::ConnectionRefused {
                        self.count(Seen::Lost);
                    }
                    return;
                }
            }
        }
    }

    /// Makes one request: the one that was not answered again, or the next. Says whether it was done now.
    pub fn go_on(&mut self) -> bool {
        let again = self.unanswered.take();
        let request = again.map_or_else(|| self.next(), |(request, _)| request);
        let told = self.ask(request).expect("an answer in time");
        if told.is_to_come_again() {
            self.count(Seen::Lost);
            self.unanswered = Some((request, None));
            return false;
        }
        match again {
            None => self.hear(request, &told),
            Some((_, done)) => self.hear_again(request, &told, done),
        }
        true
    }

    /// Asks again for what was not answered.
    pub fn ask_again(&mut self) {
        if self.unanswered.is_some() {
            assert!(self.go_on(), "the server is there");
        }
    }

    fn next(&self) -> Request {
        match &self.family {
            None => Request::Code,
            Some(family) if family.refresh.is_empty() => Request::Redeem,
            Some(family) if family.refresh.len() < family.last => Request::Refresh,
            Some(_) => ENDS[self.over.len() % ENDS.len()],
        }
    }

    fn ask(&mut self, request: Request) -> io::Result<Told> {
        let (caller, family) = (&mut self.caller, self.family.as_ref());
        match (request, family) {
            (Request::Code, _) | (_, None) => caller.code(&self.cookies),
            (Request::Redeem | Request::Replay, Some(family)) => caller.redeem(&family.code),
            (Request::Refresh, Some(family)) => caller.refresh(family.newest()),
            (Request::Reuse, Some(family)) => caller.refresh(&family.refresh[0]),
            (Request::Revoke, Some(family)) => caller.post("/revoke", &[("token", family.newest())]),
        }
    }

    /// Takes what an answer gives.
    fn hear(&mut self, request: Request, told: &Told) {
        self.count(Seen::Answer);
        match request {
            Request::Code => {
                let last = 3 + usize::from(Random::new().bytes::<1>()[0] % 6);
                self.family = Some(Family { code: told.code(), access: String::new(), refresh: Vec::new(), last });
            }
            Request::Redeem | Request::Refresh => {
                let (refresh, family) = (told.token("refresh_token"), self.family.as_mut().unwrap());
                assert!(!family.refresh.contains(&refresh), "each one is another one");
                family.refresh.push(refresh);
                family.access = told.token("access_token");
            }
            Request::Revoke => self.bury(told, "200"),
            Request::Replay | Request::Reuse => self.bury(told, "400 invalid_grant"),
        }
    }

    /// Takes what the answer to a request gives that was made before, and was not answered then.
    fn hear_again(&mut self, request: Request, told: &Told, done: Option<bool>) {
        match request {
            Request::Redeem if told.status == 400 => {
                assert_ne!(done, Some(false), "a code that was not spent works once");
                self.count(Seen::Answer);
                self.count(Seen::Spent);
                return self.bury(told, "400 invalid_grant");
            }
            Request::Redeem => {
                assert_ne!(done, Some(true), "a spent code gives nothing a second time");
                self.count(Seen::Unspent);
            }
            Request::Refresh => {
                assert_eq!(told.brief(), "200", "a successor in every case");
                self.count(Seen::Recovered);
                if done == Some(true) {
                    self.count(Seen::RecoveredDone);
                }
            }
            _ => {}
        }
        self.hear(request, told);
    }

    fn bury(&mut self, told: &Told, expected: &str) {
        assert_eq!(told.brief(), expected);
        self.over.extend(self.family.take());
        self.count(Seen::Over);
    }

    fn count(&mut self, seen: Seen) {
        *self.tally.entry(seen).or_default() += 1;
    }

    /// Compares with what a server has left: all that was answered is there, and what was not was done as a whole or not at
    /// all. Of what is over the last `many` are looked at.
    pub async fn examine(&mut self, left: &Database, many: usize) {
        if let Some(family) = &self.family {
            let request = self.unanswered.map(|(request, _)| request);
            let done = family.examine(left, request).await;
            self.unanswered = request.map(|request| (request, Some(done)));
        }
        for family in self.over.iter().rev().take(many) {
            let kept = left.refresh_token_find(family.id()).await.unwrap().unwrap();
            assert!(kept.grant.ended.is_some(), "what is over stays over");
        }
    }

    /// Whether what it holds counts, and what is over does not; of that the last `many` are tried.
    pub fn verify(&mut self, many: usize) {
        let caller = &mut self.caller;
        if let Some(family) = self.family.as_ref().filter(|family| !family.refresh.is_empty()) {
            assert!(is_active(caller, family.newest()) && is_active(caller, &family.access), "what was given counts");
        }
        for family in self.over.iter().rev().take(many) {
            assert_eq!(caller.redeem(&family.code).unwrap().brief(), "400 invalid_grant");
            for token in &family.refresh {
                assert_eq!(caller.refresh(token).unwrap().brief(), "400 invalid_grant");
            }
            if let Some(token) = family.refresh.last() {
                assert!(!is_active(caller, token) && !is_active(caller, &family.access), "what is over stays over");
            }
        }
    }
}

impl Family {
    fn id(&self) -> Id {
        CODE.parse(&self.code).unwrap().0
    }

    fn newest(&self) -> &str {
        self.refresh.last().unwrap()
    }

    /// Compares with what is kept; says whether `request` was done, the one that was not answered.
    async fn examine(&self, left: &Database, request: Option<Request>) -> bool {
        let code = left.code_find(self.id()).await.unwrap().expect("the code is kept").code;
        let kept = left.refresh_token_find(self.id()).await.unwrap();
        assert_eq!(code.spent_at.is_some(), kept.is_some(), "a code is spent for a grant");
        let Some(kept) = kept else {
            assert!(self.refresh.is_empty(), "what was given is gone");
            return false;
        };
        let made = usize::try_from(kept.token.generation).unwrap() + 1;
        match (made.checked_sub(self.refresh.len()), kept.grant.ended) {
            (Some(0), None) => {
                assert!(kept.token.secret.matches(&REFRESH.parse(self.newest()).unwrap().1));
                false
            }
            (Some(1), None) => matches!(request, Some(Request::Redeem | Request::Refresh)),
            (Some(0), Some(_)) => request.is_some_and(|request| ENDS.contains(&request)),
            wrong => panic!("{wrong:?} after {request:?}"),
        }
    }
}

fn is_active(caller: &mut Caller, token: &str) -> bool {
    let told = caller.post("/introspect", &[("token", token)]).unwrap();
    told.body["active"].as_bool().unwrap_or_else(|| panic!("{told:?}"))
}
