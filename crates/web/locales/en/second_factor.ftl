# The second half of a sign-in.
code-title = Enter your code
code-title-recovery = Enter a recovery code
code-for-app = { $app } asks for a second proof that it is you
code-label = Code
code-label-recovery = Recovery code
code-hint = The six digits that your authenticator app shows now.
code-hint-recovery = One of the codes that you kept when you set up your app. Each works once.
code-button = Go on
code-use-recovery = Use a recovery code
code-use-app = Use the app’s code
code-decline = Go on without a code
code-deny = Don’t go on
code-wrong = That is not the code, or it was used before. Wait for the next one and try again.
code-twice = This code was used already. Wait for the next one.
code-incomplete = Enter the code.
code-expired = This page was open for a long time. Start again.

# More is needed.
more-title = One more step
more-lead = { $app } asks for a safer sign-in than yours
more-set-up-why = With an authenticator app on your phone, you sign in with your password and a code. Set it up once; then you come back here.
more-set-up-why-no-password = With an authenticator app on your phone, you give a code when you have signed in. Set it up once; then you come back here.
more-set-up = Set up an authenticator app
more-by-password = Sign in with your password
more-decline = Go on without
more-nothing = There is no way to sign in here that is safe enough for this app.
more-deny = Back to { $app }

# In the account.
factor-title = Authenticator app
factor-on = A code is asked for when you sign in with your password.
factor-off = Your password alone is enough to sign in.
factor-on-no-password = A code is asked for where an app asks for more than your sign-in.
factor-off-no-password = With an authenticator app, you can use apps that ask for more than your sign-in.
factor-set-up = Set up
factor-change = Change
factor-lead = An authenticator app shows a new code every half minute. Whoever learns your password can’t sign in without it.
factor-lead-no-password = An authenticator app shows a new code every half minute. With it, you can use apps that ask for more than your sign-in.
factor-sign-in = To set up an authenticator app, sign in once more: with your password, or in a way that tells when you signed in. If you have neither, ask the people who run this server.
factor-step-app = Install an authenticator app on your phone, if you have none.
factor-step-key = Add an account in the app: scan the picture, or type the key. On your phone, open this link:
factor-link = Open in the app
factor-step-code = Enter the code that the app shows.
factor-picture = The key as a picture, to scan with the app
factor-key = Key:
factor-confirm = Confirm
factor-cancel = Cancel
factor-kept = In use since
factor-left = { $count ->
    [0] No recovery codes are left. Make new ones.
    [one] One recovery code is left. Make new ones.
   *[other] { $count } recovery codes are left.
}
factor-code-label = Code
factor-code-hint = The six digits that your app shows now, or a recovery code.
factor-renew = Make new recovery codes
factor-remove = Remove the app
factor-sessions = See where you are signed in
recovery-title = Recovery codes
recovery-added = Your authenticator app is set up. From now on, a code is asked for when you sign in with your password.
recovery-added-no-password = Your authenticator app is set up. A code is asked for where an app asks for more than your sign-in.
recovery-once = These codes are shown only now. Keep them where you find them without your phone.
recovery-use = Each of them works once, in the place of a code from the app.
recovery-done = I have kept them

# Notices.
notice-second-factor-added-title = Authenticator app set up
notice-second-factor-added-body = An authenticator app was set up for your account, from { $address }.
notice-second-factor-added-advice = If it was not you, have your password changed and the app removed.
notice-second-factor-added-link = See your authenticator app
notice-second-factor-removed-title = Authenticator app removed
notice-second-factor-removed-body = The authenticator app of your account was removed, from { $address }. No code is asked for any more.
notice-second-factor-removed-advice = If it was not you, have your password changed and set up an app again.
notice-second-factor-removed-link = Set up an authenticator app
notice-second-factor-reset-title = Authenticator app removed
notice-second-factor-reset-body = The people who run this server removed the authenticator app of your account. You were signed out everywhere.
notice-second-factor-reset-advice = Set up an app again. If you did not ask for this, tell them.
notice-second-factor-reset-link = Set up an authenticator app
notice-recovery-code-used-title = Recovery code used
notice-recovery-code-used-body = { $count ->
    [one] A recovery code was used for your account, from { $address }. One is left.
   *[other] A recovery code was used for your account, from { $address }. { $count } are left.
}
notice-recovery-code-used-advice = If it was not you, have your password changed and make new recovery codes.
notice-recovery-code-used-link = Make new recovery codes
notice-recovery-codes-made-title = New recovery codes made
notice-recovery-codes-made-body = New recovery codes were made for your account, from { $address }. Those before count no more.
notice-recovery-codes-made-advice = If it was not you, have your password changed and make new recovery codes.
notice-recovery-codes-made-link = Make new recovery codes
notice-codes-guessed-title = Somebody tries codes
notice-codes-guessed-body = Ten wrong codes were given for your account, the last one from { $address }. Whoever gave them knows your password, or uses a browser in which you are signed in. From now on, each further try has to wait.
notice-codes-guessed-advice = If it was not you, have your password changed.
notice-codes-guessed-link = See where you are signed in
