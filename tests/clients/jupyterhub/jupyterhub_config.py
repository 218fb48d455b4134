# JupyterHub behind its proxy, with OAuthenticator's generic authenticator. What differs from one run to the next comes from the
# environment.

import os
from urllib.parse import urlencode

ISSUER = os.environ["ISSUER"]

c = get_config()  # noqa: F821: JupyterHub defines it

c.JupyterHub.bind_url = os.environ["BIND_URL"]
c.JupyterHub.hub_bind_url = os.environ["HUB_URL"]
c.JupyterHub.log_level = "WARN"
c.JupyterHub.default_url = "/hub/home"
# It runs beside the hub; their secret is CONFIGPROXY_AUTH_TOKEN.
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = os.environ["PROXY_API_URL"]
# No server is started for anybody.
c.JupyterHub.spawner_class = "simple"

c.JupyterHub.authenticator_class = "generic-oauth"
c.OAuthenticator.client_id = os.environ["CLIENT_ID"]
c.OAuthenticator.client_secret = os.environ["CLIENT_SECRET"]
c.OAuthenticator.authorize_url = f"{ISSUER}/authorize"
c.OAuthenticator.token_url = f"{ISSUER}/token"
c.OAuthenticator.userdata_url = f"{ISSUER}/userinfo"
c.OAuthenticator.oauth_callback_url = os.environ["REDIRECT_URI"]
c.OAuthenticator.scope = ["openid", "profile", "groups"]
c.OAuthenticator.basic_auth = True
c.OAuthenticator.username_claim = "preferred_username"
out = {"client_id": os.environ["CLIENT_ID"], "post_logout_redirect_uri": os.environ["POST_LOGOUT_REDIRECT_URI"]}
c.OAuthenticator.logout_redirect_url = f"{ISSUER}/end-session?{urlencode(out)}"

# Who may enter, and who rules there, the server's groups say.
c.OAuthenticator.manage_groups = True
c.OAuthenticator.auth_state_groups_key = "oauth_user.groups"
c.OAuthenticator.allowed_groups = {"engineering"}
c.OAuthenticator.admin_groups = {"admins"}

# What is known of a person is asked again after a second, with the refresh token where the access token has ended.
c.Authenticator.enable_auth_state = True
c.Authenticator.auth_refresh_age = 1
c.CryptKeeper.keys = [os.urandom(32)]

# The program that drives all this looks at what the hub keeps.
c.JupyterHub.services = [{"name": "driver", "api_token": os.environ["API_TOKEN"]}]
c.JupyterHub.load_roles = [{"name": "driver", "scopes": ["read:users", "admin:auth_state"], "services": ["driver"]}]
