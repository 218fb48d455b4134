//! Passwords as commands and declarations meet them: read, judged, hashed, compared, and asked for without being shown.

use std::io::{BufRead, IsTerminal};

use grantor_identity::memory::Memory;
use grantor_identity::password::{self, HashFailed, Password, PasswordHash, Verdict};
use grantor_identity::password_policy::{Context, PasswordPolicy};
use grantor_identity::username::Username;
use grantor_jose::random::Random;
use grantor_jose::secret::SecretText;

/// Why no password was read.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Two different ones.
    #[error("the two passwords differ; nothing was changed")]
    Different,
    /// There is nobody to ask.
    #[error("there is no terminal to ask for the password on; give it with --password-stdin")]
    NoTerminal,
    /// It cannot be used.
    #[error("{0}")]
    Refused(String),
    /// Nothing could be read.
    #[error("the password could not be read: {0}")]
    Unreadable(#[from] std::io::Error),
}

/// The first line of standard input, or what is typed twice on the terminal.
///
/// # Errors
/// When nothing can be read, or the two differ.
pub fn ask(from_stdin: bool) -> Result<SecretText, PasswordError> {
    if from_stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        return Ok(SecretText::new(line.trim_end_matches(['\r', '\n']).to_owned()));
    }
    if !std::io::stdin().is_terminal() {
        return Err(PasswordError::NoTerminal);
    }
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("Again: ")? != password {
        return Err(PasswordError::Different);
    }
    Ok(SecretText::new(password))
}

/// Whether `password` can be the password of `username`: what is wrong with it, in words.
///
/// # Errors
/// Why it cannot be used, or is too weak.
pub fn judge(password: &SecretText, username: &Username, policy: &PasswordPolicy) -> Result<(), PasswordError> {
    let refused = |why: &dyn std::fmt::Display| PasswordError::Refused(why.to_string());
    let password = Password::parse(password.expose()).map_err(|error| refused(&error))?;
    let context = Context { username, product: "Grantor", issuer_host: "" };
    policy.check(&password, &context).map_err(|error| refused(&error))
}

/// The hash of a password that [`judge`] or a declaration has read before.
///
/// # Errors
/// When it is no password at all.
pub fn hash(password: &SecretText, random: &Random) -> Result<String, PasswordError> {
    let password = Password::parse(password.expose()).map_err(|error| PasswordError::Refused(error.to_string()))?;
    let failed = |error: HashFailed| PasswordError::Refused(error.to_string());
    password::hash(&password, random, &mut Memory::default()).map(|hash| hash.expose().to_owned()).map_err(failed)
}

/// Whether `password` is the one of `kept`.
pub fn verify(password: &SecretText, kept: &str) -> bool {
    let (Ok(password), Ok(kept)) = (Password::parse(password.expose()), PasswordHash::parse(kept)) else {
        return false;
    };
    !matches!(password::verify(&password, Some(&kept), &mut Memory::default()), Verdict::Mismatch)
}
