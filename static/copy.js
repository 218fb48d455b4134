// Copies a token. The page works without it: the button only appears when this has run.
"use strict";
const button = document.getElementById("copy");
const field = document.getElementById("token");
if (button && field) {
  field.addEventListener("focus", () => field.select());
  if (navigator.clipboard) {
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(field.value).then(() => {
        button.textContent = button.dataset.done;
      });
    });
    button.hidden = false;
  }
}
