# Was Menschen über ihr Konto erfahren: dort, und per E-Mail.
notices-title = Was passiert ist
notices-remove = Entfernen
notices-remove-about = Entfernen: { $title }
notice-when = { $date }, { $time } Uhr UTC
notice-place = Gefunden bei: { $place }

notice-signed-in-title = Neue Anmeldung
notice-signed-in-body = Jemand hat sich mit einem Browser an Ihrem Konto angemeldet, der dafür noch nicht benutzt wurde: { $device }, von { $address }.
notice-signed-in-advice = Wenn Sie das waren, ist nichts zu tun. Wenn nicht, melden Sie das Gerät ab und lassen Sie Ihr Passwort ändern.
notice-signed-in-link = Ansehen, wo Sie angemeldet sind

notice-token-made-title = Neues persönliches Zugriffstoken
notice-token-made-body = Das Token { $name } ({ $hint }…) wurde in Ihrem Konto erstellt, von { $address }.
notice-token-made-advice = Wenn Sie das nicht waren, widerrufen Sie es, melden Sie sich überall ab und lassen Sie Ihr Passwort ändern.
notice-token-made-link = Ihre Token ansehen

notice-token-rotated-title = Neues Geheimnis für eines Ihrer Token
notice-token-rotated-body = Das Token { $name } ({ $hint }…) hat in Ihrem Konto ein neues Geheimnis bekommen, von { $address }. Das bisherige gilt nur noch für kurze Zeit.
notice-token-rotated-advice = Wenn Sie das nicht waren, widerrufen Sie es, melden Sie sich überall ab und lassen Sie Ihr Passwort ändern.
notice-token-rotated-link = Ihre Token ansehen

notice-token-expires-title = Eines Ihrer Token läuft bald ab
notice-token-expires-body = Das Token { $name } ({ $hint }…) läuft am { $date } ab. Was es benutzt, geht dann nicht mehr.
notice-token-expires-advice = Geben Sie ihm ein neues Geheimnis, wo es noch gebraucht wird; sonst ist nichts zu tun.
notice-token-expires-link = Ihre Token ansehen

notice-token-leaked-title = Eines Ihrer Token wurde öffentlich gefunden
notice-token-leaked-body = Das Token { $name } ({ $hint }…) wurde an einem öffentlichen Ort gefunden. Es ist widerrufen und gilt nicht mehr.
notice-token-leaked-advice = Erstellen Sie ein neues, wo es noch gebraucht wird, und bewahren Sie es dort auf, wo andere es nicht lesen.
notice-token-leaked-link = Ihre Token ansehen

notice-token-used-elsewhere-title = Eines Ihrer Token wurde von einem neuen Ort benutzt
notice-token-used-elsewhere-body = Das Token { $name } ({ $hint }…) wurde von { $address } benutzt. Von dort war es noch nie benutzt worden.
notice-token-used-elsewhere-advice = Wenn Sie nicht wissen, warum, widerrufen Sie es. Sonst ist nichts zu tun.
notice-token-used-elsewhere-link = Ihre Token ansehen

notice-cookie-leaked-title = Eine Ihrer Anmeldungen wurde öffentlich gefunden
notice-cookie-leaked-body = Der Schlüssel zu einer Ihrer Anmeldungen wurde an einem öffentlichen Ort gefunden. Sie sind dort abgemeldet, und was Apps darin bekommen haben, gilt nicht mehr.
notice-cookie-leaked-advice = Vielleicht hat jemand Ihr Konto damit benutzt: sehen Sie Apps, Geräte und Token durch.
notice-cookie-leaked-link = Ansehen, wo Sie angemeldet sind

notice-app-token-leaked-title = Der Zugriff einer App auf Ihr Konto wurde öffentlich gefunden
notice-app-token-leaked-body = Ein Token, mit dem { $app } Zugriff auf Ihr Konto hatte, wurde an einem öffentlichen Ort gefunden. Es gilt nicht mehr.
notice-app-token-leaked-advice = Die App fragt Sie vielleicht noch einmal. Wenn Sie ihr nicht mehr trauen, entfernen Sie ihren Zugriff.
notice-app-token-leaked-link = Apps mit Zugriff ansehen

notice-password-changed-title = Ihr Passwort wurde geändert
notice-password-changed-body = Die Betreiber dieses Servers haben ein anderes Passwort für Ihr Konto gesetzt. Sie sind überall abgemeldet.
notice-password-changed-advice = Wenn Sie nicht wissen, warum, fragen Sie sie.
notice-password-changed-link = Ihr Konto ansehen

notice-sign-in-way-added-title = Neuer Weg, sich anzumelden
notice-sign-in-way-added-body = Ihr Konto lässt sich jetzt mit { $name } öffnen. Eingerichtet wurde das von { $address } aus.
notice-sign-in-way-added-advice = Wenn Sie es nicht waren, trennen Sie es, melden Sie sich überall ab und lassen Sie Ihr Passwort ändern.
notice-sign-in-way-added-link = Wege zur Anmeldung ansehen

notice-sign-in-way-removed-title = Weg zur Anmeldung getrennt
notice-sign-in-way-removed-body = Ihr Konto lässt sich nicht mehr mit { $name } öffnen. Getrennt wurde das von { $address } aus.
notice-sign-in-way-removed-advice = Wenn Sie es nicht waren, melden Sie sich auf einem anderen Weg an, dann überall ab, und lassen Sie Ihr Passwort ändern.
notice-sign-in-way-removed-link = Wege zur Anmeldung ansehen

notice-email-changed-title = Ihre E-Mail-Adresse wurde geändert
notice-email-changed-body = Die Betreiber dieses Servers haben die E-Mail-Adresse Ihres Kontos geändert. Vorher war es { $name }.
notice-email-changed-advice = Wenn Sie nicht wissen, warum, fragen Sie sie.
notice-email-changed-link = Ihr Konto ansehen

mail-footer = { $name } ({ $issuer }) schreibt Ihnen, weil diese Adresse zu Ihrem Konto dort gehört. Niemand, der dafür schreibt, fragt nach Ihrem Passwort.
