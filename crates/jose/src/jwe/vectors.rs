//! The examples of the standards: RFC 7516 §A, RFC 7518 §B and §C, RFC 8037 §A.6.

#![expect(clippy::unwrap_used, reason = "tests")]

use zeroize::Zeroizing;

use super::agreement::{Curve, Parties, Private, derive};
use super::algorithm::{ContentEncryption, KeyAlgorithm};
use super::content::{ContentKey, Sealed};
use super::{DecryptionKey, decrypt, wrap};
use crate::base64url;
use crate::jwk::Jwk;

fn key(algorithm: ContentEncryption, bytes: &[u8]) -> ContentKey {
    ContentKey::new(algorithm, Zeroizing::new(bytes.to_vec())).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|place| u8::from_str_radix(&text[place..place + 2], 16).unwrap()).collect()
}

/// The content of a token in compact serialization, by the key of the content.
fn open(algorithm: ContentEncryption, cek: &[u8], compact: &str) -> Zeroizing<Vec<u8>> {
    let parts: Vec<&str> = compact.split('.').collect();
    let part = |place: usize| base64url::decode(parts[place]).unwrap();
    let sealed = Sealed { iv: part(2), ciphertext: part(3), tag: part(4) };
    key(algorithm, cek).open(sealed, parts[0].as_bytes()).unwrap()
}

#[test]
fn the_content_of_rfc_7516_a_1_opens() {
    let cek = [
        177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246, 138, 7, 110, 91, 112, 46, 34, 105,
        47, 130, 203, 46, 122, 234, 64, 252,
    ];
    let compact = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ..48V1_ALb6US04U3b.\
                   5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A.\
                   XFBoMYUZodetZdvTiFvSkQ";
    let text = open(ContentEncryption::A256Gcm, &cek, compact);
    assert_eq!(&text[..], b"The true sign of intelligence is not knowledge but imagination.");
    let sealed = key(ContentEncryption::A256Gcm, &cek)
        .seal_gcm([227, 197, 117, 252, 2, 219, 233, 68, 180, 225, 77, 219], text.to_vec(), &compact.as_bytes()[..46])
        .unwrap();
    assert!(compact.ends_with(&base64url::encode(&sealed.tag)));
}

#[test]
fn the_key_and_the_content_of_rfc_7516_a_3_open() {
    let wrapping = base64url::decode("GawgguFyGrWKav7AX4VKUg").unwrap();
    let wrapped = base64url::decode("6KB707dM9YTIgHtLvtgWQ8mKwboJW3of9locizkDTHzBC2IlrT1oOQ").unwrap();
    let cek = wrap::unwrap(&wrapping, &wrapped).unwrap();
    assert_eq!(wrap::wrap(&wrapping, &cek).unwrap(), wrapped);
    let compact = "eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0..AxY8DCtDaGlsbGljb3RoZQ.\
                   KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY.U0m_YmjN04DJvceFICbCVQ";
    assert_eq!(&open(ContentEncryption::A128CbcHs256, &cek, compact)[..], b"Live long and prosper.");
}

#[test]
fn aes_cbc_with_hmac_is_that_of_rfc_7518_b() {
    let text =
        b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy \
                 without inconvenience";
    let iv = unhex("1af38c2dc2b96ffdd86694092341bc04").try_into().unwrap();
    let aad = b"The second principle of Auguste Kerckhoffs";
    let cases = [
        (ContentEncryption::A128CbcHs256, 32, "c80edfa32ddf39d5", "652c3fa36b0a7c5b3219fab3a30bc1c4"),
        (
            ContentEncryption::A256CbcHs512,
            64,
            "4affaaadb78c31c5",
            "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5",
        ),
    ];
    for (algorithm, length, begin, tag) in cases {
        let bytes: Vec<u8> = (0..length).collect();
        let key = key(algorithm, &bytes);
        let sealed = key.seal_cbc(&iv, text, aad).unwrap();
        assert_eq!((&sealed.ciphertext[..8], &sealed.tag), (&unhex(begin)[..], &unhex(tag)));
        assert_eq!(&key.open(sealed, aad).unwrap()[..], text);
    }
}

fn private(curve: Curve, d: &str) -> Private {
    Private::from_bytes(curve, &base64url::decode(d).unwrap()).unwrap()
}

#[test]
fn the_agreement_is_that_of_rfc_7518_c() {
    let alice = private(Curve::P256, "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
    let bob = private(Curve::P256, "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
    let jwk = serde_json::to_value(Jwk::bare(bob.public().unwrap())).unwrap();
    assert_eq!(jwk["y"], "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck");
    let secret = alice.agree(&bob.public().unwrap()).unwrap();
    assert_eq!(secret, bob.agree(&alice.public().unwrap()).unwrap());
    let parties = Parties { producer: b"Alice", recipient: b"Bob" };
    let agreed = derive(&secret, KeyAlgorithm::EcdhEs, ContentEncryption::A128Gcm, parties);
    assert_eq!(base64url::encode(&agreed), "VqqN6vgjbSBcIijNcacQGg");
}

#[test]
fn the_agreement_on_x25519_is_that_of_rfc_8037() {
    let ephemeral = unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let ephemeral = Private::from_bytes(Curve::X25519, &ephemeral).unwrap();
    let bob = r#"{"kty":"OKP","crv":"X25519","kid":"Bob","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#;
    let bob: Jwk = serde_json::from_str(bob).unwrap();
    let public = serde_json::to_value(Jwk::bare(ephemeral.public().unwrap())).unwrap();
    assert_eq!(public["x"], "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo");
    let secret = ephemeral.agree(&bob.material).unwrap();
    assert_eq!(secret[..], unhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")[..]);
}

/// A token that joserfc made for the key of RFC 7518 §C.
#[test]
fn apu_and_apv_of_another_are_part_of_the_key() {
    let d = base64url::decode("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw").unwrap();
    let bob = DecryptionKey::from_bytes(Curve::P256, &d).unwrap();
    let compact = APU_APV;
    assert_eq!(&decrypt(compact, &[&bob]).unwrap().plaintext[..], b"to Bob");
}

const APU_APV: &str = "eyJhbGciOiJFQ0RILUVTK0ExMjhLVyIsImVuYyI6IkExMjhDQkMtSFMyNTYiLCJhcHUiOiJRV3hwWTJVIiwiYXB2IjoiUW05aSIsImVwayI6eyJjcnYiOiJQLTI1NiIsIngiOiJ0YUlUXzRKbmZhdnRFT3FmZm1Bdkp4c2tBQ2xCQUpIM1pocTBxMlBTVHNFIiwieSI6IkFnSFlUVkZCdVl2MEQtdWZ4Z2NTellBdjFnMkNDUzRxVU1TdlpLYWtXZFEiLCJrdHkiOiJFQyJ9fQ.RUrYHTxJ7cSbX6YoQU48Aj8pudVgBTwOrBPGzbzvN7hFn8AfQrPMUg.rI2V0GyxT9fJo1SqK1QJgA.1f1KJfbSC2u6JpcQEnkk6g.gN-n47hXmw7AEGoZq3BtIA";
