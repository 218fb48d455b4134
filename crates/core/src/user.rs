//! User: the person a token speaks for, "resource owner" and "End-User" in the specifications.

use grantor_jose::id::Id;
use serde_json::{Map, Value};

use crate::network::Networks;
use crate::time::Time;

/// A person with an account.
#[derive(Clone, Debug)]
pub struct User {
    /// The identifier of the row; never used again.
    pub id: Id,
    /// `sub`: "A locally unique and never reassigned identifier within the Issuer for the End-User" (OIDC Core §2).
    pub subject: String,
    /// The name the person signs in with, in its normal form.
    pub username: String,
    /// The password's hash in PHC text, if the person has one.
    pub password: Option<String>,
    /// The standard claims (OIDC Core §5.1), with language tags where declared.
    pub claims: Map<String, Value>,
    /// The groups the person is in.
    pub groups: Vec<String>,
    /// From where the person may sign in and be served.
    pub networks: Networks,
    /// Whether the account is switched off.
    pub disabled: bool,
    /// Whether the person made the account, without anybody who would have proved anything of them.
    pub self_made: bool,
    /// When the account was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl User {
    /// The name for people: `name`, else the sign-in name.
    pub fn display_name(&self) -> &str {
        self.claims.get("name").and_then(Value::as_str).unwrap_or(&self.username)
    }

    /// One claim about the person, whatever scope it belongs to.
    pub fn claim(&self, name: &str) -> Option<Value> {
        match name {
            "preferred_username" => {
                Some(self.claims.get(name).cloned().unwrap_or_else(|| Value::from(self.username.as_str())))
            }
            "groups" => Some(Value::from(self.groups.clone())),
            "updated_at" => Some(Value::from(self.updated_at.seconds())),
            "sub" => None,
            other => self.claims.get(other).cloned(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A person with an account.
    pub(crate) fn ada() -> User {
        User {
            id: Id::from_i64(7),
            subject: "ada-subject".into(),
            username: "ada".into(),
            password: None,
            claims: Map::from_iter([("name".to_owned(), "Ada".into()), ("email".to_owned(), "ada@example.com".into())]),
            groups: vec!["staff".into()],
            networks: Networks::ANYWHERE,
            disabled: false,
            self_made: false,
            created_at: Time::default(),
            updated_at: Time::default(),
        }
    }

    #[test]
    fn the_subject_is_no_claim_that_could_be_declared() {
        let mut user = ada();
        user.claims.insert("sub".into(), "other".into());
        assert_eq!(user.claim("sub"), None);
        assert_eq!(user.claim("preferred_username"), Some("ada".into()));
    }
}
