# Das Konto: Übersicht, Apps, Sitzungen.
account-title = Ihr Konto
account-profile = Sie
account-sign-out = Abmelden
account-sign-out-all = { $count ->
    [one] { $count } Konto abmelden
   *[other] Alle { $count } Konten abmelden
}
account-switch = Konto wechseln
account-apps-none = Keine App hat Zugriff auf Ihr Konto.
account-apps-count = { $count ->
    [one] { $count } App hat Zugriff auf Ihr Konto.
   *[other] { $count } Apps haben Zugriff auf Ihr Konto.
}
account-apps-link = Apps ansehen und Zugriff zurücknehmen
account-sessions-count = { $count ->
    [one] Sie sind nur auf diesem Gerät angemeldet.
   *[other] Sie sind auf { $count } Geräten oder in { $count } Browsern angemeldet.
}
account-sessions-link = Geräte ansehen und abmelden

apps-title = Apps mit Zugriff
apps-lead = Diese Apps können Ihr Konto nutzen. Entfernen Sie, was Sie nicht mehr brauchen.
apps-none = Keine App hat Zugriff auf Ihr Konto.
apps-none-hint = Sobald Sie eine erlauben, steht sie hier.
apps-removed = { $app } hat keinen Zugriff mehr auf Ihr Konto.
apps-search = App suchen
apps-search-button = Suchen
apps-found = { $count ->
    [one] { $count } App gefunden.
   *[other] { $count } Apps gefunden.
}
apps-not-found = Keine App hier passt zu { $search }.
apps-show-all = Alle Apps zeigen
apps-since = Seit
apps-last-used = zuletzt genutzt
apps-never-used = noch nicht genutzt
apps-offline = Hat auch Zugriff, wenn Sie nicht da sind
used-count = { $count ->
    [one] Einmal genutzt in den letzten 30 Tagen
   *[other] { $count }-mal genutzt in den letzten 30 Tagen
}
used-count-lately = { $count ->
    [one] In letzter Zeit einmal genutzt
   *[other] In letzter Zeit { $count }-mal genutzt
}
used-at = Bei: { $apis }
used-from = Von: { $networks }
apps-details = Was { $app } kann:
apps-open = Öffnen
apps-open-app = { $app } öffnen
apps-remove = Zugriff entfernen
apps-remove-app = Zugriff entfernen für { $app }

remove-title = Zugriff für { $app } entfernen?
remove-stops = { $app } kann dann nicht mehr:
remove-keeps = Es kann einige Minuten dauern, bis { $app } es merkt. Was Sie in der App gespeichert haben, bleibt dort. Sie können den Zugriff später wieder erlauben.
remove-keep = Zugriff behalten

sessions-title = Wo Sie angemeldet sind
sessions-lead = Melden Sie sich ab, wo Sie das Gerät nicht erkennen oder nicht mehr nutzen.
sessions-this = Dieses Gerät
sessions-others = Andere Geräte
sessions-none = Sie sind sonst nirgends angemeldet.
sessions-last-seen = Zuletzt genutzt
sessions-apps = Angemeldet bei
sessions-sign-out-here = Hier abmelden
sessions-sign-out-device = Abmelden auf { $device }
sessions-sign-out-others = { $count ->
    [one] Auf dem anderen Gerät abmelden
   *[other] Auf allen { $count } anderen abmelden
}
sessions-ended = { $count ->
    [one] Sie sind auf { $count } Gerät abgemeldet.
   *[other] Sie sind auf { $count } Geräten abgemeldet.
}
sessions-unknown-hint = Wenn Sie eines nicht erkennen, melden Sie es ab und sagen Sie den Betreibern Bescheid.
sessions-everywhere = Überall
sessions-everywhere-lead = Meldet Sie auf allen Geräten ab, auch auf diesem, und in den Apps, bei denen Sie dort angemeldet sind.
sessions-sign-out-everywhere = Überall abmelden
receipts-title = Apps, die Bescheid wissen
receipts-lead = Wenn Sie sich abmelden, werden diese Apps gebeten, Sie auch bei sich abzumelden. Was daraus wurde, bleibt 30 Tage stehen.
receipts-when = Ihre Anmeldung endete
receipt-done = Abgemeldet
receipt-trying = Wird benachrichtigt
receipt-failed = Nicht erreicht. Melden Sie sich dort selbst ab
