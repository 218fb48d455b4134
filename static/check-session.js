// Tells the frame of an app whether the browser's state is still the one that the app was told (OpenID Connect Session Management).
"use strict";
const cookie = `${document.currentScript.dataset.cookie}=`;

// What the browser keeps; undefined where it keeps nothing.
function kept() {
  const pair = document.cookie.split("; ").find((pair) => pair.startsWith(cookie));
  return pair === undefined ? undefined : pair.slice(cookie.length);
}

async function hash(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
}

// Whether the browser keeps its cookies from this frame: then nothing can be said, and "changed" would have the app ask for ever.
async function isKeptAway() {
  return typeof document.hasStorageAccess === "function" && !(await document.hasStorageAccess());
}

// "The OP iframe MUST recalculate it from the previously obtained Client ID, the source origin URL (from the postMessage), and the
// current OP User Agent state." (OIDC Session Management §3.2)
async function answer(data, origin) {
  const said = typeof data === "string" ? /^(.+) ([\w-]{43})\.([\w-]{22})$/.exec(data) : null;
  if (said === null) return "error";
  const [, client, state, salt] = said;
  const now = kept();
  if (now === undefined && (await isKeptAway())) return "error";
  // "If the received value and the calculated value do not match, then the OP iframe MUST postMessage the string "changed" back to
  // the source. If it matched, then it MUST postMessage the string "unchanged"." (OIDC Session Management §3.2)
  return (await hash(`${client} ${origin} ${now ?? ""} ${salt}`)) === state ? "unchanged" : "changed";
}

window.addEventListener("message", async (event) => {
  // "The OP iframe MUST enforce that the caller is from an expected origin." (OIDC Session Management §3.2): the origin is hashed,
  // and no other one was ever told this state. A page without an origin was told none.
  if (event.source === null || event.source === window || event.origin === "null") return;
  event.source.postMessage(await answer(event.data, event.origin), event.origin);
});
