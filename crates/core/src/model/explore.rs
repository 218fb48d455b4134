//! Every order of a scene's actions, up to a number of steps: the nearest states first, each state once.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::ask::{Ask, Want};
use super::cast::{ASKED, App};
use super::family::{Family, Stage};
use super::probe::probe;
use super::rule::Broken;
use super::scene::Scene;
use super::world::{Action, Answer, World};

/// What was seen on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Explored {
    pub(super) states: usize,
    pub(super) transitions: usize,
}

/// A state that was reached: by which action, from which other.
struct Reached {
    from: usize,
    by: Option<Action>,
}

/// Explores a scene, and stops at the first rule that is broken.
pub(super) fn explore(scene: &Scene) -> Result<Explored, Broken> {
    let mut world = World::new();
    for action in scene.before {
        world = world.act(*action)?.unwrap();
    }
    probe(&world)?;
    let last = world.steps + scene.steps;
    let mut explored = Explored { states: 1, transitions: 0 };
    let mut known = HashSet::from([world.key()]);
    let mut reached = vec![Reached { from: 0, by: None }];
    let mut next = VecDeque::from([(0, world)]);
    while let Some((from, world)) = next.pop_front() {
        for action in actions(scene, &world) {
            explored.transitions += 1;
            let story = |broken| told(&reached, from, action, broken);
            let Some(after) = world.act(action).map_err(story)?.filter(|after| known.insert(after.key())) else {
                continue;
            };
            probe(&after).map_err(story)?;
            explored.states += 1;
            if after.steps < last {
                next.push_back((reached.len(), after));
                reached.push(Reached { from, by: Some(action) });
            }
        }
    }
    Ok(explored)
}

fn told(reached: &[Reached], mut from: usize, action: Action, broken: Broken) -> Broken {
    let mut story = vec![action];
    while let Some(by) = reached[from].by {
        story.push(by);
        from = reached[from].from;
    }
    story.reverse();
    Broken { story, ..broken }
}

/// What may happen next.
fn actions(scene: &Scene, world: &World) -> Vec<Action> {
    let mut actions = Vec::new();
    for place in 0..world.flights.len() {
        actions.extend([Action::Go(place, Answer::Heard), Action::Go(place, Answer::Lost)]);
    }
    let asks = scene.families.iter().flat_map(|place| asks(scene, world, *place));
    for ask in asks {
        actions.push(Action::Ask(ask, Answer::Heard));
        if matches!(ask, Ask::Redeem { .. } | Ask::Refresh { .. }) && ask.by() == ASKED[ask.family()].app {
            actions.push(Action::Ask(ask, Answer::Lost));
        }
        if world.flights.len() < scene.flights {
            actions.push(Action::Begin(ask));
        }
    }
    actions.extend(scene.turns.iter().map(|turn| Action::Turn(*turn)));
    if world.waits < scene.most_waits {
        actions.extend(scene.waits.iter().map(|seconds| Action::Wait(Duration::from_secs(*seconds))));
    }
    actions
}

fn asks(scene: &Scene, world: &World, place: usize) -> Vec<Ask> {
    let (family, asked) = (&*world.families[place], &ASKED[place]);
    let mut asks = Vec::new();
    if scene.codes && family.stage == Stage::Unasked && world.gets_code(place) {
        asks.push(Ask::Authorize { family: place });
    }
    if scene.codes && family.is_heard {
        asks.extend(App::ALL.map(|by| Ask::Redeem { family: place, by }));
    }
    for generation in heard(family) {
        for want in scene.wants {
            asks.push(Ask::Refresh { family: place, generation, by: asked.app, want: *want });
        }
        if !scene.wants.is_empty() {
            let thief = App::ALL.into_iter().filter(|app| *app != asked.app);
            asks.extend(thief.map(|by| Ask::Refresh { family: place, generation, by, want: Want::Same }));
        }
        if scene.revocations {
            asks.extend(App::ALL.map(|by| Ask::RevokeRefresh { family: place, generation, by }));
        }
    }
    for (token, access) in family.access.iter().enumerate() {
        if scene.revocations && access.is_heard {
            asks.extend(App::ALL.map(|by| Ask::RevokeAccess { family: place, token, by }));
        }
    }
    asks
}

/// The refresh tokens that their app has.
fn heard(family: &Family) -> impl Iterator<Item = usize> {
    family.refresh.iter().enumerate().filter(|(_, refresh)| refresh.is_heard).map(|(generation, _)| generation)
}
