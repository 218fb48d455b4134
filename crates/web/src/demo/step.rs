//! The flow so far: a numbered list of steps, each with what was sent, what came back and what was checked.

use std::collections::VecDeque;

use super::{
    decode::{self, Decoded},
    exchange::Exchange,
};

/// Older steps than these are dropped; the numbers go on.
const KEPT: usize = 40;

/// The steps of one browser, oldest first.
#[derive(Debug, Default)]
pub(super) struct Log {
    steps: VecDeque<Step>,
    last: u32,
}

/// One step of the flow.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) number: u32,
    pub(super) kind: StepKind,
    pub(super) outcome: Outcome,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) checks: Vec<Check>,
    pub(super) tokens: Vec<Token>,
}

/// What a step is about, in the order in which a flow meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    Discovery,
    Authorization,
    CodeExchange,
    IdTokenCheck,
    UserInfo,
    ApiCall,
    Introspection,
    Refresh,
    Revocation,
    SignOut,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The browser is away at the server.
    Waiting,
    Done,
    /// The server said no, in OAuth's words.
    Refused {
        error: String,
        description: String,
    },
    /// Anything else that went wrong, in words for a developer.
    Failed(String),
}

/// Something the app verified, or could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) subject: Subject,
    pub(super) passed: bool,
    /// What was found.
    pub(super) detail: String,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    AtHash,
    Audience,
    AuthTime,
    Expiry,
    Acceptable,
    Issuer,
    Nonce,
    ResponseIssuer,
    SamePerson,
    Signature,
    State,
}

/// A token that a step brought.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) text: String,
    /// Nothing where only the server can read it.
    pub(super) decoded: Option<Decoded>,
}

/// Which token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Access,
    Id,
    Refresh,
}

impl Log {
    /// Adds a step and returns its number.
    pub(super) fn push(&mut self, mut step: Step) -> u32 {
        self.last += 1;
        step.number = self.last;
        if self.steps.len() == KEPT {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
        self.last
    }

    /// The step with this number, while it is kept.
    pub(super) fn step_mut(&mut self, number: u32) -> Option<&mut Step> {
        self.steps.iter_mut().find(|step| step.number == number)
    }

    /// Forgets all steps: a new flow begins at one.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The number of the newest step; 0 where there is none.
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    pub(super) fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.steps.iter()
    }
}

impl Step {
    /// A step, done unless something else is said.
    pub(super) fn new(kind: StepKind, exchanges: Vec<Exchange>) -> Self {
        Self { number: 0, kind, outcome: Outcome::Done, exchanges, checks: Vec::new(), tokens: Vec::new() }
    }

    /// A step that ended as its result says; a refusal is read from the last answer.
    pub(super) fn ended<T, E: std::error::Error>(
        kind: StepKind,
        exchanges: Vec<Exchange>,
        result: &Result<T, E>,
    ) -> Self {
        let outcome = match result {
            Ok(_) => Outcome::Done,
            Err(error) => refusal(&exchanges).unwrap_or_else(|| Outcome::Failed(reason(error))),
        };
        Self { outcome, ..Self::new(kind, exchanges) }
    }

    /// Notes a check; the first that fails ends the step.
    pub(super) fn check(&mut self, subject: Subject, passed: bool, detail: impl Into<String>) {
        let detail = detail.into();
        if !passed && self.outcome == Outcome::Done {
            self.outcome = Outcome::Failed(detail.clone());
        }
        self.checks.push(Check { subject, passed, detail });
    }
}

impl Token {
    pub(super) fn new(kind: TokenKind, text: &str) -> Self {
        Self { kind, text: text.to_owned(), decoded: decode::jwt(text) }
    }
}

/// The refusal in the last answer: in its body, or in its `WWW-Authenticate` header.
pub(super) fn refusal(exchanges: &[Exchange]) -> Option<Outcome> {
    let answer = exchanges.last()?.answer.as_ref()?;
    let member =
        |name: &str| answer.members.iter().find(|member| member.name == name).map(|member| member.value.clone());
    let challenge = answer.headers.iter().find(|header| header.name == "WWW-Authenticate");
    let attribute = |name: &str| challenge.and_then(|header| attribute(&header.value, name));
    let error = member("error").or_else(|| attribute("error"))?;
    let description = member("error_description").or_else(|| attribute("error_description")).unwrap_or_default();
    Some(Outcome::Refused { error, description })
}

/// `invalid_token` in `Bearer realm="notes", error="invalid_token"`.
fn attribute(challenge: &str, name: &str) -> Option<String> {
    let start = challenge.find(&format!("{name}=\""))? + name.len() + 2;
    challenge[start..].split('"').next().map(str::to_owned)
}

/// An error with its sources, in one line.
pub(super) fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            decode::Member,
            exchange::{Answer, Channel},
        },
        *,
    };

    fn exchange(headers: Vec<Member>, members: Vec<Member>) -> Exchange {
        Exchange {
            channel: Channel::Server,
            method: "POST".to_owned(),
            url: "http://localhost:8080/token".to_owned(),
            headers: Vec::new(),
            parameters: Vec::new(),
            answer: Some(Answer { status: "400 Bad Request".to_owned(), headers, members, text: String::new() }),
        }
    }

    fn failed() -> Result<(), std::fmt::Error> {
        Err(std::fmt::Error)
    }

    #[test]
    fn steps_are_numbered_from_one_and_old_ones_are_dropped() {
        let mut log = Log::default();
        for _ in 0..KEPT + 5 {
            log.push(Step::new(StepKind::UserInfo, Vec::new()));
        }
        assert_eq!(log.steps().next().map(|step| step.number), Some(6));
        assert_eq!(log.steps().count(), KEPT);
        log.clear();
        assert_eq!(log.push(Step::new(StepKind::Discovery, Vec::new())), 1);
    }

    #[test]
    fn a_refusal_is_read_from_the_body() {
        let body = vec![Member::new("error", "invalid_grant"), Member::new("error_description", "This code was used.")];
        let step = Step::ended(StepKind::CodeExchange, vec![exchange(Vec::new(), body)], &failed());
        let refused =
            Outcome::Refused { error: "invalid_grant".to_owned(), description: "This code was used.".to_owned() };
        assert_eq!(step.outcome, refused);
    }

    #[test]
    fn a_refusal_is_read_from_the_challenge() {
        let challenge = Member::new(
            "WWW-Authenticate",
            r#"Bearer realm="notes", error="invalid_token", error_description="It ended.""#,
        );
        let step = Step::ended(StepKind::ApiCall, vec![exchange(vec![challenge], Vec::new())], &failed());
        let refused = Outcome::Refused { error: "invalid_token".to_owned(), description: "It ended.".to_owned() };
        assert_eq!(step.outcome, refused);
    }

    #[test]
    fn the_first_failed_check_ends_a_step() {
        let mut step = Step::new(StepKind::IdTokenCheck, Vec::new());
        step.check(Subject::Nonce, true, "n");
        step.check(Subject::State, false, "first");
        step.check(Subject::Issuer, false, "second");
        assert_eq!(step.outcome, Outcome::Failed("first".to_owned()));
    }
}
