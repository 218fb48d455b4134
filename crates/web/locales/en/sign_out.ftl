# Signing out, and the way back to an app.
end-title = Sign out?
end-asked-by = { $app } asks to sign you out
end-happens = You are signed out here and in the apps you signed in to with this account on this device.
end-stay = Stay signed in
signed-out-title = You are signed out
signed-out-here = Your sign-in at { $issuer } on this device has ended.
signed-out-ended = You are also signed out of:
signed-out-unreached = We could not reach these apps. Sign out there yourself:
signed-out-shared = On a shared computer, close all browser windows, too.
signed-out-back = Back to { $app }
signed-out-again = Sign in again
signed-out-going-on = You are taken back to { $app } in a moment.
signed-out-frame = An app that signs you out
form-post-title = Continue to { $app }
form-post-lead = You are being taken back to { $host }. If nothing happens, use the button.
form-post-button = Continue
