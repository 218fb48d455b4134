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

# Ein Konto anlegen.
sign-in-new-here = Neu hier?
sign-in-sign-up = Konto anlegen
sign-up-title = Konto anlegen
sign-up-button = Konto anlegen
sign-up-have = Sie haben ein Konto?
sign-up-password-hint = Am besten { $count } Zeichen oder mehr. Ein paar Wörter, die nicht zusammengehören, merkt man sich leicht.
sign-up-incomplete = Wählen Sie einen Benutzernamen und ein Passwort.
sign-up-name = Wählen Sie einen Benutzernamen aus höchstens 128 Buchstaben, Ziffern und Zeichen.
sign-up-name-is-address = Wählen Sie einen Benutzernamen ohne @. Eine E-Mail-Adresse kann hier keiner sein.
sign-up-name-taken = Diesen Benutzernamen hat schon jemand. Wählen Sie einen anderen.
sign-up-password = Dieses Passwort geht nicht. Wählen Sie eines aus gewöhnlichen Zeichen mit höchstens 1024 Bytes.
password-common = Das ist eines der häufigsten Passwörter. Wählen Sie eines, das niemand zuerst versucht.
password-guessable = Dieses Passwort ist leicht zu erraten. Wählen Sie ein längeres, etwa ein paar Wörter, die nicht zusammengehören.
password-is-issuer-host = Das Passwort kann nicht der Name dieser Seite sein. Wählen Sie ein anderes.
password-is-product-name = Das Passwort kann nicht der Name dieser Seite sein. Wählen Sie ein anderes.
password-is-username = Das Passwort kann nicht der Benutzername sein. Wählen Sie ein anderes.
password-too-short = Das Passwort braucht mindestens { $count } Zeichen. Wählen Sie ein längeres.
