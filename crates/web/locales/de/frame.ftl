# Was um jede Seite herum steht.
frame-skip = Zum Inhalt springen
frame-signed-in-as = Angemeldet als
frame-nav = Ihr Konto
frame-languages = Sprache
error-title = Fehler: { $title }
nav-account = Übersicht
nav-apps = Apps
nav-tokens = Tokens
nav-sessions = Geräte
case-number = Fallnummer
from-place = von { $place }
device-browser-system = { $browser } auf { $system }
device-unknown = Unbekanntes Gerät
home-page = Willkommen
home-title = Ihr Konto bei { $issuer }
home-lead = Ein Konto für die Apps, die Sie hier nutzen. Sehen Sie, wo Sie angemeldet sind und welche Apps Zugriff haben, und nehmen Sie ihn jederzeit zurück.
home-account = Ihr Konto
