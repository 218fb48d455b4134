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

# Making an account.
sign-in-new-here = New here?
sign-in-sign-up = Create an account
sign-up-title = Create an account
sign-up-button = Create account
sign-up-have = Have an account?
sign-up-password-hint = { $count } characters or more are best. A few words that don’t belong together are easy to remember.
sign-up-incomplete = Choose a username and a password.
sign-up-name = Choose a username of at most 128 letters, digits and signs.
sign-up-name-is-address = Choose a username without @. An email address can’t be used as one here.
sign-up-name-taken = Somebody has that username. Choose another one.
sign-up-password = That password can’t be used. Choose one of ordinary characters, at most 1,024 bytes long.
password-common = This is one of the most used passwords. Choose one that nobody tries first.
password-guessable = This password is easy to guess. Choose a longer one, such as a few words that don’t belong together.
password-is-issuer-host = The password can’t be the name of this site. Choose another one.
password-is-product-name = The password can’t be the name of this site. Choose another one.
password-is-username = The password can’t be the username. Choose another one.
password-too-short = The password needs at least { $count } characters. Choose a longer one.
