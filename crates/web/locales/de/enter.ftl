# Auf dem Weg in eine App hinter einem Proxy, wenn es nicht weitergeht.
enter-again = { $app } noch einmal öffnen
enter-account-title = Sie können { $app } nicht öffnen
enter-account-happened = { $app } ist nur für bestimmte Personen offen, und dieses Konto gehört nicht dazu.
enter-account-todo = Wenn Sie ein anderes Konto haben, nehmen Sie das. Fragen Sie sonst Ihre Administration.
enter-cookie-title = Ihr Browser behält kein Cookie für { $app }
enter-cookie-happened = Um { $app } zu öffnen, muss Ihr Browser an dieser Adresse ein Cookie behalten. Das hat er nicht.
enter-cookie-todo = Erlauben Sie dort Cookies und öffnen Sie die App noch einmal. Wenn Cookies erlaubt sind, sagen Sie es Ihrer Administration.
enter-method-title = { $app } verlangt eine stärkere Anmeldung
enter-method-happened = Sie sind angemeldet, aber { $app } verlangt eine Anmeldung mit mehr, als Sie gezeigt haben.
enter-method-todo = Melden Sie sich noch einmal mit dem an, was verlangt wird, oder fragen Sie Ihre Administration.
enter-network-title = Von hier aus können Sie { $app } nicht öffnen
enter-network-happened = { $app } ist nur für bestimmte Netze offen, und Sie sind in einem anderen.
enter-network-todo = Verbinden Sie sich mit dem Netz Ihrer Organisation und öffnen Sie die App noch einmal. Fragen Sie sonst Ihre Administration.
enter-ticket-title = Das hat zu lange gedauert
enter-ticket-happened = Sie sind angemeldet, aber der Weg zurück zu { $app } wurde nicht rechtzeitig zu Ende gegangen.
enter-ticket-todo = Es ist nichts verloren. Öffnen Sie die App noch einmal.
