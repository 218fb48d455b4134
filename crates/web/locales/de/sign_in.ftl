# Anmelden und ein Konto wählen.
sign-in-title = Anmelden
sign-in-title-app = Bei { $app } anmelden
sign-in-to-continue = weiter zu { $app }
sign-in-username = Benutzername
sign-in-password = Passwort
sign-in-button = Anmelden
sign-in-show = Zeigen
sign-in-show-long = Passwort zeigen
sign-in-wrong = Benutzername und Passwort passen nicht zusammen. Prüfen Sie beides und versuchen Sie es noch einmal.
sign-in-incomplete = Geben Sie Ihren Benutzernamen und Ihr Passwort ein.
sign-in-network = Von diesem Netz aus können Sie sich nicht anmelden. Nutzen Sie eines, das für Ihr Konto zugelassen ist, oder fragen Sie, wer es betreut.
sign-in-throttled = Zu viele Versuche. Warten Sie { $span } und versuchen Sie es dann noch einmal.
sign-in-expired = Diese Seite war lange offen. Geben Sie Ihr Passwort noch einmal ein.
sign-in-busy = Gerade melden sich viele Menschen an. Versuchen Sie es gleich noch einmal.
select-title = Konto wählen
select-continue = Weiter als { $name }
select-another = Anderes Konto verwenden
