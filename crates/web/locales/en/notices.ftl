# What people are told of their account: there, and by e-mail.
notices-title = What happened
notices-remove = Remove
notices-remove-about = Remove: { $title }
notice-when = { $date }, { $time } UTC
notice-place = Found at: { $place }

notice-signed-in-title = New sign-in
notice-signed-in-body = Somebody signed in to your account with a browser that had not been used for it before: { $device }, from { $address }.
notice-signed-in-advice = If it was you, there is nothing to do. If it was not, sign that device out, and have your password changed.
notice-signed-in-link = See where you’re signed in

notice-token-made-title = New personal access token
notice-token-made-body = The token { $name } ({ $hint }…) was made in your account, from { $address }.
notice-token-made-advice = If it was not you, revoke it, sign out everywhere, and have your password changed.
notice-token-made-link = See your tokens

notice-token-rotated-title = New secret for a token of yours
notice-token-rotated-body = The token { $name } ({ $hint }…) was given a new secret in your account, from { $address }. The secret before works for a short time only.
notice-token-rotated-advice = If it was not you, revoke it, sign out everywhere, and have your password changed.
notice-token-rotated-link = See your tokens

notice-token-expires-title = A token of yours expires soon
notice-token-expires-body = The token { $name } ({ $hint }…) expires on { $date }. What uses it stops working then.
notice-token-expires-advice = Give it a new secret where it is still needed; else there is nothing to do.
notice-token-expires-link = See your tokens

notice-token-leaked-title = A token of yours was found in public
notice-token-leaked-body = The token { $name } ({ $hint }…) was found in a public place. It is revoked, and no longer works.
notice-token-leaked-advice = Make another one where it is still needed, and keep it where others can’t read it.
notice-token-leaked-link = See your tokens

notice-token-used-elsewhere-title = A token of yours was used from a new place
notice-token-used-elsewhere-body = The token { $name } ({ $hint }…) was used from { $address }. It had not been used from there before.
notice-token-used-elsewhere-advice = If you don’t know why, revoke it. If you do, there is nothing to do.
notice-token-used-elsewhere-link = See your tokens

notice-cookie-leaked-title = A sign-in of yours was found in public
notice-cookie-leaked-body = The key to one of your sign-ins was found in a public place. You are signed out there, and what apps were given in it has ended.
notice-cookie-leaked-advice = Somebody may have used your account with it: look through your apps, devices and tokens.
notice-cookie-leaked-link = See where you’re signed in

notice-app-token-leaked-title = An app’s access to your account was found in public
notice-app-token-leaked-body = A token that gave { $app } access to your account was found in a public place. It no longer works.
notice-app-token-leaked-advice = The app may ask you again. If you no longer trust it, remove its access.
notice-app-token-leaked-link = See apps with access

notice-password-changed-title = Your password was changed
notice-password-changed-body = The people who run this server set another password for your account. You are signed out everywhere.
notice-password-changed-advice = If you don’t know why, ask them.
notice-password-changed-link = See your account

notice-sign-in-way-added-title = New way to sign in
notice-sign-in-way-added-body = Your account can now be signed in to with { $name }. This was set up from { $address }.
notice-sign-in-way-added-advice = If it was not you, disconnect it, sign out everywhere, and have your password changed.
notice-sign-in-way-added-link = See ways to sign in

notice-sign-in-way-removed-title = Way to sign in unlinked
notice-sign-in-way-removed-body = Your account can no longer be signed in to with { $name }. This was done from { $address }.
notice-sign-in-way-removed-advice = If it was not you, sign in another way, sign out everywhere, and have your password changed.
notice-sign-in-way-removed-link = See ways to sign in

notice-email-changed-title = Your e-mail address was changed
notice-email-changed-body = The people who run this server changed the e-mail address of your account. Before, it was { $name }.
notice-email-changed-advice = If you don’t know why, ask them.
notice-email-changed-link = See your account

mail-footer = { $name } ({ $issuer }) writes to you because this address belongs to your account there. Nobody who writes for it asks for your password.
