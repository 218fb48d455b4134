package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// An app built on golang.org/x/oauth2 and go-oidc.
type app struct {
	person   *Person
	provider *oidc.Provider
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	token    *oauth2.Token
	idToken  *oidc.IDToken
	// The ID token as it was sent.
	signedIDToken string
}

func (a *app) discovers(ctx context.Context) (err error) {
	issuer := os.Getenv("ISSUER")
	if a.person, err = newPerson(issuer, os.Getenv("USERNAME"), os.Getenv("PASSWORD")); err != nil {
		return err
	}
	if a.provider, err = oidc.NewProvider(ctx, issuer); err != nil {
		return err
	}
	a.config = oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		Endpoint:     a.provider.Endpoint(),
		RedirectURL:  os.Getenv("REDIRECT_URI"),
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email"},
	}
	a.verifier = a.provider.Verifier(&oidc.Config{ClientID: a.config.ClientID})
	return nil
}

// Asks for a code, and returns the answer that reaches the app.
func (a *app) authorize(decision string, options ...oauth2.AuthCodeOption) (url.Values, error) {
	state := oauth2.GenerateVerifier()
	answer, err := a.person.Walk(a.config.AuthCodeURL(state, options...), decision)
	if err != nil {
		return nil, err
	}
	query := answer.Query()
	if !strings.HasPrefix(answer.String(), a.config.RedirectURL+"?") || query.Get("state") != state {
		return nil, fmt.Errorf("not the answer to this request: %s", answer)
	}
	return query, nil
}

// Asks for a code with PKCE and a nonce, redeems it, and believes nothing that it has not checked.
func (a *app) redeem(ctx context.Context, options ...oauth2.AuthCodeOption) error {
	verifier, nonce := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	asked := append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce)}, options...)
	answer, err := a.authorize("allow", asked...)
	if err != nil {
		return err
	}
	if a.token, err = a.config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier)); err != nil {
		return err
	}
	if err := a.verify(ctx); err != nil {
		return err
	}
	if a.idToken.Nonce != nonce {
		return errNonce
	}
	return nil
}

var errNonce = errors.New("the ID token has another nonce")

func (a *app) verify(ctx context.Context) (err error) {
	a.signedIDToken, _ = a.token.Extra("id_token").(string)
	if a.idToken, err = a.verifier.Verify(ctx, a.signedIDToken); err != nil {
		return err
	}
	return a.idToken.VerifyAccessToken(a.token.AccessToken)
}

func (a *app) signsIn(ctx context.Context) error {
	if err := a.redeem(ctx, oauth2.SetAuthURLParam("prompt", "consent")); err != nil {
		return err
	}
	return a.sawPages("sign-in", "consent")
}

func (a *app) learnsWhoItIs(ctx context.Context) error {
	info, err := a.provider.UserInfo(ctx, oauth2.StaticTokenSource(a.token))
	if err != nil {
		return err
	}
	var claims struct {
		PreferredUsername string `json:"preferred_username"`
	}
	if err := info.Claims(&claims); err != nil {
		return err
	}
	if info.Subject != a.idToken.Subject || claims.PreferredUsername != os.Getenv("USERNAME") || info.Email == "" {
		return fmt.Errorf("another person: %+v, %+v", info, claims)
	}
	return nil
}

// A token source refreshes by itself, here on the way to userinfo.
func (a *app) refreshes(ctx context.Context) (err error) {
	old := *a.token
	old.Expiry = time.Now()
	source := a.config.TokenSource(ctx, &old)
	if _, err = a.provider.UserInfo(ctx, source); err != nil {
		return err
	}
	if a.token, err = source.Token(); err != nil {
		return err
	}
	if a.token.AccessToken == old.AccessToken || a.token.RefreshToken == old.RefreshToken {
		return errors.New("a refresh brings new tokens")
	}
	return a.verify(ctx)
}

func (a *app) comesBackWithoutBeingAsked(ctx context.Context) error {
	if err := a.redeem(ctx); err != nil {
		return err
	}
	return a.sawPages()
}

func (a *app) signsOut(ctx context.Context) error {
	var metadata struct {
		EndSessionEndpoint string `json:"end_session_endpoint"`
	}
	if err := a.provider.Claims(&metadata); err != nil {
		return err
	}
	out := os.Getenv("POST_LOGOUT_REDIRECT_URI")
	asked := url.Values{"id_token_hint": {a.signedIDToken}, "post_logout_redirect_uri": {out}, "state": {"bye"}}
	back, err := a.person.Walk(metadata.EndSessionEndpoint+"?"+asked.Encode(), "allow")
	if err != nil {
		return err
	}
	if back.String() != out+"?state=bye" {
		return fmt.Errorf("back at %s", back)
	}
	_, err = a.config.TokenSource(ctx, &oauth2.Token{RefreshToken: a.token.RefreshToken}).Token()
	return refusedWith("invalid_grant", err)
}

func (a *app) signsInAgain(ctx context.Context) error {
	if err := a.redeem(ctx); err != nil {
		return err
	}
	return a.sawPages("sign-in")
}

func (a *app) isRefusedWithAnotherVerifier(ctx context.Context) error {
	answer, err := a.authorize("allow", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	if err != nil {
		return err
	}
	_, err = a.config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier()))
	return refusedWith("invalid_grant", err)
}

func (a *app) seesAnIDTokenForAnotherRequest(ctx context.Context) error {
	if err := a.redeem(ctx, oidc.Nonce("of another request")); err != errNonce {
		return fmt.Errorf("refused for its nonce, not: %w", err)
	}
	return nil
}

func (a *app) hearsThatItIsDenied(context.Context) error {
	verifier := oauth2.GenerateVerifier()
	answer, err := a.authorize("deny", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "consent"))
	if err != nil {
		return err
	}
	if answer.Get("error") != "access_denied" || answer.Has("code") {
		return fmt.Errorf("access_denied, not %v", answer)
	}
	return nil
}

func (a *app) sawPages(expected ...string) error {
	if !slices.Equal(a.person.Pages, expected) {
		return fmt.Errorf("pages %q, not %q", expected, a.person.Pages)
	}
	return nil
}

func refusedWith(code string, err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode == code {
		return nil
	}
	return fmt.Errorf("%s, not: %w", code, err)
}
