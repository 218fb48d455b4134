// Goes on to the app as soon as the frames that sign the person out have loaded, or after a few seconds. The page works without it:
// its link does the same.
"use strict";
const link = document.getElementById("back");
if (link) {
  const going = document.getElementById("going-on");
  if (going) going.hidden = false;
  const go = () => window.location.replace(link.href);
  if (document.readyState === "complete") go();
  window.addEventListener("load", go, { once: true });
  window.setTimeout(go, 5000);
}
