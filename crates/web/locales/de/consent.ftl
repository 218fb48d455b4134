# Wer um was bittet.
consent-title = { $app } möchte auf Ihr Konto zugreifen
consent-host = { $host }
consent-answer-host = Die Antwort geht an { $host }
consent-known-administrator = Von Ihrer Administration hinzugefügt
consent-known-owner = Geprüft: Inhaber von { $host }
consent-known-nobody = Hat sich selbst eingetragen. Niemand hat geprüft, ob sie ist, was sie sagt.
app-unchecked = Diese App hat sich selbst eingetragen, und niemand hat sie geprüft.
consent-signed-in = Angemeldet als { $name }
consent-change = Nicht Sie?
consent-legend = Die App kann dann
consent-nothing = { $app } möchte nur, dass Sie hier angemeldet sind. Mehr sieht die App nicht.
consent-new = Neu
consent-required = Ohne das funktioniert die App nicht
consent-lasts-signed-in = Das gilt, solange Sie hier angemeldet sind, höchstens { $span }.
consent-lasts-unused = Das gilt, bis Sie es zurücknehmen oder die App es { $span } nicht genutzt hat.
consent-next = Danach geht es zurück zu { $app }.
consent-take-back = Den Zugriff können Sie jederzeit in Ihrem Konto unter „Apps mit Zugriff“ zurücknehmen.
consent-allow = { $app } erlauben
consent-deny = Nicht erlauben

# Die Sätze für das, was jeder Server kennt. Sie folgen auf „Die App kann dann“.
scope-account-tokens = In Ihrem Namen Tokens für Schnittstellen erstellen, erneuern und widerrufen
scope-address = Ihre Postanschrift sehen
scope-email = Ihre E-Mail-Adresse sehen
scope-groups = Sehen, zu welchen Gruppen Sie gehören
scope-offline-access = Das auch tun, wenn Sie nicht da sind
scope-openid = Wissen, dass Sie es sind
scope-phone = Ihre Telefonnummer sehen
scope-profile = Ihren Namen, Ihr Bild und Ihr Profil sehen
