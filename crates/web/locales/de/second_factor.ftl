# Die zweite Hälfte einer Anmeldung.
code-title = Geben Sie Ihren Code ein
code-title-recovery = Geben Sie einen Ersatzcode ein
code-for-app = { $app } möchte noch einmal wissen, dass Sie es sind
code-label = Code
code-label-recovery = Ersatzcode
code-hint = Die sechs Ziffern, die Ihre Authenticator-App gerade zeigt.
code-hint-recovery = Einer der Codes, die Sie beim Einrichten der App aufgehoben haben. Jeder gilt einmal.
code-button = Weiter
code-use-recovery = Ersatzcode verwenden
code-use-app = Code aus der App verwenden
code-decline = Ohne Code weiter
code-deny = Nicht weiter
code-wrong = Das ist nicht der Code, oder er wurde schon benutzt. Warten Sie auf den nächsten und versuchen Sie es noch einmal.
code-twice = Dieser Code wurde schon benutzt. Warten Sie auf den nächsten.
code-incomplete = Geben Sie den Code ein.
code-expired = Diese Seite war lange offen. Fangen Sie noch einmal an.

# Mehr ist nötig.
more-title = Noch ein Schritt
more-lead = { $app } verlangt eine sicherere Anmeldung als Ihre
more-set-up-why = Mit einer Authenticator-App auf dem Telefon melden Sie sich mit Passwort und Code an. Richten Sie sie einmal ein; danach kommen Sie hierher zurück.
more-set-up-why-no-password = Mit einer Authenticator-App auf dem Telefon geben Sie nach der Anmeldung einen Code ein. Richten Sie sie einmal ein; danach kommen Sie hierher zurück.
more-set-up = Authenticator-App einrichten
more-by-password = Mit dem Passwort anmelden
more-decline = Ohne weiter
more-nothing = Hier gibt es keine Anmeldung, die dieser App sicher genug ist.
more-deny = Zurück zu { $app }

# Im Konto.
factor-title = Authenticator-App
factor-on = Wenn Sie sich mit dem Passwort anmelden, wird nach einem Code gefragt.
factor-off = Zum Anmelden reicht Ihr Passwort.
factor-on-no-password = Wo eine App mehr als Ihre Anmeldung verlangt, wird nach einem Code gefragt.
factor-off-no-password = Mit einer Authenticator-App können Sie Apps benutzen, die mehr als Ihre Anmeldung verlangen.
factor-set-up = Einrichten
factor-change = Ändern
factor-lead = Eine Authenticator-App zeigt jede halbe Minute einen neuen Code. Wer Ihr Passwort erfährt, kommt ohne ihn nicht herein.
factor-lead-no-password = Eine Authenticator-App zeigt jede halbe Minute einen neuen Code. Mit ihr können Sie Apps benutzen, die mehr als Ihre Anmeldung verlangen.
factor-sign-in = Um eine Authenticator-App einzurichten, melden Sie sich noch einmal an: mit Ihrem Passwort, oder auf einem Weg, der sagt, wann Sie sich angemeldet haben. Wenn Sie beides nicht haben, fragen Sie die Betreiber dieses Servers.
factor-step-app = Installieren Sie eine Authenticator-App auf Ihrem Telefon, wenn Sie noch keine haben.
factor-step-key = Legen Sie in der App ein Konto an: Scannen Sie das Bild, oder tippen Sie den Schlüssel ein. Auf dem Telefon öffnen Sie diesen Link:
factor-link = In der App öffnen
factor-step-code = Geben Sie den Code ein, den die App zeigt.
factor-picture = Der Schlüssel als Bild, zum Scannen mit der App
factor-key = Schlüssel:
factor-confirm = Bestätigen
factor-cancel = Abbrechen
factor-kept = In Gebrauch seit
factor-left = { $count ->
    [0] Es sind keine Ersatzcodes übrig. Machen Sie neue.
    [one] Ein Ersatzcode ist übrig. Machen Sie neue.
   *[other] { $count } Ersatzcodes sind übrig.
}
factor-code-label = Code
factor-code-hint = Die sechs Ziffern, die Ihre App gerade zeigt, oder ein Ersatzcode.
factor-renew = Neue Ersatzcodes machen
factor-remove = App entfernen
factor-sessions = Ansehen, wo Sie angemeldet sind
recovery-title = Ersatzcodes
recovery-added = Ihre Authenticator-App ist eingerichtet. Ab jetzt wird nach einem Code gefragt, wenn Sie sich mit dem Passwort anmelden.
recovery-added-no-password = Ihre Authenticator-App ist eingerichtet. Wo eine App mehr als Ihre Anmeldung verlangt, wird nach einem Code gefragt.
recovery-once = Diese Codes werden nur jetzt gezeigt. Heben Sie sie dort auf, wo Sie sie auch ohne Telefon finden.
recovery-use = Jeder gilt einmal, anstelle eines Codes aus der App.
recovery-done = Ich habe sie aufgehoben

# Nachrichten.
notice-second-factor-added-title = Authenticator-App eingerichtet
notice-second-factor-added-body = Für Ihr Konto wurde von { $address } aus eine Authenticator-App eingerichtet.
notice-second-factor-added-advice = Wenn Sie es nicht waren, lassen Sie Ihr Passwort ändern und die App entfernen.
notice-second-factor-added-link = Authenticator-App ansehen
notice-second-factor-removed-title = Authenticator-App entfernt
notice-second-factor-removed-body = Die Authenticator-App Ihres Kontos wurde von { $address } aus entfernt. Nach einem Code wird nicht mehr gefragt.
notice-second-factor-removed-advice = Wenn Sie es nicht waren, lassen Sie Ihr Passwort ändern und richten Sie wieder eine App ein.
notice-second-factor-removed-link = Authenticator-App einrichten
notice-second-factor-reset-title = Authenticator-App entfernt
notice-second-factor-reset-body = Die Betreiber dieses Servers haben die Authenticator-App Ihres Kontos entfernt. Sie wurden überall abgemeldet.
notice-second-factor-reset-advice = Richten Sie wieder eine App ein. Wenn Sie nicht darum gebeten haben, sagen Sie es ihnen.
notice-second-factor-reset-link = Authenticator-App einrichten
notice-recovery-code-used-title = Ersatzcode benutzt
notice-recovery-code-used-body = { $count ->
    [one] Für Ihr Konto wurde von { $address } aus ein Ersatzcode benutzt. Einer ist übrig.
   *[other] Für Ihr Konto wurde von { $address } aus ein Ersatzcode benutzt. { $count } sind übrig.
}
notice-recovery-code-used-advice = Wenn Sie es nicht waren, lassen Sie Ihr Passwort ändern und machen Sie neue Ersatzcodes.
notice-recovery-code-used-link = Neue Ersatzcodes machen
notice-recovery-codes-made-title = Neue Ersatzcodes gemacht
notice-recovery-codes-made-body = Für Ihr Konto wurden von { $address } aus neue Ersatzcodes gemacht. Die vorigen gelten nicht mehr.
notice-recovery-codes-made-advice = Wenn Sie es nicht waren, lassen Sie Ihr Passwort ändern und machen Sie neue Ersatzcodes.
notice-recovery-codes-made-link = Neue Ersatzcodes machen
notice-codes-guessed-title = Jemand probiert Codes
notice-codes-guessed-body = Für Ihr Konto wurden zehn falsche Codes eingegeben, der letzte von { $address } aus. Wer sie eingab, kennt Ihr Passwort oder benutzt einen Browser, in dem Sie angemeldet sind. Ab jetzt muss jeder weitere Versuch warten.
notice-codes-guessed-advice = Wenn Sie es nicht waren, lassen Sie Ihr Passwort ändern.
notice-codes-guessed-link = Ansehen, wo Sie angemeldet sind
