//! `client_secret_basic` and `client_secret_post`: a secret that only the client and the hash in its row know.

use grantor_jose::secret::SecretText;

use crate::client::Client;
use crate::error::Error;
use crate::time::Time;

/// Compares a received secret with those that count at `now`.
pub(super) fn check(client: &Client, secret: &str, now: Time) -> Result<(), Error> {
    let received = SecretText::new(secret.to_owned()).hash();
    let live = client.secrets.iter().filter(|known| known.expires_at.is_none_or(|end| now < end));
    // Each is compared in constant time, and all are compared, so that time tells nothing.
    let matched = live.fold(false, |matched, known| (known.hash == received) | matched);
    if matched { Ok(()) } else { Err(Error::ClientSecretMismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientSecret;
    use crate::client::tests::sample;

    fn secret(text: &str, expires_at: Option<Time>) -> ClientSecret {
        ClientSecret { expires_at, ..ClientSecret::hashed(&SecretText::new(text.into()), Time::default()) }
    }

    #[test]
    fn a_replaced_secret_counts_until_its_overlap_ends() {
        let mut client = sample("wiki");
        client.secrets = vec![secret("old", Some(Time::from_seconds(10))), secret("new", None)];
        let at = |text, seconds| check(&client, text, Time::from_seconds(seconds)).is_ok();
        assert!(at("old", 9) && at("new", 9) && at("new", 11));
        assert!(!at("old", 10) && !at("", 1) && !at("ne", 1));
    }
}
