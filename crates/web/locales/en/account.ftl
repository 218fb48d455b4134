# The account: overview, apps, sessions.
account-title = Your account
account-profile = You
account-sign-out = Sign out
account-sign-out-all = { $count ->
    [one] Sign out of { $count } account
   *[other] Sign out of all { $count } accounts
}
account-switch = Switch account
account-apps-none = No app has access to your account.
account-apps-count = { $count ->
    [one] { $count } app has access to your account.
   *[other] { $count } apps have access to your account.
}
account-apps-link = See apps and take access back
account-sessions-count = { $count ->
    [one] You are signed in on this device only.
   *[other] You are signed in on { $count } devices or browsers.
}
account-sessions-link = See devices and sign out

apps-title = Apps with access
apps-lead = These apps can use your account. Remove those you no longer use.
apps-none = No app has access to your account.
apps-none-hint = When you allow one, it shows up here.
apps-removed = { $app } no longer has access to your account.
apps-search = Look for an app
apps-search-button = Look
apps-found = { $count ->
    [one] { $count } app found.
   *[other] { $count } apps found.
}
apps-not-found = No app here matches { $search }.
apps-show-all = Show all apps
apps-since = Since
apps-last-used = last used
apps-never-used = not used yet
apps-offline = Has access when you are not here, too
used-count = { $count ->
    [one] Used once in the last 30 days
   *[other] Used { $count } times in the last 30 days
}
used-count-lately = { $count ->
    [one] Used once lately
   *[other] Used { $count } times lately
}
used-at = At: { $apis }
used-from = From: { $networks }
apps-details = What { $app } may do:
apps-open = Open
apps-open-app = Open { $app }
apps-remove = Remove access
apps-remove-app = Remove access for { $app }

remove-title = Remove access for { $app }?
remove-stops = { $app } can then no longer:
remove-keeps = It may take a few minutes until { $app } notices. What you have saved in the app stays there. You can allow it again later.
remove-keep = Keep access

sessions-title = Where you’re signed in
sessions-lead = Sign out where you don’t recognise the device, or no longer use it.
sessions-this = This device
sessions-others = Other devices
sessions-none = You are not signed in anywhere else.
sessions-last-seen = Last used
sessions-apps = Signed in to
sessions-sign-out-here = Sign out here
sessions-sign-out-device = Sign out on { $device }
sessions-sign-out-others = { $count ->
    [one] Sign out on the other device
   *[other] Sign out on all { $count } others
}
sessions-ended = { $count ->
    [one] You are signed out on { $count } device.
   *[other] You are signed out on { $count } devices.
}
sessions-unknown-hint = If you don’t recognise one, sign it out and tell the people who run this server.
sessions-everywhere = Everywhere
sessions-everywhere-lead = Signs you out on all devices, this one included, and in the apps that you signed in to there.
sessions-sign-out-everywhere = Sign out everywhere
receipts-title = Apps that were told
receipts-lead = When you sign out, these apps are asked to sign you out, too. What happened is kept for 30 days.
receipts-when = your sign-in ended
receipt-done = Signed out
receipt-trying = Being told
receipt-failed = Could not be told. Sign out there yourself
