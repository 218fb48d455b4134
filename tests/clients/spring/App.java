package app;

import java.time.Duration;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.core.annotation.Order;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientProviderBuilder;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizedClientRepository;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.server.resource.introspection.OpaqueTokenIntrospector;
import org.springframework.security.oauth2.server.resource.introspection.SpringOpaqueTokenIntrospector;
import org.springframework.security.web.SecurityFilterChain;

/** How people sign in at the app, and how two APIs look at tokens: one reads them itself, the other asks the server. */
@SpringBootApplication(proxyBeanMethods = false)
public class App {
    public static void main(String[] arguments) {
        SpringApplication.run(App.class, arguments);
    }

    @Bean
    @Order(1)
    SecurityFilterChain reading(HttpSecurity http, JwtDecoder decoder) throws Exception {
        return http.securityMatcher("/reading/**")
                .authorizeHttpRequests(requests -> requests.anyRequest().hasAuthority("SCOPE_notes.read"))
                .oauth2ResourceServer(api -> api.jwt(jwt -> jwt.decoder(decoder)))
                .build();
    }

    @Bean
    @Order(2)
    SecurityFilterChain asking(HttpSecurity http, OpaqueTokenIntrospector introspector) throws Exception {
        return http.securityMatcher("/asking/**")
                .authorizeHttpRequests(requests -> requests.anyRequest().hasAuthority("SCOPE_notes.read"))
                .oauth2ResourceServer(api -> api.opaqueToken(opaque -> opaque.introspector(introspector)))
                .build();
    }

    @Bean
    SecurityFilterChain signingIn(HttpSecurity http, ClientRegistrationRepository clients, @Value("${app.out}") String out) throws Exception {
        var goodbye = new OidcClientInitiatedLogoutSuccessHandler(clients);
        goodbye.setPostLogoutRedirectUri(out);
        return http.authorizeHttpRequests(requests -> requests.requestMatchers("/out").permitAll().anyRequest().authenticated())
                .oauth2Login(login -> {})
                .logout(logout -> logout.logoutSuccessHandler(goodbye))
                .build();
    }

    /** Access tokens as RFC 9068 has them, for this API. */
    @Bean
    JwtDecoder decoder(@Value("${app.issuer}") String issuer, @Value("${app.client}") String client, @Value("${app.api}") String api) {
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withIssuerLocation(issuer).build();
        decoder.setJwtValidator(JwtValidators.createAtJwtValidator().issuer(issuer).audience(api).clientId(client).build());
        return decoder;
    }

    @Bean
    OpaqueTokenIntrospector introspector(
            @Value("${app.issuer}") String issuer, @Value("${app.api-client}") String client, @Value("${app.api-secret}") String secret) {
        return SpringOpaqueTokenIntrospector.withIntrospectionUri(issuer + "/introspect").clientId(client).clientSecret(secret).build();
    }

    /** To it every access token has expired already: it refreshes each time that it is asked. */
    @Bean
    OAuth2AuthorizedClientManager refreshing(ClientRegistrationRepository clients, OAuth2AuthorizedClientRepository authorized) {
        var manager = new DefaultOAuth2AuthorizedClientManager(clients, authorized);
        var year = Duration.ofDays(365);
        manager.setAuthorizedClientProvider(OAuth2AuthorizedClientProviderBuilder.builder()
                .refreshToken(refresh -> refresh.clockSkew(year))
                .build());
        return manager;
    }
}
