//! Several people signed in in one browser: one of them is in use, the others wait beside.
//!
//! Each of them has a session of their own, as in a browser of their own: with its apps, its age, its end. The browser keeps their
//! cookies' values: that of the one in use, and in a second cookie those of the others, the last in use first ([`tokens`], [`text`]).
//! Only the person changes who is in use, on a page of ours; no app does (see [`next_step`](crate::authorization::next_step)).
//!
//! Who signs in beside somebody by their own choice leaves them signed in. Who signs in over somebody takes the browser over, and
//! whoever was signed in in it is signed out ([`Held::settle`]): on a shared computer nobody stays behind unknowingly.

use grantor_jose::id::Id;
use grantor_jose::secret::Secret;

use crate::session::Session;
use crate::token;

/// So many people are signed in beside the one in use, at most.
pub const MOST_OTHERS: usize = 4;

/// The longest text of the others, in bytes, that is read at all.
pub const LONGEST: usize = 512;

/// What stands between two tokens: no token has it, and cookies may.
const BETWEEN: char = '~';

/// The sessions that a text of the others names, each with its token, the last in use first; what is no token is passed over, as is
/// what stands there twice, and whatever is too many.
pub fn tokens(text: &str) -> Vec<(Id, Secret, &str)> {
    let mut found: Vec<(Id, Secret, &str)> = Vec::new();
    if text.len() > LONGEST {
        return found;
    }
    for part in text.split(BETWEEN) {
        let Some((id, secret)) = token::SESSION.parse(part) else { continue };
        if found.len() < MOST_OTHERS && found.iter().all(|(known, ..)| *known != id) {
            found.push((id, secret, part));
        }
    }
    found
}

/// The text of these tokens.
pub fn text<'t>(tokens: impl IntoIterator<Item = &'t str>) -> String {
    let mut text = String::new();
    for token in tokens {
        if !text.is_empty() {
            text.push(BETWEEN);
        }
        text.push_str(token);
    }
    text
}

/// A session that a browser holds.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// The session; it has not been ended.
    pub session: &'a Session,
    /// Whether it counts here and now: an idle one does not, and apps may go on in it all the same.
    pub is_live: bool,
    /// What identifies the event of its end, where it ends by this.
    pub event_id: Id,
}

/// What a browser holds when somebody signs in in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held<'a> {
    /// The session in use.
    pub in_use: Option<Kept<'a>>,
    /// Those beside it, the last in use first.
    pub others: &'a [Kept<'a>],
    /// Whether the person chose on a page of ours to sign in beside them.
    pub beside: bool,
}

/// What becomes of the sessions that a browser holds.
#[derive(Clone, Debug, Default)]
pub struct Settled<'a> {
    /// Those of the person who signs in: the new one takes their place.
    pub replaced: Vec<&'a Session>,
    /// Those that stay beside the new one, the last in use first.
    pub kept: Vec<&'a Session>,
    /// Those that end beside, and why.
    pub ended: Vec<(Kept<'a>, Why)>,
}

/// Why a session ends when somebody signs in in its browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Another session of its person stays.
    Again,
    /// There are more people than may be.
    Crowd,
    /// Somebody else took the browser over.
    TakenOver,
}

impl Why {
    /// As an event says it.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Again => "another session of the same account stays in the browser",
            Self::Crowd => "too many accounts in the browser",
            Self::TakenOver => "somebody else signed in in the browser",
        }
    }
}

impl<'a> Held<'a> {
    /// Decides what becomes of them when this person signs in.
    pub fn settle(&self, user_id: Id) -> Settled<'a> {
        let all = || self.in_use.iter().chain(self.others).copied();
        let is_theirs = |kept: &Kept<'_>| kept.session.user_id == user_id;
        // Who is one of them already knows who else is.
        let together = self.beside || all().any(|kept| is_theirs(&kept));
        let strangers = |is_live: bool| all().filter(move |kept| !is_theirs(kept) && kept.is_live == is_live);
        // Those that count go before those that are only not over yet.
        let (mut kept, mut ended): (Vec<&Session>, Vec<(Kept<'a>, Why)>) = (Vec::new(), Vec::new());
        for stranger in strangers(true).chain(strangers(false)) {
            let is_again = kept.iter().any(|known| known.user_id == stranger.session.user_id);
            match (together, is_again) {
                (false, _) => ended.push((stranger, Why::TakenOver)),
                (true, true) => ended.push((stranger, Why::Again)),
                (true, false) if kept.len() >= MOST_OTHERS => ended.push((stranger, Why::Crowd)),
                (true, false) => kept.push(stranger.session),
            }
        }
        Settled { replaced: all().filter(is_theirs).map(|kept| kept.session).collect(), kept, ended }
    }
}

#[cfg(test)]
mod tests {
    use grantor_jose::random::Mint;
    use proptest::prelude::*;

    use super::*;
    use crate::time::Time;

    const NOBODY: Vec<i64> = Vec::new();

    fn session(id: i64, user_id: i64) -> Session {
        let session = crate::session::tests::session(Time::from_seconds(1000));
        Session { id: Id::from_i64(id), user_id: Id::from_i64(user_id), ..session }
    }

    fn held(session: &Session, is_live: bool) -> Kept<'_> {
        Kept { session, is_live, event_id: Id::from_i64(900) }
    }

    fn ids(settled: Settled<'_>) -> [Vec<i64>; 3] {
        let ended = settled.ended.iter().map(|(kept, _)| kept.session).collect();
        [settled.replaced, settled.kept, ended]
            .map(|sessions: Vec<&Session>| sessions.iter().map(|session| session.id.as_i64()).collect())
    }

    /// The identifiers of what is replaced, kept and ended when the person 1 signs in where people with these numbers are.
    fn settled(in_use: Option<i64>, others: &[i64], beside: bool) -> [Vec<i64>; 3] {
        let sessions: Vec<Session> = in_use.iter().chain(others).map(|user| session(10 + user, *user)).collect();
        let kept: Vec<Kept<'_>> = sessions.iter().map(|session| held(session, true)).collect();
        let (first, rest) = kept.split_at(usize::from(in_use.is_some()));
        ids(Held { in_use: first.first().copied(), others: rest, beside }.settle(Id::from_i64(1)))
    }

    #[test]
    fn who_signs_in_over_somebody_signs_out_whoever_was_there() {
        assert_eq!(settled(None, &[], false), [NOBODY, NOBODY, NOBODY]);
        assert_eq!(settled(Some(2), &[], false), [NOBODY, NOBODY, vec![12]]);
        assert_eq!(settled(Some(2), &[3], false), [NOBODY, NOBODY, vec![12, 13]]);
        assert_eq!(settled(None, &[3], false), [NOBODY, NOBODY, vec![13]]);
    }

    #[test]
    fn who_chose_another_account_leaves_them_signed_in() {
        assert_eq!(settled(Some(2), &[3], true), [NOBODY, vec![12, 13], NOBODY]);
        assert_eq!(settled(None, &[3], true), [NOBODY, vec![13], NOBODY]);
    }

    #[test]
    fn who_is_one_of_them_takes_only_their_own_place() {
        assert_eq!(settled(Some(1), &[2], false), [vec![11], vec![12], NOBODY]);
        assert_eq!(settled(Some(2), &[3, 1], false), [vec![11], vec![12, 13], NOBODY]);
    }

    #[test]
    fn one_too_many_pushes_out_the_one_that_was_in_use_longest_ago() {
        assert_eq!(settled(Some(2), &[3, 4, 5, 6], true), [NOBODY, vec![12, 13, 14, 15], vec![16]]);
    }

    #[test]
    fn what_does_not_count_here_goes_before_what_does() {
        let sessions = [2, 3, 4, 5, 6].map(|user| session(10 + user, user));
        let mut kept = sessions.each_ref().map(|session| held(session, true));
        kept[1].is_live = false;
        let settled = Held { in_use: Some(kept[0]), others: &kept[1..], beside: true }.settle(Id::from_i64(1));
        assert_eq!(ids(settled)[2], [13]);
    }

    #[test]
    fn of_one_person_one_session_stays() {
        let sessions = [(12, 2), (13, 2), (14, 3), (15, 2)].map(|(id, user)| session(id, user));
        let kept = sessions.each_ref().map(|session| held(session, true));
        let settled =
            |user| Held { in_use: Some(kept[0]), others: &kept[1..], beside: true }.settle(Id::from_i64(user));
        assert_eq!(ids(settled(1)), [NOBODY, vec![12, 14], vec![13, 15]]);
        assert!(settled(1).ended.iter().all(|(_, why)| *why == Why::Again));
        assert_eq!(ids(settled(2)), [vec![12, 13, 15], vec![14], NOBODY]);
    }

    #[test]
    fn the_text_of_some_tokens_names_them_in_their_order() {
        let mint = Mint::seeded(4);
        let all: Vec<String> = (1..6).map(|at| token::SESSION.format(mint.id(at), &mint.secret())).collect();
        let written = text(all.iter().take(MOST_OTHERS).map(String::as_str));
        assert!(written.len() < LONGEST);
        assert_eq!(tokens(&written).iter().map(|(.., token)| *token).collect::<Vec<_>>(), all[..MOST_OTHERS]);
        let more = text(all.iter().chain(&all).map(String::as_str));
        assert!(tokens(&more).is_empty(), "it is too long");
        let twice = format!("{}~{}~x~~{}", all[0], all[0], all[1]);
        assert_eq!(tokens(&twice).iter().map(|(.., token)| *token).collect::<Vec<_>>(), all[..2]);
    }

    proptest! {
        #[test]
        fn any_text_names_few_sessions_or_none(any in any::<String>(), cut in 0usize..300) {
            prop_assert!(tokens(&any).len() <= MOST_OTHERS);
            let mint = Mint::seeded(4);
            let token = token::SESSION.format(mint.id(1), &mint.secret());
            let beside = format!("{token}~{any}");
            prop_assert!(tokens(beside.get(..cut.min(beside.len())).unwrap_or_default()).len() <= MOST_OTHERS);
        }

        /// Each session becomes one thing, no more stay than may, and none of somebody else is taken for the person's own.
        #[test]
        fn each_session_becomes_one_thing(
            people in proptest::collection::vec((1i64..5, any::<bool>()), 0..6), in_use in any::<bool>(), beside in any::<bool>()
        ) {
            let numbered = people.iter().zip(1i64..);
            let sessions: Vec<Session> = numbered.map(|((user, _), id)| session(id, *user)).collect();
            let kept: Vec<Kept<'_>> =
                sessions.iter().zip(&people).map(|(session, (_, is_live))| held(session, *is_live)).collect();
            let (first, rest) = kept.split_at(usize::from(in_use && !kept.is_empty()));
            let settled = Held { in_use: first.first().copied(), others: rest, beside }.settle(Id::from_i64(1));
            prop_assert!(settled.kept.len() <= MOST_OTHERS);
            prop_assert!(settled.replaced.iter().all(|session| session.user_id.as_i64() == 1));
            prop_assert!(settled.kept.iter().all(|session| session.user_id.as_i64() != 1));
            prop_assert!(settled.ended.iter().all(|(kept, _)| kept.session.user_id.as_i64() != 1));
            let stay: std::collections::BTreeSet<Id> = settled.kept.iter().map(|session| session.user_id).collect();
            prop_assert_eq!(stay.len(), settled.kept.len());
            let mut all: Vec<i64> = ids(settled).concat();
            all.sort_unstable();
            prop_assert_eq!(all, (1..).take(people.len()).collect::<Vec<i64>>());
        }
    }
}
