// Tells the frame of an app whether the browser's state is still the one that the app was told (OpenID Connect Session Management).
// Written for browsers of any age, also such as have no hash function of their own.
"use strict";
var cookie = document.currentScript.dataset.cookie + "=";

// The longest message that is read, in characters; those of apps are shorter.
var LONGEST = 4096;

// What the browser keeps; null where it keeps nothing.
function kept() {
  var pairs = document.cookie.split("; ");
  for (var i = 0; i < pairs.length; i++) {
    if (pairs[i].indexOf(cookie) === 0) return pairs[i].slice(cookie.length);
  }
  return null;
}

// The constants of SHA-256: the first bits of what the roots of the first primes have behind the point.
function fractions(count, root) {
  var found = [];
  for (var n = 2; found.length < count; n++) {
    var prime = true;
    for (var d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (prime) found.push(((Math.pow(n, root) % 1) * 0x100000000) | 0);
  }
  return found;
}
var ROUNDS = fractions(64, 1 / 3);
var START = fractions(8, 1 / 2);

function turned(word, by) {
  return (word >>> by) | (word << (32 - by));
}

// One block of 64 bytes onto a state of eight words (FIPS 180-4 §6.2).
function stirred(state, bytes, at) {
  var words = [];
  var s = state.slice();
  for (var i = 0; i < 64; i++) {
    if (i < 16) {
      var j = at + 4 * i;
      words[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3];
    } else {
      var a = words[i - 15];
      var b = words[i - 2];
      var low = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
      words[i] = (words[i - 16] + low + words[i - 7] + (turned(b, 17) ^ turned(b, 19) ^ (b >>> 10))) | 0;
    }
    var choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
    var one = (s[7] + (turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25)) + choice + ROUNDS[i] + words[i]) | 0;
    var most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    var two = ((turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22)) + most) | 0;
    s = [(one + two) | 0, s[0], s[1], s[2], (s[3] + one) | 0, s[4], s[5], s[6]];
  }
  return state.map(function (word, i) {
    return (word + s[i]) | 0;
  });
}

// The SHA-256 of a text, in base64url.
function hash(text) {
  var bytes = unescape(encodeURIComponent(text)).split("").map(function (c) {
    return c.charCodeAt(0);
  });
  var bits = bytes.length * 8;
  bytes.push(0x80);
  while (bytes.length % 64 !== 56) bytes.push(0);
  bytes.push(0, 0, 0, 0, bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255);
  var state = START;
  for (var at = 0; at < bytes.length; at += 64) state = stirred(state, bytes, at);
  var octets = state.map(function (word) {
    return String.fromCharCode(word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255);
  });
  return btoa(octets.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace("=", "");
}

// "The OP iframe MUST recalculate it from the previously obtained Client ID, the source origin URL (from the postMessage), and the
// current OP User Agent state." (OIDC Session Management §3.2)
function answer(said, origin, now) {
  // "If the received value and the calculated value do not match, then the OP iframe MUST postMessage the string "changed" back to
  // the source. If it matched, then it MUST postMessage the string "unchanged"." (OIDC Session Management §3.2)
  var hashed;
  try {
    hashed = hash(said[1] + " " + origin + " " + (now || "") + " " + said[3]);
  } catch (error) {
    // Half a letter has no bytes: such a client identifier is none.
    return "error";
  }
  return hashed === said[2] ? "unchanged" : "changed";
}

window.addEventListener("message", function (event) {
  // "The OP iframe MUST enforce that the caller is from an expected origin." (OIDC Session Management §3.2): the origin is hashed,
  // and no other one was ever told this state. A page without an origin was told none.
  var source = event.source;
  var origin = event.origin;
  if (source === null || source === window || origin === "null") return;
  function tell(what) {
    source.postMessage(what, origin);
  }
  // "If the postMessage received is syntactically malformed in such a way that the posted Client ID and origin URL cannot be determined
  // or are syntactically invalid, then the OP iframe SHOULD postMessage the string "error" back to the source."
  // (OIDC Session Management §3.2)
  var isRead = typeof event.data === "string" && event.data.length <= LONGEST;
  var said = isRead ? /^(.+) ([\w-]{43})\.([\w-]{22})$/.exec(event.data) : null;
  if (said === null) return tell("error");
  var now = kept();
  if (now !== null || typeof document.hasStorageAccess !== "function") return tell(answer(said, origin, now));
  // Where the browser keeps its cookies from this frame, nothing can be said, and "changed" would have the app ask for ever.
  document.hasStorageAccess().then(function (has) {
    tell(has ? answer(said, origin, null) : "error");
  });
});
