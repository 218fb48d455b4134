# On the way into an app behind a proxy, where it does not go on.
enter-again = Open { $app } again
enter-account-title = You can’t open { $app }
enter-account-happened = { $app } is open to certain people only, and this account is not one of them.
enter-account-todo = If you have another account, use that. Otherwise ask your administrator.
enter-cookie-title = Your browser keeps no cookie for { $app }
enter-cookie-happened = To open { $app }, your browser must keep one cookie at its address. It did not.
enter-cookie-todo = Allow cookies there and open it again. If cookies are allowed, tell your administrator.
enter-method-title = { $app } asks for a stronger sign-in
enter-method-happened = You are signed in, but { $app } asks for a sign-in with more than you have shown.
enter-method-todo = Sign in again with what it asks for, or ask your administrator.
enter-network-title = You can’t open { $app } from here
enter-network-happened = { $app } is open to certain networks only, and you are in another one.
enter-network-todo = Connect to your organization’s network, then open it again. Otherwise ask your administrator.
enter-ticket-title = That took too long
enter-ticket-happened = You are signed in, but the way back to { $app } was not finished in time.
enter-ticket-todo = Nothing is lost. Open it again.
