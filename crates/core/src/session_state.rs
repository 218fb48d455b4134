//! The state of a browser, and what apps are told of it, by which they see that the person here is another one, or nobody
//! (OpenID Connect Session Management 1.0). It follows one-way from the session: nobody can do anything with it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::hash::sha256;
use grantor_jose::id::Id;
use grantor_jose::mac::MacKey;

/// What the browser keeps of its sessions, where scripts read it: of the one in use, and of those beside, by which apps may have been
/// answered, too.
pub fn browser_state(key: &MacKey, in_use: Option<Id>, others: &[Id]) -> String {
    // "Therefore, information that can be used for identifying the user should not be put into the cookie, as it could be read by
    // unrelated JavaScript." (OIDC Session Management §3.2)
    // "In addition, the User Agent state used to verify the session state SHOULD change with such events. ... It is
    // RECOMMENDED that the User Agent state SHOULD NOT vary too frequently in the absence of such events to minimize network
    // traffic caused by the Client's response to "changed" notifications." (OIDC Session Management §3.2)
    // "In the case of an authorized Client (successful Authentication Response), the OP SHOULD change the value of the
    // session state returned to the Client under one of the following events:" (OIDC Session Management §3.2)
    let mut beside: Vec<String> = others.iter().map(Id::to_string).collect();
    beside.sort_unstable();
    let in_use = in_use.map(|id| id.to_string()).unwrap_or_default();
    let mut parts: Vec<&[u8]> = vec![b"browser state", in_use.as_bytes()];
    parts.extend(beside.iter().map(String::as_bytes));
    let tag = key.tag(&parts);
    URL_SAFE_NO_PAD.encode(tag.first_chunk::<16>().unwrap_or(&[0; 16]))
}

/// What an app at `origin` is told of the browser's state; `static/check-session.js` makes the same of the same.
pub fn session_state(client_id: &str, origin: &str, browser_state: &str, salt: [u8; 16]) -> String {
    let salt = URL_SAFE_NO_PAD.encode(salt);
    let hash = sha256(format!("{client_id} {origin} {browser_state} {salt}").as_bytes());
    // "It MUST NOT contain the space (" ") character." (OIDC Session Management §2)
    format!("{}.{salt}", URL_SAFE_NO_PAD.encode(hash))
}

#[cfg(test)]
mod tests {
    use grantor_jose::random::Random;

    use super::*;

    #[test]
    fn each_session_has_a_state_of_its_own_that_does_not_tell_which() {
        let key = MacKey::generate(&Random::new());
        let state = |id| browser_state(&key, Some(Id::from_i64(id)), &[]);
        assert_eq!((state(7), state(7).len()), (state(7), 22));
        assert_ne!(state(7), state(8));
        assert_ne!(state(7), browser_state(&MacKey::generate(&Random::new()), Some(Id::from_i64(7)), &[]));
    }

    #[test]
    fn who_is_signed_in_beside_is_part_of_the_state_and_in_which_order_is_not() {
        let (key, [one, two, three]) = (MacKey::generate(&Random::new()), [1, 2, 3].map(Id::from_i64));
        let state = |in_use, others: &[Id]| browser_state(&key, in_use, others);
        assert_eq!(state(Some(one), &[two, three]), state(Some(one), &[three, two]));
        let all = [
            state(Some(one), &[]),
            state(Some(one), &[two]),
            state(Some(two), &[one]),
            state(None, &[one]),
            state(None, &[one, two]),
        ];
        assert!((1..5).all(|place| !all[..place].contains(&all[place])));
    }

    #[test]
    fn each_app_is_told_something_else() {
        let told = |client_id, origin, salt| session_state(client_id, origin, "state", [salt; 16]);
        let all = [
            told("wiki", "https://wiki.example", 1),
            told("chat", "https://wiki.example", 1),
            told("wiki", "https://chat.example", 1),
            told("wiki", "https://wiki.example", 2),
        ];
        assert!(all.iter().all(|told| !told.contains(' ')));
        assert!((1..4).all(|place| !all[..place].contains(&all[place])));
    }
}
