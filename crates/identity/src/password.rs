//! Passwords and their hashes.
//!
//! # The normal form
//!
//! As the `OpaqueString` profile has it (RFC 8265 §4.2): any space becomes U+0020, then canonical composition (NFC). Case, width and
//! everything else stay. So a password typed with another keyboard is the same password.
//!
//! # The hash
//!
//! Argon2id over 19 MiB in two passes, kept as a PHC string. Hashes of the Argon2 family that come from elsewhere are checked too, and
//! replaced at the next sign-in when their parameters are not ours.

use std::fmt;
use std::hint::black_box;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use grantor_jose::hash::constant_time_eq;
use grantor_jose::random::Random;
use grantor_jose::secret::SecretText;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use crate::memory::Memory;

/// The most bytes of a password, typed and in its normal form.
pub const MAX_BYTES: usize = 1024;

/// Memory of a new hash, in KiB.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;
/// The most that a hash from elsewhere may cost: it is paid at a sign-in, before anybody is known.
const MAX_MEMORY_KIB: u32 = 65_536;
const MAX_PASSES: u32 = 8;
const MAX_LANES: u32 = 16;

/// A password in its normal form. Wiped when dropped.
#[derive(Clone, Debug)]
pub struct Password(SecretText);

/// Why a text is no password.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PasswordError {
    /// There is none.
    #[error("the password is empty")]
    Empty,
    /// It has a NUL, which other systems would read as its end.
    #[error("the password has a NUL character")]
    Nul,
    /// It has more than [`MAX_BYTES`] bytes. It is refused, never cut.
    #[error("the password is longer than {MAX_BYTES} bytes")]
    TooLong,
}

impl Password {
    /// Reads a password as somebody typed it.
    pub fn parse(typed: &str) -> Result<Self, PasswordError> {
        if typed.len() > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        if typed.is_empty() {
            return Err(PasswordError::Empty);
        }
        if typed.contains('\0') {
            return Err(PasswordError::Nul);
        }
        let spaced = typed.chars().map(|character| if is_space(character) { ' ' } else { character });
        // Composition can make three bytes of one, never more; room for all of them leaves no copy behind.
        let mut normal = String::with_capacity(3 * typed.len());
        normal.extend(spaced.nfc());
        let password = Self(SecretText::new(normal));
        if password.expose().len() > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        Ok(password)
    }

    /// The password itself, for the one place that needs it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The spaces of Unicode (category Zs) besides U+0020.
fn is_space(character: char) -> bool {
    matches!(character, '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}')
}

/// The hash of a password: a PHC string of the Argon2 family with salt and output.
#[derive(Clone)]
pub struct PasswordHash {
    text: String,
    argon2: Argon2<'static>,
    salt: Salt,
    output: Output,
}

/// Why a text is no hash that we can check.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PasswordHashError {
    /// It is no PHC string, or lacks its salt or its output.
    #[error("the password hash is no PHC string ($argon2id$v=19$m=…,t=…,p=…$salt$hash)")]
    Malformed,
    /// Checking it would cost more than a sign-in may.
    #[error("the password hash costs too much: at most m={MAX_MEMORY_KIB}, t={MAX_PASSES}, p={MAX_LANES}")]
    TooCostly,
    /// It is of another family.
    #[error("the password hash is not of the Argon2 family; bcrypt, scrypt, PBKDF2 and others cannot be taken over")]
    Unsupported,
}

impl PasswordHash {
    /// Reads a PHC string.
    pub fn parse(text: &str) -> Result<Self, PasswordHashError> {
        let name =
            text.strip_prefix('$').and_then(|rest| rest.split('$').next()).ok_or(PasswordHashError::Malformed)?;
        let algorithm = Algorithm::new(name).map_err(|_| PasswordHashError::Unsupported)?;
        let phc = Phc::new(text).map_err(|_| PasswordHashError::Malformed)?;
        let (Some(salt), Some(output)) = (phc.salt, phc.hash) else { return Err(PasswordHashError::Malformed) };
        // Hashes without a version are those of before version 19.
        let version =
            phc.version.map_or(Ok(Version::V0x10), Version::try_from).map_err(|_| PasswordHashError::Malformed)?;
        let params = Params::try_from(&phc).map_err(|_| PasswordHashError::Malformed)?;
        if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES {
            return Err(PasswordHashError::TooCostly);
        }
        Ok(Self { text: text.to_owned(), argon2: Argon2::new(algorithm, version, params), salt, output })
    }

    /// The PHC string, for the row that keeps it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Whether a new hash would be made the same way.
    fn is_current(&self) -> bool {
        let params = self.argon2.params();
        let costs = (params.m_cost(), params.t_cost(), params.p_cost());
        self.text.starts_with("$argon2id$v=19$")
            && costs == (MEMORY_KIB, PASSES, LANES)
            && self.salt.len() >= SALT_BYTES
            && self.output.len() == OUTPUT_BYTES
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Match,
    /// It is the password, and its hash should be made anew.
    MatchRehash,
    /// It is not, or there is no such user.
    Mismatch,
}

/// The argon2 library refused; our own parameters are always good.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the password could not be hashed")]
pub struct HashFailed;

/// Hashes a new password with a salt from `random`.
pub fn hash(password: &Password, random: &Random, memory: &mut Memory) -> Result<PasswordHash, HashFailed> {
    let (argon2, salt) = (current(), random.bytes::<SALT_BYTES>());
    let mut out = [0; OUTPUT_BYTES];
    run(&argon2, password, &salt, (&mut out, memory))?;
    let (salt, output) = (Salt::new(&salt).map_err(|_| HashFailed)?, Output::new(&out).map_err(|_| HashFailed)?);
    let params = ParamsString::try_from(argon2.params()).map_err(|_| HashFailed)?;
    let version = Some(Version::V0x13.into());
    let text = Phc { algorithm: Algorithm::Argon2id.ident(), version, params, salt: Some(salt), hash: Some(output) }
        .to_string();
    Ok(PasswordHash { text, argon2, salt, output })
}

/// Checks a password. Without a hash (there is no such user, or none with a password) the same work is done in vain, so that time
/// tells nothing. A hash with other parameters than ours takes its own time until the next sign-in replaces it.
pub fn verify(password: &Password, hash: Option<&PasswordHash>, memory: &mut Memory) -> Verdict {
    let mut out = [0; Output::MAX_LENGTH];
    let Some(hash) = hash else {
        let done = run(&current(), password, &[0x5A; SALT_BYTES], (&mut out[..OUTPUT_BYTES], memory));
        let _ = black_box(constant_time_eq(&out, &[u8::from(done.is_ok()); Output::MAX_LENGTH]));
        return Verdict::Mismatch;
    };
    let out = &mut out[..hash.output.len()];
    let done = run(&hash.argon2, password, &hash.salt, (out, memory));
    match done.is_ok() && constant_time_eq(out, hash.output.as_bytes()) {
        true if hash.is_current() => Verdict::Match,
        true => Verdict::MatchRehash,
        false => Verdict::Mismatch,
    }
}

fn run(
    argon2: &Argon2<'_>,
    password: &Password,
    salt: &[u8],
    (out, memory): (&mut [u8], &mut Memory),
) -> Result<(), HashFailed> {
    let blocks = memory.for_params(argon2.params());
    let done = argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, out, blocks);
    memory.shrink();
    done.map_err(|_| HashFailed)
}

fn current() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters())
}

/// The parameters of new hashes.
pub(crate) fn parameters() -> Params {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn password(typed: &str) -> Password {
        Password::parse(typed).unwrap()
    }

    fn hashed(typed: &str) -> PasswordHash {
        hash(&password(typed), &Random::seeded(1), &mut Memory::default()).unwrap()
    }

    fn check(typed: &str, hash: &PasswordHash) -> Verdict {
        verify(&password(typed), Some(hash), &mut Memory::default())
    }

    #[test]
    fn a_password_matches_its_hash_and_no_other() {
        let hash = hashed("correct horse");
        assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose());
        assert_eq!(check("correct horse", &hash), Verdict::Match);
        assert_eq!(check("correct horse", &PasswordHash::parse(hash.expose()).unwrap()), Verdict::Match);
        for wrong in ["Correct horse", "correct horse ", "correct  horse"] {
            assert_eq!(check(wrong, &hash), Verdict::Mismatch, "{wrong:?}");
        }
    }

    #[test]
    fn composed_decomposed_and_other_spaces_are_one_password() {
        let hash = hashed("pässwörd mit é");
        assert_eq!(check("pa\u{308}sswo\u{308}rd\u{A0}mit\u{3000}e\u{301}", &hash), Verdict::Match);
    }

    #[test]
    fn nothing_is_cut() {
        let long = "x".repeat(MAX_BYTES - 1);
        let hash = hashed(&format!("{long}a"));
        assert_eq!(check(&format!("{long}b"), &hash), Verdict::Mismatch);
        assert_eq!(check(&format!("{long}a"), &hash), Verdict::Match);
    }

    #[test]
    fn long_empty_and_nul_passwords_are_refused() {
        let refused = |typed: &str| Password::parse(typed).unwrap_err();
        assert_eq!(refused(&"x".repeat(1_000_000)), PasswordError::TooLong);
        assert_eq!(refused(&"x".repeat(MAX_BYTES + 1)), PasswordError::TooLong);
        // U+1D15E is four bytes, and eight in normal form.
        assert_eq!(refused(&"\u{1D15E}".repeat(200)), PasswordError::TooLong);
        assert_eq!(refused(""), PasswordError::Empty);
        assert_eq!(refused("pass\0word"), PasswordError::Nul);
    }

    #[test]
    fn a_hash_with_other_parameters_matches_and_is_made_anew() {
        // A test vector of the reference implementation, version 20190702: "password", "somesalt", 2 passes over 64 MiB.
        let elsewhere = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hash = PasswordHash::parse(elsewhere).unwrap();
        let mut memory = Memory::default();
        assert_eq!(verify(&password("password"), Some(&hash), &mut memory), Verdict::MatchRehash);
        assert_eq!(memory.held(), 0, "more memory than ours is given back");
        assert_eq!(verify(&password("Password"), Some(&hash), &mut memory), Verdict::Mismatch);
    }

    #[test]
    fn an_unknown_user_costs_the_same_memory_and_never_matches() {
        let mut memory = Memory::default();
        assert_eq!(verify(&password("whatever"), None, &mut memory), Verdict::Mismatch);
        assert_eq!(memory.held(), 19_456 * 1024);
    }

    #[test]
    fn hashes_that_cannot_be_checked_say_why() {
        let why = |text: &str| PasswordHash::parse(text).unwrap_err();
        for other in [
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
            "$pbkdf2-sha256$i=1$c2FsdHNhbHQ$aGFzaA",
            "$5$a$b",
        ] {
            assert_eq!(why(other), PasswordHashError::Unsupported, "{other}");
        }
        for bad in [
            "",
            "password",
            "$argon2id",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=18$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            assert_eq!(why(bad), PasswordHashError::Malformed, "{bad}");
        }
        let costly = "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(why(costly), PasswordHashError::TooCostly);
    }

    #[test]
    fn debug_shows_nothing() {
        let hash =
            PasswordHash::parse("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
                .unwrap();
        assert_eq!(format!("{hash:?} {:?}", password("hunter2")), "PasswordHash([redacted]) Password([redacted])");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\$argon2(id|i|d)(\\$v=[0-9]{1,3})?(\\$[mtp]=[0-9]{1,11}(,[mtp]=[0-9]{1,11}){0,3})?(\\$[A-Za-z0-9+/]{0,90}){0,3}|.{0,60}") {
            if let Ok(hash) = PasswordHash::parse(&text) {
                prop_assert_eq!(hash.expose(), text);
                prop_assert!(hash.argon2.params().m_cost() <= MAX_MEMORY_KIB);
            }
        }

        #[test]
        fn a_normal_form_is_its_own_normal_form(typed in "\\PC{1,60}") {
            let once = password(&typed);
            let twice = password(once.expose());
            prop_assert_eq!(twice.expose(), once.expose());
        }
    }
}
