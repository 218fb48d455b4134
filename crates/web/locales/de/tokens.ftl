# Das Konto: eigene Tokens.
tokens-title = Ihre Tokens
tokens-lead = Mit einem Token kann ein Skript oder Werkzeug eine Schnittstelle in Ihrem Namen nutzen. Machen Sie für jedes ein eigenes, und widerrufen Sie, was Sie nicht mehr brauchen.
tokens-make = Token erstellen
tokens-none = Sie haben keine Tokens.
tokens-none-hint = Erstellen Sie eines für ein Skript, das auch arbeiten soll, wenn Sie nicht da sind.
tokens-not-offered = Keine Schnittstelle hier nimmt selbst erstellte Tokens. Fragen Sie die Betreiber dieses Servers.
tokens-until = Bis
tokens-expired = Abgelaufen
tokens-expired-on = Abgelaufen
tokens-ended = Widerrufen
tokens-ended-on = Beendet
tokens-leaked = Öffentlich gefunden
tokens-api = Nur für { $api }
tokens-unused = { $days ->
    [one] am letzten Tag nicht genutzt
   *[other] in den letzten { $days } Tagen nicht genutzt
}
tokens-networks = Nur aus { $networks }
tokens-details = Was { $name } kann:
tokens-no-rights = Erlaubt nichts mehr: Was es tun sollte, dürfen Sie selbst nicht mehr.
tokens-rotate = Neues Geheimnis
tokens-rotate-name = Neues Geheimnis für { $name }
tokens-revoke = Widerrufen
tokens-revoke-name = { $name } widerrufen
tokens-revoked = { $name } ist widerrufen. Was es noch benutzt, wird abgewiesen.
token-cancel = Abbrechen
token-back = Zurück zu Ihren Tokens

token-new-title = Token erstellen
token-new-lead = Wer das Token hat, kann in Ihrem Namen tun, was Sie hier ankreuzen. Kreuzen Sie nur an, was das Skript braucht.
token-new-name = Name
token-new-name-hint = Was es benutzt, damit Sie es später erkennen. Zum Beispiel: „Sicherung auf dem Bürorechner“.
token-new-legend = Was es mit { $api } tun darf
token-new-only = Wo es gilt
token-new-any-api = Bei allem, was angekreuzt ist
token-new-expires = Gilt für
token-new-networks = Nur aus diesen Netzen (freiwillig)
token-new-networks-hint = Eines oder mehrere, etwa 192.0.2.0/24 oder 2001:db8::/32. Leer: von überall.
token-new-button = Token erstellen
token-new-expired = Dieses Formular war zu lange offen oder wurde schon gesendet. Hier ist ein neues; prüfen Sie es und senden Sie es noch einmal.
token-new-lifetime = So lange darf ein Token hier nicht gelten. Wählen Sie aus der Liste.
token-new-name-problem = Geben Sie dem Token einen Namen mit höchstens 80 Zeichen.
token-new-networks-problem = Ein Netz wird wie 192.0.2.0/24 oder 2001:db8::/32 geschrieben, mehrere mit Leerzeichen dazwischen, höchstens 32.
token-new-no-scopes = Kreuzen Sie mindestens eines an, was das Token tun darf.
token-new-scopes = Nicht alles Angekreuzte dürfen Sie vergeben, oder es passt nicht zu der einen Schnittstelle, die Sie gewählt haben.
token-new-too-many = Sie haben so viele Tokens, wie eine Person haben darf. Widerrufen Sie erst eines.

token-made-title = { $name } ist fertig
token-made-once = Kopieren Sie das Token jetzt. Es wird nicht noch einmal gezeigt, und niemand kann es für Sie nachsehen.
token-made-label = Ihr Token
token-made-copy = Kopieren
token-made-copied = Kopiert
token-made-replaced = Das bisherige Geheimnis gilt noch bis
token-made-use = Senden Sie es der Schnittstelle als
token-made-done = Ich habe es kopiert

token-revoke-title = { $name } widerrufen?
token-revoke-text = Was das Token benutzt, wird ab dann sofort abgewiesen. Das lässt sich nicht rückgängig machen; Sie können ein neues erstellen.
token-keep = Token behalten
token-rotate-title = Neues Geheimnis für { $name }?
token-rotate-text = Sie bekommen ein neues Token, das Sie an die Stelle des alten setzen. Das alte gilt noch { $span } lang, damit inzwischen nichts stehen bleibt.
token-rotate-life = Das neue gilt wieder { $span } lang.

account-tokens-count = { $count ->
    [0] Sie haben keine Tokens für Skripte.
    [one] { $count } Token arbeitet in Ihrem Namen.
   *[other] { $count } Tokens arbeiten in Ihrem Namen.
}
account-tokens-link = Ihre Tokens ansehen
