"""What joserfc makes of encrypted and signed tokens: its own for Grantor, and those of Grantor for it.

`keys` prints private keys, each for what others do to it. `exchange` reads a JSON text of Grantor's public keys and tokens from
standard input, fails at the first that it cannot read, and prints tokens of its own. `read` prints what is in encrypted tokens.
"""

import json
import sys

from joserfc import jwe, jws
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

SIGNATURES = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "ES384": lambda: ECKey.generate_key("P-384"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
}


def keys():
    """Private keys: to encrypt to, and to sign with."""
    encryption = [
        ECKey.generate_key("P-256"),
        ECKey.generate_key("P-384"),
        OKPKey.generate_key("X25519"),
        RSAKey.generate_key(2048),
    ]
    signature = {alg: make() for alg, make in SIGNATURES.items()}
    both = lambda key: {"private": key.as_dict(private=True), "public": key.as_dict(private=False)}
    return {
        "encryption": [both(key) for key in encryption],
        "signature": {alg: both(key) for alg, key in signature.items()},
    }


def exchange(given):
    """Reads Grantor's tokens with these keys, and makes tokens for Grantor's."""
    for case in given["encrypted"]:
        key = JWKRegistry.import_key(case["key"])
        read = jwe.decrypt_compact(case["token"], key, algorithms=[case["alg"], case["enc"]])
        assert read.plaintext.decode() == case["text"], case
        assert (read.protected["alg"], read.protected["enc"]) == (case["alg"], case["enc"]), case
    for case in given["signed"]:
        key = JWKRegistry.import_key(case["key"])
        read = jws.deserialize_compact(case["token"], key, algorithms=[case["alg"]])
        assert json.loads(read.payload) == case["claims"], case
    encrypted = []
    for case in given["encrypt"]:
        header = {"alg": case["alg"], "enc": case["enc"], "kid": case["key"]["kid"], "cty": "JWT"}
        key = JWKRegistry.import_key(case["key"])
        encrypted.append(jwe.encrypt_compact(header, case["text"].encode(), key, algorithms=[case["alg"], case["enc"]]))
    signed = []
    for case in given["sign"]:
        key = JWKRegistry.import_key(case["key"])
        signed.append(jws.serialize_compact({"alg": case["alg"]}, case["text"].encode(), key, algorithms=[case["alg"]]))
    return {"encrypted": encrypted, "signed": signed}


def read(given):
    """The contents of encrypted tokens, and what is said of each."""
    contents = []
    for case in given:
        key = JWKRegistry.import_key(case["key"])
        content = jwe.decrypt_compact(case["token"], key, algorithms=[case["alg"], case["enc"]])
        contents.append({"header": content.protected, "text": content.plaintext.decode()})
    return contents


COMMANDS = {"keys": lambda _: keys(), "exchange": exchange, "read": read}
print(json.dumps(COMMANDS[sys.argv[1]](json.load(sys.stdin))))
