# The account: tokens of the person's own.
tokens-title = Your tokens
tokens-lead = With a token, a script or a tool can use an API in your name. Make one for each, and revoke what you no longer use.
tokens-make = Make a token
tokens-none = You have no tokens.
tokens-none-hint = Make one for a script that has to work when you are not here.
tokens-not-offered = No API here takes tokens that people make themselves. Ask the people who run this server.
tokens-until = Until
tokens-expired = Expired
tokens-expired-on = Expired
tokens-ended = Revoked
tokens-ended-on = Ended
tokens-leaked = Found in public
tokens-api = For { $api } only
tokens-unused = { $days ->
    [one] not used in the last day
   *[other] not used in the last { $days } days
}
tokens-networks = Only from { $networks }
tokens-details = What { $name } may do:
tokens-no-rights = Allows nothing any more: what it was made for is no longer yours to give.
tokens-rotate = New secret
tokens-rotate-name = New secret for { $name }
tokens-revoke = Revoke
tokens-revoke-name = Revoke { $name }
tokens-revoked = { $name } is revoked. Whatever still uses it is refused.
token-cancel = Cancel
token-back = Back to your tokens

token-new-title = Make a token
token-new-lead = Whoever has the token can do in your name what you tick here. Tick only what the script needs.
token-new-name = Name
token-new-name-hint = What uses it, so that you recognise it later. For example: “Backup on the office server”.
token-new-legend = What it may do with { $api }
token-new-only = Where it works
token-new-any-api = With everything ticked
token-new-expires = Expires after
token-new-networks = Only from these networks (optional)
token-new-networks-hint = One or more, such as 192.0.2.0/24 or 2001:db8::/32. Empty: from anywhere.
token-new-button = Make token
token-new-expired = This form was open for too long or was sent before. Here is a new one; check it and send it again.
token-new-lifetime = A token cannot live that long here. Choose from the list.
token-new-name-problem = Give the token a name of at most 80 characters.
token-new-networks-problem = A network is written like 192.0.2.0/24 or 2001:db8::/32, with spaces between several, at most 32.
token-new-no-scopes = Tick at least one thing that the token may do.
token-new-scopes = You cannot give all of what is ticked, or it does not fit the one API that you chose.
token-new-too-many = You have as many tokens as one person may have. Revoke one first.

token-made-title = { $name } is ready
token-made-once = Copy the token now. It is not shown again, and nobody can look it up for you.
token-made-label = Your token
token-made-copy = Copy
token-made-copied = Copied
token-made-replaced = The secret before still works until
token-made-use = Send it to the API as
token-made-done = I have copied it

token-revoke-title = Revoke { $name }?
token-revoke-text = Whatever uses the token is refused from then on, at once. This cannot be undone; you can make another one.
token-keep = Keep token
token-rotate-title = New secret for { $name }?
token-rotate-text = You get a new token to put where the old one is. The old one still works for { $span }, so that nothing stops meanwhile.
token-rotate-life = The new one lives for { $span } again.

account-tokens-count = { $count ->
    [0] You have no tokens for scripts.
    [one] { $count } token works in your name.
   *[other] { $count } tokens work in your name.
}
account-tokens-link = See your tokens
