# Signing in and choosing an account.
sign-in-title = Sign in
sign-in-title-app = Sign in to { $app }
sign-in-to-continue = to continue to { $app }
sign-in-username = Username
sign-in-password = Password
sign-in-button = Sign in
sign-in-show = Show
sign-in-show-long = Show password
sign-in-wrong = That username and password don’t match. Check both and try again.
sign-in-incomplete = Enter your username and your password.
sign-in-network = You can’t sign in from this network. Use one that is allowed for your account, or ask whoever looks after it.
sign-in-throttled = Too many tries. Wait { $span }, then try again.
sign-in-expired = This page was open for a long time. Enter your password again.
sign-in-busy = Many people are signing in right now. Try again in a moment.
select-title = Choose an account
select-continue = Continue as { $name }
select-another = Use another account
