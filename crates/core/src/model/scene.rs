//! The scenes: each has a few actions of the play, so that all their orders can be tried.

use super::ask::{Ask, Want};
use super::cast::{ASKED, App, Person};
use super::turn::{Ticks, Turn};
use super::world::{Action, Answer};

/// Where a part of the play begins, and what may happen in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    /// What has happened before.
    pub(super) before: &'static [Action],
    /// The families that requests are about. Others look on, and must not be touched.
    pub(super) families: &'static [usize],
    /// Whether codes are asked for and redeemed.
    pub(super) codes: bool,
    /// What refreshes ask for.
    pub(super) wants: &'static [Want],
    /// Whether apps give tokens back.
    pub(super) revocations: bool,
    pub(super) turns: &'static [Turn],
    /// By how many seconds time may pass, and how often.
    pub(super) waits: &'static [u64],
    pub(super) most_waits: u8,
    /// How many requests may be on their way, beside those that are answered at once: with one, two of them race, or one
    /// and a person; with two, three.
    pub(super) flights: usize,
    /// How many steps are taken.
    pub(super) steps: u8,
    /// How many states that must reach at least.
    pub(super) states: usize,
}

const SCENE: Scene = Scene {
    name: "",
    before: &[],
    families: &[],
    codes: false,
    wants: &[],
    revocations: false,
    turns: &[],
    waits: &[],
    most_waits: 0,
    flights: 1,
    steps: 4,
    states: 1,
};

/// A code against everything that can come between its issue and its redemption, from the first request on.
pub(super) const CODES: Scene = Scene {
    name: "codes",
    before: &[authorized(1), redeemed(1)],
    families: &[0],
    codes: true,
    turns: &[
        Turn::SignOut(Person::Ada),
        Turn::SignIn(Person::Ada),
        Turn::Withdraw(Person::Ada, App::Wiki),
        Turn::Allow(Person::Ada, App::Wiki, Ticks::All),
        Turn::Allow(Person::Ada, App::Wiki, Ticks::Notes),
    ],
    waits: &[60],
    most_waits: 1,
    steps: 6,
    states: 2000,
    ..SCENE
};

/// A family against refreshes for more and for less, in and after the grace window.
pub(super) const REFRESHES: Scene = Scene {
    name: "refreshes",
    before: &[authorized(0), redeemed(0)],
    families: &[0],
    wants: &Want::ALL,
    waits: &[10],
    most_waits: 2,
    states: 1200,
    ..SCENE
};

/// A family against three refreshes at once.
pub(super) const RACES: Scene =
    Scene { name: "races", wants: &[Want::Same], most_waits: 1, flights: 2, steps: 6, states: 3000, ..REFRESHES };

/// A family against a person who changes their mind, and an app that is not used for long.
pub(super) const ANSWERS: Scene = Scene {
    name: "answers",
    before: &[authorized(0), redeemed(0)],
    families: &[0],
    wants: &[Want::Same, Want::Narrower],
    turns: &[
        Turn::Withdraw(Person::Ada, App::Wiki),
        Turn::Allow(Person::Ada, App::Wiki, Ticks::All),
        Turn::Allow(Person::Ada, App::Wiki, Ticks::Mail),
        Turn::Allow(Person::Ada, App::Wiki, Ticks::Notes),
    ],
    waits: &[30 * 24 * 60 * 60],
    most_waits: 1,
    states: 1500,
    ..SCENE
};

/// Two families of two apps and two people, against apps that give back their tokens, and those of others.
pub(super) const REVOCATIONS: Scene = Scene {
    name: "revocations",
    before: &[authorized(0), redeemed(0), authorized(1), redeemed(1)],
    families: &[0, 1],
    wants: &[Want::Same],
    revocations: true,
    waits: &[600],
    most_waits: 1,
    steps: 3,
    states: 900,
    ..SCENE
};

/// The same for an app whose access tokens are signed, and a person who signs out.
pub(super) const SIGNED: Scene = Scene {
    name: "signed",
    before: &[authorized(2), redeemed(2)],
    families: &[2],
    wants: &[Want::Same],
    revocations: true,
    turns: &[Turn::SignOut(Person::Ada), Turn::Withdraw(Person::Ada, App::Blog), Turn::AppOff(App::Blog)],
    waits: &[600],
    most_waits: 1,
    states: 1400,
    ..SCENE
};

/// Two families of one person, one of which hangs on its session, against sign-ins and sign-outs, also of somebody else in the same
/// browser.
pub(super) const SESSIONS: Scene = Scene {
    name: "sessions",
    before: &[authorized(0), redeemed(0), authorized(2), redeemed(2)],
    families: &[0, 2],
    wants: &[Want::Same],
    turns: &[
        Turn::SignOut(Person::Ada),
        Turn::SignIn(Person::Ada),
        Turn::SignInBeside(Person::Bob),
        Turn::SignInOver(Person::Bob),
        Turn::Withdraw(Person::Ada, App::Wiki),
        Turn::Withdraw(Person::Ada, App::Blog),
    ],
    states: 1400,
    ..SCENE
};

/// A code and a family, against administrators.
pub(super) const SWITCHES: Scene = Scene {
    name: "switches",
    before: &[authorized(1), redeemed(1)],
    families: &[0, 1],
    codes: true,
    wants: &[Want::Same],
    turns: &[
        Turn::MarkOff(Person::Ada),
        Turn::SwitchOff(Person::Ada),
        Turn::SwitchOn(Person::Ada),
        Turn::SignIn(Person::Ada),
        Turn::MarkOff(Person::Bob),
        Turn::SwitchOff(Person::Bob),
        Turn::SwitchOn(Person::Bob),
        Turn::AppOff(App::Wiki),
        Turn::AppOn(App::Wiki),
        Turn::AppOff(App::Blog),
        Turn::AppOn(App::Blog),
    ],
    states: 3000,
    ..SCENE
};

/// Everything, from the beginning, in fewer steps.
pub(super) const EVERYTHING: Scene = Scene {
    name: "everything",
    families: &[0, 1, 2],
    codes: true,
    wants: &Want::ALL,
    revocations: true,
    turns: &[
        Turn::Allow(Person::Ada, App::Wiki, Ticks::All),
        Turn::Allow(Person::Ada, App::Wiki, Ticks::Notes),
        Turn::AppOff(App::Wiki),
        Turn::AppOn(App::Wiki),
        Turn::MarkOff(Person::Bob),
        Turn::SignIn(Person::Ada),
        Turn::SignOut(Person::Ada),
        Turn::SwitchOff(Person::Ada),
        Turn::SwitchOn(Person::Ada),
        Turn::SwitchOn(Person::Bob),
        Turn::Withdraw(Person::Ada, App::Wiki),
    ],
    waits: &[10, 60, 600],
    most_waits: 2,
    steps: 3,
    states: 1300,
    ..SCENE
};

pub(super) const ALL: [Scene; 9] =
    [CODES, REFRESHES, RACES, ANSWERS, REVOCATIONS, SIGNED, SESSIONS, SWITCHES, EVERYTHING];

const fn authorized(family: usize) -> Action {
    Action::Ask(Ask::Authorize { family }, Answer::Heard)
}

const fn redeemed(family: usize) -> Action {
    Action::Ask(Ask::Redeem { family, by: ASKED[family].app }, Answer::Heard)
}
