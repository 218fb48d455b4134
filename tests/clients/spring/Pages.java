package app;

import java.util.Map;

import org.springframework.security.core.Authentication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizedClientRepository;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

/** What the app and the APIs show of who asks. */
@RestController
class Pages {
    private final OAuth2AuthorizedClientRepository authorized;
    private final OAuth2AuthorizedClientManager refreshing;

    Pages(OAuth2AuthorizedClientRepository authorized, OAuth2AuthorizedClientManager refreshing) {
        this.authorized = authorized;
        this.refreshing = refreshing;
    }

    @GetMapping("/me")
    Map<String, Object> me(@AuthenticationPrincipal OidcUser user) {
        return Map.of("name", user.getName(), "claims", user.getClaims(), "id_token", user.getIdToken().getTokenValue());
    }

    @GetMapping("/tokens")
    Map<String, Object> tokens(Authentication person, HttpServletRequest request) {
        return shown(authorized.loadAuthorizedClient("grantor", person, request));
    }

    @GetMapping("/refreshed")
    Map<String, Object> refreshed(Authentication person, HttpServletRequest request, HttpServletResponse response) {
        return shown(refreshing.authorize(OAuth2AuthorizeRequest.withClientRegistrationId("grantor")
                .principal(person)
                .attribute(HttpServletRequest.class.getName(), request)
                .attribute(HttpServletResponse.class.getName(), response)
                .build()));
    }

    @GetMapping({"/reading/notes", "/asking/notes"})
    Map<String, Object> notes(Authentication caller) {
        return Map.of("of", caller.getName());
    }

    @GetMapping("/out")
    String out() {
        return "Goodbye";
    }

    private static Map<String, Object> shown(OAuth2AuthorizedClient client) {
        return Map.of(
                "access_token", client.getAccessToken().getTokenValue(),
                "refresh_token", client.getRefreshToken().getTokenValue());
    }
}
