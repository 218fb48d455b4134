// Shows and hides the password. The page works without it: the button only appears when this has run.
"use strict";
const button = document.getElementById("show-password");
const field = document.getElementById("password");
if (button && field) {
  const show = (on) => {
    field.type = on ? "text" : "password";
    button.setAttribute("aria-pressed", String(on));
  };
  button.setAttribute("aria-label", button.dataset.label);
  button.addEventListener("click", () => show(field.type === "password"));
  // Sent as a password again, so that the browser offers to keep it and does not remember it as plain text.
  field.form.addEventListener("submit", () => show(false));
  button.hidden = false;
}
