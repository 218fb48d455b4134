package main

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

const mostSteps = 20

// Person sits at a browser without scripts: cookies, redirects, and the forms of the server's pages.
type Person struct {
	server, username, password string
	browser                    *http.Client

	// Pages that the last walk led over, by name.
	Pages []string
}

func newPerson(server, username, password string) (*Person, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	browser := &http.Client{Jar: jar, CheckRedirect: stay}
	return &Person{server: server, username: username, password: password, browser: browser}, nil
}

// Walk opens an address and goes on, signing in and deciding where asked, until the browser would leave the server for an
// app. It returns where the browser would go.
func (p *Person) Walk(address, decision string) (*url.URL, error) {
	p.Pages = nil
	next, err := http.NewRequest(http.MethodGet, address, nil)
	for range mostSteps {
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(next.URL.String(), p.server+"/") {
			return next.URL, nil
		}
		next, err = p.step(next, decision)
	}
	return nil, fmt.Errorf("the way does not end: %w", err)
}

// Sends a request, and returns the one that the answer leads to.
func (p *Person) step(request *http.Request, decision string) (*http.Request, error) {
	request.Header.Set("Origin", p.server)
	response, err := p.browser.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if location, err := response.Location(); err == nil {
		return http.NewRequest(http.MethodGet, location.String(), nil)
	}
	page, err := html.Parse(response.Body)
	if err != nil {
		return nil, err
	}
	return p.fillIn(page, decision)
}

func (p *Person) fillIn(page *html.Node, decision string) (*http.Request, error) {
	name := pageName(page)
	if slices.Contains(p.Pages, name) {
		return nil, fmt.Errorf("the page %s again: %s", name, text(find(page, "id", "problem")))
	}
	p.Pages = append(p.Pages, name)
	switch name {
	case "sign-in":
		return p.submit(page, "/sign-in", url.Values{"username": {p.username}, "password": {p.password}})
	case "consent":
		return p.submit(page, "/consent", url.Values{"decision": {decision}})
	}
	return nil, fmt.Errorf("nothing to do on the page %s: %s", name, text(find(page, "id", "main")))
}

func (p *Person) submit(page *html.Node, action string, filledIn url.Values) (*http.Request, error) {
	form := fields(find(page, "action", action))
	for name, values := range filledIn {
		form[name] = values
	}
	request, err := http.NewRequest(http.MethodPost, p.server+action, strings.NewReader(form.Encode()))
	if err == nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request, err
}

// What a form would send as it is: its hidden fields and its ticks.
func fields(form *html.Node) url.Values {
	sent := url.Values{}
	for input := range form.Descendants() {
		kind, _ := attribute(input, "type")
		name, named := attribute(input, "name")
		_, ticked := attribute(input, "checked")
		if named && (kind == "hidden" || kind == "checkbox" && ticked) {
			value, _ := attribute(input, "value")
			sent.Add(name, value)
		}
	}
	return sent
}

func pageName(page *html.Node) string {
	for node := range page.Descendants() {
		if name, ok := attribute(node, "data-page"); ok {
			return name
		}
	}
	return "without a name"
}

// The first element with this attribute; an empty one where there is none.
func find(page *html.Node, name, value string) *html.Node {
	for node := range page.Descendants() {
		if found, ok := attribute(node, name); ok && found == value {
			return node
		}
	}
	return &html.Node{}
}

func attribute(node *html.Node, name string) (string, bool) {
	for _, attribute := range node.Attr {
		if attribute.Key == name {
			return attribute.Val, true
		}
	}
	return "", false
}

// What a person reads, with single spaces.
func text(node *html.Node) string {
	var words []string
	for node := range node.Descendants() {
		if node.Type == html.TextNode {
			words = append(words, strings.Fields(node.Data)...)
		}
	}
	return strings.Join(words, " ")
}
