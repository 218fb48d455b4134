# Who asks for what.
consent-title = { $app } wants access to your account
consent-host = { $host }
consent-answer-host = The answer goes to { $host }
consent-known-administrator = Added by your administrator
consent-known-owner = Verified owner of { $host }
consent-known-nobody = Registered itself. Nobody has checked that it is what it says.
app-unchecked = This app registered itself, and nobody has checked it.
consent-signed-in = Signed in as { $name }
consent-change = Not you?
consent-legend = The app will be able to
consent-nothing = { $app } only asks that you are signed in here. It sees nothing else.
consent-new = New
consent-required = Needed for the app to work
consent-lasts-signed-in = This lasts while you are signed in here, { $span } at most.
consent-lasts-unused = This lasts until you take it back, or until the app has not used it for { $span }.
consent-next = Then you go back to { $app }.
consent-take-back = You can take access back at any time in your account, under “Apps with access”.
consent-allow = Allow { $app }
consent-deny = Don’t allow

# The sentences of the scopes that every server has. They follow "The app will be able to".
scope-account-tokens = Make access tokens in your name for APIs, give them new secrets, and revoke them
scope-address = See your postal address
scope-email = See your e-mail address
scope-groups = See which groups you belong to
scope-offline-access = Do this when you are not here
scope-openid = Know that it is you
scope-phone = See your phone number
scope-profile = See your name, picture and profile
