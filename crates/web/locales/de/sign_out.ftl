# Abmelden, und der Weg zurück zu einer App.
end-title = Abmelden?
end-asked-by = { $app } möchte Sie abmelden
end-happens = Sie werden hier abgemeldet und in den Apps, bei denen Sie sich auf diesem Gerät mit diesem Konto angemeldet haben.
end-stay = Angemeldet bleiben
signed-out-title = Sie sind abgemeldet
signed-out-here = Ihre Anmeldung bei { $issuer } auf diesem Gerät ist beendet.
signed-out-ended = Abgemeldet sind Sie auch bei:
signed-out-unreached = Diese Apps haben wir nicht erreicht. Melden Sie sich dort selbst ab:
signed-out-shared = An einem gemeinsam genutzten Computer schließen Sie auch alle Browserfenster.
signed-out-back = Zurück zu { $app }
signed-out-again = Wieder anmelden
signed-out-going-on = Es geht gleich zurück zu { $app }.
signed-out-frame = Eine App, die Sie abmeldet
form-post-title = Weiter zu { $app }
form-post-lead = Es geht zurück zu { $host }. Wenn nichts passiert, nutzen Sie den Knopf.
form-post-button = Weiter
