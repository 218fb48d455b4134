//! Encrypted tokens: anybody can write one to a public key of ours.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::jwe::{
    Content, ContentEncryption, Curve, DecryptionKey, KeyAlgorithm, MAX_ENCRYPTED, Recipient, decrypt, encrypt,
};
use grantor_jose::random::Random;

use super::mutation::Grammar;
use super::parser::Parser;

const TEXT: &[u8] = b"the claims of somebody";

/// A key of ours on each curve.
static KEYS: LazyLock<Vec<DecryptionKey>> = LazyLock::new(|| {
    Curve::ALL.iter().map(|curve| DecryptionKey::generate(*curve, &Random::seeded(1)).unwrap()).collect()
});

/// A token as it is mutated: its header in the clear, and all that follows.
fn example(key: &DecryptionKey, algorithm: KeyAlgorithm, encryption: ContentEncryption) -> Vec<u8> {
    let recipient = Recipient { algorithm, encryption, key: key.jwk() };
    let token = encrypt(TEXT, Content::Claims, &recipient, &Random::seeded(2)).unwrap();
    let (header, rest) = token.split_once('.').unwrap();
    [&URL_SAFE_NO_PAD.decode(header).unwrap()[..], b"\n", rest.as_bytes()].concat()
}

#[test]
fn an_encrypted_token_is_decrypted_or_refused() {
    let ways = KeyAlgorithm::TO_US.iter().flat_map(|one| ContentEncryption::ALL.iter().map(move |two| (*one, *two)));
    let examples: Vec<Vec<u8>> =
        ways.zip(KEYS.iter().cycle()).map(|((one, two), key)| example(key, one, two)).collect();
    let grammar = Grammar {
        examples: &examples,
        words: &[
            "\"alg\":\"ECDH-ES\"",
            "\"alg\":\"dir\"",
            "\"enc\":\"A256GCM\"",
            "\"zip\":\"DEF\"",
            "\"crit\":[]",
            "\"apu\":\"QQ\"",
            "\"apv\":\"Qg\"",
            "\"p2c\":2147483647",
            "\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
            "\"kid\":null",
            ".",
            "\n",
            "AAAA",
            ",",
        ],
        brackets: &[("{\"epk\":", "}"), ("[", "]"), (".", ".")],
        longest: MAX_ENCRYPTED + 1_000,
    };
    let keys: Vec<&DecryptionKey> = KEYS.iter().collect();
    let token = |input: &[u8]| {
        let (header, rest) = input.split_at(input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len()));
        let rest = String::from_utf8_lossy(rest.get(1..).unwrap_or_default()).into_owned();
        format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
    };
    let read = |input: &[u8]| drop(decrypt(&token(input), &keys));
    // Who changes one without its key changes nothing of what it holds.
    let check = |input: &[u8]| {
        assert!(decrypt(&token(input), &keys).map_or(true, |decrypted| *decrypted.plaintext == TEXT));
    };
    Parser { name: "encrypted tokens", share: 10, grammar, read: &read, check: &check }.run();
}
