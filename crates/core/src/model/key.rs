//! What tells a state from others: whatever can matter to what comes, and not which identifiers, secrets and signatures there
//! were on the way.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::ask::Ask;
use super::cast::{App, Person};
use super::family::{Access, Family, Stage};
use super::rows::Rows;
use super::world::{Flight, World};

impl World {
    /// The same for two states from which the same follows.
    pub(super) fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.now, self.waits).hash(&mut hasher);
        self.hash_rows(&self.rows, &mut hasher);
        for family in &self.families {
            self.hash_family(family, &mut hasher);
        }
        for flight in &self.flights {
            self.hash_flight(flight, &mut hasher);
        }
        hasher.finish()
    }

    fn hash_rows(&self, rows: &Rows, hasher: &mut impl Hasher) {
        for person in Person::ALL {
            rows.users.get(&person.id()).map(|user| user.disabled).hash(hasher);
            let session = rows.sessions.get(&self.session(person));
            session.map(|row| (row.ended_at, row.auth_time, row.last_seen_at)).hash(hasher);
        }
        for app in App::ALL {
            rows.directory.clients.get(app.id()).map(|client| client.disabled).hash(hasher);
        }
        for consent in rows.consents.values() {
            (consent.user_id, &consent.client_id, consent.granted.as_str()).hash(hasher);
        }
        for family in self.families.iter().filter(|family| family.stage >= Stage::Code) {
            let code = rows.codes.get(&family.id);
            code.map(|code| (code.spent_at, self.sessions.contains(&code.session_id))).hash(hasher);
            let grant = rows.grants.get(&family.id);
            let grant = grant.map(|row| (row.ended.is_some(), self.sessions.contains(&row.session_id), &row.scope));
            grant.hash(hasher);
            let token = rows.refresh_tokens.get(&family.id);
            token.map(|row| (row.generation, row.rotated_at, row.idle_expires_at)).hash(hasher);
        }
        rows.revoked.len().hash(hasher);
    }

    fn hash_family(&self, family: &Family, hasher: &mut impl Hasher) {
        (family.stage, family.is_heard, family.over, &family.scope).hash(hasher);
        (family.expires_at, family.rotated_at, self.sessions.contains(&family.session)).hash(hasher);
        family.refresh.len().hash(hasher);
        family.refresh.iter().for_each(|refresh| refresh.is_heard.hash(hasher));
        // In whatever order they came.
        family.access.iter().map(key_of).fold(0, u64::wrapping_add).hash(hasher);
    }

    fn hash_flight(&self, flight: &Flight, hasher: &mut impl Hasher) {
        (flight.ask, flight.now, &flight.judged, flight.counted, flight.seen.len()).hash(hasher);
        if let Ask::RevokeAccess { family, token, .. } = flight.ask {
            let told = &flight.told.access[token];
            let is_newest = self.families[family].access.iter().any(|access| access.text == told.text);
            (key_of(told), is_newest).hash(hasher);
        }
        for seen in &flight.seen {
            self.hash_rows(seen, hasher);
            for (key, consent) in &seen.consents {
                let now = self.rows.consents.get(key);
                now.is_some_and(|now| now.updated_at == consent.updated_at).hash(hasher);
            }
        }
    }
}

fn key_of(access: &Access) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&access.scope, access.expires_at, access.is_heard, access.revoked).hash(&mut hasher);
    hasher.finish()
}
